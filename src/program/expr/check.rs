//! The type check: reads MiniJinja's syntax tree and writes the checked form that is evaluated.
//!
//! This is the only file that knows the tree. Source text is never evaluated; what is evaluated is written
//! here, node by node, while the node is checked: a name becomes a slot (`v0`) with its path and type, a
//! text constant a slot (`k0`), an operator a filter of ours that fails loudly (`v0|op_eq(k0)`).

use std::ops::Range;

use indexmap::IndexMap;
use minijinja::machinery::{Span, Token, ast, parse, parse_expr, tokenize};
use minijinja::{Error, Value as Inner};

use super::catalogue::{self, Arg, Entry, Group};
use super::operators::Op;
use super::problem::{ExprProblem, did_you_mean};
use super::scope::Scope;
use super::written::{Binds, Checked, Checker, Code, Slot, around, both, common};
use crate::program::types::Type;
use crate::value::{Path, Value};

/// How deep an expression may be nested.
const MAX_DEPTH: usize = 60;

/// The longest source text; together with the depth it bounds the work and the stack of a check.
const MAX_SOURCE: usize = 4096;

/// How many `-` or `not`, and how many comparisons (`a < b < c`), may follow each other.
const MAX_SIGNS: usize = 4;

/// How many brackets and blocks may be open at once.
const MAX_OPEN: usize = 24;

/// Checks an expression.
pub(super) fn expression(source: &str, scope: &Scope) -> Result<Checked, Vec<ExprProblem>> {
    refuse_large(source, true)?;
    if source.trim().is_empty() {
        let empty = ExprProblem::new("an expression is empty", 0..source.len());
        return Err(vec![empty.help("write one, or leave its key out")]);
    }
    let tree = parse_expr(source).map_err(|error| vec![syntax(source, &error)])?;
    let mut checker = Checker::new(source, scope);
    let code = checker.expr(&tree);
    checker.finish(code.text, code.arg.ty)
}

/// Checks a template.
pub(super) fn template(source: &str, scope: &Scope) -> Result<Checked, Vec<ExprProblem>> {
    refuse_large(source, false)?;
    let tree =
        parse(source, "<template>", Default::default()).map_err(|error| vec![syntax(source, &error)])?;
    let mut checker = Checker::new(source, scope);
    let code = match &tree {
        ast::Stmt::Template(template) => checker.body(&template.children),
        other => checker.stmt(other),
    };
    checker.finish(code, Type::Text)
}

/// Refuses what would use up the stack of MiniJinja's parser: its own guard knows nothing of signs, and
/// allows more brackets and blocks than a small stack holds.
fn refuse_large(source: &str, is_expression: bool) -> Result<(), Vec<ExprProblem>> {
    if source.len() > MAX_SOURCE {
        let message = format!("this is {} bytes long; at most {MAX_SOURCE} are allowed", source.len());
        return Err(vec![ExprProblem::new(message, 0..source.len())]);
    }
    let (mut in_a_row, mut open, mut begins) = (0, 0_usize, false);
    // how many levels each open block adds: an `elif` stands inside the block before it
    let mut blocks: Vec<usize> = Vec::new();
    for (token, span) in tokenize(source, is_expression, Default::default()).map_while(Result::ok) {
        in_a_row = if matches!(token, Token::Minus | Token::Ident("not")) { in_a_row + 1 } else { 0 };
        if in_a_row > MAX_SIGNS {
            return Err(vec![ExprProblem::new("too many signs in a row", bytes(span))]);
        }
        match token {
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => open += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => open = open.saturating_sub(1),
            Token::Ident("elif") if begins => {
                if let Some(levels) = blocks.last_mut() {
                    *levels += 1;
                }
            }
            Token::Ident(name) if begins && name.starts_with("end") => {
                blocks.pop();
            }
            Token::Ident(name) if begins && name != "else" => blocks.push(1),
            _ => {}
        }
        begins = matches!(token, Token::BlockStart);
        if open + blocks.iter().sum::<usize>() > MAX_OPEN {
            return Err(vec![too_deep(bytes(span))]);
        }
    }
    Ok(())
}

/// The problem of too much nesting.
pub(super) fn too_deep(range: Range<usize>) -> ExprProblem {
    ExprProblem::new("this is nested too deeply", range).help("split it, or use fewer parts")
}

/// A syntax error in our words.
fn syntax(source: &str, error: &Error) -> ExprProblem {
    let detail = error.detail().unwrap_or("this is not an expression");
    let range = error.range().unwrap_or(0..source.len());
    // MiniJinja's range of a character it does not know is one byte long
    let range = match source.floor_char_boundary(range.start)..source.ceil_char_boundary(range.end) {
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
        _ if detail.starts_with("unexpected end") => {
            problem.help("something is missing at the end: a value, or what closes a bracket or a text")
        }
        _ => problem.help("`mapengine reference` lists what an expression may hold"),
    }
}

/// One step of a chain of names.
enum Step<'a, 's> {
    Name(&'s str),
    Item(&'a ast::Expr<'s>),
}

/// The syntax tree gives what is not there (`for in x`) an end before its beginning.
fn bytes(span: Span) -> Range<usize> {
    let (start, end) = (span.start_offset as usize, span.end_offset as usize);
    start.min(end)..end.max(start)
}

impl<'s> Checker<'s> {
    fn expr(&mut self, expr: &ast::Expr<'s>) -> Code {
        if self.depth >= MAX_DEPTH {
            let range = bytes(expr.span());
            self.problems.push(too_deep(range.clone()));
            return Code::bad(range);
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
        if let Some(index) = constant.filter(|value| value.is_integer()).and_then(Inner::as_usize) {
            return self.index(before, slot, index, range);
        }
        let key = self.expr(subscript);
        self.subscript(before, slot, key, range)
    }

    fn unary(&mut self, node: &ast::UnaryOp<'s>, span: Range<usize>) -> Code {
        let operand = self.expr(&node.expr);
        match node.op {
            ast::UnaryOpKind::Not => {
                let range = operand.arg.range.clone();
                let arg = Arg { range, ..Arg::of(Type::Bool) };
                Code::new(arg, format!("(not {})", operand.chain()), Binds::Atom)
            }
            ast::UnaryOpKind::Neg => {
                let range = operand.arg.range.start.min(span.start)..operand.arg.range.end;
                self.negate(operand, range)
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

    /// `a < b < c` is `a < b and b < c`.
    fn compare(&mut self, node: &ast::Compare<'s>) -> Code {
        // every comparison is a level of what is written
        if node.ops.len() > MAX_SIGNS {
            let range = bytes(node.expr.span());
            self.problems.push(too_deep(range.clone()));
            return Code::bad(range);
        }
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
                    let help = format!("write `{}()`", entry.name);
                    self.problem(format!("`{}` takes nothing", entry.name), range.clone(), Some(help));
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
        self.called(entry, input, given, place, range)
    }

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
                    let help = Some("write each argument out".to_owned());
                    self.problem("`*` and `**` are not part of calls", place.clone(), help);
                    continue;
                }
            };
            let code = self.expr(expr);
            self.give(entry, &mut given, at, code);
        }
        self.complete(entry, given, place)
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
                self.problem(message, range.clone(), Some("name a list here".to_owned()));
                Type::Any
            }
        };
        if node.recursive {
            let help = Some("leave `recursive` out".to_owned());
            self.problem("`recursive` is not part of templates", range.clone(), help);
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
