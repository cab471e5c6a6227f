//! A compiled document: what travels once and then has a life.

use std::sync::Arc;

use super::expr::{Expr, Template};
use super::mapping::{Origin, Register, Row};
use super::system::{Embeds, Resource};
use crate::value::{Both, Decimal, Path, Side, Value};

/// A document: made once on the other side, then followed.
#[derive(Debug)]
pub struct Document {
    /// Its sides, field table, reasons to refuse, and how a record is found again: a register that goes one way.
    pub register: Arc<Register>,
    /// The side it comes from.
    pub source: Side,
    /// What was made turns into a record of this resource.
    pub becomes: Option<Arc<Resource>>,
    /// New ones travel only in a run that names it.
    pub on_demand: bool,
    /// Which records travel.
    pub take: Take,
    /// Where that stands.
    pub take_at: Origin,
    /// So many new ones in one transfer.
    pub at_most: Option<u64>,
    /// Every item of this list is a document of its own.
    pub each: Vec<Each>,
    /// The source's file that the record is made of, by its name.
    pub file: Option<String>,
    /// The files of the source that go inside the message.
    pub embed: Option<Embed>,
    /// The rows below it, for each list of the other side that gets some.
    pub lines: Vec<Lines>,
    /// The life of the source record.
    pub flow: Option<Flow>,
    /// The role of a source record that is refused.
    pub refused: Option<String>,
    /// What happens after it was made, in order.
    pub steps: Vec<Step>,
    /// What is looked at after the last step.
    pub follow: Option<Follow>,
    /// Equal records that are not linked are as good as each other.
    pub twins: bool,
    /// What a record comes to on either side, for `report reconcile`.
    pub reconcile: Reconcile,
}

impl Document {
    /// The side that is written to.
    pub fn target(&self) -> Side {
        self.source.other()
    }

    /// Every row of it: its own, those of its rows, and those that go back.
    pub fn all_rows(&self) -> impl Iterator<Item = &Row> {
        let lines = self.lines.iter().flat_map(|lines| &lines.rows);
        let back = self.steps.iter().flat_map(|step| match step {
            Step::WriteBack { rows, .. } => &rows[..],
            _ => &[],
        });
        let followed = self.follow.iter().flat_map(|follow| &follow.write);
        self.register.rows.iter().chain(lines).chain(back).chain(followed)
    }

    /// The roles of source records that cannot go on: refused, or not standing their check.
    pub fn failure_roles(&self) -> Vec<&str> {
        let verified = self.steps.iter().filter_map(|step| match step {
            Step::Verify(verify) => verify.set_status.as_deref(),
            _ => None,
        });
        let mut roles: Vec<&str> = Vec::new();
        for role in self.refused.as_deref().into_iter().chain(verified) {
            let taken = matches!(&self.take, Take::Role(taken) if taken == role);
            if !taken && !roles.contains(&role) {
                roles.push(role);
            }
        }
        roles
    }

    /// The files that go inside its message.
    pub fn embeds(&self) -> impl Iterator<Item = &Embed> {
        self.embed.iter().chain(self.lines.iter().filter_map(|lines| lines.embed.as_ref()))
    }

    /// The resource that is read where items of its list are documents.
    pub fn read_from(&self, resource: &str) -> Option<&Each> {
        self.each.iter().find(|each| each.item.name == resource)
    }
}

/// Which source records travel.
#[derive(Clone, Debug)]
pub enum Take {
    /// All in scope.
    All,
    /// Those that have a role.
    Role(String),
    /// Those that satisfy a condition.
    When(Expr),
}

/// A list whose items are documents.
#[derive(Clone, Debug)]
pub struct Each {
    /// The resource whose records hold the list.
    pub of: Arc<Resource>,
    /// The list.
    pub list: Path,
    /// What an item is: a resource that is never called, with `header` for the record it stands in.
    pub item: Arc<Resource>,
}

/// The rows below a document.
#[derive(Debug)]
pub struct Lines {
    /// The source's list.
    pub from: Path,
    /// The list that is written.
    pub to: Path,
    /// The field of a source row that orders them.
    pub order: Option<Path>,
    /// Only rows that satisfy this travel.
    pub scope: Option<Expr>,
    /// The files of a row that go inside the message.
    pub embed: Option<Embed>,
    /// The field table of a row.
    pub rows: Vec<Row>,
}

/// Files that go inside the message.
#[derive(Clone, Debug)]
pub struct Embed {
    /// Whose files.
    pub of: Arc<Resource>,
    /// Their name.
    pub files: String,
    /// What is asked for with of the record that has them.
    pub needs: Vec<Path>,
    /// The list that holds them, in the record that is made or in one of its rows.
    pub to: Path,
    /// How a file stands in it, by the resource that is made.
    pub forms: Vec<(String, Embeds)>,
}

/// The life of a source record.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The field that holds the status.
    pub field: Path,
    /// The resource whose records are the statuses; none: the values themselves.
    pub of: Option<Arc<Resource>>,
    /// How roles are recognised.
    pub recognise: Recognise,
    /// The roles, in the order of the file.
    pub roles: Vec<String>,
    /// The legal moves: from, to, and whose (none: the mapping's own).
    pub moves: Vec<Move>,
    /// The roles whose status is made where it is missing, and its fields beside the name.
    pub make: Vec<(String, Vec<(Path, Value)>)>,
    /// Where it stands.
    pub origin: Origin,
}

impl Flow {
    /// The roles from which the mapping may move to a role.
    pub fn sources(&self, to: &str) -> Vec<&str> {
        self.moves
            .iter()
            .filter(|one| one.by.is_none() && one.to == to)
            .map(|one| one.from.as_str())
            .collect()
    }
}

/// One legal move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// From this role.
    pub from: String,
    /// To this one.
    pub to: String,
    /// Whose move it is; none: the mapping's.
    pub by: Option<Side>,
}

/// How the statuses of roles are recognised.
#[derive(Clone, Debug)]
pub enum Recognise {
    /// Role and status: a value, or a setting.
    Named {
        /// The field of a status record that the value is compared with; none: its key.
        by: Option<Path>,
        /// Only these count.
        only_where: Option<Expr>,
        /// In the order of the file.
        roles: Vec<(String, Named)>,
    },
    /// By order and flags.
    Sequence {
        /// What orders them.
        order: Path,
        /// Only these count.
        only_where: Option<Expr>,
        /// The flags that tell them apart.
        flags: Vec<Path>,
        /// The roles from first to last.
        roles: Vec<SequenceRole>,
    },
}

/// A status that was named.
#[derive(Clone, Debug)]
pub enum Named {
    /// This one.
    Status(Value),
    /// The company's answer.
    Setting(String),
    /// Every status that no other role names.
    Rest,
}

/// One role of a sequence.
#[derive(Clone, Debug)]
pub struct SequenceRole {
    /// Its name.
    pub role: String,
    /// The flags that are on.
    pub flags: Vec<Path>,
    /// One or more in a row.
    pub repeat: bool,
    /// What each must satisfy.
    pub must: Option<Expr>,
    /// What a person reads when it does not.
    pub otherwise: Option<Template>,
}

/// What happens to a document after it was made.
#[derive(Debug)]
pub enum Step {
    /// Amounts are compared.
    Verify(Verify),
    /// Values go back to the source, with a role.
    WriteBack {
        /// The field table, read from the other side.
        rows: Vec<Row>,
        /// The role, in the same request.
        set_status: Option<String>,
    },
    /// The source gets a role.
    SetStatus(String),
    /// Something is done to one of the records.
    Action(ActionStep),
    /// Files go along.
    Attach(AttachStep),
}

/// Files that go along.
#[derive(Clone, Debug)]
pub struct AttachStep {
    /// Whose files, and their names.
    pub files: Vec<(Side, String)>,
    /// Whose record they are attached to.
    pub to: Side,
    /// Not the record itself but one that it refers to.
    pub at: Option<Elsewhere>,
    /// What is said of each file, over both records.
    pub about: Option<Template>,
    /// Only when this holds, over both records.
    pub when: Option<Expr>,
}

/// A record that another one refers to.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    /// The field that refers to it.
    pub field: Path,
    /// Its resource.
    pub resource: Arc<Resource>,
    /// The field by which it is referred to: its key.
    pub key: Path,
}

/// Something that is done to one of the records.
#[derive(Clone, Debug)]
pub struct ActionStep {
    /// Whose record.
    pub side: Side,
    /// The action of its resource.
    pub action: String,
    /// Only when this holds, over both records.
    pub when: Option<Expr>,
}

impl Step {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Step::Verify(_) => "verify",
            Step::WriteBack { .. } => "write_back",
            Step::SetStatus(_) => "set_status",
            Step::Action(_) => "action",
            Step::Attach(_) => "attach",
        }
    }
}

/// What the other side made is compared with what it should be.
#[derive(Clone, Debug)]
pub struct Verify {
    /// The two amounts.
    pub equal: Both<Path>,
    /// How far they may be apart.
    pub tolerance: Decimal,
    /// A minus does not count.
    pub ignore_sign: bool,
    /// Two fields that must be the same.
    pub same: Option<Both<Path>>,
    /// The record on the other side is removed again where they are not.
    pub delete: bool,
    /// The role the source gets then.
    pub set_status: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// What is looked at after the last step.
#[derive(Debug)]
pub struct Follow {
    /// Only while the source has one of these roles.
    pub during: Vec<String>,
    /// Where it leads: the first that holds.
    pub moves: Vec<FollowMove>,
    /// When the other side refused it after all, and how the reason is told.
    pub refused: Option<(Expr, Template)>,
    /// Rows that are written back whenever they differ.
    pub write: Vec<Row>,
}

/// A move that something on the other side leads to.
#[derive(Clone, Debug)]
pub struct FollowMove {
    /// The role.
    pub to: String,
    /// When.
    pub when: Expr,
    /// What is said of it.
    pub say: Option<Template>,
}

/// What is put side by side of a document.
#[derive(Clone, Debug, Default)]
pub struct Reconcile {
    /// What a record of either side comes to.
    pub sides: Both<Reckoned>,
    /// How far two amounts may be apart.
    pub tolerance: Decimal,
    /// The amounts of a record whose total is negative count with the other sign.
    pub ignore_sign: bool,
}

/// What a record of one side comes to.
#[derive(Clone, Debug, Default)]
pub struct Reckoned {
    /// The total of its header, with VAT.
    pub total: Option<Told>,
    /// The total of its header without VAT.
    pub net: Option<Told>,
    /// The currency.
    pub currency: Option<Told>,
    /// The date by which it is of a period.
    pub date: Option<Told>,
    /// What its rows come to.
    pub rows: Option<Amounts>,
    /// The VAT by rate, as the system tells it.
    pub rates: Option<Amounts>,
}

/// Where a value of a record is from.
#[derive(Clone, Debug)]
pub enum Told {
    /// A field.
    Field(Path),
    /// It is worked out.
    Worked(Expr),
}

/// Amounts of the items of a list.
#[derive(Clone, Debug)]
pub struct Amounts {
    /// The list.
    pub of: Expr,
    /// Without VAT.
    pub net: Expr,
    /// The rate of the VAT, in percent.
    pub rate: Option<Expr>,
    /// The VAT.
    pub vat: Option<Expr>,
    /// What those of one rate come to is rounded to so many places.
    pub round: Option<u32>,
}
