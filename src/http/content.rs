//! What is in a file that is on its way: a small one in memory, a larger one on the disk, so that none fills the memory.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tempfile::SpooledTempFile;

/// The largest file.
pub const LARGEST_FILE: usize = 256 * 1024 * 1024;
/// Up to this size a file is in memory.
const IN_MEMORY: usize = 64 * 1024;
/// So much of a file is read at once: a multiple of three, so that base64 is made of it piece by piece.
pub(super) const PIECE: usize = 48 * 1024;

/// What is in a file. It is read piece by piece, as often as it is sent; a file on the disk has no name there, and is gone with
/// the last of its clones.
#[derive(Clone)]
pub struct Content(Arc<Held>);

struct Held {
    bytes: Mutex<SpooledTempFile>,
    len: usize,
    sha256: [u8; 32],
}

impl Content {
    /// How many bytes.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// Its SHA-256, as text.
    pub fn hash(&self) -> String {
        super::file::hex(&self.0.sha256)
    }

    /// What comes from this byte on, at most [`PIECE`]; nothing at the end.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn piece(&self, from: usize) -> io::Result<Bytes> {
        let mut piece = vec![0; PIECE.min(self.0.len.saturating_sub(from))];
        let mut bytes = self.0.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.seek(SeekFrom::Start(from as u64))?;
        bytes.read_exact(&mut piece)?;
        Ok(piece.into())
    }

    /// All of it, as base64.
    ///
    /// # Errors
    /// The disk's.
    pub fn base64(&self) -> io::Result<String> {
        let mut text = String::with_capacity(self.0.len.div_ceil(3) * 4);
        let mut at = 0;
        while at < self.0.len {
            let piece = self.piece(at)?;
            BASE64.encode_string(&piece, &mut text);
            at += piece.len();
        }
        Ok(text)
    }

    /// All of it, in memory.
    ///
    /// # Errors
    /// The disk's.
    pub fn whole(&self) -> io::Result<Bytes> {
        let mut all = Vec::with_capacity(self.0.len);
        while all.len() < self.0.len {
            all.extend_from_slice(&self.piece(all.len())?);
        }
        Ok(all.into())
    }
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Content {
        let held = Held {
            bytes: Mutex::new(SpooledTempFile::new(usize::MAX)),
            len: bytes.len(),
            sha256: Sha256::digest(bytes).into(),
        };
        // memory takes what it is given
        let _ = held.bytes.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes);
        Content(Arc::new(held))
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Content) -> bool {
        (self.0.len, self.0.sha256) == (other.0.len, other.0.sha256)
    }
}

impl Eq for Content {}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, sha256 {}", self.0.len, self.hash())
    }
}

/// A file that is being read.
pub(super) struct Filling {
    bytes: SpooledTempFile,
    len: usize,
    sha256: Sha256,
}

impl Filling {
    pub(super) fn new() -> Filling {
        Filling { bytes: SpooledTempFile::new(IN_MEMORY), len: 0, sha256: Sha256::new() }
    }

    /// How much of it came.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Takes the next piece.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<(), String> {
        self.bytes.write_all(piece).map_err(|error| format!("it cannot be kept on the disk ({error})"))?;
        self.len += piece.len();
        self.sha256.update(piece);
        Ok(())
    }

    pub(super) fn finish(self) -> Content {
        let held =
            Held { bytes: Mutex::new(self.bytes), len: self.len, sha256: self.sha256.finalize().into() };
        Content(Arc::new(held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_on_the_disk_and_comes_back_as_it_was() {
        let all: Vec<u8> = (0..3 * IN_MEMORY + 5).map(|n| (n % 251) as u8).collect();
        let mut filling = Filling::new();
        for piece in all.chunks(1000) {
            filling.take(piece).unwrap();
        }
        assert!(filling.bytes.is_rolled());
        let content = filling.finish();
        assert_eq!((content.len(), content.is_empty()), (all.len(), false));
        assert_eq!(content.whole().unwrap(), all);
        // any piece, in any order, more than once
        assert_eq!(content.piece(all.len() - 5).unwrap(), all[all.len() - 5..]);
        assert_eq!(content.piece(7).unwrap(), all[7..7 + PIECE]);
        assert_eq!(content.piece(all.len()).unwrap(), "");
        assert_eq!(content, Content::from(&all[..]));
        assert_ne!(content, Content::from(&all[1..]));
        assert_eq!(content.base64().unwrap(), BASE64.encode(&all));
        assert_eq!(
            Content::from(&b"abc"[..]).hash(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
