//! What a mapping may say of the amounts that `report reconcile` puts side by side.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::documents::Sign;
use super::mapping::{split, with_sides};
use super::yaml::{FromNode, Node, from_node, via_node};
use crate::diagnostic::{At, Diagnostics};

/// What a document comes to on either side, for `report reconcile`. Runs neither read nor compare it.
#[derive(Clone, Debug)]
pub struct Reconcile {
    /// Everything but the sides.
    pub words: ReconcileWords,
    /// What is told of each side.
    pub sides: Vec<(At<String>, ReconcileSide)>,
}

/// The words of `reconcile`, beside its sides.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReconcileWords {
    /// How far two amounts may be apart, as text. Default: what `verify` allows, else "0".
    pub tolerance: Option<At<String>>,
    /// `ignore`: where the total of a record is negative, all of its amounts count with the other sign. Default: as `verify` says.
    pub sign: Option<Sign>,
}

/// The amounts of one side: expressions over its record (bare names are its fields), `settings`, and what is read of either system.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReconcileSide {
    /// The total of the header, with VAT where there is VAT. Default, where neither side says one: the fields that `verify` compares.
    pub total: Option<At<String>>,
    /// The total of the header without VAT.
    pub net: Option<At<String>>,
    /// The currency of the amounts. Default: the field under `same` of `verify`.
    pub currency: Option<At<String>>,
    /// The date by which `--since` and `--until` count a record.
    pub date: Option<At<String>>,
    /// What its rows come to.
    pub rows: Option<RowAmounts>,
    /// The VAT by rate as the system itself tells it. Default: worked out from `rows`.
    pub rates: Option<RateAmounts>,
}

/// What the rows of a record come to. In the expressions bare names are the row's fields; the record has its side's name.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowAmounts {
    /// The list of the rows. Default: the list of this side that `rows` of the document names.
    pub of: Option<At<String>>,
    /// The amount of a row without VAT.
    pub net: At<String>,
    /// The rate of its VAT, in percent.
    pub rate: Option<At<String>>,
    /// Its VAT. With it the rows are compared with `total`, without it with `net`.
    pub vat: Option<At<String>>,
    /// The system rounds what the rows of one rate come to (without `rate`: all of them): to so many places, half away from zero.
    pub round: Option<At<u32>>,
}

/// The VAT by rate, as a system tells it: bare names are the fields of an item of the list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateAmounts {
    /// The list, with one item or many for a rate.
    pub of: At<String>,
    /// The rate, in percent.
    pub rate: At<String>,
    /// The amount that it is of.
    pub net: At<String>,
    /// The VAT.
    pub vat: At<String>,
}

impl FromNode for Reconcile {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let (words, rest) = split(node, &["tolerance", "sign"], diagnostics)?;
        let sides = rest
            .into_iter()
            .filter_map(|(key, value)| Some((key, from_node::<ReconcileSide>(&value, diagnostics)?)))
            .collect();
        Some(Reconcile { words, sides })
    }
}

via_node!(Reconcile);

impl JsonSchema for Reconcile {
    fn schema_name() -> Cow<'static, str> {
        "Reconcile".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        with_sides::<ReconcileWords, ReconcileSide>(generator)
    }
}
