//! What a disk holds after the power is gone, worked out from what a process wrote: what it made sure of is there, of the rest any
//! part, torn anywhere.
//!
//! `strace` tells every write with its bytes. Folder entries (making, renaming, removing, cutting a file) are taken in their order,
//! as file systems with ordered journals do; data that no barrier followed may be there or not, sector by sector.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The system calls that change files, for `strace`.
pub const CALLS: &str = "openat,pwrite64,write,fsync,fdatasync,ftruncate,rename,unlink";

/// A disk writes this much whole, or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Default)]
struct File {
    /// What is on the disk for certain.
    sure: Vec<u8>,
    /// Written since the last barrier: where, and what.
    pending: Vec<(usize, Vec<u8>)>,
    /// Where the next plain `write` goes.
    at: usize,
}

impl File {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        if self.sure.len() < at + bytes.len() {
            self.sure.resize(at + bytes.len(), 0);
        }
        self.sure[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn barrier(&mut self) {
        for (at, bytes) in std::mem::take(&mut self.pending) {
            self.write(at, &bytes);
        }
    }
}

/// A state's files as a disk knows them.
pub struct Disk {
    files: BTreeMap<PathBuf, File>,
    /// The state; what lies beside it begins with its name.
    state: PathBuf,
    /// Barriers that a thread has begun: they count when they are done.
    begun: BTreeMap<String, PathBuf>,
}

impl Disk {
    /// The files as they are now, all of them safe.
    pub fn of(state: &Path) -> Disk {
        let mut disk = Disk { files: BTreeMap::new(), state: state.to_owned(), begun: BTreeMap::new() };
        for entry in std::fs::read_dir(state.parent().unwrap()).unwrap() {
            let path = entry.unwrap().path();
            if disk.knows(&path) {
                let file = File { sure: std::fs::read(&path).unwrap(), ..File::default() };
                disk.files.insert(path, file);
            }
        }
        disk
    }

    fn knows(&self, path: &Path) -> bool {
        path.as_os_str().as_encoded_bytes().starts_with(self.state.as_os_str().as_encoded_bytes())
    }

    /// Takes one line of `strace -f -xx -y`.
    pub fn take(&mut self, line: &str) {
        let Some((thread, call)) = line.split_once(' ') else { return };
        let call = call.trim_start();
        if let Some(rest) = call.strip_prefix("<... ") {
            let done = rest.ends_with("= 0");
            if let (Some(path), true) = (self.begun.remove(thread), done)
                && let Some(file) = self.files.get_mut(&path)
            {
                file.barrier();
            }
            return;
        }
        let Some((name, arguments)) = call.split_once('(') else { return };
        let paths: Vec<PathBuf> = texts(arguments, '<', '>').map(|text| path_of(&text)).collect();
        let mut strings = texts(arguments, '"', '"');
        let descriptor = paths.first().filter(|path| self.knows(path)).cloned();
        let number = |at: usize| {
            // after the text: `, LENGTH, OFFSET) = …`, or `<unfinished ...>`
            let end = arguments.rfind('"').map_or(arguments.find('>'), Some).unwrap_or_default();
            let numbers = arguments[end + 1..].split([',', ')', '<']).map(str::trim);
            numbers.filter(|text| !text.is_empty()).nth(at).and_then(|text| text.parse::<usize>().ok())
        };
        match (name, descriptor) {
            ("openat", _) => {
                let path = strings.next().map(|text| path_of(&text)).unwrap_or_default();
                let opened = paths.iter().rfind(|path| self.knows(path)).cloned();
                if let Some(path) = opened.or_else(|| self.knows(&path).then_some(path)) {
                    if arguments.contains("O_TRUNC") {
                        self.files.insert(path, File::default());
                    } else if arguments.contains("O_CREAT") {
                        self.files.entry(path).or_default();
                    }
                }
            }
            ("pwrite64", Some(path)) => {
                let bytes = strings.next().unwrap_or_default();
                let offset = number(1).expect("an offset");
                self.files.entry(path).or_default().pending.push((offset, bytes));
            }
            ("write", Some(path)) => {
                let bytes = strings.next().unwrap_or_default();
                let file = self.files.entry(path).or_default();
                let at = file.at;
                file.at += bytes.len();
                file.pending.push((at, bytes));
            }
            ("fsync" | "fdatasync", Some(path)) => {
                if call.ends_with("<unfinished ...>") {
                    self.begun.insert(thread.to_owned(), path);
                } else if call.ends_with("= 0")
                    && let Some(file) = self.files.get_mut(&path)
                {
                    file.barrier();
                }
            }
            ("ftruncate", Some(path)) => {
                let length = number(0).expect("a length");
                let file = self.files.entry(path).or_default();
                file.barrier();
                file.sure.resize(length, 0);
            }
            ("rename", _) => {
                let (from, to) = (strings.next().unwrap_or_default(), strings.next().unwrap_or_default());
                if let Some(file) = self.files.remove(&path_of(&from)) {
                    self.files.insert(path_of(&to), file);
                }
            }
            ("unlink", _) => {
                self.files.remove(&path_of(&strings.next().unwrap_or_default()));
            }
            _ => {}
        }
    }

    /// Puts the files into a state that the disk may be in now. Answers how many writes did not arrive whole.
    pub fn lose_power(mut self, mut choose: impl FnMut() -> bool) -> usize {
        let mut lost = 0;
        for file in self.files.values_mut() {
            for (at, bytes) in std::mem::take(&mut file.pending) {
                let mut whole = true;
                for (n, sector) in bytes.chunks(SECTOR).enumerate() {
                    if choose() {
                        file.write(at + n * SECTOR, sector);
                    } else {
                        whole = false;
                    }
                }
                lost += usize::from(!whole);
            }
        }
        let now = Disk::of(&self.state);
        for path in now.files.keys().filter(|path| !self.files.contains_key(*path)) {
            std::fs::remove_file(path).unwrap();
        }
        for (path, file) in &self.files {
            // an index in shared memory is never on a disk
            if path.to_string_lossy().ends_with("-shm") {
                let _ = std::fs::remove_file(path);
            } else {
                std::fs::write(path, &file.sure).unwrap();
            }
        }
        lost
    }
}

/// What stands between two marks, written as `\xNN` for each byte.
fn texts(line: &str, open: char, close: char) -> impl Iterator<Item = Vec<u8>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let from = rest.find(open)? + 1;
        let to = from + rest[from..].find(close)?;
        let text = &rest[from..to];
        rest = &rest[to + 1..];
        let bytes =
            text.split("\\x").skip(1).map(|digits| u8::from_str_radix(digits, 16).unwrap_or_default());
        Some(bytes.collect())
    })
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}
