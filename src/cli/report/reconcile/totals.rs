//! Control totals: what the documents of a kind and currency come to on both sides, and each rate of VAT in them.

use std::collections::BTreeMap;

use super::compare::{less, off};
use super::look::Look;
use super::{ControlTotal, Half, ReconciledDocument, VatTotal, too_large};
use crate::plan::reckon::{RateSum, Sums};
use crate::program::expr::plus;
use crate::program::mapping::Program;
use crate::store::StoreError;
use crate::value::{Both, Decimal, Side};

/// Sums of each document of the mapping, kind and currency.
#[derive(Default)]
pub(super) struct Totals(BTreeMap<(usize, String, Option<String>), Group>);

#[derive(Default)]
struct Group {
    sides: Both<OfSide>,
    without_amount: u64,
    without_rows: u64,
}

/// What one side has of a group.
#[derive(Default)]
struct OfSide {
    count: u64,
    sum: Sum,
    net: Sum,
    off: Sum,
    rates: BTreeMap<Option<Decimal>, Rate>,
    /// Records of which nobody knows the VAT by rate: why, and how many.
    untold: BTreeMap<String, u64>,
}

/// Amounts that were added up.
#[derive(Clone, Copy, Default)]
struct Sum {
    sum: Decimal,
    of: u64,
}

impl Sum {
    fn add(&mut self, amount: Decimal) -> Result<(), StoreError> {
        self.of += 1;
        add(&mut self.sum, amount)
    }
}

struct Rate {
    net: Decimal,
    /// None where it is not known of some of it.
    vat: Option<Decimal>,
}

fn add(sum: &mut Decimal, amount: Decimal) -> Result<(), StoreError> {
    *sum = plus(*sum, amount).ok_or_else(too_large)?;
    Ok(())
}

impl OfSide {
    fn add(&mut self, sums: &Sums) -> Result<(), StoreError> {
        if let Some(total) = sums.total {
            self.sum.add(total)?;
        }
        if let Some(Ok(net)) = sums.rows.as_ref().map(|rows| &rows.net) {
            self.net.add(*net)?;
        }
        if let Some((off, _)) = off(sums) {
            self.off.add(off)?;
        }
        match &sums.by_rate {
            Ok(rates) => rates.iter().try_for_each(|one| self.add_rate(one)),
            Err(reason) => {
                *self.untold.entry(reason.clone()).or_default() += 1;
                Ok(())
            }
        }
    }

    fn add_rate(&mut self, one: &RateSum) -> Result<(), StoreError> {
        let none = || Rate { net: Decimal::ZERO, vat: Some(Decimal::ZERO) };
        let rate = self.rates.entry(one.rate).or_insert_with(none);
        add(&mut rate.net, one.net)?;
        rate.vat = match (rate.vat, one.vat) {
            (Some(mut sum), Some(vat)) => {
                add(&mut sum, vat)?;
                Some(sum)
            }
            _ => None,
        };
        Ok(())
    }

    fn is_told(&self) -> bool {
        self.untold.is_empty()
    }

    /// Without VAT, and the VAT, of a rate: none where no record tells its VAT by rate.
    fn of(&self, rate: Option<Decimal>) -> (Option<Decimal>, Option<Decimal>) {
        match self.rates.get(&rate) {
            Some(rate) => (Some(rate.net), rate.vat),
            None if self.is_told() => (Some(Decimal::ZERO), Some(Decimal::ZERO)),
            None => (None, None),
        }
    }
}

impl Totals {
    /// Counts a document.
    pub(super) fn add(
        &mut self,
        look: &Look,
        index: usize,
        one: &ReconciledDocument,
        halves: &Both<Half>,
    ) -> Result<(), StoreError> {
        for (side, half) in halves.iter() {
            let Some(sums) = half.0.as_ref().map(|sums| look.counted(sums)) else { continue };
            let told = &look.document.reconcile.sides[side];
            // a side without amounts is counted with the other one
            let amounts = told.total.is_some() || told.rows.is_some();
            let currency = if amounts { sums.currency.clone() } else { one.currency.clone() };
            let known = currency.is_some();
            let group = self.0.entry((index, one.kind.clone(), currency)).or_default();
            group.sides[side].count += 1;
            let missing = told.total.is_some() && sums.total.is_none() || amounts && sums.currency.is_none();
            group.without_amount += u64::from(missing);
            let added = sums.rows.as_ref().is_some_and(|rows| rows.net.is_ok());
            group.without_rows += u64::from(told.rows.is_some() && !added);
            if known {
                group.sides[side].add(&sums)?;
            }
        }
        Ok(())
    }

    /// All of them, and each rate of VAT.
    pub(super) fn told(self, program: &Program) -> Result<(Vec<ControlTotal>, Vec<VatTotal>), StoreError> {
        let (mut totals, mut vat) = (Vec::new(), Vec::new());
        for ((index, kind, currency), group) in self.0 {
            let document = &program.documents[index];
            if let Some(currency) = &currency {
                vat.extend(group.vat(program, &document.register.name, &kind, currency)?);
            }
            let told = &document.reconcile.sides;
            // without a currency nobody knows whether these may be added up; where no record has an amount, there is no sum
            let known = |side: &OfSide, says: bool, sum: Sum| {
                (says && currency.is_some() && (sum.of > 0 || side.count == 0)).then_some(sum.sum)
            };
            let apart = |one: Option<Decimal>, other: Option<Decimal>| {
                one.zip(other).map(|(one, other)| less(one, other)).transpose()
            };
            let shown = |amount: Option<Decimal>| amount.map(|amount| amount.to_string());
            let sums = Both::of(|side| {
                let of = &group.sides[side];
                known(of, told[side].total.is_some(), of.sum)
            });
            let nets = Both::of(|side| {
                let of = &group.sides[side];
                known(of, told[side].rows.is_some(), of.net)
            });
            let off = Both::of(|side| {
                let (of, told) = (&group.sides[side], &told[side]);
                let says = told.rows.is_some() && (told.net.is_some() || told.total.is_some());
                shown(known(of, says, of.off))
            });
            totals.push(ControlTotal {
                document: document.register.name.clone(),
                left_count: group.sides.left.count,
                right_count: group.sides.right.count,
                difference: shown(apart(sums.left, sums.right)?),
                left_sum: shown(sums.left),
                right_sum: shown(sums.right),
                without_amount: group.without_amount,
                net_difference: shown(apart(nets.left, nets.right)?),
                left_net: shown(nets.left),
                right_net: shown(nets.right),
                left_off: off.left,
                right_off: off.right,
                without_rows: group.without_rows,
                kind,
                currency,
            });
        }
        Ok((totals, vat))
    }
}

impl Group {
    fn vat(
        &self,
        program: &Program,
        document: &str,
        kind: &str,
        currency: &str,
    ) -> Result<Vec<VatTotal>, StoreError> {
        let mut rates: Vec<Option<Decimal>> =
            self.sides.iter().flat_map(|(_, side)| side.rates.keys().copied()).collect();
        rates.sort();
        rates.dedup();
        let untold: Vec<String> = self
            .sides
            .iter()
            .flat_map(|(side, of)| of.untold.iter().map(move |(reason, count)| (side, reason, count)))
            .map(|(side, reason, count)| format!("{}, {count} of them: {reason}", program.sides[side].name))
            .collect();
        let complete = self.sides.left.is_told() && self.sides.right.is_told();
        let shown = |amount: Option<Decimal>| amount.map(|amount| amount.to_string());
        let apart = |here: Option<Decimal>, there: Option<Decimal>| {
            let both = here.zip(there).filter(|_| complete);
            both.map(|(here, there)| less(here, there)).transpose()
        };
        let totals = rates.into_iter().map(|rate| {
            let (left_net, left_vat) = self.sides.left.of(rate);
            let (right_net, right_vat) = self.sides.right.of(rate);
            let mut reasons = untold.clone();
            for (side, net, vat) in [(Side::Left, left_net, left_vat), (Side::Right, right_net, right_vat)] {
                if net.is_some() && vat.is_none() {
                    reasons.push(format!("{}: the VAT is not known", program.sides[side].name));
                }
            }
            Ok(VatTotal {
                document: document.to_owned(),
                kind: kind.to_owned(),
                currency: currency.to_owned(),
                rate: rate.map(|rate| rate.to_string()),
                left_net: shown(left_net),
                right_net: shown(right_net),
                net_difference: shown(apart(left_net, right_net)?),
                left_vat: shown(left_vat),
                right_vat: shown(right_vat),
                vat_difference: shown(apart(left_vat, right_vat)?),
                reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            })
        });
        totals.collect()
    }
}
