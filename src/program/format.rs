//! Bodies as bytes: what a system's encoding makes of a value, and back.

use super::system::{CallKind, Encoding, EncodingKind, System};
use crate::value::xml::{from_xml, to_xml};
use crate::value::{Value, from_json_slice};

impl System {
    /// How bodies of a call are written and read; `whoami` and the like have the system's own encoding.
    pub fn encoding_of(&self, resource: &str, call: CallKind) -> &Encoding {
        let Some(resource) = self.resources.get(resource) else { return &self.encoding };
        let own = match call {
            CallKind::Create => resource.create.as_ref().map(|call| &call.encoding),
            CallKind::Update => resource.update.as_ref().map(|call| &call.encoding),
            CallKind::List
            | CallKind::Get
            | CallKind::Delete
            | CallKind::Action
            | CallKind::File
            | CallKind::Attach => None,
        };
        own.unwrap_or(&resource.encoding)
    }
}

impl Encoding {
    /// Whether bodies are XML.
    pub fn is_xml(&self) -> bool {
        self.kind == EncodingKind::Xml
    }

    /// What bodies are called in messages.
    pub fn format(&self) -> &'static str {
        if self.is_xml() { "XML" } else { "JSON" }
    }

    /// The content type of a body that is sent.
    pub fn content_type(&self) -> String {
        match (&self.content_type, self.is_xml()) {
            (kind, true) => {
                let kind = kind.as_deref().unwrap_or("application/xml");
                format!("{kind}; charset={}", self.xml.charset.name().to_ascii_lowercase())
            }
            (Some(kind), false) => kind.clone(),
            (None, false) => "application/json".to_owned(),
        }
    }

    /// What is asked for in `Accept`.
    pub fn accept(&self) -> &'static str {
        if self.is_xml() { "application/xml, text/xml" } else { "application/json" }
    }

    /// A body as bytes.
    ///
    /// # Errors
    /// What the format cannot hold.
    pub fn write(&self, body: &Value) -> Result<Vec<u8>, String> {
        if self.is_xml() { to_xml(body, &self.xml) } else { Ok(body.to_json().into_bytes()) }
    }

    /// A body from bytes with this content type.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self, bytes: &[u8], content_type: Option<&str>) -> Result<Value, String> {
        if self.is_xml() {
            from_xml(bytes, content_type.and_then(charset_of), &self.xml)
        } else {
            from_json_slice(bytes).map_err(|error| error.to_string())
        }
    }
}

/// The parameter `charset` of a content type (RFC 9110 section 8.3.2).
fn charset_of(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::charset::Charset;

    #[test]
    fn bodies_are_called_by_their_kind_and_set() {
        let mut encoding = Encoding::default();
        assert_eq!((encoding.content_type(), encoding.format()), ("application/json".into(), "JSON"));
        encoding.kind = EncodingKind::Xml;
        encoding.xml.charset = Charset::Latin9;
        assert_eq!(encoding.content_type(), "application/xml; charset=iso-8859-15");
        encoding.content_type = Some("text/xml".into());
        assert_eq!(encoding.content_type(), "text/xml; charset=iso-8859-15");
    }

    #[test]
    fn a_set_is_told_by_the_content_type() {
        assert_eq!(charset_of("text/xml; boundary=x; Charset=\"ISO-8859-1\""), Some("ISO-8859-1"));
        assert_eq!(charset_of("text/xml"), None);
        assert_eq!(charset_of("text/xml; charset="), None);
        let encoding = Encoding { kind: EncodingKind::Xml, ..Encoding::default() };
        let read = |kind| encoding.read(b"<a>\xe4</a>", kind).map(|value| value.to_json());
        assert_eq!(read(Some("text/xml; charset=iso-8859-1")), Ok("{\"a\":\"ä\"}".into()));
        assert!(read(Some("text/xml")).is_err());
    }
}
