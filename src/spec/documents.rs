//! What a mapping may say of documents: what travels once and then has a life.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::mapping::{Codes, Row, Valid, split, with_sides};
use super::reconcile::Reconcile;
use super::short::{Paths, ShortForm};
use super::system::Labels;
use super::yaml::{FromNode, Kind, List, Node, Table, from_node, via_node};
use crate::diagnostic::{At, Diagnostics};
use crate::value::Value;

/// A document: made once on the other side, then followed.
#[derive(Clone, Debug)]
pub struct Document {
    /// Everything but the two sides.
    pub words: DocumentWords,
    /// The sides, by the names of `systems:`.
    pub sides: Vec<(At<String>, DocumentSide)>,
}

/// The words of a document, beside its two sides.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DocumentWords {
    /// What it is called, for people: one text, or one for each language.
    pub title: Option<ShortForm<Labels>>,
    /// What people call one: a template over the source's fields: `"{{ customerName }}, {{ date }}"`.
    pub called: Option<At<String>>,
    /// The document is there only when this holds: an expression over `settings`.
    pub when: Option<At<String>>,
    /// The system turns what was made into another record: an order into an invoice. `follow` sees that one, as soon as it is there.
    pub becomes: Option<Becomes>,
    /// In which runs new ones travel. Default: in every run.
    pub run: Option<RunWhen>,
    /// One way: `shop -> erp`. Required.
    pub direction: Option<At<String>>,
    /// What a source record must satisfy, else it is refused with the reason.
    pub valid: List<Valid>,
    /// The fields of the other side that together tell whether a record is the one we made: after a write without an answer the
    /// engine looks for it by them. Those that the system can search by narrow the search, all are compared.
    pub find_again: Paths,
    /// Equal records on the other side are as good as each other: one that is not linked is taken. Without it, more than one is
    /// held for a person.
    pub twins: Option<Twins>,
    /// Where nothing tells a record again: an unknown outcome is held for a person.
    pub on_unknown: Option<OnUnknown>,
    /// The life of the source record: its statuses, and who moves it.
    pub status_flow: Option<StatusFlow>,
    /// The field table, from the source to the other side.
    pub fields: List<Row>,
    /// The file of the source that the record on the other side is made of: `shop.xml`, with a name of `files` in its system file.
    pub file: Option<At<String>>,
    /// The files of the source record that go inside the message: the name of its `files`, and the list of the other side that
    /// holds them (`embeds` in its system file): `{ shop: files, erp: attachments }`. None is left out: where one cannot be read,
    /// the document does not go.
    pub embed: Table<At<String>>,
    /// The rows below the document: one table, or a list of tables where rows go to more than one list of the other side, each
    /// by its `scope`.
    pub rows: RowTables,
    /// What happens to a document that `valid`, a code table or the other system refuses.
    pub refused: Option<Refused>,
    /// What happens to it, in order. Default: `create`.
    pub steps: List<Step>,
    /// What is looked at after the last step, and where it leads.
    pub follow: Option<Follow>,
    /// What it comes to on either side, for `report reconcile`: its rows, its header, its VAT by rate.
    pub reconcile: Option<Reconcile>,
}

/// Names of [`DocumentWords`], used to tell words from sides.
pub const DOCUMENT_WORDS: &[&str] = &[
    "title",
    "called",
    "when",
    "becomes",
    "run",
    "direction",
    "valid",
    "find_again",
    "twins",
    "on_unknown",
    "status_flow",
    "fields",
    "file",
    "embed",
    "rows",
    "refused",
    "steps",
    "follow",
    "reconcile",
];

impl FromNode for Document {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let (words, rest) = split(node, DOCUMENT_WORDS, diagnostics)?;
        let sides = rest
            .into_iter()
            .filter_map(|(key, value)| Some((key, from_node::<DocumentSide>(&value, diagnostics)?)))
            .collect();
        Some(Document { words, sides })
    }
}

via_node!(Document);

impl JsonSchema for Document {
    fn schema_name() -> Cow<'static, str> {
        "Document".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        with_sides::<DocumentWords, DocumentSide>(generator)
    }
}

/// Which records of a side are documents.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DocumentSide {
    /// The resource of the system file.
    pub resource: Option<At<String>>,
    /// The side that is written to: resource and the values of `by` that lead to it.
    pub one_of: Table<Codes>,
    /// The field of the source that tells which: `shop.isCreditNote`.
    pub by: Option<At<String>>,
    /// The source: every item of this list of the record is a document of its own. Bare names are the item's fields, `header` is the
    /// record it stands in.
    pub each: Option<At<String>>,
    /// The source: which records travel: a role of the status flow, or a condition.
    pub take: Option<At<String>>,
    /// The source: which records concern the mapping at all.
    pub scope: Option<At<String>>,
    /// The source: so many new ones in one transfer. The others wait for the next run; `run --all` makes as many transfers as it
    /// takes.
    pub at_most: Option<At<u32>>,
    /// The source: records that stand with one of these, by names. Expressions read their fields as `related.NAME.FIELD`: nothing,
    /// where there is no such record or more than one.
    pub related: Table<Related>,
}

/// A record that stands with this one: `buyer: { resource: customer, where: { code: related.project.customer_code } }`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Related {
    /// The side whose record it is. Default: the side of this one.
    #[serde(rename = "in")]
    pub side: Option<At<String>>,
    /// Its resource. All of it is read.
    pub resource: At<String>,
    /// Which of its records it is: its field and ours, equal. Ours may be one of a record that is named before: `related.NAME.FIELD`.
    #[serde(rename = "where")]
    pub pairs: Table<At<String>>,
    /// Only where the answers to the settings satisfy this: otherwise there is none, and nothing is read.
    pub when: Option<At<String>>,
}

/// What a record that was made turns into.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Becomes {
    /// The resource, on the side where the document is made. All of it is read.
    pub resource: At<String>,
    /// Which of its records it is: its field and the *source* record's, equal. The record that was made may be gone by then.
    #[serde(rename = "where")]
    pub pairs: Table<At<String>>,
}

/// In which runs new documents travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunWhen {
    /// Only when a person asks: in a run that names the document (`--only`). What has begun is carried on by every run.
    OnDemand,
}

/// What equal records on the other side mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Twins {
    /// One is as good as another.
    Interchangeable,
}

/// What happens to a write whose outcome nobody can find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// A person says.
    Hold,
}

/// The life of a document: roles, how each is recognised, which moves are legal and whose they are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusFlow {
    /// The field of the source that holds the status. Where it names a record of another resource (`ref`), the statuses are the
    /// records of that resource.
    pub field: At<String>,
    /// Roles by name: role and the status (its key or, for records, the value of `name`), or `settings.x`. `"*"`: every status that
    /// no other role names; only for records, and nothing moves there.
    #[serde(default)]
    pub roles: Table<At<String>>,
    /// With `roles` over records: the field that the given values are compared with. Default: the key.
    pub name: Option<At<String>>,
    /// Roles by order and flags: the whole list of statuses must match, as a regular expression does.
    #[serde(default)]
    pub sequence: List<SequenceRole>,
    /// `sequence`: the field that orders the statuses.
    pub order: Option<At<String>>,
    /// Over records: only statuses that satisfy this count. One that a role names and that does not is refused by name.
    #[serde(rename = "where")]
    pub only_where: Option<At<String>>,
    /// With `roles` by `name`: roles whose status a run makes, before the documents, where no status has its name; with the values of
    /// its other fields: `true`, a number, or an expression over the `settings`. `{}`: the name alone. One that is there is never
    /// changed. Such a write is not counted by the brakes.
    #[serde(default)]
    pub make: Table<Table<At<Value>>>,
    /// `sequence`: the true/false fields that tell statuses apart.
    #[serde(default)]
    pub flags: Paths,
    /// The legal moves, and whose they are.
    #[serde(default)]
    pub moves: List<Move>,
}

impl StatusFlow {
    /// The roles as they are written, by name or in a sequence.
    pub fn roles_written(&self) -> Vec<String> {
        let sequence = self.sequence.iter().map(|one| one.role.value.as_str());
        self.roles.keys().chain(sequence).map(str::to_owned).collect()
    }
}

/// One role in a sequence of statuses.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SequenceRole {
    /// The role.
    pub role: At<String>,
    /// The flags that are on; all others are off.
    #[serde(rename = "with", default)]
    pub flags: Paths,
    /// One or more statuses in a row have this role.
    #[serde(default)]
    pub repeat: bool,
    /// What each of them must satisfy beside its flags: an expression over its fields.
    pub must: Option<At<String>>,
    /// What a person reads when it does not: a template over its fields.
    #[serde(rename = "else")]
    pub otherwise: Option<At<String>>,
}

/// A legal move.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The role (or roles) it leads from.
    pub from: Paths,
    /// The role (or roles) it leads to.
    pub to: Paths,
    /// Whose move it is: `mapping`, or the name of a side (its users, or another integration of it).
    pub by: At<String>,
}

/// The rows below a document: one for each row of the source.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Everything but the sides.
    pub words: RowsWords,
    /// The sides: the path of the list.
    pub sides: Vec<(At<String>, At<String>)>,
}

/// One table of rows, or many.
#[derive(Clone, Debug, Default)]
pub struct RowTables(pub Vec<Rows>);

impl FromNode for RowTables {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::List(_) => from_node::<List<Rows>>(node, diagnostics).map(|tables| RowTables(tables.0)),
            _ => from_node::<Rows>(node, diagnostics).map(|table| RowTables(vec![table])),
        }
    }
}

via_node!(RowTables);

impl JsonSchema for RowTables {
    fn schema_name() -> Cow<'static, str> {
        "RowTables".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<Rows>();
        schemars::json_schema!({ "anyOf": [ one, { "type": "array", "minItems": 1, "items": one } ] })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The words of `rows`, beside its two lists.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RowsWords {
    /// The field of the source's rows that orders them.
    pub order: Option<At<String>>,
    /// Only rows that satisfy this travel: an expression over the row; the document has its side's name.
    pub scope: Option<At<String>>,
    /// The files of a row that go inside the message, in a list of the row that is made: `{ shop: files, erp: attachments }`. The
    /// rows of the source are records of their own then, which have `files` in the system file.
    pub embed: Table<At<String>>,
    /// The field table of a row. Bare names in expressions are the row's fields; the document has its side's name, and is `header` in
    /// a row's path: `{ shop: header.company, erp: branch }`.
    pub fields: List<Row>,
}

impl FromNode for Rows {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let (words, rest) = split(node, &["order", "scope", "embed", "fields"], diagnostics)?;
        let sides = rest
            .into_iter()
            .filter_map(|(key, value)| Some((key, from_node::<At<String>>(&value, diagnostics)?)))
            .collect();
        Some(Rows { words, sides })
    }
}

via_node!(Rows);

impl JsonSchema for Rows {
    fn schema_name() -> Cow<'static, str> {
        "Rows".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        with_sides::<RowsWords, String>(generator)
    }
}

/// What happens to a document that cannot go.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The role the source record gets. It is set aside with the reason as well.
    pub set_status: At<String>,
}

/// One step of a document.
#[derive(Clone, Debug)]
pub enum Step {
    /// The record is made on the other side.
    Create(crate::diagnostic::Span),
    /// What the other side made of it is compared with what it should be.
    Verify(Box<Verify>),
    /// Values of the other side go back to the source, with the status in one request.
    WriteBack(Box<WriteBack>),
    /// The source record gets a role.
    SetStatus(At<String>),
    /// Something is done to one of the records.
    Action(Box<ActionStep>),
    /// Files go along.
    Attach(Box<AttachStep>),
}

/// A map with exactly one of these.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct LongStep {
    /// What the other side made of it is compared with what it should be.
    verify: Option<Verify>,
    /// Values of the other side go back to the source, with the status in one request.
    write_back: Option<WriteBack>,
    /// The source record gets a role.
    set_status: Option<At<String>>,
    /// Something is done to one of the records: its side, and an action of its resource. It is done when the record says so; until
    /// then the document waits.
    action: Option<ActionStep>,
    /// Files of one record are attached to the other, each once.
    attach: Option<AttachStep>,
}

impl FromNode for Step {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        if let Kind::Text { text, .. } = &node.kind
            && text == "create"
        {
            return Some(Step::Create(node.span));
        }
        let long: LongStep = from_node(node, diagnostics)?;
        match (long.verify, long.write_back, long.set_status, long.action, long.attach) {
            (Some(verify), None, None, None, None) => Some(Step::Verify(Box::new(verify))),
            (None, Some(back), None, None, None) => Some(Step::WriteBack(Box::new(back))),
            (None, None, Some(role), None, None) => Some(Step::SetStatus(role)),
            (None, None, None, Some(action), None) => Some(Step::Action(Box::new(action))),
            (None, None, None, None, Some(attach)) => Some(Step::Attach(Box::new(attach))),
            _ => {
                diagnostics.push(
                    crate::diagnostic::Diagnostic::error(
                        &crate::diagnostic::codes::BAD_STEP,
                        node.span,
                        "a step is exactly one of `create`, `verify`, `write_back`, `set_status`, `action` and `attach`",
                    )
                    .help("write every step as an item of its own"),
                );
                None
            }
        }
    }
}

via_node!(Step);

impl JsonSchema for Step {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut long = LongStep::json_schema(generator);
        long.insert("minProperties".into(), 1.into());
        long.insert("maxProperties".into(), 1.into());
        schemars::json_schema!({
            "description": "One step of a document: `create` (the record is made on the other side), or a map with one of `verify`, `write_back`, `set_status`, `action`, `attach`.",
            "anyOf": [ { "const": "create" }, long ]
        })
    }
}

/// Something that is done to one of the records.
#[derive(Clone, Debug)]
pub struct ActionStep {
    /// Everything but the side.
    pub words: StepWords,
    /// The side, and the action of its resource.
    pub sides: Vec<(At<String>, At<String>)>,
}

/// The words of a step, beside its side.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepWords {
    /// Only when this holds: an expression over both records and `settings`.
    pub when: Option<At<String>>,
}

impl FromNode for ActionStep {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let (words, rest) = split(node, &["when"], diagnostics)?;
        let sides = rest
            .into_iter()
            .filter_map(|(key, value)| Some((key, from_node::<At<String>>(&value, diagnostics)?)))
            .collect();
        Some(ActionStep { words, sides })
    }
}

via_node!(ActionStep);

impl JsonSchema for ActionStep {
    fn schema_name() -> Cow<'static, str> {
        "ActionStep".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        with_sides::<StepWords, String>(generator)
    }
}

/// Files of one record are attached to the other, or to a record that the other refers to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachStep {
    /// Whose files, and their names in the system file: `shop.pdf`.
    pub files: List<At<String>>,
    /// The side whose record they are attached to; with a field of it (`shop.project.guid`), the record that the field refers
    /// to: each file is attached to it once, however many documents lead there.
    pub to: At<String>,
    /// What is said of each file, where the system has a place for it: a template over both records.
    pub about: Option<At<String>>,
    /// Only when this holds: an expression over both records and `settings`.
    pub when: Option<At<String>>,
}

/// What the other side made of a document is compared with what it should be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// Two amounts that must be equal: a field of either side.
    pub equal: Table<At<String>>,
    /// How far they may be apart, as text: `"0.05"` means 0.05 passes and 0.0500001 does not. Default "0".
    pub tolerance: Option<At<String>>,
    /// `ignore`: a minus does not count (a credit note is a positive amount in many systems). Default: it counts.
    pub sign: Option<Sign>,
    /// Two fields that must be the same: the currency.
    #[serde(default)]
    pub same: Table<At<String>>,
    /// What happens when they are not.
    #[serde(rename = "else")]
    pub otherwise: VerifyElse,
}

/// Whether a minus counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// It does not.
    Ignore,
}

/// What happens to a document that does not stand its check.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyElse {
    /// The record that was made on the other side is removed again, before anything else. Where that is refused, a person decides.
    #[serde(default)]
    pub delete: bool,
    /// The role the source record gets; it travels again when somebody has mended it. Without it, it is set aside.
    pub set_status: Option<At<String>>,
}

/// Values of the other side go back to the source.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteBack {
    /// The field table, read from the other side to the source.
    #[serde(default)]
    pub fields: List<Row>,
    /// The role the source record gets in the same request.
    pub set_status: Option<At<String>>,
}

/// What is looked at after the last step.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Follow {
    /// Nothing is followed unless this holds: an expression over `settings`.
    pub when: Option<At<String>>,
    /// Only while the source record has one of these roles.
    #[serde(rename = "while")]
    pub during: Paths,
    /// Where it leads: the first that holds.
    #[serde(default)]
    pub moves: List<FollowMove>,
    /// The other side took it, and refuses it later.
    pub refused: Option<RefusedLater>,
    /// Rows that are written back whenever they differ, moved or not.
    #[serde(default)]
    pub write: List<Row>,
}

/// What was taken and is refused later counts as refused at once: the source record gets the role of `refused` and is set aside
/// with the reason. When somebody gives it the role that travels again, it goes as a new record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusedLater {
    /// When: an expression over both records.
    pub when: At<String>,
    /// The reason: a template over both records.
    pub say: At<String>,
}

/// A move that something on the other side leads to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowMove {
    /// The role it leads to.
    pub to: At<String>,
    /// When: an expression over both records.
    pub when: At<String>,
    /// What is said of it: a template over both records.
    pub say: Option<At<String>>,
}
