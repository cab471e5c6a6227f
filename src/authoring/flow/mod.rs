//! The status flow of a document, to be drawn: its roles, the legal moves, whose they are, and what makes them.

mod draw;

pub use draw::{dot, mermaid, said, svg, svg_in_page, text};

use crate::program::document::{Document, Flow, Step, Take, Verify};
use crate::program::expr::Expr;
use crate::value::Side;

/// What is drawn: one document.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// The document's name.
    pub name: String,
    /// The roles in the order of the file.
    pub roles: Vec<Role>,
    /// The legal moves.
    pub moves: Vec<Drawn>,
}

/// A role, with what is worth saying of it.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What is said of it.
    pub notes: Vec<String>,
    /// A record with it needs a person.
    pub failing: bool,
}

/// One legal move: numbers of roles, whose it is, and what makes it.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// From this role.
    pub from: usize,
    /// To this one.
    pub to: usize,
    /// It is the mapping's own.
    pub own: bool,
    /// Whose it is, or what makes it.
    pub text: String,
}

/// Something in the mapping that gives a source record a role.
pub enum Cause<'p> {
    /// It was refused.
    Refused,
    /// It did not stand its check.
    Verify(&'p Verify),
    /// A step that gives it the role.
    Step(&'p Step),
    /// What is looked at afterwards.
    Follow(&'p Expr),
    /// The other side refused it afterwards.
    RefusedLater(&'p Expr),
}

/// How a drawing says things.
pub trait Words {
    /// A name or a text as it is shown.
    fn name(&self, name: &str) -> String;
    /// Records with this role travel.
    fn taken(&self) -> String;
    /// Records with this role need a person.
    fn needs_person(&self) -> String;
    /// A move of this side's users.
    fn side(&self, side: Side) -> String;
    /// A move of the mapping, made by these; by none where no step makes it.
    fn own(&self, causes: &[&Cause]) -> String;
}

/// What is to be drawn of a document.
pub fn drawing(document: &Document, flow: &Flow, words: &dyn Words) -> Drawing {
    let makers = makers(document, flow);
    let place = |role: &str| flow.roles.iter().position(|name| name == role);
    let moves = flow
        .moves
        .iter()
        .filter_map(|one| {
            let text = match one.by {
                Some(side) => words.side(side),
                None => {
                    let fits = |made: &&Maker| made.from.contains(&one.from) && made.to == one.to;
                    let causes: Vec<&Cause> = makers.iter().filter(fits).map(|made| &made.cause).collect();
                    words.own(&causes)
                }
            };
            Some(Drawn { from: place(&one.from)?, to: place(&one.to)?, own: one.by.is_none(), text })
        })
        .collect();
    let failing = document.refused.iter().chain(document.steps.iter().filter_map(|step| match step {
        Step::Verify(verify) => verify.set_status.as_ref(),
        _ => None,
    }));
    let failing: Vec<&String> = failing.collect();
    let roles = flow
        .roles
        .iter()
        .map(|role| {
            let mut notes = Vec::new();
            let failing = failing.contains(&role);
            if matches!(&document.take, Take::Role(taken) if taken == role) {
                notes.push(words.taken());
            }
            if failing {
                notes.push(words.needs_person());
            }
            Role { name: words.name(role), notes, failing }
        })
        .collect();
    Drawing { name: words.name(&document.register.name), roles, moves }
}

/// What gives a source record a role.
struct Maker<'p> {
    /// The roles it can have at that time.
    from: Vec<String>,
    to: String,
    cause: Cause<'p>,
}

/// Everything that moves a record of this document, in the order of the file: each step starts where the one before it left
/// the record.
fn makers<'p>(document: &'p Document, flow: &Flow) -> Vec<Maker<'p>> {
    let mut all = Vec::new();
    let mut at = match &document.take {
        Take::Role(role) => vec![role.clone()],
        Take::All | Take::When(_) => flow.roles.clone(),
    };
    let mut make = |from: &[String], to: &str, cause: Cause<'p>| {
        all.push(Maker { from: from.to_vec(), to: to.to_owned(), cause });
    };
    if let Some(role) = &document.refused {
        make(&at, role, Cause::Refused);
    }
    for step in &document.steps {
        match step {
            Step::Verify(verify) => {
                if let Some(role) = &verify.set_status {
                    make(&at, role, Cause::Verify(verify));
                }
            }
            Step::WriteBack { set_status: Some(role), .. } | Step::SetStatus(role) => {
                make(&at, role, Cause::Step(step));
                at = vec![role.clone()];
            }
            Step::WriteBack { set_status: None, .. } | Step::Action(_) | Step::Attach(_) => {}
        }
    }
    if let Some(follow) = &document.follow {
        for one in &follow.moves {
            make(&follow.during, &one.to, Cause::Follow(&one.when));
        }
        if let (Some((when, _)), Some(refused)) = (&follow.refused, &document.refused) {
            make(&follow.during, refused, Cause::RefusedLater(when));
        }
    }
    all
}
