//! `flow`: the status flow of each document, drawn.

use super::args::{FlowArgs, FlowFormat};
use super::show::clean;
use super::{Exit, Terminal, place};
use crate::authoring::flow::{Cause, Drawing, Words, dot, drawing, mermaid, svg, text};
use crate::program::mapping::Program;
use crate::value::Side;

/// `flow`.
pub(super) fn flow(terminal: &Terminal, args: &FlowArgs) -> Exit {
    let opening = match place::open(terminal, &args.target) {
        Ok(opening) => opening,
        Err(exit) => return exit,
    };
    let program = &opening.program;
    if let Some(name) = &args.document
        && program.document(name).is_none()
    {
        let names: Vec<&str> = program.documents.iter().map(|one| one.register.name.as_str()).collect();
        terminal.say(format_args!("error: there is no document `{name}`; there are: {}", names.join(", ")));
        return Exit::BadInput;
    }
    let drawings: Vec<Drawing> = program
        .documents
        .iter()
        .filter(|one| args.document.as_ref().is_none_or(|name| *name == one.register.name))
        .filter_map(|one| Some(drawing(one, one.flow.as_ref()?, &AsWritten { program })))
        .collect();
    if drawings.is_empty() {
        terminal.say("error: no document here has a `status_flow`");
        return Exit::BadInput;
    }
    terminal.text(&match args.format {
        FlowFormat::Text => text(&drawings),
        FlowFormat::Dot => dot(&drawings),
        FlowFormat::Svg => svg(&drawings),
        FlowFormat::Mermaid => mermaid(&drawings),
    });
    Exit::Done
}

/// The words of the mapping file itself.
struct AsWritten<'p> {
    program: &'p Program,
}

impl Words for AsWritten<'_> {
    fn name(&self, name: &str) -> String {
        clean(name)
    }

    fn taken(&self) -> String {
        "is taken".to_owned()
    }

    fn needs_person(&self) -> String {
        "needs a person".to_owned()
    }

    fn side(&self, side: Side) -> String {
        clean(&self.program.sides[side].name)
    }

    fn own(&self, causes: &[&Cause]) -> String {
        if causes.is_empty() {
            return "mapping (no step makes it)".to_owned();
        }
        let causes = causes.iter().map(|cause| match cause {
            Cause::Refused => "refused".to_owned(),
            Cause::Verify(verify) => {
                let [left, right] = Side::BOTH
                    .map(|side| format!("{}.{}", self.program.sides[side].name, verify.equal[side]));
                format!("verify, when {left} and {right} differ")
            }
            Cause::Step(step) => step.word().to_owned(),
            Cause::Follow(when) => format!("follow, when {}", when.source()),
            Cause::RefusedLater(when) => format!("refused later, when {}", when.source()),
        });
        clean(&format!("mapping: {}", causes.collect::<Vec<_>>().join("; ")))
    }
}
