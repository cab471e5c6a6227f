//! The fixed list of filters, tests and functions, and the check of one call against it.

use std::fmt;
use std::ops::Range;

use minijinja::{Error, Value as Inner};

use super::problem::{ExprProblem, did_you_mean};
use super::{amounts, choices, clock, conversions, lists, texts};
use crate::program::types::Type;
use crate::value::{Path, Value, parse_decimal};

/// How an entry is written in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// `value | name(…)`
    Filter,
    /// `value is name(…)`
    Test,
    /// `name(…)`
    Function,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Group::Filter => "filter",
            Group::Test => "test",
            Group::Function => "function",
        })
    }
}

/// One filter, test or function of the language.
pub struct Entry {
    /// How it is written.
    pub group: Group,
    /// Its name.
    pub name: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// An example that is run as a test.
    pub example: Example,
    pub(super) input: Want,
    pub(super) params: &'static [Param],
    /// How many of the params must be given.
    pub(super) required: usize,
    /// The type of the result; what it is given has passed its wants.
    pub(super) gives: fn(&[Arg]) -> Result<Type, Refusal>,
    pub(super) run: fn(&[Inner]) -> Result<Inner, Error>,
}

/// An example of an entry: an expression, the record it reads, and what comes out, both as JSON.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The expression.
    pub source: &'static str,
    /// The values of its names, a JSON object.
    pub given: &'static str,
    /// The result as JSON.
    pub gives: &'static str,
}

/// A named parameter.
pub(super) struct Param {
    pub name: &'static str,
    pub want: Want,
}

/// A parameter.
pub(super) const fn param(name: &'static str, want: Want) -> Param {
    Param { name, want }
}

/// What a filter, test or function takes in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    Any,
    /// Text, and what is written as text: ids, dates, choices.
    Text,
    /// A whole number that is not negative.
    Count,
    /// A decimal, an integer, or a constant number in quotes.
    Amount,
    List,
    /// What has a length.
    Sized,
    /// Anything but a list or an object.
    Scalar,
    /// The constant path of a member of a list's items.
    Attribute,
    /// A constant regular expression.
    Pattern,
    /// Nothing: the entry is a function.
    Nothing,
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Want::Any => "anything",
            Want::Text => "text",
            Want::Count => "integer ≥ 0",
            Want::Amount => "amount",
            Want::List => "list",
            Want::Sized => "text, list or object",
            Want::Scalar => "single value",
            Want::Attribute => "member name in quotes",
            Want::Pattern => "regular expression in quotes",
            Want::Nothing => "nothing",
        })
    }
}

/// What is known of an input or argument before a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Arg {
    pub ty: Type,
    /// The value, where it is a constant.
    pub constant: Option<Value>,
    /// It may be an exact decimal although its type does not say so (`a if b else 'x'`).
    pub exact: bool,
    pub range: Range<usize>,
}

impl Arg {
    pub fn of(ty: Type) -> Arg {
        Arg { ty, ..Arg::default() }
    }

    /// The text of a text constant.
    pub fn text(&self) -> Option<&str> {
        self.constant.as_ref()?.as_text()
    }

    /// Whether it may be an exact decimal.
    pub fn may_be_exact(&self) -> bool {
        self.exact || self.ty == Type::Decimal
    }

    /// Whether it is the constant `none`.
    pub fn is_null(&self) -> bool {
        self.constant == Some(Value::Null)
    }
}

/// Why a call is refused, and which of the values (0 is the input) is to blame.
#[derive(Debug)]
pub(super) struct Refusal {
    pub at: usize,
    pub message: String,
    pub help: Option<String>,
}

impl Refusal {
    pub fn new(at: usize, message: impl Into<String>) -> Refusal {
        Refusal { at, message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Refusal {
        self.help = Some(help.into());
        self
    }
}

/// Every filter, test and function, group by group.
pub fn catalogue() -> impl Iterator<Item = &'static Entry> + Clone {
    [texts::ENTRIES, lists::ENTRIES, amounts::ENTRIES, conversions::ENTRIES, choices::ENTRIES, clock::ENTRIES]
        .into_iter()
        .flatten()
}

/// The entry of that name, or the problem that there is none.
pub(super) fn find(group: Group, name: &str, range: Range<usize>) -> Result<&'static Entry, ExprProblem> {
    let of_group = |group: Group| catalogue().filter(move |entry| entry.group == group);
    if let Some(entry) = of_group(group).find(|entry| entry.name == name) {
        return Ok(entry);
    }
    let problem = ExprProblem::new(format!("there is no {group} `{name}`"), range);
    let other = if group == Group::Filter { Group::Test } else { Group::Filter };
    Err(match of_group(other).find(|entry| entry.name == name) {
        Some(_) if other == Group::Test => problem.help(format!("it is a test: `… is {name}`")),
        Some(_) => problem.help(format!("it is a filter: `… | {name}`")),
        None => {
            let help = did_you_mean(name, of_group(group).map(|entry| entry.name));
            ExprProblem { help, ..problem }
        }
    })
}

impl Entry {
    /// How it is called: `amount | round(places)`.
    pub fn signature(&self) -> String {
        let params = self
            .params
            .iter()
            .enumerate()
            .map(|(i, param)| format!("{}{}", param.name, if i < self.required { "" } else { "?" }))
            .collect::<Vec<_>>()
            .join(", ");
        let call = if params.is_empty() { self.name.to_owned() } else { format!("{}({params})", self.name) };
        match self.group {
            Group::Filter => format!("{} | {call}", self.input),
            Group::Test => format!("{} is {call}", self.input),
            Group::Function => format!("{}()", self.name),
        }
    }

    /// What each parameter takes: name, kind of value, and whether it must be given.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, String, bool)> {
        let required = self.required;
        self.params
            .iter()
            .enumerate()
            .map(move |(i, param)| (param.name, param.want.to_string(), i < required))
    }

    /// The name under which the engine knows it; source text never holds such a name.
    pub(super) fn inner_name(&self) -> String {
        let group = match self.group {
            Group::Filter => "filter",
            Group::Test => "test",
            Group::Function => "function",
        };
        format!("{group}_{}", self.name)
    }

    /// The type of a call with these values, the input first; all that is wrong with it otherwise.
    pub(super) fn check(&self, values: &[Arg]) -> Result<Type, Vec<Refusal>> {
        let wants = std::iter::once(self.input).chain(self.params.iter().map(|param| param.want));
        let refused = wants
            .zip(values)
            .enumerate()
            .filter_map(|(at, (want, value))| self.refuse(at, want, value))
            .collect::<Vec<_>>();
        if refused.is_empty() { (self.gives)(values).map_err(|refusal| vec![refusal]) } else { Err(refused) }
    }

    fn refuse(&self, at: usize, want: Want, value: &Arg) -> Option<Refusal> {
        let name = self.name;
        match (want, value.text()) {
            (Want::Attribute, None) => {
                return Some(Refusal::new(
                    at,
                    format!("`{name}` wants the name of a member here, in quotes"),
                ));
            }
            (Want::Attribute, Some(text)) => {
                let error = Path::parse(text).err()?;
                return Some(Refusal::new(at, format!("{text:?} is no path: {error}")));
            }
            (Want::Pattern, None) => {
                return Some(Refusal::new(
                    at,
                    format!("`{name}` wants a regular expression here, in quotes"),
                ));
            }
            (Want::Pattern, Some(text)) => {
                let error = texts::pattern(text).err()?;
                return Some(Refusal::new(at, format!("{text:?} is no regular expression: {error}")));
            }
            (Want::Amount, Some(text)) if at > 0 => {
                if parse_decimal(text).is_some() {
                    return None;
                }
                return Some(
                    Refusal::new(at, format!("{text:?} is no number"))
                        .help("write an amount with digits and a point: '10.00'"),
                );
            }
            _ => {}
        }
        if value.is_null() || accepts(want, &value.ty) {
            return negative(want, value)
                .then(|| Refusal::new(at, format!("`{name}` wants a number that is not negative here")));
        }
        let place = if at == 0 { "takes" } else { "wants" };
        let refusal =
            Refusal::new(at, format!("`{name}` {place} {}, but this is of type {}", words(want), value.ty));
        Some(match (want, &value.ty) {
            (Want::Text | Want::Sized, Type::Integer | Type::Decimal | Type::Bool) => {
                refusal.help("make it text first: `| string`")
            }
            (Want::Amount, Type::Text | Type::Id | Type::Choice(_)) => {
                refusal.help("make it a number first: `| decimal`")
            }
            (Want::Count, Type::Text | Type::Id | Type::Choice(_) | Type::Decimal) => {
                refusal.help("make it an integer first: `| integer`")
            }
            (_, Type::List(_)) => {
                refusal.help("take one item first: `| first`, `[0]`, or one member of each: `| map('…')`")
            }
            _ => refusal,
        })
    }
}

fn words(want: Want) -> &'static str {
    match want {
        Want::Text => "text",
        Want::Count => "an integer",
        Want::Amount => "an exact decimal or an integer",
        Want::List => "a list",
        Want::Sized => "text, a list or an object",
        Want::Scalar => "a single value",
        Want::Any | Want::Attribute | Want::Pattern | Want::Nothing => "something else",
    }
}

fn accepts(want: Want, ty: &Type) -> bool {
    if *ty == Type::Any {
        return true;
    }
    let is_text = matches!(ty, Type::Text | Type::Id | Type::Date | Type::Time | Type::Choice(_));
    match want {
        Want::Any | Want::Nothing => true,
        Want::Text | Want::Attribute | Want::Pattern => is_text,
        Want::Count => *ty == Type::Integer,
        Want::Amount => matches!(ty, Type::Integer | Type::Decimal),
        Want::List => matches!(ty, Type::List(_)),
        Want::Sized => is_text || matches!(ty, Type::List(_) | Type::Object(_) | Type::Table(_)),
        Want::Scalar => is_text || matches!(ty, Type::Bool | Type::Integer | Type::Decimal),
    }
}

fn negative(want: Want, value: &Arg) -> bool {
    let constant = match &value.constant {
        Some(Value::Number(number)) => number,
        _ => return false,
    };
    want == Want::Count && constant.is_sign_negative() && !constant.is_zero()
}

/// The type of a member of a list's items by its path; the refusal names the nearest one.
pub(super) fn attribute(values: &[Arg], at: usize) -> Result<Type, Refusal> {
    use crate::value::Segment;
    let mut ty = values[0].ty.item().cloned().unwrap_or_default();
    let Some(path) = values.get(at).and_then(Arg::text).and_then(|text| Path::parse(text).ok()) else {
        return Ok(ty);
    };
    for segment in path.segments() {
        let (next, shown) = match segment {
            Segment::Key(key) => (ty.member(key).cloned(), key.clone()),
            Segment::Index(index) => (ty.item().cloned(), format!("[{index}]")),
            Segment::All | Segment::Where { .. } => {
                return Err(Refusal::new(at, "`[*]` has no place in the name of a member")
                    .help("use `| map('…')` twice"));
            }
        };
        ty = match next {
            Some(next) => next,
            None => {
                let known = ty.members();
                let help = known.and_then(|known| did_you_mean(&shown, known.keys().map(String::as_str)));
                let message = match (&ty, segment) {
                    (Type::Object(_), Segment::Key(_)) => format!("the items have no member `{shown}`"),
                    _ => format!("there is no `{shown}` in a value of type {ty}"),
                };
                return Err(Refusal { at, message, help });
            }
        };
    }
    Ok(ty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_once_and_are_described() {
        let mut seen = std::collections::HashSet::new();
        for entry in catalogue() {
            assert!(seen.insert((entry.group.to_string(), entry.name)), "{} stands twice", entry.name);
            assert!(entry.doc.ends_with('.') && !entry.doc.contains('\n'), "{}", entry.name);
            assert!(entry.required <= entry.params.len(), "{}", entry.name);
            assert!(entry.example.source.contains(entry.name), "{}", entry.name);
        }
        assert!(seen.len() > 45);
    }

    #[test]
    fn a_signature_says_what_may_be_left_out() {
        let signature = |group, name| find(group, name, 0..0).unwrap_or_else(|_| panic!()).signature();
        assert_eq!(signature(Group::Filter, "round"), "amount | round(places?)");
        assert_eq!(signature(Group::Filter, "replace"), "text | replace(from, to)");
        assert_eq!(signature(Group::Test, "zero"), "amount is zero");
        assert_eq!(signature(Group::Function, "today"), "today()");
    }

    #[test]
    fn an_unknown_name_is_answered() {
        let problem = |group, name| find(group, name, 0..3).err().unwrap().to_string();
        assert_eq!(problem(Group::Filter, "uper"), "there is no filter `uper`; did you mean `upper`?");
        assert_eq!(problem(Group::Filter, "zero"), "there is no filter `zero`; it is a test: `… is zero`");
        assert_eq!(problem(Group::Test, "lower"), "there is no test `lower`; it is a filter: `… | lower`");
        assert_eq!(problem(Group::Function, "range"), "there is no function `range`; known here: today, now");
    }
}
