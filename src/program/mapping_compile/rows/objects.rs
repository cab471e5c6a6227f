//! Rows of two objects: a table of rows below both.

use super::{RowEnd, Table};
use crate::diagnostic::{At, codes, suggest};
use crate::program::mapping::Row;
use crate::program::mapping_compile::Compiler;
use crate::spec::mapping as spec;
use crate::value::{Both, Path, Side};

impl Compiler<'_> {
    /// A row of two objects: the named table's rows, below both paths.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn object_row(
        &mut self,
        mapping: &spec::Mapping,
        row: &spec::Row,
        name: &At<String>,
        table: &Table,
        ends: &Both<Option<RowEnd>>,
        prefix: &Both<Path>,
        out: &mut Vec<Row>,
    ) {
        let Some(rows) = mapping.tables.get(&name.value) else {
            let names: Vec<String> = mapping.tables.keys().map(str::to_owned).collect();
            let help = suggest(&name.value, names.iter().map(String::as_str)).map_or_else(
                || "declare it under `tables:`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            self.error(&codes::UNKNOWN_TABLE, name.span, format!("there is no table `{name}`"), Some(help));
            return;
        };
        let (Some(left), Some(right)) = (&ends.left, &ends.right) else {
            self.error(
                &codes::BAD_ROW,
                row.span,
                "a row with `fields` names an object on both sides",
                Some("name an object of either side, or leave `fields` out".to_owned()),
            );
            return;
        };
        if left.members.is_empty() || right.members.is_empty() {
            let side = if left.members.is_empty() { Side::Left } else { Side::Right };
            self.error(
                &codes::WRONG_KIND,
                row.span,
                format!(
                    "`{}` of {} is no object",
                    ends[side].as_ref().map_or("", |end| &end.label),
                    self.sides[side].name
                ),
                Some("`fields` is for rows of two objects".to_owned()),
            );
            return;
        }
        let inner =
            Both { left: prefix.left.join(&left.paths[0]), right: prefix.right.join(&right.paths[0]) };
        let inner = Both {
            left: if prefix.left.is_root() { left.paths[0].clone() } else { inner.left },
            right: if prefix.right.is_root() { right.paths[0].clone() } else { inner.right },
        };
        for inner_row in rows.iter() {
            let mut inner_row = inner_row.clone();
            // what the outer row says counts for the inner ones that do not say it themselves
            let outer = &row.words;
            let words = &mut inner_row.words;
            words.master = words.master.take().or_else(|| outer.master.clone());
            words.direction = words.direction.take().or_else(|| outer.direction.clone());
            words.when = words.when.take().or_else(|| outer.when.clone());
            words.apply = words.apply.or(outer.apply);
            if words.only.is_empty() {
                words.only = outer.only.clone();
            }
            words.clear |= outer.clear;
            self.row(mapping, &inner_row, table, &inner, out);
        }
    }
}
