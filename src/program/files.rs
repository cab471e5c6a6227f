//! Compiled files of records.

use super::expr::Template;
use super::system::{Pager, PathTemplate, Piece};
use crate::value::{Path, Query};

/// The field of a path template that stands for a file's id.
pub const FILE: &str = "file";

/// Files that belong to a record.
#[derive(Clone, Debug)]
pub struct Files {
    /// Their name in the system file.
    pub name: String,
    /// Which there are.
    pub which: Which,
    /// The path of the content; [`FILE`] is the id.
    pub get: PathTemplate,
}

/// Which files there are.
#[derive(Clone, Debug)]
pub enum Which {
    /// Exactly one.
    One {
        /// Its name, over the record's fields.
        name: Template,
        /// Its media type.
        media: Option<String>,
    },
    /// Those that the record itself tells.
    Held {
        /// The list, or one in every item of a list.
        field: Path,
        /// Where an item has its id.
        id: Path,
        /// Where it has its name.
        name: Path,
        /// Where it has its media type.
        media: Option<Path>,
    },
    /// Those of a list.
    Listed {
        /// The path of the list.
        path: PathTemplate,
        /// How it pages.
        pager: Box<Pager>,
        /// Where an item has its id.
        id: Query,
        /// Where it has its name.
        name: Query,
        /// Where it has its media type.
        media: Option<Query>,
    },
}

/// How a file is attached to a record.
#[derive(Clone, Debug)]
pub struct Attach {
    /// The path of the POST.
    pub path: PathTemplate,
    /// Query over `file`.
    pub query: Vec<(String, Template)>,
    /// The part of a multipart/form-data body; none: the content is the body.
    pub field: Option<String>,
    /// The texts of the JSON that stands before the content in a multipart/related body.
    pub related: Vec<(String, Template)>,
    /// Another file of the same name is a new version.
    pub new_version: bool,
    /// The files by which one is looked for.
    pub list: Option<String>,
}

/// The file that a record is made of.
#[derive(Clone, Debug)]
pub struct MadeOf {
    /// The part of the form that holds it; every other field is a part beside it.
    pub part: String,
    /// Fields that a stand-in fills, as templates over `file`.
    pub sandbox: Vec<(Path, Template)>,
}

impl Files {
    /// The fields of the record that its list and its contents are asked for with.
    pub fn fields(&self) -> Vec<Path> {
        let mut fields: Vec<Path> =
            self.get.fields().filter(|field| **field != Path::key(FILE)).cloned().collect();
        match &self.which {
            Which::One { name, .. } => fields.extend(name.uses()),
            Which::Held { field, .. } => fields.push(field.clone()),
            Which::Listed { path, .. } => fields.extend(path.fields().cloned()),
        }
        fields
    }

    /// The same files as they are asked for from an item of a list of the record, which has the record as `around`. `None` where
    /// the record itself is needed.
    pub fn of_item(&self, list: &Path, around: &Path) -> Option<Files> {
        let moved = |path: &PathTemplate| PathTemplate {
            pieces: path
                .pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Field(field) if *field != Path::key(FILE) => Piece::Field(around.join(field)),
                    other => other.clone(),
                })
                .collect(),
        };
        let items = Path::parse(&format!("{list}[*]")).ok()?;
        let which = match &self.which {
            Which::One { .. } => return None,
            Which::Held { field, id, name, media } => Which::Held {
                field: field.strip_prefix(&items).unwrap_or_else(|| around.join(field)),
                id: id.clone(),
                name: name.clone(),
                media: media.clone(),
            },
            Which::Listed { path, pager, id, name, media } => Which::Listed {
                path: moved(path),
                pager: pager.clone(),
                id: id.clone(),
                name: name.clone(),
                media: media.clone(),
            },
        };
        Some(Files { name: self.name.clone(), which, get: moved(&self.get) })
    }
}

/// A file's name as a name and nothing else: never a path, nothing that a terminal or a header would act on.
pub fn plain_name(name: &str) -> String {
    const LONGEST: usize = 120;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .filter(|c| !c.is_control() && !"<>:\"|?*\u{202e}\u{202d}\u{200f}".contains(*c))
        .collect();
    let kept = kept.trim().trim_matches('.').trim();
    if kept.is_empty() {
        return "file".to_owned();
    }
    if kept.chars().count() <= LONGEST {
        return kept.to_owned();
    }
    let (stem, end) = match kept.rsplit_once('.') {
        Some((stem, end)) if end.chars().count() <= 10 => (stem, format!(".{end}")),
        _ => (kept, String::new()),
    };
    let room = LONGEST - end.chars().count();
    format!("{}{end}", stem.chars().take(room).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        for (name, plain) in [
            ("invoice.pdf", "invoice.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\a.pdf", "a.pdf"),
            ("..", "file"),
            ("", "file"),
            ("a\r\nX-Evil: 1\".pdf", "aX-Evil 1.pdf"),
            ("fdp.\u{202e}exe", "fdp.exe"),
            ("Räkning 1.pdf", "Räkning 1.pdf"),
        ] {
            assert_eq!(plain_name(name), plain, "{name:?}");
        }
        let long = plain_name(&format!("{}.pdf", "a".repeat(500)));
        assert_eq!((long.chars().count(), long.ends_with(".pdf")), (120, true));
    }
}
