//! How requests are authorised: headers, tokens, signatures.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostic::At;
use crate::spec::yaml::{List, Table};
use crate::value::charset::Charset;

/// How a request proves who it is from.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// `none`; `header` (the headers below, from credentials); `basic` (`user` and `password`);
    /// `oauth2_client_credentials` (a token is fetched first, RFC 6749 section 4.4); `signature` (each request is signed).
    #[serde(default)]
    pub kind: At<AuthKind>,
    /// `oauth2_client_credentials`: the call that gives a token.
    pub token: Option<TokenCall>,
    /// `oauth2_client_credentials`: where the answer holds what.
    #[serde(default)]
    pub reply: TokenReply,
    /// `oauth2_client_credentials`: the scopes asked for. The answer must not grant fewer.
    #[serde(default)]
    pub scopes: Vec<At<String>>,
    /// Headers that carry the proof, as templates over `credentials` and `token`; of `signature` over `credentials`,
    /// `request.method`, `request.url`, `request.path`, `request.body_sha256`, `timestamp`, `unix`, `transaction`
    /// and `signature`.
    #[serde(default)]
    pub headers: Table<At<String>>,
    /// `signature`: what is signed, and how.
    pub signature: Option<Signature>,
    /// `basic`: the user name, as a template over `credentials`.
    pub user: Option<At<String>>,
    /// `basic`: the password, as a template over `credentials`.
    pub password: Option<At<String>>,
}

/// The ways of proving who a request is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// No proof.
    #[default]
    None,
    /// Headers made from credentials.
    Header,
    /// HTTP basic authentication (RFC 7617).
    Basic,
    /// OAuth 2.0 client credentials (RFC 6749 section 4.4), also with names that differ from the RFC's.
    Oauth2ClientCredentials,
    /// Each request is signed: a hash over parts of it, its time, an id that no other has, and secrets.
    Signature,
}

/// What is signed, and how. Every attempt is signed anew, with the time of the attempt and an id of its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// `hmac_sha256` (RFC 2104, with the `key`), or `sha256` (the secrets are parts that are signed).
    pub hash: At<HashKind>,
    /// The parts in their order, as templates over what `headers` may use but `signature`.
    pub sign: List<At<String>>,
    /// What stands between two parts, and between two parts of the key. Default nothing.
    #[serde(default)]
    pub join: String,
    /// `hmac_sha256`: the parts of the key, as templates over `credentials`.
    #[serde(default)]
    pub key: List<At<String>>,
    /// The character set of what is signed and of the key. A character that it lacks is an error, never `?`.
    #[serde(default)]
    pub charset: Charset,
    /// How the hash is written. Default `hex`.
    #[serde(default)]
    pub digest: DigestForm,
    /// strftime format of `timestamp`, in UTC. Default `%Y-%m-%dT%H:%M:%SZ`. (`unix` is the same time in seconds since 1970.)
    pub timestamp: Option<At<String>>,
    /// How far the time of a request may be from the server's: the stand-in refuses what is further. Default 5m.
    pub skew: Option<At<String>>,
    /// Known answers: each is computed when the file is checked, and must come out as it stands here.
    #[serde(default)]
    pub vectors: List<At<Vector>>,
}

/// A hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HashKind {
    /// HMAC with SHA-256 (RFC 2104, FIPS 180-4).
    #[default]
    HmacSha256,
    /// SHA-256 over the parts (FIPS 180-4).
    Sha256,
}

/// How a hash is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DigestForm {
    /// Hexadecimal, lower case.
    #[default]
    Hex,
    /// Hexadecimal, upper case.
    HexUpper,
    /// Base64 (RFC 4648 section 4).
    Base64,
}

/// A known answer of a signature.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// The method. Default GET.
    pub method: Option<String>,
    /// The whole address with its query.
    pub url: String,
    /// The body. Default none.
    pub body: Option<String>,
    /// The time as it is written.
    pub timestamp: String,
    /// The time in seconds since 1970, where it is signed.
    pub unix: Option<String>,
    /// The request's id.
    #[serde(default)]
    pub transaction: String,
    /// Credentials of the known answer: invented or published ones.
    pub credentials: Table<String>,
    /// What must come out.
    pub signature: String,
}

/// The call that gives a token.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenCall {
    /// Path or address. A connection's `token_url` replaces it.
    pub post: At<String>,
    /// How the body is written: `form` or `json`.
    #[serde(default)]
    pub body: BodyKind,
    /// What is sent: name and template over `credentials` and `scopes` (joined by a space).
    pub send: Table<At<String>>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// `application/json`.
    Json,
}

/// Where the answer of a token call holds what.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TokenReply {
    /// Path of the token. Default `access_token`.
    pub token: At<String>,
    /// Path of its life in seconds. Default `expires_in`.
    pub expires_in: At<String>,
    /// Its life where the answer does not say. Default 30m.
    pub default_expires_in: At<String>,
    /// Path of the granted scopes; checked against those asked for where it is there.
    pub scopes: Option<At<String>>,
}

impl Default for TokenReply {
    fn default() -> Self {
        TokenReply {
            token: At::from("access_token".to_owned()),
            expires_in: At::from("expires_in".to_owned()),
            default_expires_in: At::from("30m".to_owned()),
            scopes: None,
        }
    }
}
