//! What happens to a document: made once, then carried through its steps, then followed. Pure.

mod progress;
mod rows;

use super::change::{Action, Change, Embedding, FieldChange, Found, NewValue};
use super::decide::{
    Context, Known, Record, Waits, absent, holds, new_values, not_seen, outside, problems, push, set_aside,
    start, target_resource, unanswered, wait,
};
use super::flow::Roles;
use super::gate::Gate;
use super::translate::{Untranslatable, View, values_at};
use crate::program::document::{Document, FollowMove, Step, Take, Verify};
use crate::program::expr::Expr;
use crate::program::mapping::{RELATED, Row};
use crate::value::{Decimal, Map, Path, Side, Value};
pub use progress::{Progress, Undo, names};
pub use rows::items;
use rows::{all_lines, embedding};

/// The role of a source record.
pub fn role_of<'r>(document: &Document, roles: &'r Roles, source: &Value) -> Option<&'r str> {
    let flow = document.flow.as_ref()?;
    roles.of(flow.field.get(source).unwrap_or(&Value::Null))
}

/// Whether what the other side says of a source record is followed now: it was made, as its status tells.
pub fn is_followed(document: &Document, roles: &Roles, source: &Value) -> bool {
    let role = role_of(document, roles, source);
    let follow = document.follow.as_ref();
    role.is_some_and(|role| follow.is_some_and(|follow| follow.during.iter().any(|one| one == role)))
}

/// Whether a source record stands in the status from which documents travel, though one that came to the end of its steps left it: the
/// steps gave it another, and nothing is followed from there.
pub fn is_ready_again(document: &Document, roles: &Roles, source: &Value) -> bool {
    let Take::Role(ready) = &document.take else { return false };
    let leaves = document.steps.iter().any(|step| match step {
        Step::SetStatus(to) | Step::WriteBack { set_status: Some(to), .. } => {
            to != ready && roles.status(to).is_some()
        }
        _ => false,
    });
    leaves && role_of(document, roles, source) == Some(ready) && !is_followed(document, roles, source)
}

/// Whether a source record travels now.
///
/// # Errors
/// Why that cannot be said.
pub fn taken(context: &Context, document: &Document, roles: &Roles, record: &Record) -> Result<bool, String> {
    Ok(left_out(context, document, roles, record)?.is_none())
}

/// Whether a source record is one of those that travel, whatever the scope says: that may ask for what is below it.
///
/// # Errors
/// Why that cannot be said.
pub fn chosen(
    context: &Context,
    document: &Document,
    roles: &Roles,
    record: &Record,
) -> Result<bool, String> {
    match &document.take {
        Take::All => Ok(true),
        Take::Role(role) => Ok(role_of(document, roles, &record.data) == Some(role)),
        Take::When(when) => holds(context, when, document.source, record),
    }
}

/// What keeps a source record from travelling, if anything does.
fn left_out(
    context: &Context,
    document: &Document,
    roles: &Roles,
    record: &Record,
) -> Result<Option<Gate>, String> {
    if let Some(gate) = outside(context, &document.register, document.source, record)? {
        return Ok(Some(gate));
    }
    Ok((!chosen(context, document, roles, record)?).then_some(Gate::Take))
}

/// Decides about a source record that has no counterpart yet.
pub fn decide_new(
    context: &Context,
    document: &Document,
    roles: &Roles,
    record: &Record,
    known: &Known,
    view: &dyn View,
) -> Change {
    let (register, side) = (&document.register, document.source);
    let mut change = start(register, side, record);
    // its status tells that it was made: a state that was lost has to find what that was
    let mut made_before = false;
    match left_out(context, document, roles, record) {
        Ok(None) => {}
        Ok(Some(Gate::Take)) if known.forgot && is_followed(document, roles, &record.data) => {
            made_before = true;
        }
        Ok(gate) => {
            change.found = Found::OutOfScope;
            change.held = gate;
            return change;
        }
        Err(reason) => return set_aside(change, "ME0902", reason),
    }
    if let Some(open) = known.open {
        return unanswered(change, open);
    }
    if let Some(whole) = &known.whole {
        let reason = format!(
            "it is part of {whole}, which went to {} as a whole before: make what is missing there by hand, or say `mapengine resolve --unlink {}:{whole}` and all of it goes",
            context.program.sides[side.other()].name,
            register.name
        );
        return set_aside(change, "ME0960", reason);
    }
    let problem = if made_before { None } else { problems(context, register, side, record, known) };
    if let Some((code, reason)) = problem {
        change.held = (code == "ME0901").then_some(Gate::Valid);
        return set_aside(change, code, reason);
    }
    // made already, by a state that was lost: the same is not made twice
    match (&known.matches[..], document.twins) {
        ([], _) => {}
        ([one], _) | ([one, ..], true) => {
            match side {
                Side::Left => change.right = Some(one.clone()),
                Side::Right => change.left = Some(one.clone()),
            }
            change.found = Found::Found;
            change.action = Action::Link;
            return change;
        }
        (many, false) => {
            change.found = Found::Ambiguous;
            change.held = Some(Gate::Many { side: side.other(), records: many.to_vec(), entry: 0 });
            let ids: Vec<&str> = many.iter().map(|one| one.id.as_str()).collect();
            let reason = format!(
                "{} has more than one record that could be it: {}. Remove those that are wrong",
                context.program.sides[side.other()].name,
                ids.join(", ")
            );
            return set_aside(change, "ME0903", reason);
        }
    }
    if made_before {
        change.found = Found::OutOfScope;
        change.held = Some(Gate::Take);
        return change;
    }
    let mut change = absent(context, register, side, record, change, view);
    if known.partial && known.forgot {
        change = not_seen(context, side, change);
    }
    // the rows are looked at whatever the header says: all that is wrong with a document is said at once
    let made = match &change.action {
        Action::Create { resource, .. } => Some(resource.clone()),
        Action::Wait { .. } | Action::SetAside { .. } => target_resource(register, side, record),
        _ => None,
    };
    let Some(resource) = made else { return change };
    let mut embeds: Vec<Embedding> = document
        .embed
        .iter()
        .filter_map(|embed| embedding(embed, &resource, &record.data, embed.to.to_string()))
        .collect();
    let rows = all_lines(context, document, record, &resource, view, &mut change.missing_codes, &mut embeds);
    let (code, reason) = match (rows, &change.action) {
        (Ok(lists), Action::Create { .. }) => {
            change.embeds = embeds;
            for (path, list) in lists {
                change.fields[side.other()].push(FieldChange {
                    path: path.to_string(),
                    old: Value::Null,
                    new: NewValue::Value(list),
                    row: "rows".into(),
                    origin: register.origin.text.clone(),
                    reason: "its rows".into(),
                    sensitive: false,
                });
            }
            return change;
        }
        (Err(Untranslatable::Wait(reason, records)), Action::Create { .. }) => {
            return wait(change, Waits { reasons: vec![reason], records });
        }
        (Ok(_) | Err(Untranslatable::Wait(..)), _) => return change,
        (Err(Untranslatable::SetAside(code, reason)), _) => (code, reason),
        (Err(Untranslatable::NoCode(missing)), _) => missing.refusal(),
    };
    match &change.action {
        Action::SetAside { code, reason: before, .. } => {
            let (code, reason) = (code.clone(), format!("{before}; {reason}"));
            change.action = Action::SetAside { code, reason, refused: false };
            change
        }
        _ => set_aside(change, code, reason),
    }
}

fn counts(row: &Row, one: &str, other: &str) -> bool {
    row.only.is_empty() || row.only.iter().any(|only| only == one || only == other)
}

/// What a comparison of two amounts came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are equal, within the tolerance.
    Fits,
    /// They are not: both, for people.
    Differs(String),
    /// One of them is not there.
    Missing(String),
}

/// Compares what should be with what the other side made. Exact: a tolerance of 0.05 lets 0.05 pass and 0.0500001 not.
pub fn verify(verify: &Verify, left: &Value, right: &Value, names: [&str; 2]) -> Verdict {
    let records = [left, right];
    let paths = [&verify.equal.left, &verify.equal.right];
    let mut amounts = [Decimal::ZERO; 2];
    for (i, amount) in amounts.iter_mut().enumerate() {
        match paths[i].get(records[i]) {
            Some(Value::Number(number)) => *amount = *number,
            _ => return Verdict::Missing(format!("{} of {} is not there", paths[i], names[i])),
        }
    }
    let [mut one, mut other] = amounts;
    if verify.ignore_sign {
        (one, other) = (one.abs(), other.abs());
    }
    let apart = one.checked_sub(other).map(|apart| apart.abs());
    let shown =
        format!("{} {} in {}, {} {} in {}", paths[0], amounts[0], names[0], paths[1], amounts[1], names[1]);
    let Some(apart) = apart else { return Verdict::Differs(shown) };
    if apart > verify.tolerance {
        return Verdict::Differs(format!(
            "the totals are {apart} apart, {} is allowed: {shown}",
            verify.tolerance
        ));
    }
    if let Some(same) = &verify.same {
        let values =
            [same.left.get(left), same.right.get(right)].map(|value| value.cloned().unwrap_or_default());
        if values[0].canonical() != values[1].canonical() {
            return Verdict::Differs(format!(
                "{} is {} in {}, {} is {} in {}",
                same.left, values[0], names[0], same.right, values[1], names[1]
            ));
        }
    }
    Verdict::Fits
}

/// The move that the state of both records leads to, if any.
///
/// # Errors
/// A condition that cannot be worked out.
pub fn next_move<'d>(
    context: &Context,
    document: &'d Document,
    roles: &Roles,
    left: &Value,
    right: &Value,
) -> Result<Option<&'d FollowMove>, String> {
    let (Some(follow), Some(flow)) = (&document.follow, &document.flow) else { return Ok(None) };
    let source = if document.source == Side::Left { left } else { right };
    let Some(role) = role_of(document, roles, source) else { return Ok(None) };
    if !is_followed(document, roles, source) {
        return Ok(None);
    }
    let root = context.root(Some(left), Some(right), None);
    for step in &follow.moves {
        let legal = flow.sources(&step.to).contains(&role);
        if step.to != role && legal && roles.status(&step.to).is_some() {
            if step.when.holds(&root).map_err(|error| error.to_string())? {
                return Ok(Some(step));
            }
        } else if step.to == role && step.when.holds(&root).map_err(|error| error.to_string())? {
            // it is there already: what comes later in the list counts no more
            return Ok(None);
        }
    }
    Ok(None)
}

/// Why the other side refused a document after all; none where it did not, or where that was said of one that went before.
///
/// # Errors
/// Why that cannot be said.
pub fn refused_later(
    context: &Context,
    document: &Document,
    left: &Value,
    right: &Value,
) -> Result<Option<String>, String> {
    let Some((when, say)) = document.follow.as_ref().and_then(|follow| follow.refused.as_ref()) else {
        return Ok(None);
    };
    let root = context.root(Some(left), Some(right), None);
    if !when.holds(&root).map_err(|error| error.to_string())? {
        return Ok(None);
    }
    say.render(&root).map(Some).map_err(|error| error.to_string())
}

/// The fields that rows give one side of a pair, as far as they differ from what stands there.
///
/// # Errors
/// As for any row.
pub fn row_changes(
    context: &Context,
    rows: &[Row],
    from: Side,
    left: &Record,
    right: &Record,
    view: &dyn View,
) -> Result<Vec<FieldChange>, Untranslatable> {
    let to = from.other();
    let root = context.root(Some(&left.data), Some(&right.data), Some(from));
    let (source, target) = if from == Side::Left { (left, right) } else { (right, left) };
    let mut writes = Vec::new();
    for row in rows.iter().filter(|row| counts(row, &source.at.resource, &target.at.resource)) {
        let current = values_at(row, to, &target.data);
        if row.apply == crate::program::mapping::Apply::IfEmpty && !current.iter().all(Value::is_empty) {
            continue;
        }
        if let Some(new) = new_values(row, from, &source.data, &root, Some(&current), view)? {
            push(&mut writes, row, to, &target.data, new, "written back");
        }
    }
    Ok(writes)
}

/// What a document is made from – the fields of the source record and of its rows that the mapping carries or compares –, for
/// noticing that it changed meanwhile: without its status and what is written back to it. `compared`: with what is only compared.
pub fn content_of(document: &Document, name: &str, source: &Value, compared: bool) -> Value {
    let side = document.source;
    let mut own: Vec<&Path> = document.flow.iter().map(|flow| &flow.field).collect();
    let back = document.steps.iter().flat_map(|step| match step {
        Step::WriteBack { rows, .. } => &rows[..],
        _ => &[],
    });
    let followed = document.follow.iter().flat_map(|follow| &follow.write);
    own.extend(back.chain(followed).flat_map(|row| row.paths(side)));
    // what stands with it is no part of it
    let related = Path::key(RELATED);
    own.push(&related);
    let ours = |path: &Path| {
        own.iter().any(|own| own.strip_prefix(path).is_some() || path.strip_prefix(own).is_some())
    };
    let root = Path::key(name);
    let used = |row: &Row| -> Vec<Path> {
        let expressions = row.uses().into_iter();
        row.paths(side).iter().cloned().chain(expressions).collect()
    };
    let mut content = Map::new();
    let mut add = |at: String, path: &Path, from: &Value| {
        let values = path.get_all(from).into_iter().cloned().collect();
        content.insert(at, Value::List(values));
    };
    // an expression names the record by its side's name, or its fields alone
    let of_record = |path: &Path| path.strip_prefix(&root).unwrap_or_else(|| path.clone());
    let checked = document.steps.iter().flat_map(|step| match step {
        Step::Verify(verify) if compared => {
            let pairs = std::iter::once(&verify.equal).chain(&verify.same);
            pairs.map(|pair| pair[side].clone()).collect()
        }
        _ => Vec::new(),
    });
    for path in document.register.rows.iter().flat_map(used).chain(checked) {
        let path = of_record(&path);
        if !ours(&path) {
            add(path.to_string(), &path, source);
        }
    }
    for lines in &document.lines {
        let header = Path::key("header");
        let of_rows = lines.rows.iter().flat_map(used);
        let of_rows: Vec<Path> =
            of_rows.chain(lines.scope.iter().flat_map(Expr::uses)).chain(lines.order.clone()).collect();
        let items = lines.from.get(source).and_then(Value::as_list).unwrap_or_default();
        for path in &of_rows {
            let of_header = path.strip_prefix(&header).or_else(|| path.strip_prefix(&root));
            match of_header {
                Some(path) if !ours(&path) => add(path.to_string(), &path, source),
                Some(_) => {}
                None => {
                    let held: Vec<Value> = items
                        .iter()
                        .map(|item| Value::List(path.get_all(item).into_iter().cloned().collect()))
                        .collect();
                    add(format!("{}[].{path}", lines.from), &Path::root(), &Value::List(held));
                }
            }
        }
        add(
            format!("{}.length", lines.from),
            &Path::root(),
            &Value::from(i64::try_from(items.len()).unwrap_or(i64::MAX)),
        );
    }
    Value::Map(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Both, parse_decimal};

    fn check(tolerance: &str, ignore_sign: bool) -> Verify {
        let path = |text: &str| Path::parse(text).unwrap();
        Verify {
            equal: Both { left: path("total"), right: path("sum") },
            tolerance: parse_decimal(tolerance).unwrap(),
            ignore_sign,
            same: Some(Both { left: path("currency"), right: path("currency") }),
            delete: true,
            set_status: None,
            origin: Default::default(),
        }
    }

    fn of(name: &str, amount: &str, currency: &str) -> Value {
        Value::Map(Map::from([
            (name.to_owned(), Value::Number(parse_decimal(amount).unwrap())),
            ("currency".to_owned(), Value::text(currency)),
        ]))
    }

    fn fits(check: &Verify, one: &str, other: &str) -> bool {
        verify(check, &of("total", one, "NOK"), &of("sum", other, "NOK"), ["a", "b"]) == Verdict::Fits
    }

    #[test]
    fn the_tolerance_is_exact() {
        let check = check("0.05", false);
        for (one, other, fit) in [
            ("100.00", "100.05", true),
            ("100.05", "100.00", true),
            ("100.00", "100.0500001", false),
            ("100.00", "99.95", true),
            ("100.00", "99.9499999", false),
            ("100.00", "-100.00", false),
            ("0.00", "0.05", true),
            ("79228162514264337593543950335", "79228162514264337593543950335", true),
        ] {
            assert_eq!(fits(&check, one, other), fit, "{one} {other}");
        }
        let exact = super::tests::check("0", false);
        assert!(fits(&exact, "1.50", "1.5") && !fits(&exact, "1.50", "1.51"));
    }

    #[test]
    fn a_sign_may_be_left_out_and_a_currency_may_not() {
        let check = check("0.05", true);
        assert!(fits(&check, "-125.00", "125.02"));
        let other = verify(&check, &of("total", "125", "NOK"), &of("sum", "125", "EUR"), ["a", "b"]);
        assert_eq!(other, Verdict::Differs("currency is \"NOK\" in a, currency is \"EUR\" in b".into()));
        // what cannot be compared is nobody's reason to take something back
        let missing = verify(&check, &of("total", "125", "NOK"), &Value::Null, ["a", "b"]);
        assert_eq!(missing, Verdict::Missing("sum of b is not there".into()));
    }
}
