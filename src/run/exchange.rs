//! Values that may stand only once in a system and pass from one record to another: who gives a value up writes before who gets it, and
//! where they stand in a circle, one steps aside first.
//!
//! At a first run with a system that numbers differently this is the rule (requirement F-12): its numbers are the others' of other records.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::apply::{Became, Stop};
use super::decider::Decider;
use super::send::{Sending, Sent, link_of};
use super::{Engine, RunError};
use crate::plan::change::FieldChange;
use crate::plan::{Action, Change, NewValue};
use crate::program::mapping::Register;
use crate::program::system::{Field, Resource};
use crate::store::{PlanRow, Which};
use crate::value::{Decimal, Map, Side, Value, parse_decimal};
use crate::wire;

/// How many rows or records are taken from the state at a time.
const ROWS: usize = 512;

/// A value that may stand only once: the side, the resource, the field, the value.
type Place = (Side, String, String, String);

/// Which changes have to wait for others of their register.
#[derive(Default)]
pub(super) struct Exchanges {
    /// Whose values they get, by the numbers of their plan rows.
    waits: BTreeMap<i64, BTreeSet<i64>>,
    /// The values that they wait for.
    wanted: HashSet<Place>,
    /// What the fields in circles hold, as it was looked up once.
    held: HashMap<(Side, String, String), Held>,
}

/// The values of a field.
#[derive(Default)]
struct Held {
    texts: BTreeSet<String>,
    highest: Decimal,
}

/// What comes next of those that wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It waits for nothing any more.
    Apply(i64),
    /// It is one of a circle, and has to step aside first.
    Aside(i64),
}

impl Exchanges {
    pub(super) fn waits(&self, seq: i64) -> bool {
        self.waits.contains_key(&seq)
    }

    /// One that could not step aside is not applied: its outcome is told.
    pub(super) fn leave_out(&mut self, seq: i64) {
        self.waits.remove(&seq);
    }

    /// The next change; each comes once to be applied.
    pub(super) fn next(&mut self) -> Option<Next> {
        let ahead = |waits: &BTreeMap<i64, BTreeSet<i64>>, seq: i64| {
            waits.get(&seq)?.iter().find(|other| waits.contains_key(other)).copied()
        };
        let mut seq = *self.waits.keys().next()?;
        let mut seen = BTreeSet::new();
        while seen.insert(seq) {
            match ahead(&self.waits, seq) {
                Some(other) => seq = other,
                None => {
                    self.waits.remove(&seq);
                    return Some(Next::Apply(seq));
                }
            }
        }
        // whoever waits for it need not any more
        for others in self.waits.values_mut() {
            others.remove(&seq);
        }
        Some(Next::Aside(seq))
    }
}

/// The field that a path names, where no two records may have the same.
fn unique<'r>(resource: &'r Resource, path: &str) -> Option<&'r Field> {
    resource.fields.iter().find(|field| field.unique && field.name.to_string() == path)
}

/// A value of a field, where there is one.
fn place(side: Side, resource: &Resource, field: &Field, value: &Value) -> Option<Place> {
    let text = value.canonical().scalar_text().filter(|text| !text.is_empty())?;
    Some((side, resource.name.clone(), field.name.to_string(), text))
}

/// A base in which one side of a row holds another value: that is no change of it. A row without a base keeps none.
fn with_meanwhile(base: &Value, row: &str, side: Side, meanwhile: &Value) -> Value {
    let Value::Map(mut rows) = base.clone() else { return base.clone() };
    if let Some(Value::List(pair)) = rows.get_mut(row)
        && let Some(held) = pair.get_mut(side.index())
    {
        *held = meanwhile.clone();
    }
    Value::Map(rows)
}

/// The change that a row of the plan holds.
pub(super) fn change_of(row: &PlanRow) -> Result<Change, RunError> {
    serde_json::from_str(&row.change).map_err(|error| RunError::failed(format!("plan row: {error}")))
}

impl Engine {
    /// The resource that a change writes to on a side.
    fn written(&self, change: &Change, side: Side) -> Option<&Resource> {
        let name = match &change.action {
            Action::Create { side: made, resource } if *made == side => resource,
            Action::Link | Action::Update => &change.on(side)?.resource,
            _ => return None,
        };
        self.program.sides[side].system.resources.get(name).map(|resource| &**resource)
    }

    /// Looks which changes of a register get a value that another one of them gives up.
    pub(super) async fn exchanges(&self, register: &Register) -> Result<Exchanges, RunError> {
        let mut exchanges = Exchanges::default();
        let members = |side: Side| register.ends[side].members.iter();
        let concerns = Side::BOTH
            .into_iter()
            .any(|side| members(side).any(|member| member.resource.fields.iter().any(|field| field.unique)));
        if !concerns || register.is_document {
            return Ok(exchanges);
        }
        let mut given_up: HashMap<Place, i64> = HashMap::new();
        // one that is made gives nothing up
        self.each_change(register, &["link", "update"], |change, seq| {
            let old = |one: &FieldChange| Some(one.old.clone());
            given_up.extend(self.places(change, old).into_iter().map(|place| (place, seq)));
        })
        .await?;
        if given_up.is_empty() {
            return Ok(exchanges);
        }
        self.each_change(register, &["link", "update", "create"], |change, seq| {
            let new = |one: &FieldChange| match &one.new {
                NewValue::Value(value) => Some(value.clone()),
                NewValue::Reference { .. } => None,
            };
            for place in self.places(change, new) {
                if let Some(other) = given_up.get(&place).filter(|other| **other != seq) {
                    exchanges.waits.entry(seq).or_default().insert(*other);
                    exchanges.wanted.insert(place);
                }
            }
        })
        .await?;
        Ok(exchanges)
    }

    /// Looks at the changes of a register with these actions.
    async fn each_change(
        &self,
        register: &Register,
        actions: &[&str],
        mut look: impl FnMut(&Change, i64),
    ) -> Result<(), RunError> {
        let mut after = 0;
        loop {
            let name = register.name.clone();
            let rows = self.store.read(move |store| store.changes(Some(&name), after, ROWS)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.seq;
            for row in rows.iter().filter(|row| actions.contains(&row.action.as_str())) {
                look(&change_of(row)?, row.seq);
            }
        }
    }

    /// The values of a change that may stand only once, the old or the new ones.
    fn places(&self, change: &Change, value: impl Fn(&FieldChange) -> Option<Value>) -> Vec<Place> {
        let mut places = Vec::new();
        for side in Side::BOTH {
            let Some(resource) = self.written(change, side) else { continue };
            for one in &change.fields[side] {
                places.extend(
                    value(one).and_then(|value| place(side, resource, unique(resource, &one.path)?, &value)),
                );
            }
        }
        places
    }

    /// Gives a record values that no other one has in place of those that others wait for. Its own come later, and in the next run
    /// where this one is cut: its link remembers what it holds meanwhile, so that nobody takes it for an edit.
    ///
    /// # Errors
    /// Where that is refused or in doubt: then its own values wait, too.
    pub(super) async fn step_aside(
        &self,
        decider: &Decider,
        register: &Register,
        change: &Change,
        exchanges: &mut Exchanges,
    ) -> Result<(), Stop> {
        let (Some(left), Some(right)) = (&change.left, &change.right) else { return Ok(()) };
        let (name, at) = (register.name.clone(), left.clone());
        let known = self.store.read(move |store| store.link(&name, Side::Left, &at)).await?;
        let mut link = match known {
            Some(link) => link,
            // it may have been found by the very value that it gives up
            None => {
                let now = self.clock.now_ms();
                let link = link_of(register, Side::Right, right.clone(), left.clone(), now, "matched");
                let stored = link.clone();
                self.store.call(move |store| store.put_link(&stored)).await?;
                link
            }
        };
        for side in Side::BOTH {
            let (Some(resource), Some(at)) = (self.written(change, side), change.on(side).cloned()) else {
                continue;
            };
            let (mut values, mut rows) = (Vec::new(), Vec::new());
            for one in &change.fields[side] {
                let Some(field) = unique(resource, &one.path) else { continue };
                if place(side, resource, field, &one.old).is_some_and(|old| exchanges.wanted.contains(&old)) {
                    let meanwhile = self.unused(side, resource, field, &one.old, exchanges).await?;
                    link.base = with_meanwhile(&link.base, &one.row, side, &meanwhile);
                    values.push((field.name.clone(), meanwhile));
                    rows.push(Value::text(one.row.clone()));
                }
            }
            let Some(before) = self.known(decider, side, &at).await?.filter(|_| !values.is_empty()) else {
                continue;
            };
            let system = &self.program.sides[side].system;
            let Some(resource) = system.resources.get(&at.resource).cloned() else { continue };
            for write in wire::plan_update(system, &resource, &before.data, &values)? {
                let sending = Sending {
                    then: Value::Map(Map::from([("rows".to_owned(), Value::List(rows.clone()))])),
                    after: Some(link.clone()),
                    ..Sending::of(side, &resource, write, before.data.clone())
                };
                let source = change.on(side.other()).cloned();
                if let Sent::Gone = self.send(decider, register, source, sending).await? {
                    let reason = "it is gone; it is decided again".to_owned();
                    return Err(Stop::Change(Became::Waiting(reason)));
                }
            }
        }
        Ok(())
    }

    /// A value that no record of a resource has, and that none was given here before.
    async fn unused(
        &self,
        side: Side,
        resource: &Resource,
        field: &Field,
        old: &Value,
        exchanges: &mut Exchanges,
    ) -> Result<Value, RunError> {
        let key = (side, resource.name.clone(), field.name.to_string());
        if !exchanges.held.contains_key(&key) {
            let held = self.held(side, resource, field).await?;
            exchanges.held.insert(key.clone(), held);
        }
        let held = exchanges.held.entry(key).or_default();
        let all_numbers = held.texts.iter().all(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        if matches!(old, Value::Number(_)) || all_numbers {
            held.highest += Decimal::ONE;
            let number = Value::Number(held.highest);
            return Ok(if matches!(old, Value::Number(_)) { number } else { Value::text(number.to_json()) });
        }
        let old = old.scalar_text().unwrap_or_default();
        let mut n = 1;
        loop {
            let end = format!("~{n}");
            let room = field.max.map_or(usize::MAX, |max| max as usize).saturating_sub(end.len());
            let text: String = old.chars().take(room).chain(end.chars()).collect();
            if held.texts.insert(text.clone()) {
                return Ok(Value::Text(text));
            }
            n += 1;
        }
    }

    /// The values that a field has.
    async fn held(&self, side: Side, resource: &Resource, field: &Field) -> Result<Held, RunError> {
        let mut held = Held::default();
        let mut after = String::new();
        loop {
            let (name, from) = (resource.name.clone(), after);
            let rows =
                self.store.read(move |store| store.records(side, &name, Which::All, &from, ROWS)).await?;
            let Some(last) = rows.last() else { return Ok(held) };
            after = last.id.clone();
            for value in rows.iter().filter_map(|row| field.name.get(&row.data)) {
                let number = match value {
                    Value::Number(number) => Some(*number),
                    value => value.scalar_text().and_then(|text| parse_decimal(&text)),
                };
                held.highest = held.highest.max(number.unwrap_or_default());
                if !matches!(value, Value::Number(_)) {
                    held.texts.extend(value.scalar_text().filter(|text| !text.is_empty()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(waits: &[(i64, &[i64])]) -> Vec<Next> {
        let waits = waits.iter().map(|(seq, others)| (*seq, others.iter().copied().collect())).collect();
        let mut exchanges = Exchanges { waits, ..Exchanges::default() };
        std::iter::from_fn(|| exchanges.next()).collect()
    }

    #[test]
    fn who_gives_a_value_up_comes_before_who_gets_it() {
        use Next::{Apply, Aside};
        assert_eq!(order(&[]), []);
        // 9 waits for nothing, so that it was applied before
        assert_eq!(order(&[(1, &[2]), (2, &[3]), (3, &[9])]), [Apply(3), Apply(2), Apply(1)]);
        // 2 and 3 exchange theirs, 1 gets what 2 has
        let circle = order(&[(1, &[2]), (2, &[3]), (3, &[2])]);
        assert_eq!(circle, [Aside(2), Apply(1), Apply(3), Apply(2)]);
        // two fields of one record, in two circles
        let two = order(&[(1, &[2, 3]), (2, &[1]), (3, &[1])]);
        assert_eq!(two, [Aside(1), Apply(2), Apply(3), Apply(1)]);
    }
}
