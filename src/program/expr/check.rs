//! The type check: reads MiniJinja's syntax tree and writes the checked form that is evaluated.
//!
//! This is the only file that knows the tree. Source text is never evaluated; what is evaluated is written
//! here, node by node, while the node is checked: a name becomes a slot (`v0`) with its path and type, a
//! text constant a slot (`k0`), an operator a filter of ours that fails loudly (`v0|op_eq(k0)`).

use std::collections::HashSet;
use std::ops::Range;

use indexmap::IndexMap;
use minijinja::machinery::{Span, ast, parse, parse_expr};
use minijinja::{Error, Value as Inner};
use rust_decimal::prelude::ToPrimitive;

use super::catalogue::{self, Arg, Entry, Group, Want};
use super::lists::Member;
use super::operators::{self, Op};
use super::problem::{ExprProblem, did_you_mean};
use super::scope::Scope;
use super::texts;
use crate::program::types::Type;
use crate::value::{Path, Value};

/// How deep an expression may be nested.
const MAX_DEPTH: usize = 60;

/// The longest source text; together with the depth it bounds the work and the stack of a check.
const MAX_SOURCE: usize = 4096;

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

/// Checks an expression.
pub(super) fn expression(source: &str, scope: &Scope) -> Result<Checked, Vec<ExprProblem>> {
    refuse_long(source)?;
    if source.trim().is_empty() {
        return Err(vec![ExprProblem::new("an expression is empty", 0..source.len())]);
    }
    let tree = parse_expr(source).map_err(|error| vec![syntax(source, &error)])?;
    let mut checker = Checker::new(source, scope);
    let code = checker.expr(&tree);
    checker.finish(code.text, code.arg.ty)
}

/// Checks a template.
pub(super) fn template(source: &str, scope: &Scope) -> Result<Checked, Vec<ExprProblem>> {
    refuse_long(source)?;
    let tree =
        parse(source, "<template>", Default::default()).map_err(|error| vec![syntax(source, &error)])?;
    let mut checker = Checker::new(source, scope);
    let code = match &tree {
        ast::Stmt::Template(template) => checker.body(&template.children),
        other => checker.stmt(other),
    };
    checker.finish(code, Type::Text)
}

fn refuse_long(source: &str) -> Result<(), Vec<ExprProblem>> {
    if source.len() <= MAX_SOURCE {
        return Ok(());
    }
    let message = format!("this is {} bytes long; at most {MAX_SOURCE} are allowed", source.len());
    Err(vec![ExprProblem::new(message, 0..source.len())])
}

/// A syntax error in our words.
fn syntax(source: &str, error: &Error) -> ExprProblem {
    let detail = error.detail().unwrap_or("this is not an expression");
    let range = error.range().unwrap_or(0..source.len());
    let range = match range.start.min(source.len())..range.end.min(source.len()) {
        // the end of the source has nothing to underline
        end if end.is_empty() => 0..source.len(),
        range => range,
    };
    if let Some(name) = detail.strip_prefix("unknown statement ") {
        return ExprProblem::new(format!("`{name}` is not part of templates"), range)
            .help("a template has `{{ … }}`, `{% if %}` and `{% for %}`");
    }
    let problem = ExprProblem::new(detail.to_owned(), range.clone());
    match detail {
        "unexpected `=`, expected end of block" | "unexpected input after expression"
            if source.get(range.clone()) == Some("=") || source[range.start..].starts_with('=') =>
        {
            problem.help("equality is `==`")
        }
        _ if source[range.start..].starts_with('&') => problem.help("write `and`"),
        _ if source[range.start..].starts_with('!') => problem.help("write `not`"),
        _ => problem,
    }
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

fn is_date(arg: &Arg) -> bool {
    arg.text().is_some_and(|text| text.parse::<jiff::civil::Date>().is_ok())
}

/// How written code binds, and so where it needs parentheses.
#[derive(Clone, Copy, PartialEq)]
enum Binds {
    /// A name, a constant, or in parentheses.
    Atom,
    /// Ends in a filter.
    Chain,
    And,
    Or,
}

/// A checked node: what is known of it and the code that computes it.
struct Code {
    arg: Arg,
    text: String,
    binds: Binds,
    /// The items, where it is a list written out.
    items: Vec<Arg>,
}

impl Code {
    fn new(arg: Arg, text: impl Into<String>, binds: Binds) -> Code {
        Code { arg, text: text.into(), binds, items: Vec::new() }
    }

    /// The code of something that was refused; nothing further is said of it.
    fn bad(range: Range<usize>) -> Code {
        Code::new(Arg { range, ..Arg::default() }, "nil", Binds::Atom)
    }

    fn atom(self) -> String {
        if self.binds == Binds::Atom { self.text } else { format!("({})", self.text) }
    }

    fn chain(self) -> String {
        if self.binds == Binds::Chain { self.text } else { self.atom() }
    }
}

/// One step of a chain of names.
enum Step<'a, 's> {
    Name(&'s str),
    Item(&'a ast::Expr<'s>),
}

struct Checker<'s> {
    source: &'s str,
    scope: &'s Scope,
    locals: Vec<(&'s str, Type)>,
    slots: Vec<Slot>,
    constants: Vec<Inner>,
    problems: Vec<ExprProblem>,
    depth: usize,
}

fn bytes(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

fn around(one: &Range<usize>, other: &Range<usize>) -> Range<usize> {
    one.start.min(other.start)..one.end.max(other.end)
}

impl<'s> Checker<'s> {
    fn new(source: &'s str, scope: &'s Scope) -> Checker<'s> {
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

    fn finish(self, code: String, ty: Type) -> Result<Checked, Vec<ExprProblem>> {
        if self.problems.is_empty() {
            return Ok(Checked { code, ty, slots: self.slots, constants: self.constants });
        }
        let mut problems = self.problems;
        let mut seen = HashSet::new();
        problems.retain(|problem| seen.insert((problem.message.clone(), problem.range.clone())));
        problems.sort_by_key(|problem| problem.range.start);
        Err(problems)
    }

    fn problem(&mut self, message: impl Into<String>, range: Range<usize>, help: Option<String>) {
        self.problems.push(ExprProblem { message: message.into(), help, range });
    }

    fn refuse(&mut self, message: &str, range: Range<usize>, help: &str) -> Code {
        self.problem(message, range.clone(), Some(help.to_owned()));
        Code::bad(range)
    }

    fn text_of(&self, range: &Range<usize>) -> String {
        self.source.get(range.clone()).unwrap_or_default().trim().to_owned()
    }

    fn constant(&mut self, value: Inner) -> String {
        self.constants.push(value);
        format!("k{}", self.constants.len() - 1)
    }

    fn slot(&mut self, slot: Slot) -> String {
        let at = self.slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
            self.slots.push(slot);
            self.slots.len() - 1
        });
        format!("v{at}")
    }

    fn expr(&mut self, expr: &ast::Expr<'s>) -> Code {
        if self.depth >= MAX_DEPTH {
            let range = bytes(expr.span());
            return self.refuse("this is nested too deeply", range, "split it, or use fewer parts");
        }
        self.depth += 1;
        let code = self.node(expr);
        self.depth -= 1;
        code
    }

    fn node(&mut self, expr: &ast::Expr<'s>) -> Code {
        match expr {
            ast::Expr::Const(node) => self.const_value(&node.value, bytes(node.span())),
            ast::Expr::Var(_) | ast::Expr::GetAttr(_) | ast::Expr::GetItem(_) => self.names(expr),
            ast::Expr::UnaryOp(node) => self.unary(node, bytes(node.span())),
            ast::Expr::BinOp(node) => self.binary(node.op, &node.left, &node.right, bytes(node.span())),
            ast::Expr::Compare(node) => self.compare(node),
            ast::Expr::IfExpr(node) => self.choose(node),
            ast::Expr::Filter(node) => match &node.expr {
                Some(input) => {
                    self.call(Group::Filter, node.name, Some(input), &node.args, bytes(node.span()))
                }
                None => Code::bad(bytes(node.span())),
            },
            ast::Expr::Test(node) => {
                self.call(Group::Test, node.name, Some(&node.expr), &node.args, bytes(node.span()))
            }
            ast::Expr::Call(node) => self.function(node, bytes(node.span())),
            ast::Expr::List(node) => self.list(&node.items, bytes(node.span())),
            ast::Expr::Tuple(node) => self.list(&node.items, bytes(node.span())),
            ast::Expr::Slice(node) => self.refuse(
                "a slice is not part of the language",
                bytes(node.span()),
                "use `| truncate(n)`, `| first`, `| last` or `[0]`",
            ),
            ast::Expr::Map(node) => self.refuse(
                "an object cannot be written in an expression",
                bytes(node.span()),
                "write one row for each member",
            ),
        }
    }

    fn const_value(&mut self, value: &Inner, range: Range<usize>) -> Code {
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

    fn list(&mut self, items: &[ast::Expr<'s>], range: Range<usize>) -> Code {
        let codes = items.iter().map(|item| self.expr(item)).collect::<Vec<_>>();
        let args = codes.iter().map(|code| code.arg.clone()).collect::<Vec<_>>();
        let item = args.iter().cloned().reduce(|one, other| common(&one, &other)).unwrap_or_default();
        let text = codes.into_iter().map(|code| code.text).collect::<Vec<_>>().join(", ");
        let arg = Arg { ty: Type::list(item.ty), exact: item.exact, constant: None, range };
        Code { items: args, ..Code::new(arg, format!("[{text}]"), Binds::Atom) }
    }

    fn names(&mut self, expr: &ast::Expr<'s>) -> Code {
        let mut steps = Vec::new();
        let mut base = expr;
        loop {
            let range = bytes(base.span());
            match base {
                ast::Expr::GetAttr(node) => {
                    steps.push((Step::Name(node.name), range.end - node.name.len()..range.end));
                    base = &node.expr;
                }
                ast::Expr::GetItem(node) => {
                    let inner = bytes(node.subscript_expr.span());
                    steps.push((Step::Item(&node.subscript_expr), inner.start..range.end));
                    base = &node.expr;
                }
                _ => break,
            }
        }
        steps.reverse();
        let mut slot = None;
        let mut code = match base {
            ast::Expr::Var(var) => {
                let range = bytes(var.span());
                if let Some((_, ty)) = self.locals.iter().rev().find(|(name, _)| *name == var.id) {
                    let text = if var.id == "loop" { "loop".to_owned() } else { format!("l_{}", var.id) };
                    Code::new(Arg { range, ..Arg::of(ty.clone()) }, text, Binds::Atom)
                } else if let Some(ty) = self.scope.get(var.id) {
                    slot = Some(Slot {
                        root: var.id.to_owned(),
                        rest: Path::root(),
                        ty: ty.clone(),
                        clock: false,
                    });
                    Code::new(Arg { range, ..Arg::of(ty.clone()) }, "", Binds::Atom)
                } else {
                    return self.unknown_name(var.id, range);
                }
            }
            other => self.expr(other),
        };
        for (step, place) in steps {
            code = match self.step(code, &mut slot, &step, place) {
                Some(code) => code,
                None => return Code::bad(bytes(expr.span())),
            };
        }
        if let Some(slot) = slot {
            code.text = self.slot(slot);
        }
        code
    }

    /// Goes one step further, in the slot as long as the way is constant, in the code after that.
    fn step(
        &mut self,
        before: Code,
        slot: &mut Option<Slot>,
        step: &Step<'_, 's>,
        place: Range<usize>,
    ) -> Option<Code> {
        let range = around(&before.arg.range, &place);
        let shown = self.text_of(&before.arg.range);
        let ty = before.arg.ty.clone();
        let subscript = match step {
            Step::Name(name) => return self.member(before, slot, name, place, range),
            Step::Item(expr) => *expr,
        };
        let constant = match subscript {
            ast::Expr::Const(node) => Some(&node.value),
            _ => None,
        };
        if let Some(name) = constant.and_then(Inner::as_str) {
            let name = name.to_owned();
            return self.member(before, slot, &name, place, range);
        }
        let index = constant.filter(|value| value.is_integer()).and_then(Inner::as_usize);
        if let Some(index) = index {
            let Some(item) = ty.item().cloned() else {
                self.problem(format!("`{shown}` is of type {ty}, which has no items"), range, None);
                return None;
            };
            let arg = Arg { range, ..Arg::of(item.clone()) };
            if let Some(slot) = slot {
                let step = Path::parse(&format!("[{index}]")).expect("a number in brackets is a path");
                (slot.rest, slot.ty) = (slot.rest.join(&step), item);
                return Some(Code::new(arg, "", Binds::Atom));
            }
            return Some(Code::new(arg, format!("{}[{index}]", before.atom()), Binds::Atom));
        }
        let key = self.expr(subscript);
        let value = match (&ty, &key.arg.ty) {
            (Type::Any, _) => Type::Any,
            (Type::List(item), Type::Integer | Type::Any) => (**item).clone(),
            (Type::Table(value), Type::Text | Type::Id | Type::Choice(_) | Type::Any) => (**value).clone(),
            (Type::List(_), other) => {
                self.problem(
                    format!("`{shown}` is a list: its items have numbers, not {other}"),
                    key.arg.range,
                    None,
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
                    None,
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

    fn member(
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
                Type::Object(members) => did_you_mean(name, members.keys().map(String::as_str)),
                _ if catalogue::find(Group::Filter, name, 0..0).is_ok() => {
                    Some(format!("write `{shown} | {name}`"))
                }
                _ => None,
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

    fn unknown_name(&mut self, name: &str, range: Range<usize>) -> Code {
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

    fn unary(&mut self, node: &ast::UnaryOp<'s>, span: Range<usize>) -> Code {
        let operand = self.expr(&node.expr);
        let mut range = around(&operand.arg.range, &operand.arg.range);
        match node.op {
            ast::UnaryOpKind::Not => {
                let arg = Arg { range, ..Arg::of(Type::Bool) };
                Code::new(arg, format!("(not {})", operand.chain()), Binds::Atom)
            }
            ast::UnaryOpKind::Neg => {
                range.start = range.start.min(span.start);
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
                    let message =
                        format!("`-` takes an integer, but `{shown}` is of type {}", operand.arg.ty);
                    self.problem(message, range.clone(), None);
                    return Code::bad(range);
                }
                let arg = Arg { range, ..Arg::of(Type::Integer) };
                Code::new(arg, format!("0|{}({})", Op::Sub.inner_name(), operand.text), Binds::Chain)
            }
        }
    }

    fn binary(
        &mut self,
        kind: ast::BinOpKind,
        left: &ast::Expr<'s>,
        right: &ast::Expr<'s>,
        span: Range<usize>,
    ) -> Code {
        let (left, right) = (self.expr(left), self.expr(right));
        let range = around(&left.arg.range, &right.arg.range);
        let op = match kind {
            ast::BinOpKind::ScAnd => return both(left, right, Binds::And),
            ast::BinOpKind::ScOr => return both(left, right, Binds::Or),
            ast::BinOpKind::Eq => Op::Eq,
            ast::BinOpKind::Ne => Op::Ne,
            ast::BinOpKind::Lt => Op::Lt,
            ast::BinOpKind::Lte => Op::Le,
            ast::BinOpKind::Gt => Op::Gt,
            ast::BinOpKind::Gte => Op::Ge,
            ast::BinOpKind::In => Op::In,
            ast::BinOpKind::Add => Op::Add,
            ast::BinOpKind::Sub => Op::Sub,
            ast::BinOpKind::Mul => Op::Mul,
            ast::BinOpKind::FloorDiv => Op::FloorDiv,
            ast::BinOpKind::Rem => Op::Rem,
            ast::BinOpKind::Concat => Op::Concat,
            ast::BinOpKind::Div => {
                return self.refuse(
                    "`/` would make a binary float",
                    around(&range, &range),
                    "divide integers with `//`; multiply amounts with `| times(x)` and round with `| round(2)`",
                );
            }
            ast::BinOpKind::Pow => {
                return self.refuse("`**` is not part of the language", around(&range, &span), "multiply");
            }
        };
        self.operator(op, left, right, range)
    }

    fn operator(&mut self, op: Op, left: Code, right: Code, range: Range<usize>) -> Code {
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

    /// `a < b < c` is `a < b and b < c`.
    fn compare(&mut self, node: &ast::Compare<'s>) -> Code {
        let mut all: Option<Code> = None;
        let mut left = &node.expr;
        for part in &node.ops {
            let kind = match part.op {
                ast::CompareOpKind::Eq => Op::Eq,
                ast::CompareOpKind::Ne => Op::Ne,
                ast::CompareOpKind::Lt => Op::Lt,
                ast::CompareOpKind::Lte => Op::Le,
                ast::CompareOpKind::Gt => Op::Gt,
                ast::CompareOpKind::Gte => Op::Ge,
                ast::CompareOpKind::In | ast::CompareOpKind::NotIn => Op::In,
            };
            let (one, other) = (self.expr(left), self.expr(&part.expr));
            let range = around(&one.arg.range, &other.arg.range);
            let mut code = self.operator(kind, one, other, range);
            if matches!(part.op, ast::CompareOpKind::NotIn) {
                let arg = code.arg.clone();
                code = Code::new(arg, format!("(not {})", code.chain()), Binds::Atom);
            }
            all = Some(match all {
                Some(before) => both(before, code, Binds::And),
                None => code,
            });
            left = &part.expr;
        }
        all.unwrap_or_else(|| Code::bad(0..0))
    }

    fn choose(&mut self, node: &ast::IfExpr<'s>) -> Code {
        let test = self.expr(&node.test_expr);
        let yes = self.expr(&node.true_expr);
        let no = node.false_expr.as_ref().map(|expr| self.expr(expr));
        let null = Arg { constant: Some(Value::Null), range: yes.arg.range.clone(), ..Arg::default() };
        let mut arg = common(&yes.arg, no.as_ref().map_or(&null, |no| &no.arg));
        arg.range = around(&arg.range, &test.arg.range);
        let no = no.map_or_else(|| "nil".to_owned(), Code::chain);
        Code::new(arg, format!("({} if {} else {no})", yes.chain(), test.chain()), Binds::Atom)
    }

    fn function(&mut self, node: &ast::Call<'s>, range: Range<usize>) -> Code {
        match &node.expr {
            ast::Expr::Var(var) => {
                let entry = match catalogue::find(Group::Function, var.id, bytes(var.span())) {
                    Ok(entry) => entry,
                    Err(problem) => {
                        let filter = catalogue::find(Group::Filter, var.id, 0..0).is_ok();
                        let help = if filter {
                            Some(format!("it is a filter: `… | {}`", var.id))
                        } else {
                            problem.help
                        };
                        self.problems.push(ExprProblem { help, ..problem });
                        return Code::bad(range);
                    }
                };
                if !node.args.is_empty() {
                    self.problem(format!("`{}` takes nothing", entry.name), range.clone(), None);
                    return Code::bad(range);
                }
                let ty = (entry.gives)(&[]).unwrap_or_default();
                let root = entry.name.to_owned();
                let text = self.slot(Slot { root, rest: Path::root(), ty: ty.clone(), clock: true });
                Code::new(Arg { range: around(&bytes(var.span()), &range), ..Arg::of(ty) }, text, Binds::Atom)
            }
            ast::Expr::GetAttr(method) => {
                let known = catalogue::find(Group::Filter, method.name, 0..0).is_ok();
                let help = if known {
                    format!("write `… | {}`", method.name)
                } else {
                    "use a filter: `… | name`".into()
                };
                self.refuse(&format!("values have no method `{}`", method.name), range, &help)
            }
            _ => self.refuse("only a function can be called", range, "the functions are today() and now()"),
        }
    }

    fn call(
        &mut self,
        group: Group,
        name: &str,
        input: Option<&ast::Expr<'s>>,
        args: &[ast::CallArg<'s>],
        span: Range<usize>,
    ) -> Code {
        let input = input.map_or_else(|| Code::bad(0..0), |input| self.expr(input));
        let range = around(&input.arg.range, &span);
        let place = span.start..(span.start + name.len()).min(self.source.len());
        let entry = match catalogue::find(group, name, place.clone()) {
            Ok(entry) => entry,
            Err(problem) => {
                self.problems.push(problem);
                for arg in args {
                    if let ast::CallArg::Pos(expr) | ast::CallArg::Kwarg(_, expr) = arg {
                        self.expr(expr);
                    }
                }
                return Code::bad(range);
            }
        };
        let before = self.problems.len();
        let given = self.arguments(entry, args, &place);
        if self.problems.len() > before {
            return Code::bad(range);
        }
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
                    Some(pattern) => self.constant(Inner::from_object(pattern)),
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

    /// The arguments in the order of the parameters; a parameter left out before a given one is `none`.
    fn arguments(&mut self, entry: &Entry, args: &[ast::CallArg<'s>], place: &Range<usize>) -> Vec<Code> {
        let name = entry.name;
        let mut given: IndexMap<usize, Code> = IndexMap::new();
        for (position, arg) in args.iter().enumerate() {
            let (at, expr) = match arg {
                ast::CallArg::Pos(expr) => (Some(position), expr),
                ast::CallArg::Kwarg(key, expr) => {
                    let at = entry.params.iter().position(|param| param.name == *key);
                    if at.is_none() {
                        let help = did_you_mean(key, entry.params.iter().map(|param| param.name));
                        self.problem(format!("`{name}` has no parameter `{key}`"), place.clone(), help);
                        self.expr(expr);
                        continue;
                    }
                    (at, expr)
                }
                ast::CallArg::PosSplat(_) | ast::CallArg::KwargSplat(_) => {
                    self.problem("`*` and `**` are not part of calls", place.clone(), None);
                    continue;
                }
            };
            let code = self.expr(expr);
            match at.filter(|at| *at < entry.params.len()) {
                None => {
                    let message = match entry.params.len() {
                        0 => format!("`{name}` takes no arguments"),
                        1 => format!("`{name}` takes one argument"),
                        n => format!("`{name}` takes {n} arguments"),
                    };
                    self.problem(
                        message,
                        code.arg.range.clone(),
                        Some(format!("it is `{}`", entry.signature())),
                    );
                }
                Some(at) => {
                    let range = code.arg.range.clone();
                    if given.insert(at, code).is_some() {
                        let message = format!("`{}` is given twice", entry.params[at].name);
                        self.problem(message, range, None);
                    }
                }
            }
        }
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

    fn body(&mut self, body: &[ast::Stmt<'s>]) -> String {
        body.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&mut self, stmt: &ast::Stmt<'s>) -> String {
        match stmt {
            ast::Stmt::EmitRaw(node) => {
                let name = self.constant(Inner::from(node.raw));
                format!("{{{{{name}}}}}")
            }
            ast::Stmt::EmitExpr(node) => self.emit(&node.expr),
            ast::Stmt::IfCond(node) => {
                let test = self.expr(&node.expr).text;
                let (yes, no) = (self.body(&node.true_body), self.body(&node.false_body));
                format!("{{% if {test} %}}{yes}{{% else %}}{no}{{% endif %}}")
            }
            ast::Stmt::ForLoop(node) => self.for_loop(node),
            other => {
                let (name, span) = match other {
                    ast::Stmt::Set(node) => ("set", node.span()),
                    ast::Stmt::SetBlock(node) => ("set", node.span()),
                    ast::Stmt::WithBlock(node) => ("with", node.span()),
                    ast::Stmt::AutoEscape(node) => ("autoescape", node.span()),
                    ast::Stmt::FilterBlock(node) => ("filter", node.span()),
                    ast::Stmt::Do(node) => ("do", node.span()),
                    ast::Stmt::Template(node) => ("template", node.span()),
                    _ => ("this", Span::default()),
                };
                let help = "a template has `{{ … }}`, `{% if %}` and `{% for %}`".to_owned();
                self.problem(format!("`{name}` is not part of templates"), bytes(span), Some(help));
                String::new()
            }
        }
    }

    fn emit(&mut self, expr: &ast::Expr<'s>) -> String {
        let code = self.expr(expr);
        let help = match &code.arg.ty {
            Type::List(_) => "write `… | join(', ')`",
            Type::Object(_) | Type::Table(_) | Type::File => "name one of its members",
            _ => return format!("{{{{ {} }}}}", code.text),
        };
        let shown = self.text_of(&code.arg.range);
        let message = format!("`{shown}` is of type {} and cannot be printed", code.arg.ty);
        self.problem(message, code.arg.range, Some(help.to_owned()));
        String::new()
    }

    fn for_loop(&mut self, node: &ast::ForLoop<'s>) -> String {
        let before = self.problems.len();
        let list = self.expr(&node.iter);
        let range = list.arg.range.clone();
        let item = match &list.arg.ty {
            Type::List(item) => (**item).clone(),
            _ if self.problems.len() > before => Type::Any,
            other => {
                let message =
                    format!("`for` goes over a list, but `{}` is of type {other}", self.text_of(&range));
                self.problem(message, range.clone(), None);
                Type::Any
            }
        };
        if node.recursive {
            self.problem("`recursive` is not part of templates", range.clone(), None);
        }
        let ast::Expr::Var(target) = &node.target else {
            let help = Some("write `for row in …` and name its members: `row.name`".to_owned());
            self.problem("`for` takes one name", bytes(node.target.span()), help);
            return String::new();
        };
        let whole = Type::Integer;
        let place = Type::object([
            ("index", whole.clone()),
            ("index0", whole.clone()),
            ("length", whole),
            ("first", Type::Bool),
            ("last", Type::Bool),
        ]);
        let depth = self.locals.len();
        self.locals.push((target.id, item));
        let filter = node.filter_expr.as_ref().map(|filter| format!(" if {}", self.expr(filter).chain()));
        self.locals.push(("loop", place));
        let body = self.body(&node.body);
        self.locals.truncate(depth);
        let none = self.body(&node.else_body);
        format!(
            "{{% for l_{} in {}{} %}}{body}{{% else %}}{none}{{% endfor %}}",
            target.id,
            list.chain(),
            filter.unwrap_or_default()
        )
    }
}

/// `and` or `or`; a chain of the same needs no parentheses.
fn both(left: Code, right: Code, binds: Binds) -> Code {
    let arg = common(&left.arg, &right.arg);
    let word = if binds == Binds::And { "and" } else { "or" };
    let left = if left.binds == binds { left.text } else { left.chain() };
    Code::new(arg, format!("{left} {word} {}", right.chain()), binds)
}
