//! Reads files: from a path to typed, placed data. Everything that is wrong is a diagnostic, the file
//! that cannot be read too.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::cases::Cases;
use super::connection::Connection;
use super::expand::expand_system;
use super::mapping::Mapping;
use super::sandbox::Sandbox;
use super::system::System;
use super::yaml::{Kind, Node, from_node, parse};
use crate::diagnostic::{Diagnostic, Diagnostics, Sources, Span, codes};

/// The kinds of file, told apart by the key that each must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// How a product's API is spoken to: `system`.
    System,
    /// What is kept equal: `mapping`.
    Mapping,
    /// One company's use of a mapping: `connection`.
    Connection,
    /// Given records and what must come of them: `cases`.
    Cases,
    /// The records of the stand-ins: `sandbox`.
    Sandbox,
}

impl FileKind {
    /// The kind of a file that was read.
    pub fn of(node: &Node) -> Option<FileKind> {
        let Kind::Map(entries) = &node.kind else { return None };
        // a connection and cases name their mapping, so `mapping` alone says least
        [FileKind::System, FileKind::Connection, FileKind::Sandbox, FileKind::Cases, FileKind::Mapping]
            .into_iter()
            .find(|kind| entries.iter().any(|(key, _)| key.value == kind.key()))
    }

    /// The key that a file of this kind must have.
    pub fn key(self) -> &'static str {
        match self {
            FileKind::System => "system",
            FileKind::Mapping => "mapping",
            FileKind::Connection => "connection",
            FileKind::Cases => "cases",
            FileKind::Sandbox => "sandbox",
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileKind::System => "a system file",
            FileKind::Mapping => "a mapping",
            FileKind::Connection => "a connection",
            FileKind::Cases => "a file of cases",
            FileKind::Sandbox => "a sandbox file",
        })
    }
}

/// Loads a system file, with `defaults` and `like` written out into its resources.
pub fn load_system(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<System> {
    load(sources, path, FileKind::System, diagnostics)
}

/// Loads a mapping.
pub fn load_mapping(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<Mapping> {
    load(sources, path, FileKind::Mapping, diagnostics)
}

/// Loads a connection.
pub fn load_connection(
    sources: &mut Sources,
    path: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<Connection> {
    load(sources, path, FileKind::Connection, diagnostics)
}

/// Loads a file of cases.
pub fn load_cases(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<Cases> {
    load(sources, path, FileKind::Cases, diagnostics)
}

/// Loads a sandbox file.
pub fn load_sandbox(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<Sandbox> {
    load(sources, path, FileKind::Sandbox, diagnostics)
}

/// A system file whose text is not on disk yet; `path` is the name it has in messages.
pub fn system_text(
    sources: &mut Sources,
    path: &Path,
    text: &str,
    diagnostics: &mut Diagnostics,
) -> Option<System> {
    whole(diagnostics, |own| from_node(&expand_system(parse(sources, path, text, own)?, own), own))
}

/// A mapping whose text is not on disk yet; `path` is the name it has in messages.
pub fn mapping_text(
    sources: &mut Sources,
    path: &Path,
    text: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Mapping> {
    whole(diagnostics, |own| from_node(&parse(sources, path, text, own)?, own))
}

/// A connection whose text is not on disk yet; `path` is the name it has in messages.
pub fn connection_text(
    sources: &mut Sources,
    path: &Path,
    text: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Connection> {
    whole(diagnostics, |own| from_node(&parse(sources, path, text, own)?, own))
}

/// The kind of a file, or what is wrong with it as YAML.
pub fn file_kind(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<FileKind> {
    FileKind::of(&read(sources, path, diagnostics)?)
}

/// Reads, expands and types a file. Nothing comes of a file with errors: what would be said of the rest
/// could follow from them alone.
fn load<T: DeserializeOwned>(
    sources: &mut Sources,
    path: &Path,
    kind: FileKind,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    whole(diagnostics, |own| typed(sources, path, kind, own))
}

/// What was read, where nothing is wrong with it.
fn whole<T>(diagnostics: &mut Diagnostics, read: impl FnOnce(&mut Diagnostics) -> Option<T>) -> Option<T> {
    let mut own = Diagnostics::new();
    let value = read(&mut own);
    let sound = !own.has_errors();
    diagnostics.extend(own);
    value.filter(|_| sound)
}

fn typed<T: DeserializeOwned>(
    sources: &mut Sources,
    path: &Path,
    kind: FileKind,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let mut node = read(sources, path, diagnostics)?;
    match FileKind::of(&node) {
        Some(other) if other != kind => {
            let message = format!("{kind} is wanted, this is {other}");
            let start = Span { end: node.span.start, ..node.span };
            diagnostics.push(
                Diagnostic::error(&codes::UNKNOWN_FILE, start, message)
                    .help(format!("{kind} begins with `{}`, its name", kind.key())),
            );
            return None;
        }
        _ => {}
    }
    if kind == FileKind::System {
        node = expand_system(node, diagnostics);
    }
    from_node(&node, diagnostics)
}

/// Reads a file as YAML.
fn read(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<Node> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let (message, help) = match error.kind() {
                ErrorKind::NotFound => ("there is no such file", "look at its name and folder"),
                ErrorKind::PermissionDenied => ("this file may not be read", "ask for the right to read it"),
                ErrorKind::IsADirectory => ("this is a folder", "name a file in it"),
                _ => ("this file cannot be read", "look at the disk it is on"),
            };
            let message = format!("{}: {message}", path.display());
            diagnostics.push(Diagnostic::error(&codes::CANNOT_READ, Span::NONE, message).help(help));
            return None;
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => parse(sources, path, &text, diagnostics),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let message = format!("{}: byte {} is no UTF-8 text", path.display(), at + 1);
            diagnostics.push(
                Diagnostic::error(&codes::CANNOT_READ, Span::NONE, message).help("save the file as UTF-8"),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Format, render};

    fn refused(name: &str, content: Option<&[u8]>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
        assert!(load_system(&mut sources, &path, &mut found).is_none());
        let text = render(&found, &sources, Format::Human { color: false });
        text.replace(&format!("{}/", folder.path().display()), "")
    }

    #[test]
    fn a_file_that_is_not_there() {
        assert_eq!(
            refused("s.yaml", None),
            "error[ME0114]: the file cannot be read\n |\n = note: s.yaml: there is no such file\n = help: look at its name and folder\n\n"
        );
    }

    #[test]
    fn a_file_that_is_no_text() {
        assert_eq!(
            refused("s.yaml", Some(b"system: \xff")),
            "error[ME0114]: the file cannot be read\n |\n = note: s.yaml: byte 9 is no UTF-8 text\n = help: save the file as UTF-8\n\n"
        );
    }

    #[test]
    fn a_file_of_another_kind() {
        let text = refused("s.yaml", Some(b"connection: acme\nmapping: m.yaml\n"));
        assert!(text.contains("a system file is wanted, this is a connection"), "{text}");
    }

    #[test]
    fn nothing_comes_of_a_file_with_wrong_keys() {
        let text = refused(
            "s.yaml",
            Some(b"system: s\ntitle: S\nbase_url: https://s.example\nresorces: {}\nresources: {}\n"),
        );
        assert!(text.contains("did you mean `resources`?"), "{text}");
    }
}
