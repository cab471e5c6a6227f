//! What operators may meet: the rules before a run, and the same rules for values of undeclared type.
//!
//! A missing value equals only a missing one, fulfils no order, and makes a calculation missing. An exact
//! decimal meets no operator at all: MiniJinja would find it silently unequal, so every operator is
//! carried out here, where it fails loudly.

use std::cmp::Ordering;

use minijinja::{Error, ErrorKind, Value as Inner};

use super::MAX_OUTPUT;
use super::catalogue::Arg;
use super::conversions::plain;
use super::convert::{Exact, Wide, is_null, kind_of, number};
use super::problem::nearest;
use crate::program::types::Type;

/// A binary operator that the language has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    Add,
    Sub,
    Mul,
    FloorDiv,
    Rem,
    Concat,
}

impl Op {
    /// All of them.
    pub const ALL: [Op; 13] = [
        Op::Eq,
        Op::Ne,
        Op::Lt,
        Op::Le,
        Op::Gt,
        Op::Ge,
        Op::In,
        Op::Add,
        Op::Sub,
        Op::Mul,
        Op::FloorDiv,
        Op::Rem,
        Op::Concat,
    ];

    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Op::Eq => "==",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Gt => ">",
            Op::Ge => ">=",
            Op::In => "in",
            Op::Add => "+",
            Op::Sub => "-",
            Op::Mul => "*",
            Op::FloorDiv => "//",
            Op::Rem => "%",
            Op::Concat => "~",
        }
    }

    /// The name under which the engine knows it.
    pub fn inner_name(self) -> String {
        format!("op_{self:?}").to_lowercase()
    }
}

/// What an operator gives, or the message and help why it may not stand here.
pub(super) type Verdict<T> = Result<T, (String, Option<String>)>;

/// Checks an operator before a run; `left` and `right` come with their source text for the help.
pub(super) fn check(op: Op, left: (&Arg, &str), right: (&Arg, &str)) -> Verdict<Type> {
    if left.0.may_be_exact() || right.0.may_be_exact() {
        return Err((
            format!("`{}` does not work on exact decimals", op.sign()),
            Some(instead(op, left, right)),
        ));
    }
    match op {
        Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => compare(op, left, right).map(|()| Type::Bool),
        Op::In => contains(left, right).map(|()| Type::Bool),
        Op::Concat => {
            printable(op, left)?;
            printable(op, right)?;
            Ok(Type::Text)
        }
        Op::Add | Op::Sub | Op::Mul | Op::FloorDiv | Op::Rem => {
            whole(op, left)?;
            whole(op, right)?;
            Ok(Type::Integer)
        }
    }
}

/// Whether both sides are points in time, which are compared as such and not as text.
pub(super) fn by_time(left: &Arg, right: &Arg) -> bool {
    let time = |ty: &Type| *ty == Type::Time;
    (time(&left.ty) && (time(&right.ty) || right.text().is_some()))
        || (time(&right.ty) && left.text().is_some())
}

/// A source text that can stand before `is` or `|`.
fn operand(source: &str) -> String {
    let loose = [" if ", " and ", " or ", " ~ ", " + ", " - ", " * ", "not "];
    if loose.iter().any(|word| source.contains(word)) { format!("({source})") } else { source.to_owned() }
}

/// How to say it with a test or a filter.
fn instead(op: Op, left: (&Arg, &str), right: (&Arg, &str)) -> String {
    let (mut amount, mut other) = (left.1, right);
    let first = operand(left.1);
    let mut op = op;
    // `0 < x` is said from the amount's side
    if left.0.constant.is_some() && right.0.constant.is_none() && op != Op::In {
        (amount, other) = (right.1, left);
        op = match op {
            Op::Lt => Op::Gt,
            Op::Le => Op::Ge,
            Op::Gt => Op::Lt,
            Op::Ge => Op::Le,
            same => same,
        };
    }
    let amount = operand(amount);
    let zero = matches!(other.1, "0" | "0.0" | "0.00" | "'0'" | "\"0\"");
    let digits = other.1.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value = if digits && other.1.contains('.') { format!("'{}'", other.1) } else { other.1.to_owned() };
    let written = match op {
        Op::Eq if zero => format!("{amount} is zero"),
        Op::Ne if zero => format!("{amount} is not zero"),
        Op::Eq => format!("{amount} is equal_to({value})"),
        Op::Ne => format!("{amount} is not equal_to({value})"),
        Op::Lt => format!("{amount} is less_than({value})"),
        Op::Le => format!("{amount} is at_most({value})"),
        Op::Gt => format!("{amount} is greater_than({value})"),
        Op::Ge => format!("{amount} is at_least({value})"),
        Op::In => format!("{amount} is one_of({value})"),
        Op::Add => format!("{amount} | plus({value})"),
        Op::Sub => format!("{first} | minus({})", right.1),
        Op::Mul => format!("{amount} | times({value})"),
        Op::FloorDiv | Op::Rem => {
            return "exact decimals are not divided: multiply with `| times(x)` and round with `| round(2)`"
                .to_owned();
        }
        Op::Concat if left.0.may_be_exact() => format!("({} | string) ~ {}", left.1, right.1),
        Op::Concat => format!("{} ~ ({} | string)", left.1, right.1),
    };
    format!("write `{written}`")
}

/// Whether two values can be equal at all.
pub(super) fn compare(op: Op, left: (&Arg, &str), right: (&Arg, &str)) -> Verdict<()> {
    for (one, other) in [(left, right), (right, left)] {
        if one.0.is_null() {
            let not = if op == Op::Ne { "not " } else { "" };
            return Err((
                format!("`{}` does not work on `none`", op.sign()),
                Some(format!("write `{} is {not}none`", other.1)),
            ));
        }
        if matches!(one.0.ty, Type::List(_) | Type::Object(_) | Type::Table(_) | Type::File) {
            return Err((
                format!("`{}` compares single values, but `{}` is of type {}", op.sign(), one.1, one.0.ty),
                None,
            ));
        }
    }
    if left.0.ty == Type::Any || right.0.ty == Type::Any {
        return Ok(());
    }
    if left.0.ty == Type::Bool && right.0.ty == Type::Bool && !matches!(op, Op::Eq | Op::Ne | Op::In) {
        return Err((format!("`{}` does not work on true/false", op.sign()), None));
    }
    for (one, other) in [(left, right), (right, left)] {
        choice(one, other)?;
        if let Some(text) = other.0.text() {
            let (fits, form) = match one.0.ty {
                Type::Date => (text.parse::<jiff::civil::Date>().is_ok(), "2026-01-31"),
                Type::Time => (moment(text).is_some(), "2026-01-31T12:00:00Z"),
                _ => continue,
            };
            return if fits {
                Ok(())
            } else {
                Err((
                    format!("'{text}' is no {}, but `{}` is one", one.0.ty, one.1),
                    Some(format!("write it like '{form}'")),
                ))
            };
        }
    }
    if class(&left.0.ty) == class(&right.0.ty) {
        return Ok(());
    }
    let help = match (&left.0.ty, &right.0.ty) {
        (Type::Integer, Type::Text | Type::Id | Type::Choice(_)) => "`| string`, or the other `| integer`",
        (Type::Text | Type::Id | Type::Choice(_), Type::Integer) => "`| integer`, or the other `| string`",
        (Type::Time, Type::Date) | (Type::Date, Type::Time) => "the time `| date`",
        (Type::Date, _) | (_, Type::Date) => "the text `| date`",
        _ => "",
    };
    Err((
        format!("`{}` is of type {} and `{}` of type {}", left.1, left.0.ty, right.1, right.0.ty),
        (!help.is_empty()).then(|| format!("make them the same kind: {help}")),
    ))
}

/// A choice against a constant or another choice.
fn choice(one: (&Arg, &str), other: (&Arg, &str)) -> Verdict<()> {
    let Type::Choice(values) = &one.0.ty else { return Ok(()) };
    if let Some(text) = other.0.text() {
        if values.iter().any(|value| value == text) {
            return Ok(());
        }
        let help = match nearest(text, values.iter().map(String::as_str)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("it is {}", one.0.ty),
        };
        return Err((format!("`{}` is never '{text}'", one.1), Some(help)));
    }
    if let Type::Choice(others) = &other.0.ty
        && !values.iter().any(|value| others.contains(value))
    {
        return Err((
            format!("`{}` and `{}` have no value in common", one.1, other.1),
            Some(format!("`{}` is {}, `{}` is {}", one.1, one.0.ty, other.1, other.0.ty)),
        ));
    }
    Ok(())
}

/// What can be compared with what: types of one class.
fn class(ty: &Type) -> u8 {
    match ty {
        Type::Bool => 0,
        Type::Text | Type::Id | Type::Choice(_) => 1,
        Type::Integer => 2,
        Type::Date => 3,
        Type::Time => 4,
        Type::Decimal => 5,
        _ => 6,
    }
}

fn contains(left: (&Arg, &str), right: (&Arg, &str)) -> Verdict<()> {
    let text_wanted = || match class(&left.0.ty) {
        1 => Ok(()),
        _ if left.0.ty == Type::Any => Ok(()),
        _ => {
            let message =
                format!("`in` looks for text in `{}`, but `{}` is of type {}", right.1, left.1, left.0.ty);
            Err((message, Some("make it text first: `| string`".to_owned())))
        }
    };
    match &right.0.ty {
        Type::Any => Ok(()),
        Type::List(item) if **item == Type::Decimal => Err((
            "`in` does not work on exact decimals".to_owned(),
            Some(format!("write `{} is one_of({})`", left.1, right.1)),
        )),
        Type::List(item) => {
            compare(Op::In, left, (&Arg::of((**item).clone()), &format!("an item of {}", right.1)))
        }
        Type::Text | Type::Id | Type::Choice(_) | Type::Table(_) => text_wanted(),
        other => Err((
            format!("`in` looks into lists, tables and text, but `{}` is of type {other}", right.1),
            None,
        )),
    }
}

fn printable(op: Op, (arg, source): (&Arg, &str)) -> Verdict<()> {
    match &arg.ty {
        Type::List(_) => Err((
            format!("`{}` joins single values, but `{source}` is of type {}", op.sign(), arg.ty),
            Some(format!("write `{source} | join(', ')`")),
        )),
        Type::Object(_) | Type::Table(_) | Type::File => Err((
            format!("`{}` joins single values, but `{source}` is of type {}", op.sign(), arg.ty),
            Some("name one of its members".to_owned()),
        )),
        _ => Ok(()),
    }
}

fn whole(op: Op, (arg, source): (&Arg, &str)) -> Verdict<()> {
    if matches!(arg.ty, Type::Integer | Type::Any) && !arg.is_null() {
        return Ok(());
    }
    let message = format!("`{}` takes integers, but `{source}` is of type {}", op.sign(), arg.ty);
    let help = match (op, &arg.ty) {
        (Op::Add, Type::Text | Type::Id | Type::Choice(_)) => {
            Some("join texts with `~`; make text a number with `| integer` or `| decimal`".to_owned())
        }
        (Op::Mul, Type::Text) => Some("text cannot be repeated".to_owned()),
        (_, Type::Text) => Some("make text a number with `| integer` or `| decimal`".to_owned()),
        _ => None,
    };
    Err((message, help))
}

/// A run-time failure with this message.
pub(super) fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// A run-time failure because a text grew too large.
pub(super) fn too_large() -> Error {
    Error::new(ErrorKind::WriteFailure, "too large")
}

fn refuse_exact(sign: &str, values: [&Inner; 2]) -> Result<(), Error> {
    for value in values {
        if value.downcast_object_ref::<Exact>().is_some() || value.downcast_object_ref::<Wide>().is_some() {
            return Err(failed(format!(
                "`{sign}` met {}; use a test or filter for amounts, or `| integer` or `| string` first",
                kind_of(value)
            )));
        }
    }
    Ok(())
}

/// Carries out an operator; `values` are its two operands.
pub(super) fn run(op: Op, values: &[Inner]) -> Result<Inner, Error> {
    let [left, right] = values else {
        return Err(failed("an operator takes two values"));
    };
    refuse_exact(op.sign(), [left, right])?;
    Ok(match op {
        Op::Eq => Inner::from(same(op.sign(), left, right)?),
        Op::Ne => Inner::from(!same(op.sign(), left, right)?),
        Op::Lt => Inner::from(order(op, left, right)? == Some(Ordering::Less)),
        Op::Gt => Inner::from(order(op, left, right)? == Some(Ordering::Greater)),
        Op::Le => Inner::from(order(op, left, right)?.is_some_and(Ordering::is_le)),
        Op::Ge => Inner::from(order(op, left, right)?.is_some_and(Ordering::is_ge)),
        Op::In => Inner::from(is_in(left, right)?),
        Op::Concat => concat(left, right)?,
        Op::Add | Op::Sub | Op::Mul | Op::FloorDiv | Op::Rem => calculate(op, left, right)?,
    })
}

/// The same for two points in time.
pub(super) fn run_by_time(op: Op, values: &[Inner]) -> Result<Inner, Error> {
    let moments = values
        .iter()
        .map(|value| match value.as_str() {
            Some(text) if !text.is_empty() => match moment(text) {
                Some(moment) => Ok(Some(moment)),
                None => Err(failed(format!("{text:?} is no time"))),
            },
            _ => Ok(None),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let order = match moments[..] {
        [Some(Moment::Exact(left)), Some(Moment::Exact(right))] => Some(left.cmp(&right)),
        [Some(Moment::Local(left)), Some(Moment::Local(right))] => Some(left.cmp(&right)),
        [Some(_), Some(_)] => {
            return Err(failed("a time with a zone cannot be compared with one without"));
        }
        [None, None] if matches!(op, Op::Eq | Op::Ne) => Some(Ordering::Equal),
        _ => None,
    };
    Ok(Inner::from(match op {
        Op::Eq => order == Some(Ordering::Equal),
        Op::Ne => order != Some(Ordering::Equal),
        Op::Lt => order == Some(Ordering::Less),
        Op::Gt => order == Some(Ordering::Greater),
        Op::Le => order.is_some_and(Ordering::is_le),
        _ => order.is_some_and(Ordering::is_ge),
    }))
}

#[derive(Clone, Copy)]
enum Moment {
    Exact(jiff::Timestamp),
    Local(jiff::civil::DateTime),
}

fn moment(text: &str) -> Option<Moment> {
    match text.parse() {
        Ok(exact) => Some(Moment::Exact(exact)),
        Err(_) => text.parse().ok().map(Moment::Local),
    }
}

/// Equality of single values of one kind.
pub(super) fn same(sign: &str, left: &Inner, right: &Inner) -> Result<bool, Error> {
    if is_null(left) || is_null(right) {
        return Ok(is_null(left) && is_null(right));
    }
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Ok(left == right);
    }
    if left.is_integer() && right.is_integer() {
        return Ok(left == right);
    }
    let (one, other) = (kind_of(left), kind_of(right));
    if one == "true/false" && other == "true/false" {
        return Ok(left.is_true() == right.is_true());
    }
    Err(failed(format!("`{sign}` met {one} and {other}; it compares single values of one kind")))
}

fn order(op: Op, left: &Inner, right: &Inner) -> Result<Option<Ordering>, Error> {
    if is_null(left) || is_null(right) {
        return Ok(None);
    }
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Ok(Some(left.cmp(right)));
    }
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return Ok(Some(left.cmp(&right)));
    }
    Err(failed(format!(
        "`{}` met {} and {}; it compares single values of one kind",
        op.sign(),
        kind_of(left),
        kind_of(right)
    )))
}

fn is_in(needle: &Inner, hay: &Inner) -> Result<bool, Error> {
    if is_null(hay) {
        return Ok(false);
    }
    if let Some(hay) = hay.as_str() {
        return match needle.as_str() {
            Some(needle) => Ok(hay.contains(needle)),
            None if is_null(needle) => Ok(false),
            None => Err(failed(format!("`in` looked for {} in text", kind_of(needle)))),
        };
    }
    match kind_of(hay) {
        "a list" => {
            for item in hay.try_iter()? {
                refuse_exact("in", [needle, &item])?;
                if same("in", needle, &item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        "an object" => match needle.as_str() {
            Some(key) => Ok(hay.get_attr(key).is_ok_and(|value| !value.is_undefined())),
            None => Ok(false),
        },
        other => Err(failed(format!("`in` looks into lists, tables and text, but met {other}"))),
    }
}

fn concat(left: &Inner, right: &Inner) -> Result<Inner, Error> {
    let mut text = String::new();
    for value in [left, right] {
        if matches!(kind_of(value), "a list" | "an object") {
            return Err(failed(format!("`~` joins single values, but met {}", kind_of(value))));
        }
        text.push_str(&plain("~", value)?);
    }
    if text.len() > MAX_OUTPUT { Err(too_large()) } else { Ok(Inner::from(text)) }
}

fn calculate(op: Op, left: &Inner, right: &Inner) -> Result<Inner, Error> {
    if is_null(left) || is_null(right) {
        return Ok(Inner::UNDEFINED);
    }
    let integer = |value: &Inner| value.is_integer().then(|| value.as_i64()).flatten();
    let (Some(one), Some(other)) = (integer(left), integer(right)) else {
        return Err(failed(format!(
            "`{}` takes integers, but met {} and {}",
            op.sign(),
            kind_of(left),
            kind_of(right)
        )));
    };
    let result = match op {
        Op::Add => one.checked_add(other),
        Op::Sub => one.checked_sub(other),
        Op::Mul => one.checked_mul(other),
        _ if other == 0 => return Err(failed(format!("`{one} {} 0` has no result", op.sign()))),
        // rounds down and takes the sign of the divisor, as MiniJinja does
        Op::FloorDiv => one.checked_div(other).map(|quotient| {
            if one % other != 0 && (one < 0) != (other < 0) { quotient - 1 } else { quotient }
        }),
        _ => one
            .checked_rem(other)
            .map(|rest| if rest != 0 && (rest < 0) != (other < 0) { rest + other } else { rest }),
    };
    match result {
        Some(result) => Ok(Inner::from(result)),
        None => Err(failed(format!("`{one} {} {other}` is no integer of 64 bits", op.sign()))),
    }
}
