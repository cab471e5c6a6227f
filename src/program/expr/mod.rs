//! Expressions and templates: MiniJinja's syntax, checked against declared types and run under limits.
//!
//! An expression is compiled once against a [`Scope`]. An undeclared name, a type that does not fit and a
//! filter that is not in the [`catalogue`] are found then, each with its place. Exact decimals are opaque:
//! no operator takes one, there are tests and filters for amounts (`balance is zero`, `price | times('1.5')
//! | round(2)`). At run time only the values an expression [uses](Expr::uses) are looked at.
//!
//! Missing, null and empty: a declared value that is missing reads as null, and so does everything below
//! it. Null equals only null, fulfils no order, and makes a calculation null. In a condition null, zero and
//! everything empty are false.

mod amounts;
mod catalogue;
mod check;
mod choices;
mod clock;
mod conversions;
mod convert;
mod engine;
mod lists;
mod operators;
mod problem;
mod scope;
mod texts;
mod written;

#[cfg(test)]
mod bombs;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use amounts::plus;
pub use catalogue::{Entry, Example, Group, catalogue};
pub use problem::{EvalError, ExprProblem};
pub use scope::{Context, Names, Scope};
pub use texts::pattern;

use convert::Refused;
use written::{Checked, Slot};

use super::types::Type;
use crate::value::{Decimal, Path, Value, parse_decimal};

/// How many steps one evaluation may take.
const FUEL: u64 = 50_000;

/// How many bytes of text one evaluation may make.
const MAX_OUTPUT: usize = 64 * 1024;

/// A compiled expression. Cheap to clone, and may be used from many threads.
#[derive(Clone)]
pub struct Expr {
    inner: Arc<Inside>,
}

struct Inside {
    source: String,
    ty: Type,
    slots: Vec<Slot>,
    plan: Plan,
}

enum Plan {
    /// Nothing but a path: the value is taken as it is, without the engine.
    Read,
    Run(engine::Compiled),
}

impl Expr {
    /// Compiles an expression.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the source.
    pub fn compile(source: &str, scope: &Scope) -> Result<Expr, Vec<ExprProblem>> {
        let checked = check::expression(source, scope)?;
        let plan = if checked.code == "v0" {
            Plan::Read
        } else {
            Plan::Run(engine::Compiled::new(&checked).map_err(|_| vec![check::too_deep(0..source.len())])?)
        };
        let Checked { ty, slots, .. } = checked;
        Ok(Expr { inner: Arc::new(Inside { source: source.to_owned(), ty, slots, plan }) })
    }

    /// The type of its value.
    pub fn ty(&self) -> &Type {
        &self.inner.ty
    }

    /// Its source text.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// Every path it reads, each once, without those of the clock. A path to a list or an object stands for
    /// all that is below it.
    pub fn uses(&self) -> Vec<Path> {
        uses(&self.inner.slots)
    }

    /// Whether it asks for the time of the run, to be given as `today` (a date) and `now` (a time).
    pub fn uses_clock(&self) -> bool {
        self.inner.slots.iter().any(|slot| slot.clock)
    }

    /// The path it reads, where it is nothing else.
    pub fn as_path(&self) -> Option<Path> {
        match (&self.inner.plan, &self.inner.slots[..]) {
            (Plan::Read, [slot]) if !slot.clock => Some(slot.path()),
            _ => None,
        }
    }

    /// Its value. `names` is a map with the roots and bare members, or a [`Context`] of borrowed records.
    ///
    /// # Errors
    /// An [`EvalError`] where a value does not fit its declared type or what is done with it, or a limit is
    /// reached.
    pub fn eval(&self, names: &dyn Names) -> Result<Value, EvalError> {
        match (&self.inner.plan, &self.inner.slots[..]) {
            (Plan::Read, [slot]) => read(slot, names),
            (Plan::Read, _) => Ok(Value::Null),
            (Plan::Run(compiled), slots) => {
                let value =
                    convert::outward(&compiled.run(slots, names)?).map_err(|refused| match refused {
                        Refused::TooLarge => EvalError::TooLarge,
                        Refused::Kind(kind) => EvalError::Failed(format!("the result is {kind}")),
                    })?;
                Ok(match (&self.inner.ty, value.as_text().and_then(parse_decimal)) {
                    (Type::Decimal, Some(number)) => Value::Number(number),
                    _ => value,
                })
            }
        }
    }

    /// Whether it holds: null, `false`, zero and everything empty do not.
    ///
    /// # Errors
    /// As [`eval`](Expr::eval).
    pub fn holds(&self, names: &dyn Names) -> Result<bool, EvalError> {
        match (&self.inner.plan, &self.inner.slots[..]) {
            (Plan::Run(compiled), slots) => Ok(compiled.run(slots, names)?.is_true()),
            (Plan::Read, _) => Ok(self.eval(names)?.is_true()),
        }
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expr").field("source", &self.inner.source).field("ty", &self.inner.ty).finish()
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.source)
    }
}

/// A compiled template: text with `{{ expressions }}`, `{% if %}` and `{% for %}`. Numbers are printed as
/// their digits, what is missing as nothing.
#[derive(Clone)]
pub struct Template {
    inner: Arc<TemplateInside>,
}

struct TemplateInside {
    source: String,
    slots: Vec<Slot>,
    compiled: engine::CompiledTemplate,
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the source.
    pub fn compile(source: &str, scope: &Scope) -> Result<Template, Vec<ExprProblem>> {
        let checked = check::template(source, scope)?;
        let compiled =
            engine::CompiledTemplate::new(&checked).map_err(|_| vec![check::too_deep(0..source.len())])?;
        let slots = checked.slots;
        Ok(Template { inner: Arc::new(TemplateInside { source: source.to_owned(), slots, compiled }) })
    }

    /// Its source text.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// Every path it reads; see [`Expr::uses`].
    pub fn uses(&self) -> Vec<Path> {
        uses(&self.inner.slots)
    }

    /// Whether it asks for the time of the run; see [`Expr::uses_clock`].
    pub fn uses_clock(&self) -> bool {
        self.inner.slots.iter().any(|slot| slot.clock)
    }

    /// Its text.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub fn render(&self, names: &dyn Names) -> Result<String, EvalError> {
        self.inner.compiled.run(&self.inner.slots, names)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("source", &self.inner.source).finish()
    }
}

fn uses(slots: &[Slot]) -> Vec<Path> {
    slots.iter().filter(|slot| !slot.clock).map(Slot::path).collect()
}

/// The value of a slot as it stands in the record; what the engine would refuse is refused here, too.
fn read(slot: &Slot, names: &dyn Names) -> Result<Value, EvalError> {
    let value = match names.name(&slot.root).and_then(|root| slot.rest.get(root)) {
        Some(value) => value,
        None if slot.clock => return Err(engine::no_clock(slot)),
        None => return Ok(Value::Null),
    };
    let number: Option<Decimal> = match (value, &slot.ty) {
        (Value::Text(text), Type::Decimal) => parse_decimal(text),
        _ => None,
    };
    if let Some(number) = number {
        return Ok(Value::Number(number));
    }
    match (value, &slot.ty) {
        (Value::List(_), Type::List(_) | Type::Any) => {}
        (Value::Map(_), Type::Object(_) | Type::Table(_) | Type::File | Type::Any) => {}
        (Value::Wide(_), Type::Any | Type::Id) => {}
        _ => {
            convert::inward(value, &slot.ty)
                .map_err(|message| EvalError::Failed(format!("`{}` {message}", slot.path())))?;
        }
    }
    Ok(value.clone())
}
