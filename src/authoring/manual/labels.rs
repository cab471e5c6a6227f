//! What people call fields.

use super::page::Line;
use super::rules::Rules;
use crate::program::expr::Expr;
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
            // which item of a list is meant stands behind the list's name
            let item = match first {
                Segment::All => Some(String::new()),
                Segment::Index(at) => Some(format!(" {}", at + 1)),
                Segment::Where { is, .. } => Some(format!(" ({is})")),
                Segment::Key(_) => None,
            };
            if let (Some(item), Some(last)) = (item, names.last_mut()) {
                last.push_str(&item);
                rest = below;
                continue;
            }
            let found = fields.iter().find_map(|field| Some((field, rest.strip_prefix(&field.name)?)));
            let Some((field, below)) = found else {
                names.push(rest.to_string());
                break;
            };
            names.push(self.field(field));
            fields = &field.fields;
            rest = below;
        }
        names
    }

    fn field(&self, field: &Field) -> String {
        field.labels.in_language(self.language.code()).map_or_else(|| field.name.to_string(), str::to_owned)
    }

    /// What people call what an expression of a row reads.
    pub(super) fn sources(&self, table: &Table, row: &Row, expr: &Expr) -> Line {
        let from = if row.writes.right { Side::Left } else { Side::Right };
        let settings = Path::key("settings");
        let mut named: Vec<Line> = Vec::new();
        for path in expr.uses() {
            let path = path.to_owned();
            let line = if let Some(name) = path.strip_prefix(&settings) {
                Line::code(name.to_string())
            } else {
                let side = Side::BOTH.into_iter().find_map(|side| {
                    Some((side, path.strip_prefix(&Path::key(self.program.sides[side].name.as_str()))?))
                });
                let resource =
                    |side: Side| table.register.ends[side].members.first().map(|one| &*one.resource);
                let label = match (side, &table.lists) {
                    (Some((side, below)), _) => match resource(side) {
                        Some(resource) => self.label(resource, &below),
                        None => below.to_string(),
                    },
                    (None, Some(lists)) => match resource(from) {
                        Some(resource) => self.label_below(resource, lists[from], &path),
                        None => path.to_string(),
                    },
                    (None, None) => match resource(from) {
                        Some(resource) => self.label(resource, &path),
                        None => path.to_string(),
                    },
                };
                Line::plain(label)
            };
            if !named.contains(&line) {
                named.push(line);
            }
        }
        Line::join(named, ", ")
    }
}
