//! Which status is which role: by name, or by order and flags. Pure.

use crate::plan::translate::normal;
use crate::program::document::{Flow, Named, Recognise, SequenceRole};
use crate::program::expr::Expr;
use crate::program::mapping::Compare;
use crate::value::{Path, Value};

/// The roles of one company's statuses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roles {
    /// Status and role, in order.
    statuses: Vec<(Value, String, String)>,
    /// Roles whose status is not there and is to be made, and what it is called.
    missing: Vec<(String, Value)>,
}

impl Roles {
    /// The role of a status.
    pub fn of(&self, status: &Value) -> Option<&str> {
        let wanted = normal(Compare::Exact, status);
        self.statuses
            .iter()
            .find(|(one, _, _)| normal(Compare::Exact, one) == wanted)
            .map(|(_, role, _)| role.as_str())
    }

    /// The status that a role is set by: its first one.
    pub fn status(&self, role: &str) -> Option<&Value> {
        self.statuses.iter().find(|(_, one, _)| one == role).map(|(status, _, _)| status)
    }

    /// All statuses of a role.
    pub fn statuses(&self, role: &str) -> impl Iterator<Item = &Value> {
        self.statuses.iter().filter(move |(_, one, _)| one == role).map(|(status, _, _)| status)
    }

    /// What people call a status.
    pub fn title_of(&self, status: &Value) -> String {
        let wanted = normal(Compare::Exact, status);
        self.statuses
            .iter()
            .find(|(one, _, _)| normal(Compare::Exact, one) == wanted)
            .map_or_else(|| status.to_string(), |(_, _, title)| title.clone())
    }

    /// What people call a role's status.
    pub fn title(&self, role: &str) -> String {
        let there = self.statuses.iter().find(|(_, one, _)| one == role).map(|(_, _, title)| title.clone());
        let to_come = || self.missing.iter().find(|(one, _)| one == role)?.1.scalar_text();
        there.or_else(to_come).unwrap_or_else(|| role.to_owned())
    }

    /// The roles whose status has to be made, and what it is called.
    pub fn missing(&self) -> &[(String, Value)] {
        &self.missing
    }

    /// The status of a role has been made.
    pub fn made(&mut self, role: &str, status: Value) {
        let title = self.title(role);
        self.missing.retain(|(one, _)| one != role);
        self.statuses.push((status, role.to_owned(), title));
    }
}

impl Roles {
    /// For the state.
    pub fn to_value(&self) -> Value {
        let status = |(status, role, title): &(Value, String, String)| {
            Value::List(vec![status.clone(), Value::text(role.clone()), Value::text(title.clone())])
        };
        Value::List(self.statuses.iter().map(status).collect())
    }

    /// As the state holds them.
    pub fn of_value(value: &Value) -> Roles {
        let status = |one: &Value| match one.as_list()? {
            [status, role, title] => {
                Some((status.clone(), role.as_text()?.to_owned(), title.as_text()?.to_owned()))
            }
            _ => None,
        };
        let statuses = value.as_list().into_iter().flatten().filter_map(status).collect();
        Roles { statuses, missing: Vec::new() }
    }
}

/// Finds the roles among the statuses that are there: key and record of each.
///
/// # Errors
/// What does not fit, with the table of the statuses and what to change.
pub fn recognise(flow: &Flow, statuses: &[(Value, Value)], answers: &Value) -> Result<Roles, String> {
    match &flow.recognise {
        Recognise::Named { by, only_where, roles } => {
            named(flow, by.as_ref(), only_where.as_ref(), roles, statuses, answers)
        }
        Recognise::Sequence { order, only_where, flags, roles } => {
            let mut counted: Vec<Status> = Vec::new();
            for (key, record) in statuses {
                let counts = match only_where {
                    Some(only) => only.holds(record).map_err(|error| error.to_string())?,
                    None => true,
                };
                if counts {
                    counted.push(Status {
                        key: key.clone(),
                        title: title_of(record, key),
                        order: order.get(record).cloned().unwrap_or_default(),
                        flags: flags
                            .iter()
                            .filter(|flag| flag.get(record) == Some(&Value::Bool(true)))
                            .cloned()
                            .collect(),
                        record: record.clone(),
                    });
                }
            }
            counted.sort_by(|one, other| by_order(&one.order, &other.order));
            sequence(&counted, roles)
        }
    }
}

struct Status {
    key: Value,
    title: String,
    order: Value,
    flags: Vec<Path>,
    record: Value,
}

fn title_of(record: &Value, key: &Value) -> String {
    record.get("name").and_then(Value::scalar_text).or_else(|| key.scalar_text()).unwrap_or_default()
}

fn by_order(one: &Value, other: &Value) -> std::cmp::Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.cmp(other),
        (one, other) => one.scalar_text().cmp(&other.scalar_text()),
    }
}

fn named(
    flow: &Flow,
    by: Option<&Path>,
    only_where: Option<&Expr>,
    roles: &[(String, Named)],
    statuses: &[(Value, Value)],
    answers: &Value,
) -> Result<Roles, String> {
    let mut found = Roles::default();
    let mut problems = Vec::new();
    for (role, named) in roles {
        let wanted = match named {
            Named::Rest => continue,
            Named::Status(value) => value.clone(),
            Named::Setting(setting) => answers.get(setting).cloned().unwrap_or_default(),
        };
        if wanted.is_empty() {
            // a setting that nobody answered: the company has no such role
            continue;
        }
        if flow.of.is_none() {
            found.statuses.push((wanted.clone(), role.clone(), wanted.scalar_text().unwrap_or_default()));
            continue;
        }
        let called: Vec<&(Value, Value)> = statuses
            .iter()
            .filter(|(key, record)| {
                let shown = match by {
                    Some(path) => path.get(record).cloned().unwrap_or_default(),
                    None => key.clone(),
                };
                normal(Compare::Exact, &shown) == normal(Compare::Exact, &wanted)
            })
            .collect();
        let mut hits = Vec::with_capacity(called.len());
        for one in &called {
            let counts = only_where.map_or(Ok(true), |only| only.holds(&one.1));
            if counts.map_err(|error| error.to_string())? {
                hits.push(*one);
            }
        }
        match hits[..] {
            [(key, record)] => found.statuses.push((key.clone(), role.clone(), title_of(record, key))),
            [] if !called.is_empty() => problems.push(format!(
                "the status {wanted} (role `{role}`) is there, and does not count: `{}` does not hold for it",
                only_where.map(Expr::source).unwrap_or_default()
            )),
            [] if flow.make.iter().any(|(one, _)| one == role) => found.missing.push((role.clone(), wanted)),
            [] => problems.push(format!(
                "there is no status {wanted} for the role `{role}`; there are {}",
                statuses.iter().map(|(key, record)| title_of(record, key)).collect::<Vec<_>>().join(", ")
            )),
            _ => problems.push(format!("more than one status is {wanted} (role `{role}`)")),
        }
    }
    if let Some((role, _)) = roles.iter().find(|(_, named)| matches!(named, Named::Rest)) {
        let rest: Vec<_> = statuses
            .iter()
            .filter(|(key, _)| found.of(key).is_none())
            .map(|(key, record)| (key.clone(), role.clone(), title_of(record, key)))
            .collect();
        found.statuses.extend(rest);
    }
    if problems.is_empty() { Ok(found) } else { Err(problems.join("; ")) }
}

/// The whole list of statuses must match the sequence from end to end, as a regular expression does.
fn sequence(statuses: &[Status], roles: &[SequenceRole]) -> Result<Roles, String> {
    let mut furthest = 0;
    let Some(parts) = matched(statuses, roles, &mut furthest) else {
        let shown: Vec<String> = statuses
            .iter()
            .enumerate()
            .map(|(i, status)| {
                let mark = if i == furthest { "→ " } else { "" };
                format!("{mark}{}. {} ({})", i + 1, status.title, flags_of(&status.flags))
            })
            .collect();
        let wanted: Vec<String> = roles
            .iter()
            .map(|role| {
                let more = if role.repeat { ", one or more" } else { "" };
                format!("{} ({}{more})", role.role, flags_of(&role.flags))
            })
            .collect();
        let place = match statuses.get(furthest) {
            Some(status) => format!("'{}' does not fit", status.title),
            None => "a status is missing at the end".to_owned(),
        };
        return Err(format!(
            "the statuses are not set up as needed: {place}. They are: {}. Needed, in this order: {}",
            shown.join(", "),
            wanted.join(", ")
        ));
    };
    let mut problems = Vec::new();
    let mut found = Roles::default();
    for (status, role) in statuses.iter().zip(parts) {
        let role = &roles[role];
        if let Some(must) = &role.must
            && !must.holds(&status.record).map_err(|error| error.to_string())?
        {
            problems.push(match &role.otherwise {
                Some(text) => text.render(&status.record).map_err(|error| error.to_string())?,
                None => format!("the status '{}' is not as `{}` must be", status.title, role.role),
            });
        }
        found.statuses.push((status.key.clone(), role.role.clone(), status.title.clone()));
    }
    if problems.is_empty() { Ok(found) } else { Err(problems.join("; ")) }
}

fn flags_of(flags: &[Path]) -> String {
    if flags.is_empty() {
        return "no flag".to_owned();
    }
    flags.iter().map(Path::to_string).collect::<Vec<_>>().join(" + ")
}

/// The role of each status, or none; `furthest` is the first status that fits nowhere.
fn matched(statuses: &[Status], roles: &[SequenceRole], furthest: &mut usize) -> Option<Vec<usize>> {
    fn step(
        statuses: &[Status],
        roles: &[SequenceRole],
        at: usize,
        role: usize,
        furthest: &mut usize,
    ) -> Option<Vec<usize>> {
        *furthest = (*furthest).max(at);
        let Some(wanted) = roles.get(role) else { return (at == statuses.len()).then(Vec::new) };
        let status = statuses.get(at)?;
        let fits = status.flags.len() == wanted.flags.len()
            && wanted.flags.iter().all(|flag| status.flags.contains(flag));
        if !fits {
            return None;
        }
        let again = if wanted.repeat { step(statuses, roles, at + 1, role, furthest) } else { None };
        let mut rest = match again {
            Some(rest) => rest,
            None => step(statuses, roles, at + 1, role + 1, furthest)?,
        };
        rest.insert(0, role);
        Some(rest)
    }
    step(statuses, roles, 0, 0, furthest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: [&str; 4] = ["isReadOnly", "hasInvoiceNumber", "isSent", "isPaid"];

    /// The flow of F-18: failed, drafts, ready, transferred, sent, partially paid, paid.
    fn roles() -> Vec<SequenceRole> {
        let role = |role: &str, flags: &[usize], repeat: bool| SequenceRole {
            role: role.to_owned(),
            flags: flags.iter().map(|i| Path::key(FLAGS[*i])).collect(),
            repeat,
            must: None,
            otherwise: None,
        };
        vec![
            role("failed", &[], false),
            role("draft", &[], true),
            role("ready", &[0], false),
            role("transferred", &[0, 1, 2], false),
            role("sent", &[0, 1, 2], false),
            role("partially_paid", &[0, 1, 2], false),
            role("paid", &[0, 1, 2, 3], false),
        ]
    }

    fn statuses(all: &[(&str, &[usize])]) -> Vec<Status> {
        all.iter()
            .enumerate()
            .map(|(i, (name, flags))| Status {
                key: Value::text(format!("s-{i}")),
                title: (*name).to_owned(),
                order: Value::from(i as i64),
                flags: flags.iter().map(|i| Path::key(FLAGS[*i])).collect(),
                record: Value::Null,
            })
            .collect()
    }

    #[test]
    fn both_examples_are_recognised() {
        // F-19 (a), with an approval status
        let with = statuses(&[
            ("Failed", &[]),
            ("Draft", &[]),
            ("Waiting for approval", &[]),
            ("Approved, ready for Financials", &[0]),
            ("In Financials", &[0, 1, 2]),
            ("Sent", &[0, 1, 2]),
            ("Partially paid", &[0, 1, 2]),
            ("Paid", &[0, 1, 2, 3]),
        ]);
        let found = sequence(&with, &roles()).unwrap();
        assert_eq!(found.of(&Value::text("s-2")), Some("draft"));
        assert_eq!(found.of(&Value::text("s-3")), Some("ready"));
        assert_eq!(found.status("transferred"), Some(&Value::text("s-4")));
        assert_eq!(found.title("paid"), "Paid");
        assert_eq!(Roles::of_value(&found.to_value()), found);
        // F-19 (b), without it
        let without = statuses(&[
            ("Failed", &[]),
            ("Draft", &[]),
            ("Ready for Financials", &[0]),
            ("In Financials", &[0, 1, 2]),
            ("Sent", &[0, 1, 2]),
            ("Partially paid", &[0, 1, 2]),
            ("Paid", &[0, 1, 2, 3]),
        ]);
        assert_eq!(sequence(&without, &roles()).unwrap().of(&Value::text("s-6")), Some("paid"));
    }

    #[test]
    fn the_first_status_that_does_not_fit_is_named() {
        let wrong = statuses(&[("Failed", &[]), ("Draft", &[]), ("Ready", &[0]), ("In Financials", &[0, 2])]);
        let said = sequence(&wrong, &roles()).unwrap_err();
        assert!(said.contains("'In Financials' does not fit"), "{said}");
        assert!(said.contains("→ 4. In Financials (isReadOnly + isSent)"), "{said}");
        let short =
            statuses(&[("Failed", &[]), ("Draft", &[]), ("Ready", &[0]), ("In Financials", &[0, 1, 2])]);
        assert!(sequence(&short, &roles()).unwrap_err().contains("a status is missing at the end"));
    }
}
