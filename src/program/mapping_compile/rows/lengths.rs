//! What is written in a mapping has to have room where it goes: constants, codes, literal defaults.

use super::RowEnd;
use crate::diagnostic::{At, Span, codes};
use crate::program::expr::Expr;
use crate::program::mapping_compile::Compiler;
use crate::program::types::Type;
use crate::spec::mapping as spec;
use crate::value::{Both, Map, Side, Value};

/// More places than this no exact number has.
const MAX_PLACES: u32 = 28;

impl Compiler<'_> {
    /// Checks what a row writes as it stands in the mapping.
    pub(super) fn check_lengths(
        &mut self,
        row: &spec::Row,
        ends: &Both<Option<RowEnd>>,
        writes: &Both<bool>,
        default: Option<&Expr>,
    ) {
        let words = &row.words;
        if let Some(round) = words.round.filter(|places| *places > MAX_PLACES) {
            self.error(
                &codes::WRONG_KIND,
                row.span,
                format!("an exact number has at most {MAX_PLACES} places, this row asks for {round}"),
                Some("round to what the field has: `round: 2`".to_owned()),
            );
        }
        // what is too long is cut
        if words.truncate {
            return;
        }
        for side in Side::BOTH {
            let Some(end) = &ends[side] else { continue };
            if let Some(constant) = &words.constant {
                self.fits(end, side, &constant.value, constant.span);
            }
            if let (Some(text), Some(default)) = (&words.default, default)
                && writes[side]
                && default.uses().is_empty()
                && let Ok(value) = default.eval(&Value::Map(Map::new()))
            {
                self.fits(end, side, &value, text.span);
            }
            if let Some(spec::Values::Table(table)) = &words.values {
                for (left, right) in table.iter() {
                    let these: &[At<String>] = match side {
                        Side::Left => std::slice::from_ref(left),
                        Side::Right => &right.0,
                    };
                    for code in these {
                        self.fits(end, side, &Value::text(code.value.clone()), code.span);
                    }
                }
            }
        }
    }

    fn fits(&mut self, end: &RowEnd, side: Side, value: &Value, span: Span) {
        let (Some(max), Some(text)) = (end.max, value.scalar_text()) else { return };
        let (length, what) = match (&end.ty, value) {
            (Type::Text | Type::Id, _) => (text.chars().count(), "characters"),
            (Type::Integer | Type::Decimal, _) => {
                let digits = text.trim_start_matches('-').split('.').next().unwrap_or_default();
                (digits.trim_start_matches('0').len(), "digits before the point")
            }
            _ => return,
        };
        if length > max as usize {
            let of = format!("{} of {}", end.label, self.sides[side].name);
            self.error(
                &codes::NEVER_THIS_VALUE,
                span,
                format!("this has {length} {what}, and {of} takes {max}"),
                Some("shorten it, or let the row `truncate` it".to_owned()),
            );
        }
    }
}
