//! A file as the body of a request.

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};

use crate::value::Value;

/// A file: its content is in memory once, and never larger than the largest answer (32 MiB).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileBody {
    /// Its name, already a plain one.
    pub name: String,
    /// Its media type.
    pub media: String,
    /// What is in it.
    pub content: Bytes,
    /// The part of a multipart/form-data body it is sent in; none: it is the body.
    pub field: Option<String>,
    /// The texts of the JSON before it in a multipart/related body; none: it is no such body.
    pub related: Vec<(String, String)>,
}

impl FileBody {
    /// The SHA-256 of its content, as text.
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(&self.content))
    }

    /// The body and its content type. The members of `beside` are parts of the same form, before the file.
    pub(super) fn body(&self, beside: Option<&Value>) -> (Bytes, String) {
        if !self.related.is_empty() {
            return self.related();
        }
        let Some(field) = &self.field else { return (self.content.clone(), self.media.clone()) };
        // nothing is no part: an empty text would be a value
        let beside: Vec<(&String, String)> = beside
            .and_then(Value::as_map)
            .into_iter()
            .flatten()
            .filter(|(_, value)| !matches!(value, Value::Null))
            .filter_map(|(name, value)| Some((name, value.scalar_text()?)))
            .collect();
        let boundary = self.boundary(beside.iter().map(|(_, text)| text.as_str()));
        let mut head = String::new();
        for (name, text) in beside {
            head += &format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{text}\r\n",
                quoted(name)
            );
        }
        head += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
            quoted(field),
            quoted(&self.name),
            self.media
        );
        (self.between(&head, &boundary), format!("multipart/form-data; boundary={boundary}"))
    }

    /// RFC 2387: what is said of it, then the content.
    fn related(&self) -> (Bytes, String) {
        let boundary = self.boundary(std::iter::empty());
        let texts = self.related.iter().map(|(name, text)| (name.clone(), Value::text(text.clone())));
        let head = format!(
            "--{boundary}\r\nContent-Type: application/json\r\n\r\n{}\r\n--{boundary}\r\nContent-Type: {}\r\n\r\n",
            Value::Map(texts.collect()).to_json(),
            self.media
        );
        let kind = format!("multipart/related; boundary={boundary}; type=\"application/json\"");
        (self.between(&head, &boundary), kind)
    }

    /// A boundary that is not in the content: it is made from all of it, and nothing can hold its own hash.
    fn boundary<'a>(&self, beside: impl Iterator<Item = &'a str>) -> String {
        let mut all = Sha256::new_with_prefix(&self.content);
        beside.for_each(|text| all.update(text));
        format!("mapengine-{}", &hex(&all.finalize())[..40])
    }

    /// The content after its head, up to the last boundary.
    fn between(&self, head: &str, boundary: &str) -> Bytes {
        let tail = format!("\r\n--{boundary}--\r\n");
        let mut body = BytesMut::with_capacity(head.len() + self.content.len() + tail.len());
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&self.content);
        body.extend_from_slice(tail.as_bytes());
        body.freeze()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As RFC 7578 section 4.2 and browsers do: what would end the quotes or the line is escaped.
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stands_between_its_boundaries() {
        let file = FileBody {
            name: "a\"b\r\nX: y.pdf".into(),
            media: "application/pdf".into(),
            content: Bytes::from_static(b"%PDF\r\n--mapengine-\r\n"),
            field: Some("file".into()),
            related: Vec::new(),
        };
        let (body, kind) = file.body(None);
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert_eq!(
            text,
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22b%0D%0AX: y.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--mapengine-\r\n\r\n--{boundary}--\r\n"
            )
        );
        let raw = FileBody { field: None, ..file };
        assert_eq!(raw.body(None), (raw.content.clone(), "application/pdf".into()));
        let said = [("Name", "a\"b.pdf"), ("About", "Grus, 3 m³")];
        let said = said.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec();
        let (body, kind) = FileBody { related: said, ..raw }.body(None);
        assert_eq!(kind, format!("multipart/related; boundary={boundary}; type=\"application/json\""));
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert_eq!(
            text,
            format!(
                "--{boundary}\r\nContent-Type: application/json\r\n\r\n{{\"Name\":\"a\\\"b.pdf\",\"About\":\"Grus, 3 m³\"}}\r\n--{boundary}\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--mapengine-\r\n\r\n--{boundary}--\r\n"
            )
        );
    }
}
