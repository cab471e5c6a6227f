//! Evaluation of checked code under limits.

use std::io;
use std::sync::{Arc, LazyLock};

use minijinja::value::{Enumerator, Object};
use minijinja::{Environment, Error, ErrorKind, Expression, UndefinedBehavior, Value as Inner};

use super::catalogue::catalogue;
use super::conversions::plain;
use super::convert::inward;
use super::operators::{self, Op, failed};
use super::problem::EvalError;
use super::scope::Names;
use super::written::{Checked, Slot};
use super::{FUEL, MAX_OUTPUT};

/// What checked code may call, and nothing else: no built-in filter, test or function of MiniJinja.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    environment.set_debug(false);
    // a declared value that is missing reads as null, and so does what is below it
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_formatter(|out, _, value| {
        out.write_str(&plain("{{ … }}", value)?)?;
        Ok(())
    });
    for entry in catalogue() {
        let run = entry.run;
        environment.add_filter(entry.inner_name(), move |values: &[Inner]| run(values));
    }
    for op in Op::ALL {
        environment.add_filter(op.inner_name(), move |values: &[Inner]| operators::run(op, values));
        let name = format!("{}_time", op.inner_name());
        environment.add_filter(name, move |values: &[Inner]| operators::run_by_time(op, values));
    }
    environment
});

/// The values of the slots and constants of one evaluation.
#[derive(Debug)]
struct Slots {
    values: Vec<Inner>,
    constants: Arc<[Inner]>,
}

impl Object for Slots {
    fn get_value(self: &Arc<Self>, key: &Inner) -> Option<Inner> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Inner> {
        let (kind, number) = (key.as_bytes().first()?, key.get(1..)?);
        let from: &[Inner] = match kind {
            b'v' => &self.values,
            b'k' => &self.constants,
            _ => return None,
        };
        from.get(number.parse::<usize>().ok()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// The slots filled from the caller's names. Only what the code reads is converted.
fn fill(slots: &[Slot], constants: &Arc<[Inner]>, names: &dyn Names) -> Result<Inner, EvalError> {
    let mut values = Vec::with_capacity(slots.len());
    for slot in slots {
        values.push(match names.name(&slot.root).and_then(|root| slot.rest.get(root)) {
            Some(value) => inward(value, &slot.ty)
                .map_err(|message| EvalError::Failed(format!("`{}` {message}", slot.path())))?,
            None if slot.clock => return Err(no_clock(slot)),
            None => Inner::UNDEFINED,
        });
    }
    Ok(Inner::from_object(Slots { values, constants: Arc::clone(constants) }))
}

/// The caller did not give the time of the run.
pub(super) fn no_clock(slot: &Slot) -> EvalError {
    EvalError::Failed(format!("{}() has no value here: the time of the run is not known", slot.root))
}

/// What the engine's error means to the reader.
fn reason(error: &Error) -> EvalError {
    match error.kind() {
        ErrorKind::OutOfFuel => EvalError::OutOfFuel,
        ErrorKind::WriteFailure => EvalError::TooLarge,
        _ => EvalError::Failed(error.detail().map_or_else(|| error.to_string(), str::to_owned)),
    }
}

/// An expression ready to run.
pub(super) struct Compiled {
    expression: Expression<'static, 'static>,
    constants: Arc<[Inner]>,
}

impl Compiled {
    /// Makes checked code ready; fails only where it is nested beyond the engine's limits.
    pub fn new(checked: &Checked) -> Result<Compiled, Error> {
        let expression = ENVIRONMENT.compile_expression_owned(checked.code.clone())?;
        Ok(Compiled { expression, constants: checked.constants.clone().into() })
    }

    /// Runs it.
    pub fn run(&self, slots: &[Slot], names: &dyn Names) -> Result<Inner, EvalError> {
        let slots = fill(slots, &self.constants, names)?;
        self.expression.eval(slots).map_err(|error| reason(&error))
    }
}

/// A template ready to run.
pub(super) struct CompiledTemplate {
    environment: Environment<'static>,
    constants: Arc<[Inner]>,
}

/// The one template of an environment.
const NAME: &str = "template";

impl CompiledTemplate {
    /// Makes checked code ready; fails only where it is nested beyond the engine's limits.
    pub fn new(checked: &Checked) -> Result<CompiledTemplate, Error> {
        let mut environment = ENVIRONMENT.clone();
        environment.add_template_owned(NAME, checked.code.clone())?;
        Ok(CompiledTemplate { environment, constants: checked.constants.clone().into() })
    }

    /// Runs it.
    pub fn run(&self, slots: &[Slot], names: &dyn Names) -> Result<String, EvalError> {
        let slots = fill(slots, &self.constants, names)?;
        let mut out = Limited(Vec::new());
        let template = self.environment.get_template(NAME).map_err(|error| reason(&error))?;
        template.render_captured_to(slots, &mut out).map_err(|error| reason(&error))?;
        String::from_utf8(out.0).map_err(|_| reason(&failed("the template did not make text")))
    }
}

/// A writer that fails where too much is written.
struct Limited(Vec<u8>);

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other("too large"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
