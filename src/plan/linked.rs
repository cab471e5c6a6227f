//! A linked pair: three-way compare, row by row.
//!
//! What each side holds, what both last agreed on (the base), and who is the master. The echo of our own writes, and what a system
//! made of our value, are no changes, because the base holds each side's value *as that side returned it*.

use crate::program::mapping::{Apply, Conflict, Reaction, Register, Row, Situation};
use crate::value::{Side, Value};

use super::change::{Action, Change, Found, Note};
use super::context::{Context, Known, Record, label, outside};
use super::decide::{
    New, Waits, applicable, demanded, many_fit, new_values, problems, push, set_aside, start,
    target_resource, unanswered, wait,
};
use super::gate::Gate;
use super::translate::{self, Translated, Untranslatable, View, as_many, as_one, same, values_at};

/// Decides about two linked records, either of which may be gone.
pub fn decide_linked(
    context: &Context,
    register: &Register,
    left: Option<&Record>,
    right: Option<&Record>,
    base: &Value,
    known: &Known,
    view: &dyn View,
) -> Change {
    match (left, right) {
        (Some(left), Some(right)) => {
            let mut change = linked_start(register, left, right, Found::Linked);
            if let Some(open) = known.open {
                return unanswered(change, open);
            }
            for (side, record) in [(Side::Left, left), (Side::Right, right)] {
                match outside(context, register, side, record) {
                    Ok(None) => {}
                    Ok(gate) => {
                        change.found = Found::OutOfScope;
                        change.held = gate;
                        match register.situations.get(&Situation::OutOfScope) {
                            Some(Reaction::Unlink) => change.action = Action::Unlink,
                            Some(Reaction::SetAside) => {
                                return set_aside(
                                    change,
                                    "ME0908",
                                    "it left the scope of the mapping".into(),
                                );
                            }
                            _ => {}
                        }
                        return change;
                    }
                    Err(reason) => return set_aside(change, "ME0902", reason),
                }
            }
            for (side, record) in [(Side::Left, left), (Side::Right, right)] {
                if let Some((code, reason)) = problems(context, register, side, record, known) {
                    change.held = (code == "ME0901").then_some(Gate::Valid);
                    return set_aside(change, code, reason);
                }
            }
            compare(context, register, left, right, base, view, Found::Linked)
        }
        (left, right) => gone(context, register, left, right, known),
    }
}

fn gone(
    context: &Context,
    register: &Register,
    left: Option<&Record>,
    right: Option<&Record>,
    known: &Known,
) -> Change {
    let (here, record) = match (left, right) {
        (Some(left), _) => (Side::Left, Some(left)),
        (None, right) => (Side::Right, right),
    };
    let missing = here.other();
    let Some(record) = record else {
        let mut change = Change::new(&register.name, None, None, String::new(), Found::SourceMissing);
        change.action = Action::Unlink;
        return change;
    };
    let mut change = start(register, here, record);
    // without a master both sides are targets; with one, the master's side is the source
    let source_gone = register.master == Some(missing);
    change.found = if source_gone { Found::SourceMissing } else { Found::TargetMissing };
    if let Some(open) = known.open {
        return unanswered(change, open);
    }
    if !known.complete {
        // it is looked at again until a complete read has told
        change.stay = true;
        return change;
    }
    let situation = if source_gone { Situation::SourceMissing } else { Situation::TargetMissing };
    match register.situations.get(&situation) {
        Some(Reaction::Nothing) => change,
        Some(Reaction::Unlink) => {
            change.action = Action::Unlink;
            change
        }
        Some(Reaction::Delete) => match outside(context, register, here, record) {
            // what left the scope is left alone, also then
            Ok(Some(gate)) => {
                change.found = Found::OutOfScope;
                change.held = Some(gate);
                change
            }
            Ok(None) => {
                change.action = Action::Delete { side: here };
                change
            }
            Err(reason) => set_aside(change, "ME0902", reason),
        },
        Some(Reaction::SetAside) => {
            let reason = format!("its record in {} is gone", context.program.sides[missing].name);
            set_aside(change, "ME0909", reason)
        }
        None if source_gone => change,
        None => {
            let reason = format!(
                "its record in {} is gone. It is not made again by itself: forget the link with `mapengine resolve`, or restore the record",
                context.program.sides[missing].name
            );
            set_aside(change, "ME0909", reason)
        }
    }
}

fn linked_start(register: &Register, left: &Record, right: &Record, found: Found) -> Change {
    let mut text = label(register, Side::Left, left);
    if text == left.at.id {
        text = label(register, Side::Right, right);
    }
    let mut change = Change::new(&register.name, Some(left.at.clone()), Some(right.at.clone()), text, found);
    change.hashes.left = Some(left.hash.clone());
    change.hashes.right = Some(right.hash.clone());
    change
}

/// Compares two existing records row by row.
pub(super) fn compare(
    context: &Context,
    register: &Register,
    left: &Record,
    right: &Record,
    base: &Value,
    view: &dyn View,
    found: Found,
) -> Change {
    let mut change = linked_start(register, left, right, found);
    if found == Found::Linked
        && let Some(reason) = key_changed(context, register, left, right, base, view)
    {
        change.found = Found::KeyChanged;
        return set_aside(change, "ME0920", reason);
    }
    if register.link_only {
        return change;
    }
    for (side, record) in [(Side::Left, left), (Side::Right, right)] {
        if let Some((code, reason)) = many_fit(context, side, record) {
            return set_aside(change, code, reason);
        }
    }
    let mut compared = Comparison {
        context,
        register,
        left,
        right,
        base,
        view,
        found,
        change,
        waits: Waits::default(),
        refusals: Vec::new(),
    };
    for row in applicable(&register.rows, &left.at.resource, &right.at.resource) {
        compared.row(row);
    }
    let Comparison { mut change, waits, refusals, .. } = compared;
    if let Some((code, _)) = refusals.first() {
        let code = code.clone();
        let text = refusals.into_iter().map(|(_, reason)| reason).collect::<Vec<_>>().join("; ");
        return set_aside(change, &code, text);
    }
    if !waits.reasons.is_empty() {
        return wait(change, waits);
    }
    if !change.fields.left.is_empty() || !change.fields.right.is_empty() {
        change.action = Action::Update;
    }
    change
}

/// A match key that differs on linked records (F-5): a serious error on this record, nothing else stops.
fn key_changed(
    context: &Context,
    register: &Register,
    left: &Record,
    right: &Record,
    base: &Value,
    view: &dyn View,
) -> Option<String> {
    // what tells the members apart counts as a key
    for side in Side::BOTH {
        let (record, other) = if side == Side::Left { (left, right) } else { (right, left) };
        if register.ends[side.other()].by.is_some()
            && target_resource(register, side, record).as_deref() != Some(other.at.resource.as_str())
        {
            return Some(format!(
                "it changed its kind in {} while it is linked to a {} of {}: change it back",
                context.program.sides[side].name,
                other.at.resource,
                context.program.sides[side.other()].name
            ));
        }
    }
    for row in register.rows.iter().filter(|row| row.key) {
        if base.get(&row.id).is_none() {
            continue;
        }
        let here = values_at(row, Side::Left, &left.data);
        let there = values_at(row, Side::Right, &right.data);
        let equal = match translate::translate(row, Side::Left, here.clone(), view) {
            Ok(Translated::Values(values)) => same(row.compare, &values, &there),
            _ => false,
        };
        if !equal {
            return Some(format!(
                "{} is {} in {} and {} in {}, but the two are linked by it: change it back, or forget the link with `mapengine resolve` ({})",
                row.labels[Side::Left],
                as_one(here),
                context.program.sides[Side::Left].name,
                as_one(there),
                context.program.sides[Side::Right].name,
                row.origin.text
            ));
        }
    }
    None
}

/// Which side changed later. Times are compared as instants: one without a zone is no instant, and says nothing.
fn later(left: Option<&str>, right: Option<&str>) -> Option<Side> {
    let instant = |text: Option<&str>| text?.parse::<jiff::Timestamp>().ok();
    match instant(left)?.cmp(&instant(right)?) {
        std::cmp::Ordering::Greater => Some(Side::Left),
        std::cmp::Ordering::Less => Some(Side::Right),
        std::cmp::Ordering::Equal => None,
    }
}

struct Comparison<'a> {
    context: &'a Context<'a>,
    register: &'a Register,
    left: &'a Record,
    right: &'a Record,
    base: &'a Value,
    view: &'a dyn View,
    found: Found,
    change: Change,
    waits: Waits,
    refusals: Vec<(String, String)>,
}

impl Comparison<'_> {
    fn record(&self, side: Side) -> &Record {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    fn row(&mut self, row: &Row) {
        if row.apply == Apply::Never {
            return;
        }
        if row.is_two_sided() {
            self.two_sided(row);
        } else if row.computed.is_some() {
            for to in Side::BOTH {
                if row.writes[to] && !row.paths(to).is_empty() {
                    self.computed(row, to);
                }
            }
        }
    }

    fn based(&self, row: &Row) -> Option<(Value, Value)> {
        let pair = self.base.get(&row.id)?.as_list()?;
        Some((pair.first().cloned().unwrap_or_default(), pair.get(1).cloned().unwrap_or_default()))
    }

    /// Two values and their base: the heart of it.
    fn two_sided(&mut self, row: &Row) {
        let here = values_at(row, Side::Left, &self.left.data);
        let there = values_at(row, Side::Right, &self.right.data);
        let Some((base_left, base_right)) = self.based(row) else {
            self.first_meeting(row, &here, &there);
            return;
        };
        let left_changed = !same(row.compare, &here, &as_many(&base_left, here.len()));
        let right_changed = !same(row.compare, &there, &as_many(&base_right, there.len()));
        match (left_changed, right_changed) {
            (false, false) => {}
            (true, false) => self.one_changed(row, Side::Left),
            (false, true) => self.one_changed(row, Side::Right),
            (true, true) => {
                if !self.equal(row, &here, &there) {
                    self.conflict(row, here, there);
                }
            }
        }
    }

    fn equal(&self, row: &Row, here: &[Value], there: &[Value]) -> bool {
        matches!(
            translate::translate(row, Side::Left, here.to_vec(), self.view),
            Ok(Translated::Values(values)) if same(row.compare, &values, there)
        ) || matches!(
            translate::translate(row, Side::Right, there.to_vec(), self.view),
            Ok(Translated::Values(values)) if same(row.compare, here, &values)
        )
    }

    /// Only `changed` differs from the base: its value is carried, or the master's is put back.
    fn one_changed(&mut self, row: &Row, changed: Side) {
        let here = values_at(row, Side::Left, &self.left.data);
        let there = values_at(row, Side::Right, &self.right.data);
        if self.equal(row, &here, &there) {
            return;
        }
        let to = changed.other();
        match row.master {
            Some(master) if master != changed && row.writes[changed] && row.apply == Apply::Always => {
                let lost = as_one(values_at(row, changed, &self.record(changed).data));
                if self.carry(row, master, "put back: the master has another value") {
                    self.note_lost(row, changed, lost, "changed where it is not the master");
                } else if values_at(row, master, &self.record(master).data).iter().all(Value::is_empty) {
                    let [here, there] =
                        [changed, master].map(|side| self.context.program.sides[side].name.clone());
                    self.change.notes.push(Note {
                        kind: "kept".into(),
                        text: format!(
                            "{} was changed in {here}, where it is not the master; {there} has none, so that it stays",
                            row.labels[changed]
                        ),
                        lost: Value::Null,
                    });
                }
            }
            _ if row.writes[to] => {
                let source = values_at(row, changed, &self.record(changed).data);
                if source.iter().all(Value::is_empty) && !row.clear {
                    self.change.notes.push(Note {
                        kind: "cleared".into(),
                        text: format!(
                            "{} was emptied in {}; {} keeps its value (the row does not say `clear: true`)",
                            row.labels[changed],
                            self.context.program.sides[changed].name,
                            self.context.program.sides[to].name
                        ),
                        lost: Value::Null,
                    });
                } else {
                    self.carry(row, changed, "changed");
                }
            }
            _ => {}
        }
    }

    fn conflict(&mut self, row: &Row, here: Vec<Value>, there: Vec<Value>) {
        let winner = row.master.or_else(|| match row.conflict {
            Conflict::Later => later(self.left.changed_at.as_deref(), self.right.changed_at.as_deref()),
            Conflict::SetAside => None,
        });
        match winner {
            Some(winner) if row.writes[winner.other()] => {
                let lost = if winner == Side::Left { as_one(there) } else { as_one(here) };
                let reason = match row.master {
                    Some(_) => "changed on both sides: the master counts",
                    None => "changed on both sides: the later counts",
                };
                if self.carry(row, winner, reason) {
                    self.note_lost(row, winner.other(), lost, "changed on both sides");
                }
            }
            Some(_) => {}
            None => {
                self.change.keep_base.push(row.id.clone());
                let shown =
                    |value: Value| if row.sensitive { "•••".to_owned() } else { value.to_string() };
                let untold = match row.conflict {
                    Conflict::Later => ", and which was later cannot be told",
                    Conflict::SetAside => "",
                };
                self.refusals.push((
                    "ME0921".into(),
                    format!(
                        "{} was changed on both sides: {} in {}, {} in {}{untold}. Make them equal, or give the row a `master` ({})",
                        row.labels[Side::Left],
                        shown(as_one(here)),
                        self.context.program.sides[Side::Left].name,
                        shown(as_one(there)),
                        self.context.program.sides[Side::Right].name,
                        row.origin.text
                    ),
                ));
            }
        }
    }

    fn note_lost(&mut self, row: &Row, side: Side, lost: Value, why: &str) {
        let lost = if row.sensitive { Value::text("•••") } else { lost };
        self.change.notes.push(Note {
            kind: "conflict".into(),
            text: format!(
                "{} {why}: {lost} of {} is overwritten",
                row.labels[side], self.context.program.sides[side].name
            ),
            lost,
        });
    }

    /// No base: two existing records meet for the first time, or the row is new (`decisions` 9, 15).
    fn first_meeting(&mut self, row: &Row, here: &[Value], there: &[Value]) {
        // what counts only when a record is made is not compared
        if row.apply == Apply::CreateOnly || self.equal(row, here, there) {
            return;
        }
        let empty_left = here.iter().all(Value::is_empty);
        let empty_right = there.iter().all(Value::is_empty);
        let from = match row.master.or(self.register.adopt) {
            Some(side) => {
                let empty = if side == Side::Left { empty_left } else { empty_right };
                // an empty master does not empty the other side: it is filled from it
                Some(if empty && !row.clear { side.other() } else { side })
            }
            None if empty_left && !empty_right => Some(Side::Right),
            None if empty_right && !empty_left => Some(Side::Left),
            None => None,
        };
        match from {
            Some(from) if row.writes[from.other()] => {
                let reason = if self.found == Found::Found { "first meeting" } else { "the row is new" };
                self.carry(row, from, reason);
            }
            Some(_) => {}
            None => {
                let shown = |values: &[Value]| {
                    if row.sensitive { "•••".to_owned() } else { as_one(values.to_vec()).to_string() }
                };
                self.change.notes.push(Note {
                    kind: "differs".into(),
                    text: format!(
                        "{} differs at the first meeting and is left alone: {} in {}, {} in {}. Say `adopt:` whose value counts",
                        row.labels[Side::Left],
                        shown(here),
                        self.context.program.sides[Side::Left].name,
                        shown(there),
                        self.context.program.sides[Side::Right].name
                    ),
                    lost: Value::Null,
                });
            }
        }
    }

    /// Writes the value of `from` to the other side, by the row's rules.
    /// Answers whether something is written.
    fn carry(&mut self, row: &Row, from: Side, reason: &str) -> bool {
        let to = from.other();
        let target = self.record(to).data.clone();
        let current = values_at(row, to, &target);
        if row.create_only[to] {
            self.change.notes.push(Note {
                kind: "fixed".into(),
                text: format!(
                    "{} differs, but {} of {} can be given when a record is made only",
                    row.labels[from], row.labels[to], self.context.program.sides[to].name
                ),
                lost: Value::Null,
            });
            return false;
        }
        match row.apply {
            Apply::CreateOnly => return false,
            Apply::IfEmpty if !current.iter().all(Value::is_empty) => return false,
            _ => {}
        }
        let before = self.change.fields[to].len();
        let root = self.context.root(Some(&self.left.data), Some(&self.right.data), Some(from));
        let source = self.record(from).data.clone();
        match new_values(row, from, &source, &root, Some(&current), self.view) {
            Ok(None) => {
                if demanded(row, &root) && values_at(row, from, &source).iter().all(Value::is_empty) {
                    self.refusals.push(("ME0907".into(), format!("{} is missing", row.labels[from])));
                }
            }
            Ok(Some(new)) => push(&mut self.change.fields[to], row, to, &target, new, reason),
            Err(Untranslatable::Wait(reason, records)) => self.waits.add(reason, records),
            Err(Untranslatable::SetAside(code, reason)) => self.refusals.push((code.to_owned(), reason)),
            Err(Untranslatable::NoCode(missing)) => {
                let (code, reason) = missing.refusal();
                self.refusals.push((code.to_owned(), reason));
                self.change.missing_codes.push(missing);
            }
        }
        self.change.fields[to].len() > before
    }

    /// A computed value on `to`: its source side is its master by nature.
    fn computed(&mut self, row: &Row, to: Side) {
        let first = self.found == Found::Found || self.based(row).is_none();
        match row.apply {
            Apply::CreateOnly | Apply::Never => return,
            Apply::UpdateOnly | Apply::Always | Apply::IfEmpty => {}
        }
        let from = to.other();
        let target = self.record(to).data.clone();
        let current = values_at(row, to, &target);
        if row.apply == Apply::IfEmpty && !current.iter().all(Value::is_empty) {
            return;
        }
        let root = self.context.root(Some(&self.left.data), Some(&self.right.data), Some(from));
        let source = self.record(from).data.clone();
        match new_values(row, from, &source, &root, Some(&current), self.view) {
            Ok(None) => {}
            Ok(Some(New::Values(values))) => {
                if same(row.compare, &values, &current) {
                    return;
                }
                if let Some((left, right)) = self.based(row) {
                    let (wanted, stood) = if to == Side::Left { (right, left) } else { (left, right) };
                    // what the system made of our value is no change
                    if !first
                        && same(row.compare, &values, &as_many(&wanted, values.len()))
                        && same(row.compare, &current, &as_many(&stood, current.len()))
                    {
                        return;
                    }
                }
                push(&mut self.change.fields[to], row, to, &target, New::Values(values), "by the rule");
            }
            Ok(Some(new)) => push(&mut self.change.fields[to], row, to, &target, new, "by the rule"),
            Err(Untranslatable::Wait(reason, records)) => self.waits.add(reason, records),
            Err(Untranslatable::SetAside(code, reason)) => self.refusals.push((code.to_owned(), reason)),
            Err(Untranslatable::NoCode(missing)) => {
                let (code, reason) = missing.refusal();
                self.refusals.push((code.to_owned(), reason));
                self.change.missing_codes.push(missing);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_change_is_the_later_instant() {
        let of = |left: &str, right: &str| later(Some(left), Some(right));
        assert_eq!(of("2026-11-02T09:00:01Z", "2026-11-02T09:00:00Z"), Some(Side::Left));
        // later on the clock of its zone, and earlier
        assert_eq!(of("2026-11-02T10:30:00+02:00", "2026-11-02T09:00:00Z"), Some(Side::Right));
        assert_eq!(of("2026-11-02T11:00:00+02:00", "2026-11-02T09:00:00Z"), None);
        // no instant: whose clock it is, nobody knows
        assert_eq!(of("2026-11-02T12:00:00", "2026-11-02T09:00:00Z"), None);
        assert_eq!(of("2026-11-03", "2026-11-02T09:00:00Z"), None);
        assert_eq!(later(None, Some("2026-11-02T09:00:00Z")), None);
        assert_eq!(later(Some("2026-11-02T09:00:00Z"), None), None);
    }
}
