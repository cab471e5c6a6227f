//! What people call fields.

use super::page::Line;
use super::rules::Rules;
use crate::program::mapping::{Register, Row};
use crate::program::system::{Field, Resource};
use crate::value::{Both, Path, Segment, Side};

/// Where the paths of a field table begin: in the records of a register, or in the items of a list below them.
pub(super) struct Table<'p> {
    pub register: &'p Register,
    pub lists: Option<Both<&'p Path>>,
}

impl<'p> Table<'p> {
    /// The fields of the records themselves.
    pub(super) fn of(register: &'p Register) -> Table<'p> {
        Table { register, lists: None }
    }
}

impl Rules<'_> {
    /// What people call the fields of a row on a side.
    pub(super) fn fields(&self, table: &Table, row: &Row, side: Side) -> Line {
        let members = &table.register.ends[side].members;
        let named = members.iter().find(|one| row.only.contains(&one.resource.name)).or(members.first());
        let Some(member) = named else { return Line::default() };
        let labels = row.paths(side).iter().map(|path| match &table.lists {
            None => self.label(&member.resource, path),
            Some(lists) => self.label_below(&member.resource, lists[side], path),
        });
        Line::join(labels.map(Line::plain), " + ")
    }

    /// What people call a field of a resource: its label, below the labels of the objects around it.
    pub(super) fn label(&self, resource: &Resource, path: &Path) -> String {
        self.names(resource, path).join(" – ")
    }

    /// The same of an item's field; `header` is the record that the list stands in.
    pub(super) fn label_below(&self, resource: &Resource, list: &Path, path: &Path) -> String {
        if let Some(of_record) = path.strip_prefix(&Path::key("header")) {
            return self.label(resource, &of_record);
        }
        let items = list.join(&Path::of(&[Segment::All]));
        let names = self.names(resource, &items.join(path));
        let around = self.names(resource, list).len();
        names[around.min(names.len())..].join(" – ")
    }

    fn names(&self, resource: &Resource, path: &Path) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut rest = path.clone();
        let mut fields: &[Field] = &resource.fields;
        while let Some((first, below)) = rest.split_first() {
            let item = item(first);
            if let (Some(item), Some(last)) = (item, names.last_mut()) {
                last.push_str(&item);
                rest = below;
                continue;
            }
            let found = fields.iter().find_map(|field| Some((field, within(&rest, &field.name)?)));
            let Some((field, (item, below))) = found else {
                names.push(rest.to_string());
                break;
            };
            // the record that an item of a list stands in is what its fields are called by
            let around = *first == Segment::Key("header".to_owned()) && !below.is_root();
            if !around {
                names.push(self.field(field) + &item);
            }
            fields = &field.fields;
            rest = below;
        }
        names
    }

    fn field(&self, field: &Field) -> String {
        field.labels.in_language(self.language.code()).map_or_else(|| field.name.to_string(), str::to_owned)
    }

    /// What people call what a row reads.
    pub(super) fn sources(&self, table: &Table, row: &Row, paths: &[Path]) -> Line {
        let mut named: Vec<Line> = Vec::new();
        for path in paths {
            let line = self.source_of(table, row, path).unwrap_or_else(|| Line::code(path.to_string()));
            if !named.contains(&line) {
                named.push(line);
            }
        }
        Line::join(named, ", ")
    }

    /// What people call one thing that a row reads: a field of its records, a setting, a field of another record.
    pub(super) fn source_of(&self, table: &Table, row: &Row, path: &Path) -> Option<Line> {
        if let Some(name) = path.strip_prefix(&Path::key("settings")) {
            return Some(Line::code(name.to_string()));
        }
        let from = if row.writes.right { Side::Left } else { Side::Right };
        let named = Side::BOTH.into_iter().find_map(|side| {
            Some((side, path.strip_prefix(&Path::key(self.program.sides[side].name.as_str()))?))
        });
        let member = |side: Side| table.register.ends[side].members.first().map(|one| &*one.resource);
        let knows = |resource: &Resource, path: &Path| {
            resource.fields.iter().any(|field| within(path, &field.name).is_some())
        };
        let label = match (named, &table.lists) {
            (Some((side, below)), _) => match member(side).filter(|one| knows(one, &below)) {
                Some(resource) => self.label(resource, &below),
                None => {
                    let (Segment::Key(name), below) = below.split_first()? else { return None };
                    let other = self.program.sides[side].system.resources.get(name)?;
                    format!("{} – {}", self.title(other), self.label(other, &below))
                }
            },
            (None, Some(lists)) => self.label_below(member(from)?, lists[from], path),
            (None, None) => self.label(member(from).filter(|one| knows(one, path))?, path),
        };
        Some(Line::plain(label))
    }
}

/// Which item of a list is meant.
fn item(segment: &Segment) -> Option<String> {
    match segment {
        Segment::All => Some(String::new()),
        Segment::Index(at) => Some(format!(" {}", at + 1)),
        Segment::Where { is, .. } => Some(format!(" ({is})")),
        Segment::Key(_) => None,
    }
}

/// What is left of a path below a field, and which item of a list it goes into, where the field is all of them (`codes[*]`).
fn within(path: &Path, field: &Path) -> Option<(String, Path)> {
    let rest = path.segments().get(field.segments().len()..)?;
    let mut which = String::new();
    for (one, of_field) in path.segments().iter().zip(field.segments()) {
        match (item(one), of_field) {
            (Some(item), Segment::All) => which.push_str(&item),
            _ if one == of_field => {}
            _ => return None,
        }
    }
    Some((which, Path::of(rest)))
}
