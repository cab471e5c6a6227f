//! What a record comes to: the amounts of its header, of its rows, and of each rate of VAT. Exact, and nothing is made up: what
//! is not there is said.

use std::collections::BTreeMap;

use rust_decimal::RoundingStrategy;

use super::Context;
use crate::program::document::{Amounts, Reckoned, Told};
use crate::program::expr::{Expr, Names, plus};
use crate::value::{Decimal, Side, Value, parse_decimal};

/// Which documents count.
#[derive(Clone, Debug, Default)]
pub struct Period {
    /// From this day on.
    pub since: Option<String>,
    /// Up to this day.
    pub until: Option<String>,
}

impl Period {
    /// Whether all of them do.
    pub fn is_all(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    /// Whether a day is in it.
    pub fn has(&self, day: &str) -> bool {
        self.since.as_deref().is_none_or(|since| day >= since)
            && self.until.as_deref().is_none_or(|until| day <= until)
    }
}

/// What a record comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    /// The total of the header.
    pub total: Option<Decimal>,
    /// The total of the header without VAT.
    pub net: Option<Decimal>,
    /// The currency.
    pub currency: Option<String>,
    /// The day by which it is of a period.
    pub day: Option<String>,
    /// Its rows; none: nothing is said of them.
    pub rows: Option<RowSums>,
    /// The VAT by rate, or why nobody knows it.
    pub by_rate: Result<Vec<RateSum>, String>,
    /// What could not be worked out.
    pub flaws: Vec<String>,
}

/// What the rows of a record come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowSums {
    /// Without VAT, or why nobody knows it.
    pub net: Result<Decimal, String>,
    /// Their VAT; none: nothing is said of it.
    pub vat: Option<Result<Decimal, String>>,
}

/// What is of one rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateSum {
    /// The rate in percent; none: those without one.
    pub rate: Option<Decimal>,
    /// Without VAT.
    pub net: Decimal,
    /// The VAT; none where nobody knows it.
    pub vat: Option<Decimal>,
}

impl Sums {
    /// Whether it is an amount that is given back.
    pub fn is_negative(&self) -> bool {
        let rows = self.rows.as_ref().and_then(|rows| rows.net.as_ref().ok().copied());
        self.total.or(self.net).or(rows).is_some_and(|amount| amount.is_sign_negative() && !amount.is_zero())
    }

    /// The rows were not read.
    pub fn without_rows(&mut self, reason: &str) {
        if let Some(rows) = &mut self.rows {
            rows.net = Err(reason.to_owned());
            rows.vat = rows.vat.as_ref().map(|_| Err(reason.to_owned()));
        }
        self.by_rate = Err(reason.to_owned());
    }

    /// The same with the other sign.
    #[must_use]
    pub fn turned(mut self) -> Sums {
        let turn = |amount: &mut Decimal| *amount = -*amount;
        self.total.iter_mut().chain(&mut self.net).for_each(turn);
        if let Some(rows) = &mut self.rows {
            rows.net.iter_mut().chain(rows.vat.iter_mut().flatten()).for_each(turn);
        }
        for one in self.by_rate.iter_mut().flatten() {
            turn(&mut one.net);
            one.vat.iter_mut().for_each(turn);
        }
        self
    }
}

/// What a record of a side comes to.
pub fn sums(context: &Context, side: Side, told: &Reckoned, record: &Value) -> Sums {
    let (left, right) = match side {
        Side::Left => (Some(record), None),
        Side::Right => (None, Some(record)),
    };
    let root = context.root(left, right, Some(side));
    let mut flaws = Vec::new();
    let mut value = |from: &Option<Told>| match from {
        Some(Told::Field(path)) => path.get(record).cloned().unwrap_or_default(),
        Some(Told::Worked(expr)) => expr.eval(&root).unwrap_or_else(|error| {
            flaws.push(format!("`{expr}`: {error}"));
            Value::Null
        }),
        None => Value::Null,
    };
    let (total, net) = (number(&value(&told.total)), number(&value(&told.net)));
    let currency = value(&told.currency).scalar_text().filter(|text| !text.is_empty());
    let day = day_of(&value(&told.date));
    // in a row, bare names are the row's
    let of_row = context.root(left, right, None);
    let grouped = told.rows.as_ref().map(|amounts| groups(amounts, &root, &of_row));
    let rows = grouped.as_ref().map(|grouped| row_sums(told, grouped));
    let by_rate = match (&told.rates, grouped) {
        (Some(rates), _) => match groups(rates, &root, &of_row) {
            Ok(groups) if groups.is_empty() && !total.or(net).unwrap_or_default().is_zero() => {
                Err("it tells no VAT by rate".to_owned())
            }
            Ok(groups) => Ok(groups),
            Err(Flaw::NotThere) => Err("it tells no VAT by rate".to_owned()),
            Err(Flaw::Of(reason)) => Err(reason),
        },
        (None, Some(Ok(groups))) if told.rows.as_ref().is_some_and(|rows| rows.rate.is_some()) => Ok(groups),
        (None, Some(Err(flaw))) => Err(flaw.rows()),
        (None, _) => Err("the mapping does not say the rate of its rows".to_owned()),
    };
    Sums { total, net, currency, day, rows, by_rate, flaws }
}

/// The day by which a record is of a period.
pub fn day(context: &Context, side: Side, told: &Reckoned, record: &Value) -> Option<String> {
    match told.date.as_ref()? {
        Told::Field(path) => day_of(path.get(record)?),
        Told::Worked(expr) => {
            let (left, right) = match side {
                Side::Left => (Some(record), None),
                Side::Right => (None, Some(record)),
            };
            day_of(&expr.eval(&context.root(left, right, Some(side))).ok()?)
        }
    }
}

fn day_of(value: &Value) -> Option<String> {
    value.scalar_text()?.get(..10).map(str::to_owned)
}

/// Why the amounts of a list are not known.
enum Flaw {
    /// There is no list.
    NotThere,
    /// An item has none.
    Of(String),
}

impl Flaw {
    fn rows(&self) -> String {
        match self {
            Flaw::NotThere => "its rows are not there".to_owned(),
            Flaw::Of(reason) => reason.clone(),
        }
    }
}

fn row_sums(told: &Reckoned, grouped: &Result<Vec<RateSum>, Flaw>) -> RowSums {
    let stated = told.rows.as_ref().is_some_and(|rows| rows.vat.is_some());
    match grouped {
        Err(flaw) => RowSums { net: Err(flaw.rows()), vat: stated.then(|| Err(flaw.rows())) },
        Ok(groups) => {
            let vat = || {
                let known: Option<Vec<Decimal>> = groups.iter().map(|one| one.vat).collect();
                added(known.ok_or_else(|| "a row has no VAT".to_owned())?)
            };
            RowSums { net: added(groups.iter().map(|one| one.net)), vat: stated.then(vat) }
        }
    }
}

/// The amounts of a list, by their rate.
fn groups(amounts: &Amounts, root: &Value, of_row: &Value) -> Result<Vec<RateSum>, Flaw> {
    let list = amounts.of.eval(root).map_err(|error| Flaw::Of(format!("`{}`: {error}", amounts.of)))?;
    let items = list.as_list().ok_or(Flaw::NotThere)?;
    let mut by_rate: BTreeMap<Option<Decimal>, (Decimal, Option<Decimal>)> = BTreeMap::new();
    for (i, item) in items.iter().enumerate() {
        let item = Item { of_row, item };
        let of = |expr: &Expr| match expr.eval(&item) {
            Ok(value) => Ok(number(&value)),
            Err(error) => Err(Flaw::Of(format!("row {}: `{expr}`: {error}", i + 1))),
        };
        let net = of(&amounts.net)?.ok_or_else(|| Flaw::Of(format!("row {} has no amount", i + 1)))?;
        let rate = amounts.rate.as_ref().map(of).transpose()?.flatten();
        let vat = amounts.vat.as_ref().map(of).transpose()?.flatten();
        let (nets, vats) =
            by_rate.entry(rate.map(|rate| rate.normalize())).or_insert((Decimal::ZERO, Some(Decimal::ZERO)));
        *nets = plus(*nets, net).ok_or_else(too_large)?;
        *vats = match (*vats, vat) {
            (Some(sum), Some(vat)) => Some(plus(sum, vat).ok_or_else(too_large)?),
            _ => None,
        };
    }
    let rounded = |amount: Decimal| match amounts.round {
        Some(places) => amount.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero),
        None => amount,
    };
    let sums = by_rate.into_iter();
    Ok(sums.map(|(rate, (net, vat))| RateSum { rate, net: rounded(net), vat: vat.map(rounded) }).collect())
}

fn too_large() -> Flaw {
    Flaw::Of("its amounts are too large to be added up exactly".to_owned())
}

fn added(amounts: impl IntoIterator<Item = Decimal>) -> Result<Decimal, String> {
    amounts.into_iter().try_fold(Decimal::ZERO, plus).ok_or_else(|| too_large().rows())
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => parse_decimal(text),
        _ => None,
    }
}

/// What an expression over an item sees: the item's fields, then what the record's expressions see under a name.
struct Item<'v> {
    of_row: &'v Value,
    item: &'v Value,
}

impl Names for Item<'_> {
    fn name(&self, name: &str) -> Option<&Value> {
        self.of_row.get(name).or_else(|| self.item.get(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::expr::Scope;
    use crate::program::types::Type;
    use crate::value::from_json_str;

    fn amounts(round: Option<u32>, vat: bool) -> Amounts {
        let row = Type::Object(
            [("n", Type::Decimal), ("p", Type::Decimal), ("r", Type::Decimal)]
                .map(|(name, ty)| (name.to_owned(), ty))
                .into_iter()
                .collect::<indexmap::IndexMap<_, _>>()
                .into(),
        );
        let of = |source: &str, scope: &Scope| Expr::compile(source, scope).unwrap();
        let scope = Scope::new().bare(&row);
        Amounts {
            of: of("rows", &Scope::new().root("rows", Type::list(row.clone()))),
            net: of("n | times(p)", &scope),
            rate: Some(of("r", &scope)),
            vat: vat.then(|| of("n | times(p) | times(r) | times('0.01')", &scope)),
            round,
        }
    }

    fn grouped(amounts: &Amounts, rows: &str) -> Result<Vec<RateSum>, String> {
        let root = from_json_str(&format!(r#"{{"rows":{rows}}}"#)).unwrap();
        groups(amounts, &root, &Value::Null).map_err(|flaw| flaw.rows())
    }

    fn decimal(text: &str) -> Decimal {
        parse_decimal(text).unwrap()
    }

    #[test]
    fn rows_are_added_up_by_rate_exactly() {
        let rows = r#"[{"n":"3","p":"0.333","r":"25"},{"n":"1","p":"0.001","r":"25.00"},{"n":"2","p":"10","r":"15"},{"n":"1","p":"5"}]"#;
        let found = grouped(&amounts(None, true), rows).unwrap();
        let sum = |rate: Option<&str>, net: &str, vat: Option<&str>| RateSum {
            rate: rate.map(decimal),
            net: decimal(net),
            vat: vat.map(decimal),
        };
        // a row without a rate has no VAT that anybody knows
        let wanted =
            [sum(None, "5", None), sum(Some("15"), "20", Some("3")), sum(Some("25"), "1.000", Some("0.25"))];
        assert_eq!(found, wanted);
        let found = grouped(&amounts(Some(1), true), rows).unwrap();
        assert_eq!(found[2], sum(Some("25"), "1.0", Some("0.3")));
    }

    #[test]
    fn what_is_not_there_is_said() {
        let of = |rows| grouped(&amounts(None, true), rows).unwrap_err();
        assert_eq!(of("null"), "its rows are not there");
        assert_eq!(of(r#"[{"n":"1","p":"1"},{"n":"1"}]"#), "row 2 has no amount");
        let digits = "12345678901234567890.123456789";
        let long = of(&format!(r#"[{{"n":"{digits}","p":"{digits}"}}]"#));
        assert!(long.starts_with("row 1: `n | times(p)`: "), "{long}");
        assert_eq!(grouped(&amounts(None, false), r#"[{"n":"1","p":"1","r":"0"}]"#).unwrap()[0].vat, None);
    }
}
