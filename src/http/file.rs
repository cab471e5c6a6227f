//! A file as the body of a request.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::content::Content;
use super::payload::{Part, Payload};
use crate::value::Value;

/// A file that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileBody {
    /// Its name, already a plain one.
    pub name: String,
    /// Its media type.
    pub media: String,
    /// What is in it.
    pub content: Content,
    /// The part of a multipart/form-data body it is sent in; none: it is the body.
    pub field: Option<String>,
    /// The texts of the JSON before it in a multipart/related body; none: it is no such body.
    pub related: Vec<(String, String)>,
}

impl FileBody {
    /// The body and its content type. The members of `beside` are parts of the same form, before the file.
    pub(super) fn body(&self, beside: Option<&Value>) -> (Payload, String) {
        if !self.related.is_empty() {
            return self.related();
        }
        let Some(field) = &self.field else {
            return (Payload::of([Part::File(self.content.clone())]), self.media.clone());
        };
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
    fn related(&self) -> (Payload, String) {
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

    /// A boundary that is not in the content: it is made from all of it by its hash, and nothing can hold its own.
    fn boundary<'a>(&self, beside: impl Iterator<Item = &'a str>) -> String {
        let mut all = Sha256::new_with_prefix(self.content.hash());
        beside.for_each(|text| all.update(text));
        format!("mapengine-{}", &hex(&all.finalize())[..40])
    }

    /// The content after its head, up to the last boundary.
    fn between(&self, head: &str, boundary: &str) -> Payload {
        let bytes = |text: &str| Part::Bytes(Bytes::copy_from_slice(text.as_bytes()));
        let tail = format!("\r\n--{boundary}--\r\n");
        Payload::of([bytes(head), Part::File(self.content.clone()), bytes(&tail)])
    }
}

/// A file inside a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// What stands in the body for its content until it leaves: what it is, and nothing that another text could be.
    pub mark: String,
    /// What is in it.
    pub content: Content,
}

impl Embedded {
    /// A file with this content.
    pub fn new(content: Content) -> Embedded {
        let mark =
            format!("file {} of {} bytes, sha256 {}", uuid::Uuid::new_v4(), content.len(), content.hash());
        Embedded { mark, content }
    }
}

/// A body with the contents of files, as base64, where their marks stand.
///
/// # Errors
/// A file that has no place in it, or more than one.
pub(super) fn filled(body: Vec<u8>, files: &[Embedded]) -> Result<Payload, String> {
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
    let body = Bytes::from(body);
    let mut parts = Vec::with_capacity(2 * places.len() + 1);
    let mut from = 0;
    for (at, file) in places {
        parts.extend([Part::Bytes(body.slice(from..at)), Part::Base64(file.content.clone())]);
        from = at + file.mark.len();
    }
    parts.push(Part::Bytes(body.slice(from..)));
    Ok(Payload::of(parts))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As RFC 7578 section 4.2 and browsers do: what would end the quotes or the line is escaped.
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(body: &Payload) -> String {
        String::from_utf8(body.whole().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn a_part_stands_between_its_boundaries() {
        let file = FileBody {
            name: "a\"b\r\nX: y.pdf".into(),
            media: "application/pdf".into(),
            content: Content::from(&b"%PDF\r\n--mapengine-\r\n"[..]),
            field: Some("file".into()),
            related: Vec::new(),
        };
        let (body, kind) = file.body(None);
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let text = sent(&body);
        assert_eq!(
            text,
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22b%0D%0AX: y.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--mapengine-\r\n\r\n--{boundary}--\r\n"
            )
        );
        let raw = FileBody { field: None, ..file };
        let (body, kind) = raw.body(None);
        assert_eq!((sent(&body).as_str(), kind.as_str()), ("%PDF\r\n--mapengine-\r\n", "application/pdf"));
        let said = [("Name", "a\"b.pdf"), ("About", "Grus, 3 m³")];
        let said = said.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec();
        let (body, kind) = FileBody { related: said, ..raw }.body(None);
        assert_eq!(kind, format!("multipart/related; boundary={boundary}; type=\"application/json\""));
        let text = sent(&body);
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
        let files = contents.map(|content| Embedded::new(Content::from(content)));
        let [one, two, three, four] = &files;
        let body = format!("<a>{}</a><b>{}</b>{}{}", three.mark, one.mark, two.mark, four.mark);
        let told = filled(body.clone().into_bytes(), &files).unwrap();
        assert_eq!(sent(&told), "<a>YWI=</a><b>JVBERg==</b>//79");
        assert_eq!(filled(b"as it is".to_vec(), &[]).unwrap(), Payload::from("as it is"));
        // a file is never left out, and never stands twice
        let lost = Embedded::new(Content::from(&b"%PDF"[..]));
        assert!(lost.mark != one.mark && filled(body.into_bytes(), &[lost]).is_err());
        assert!(filled(format!("{0}{0}", one.mark).into_bytes(), &files[..1]).is_err());
    }
}
