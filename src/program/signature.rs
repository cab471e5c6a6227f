//! Signed requests: what is signed, and what comes out. Pure; the client and the stand-in compute the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::system::{DigestForm, HashKind, Signature};
use crate::value::{Map, Value};

/// A request, as far as it can be signed.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'r> {
    /// `GET`, `POST` …
    pub method: &'r str,
    /// The whole address, with the very characters of the request line.
    pub url: &'r url::Url,
    /// The SHA-256 of its body, in hex; of nothing, where there is none.
    pub body_sha256: &'r str,
}

/// The SHA-256 of a body that is in memory, in hex.
pub fn body_sha256(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// When a request is sent, and its own id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time as the system wants it.
    pub timestamp: String,
    /// The same in seconds since 1970.
    pub unix: String,
    /// An id that no other request has.
    pub transaction: String,
}

impl Moment {
    /// A time as this signature writes it.
    pub fn new(signature: &Signature, now_ms: i64, transaction: String) -> Moment {
        let time = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Moment {
            timestamp: time.strftime(&signature.timestamp).to_string(),
            unix: time.as_second().to_string(),
            transaction,
        }
    }
}

impl Signature {
    /// The headers of a request, signed. `credentials` is a map of all of them.
    ///
    /// # Errors
    /// A template that cannot be rendered, or a character that the set lacks.
    pub fn headers(
        &self,
        credentials: &Value,
        request: Signed,
        moment: &Moment,
    ) -> Result<Vec<(String, String)>, String> {
        let mut names = names(credentials, request, moment);
        let signature = self.sign(&names)?;
        names.insert("signature".into(), Value::Text(signature));
        let names = Value::Map(names);
        self.headers
            .iter()
            .map(|(name, template)| {
                Ok((name.clone(), template.render(&names).map_err(|error| error.to_string())?))
            })
            .collect()
    }

    /// Whether this header carries the signature.
    pub fn carries(&self, header: &str) -> bool {
        let is_signature = |path: &crate::value::Path| path.to_string() == "signature";
        self.headers.iter().any(|(name, template)| name == header && template.uses().iter().any(is_signature))
    }

    /// The signature alone.
    ///
    /// # Errors
    /// As [`Signature::headers`].
    pub fn signature(&self, credentials: &Value, request: Signed, moment: &Moment) -> Result<String, String> {
        self.sign(&names(credentials, request, moment))
    }

    fn sign(&self, names: &Map) -> Result<String, String> {
        let names = Value::Map(names.clone());
        let joined = |templates: &[super::expr::Template]| -> Result<Vec<u8>, String> {
            let parts = templates.iter().map(|part| part.render(&names).map_err(|error| error.to_string()));
            let text = parts.collect::<Result<Vec<_>, _>>()?.join(&self.join);
            // which character it is could be one of a secret
            self.charset
                .encode(&text)
                .map_err(|_| format!("what is signed holds a character that {} lacks", self.charset.name()))
        };
        let message = joined(&self.sign)?;
        let digest: Vec<u8> = match self.hash {
            HashKind::Sha256 => Sha256::digest(&message).to_vec(),
            HashKind::HmacSha256 => {
                let mut mac =
                    Hmac::<Sha256>::new_from_slice(&joined(&self.key)?).map_err(|error| error.to_string())?;
                mac.update(&message);
                mac.finalize().into_bytes().to_vec()
            }
        };
        let hex = || digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Ok(match self.digest {
            DigestForm::Hex => hex(),
            DigestForm::HexUpper => hex().to_uppercase(),
            DigestForm::Base64 => STANDARD.encode(&digest),
        })
    }
}

fn names(credentials: &Value, request: Signed, moment: &Moment) -> Map {
    let text = |text: &str| Value::text(text);
    let of_request = Map::from([
        ("method".to_owned(), text(request.method)),
        ("url".to_owned(), text(request.url.as_str())),
        ("path".to_owned(), text(request.url.path())),
        ("body_sha256".to_owned(), text(request.body_sha256)),
    ]);
    Map::from([
        ("credentials".to_owned(), credentials.clone()),
        ("request".to_owned(), Value::Map(of_request)),
        ("timestamp".to_owned(), text(&moment.timestamp)),
        ("unix".to_owned(), text(&moment.unix)),
        ("transaction".to_owned(), text(&moment.transaction)),
    ])
}
