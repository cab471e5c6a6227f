//! A file as the body of a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
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

/// A file inside a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// What stands in the body for its content until it leaves: what it is, and nothing that another text could be.
    pub mark: String,
    /// What is in it.
    pub content: Bytes,
}

impl Embedded {
    /// A file with this content.
    pub fn new(content: Bytes) -> Embedded {
        let mark = format!(
            "file {} of {} bytes, sha256 {}",
            uuid::Uuid::new_v4(),
            content.len(),
            hex(&Sha256::digest(&content))
        );
        Embedded { mark, content }
    }
}

/// A body with the contents of files, as base64, where their marks stand: it is in memory once.
///
/// # Errors
/// A file that has no place in it, or more than one.
pub(super) fn filled(body: Vec<u8>, files: &[Embedded]) -> Result<Bytes, String> {
    if files.is_empty() {
        return Ok(body.into());
    }
    let mut places = Vec::with_capacity(files.len());
    for file in files {
        let mark = file.mark.as_bytes();
        let mut found = body.windows(mark.len()).enumerate().filter(|(_, some)| *some == mark);
        match (found.next(), found.next()) {
            (Some((at, _)), None) => places.push((at, file)),
            _ => return Err("a file that goes inside the message has no place in it".to_owned()),
        }
    }
    places.sort_by_key(|(at, _)| *at);
    let size = |file: &Embedded| file.content.len().div_ceil(3) * 4;
    let more: usize = files.iter().map(size).sum();
    let marks: usize = files.iter().map(|file| file.mark.len()).sum();
    let mut out = vec![0; body.len() - marks + more];
    let (mut from, mut to) = (0, 0);
    for (at, file) in places {
        let before = &body[from..at];
        out[to..to + before.len()].copy_from_slice(before);
        to += before.len();
        to += BASE64.encode_slice(&file.content, &mut out[to..]).map_err(|error| error.to_string())?;
        from = at + file.mark.len();
    }
    out[to..].copy_from_slice(&body[from..]);
    Ok(out.into())
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

    #[test]
    fn files_stand_where_their_marks_are() {
        let contents: [&[u8]; 4] = [b"%PDF", b"", b"ab", &[0xff, 0xfe, 0xfd]];
        let files = contents.map(|content| Embedded::new(Bytes::copy_from_slice(content)));
        let [one, two, three, four] = &files;
        let body = format!("<a>{}</a><b>{}</b>{}{}", three.mark, one.mark, two.mark, four.mark);
        let told = filled(body.clone().into_bytes(), &files).unwrap();
        assert_eq!(told, "<a>YWI=</a><b>JVBERg==</b>//79");
        assert_eq!(filled(b"as it is".to_vec(), &[]).unwrap(), "as it is");
        // a file is never left out, and never stands twice
        let lost = Embedded::new(Bytes::from_static(b"%PDF"));
        assert!(lost.mark != one.mark && filled(body.into_bytes(), &[lost]).is_err());
        assert!(filled(format!("{0}{0}", one.mark).into_bytes(), &files[..1]).is_err());
    }
}
