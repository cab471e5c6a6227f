//! The half of the check that knows no syntax tree: names, types, operators and calls, and the code for them.

use std::collections::HashSet;
use std::ops::Range;

use indexmap::IndexMap;
use minijinja::Value as Inner;
use rust_decimal::prelude::ToPrimitive;

use super::catalogue::{self, Arg, Entry, Group, Want};
use super::lists::Member;
use super::operators::{self, Op};
use super::problem::{ExprProblem, did_you_mean};
use super::scope::Scope;
use super::texts;
use crate::program::types::Type;
use crate::value::{Path, Segment, Value, parse_decimal};

/// A value that an expression reads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    /// The root or bare member.
    pub root: String,
    /// The way from there.
    pub rest: Path,
    pub ty: Type,
    /// Given by the caller as `today` or `now`, not read from a record.
    pub clock: bool,
}

impl Slot {
    /// The whole path.
    pub fn path(&self) -> Path {
        Path::key(&self.root).join(&self.rest)
    }
}

/// What the check leaves for the engine.
#[derive(Debug)]
pub(super) struct Checked {
    pub code: String,
    pub ty: Type,
    pub slots: Vec<Slot>,
    pub constants: Vec<Inner>,
}

/// The type of a value that is one or the other.
pub(super) fn common(one: &Arg, other: &Arg) -> Arg {
    let exact = one.may_be_exact() || other.may_be_exact();
    let is_text = |ty: &Type| matches!(ty, Type::Text | Type::Id | Type::Choice(_));
    let ty = match (&one.ty, &other.ty) {
        _ if one.is_null() => other.ty.clone(),
        _ if other.is_null() => one.ty.clone(),
        (one, other) if one == other => one.clone(),
        (Type::Choice(values), Type::Text) if fits(values, other) => one.ty.clone(),
        (Type::Text, Type::Choice(values)) if fits(values, one) => other.ty.clone(),
        (one, other) if is_text(one) && is_text(other) => Type::Text,
        (Type::Integer, Type::Decimal) | (Type::Decimal, Type::Integer) => Type::Decimal,
        // an amount beside its constant in quotes: `balance | default('0.00')`
        (Type::Decimal, Type::Text) if is_amount(other) => Type::Decimal,
        (Type::Text, Type::Decimal) if is_amount(one) => Type::Decimal,
        (Type::Date, Type::Text) if is_date(other) => Type::Date,
        (Type::Text, Type::Date) if is_date(one) => Type::Date,
        (Type::List(one), Type::List(other)) => {
            Type::list(common(&Arg::of((**one).clone()), &Arg::of((**other).clone())).ty)
        }
        _ => Type::Any,
    };
    Arg {
        ty,
        exact,
        constant: None,
        range: one.range.start.min(other.range.start)..one.range.end.max(other.range.end),
    }
}

fn fits(values: &[String], arg: &Arg) -> bool {
    arg.text().is_some_and(|text| values.iter().any(|value| value == text))
}

fn is_amount(arg: &Arg) -> bool {
    arg.text().is_some_and(|text| parse_decimal(text).is_some())
}

fn is_date(arg: &Arg) -> bool {
    arg.text().is_some_and(|text| text.parse::<jiff::civil::Date>().is_ok())
}

/// How written code binds, and so where it needs parentheses.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Binds {
    /// A name, a constant, or in parentheses.
    Atom,
    /// Ends in a filter.
    Chain,
    And,
    Or,
}

/// A checked node: what is known of it and the code that computes it.
pub(super) struct Code {
    pub arg: Arg,
    pub text: String,
    pub binds: Binds,
    /// The items, where it is a list written out.
    pub items: Vec<Arg>,
}

impl Code {
    pub(super) fn new(arg: Arg, text: impl Into<String>, binds: Binds) -> Code {
        Code { arg, text: text.into(), binds, items: Vec::new() }
    }

    /// The code of something that was refused; nothing further is said of it.
    pub(super) fn bad(range: Range<usize>) -> Code {
        Code::new(Arg { range, ..Arg::default() }, "nil", Binds::Atom)
    }

    pub(super) fn atom(self) -> String {
        if self.binds == Binds::Atom { self.text } else { format!("({})", self.text) }
    }

    pub(super) fn chain(self) -> String {
        if self.binds == Binds::Chain { self.text } else { self.atom() }
    }
}

/// A check under way: what may be used, and what was found and written so far.
pub(super) struct Checker<'s> {
    pub source: &'s str,
    pub scope: &'s Scope,
    pub locals: Vec<(&'s str, Type)>,
    pub slots: Vec<Slot>,
    pub constants: Vec<Inner>,
    pub problems: Vec<ExprProblem>,
    pub depth: usize,
}

/// The range from the first to the last.
pub(super) fn around(one: &Range<usize>, other: &Range<usize>) -> Range<usize> {
    one.start.min(other.start)..one.end.max(other.end)
}

impl<'s> Checker<'s> {
    pub(super) fn new(source: &'s str, scope: &'s Scope) -> Checker<'s> {
        Checker {
            source,
            scope,
            locals: Vec::new(),
            slots: Vec::new(),
            constants: Vec::new(),
            problems: Vec::new(),
            depth: 0,
        }
    }

    pub(super) fn finish(self, code: String, ty: Type) -> Result<Checked, Vec<ExprProblem>> {
        if self.problems.is_empty() {
            return Ok(Checked { code, ty, slots: self.slots, constants: self.constants });
        }
        let mut problems = self.problems;
        let mut seen = HashSet::new();
        problems.retain(|problem| seen.insert((problem.message.clone(), problem.range.clone())));
        problems.sort_by_key(|problem| problem.range.start);
        Err(problems)
    }

    pub(super) fn problem(&mut self, message: impl Into<String>, range: Range<usize>, help: Option<String>) {
        self.problems.push(ExprProblem { message: message.into(), help, range });
    }

    pub(super) fn refuse(&mut self, message: &str, range: Range<usize>, help: &str) -> Code {
        self.problem(message, range.clone(), Some(help.to_owned()));
        Code::bad(range)
    }

    pub(super) fn text_of(&self, range: &Range<usize>) -> String {
        self.source.get(range.clone()).unwrap_or_default().trim().to_owned()
    }

    pub(super) fn constant(&mut self, value: Inner) -> String {
        self.constants.push(value);
        format!("k{}", self.constants.len() - 1)
    }

    pub(super) fn slot(&mut self, slot: Slot) -> String {
        let at = self.slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
            self.slots.push(slot);
            self.slots.len() - 1
        });
        format!("v{at}")
    }

    pub(super) fn const_value(&mut self, value: &Inner, range: Range<usize>) -> Code {
        let code = |ty: Type, constant: Value, text: String| {
            let arg = Arg { ty, constant: Some(constant), exact: false, range: range.clone() };
            Code::new(arg, text, Binds::Atom)
        };
        if let Some(text) = value.as_str() {
            let name = self.constant(value.clone());
            return code(Type::Text, Value::text(text), name);
        }
        if value.is_none() {
            return code(Type::Any, Value::Null, "nil".to_owned());
        }
        if let Ok(yes) = bool::try_from(value.clone()) {
            return code(Type::Bool, Value::Bool(yes), yes.to_string());
        }
        if let Some(number) = value.is_integer().then(|| value.as_i64()).flatten() {
            return code(Type::Integer, Value::from(number), number.to_string());
        }
        let text = self.text_of(&range);
        if value.is_integer() {
            return self.refuse(&format!("{text} is no integer of 64 bits"), range, "write it in quotes");
        }
        self.problem(
            format!("{text} would be a binary float, which is not exact"),
            range.clone(),
            Some(format!("write it in quotes: '{text}'")),
        );
        Code::new(Arg { ty: Type::Decimal, constant: None, exact: true, range }, "nil", Binds::Atom)
    }

    /// An item by its position.
    pub(super) fn index(
        &mut self,
        before: Code,
        slot: &mut Option<Slot>,
        index: usize,
        range: Range<usize>,
    ) -> Option<Code> {
        let shown = self.text_of(&before.arg.range);
        let ty = before.arg.ty.clone();
        let Some(item) = ty.item().cloned() else {
            let help = Some(format!("leave `[{index}]` out"));
            self.problem(format!("`{shown}` is of type {ty}, which has no items"), range, help);
            return None;
        };
        let arg = Arg { range, ..Arg::of(item.clone()) };
        if let Some(slot) = slot {
            let step = Path::of(&[Segment::Index(index)]);
            (slot.rest, slot.ty) = (slot.rest.join(&step), item);
            return Some(Code::new(arg, "", Binds::Atom));
        }
        Some(Code::new(arg, format!("{}[{index}]", before.atom()), Binds::Atom))
    }

    /// A member or item by a computed key; the slot ends before it.
    pub(super) fn subscript(
        &mut self,
        before: Code,
        slot: &mut Option<Slot>,
        key: Code,
        range: Range<usize>,
    ) -> Option<Code> {
        let shown = self.text_of(&before.arg.range);
        let ty = before.arg.ty.clone();
        let value = match (&ty, &key.arg.ty) {
            (Type::Any, _) => Type::Any,
            (Type::List(item), Type::Integer | Type::Any) => (**item).clone(),
            (Type::Table(value), Type::Text | Type::Id | Type::Choice(_) | Type::Any) => (**value).clone(),
            (Type::List(_), other) => {
                self.problem(
                    format!("`{shown}` is a list: its items have numbers, not {other}"),
                    key.arg.range,
                    Some(format!("take one by its place, `{shown}[0]`")),
                );
                return None;
            }
            (Type::Table(_), other) => {
                let help = matches!(other, Type::Integer | Type::Decimal)
                    .then(|| "make it text first: `| string`".to_owned());
                self.problem(
                    format!("`{shown}` is a table: its keys are text, not {other}"),
                    key.arg.range,
                    help,
                );
                return None;
            }
            _ => {
                self.problem(
                    format!("`{shown}` is of type {ty}: only a constant name can stand here"),
                    key.arg.range,
                    Some(format!("write the name itself: `{shown}.NAME`")),
                );
                return None;
            }
        };
        let object = match slot.take() {
            Some(slot) => self.slot(slot),
            None => before.atom(),
        };
        let arg = Arg { range, ..Arg::of(value) };
        Some(Code::new(arg, format!("{object}[{}]", key.text), Binds::Atom))
    }

    pub(super) fn member(
        &mut self,
        before: Code,
        slot: &mut Option<Slot>,
        name: &str,
        place: Range<usize>,
        range: Range<usize>,
    ) -> Option<Code> {
        let shown = self.text_of(&before.arg.range);
        let ty = before.arg.ty.clone();
        let Some(member) = ty.member(name).cloned() else {
            let help = match &ty {
                Type::List(item) if item.member(name).is_some() => Some(format!(
                    "take one item, `{shown}[0].{name}`, or that of each, `{shown} | map('{name}')`"
                )),
                Type::Object(members) => {
                    did_you_mean(name, members.keys().map(String::as_str)).or_else(|| {
                        Some(match shown.as_str() {
                            "settings" => "declare it under `settings:`".to_owned(),
                            _ => format!("`{shown}` has no fields at all"),
                        })
                    })
                }
                _ if catalogue::find(Group::Filter, name, 0..0).is_ok() => {
                    Some(format!("write `{shown} | {name}`"))
                }
                _ => Some(format!("`{shown}` is a value of its own: nothing stands below it")),
            };
            let message = match &ty {
                Type::Object(_) => format!("`{shown}` has no field `{name}`"),
                _ => format!("`{shown}` is of type {ty}, which has no field `{name}`"),
            };
            self.problem(message, place, help);
            return None;
        };
        let arg = Arg { range, ..Arg::of(member.clone()) };
        if let Some(slot) = slot {
            (slot.rest, slot.ty) = (slot.rest.join(&Path::key(name)), member);
            return Some(Code::new(arg, "", Binds::Atom));
        }
        let key = self.constant(Inner::from(name));
        Some(Code::new(arg, format!("{}[{key}]", before.atom()), Binds::Atom))
    }

    pub(super) fn unknown_name(&mut self, name: &str, range: Range<usize>) -> Code {
        let below = self.scope.roots_with(name).map(|root| format!("`{root}.{name}`")).collect::<Vec<_>>();
        let help = if below.is_empty() {
            let locals = self.locals.iter().map(|(name, _)| *name);
            did_you_mean(name, locals.chain(self.scope.names()).collect::<Vec<_>>().into_iter())
        } else {
            Some(format!("did you mean {}?", below.join(" or ")))
        };
        self.problem(format!("there is no `{name}` here"), range.clone(), help);
        Code::bad(range)
    }

    pub(super) fn negate(&mut self, operand: Code, range: Range<usize>) -> Code {
        let shown = self.text_of(&operand.arg.range);
        if operand.arg.may_be_exact() {
            self.problem(
                "`-` does not work on exact decimals",
                range.clone(),
                Some(format!("write `{shown} | negate`")),
            );
            return Code::bad(range);
        }
        if let Some(Value::Number(number)) = &operand.arg.constant
            && let Some(number) = (-number).to_i64()
        {
            let constant = Some(Value::from(number));
            let arg = Arg { ty: Type::Integer, constant, exact: false, range };
            return Code::new(arg, format!("({number})"), Binds::Atom);
        }
        if !matches!(operand.arg.ty, Type::Integer | Type::Any) {
            let message = format!("`-` takes an integer, but `{shown}` is of type {}", operand.arg.ty);
            let help = format!("make a whole number of it first: `-({shown} | integer)`");
            self.problem(message, range.clone(), Some(help));
            return Code::bad(range);
        }
        let arg = Arg { range, ..Arg::of(Type::Integer) };
        Code::new(arg, format!("0|{}({})", Op::Sub.inner_name(), operand.text), Binds::Chain)
    }

    pub(super) fn operator(&mut self, op: Op, left: Code, right: Code, range: Range<usize>) -> Code {
        let shown = (self.text_of(&left.arg.range), self.text_of(&right.arg.range));
        let mut refused = false;
        if op == Op::In && !right.items.is_empty() && !left.arg.may_be_exact() && !right.arg.may_be_exact() {
            // every item written out is compared by itself
            for item in &right.items {
                let text = self.text_of(&item.range);
                if let Err((message, help)) = operators::compare(op, (&left.arg, &shown.0), (item, &text)) {
                    self.problem(message, item.range.clone(), help);
                    refused = true;
                }
            }
        } else if let Err((message, help)) =
            operators::check(op, (&left.arg, &shown.0), (&right.arg, &shown.1))
        {
            self.problem(message, range.clone(), help);
            refused = true;
        }
        let ty = match op {
            Op::Concat => Type::Text,
            Op::Add | Op::Sub | Op::Mul | Op::FloorDiv | Op::Rem => Type::Integer,
            _ => Type::Bool,
        };
        let arg = Arg { range, ..Arg::of(ty) };
        if refused {
            return Code { arg: Arg { ty: Type::Any, ..arg.clone() }, ..Code::bad(arg.range) };
        }
        let time = if operators::by_time(&left.arg, &right.arg) && op != Op::Concat { "_time" } else { "" };
        let time = if op == Op::In { "" } else { time };
        Code::new(arg, format!("{}|{}{time}({})", left.chain(), op.inner_name(), right.text), Binds::Chain)
    }

    /// The call of an entry with its input and arguments.
    pub(super) fn called(
        &mut self,
        entry: &Entry,
        input: Code,
        given: Vec<Code>,
        place: Range<usize>,
        range: Range<usize>,
    ) -> Code {
        let mut values = vec![input.arg.clone()];
        values.extend(given.iter().map(|code| code.arg.clone()));
        let ty = match entry.check(&values) {
            Ok(ty) => ty,
            Err(refused) => {
                for refusal in refused {
                    let at = if refusal.at == 0 { place.clone() } else { values[refusal.at].range.clone() };
                    self.problem(refusal.message, at, refusal.help);
                }
                return Code::bad(range);
            }
        };
        let mut texts = Vec::new();
        for (code, param) in given.into_iter().zip(entry.params) {
            let constant = code.arg.text();
            texts.push(match param.want {
                Want::Attribute => match constant.and_then(|text| Path::parse(text).ok()) {
                    Some(path) => self.constant(Inner::from_object(Member(path))),
                    None => code.text,
                },
                Want::Pattern => match constant.and_then(|text| texts::pattern(text).ok()) {
                    Some(pattern) => self.constant(Inner::from_object(texts::Pattern(pattern))),
                    None => code.text,
                },
                _ => code.text,
            });
        }
        let exact = values[0].exact && ty == Type::Any
            || matches!(entry.name, "default") && values.iter().any(Arg::may_be_exact);
        let arg = Arg { ty, exact, constant: None, range };
        let call = format!("{}|{}({})", input.chain(), entry.inner_name(), texts.join(", "));
        Code::new(arg, call, Binds::Chain)
    }

    /// Puts an argument in its place.
    pub(super) fn give(
        &mut self,
        entry: &Entry,
        given: &mut IndexMap<usize, Code>,
        at: Option<usize>,
        code: Code,
    ) {
        let name = entry.name;
        match at.filter(|at| *at < entry.params.len()) {
            None => {
                let message = match entry.params.len() {
                    0 => format!("`{name}` takes no arguments"),
                    1 => format!("`{name}` takes one argument"),
                    n => format!("`{name}` takes {n} arguments"),
                };
                self.problem(message, code.arg.range.clone(), Some(format!("it is `{}`", entry.signature())));
            }
            Some(at) => {
                let range = code.arg.range.clone();
                if given.insert(at, code).is_some() {
                    let message = format!("`{}` is given twice", entry.params[at].name);
                    self.problem(message, range, Some("leave one of the two out".to_owned()));
                }
            }
        }
    }

    /// The arguments in the order of the parameters; one left out before a given one is `none`.
    pub(super) fn complete(
        &mut self,
        entry: &Entry,
        mut given: IndexMap<usize, Code>,
        place: &Range<usize>,
    ) -> Vec<Code> {
        let name = entry.name;
        for (at, param) in entry.params.iter().enumerate().take(entry.required) {
            if !given.contains_key(&at) {
                let message = format!("`{name}` wants `{}`", param.name);
                self.problem(message, place.clone(), Some(format!("it is `{}`", entry.signature())));
            }
        }
        let end = given.keys().max().map_or(0, |last| last + 1);
        (0..end)
            .map(|at| {
                given.swap_remove(&at).unwrap_or_else(|| {
                    let constant = Some(Value::Null);
                    let arg = Arg { constant, range: place.clone(), ..Arg::default() };
                    Code::new(arg, "nil", Binds::Atom)
                })
            })
            .collect()
    }
}

/// `and` or `or`; a chain of the same needs no parentheses.
pub(super) fn both(left: Code, right: Code, binds: Binds) -> Code {
    let arg = common(&left.arg, &right.arg);
    let word = if binds == Binds::And { "and" } else { "or" };
    let left = if left.binds == binds { left.text } else { left.chain() };
    Code::new(arg, format!("{left} {word} {}", right.chain()), binds)
}
