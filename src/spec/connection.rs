//! What a connection may say: one company's use of a mapping.

use schemars::JsonSchema;
use serde::Deserialize;

use super::system::Limits;
use super::yaml::Table;
use crate::diagnostic::At;
use crate::value::Value;

/// A connection: one company's use of a mapping. Kept outside the repository; the only place with secrets.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Its name: the state is kept for each connection.
    pub connection: At<String>,
    /// The mapping file, relative to this file or to where the command is run. May be given on the command line instead.
    pub mapping: Option<At<String>>,
    /// Where the two systems are, by the names of the mapping's `systems:`.
    pub systems: Table<Place>,
    /// The company's answers to the mapping's settings.
    #[serde(default)]
    pub settings: Table<At<Value>>,
    /// The ids of the checks that a person confirmed.
    #[serde(default)]
    pub confirmed: Vec<At<String>>,
    /// Whose value counts in a register when existing records meet for the first time: register and side.
    #[serde(default)]
    pub adopt: Table<At<String>>,
    /// Where the state is kept: `sqlite:FILE`, relative to this file. Default: a file in the user's data folder, named after the connection.
    pub state: Option<At<String>>,
}

/// Where one system is, and who we are there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its address, where it differs from the system file's. Must be https, except for this machine.
    pub base_url: Option<At<String>>,
    /// The address of the token call, where it differs.
    pub token_url: Option<At<String>>,
    /// What the system file asks for. A value may be `${ENV_NAME}` (an environment variable) or `file:/path` (a file's content).
    #[serde(default)]
    pub credentials: Table<At<String>>,
    /// See the system file: this company differs.
    pub settle_after: Option<At<String>>,
    /// See the system file: this company differs.
    pub timeout: Option<At<String>>,
    /// See the system file: this company differs.
    pub limits: Option<Limits>,
    /// A file with certificates (PEM) that are trusted beside the machine's own.
    pub ca_file: Option<At<String>>,
}
