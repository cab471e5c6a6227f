//! Reads an answer's body in pieces, so that no answer can fill the memory (reliability S8, F26).

use std::io::Write;

use bytes::Bytes;
use flate2::write::GzDecoder;

use super::content::{Content, Filling, LARGEST_FILE};

/// The largest body that is no file, decoded.
pub const LARGEST: usize = 32 * 1024 * 1024;
/// From this size on the ratio counts.
const RATIO_FROM: usize = 1024 * 1024;
/// So many times larger than what came over the wire a body may be.
const RATIO: usize = 100;

/// A body under way.
pub(super) struct Body(Kind);

enum Kind {
    Plain(Sink),
    Gzip(Box<GzDecoder<Sink>>),
}

struct Sink {
    to: To,
    came: usize,
}

/// Where a body goes.
enum To {
    Memory(Vec<u8>),
    File(Filling),
}

/// What is said of a body that is larger than it may be.
pub(super) fn too_large(largest: usize) -> String {
    format!("its body is larger than {} MiB", largest / 1024 / 1024)
}

impl Sink {
    fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        let (there, largest) = match &self.to {
            To::Memory(there) => (there.len(), LARGEST),
            To::File(file) => (file.len(), LARGEST_FILE),
        };
        let size = there + bytes.len();
        if size > largest {
            return Err(too_large(largest));
        }
        if size > RATIO_FROM && size / RATIO > self.came {
            return Err(format!("its body grows more than {RATIO} times when it is decompressed"));
        }
        match &mut self.to {
            To::Memory(there) => {
                there.extend_from_slice(bytes);
                Ok(())
            }
            To::File(file) => file.take(bytes),
        }
    }

    fn finish(self) -> (Bytes, Option<Content>) {
        match self.to {
            To::Memory(bytes) => (bytes.into(), None),
            To::File(file) => (Bytes::new(), Some(file.finish())),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.take(bytes).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Body {
    /// A body with this `Content-Encoding`: of a file, or not.
    pub(super) fn new(encoding: Option<&str>, of_file: bool) -> Result<Body, String> {
        let to = if of_file { To::File(Filling::new()) } else { To::Memory(Vec::new()) };
        let sink = Sink { to, came: 0 };
        match encoding.map(|encoding| encoding.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Ok(Body(Kind::Plain(sink))),
            Some("gzip" | "x-gzip") => Ok(Body(Kind::Gzip(Box::new(GzDecoder::new(sink))))),
            // only gzip is asked for; an encoding in an encoding is a bomb
            Some(other) => Err(format!("its body is encoded as {other:?}, which was not asked for")),
        }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), String> {
        match &mut self.0 {
            Kind::Plain(sink) => {
                sink.came += chunk.len();
                sink.take(chunk)
            }
            Kind::Gzip(decoder) => {
                decoder.get_mut().came += chunk.len();
                decoder.write_all(chunk).map_err(|error| gzip_problem(&error))
            }
        }
    }

    /// The whole body, or the whole file.
    pub(super) fn finish(self) -> Result<(Bytes, Option<Content>), String> {
        match self.0 {
            Kind::Plain(sink) => Ok(sink.finish()),
            // a HEAD or an empty answer may name an encoding and have no body
            Kind::Gzip(decoder) if decoder.get_ref().came == 0 => Ok((Bytes::new(), None)),
            Kind::Gzip(decoder) => Ok(decoder.finish().map_err(|error| gzip_problem(&error))?.finish()),
        }
    }
}

fn gzip_problem(error: &std::io::Error) -> String {
    match error.get_ref() {
        Some(own) if error.kind() == std::io::ErrorKind::Other => own.to_string(),
        _ => format!("its body is damaged gzip ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(encoding: Option<&str>, bytes: &[u8]) -> Result<Bytes, String> {
        let mut body = Body::new(encoding, false)?;
        for chunk in bytes.chunks(1000) {
            body.push(chunk)?;
        }
        body.finish().map(|(body, _)| body)
    }

    #[test]
    fn plain_and_gzip_come_through() {
        assert_eq!(read(None, b"hello").unwrap(), "hello");
        assert_eq!(read(Some("gzip"), &gzip(b"hello")).unwrap(), "hello");
        assert_eq!(read(Some("gzip"), b"").unwrap(), "");
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = gzip(&vec![b'0'; 16 * 1024 * 1024]);
        assert_eq!(
            read(Some("gzip"), &bomb).unwrap_err(),
            "its body grows more than 100 times when it is decompressed"
        );
    }

    #[test]
    fn too_large_is_refused() {
        assert_eq!(read(None, &vec![b'0'; LARGEST + 1]).unwrap_err(), "its body is larger than 32 MiB");
    }

    #[test]
    fn a_cut_or_damaged_gzip_is_refused() {
        let whole = gzip(b"hello, hello, hello");
        assert!(
            read(Some("gzip"), &whole[..whole.len() - 3])
                .unwrap_err()
                .starts_with("its body is damaged gzip")
        );
        assert!(read(Some("gzip"), b"not gzip at all").unwrap_err().starts_with("its body is damaged gzip"));
    }

    #[test]
    fn an_encoding_in_an_encoding_is_refused() {
        assert_eq!(
            read(Some("gzip, gzip"), b"").unwrap_err(),
            "its body is encoded as \"gzip, gzip\", which was not asked for"
        );
    }
}
