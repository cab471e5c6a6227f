//! How requests are authorised, compiled.

use std::time::Duration;

use super::*;
use crate::program::expr::Template;
use crate::value::Path;
use crate::value::charset::Charset;

/// How a request proves who it is from.
#[derive(Clone, Debug)]
pub enum Auth {
    /// No proof.
    None,
    /// Headers over `credentials`.
    Header(Vec<(String, Template)>),
    /// RFC 7617.
    Basic {
        /// The user name over `credentials`.
        user: Template,
        /// The password over `credentials`.
        password: Template,
    },
    /// RFC 6749 section 4.4.
    ClientCredentials(Box<ClientCredentials>),
    /// Each request is signed.
    Signature(Box<Signature>),
}

/// How requests are signed.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The hash.
    pub hash: HashKind,
    /// The parts that are signed.
    pub sign: Vec<Template>,
    /// What stands between them.
    pub join: String,
    /// The parts of the key.
    pub key: Vec<Template>,
    /// The bytes of what is signed.
    pub charset: Charset,
    /// How the hash is written.
    pub digest: DigestForm,
    /// strftime format of the time.
    pub timestamp: String,
    /// How far a request's time may be from the server's.
    pub skew: Duration,
    /// Headers that carry it.
    pub headers: Vec<(String, Template)>,
    /// The header that is the time, the one that is the time in seconds, the one that is the request's id.
    pub told: Told,
}

/// The headers that tell a server what only the client knows.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Holds `timestamp` alone.
    pub timestamp: Option<String>,
    /// Holds `unix` alone.
    pub unix: Option<String>,
    /// Holds `transaction` alone.
    pub transaction: Option<String>,
}

/// The client credentials flow with a system's own names.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// Path or address of the token call.
    pub url: String,
    /// How its body is written.
    pub body: BodyKind,
    /// What is sent: templates over `credentials` and `scopes`.
    pub send: Vec<(String, Template)>,
    /// Path of the token in the answer.
    pub token: Path,
    /// Path of its life in seconds.
    pub expires_in: Path,
    /// Its life where the answer does not say.
    pub default_life: Duration,
    /// Path of the granted scopes.
    pub granted: Option<Path>,
    /// The scopes asked for.
    pub scopes: Vec<String>,
    /// Headers that carry the token: templates over `credentials` and `token`.
    pub headers: Vec<(String, Template)>,
}
