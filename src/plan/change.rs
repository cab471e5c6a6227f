//! A change as data: what would happen to one pair of records, field by field, and why.

use serde::{Deserialize, Serialize};

use super::gate::{Awaited, Gate};
use super::translate::MissingCode;
use crate::store::RecordRef;
use crate::value::{Both, Side, Value};

/// What the engine found (the closed table of the language).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// Both exist and are linked.
    Linked,
    /// Unlinked, exactly one match.
    Found,
    /// In scope on one side, no match.
    Absent,
    /// Many matches, or half a match.
    Ambiguous,
    /// Linked, and the side that would be written is gone.
    TargetMissing,
    /// Linked, and the side that changes come from is gone.
    SourceMissing,
    /// Outside the scope.
    OutOfScope,
    /// Linked, but the match key now says otherwise.
    KeyChanged,
}

/// What would happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Action {
    /// Nothing: both are equal by the rules, or nothing concerns us.
    Nothing,
    /// The two are linked; fields may be written as well.
    Link,
    /// A record is made on this side.
    Create {
        /// The side it is made on.
        side: Side,
        /// Its resource.
        resource: String,
    },
    /// Fields are written.
    Update,
    /// The record on this side is removed.
    Delete {
        /// The side it is removed from.
        side: Side,
    },
    /// The link is forgotten.
    Unlink,
    /// It waits for another record.
    Wait {
        /// For what, for people.
        reason: String,
    },
    /// It cannot go on.
    SetAside {
        /// The code of the reason.
        code: String,
        /// The reason, with what to do.
        reason: String,
        /// Not tried again before the server was asked: only where a server refused.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        refused: bool,
    },
}

impl Action {
    /// Its name, for counting.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Nothing => "unchanged",
            Action::Link => "link",
            Action::Create { .. } => "create",
            Action::Update => "update",
            Action::Delete { .. } => "delete",
            Action::Unlink => "unlink",
            Action::Wait { .. } => "wait",
            Action::SetAside { .. } => "set_aside",
        }
    }
}

/// A value that would be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewValue {
    /// This value.
    Value(Value),
    /// The key of a record that does not exist yet: it is made by this same plan.
    Reference {
        /// The register of that record.
        register: String,
        /// The record it is made from.
        source: RecordRef,
        /// What people call it.
        label: String,
    },
}

impl std::fmt::Display for NewValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NewValue::Value(value) => value.fmt(f),
            NewValue::Reference { register, label, .. } => write!(f, "→ new {register} '{label}'"),
        }
    }
}

/// One field that would be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's path.
    pub path: String,
    /// What stands there now.
    pub old: Value,
    /// What would stand there.
    pub new: NewValue,
    /// The row's id.
    pub row: String,
    /// Where the row stands: `mappings/financials.yaml:99`.
    pub origin: String,
    /// Why, in a few words.
    pub reason: String,
    /// Personal or secret: shown as `•••`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

/// Something worth saying that changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Its kind: `differs`, `cleared`, `conflict`, `server_changed`.
    pub kind: String,
    /// One sentence.
    pub text: String,
    /// The value that lost, where one did.
    #[serde(default)]
    pub lost: Value,
}

/// Files that go inside the message of a new record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Embedding {
    /// The list that holds them, in the record that is made: `lines[0].attachments`.
    pub at: String,
    /// Whose files.
    pub resource: String,
    /// Their name in the system file.
    pub files: String,
    /// What is asked for with of the record that has them.
    pub record: Value,
    /// The members of an item with the name, the media type and the content of a file.
    pub members: (Vec<String>, Option<String>, String),
    /// Which there are.
    pub found: Vec<EmbeddedFile>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbeddedFile {
    /// Its id.
    pub id: String,
    /// The name that it goes by.
    pub name: String,
    /// Its media type, where the list tells it.
    pub media: Option<String>,
}

/// What would happen to one pair of records, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The register.
    pub register: String,
    /// The left record.
    pub left: Option<RecordRef>,
    /// The right record.
    pub right: Option<RecordRef>,
    /// What people call it.
    pub label: String,
    /// What was found.
    pub found: Found,
    /// What would happen.
    pub action: Action,
    /// The fields that would be written, on each side.
    pub fields: Both<Vec<FieldChange>>,
    /// The files that go inside the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embeds: Vec<Embedding>,
    /// What else is worth saying.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Codes that it needs and tables lack.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_codes: Vec<MissingCode>,
    /// The hashes of both records when this was decided.
    pub hashes: Both<Option<String>>,
    /// Rows whose base stays as it was (conflicts).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep_base: Vec<String>,
    /// The record stays on the work list although nothing happens: it depends on others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stay: bool,
    /// Where it stopped, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Gate>,
    /// The records that it waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaits: Vec<Awaited>,
}

impl Change {
    /// A change with nothing in it yet.
    pub fn new(
        register: &str,
        left: Option<RecordRef>,
        right: Option<RecordRef>,
        label: String,
        found: Found,
    ) -> Self {
        Change {
            register: register.to_owned(),
            left,
            right,
            label,
            found,
            action: Action::Nothing,
            fields: Both::default(),
            embeds: Vec::new(),
            notes: Vec::new(),
            missing_codes: Vec::new(),
            hashes: Both::default(),
            keep_base: Vec::new(),
            stay: false,
            held: None,
            awaits: Vec::new(),
        }
    }

    /// The record on one side.
    pub fn on(&self, side: Side) -> Option<&RecordRef> {
        match side {
            Side::Left => self.left.as_ref(),
            Side::Right => self.right.as_ref(),
        }
    }

    /// Whether anything would be written to either system.
    pub fn writes(&self) -> bool {
        matches!(self.action, Action::Create { .. } | Action::Delete { .. })
            || matches!(self.action, Action::Link | Action::Update)
                && (!self.fields.left.is_empty() || !self.fields.right.is_empty())
    }

    /// A fingerprint of what would be done to what: a saved plan is applied only where it is still this.
    pub fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        let always = "a change is plain data with text keys, so it is always JSON";
        let mut text = serde_json::to_string(&(
            &self.register,
            &self.left,
            &self.right,
            &self.action,
            &self.fields,
            &self.hashes,
        ))
        .expect(always);
        if !self.embeds.is_empty() {
            text += &serde_json::to_string(&self.embeds).expect(always);
        }
        hex(&Sha256::digest(text.as_bytes()))
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // writing to a String cannot fail
        let _ = write!(out, "{byte:02x}");
        out
    })
}
