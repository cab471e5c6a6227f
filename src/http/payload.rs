//! The body of a request: bytes, and files that are read while it is sent.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use sha2::{Digest, Sha256};

use super::content::{Content, PIECE};
use super::file::hex;

/// The body of a request. It can be sent more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    parts: VecDeque<Part>,
}

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Bytes(Bytes),
    File(Content),
    /// A file as base64, in the middle of a text.
    Base64(Content),
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Part::Bytes(bytes) => bytes.len(),
            Part::File(content) => content.len(),
            Part::Base64(content) => content.len().div_ceil(3) * 4,
        }
    }

    /// What is sent next of a part of which so much of its source was sent, and how much of that it is.
    fn piece(&self, from: usize) -> io::Result<(Bytes, usize)> {
        match self {
            Part::Bytes(bytes) => Ok((bytes.slice(from..), bytes.len() - from)),
            Part::File(content) => content.piece(from).map(|piece| (piece.clone(), piece.len())),
            Part::Base64(content) => {
                let piece = content.piece(from)?;
                Ok((BASE64.encode(&piece).into(), piece.len()))
            }
        }
    }
}

impl Payload {
    /// A body of these parts.
    pub(super) fn of(parts: impl IntoIterator<Item = Part>) -> Payload {
        Payload { parts: parts.into_iter().filter(|part| part.len() > 0).collect() }
    }

    /// How many bytes are sent.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// Whether none are sent.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// All of it, in memory.
    ///
    /// # Errors
    /// The disk's, where a file stands there.
    pub fn whole(&self) -> io::Result<Bytes> {
        if let (Some(Part::Bytes(bytes)), 1) = (self.parts.front(), self.parts.len()) {
            return Ok(bytes.clone());
        }
        let mut all = BytesMut::with_capacity(self.len());
        let mut flow = self.clone().flow();
        while let Some(piece) = flow.next()? {
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    /// The SHA-256 of all of it, as text.
    ///
    /// # Errors
    /// The disk's, where a file stands there.
    pub(super) fn hash(&self) -> io::Result<String> {
        let mut hash = Sha256::new();
        let mut flow = self.clone().flow();
        while let Some(piece) = flow.next()? {
            hash.update(&piece);
        }
        Ok(hex(&hash.finalize()))
    }

    /// It, as it is sent: no file is in memory.
    pub(super) fn flow(self) -> Flow {
        Flow { left: self.len(), parts: self.parts, at: 0 }
    }
}

impl<B: Into<Bytes>> From<B> for Payload {
    fn from(bytes: B) -> Payload {
        Payload::of([Part::Bytes(bytes.into())])
    }
}

/// A body under way.
pub(super) struct Flow {
    parts: VecDeque<Part>,
    /// How much was read of the first part's source.
    at: usize,
    left: usize,
}

impl Flow {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        while let Some(part) = self.parts.front() {
            let (piece, read) = part.piece(self.at)?;
            if read == 0 {
                self.parts.pop_front();
                self.at = 0;
                continue;
            }
            self.at += read;
            self.left -= piece.len();
            return Ok(Some(piece));
        }
        Ok(None)
    }
}

impl Body for Flow {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        // a piece of a file on the disk is a short read, like those of the state
        Poll::Ready(self.next().map(|piece| piece.map(Frame::data)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        // so that its length is told, and it is not sent in chunks
        SizeHint::with_exact(self.left as u64)
    }
}

const _: () = assert!(PIECE.is_multiple_of(3), "base64 of a piece would end with padding");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_piece_by_piece_between_bytes() {
        let large: Vec<u8> = (0..2 * PIECE + 7).map(|n| (n % 253) as u8).collect();
        let file = Content::from(&large[..]);
        let parts = [
            Part::Bytes("<a>".into()),
            Part::File(file.clone()),
            Part::File(Content::from(&b""[..])),
            Part::Bytes("|".into()),
            Part::Base64(file),
            Part::Bytes("</a>".into()),
        ];
        let payload = Payload::of(parts);
        let expected = [&b"<a>"[..], &large[..], b"|", BASE64.encode(&large).as_bytes(), b"</a>"].concat();
        assert_eq!((payload.len(), payload.whole().unwrap()), (expected.len(), expected.clone().into()));
        assert_eq!(payload.hash().unwrap(), hex(&Sha256::digest(&expected)));
        let mut flow = payload.clone().flow();
        let mut came = 0;
        while let Some(piece) = flow.next().unwrap() {
            assert!(piece.len() <= PIECE * 4 / 3);
            came += piece.len();
            assert_eq!(flow.size_hint().exact(), Some((expected.len() - came) as u64));
        }
        assert!(flow.is_end_stream() && came == expected.len());
        assert!(Payload::from("").is_empty());
    }
}
