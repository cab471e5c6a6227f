//! Comparing what both sides say of one document, and each side's rows with its header.

use super::look::Look;
use super::{Half, ReconciledDocument, ReconciledRows, Standing, too_large};
use crate::plan::reckon::{RateSum, Sums};
use crate::program::expr::plus;
use crate::store::StoreError;
use crate::value::{Both, Decimal, Side};

/// One amount less another, with all digits.
pub(super) fn less(one: Decimal, other: Decimal) -> Result<Decimal, StoreError> {
    plus(one, -other).ok_or_else(too_large)
}

/// The rows of a record less what its header says of the same, and that; none where one of them is not known.
pub(super) fn off(sums: &Sums) -> Option<(Decimal, Decimal)> {
    let rows = sums.rows.as_ref()?;
    let net = *rows.net.as_ref().ok()?;
    let (all, header) = match (&rows.vat, sums.total, sums.net) {
        (Some(Ok(vat)), Some(total), _) => (plus(net, *vat)?, total),
        (_, _, Some(header)) => (net, header),
        _ => return None,
    };
    Some((plus(all, -header)?, header))
}

/// What is told of the rows of a record.
pub(super) fn rows(sums: &Sums) -> Option<ReconciledRows> {
    let rows = sums.rows.as_ref()?;
    let shown = |amount: &Result<Decimal, String>| amount.as_ref().ok().map(ToString::to_string);
    let off = off(sums);
    Some(ReconciledRows {
        net: shown(&rows.net),
        vat: rows.vat.as_ref().and_then(shown),
        header: off.map(|(_, header)| header.to_string()),
        off: off.map(|(off, _)| off.to_string()),
    })
}

impl Look<'_> {
    /// What counts of a record: where a minus does not, the amounts of a record that is given back have the other sign.
    pub(super) fn counted(&self, sums: &Sums) -> Sums {
        match self.document.reconcile.ignore_sign && sums.is_negative() {
            true => sums.clone().turned(),
            false => sums.clone(),
        }
    }

    fn too_far(&self, apart: Decimal) -> bool {
        apart.abs() > self.document.reconcile.tolerance
    }

    /// What is wrong with the amounts of one side, by themselves.
    fn wrong(&self, side: Side, sums: &Sums) -> Vec<String> {
        let name = &self.program.sides[side].name;
        let mut wrong: Vec<String> = sums.flaws.iter().map(|flaw| format!("{name}: {flaw}")).collect();
        if let Some(Err(reason)) = sums.rows.as_ref().map(|rows| &rows.net) {
            wrong.push(format!("{name}: {reason}"));
        }
        if let Some((off, header)) = off(sums).filter(|(off, _)| self.too_far(*off)) {
            let rows = plus(off, header).unwrap_or_default();
            wrong.push(format!("the rows of {name} come to {rows}, its header says {header}"));
        }
        wrong
    }
}

/// What is wrong with a document that is on one side only is told beside why it is there only. What the mapping does not take need
/// not be complete yet.
pub(super) fn alone(look: &Look, one: &mut ReconciledDocument, halves: &Both<Half>) {
    if one.status == Standing::NotInScope {
        return;
    }
    let wrong = halves.iter().filter_map(|(side, half)| Some(look.wrong(side, half.0.as_ref()?)));
    let reasons: Vec<String> = one.reason.take().into_iter().chain(wrong.flatten()).collect();
    one.reason = (!reasons.is_empty()).then(|| reasons.join("; "));
}

/// A linked document: how it stands. `became`: what was made has become another record, which stands for it.
pub(super) fn both(
    look: &Look,
    one: &mut ReconciledDocument,
    halves: &Both<Half>,
    became: bool,
) -> Result<(), StoreError> {
    let sides = &look.program.sides;
    let gone = |name: &str| format!("it is linked, but not there any more in {name}");
    let (left, right) = match (&halves.left.0, &halves.right.0) {
        (Some(left), Some(right)) => (left, right),
        (left, right) => {
            (one.status, one.reason) = match (left.is_some(), right.is_some()) {
                (false, true) => (Standing::GoneLeft, Some(gone(&sides.left.name))),
                (true, _) => (Standing::GoneRight, Some(gone(&sides.right.name))),
                (false, false) => (Standing::GoneBoth, Some(gone("both"))),
            };
            alone(look, one, halves);
            return Ok(());
        }
    };
    let told = &look.document.reconcile;
    one.status = Standing::Linked;
    if told.sides.left.currency.is_some()
        && told.sides.right.currency.is_some()
        && left.currency != right.currency
    {
        let shown = |sums: &Sums| sums.currency.clone().unwrap_or_else(|| "none".into());
        one.status = Standing::Differs;
        one.currency = None;
        one.reason = Some(format!("the currencies differ: {} and {}", shown(left), shown(right)));
        return Ok(());
    }
    let mut wrong = Vec::new();
    let mut apart: Vec<Decimal> = Vec::new();
    for (side, sums) in [(Side::Left, left), (Side::Right, right)] {
        wrong.extend(look.wrong(side, sums));
        apart.extend(off(sums).map(|(off, _)| off));
    }
    let of_one = apart.len();
    let (left, right) = (look.counted(left), look.counted(right));
    if told.sides.left.total.is_some() && told.sides.right.total.is_some() {
        match (left.total, right.total) {
            (Some(here), Some(there)) => {
                let total = less(here, there)?;
                one.difference = Some(total.to_string());
                apart.push(total);
                if look.too_far(total) {
                    let far = format!("the totals are {} apart, {} is allowed", total.abs(), told.tolerance);
                    wrong.insert(0, far);
                }
            }
            // what a record has become need not tell what was compared when it was made
            _ if became => {}
            amounts => {
                let sides = [(amounts.0, &sides.left.name), (amounts.1, &sides.right.name)];
                let lacks =
                    sides.iter().filter(|(amount, _)| amount.is_none()).map(|(_, name)| name.as_str());
                wrong.insert(0, format!("{} tells no total", lacks.collect::<Vec<_>>().join(" and ")));
            }
        }
    }
    let nets = [&left, &right].map(|sums| sums.rows.as_ref().and_then(|rows| rows.net.as_ref().ok()));
    if let [Some(here), Some(there)] = nets {
        let net = less(*here, *there)?;
        one.net_difference = Some(net.to_string());
        apart.push(net);
        if look.too_far(net) {
            wrong.push(format!("the rows are {} apart without VAT", net.abs()));
        }
    }
    if let (Ok(here), Ok(there)) = (&left.by_rate, &right.by_rate) {
        for (rate, [net, vat]) in rates_apart(here, there)? {
            apart.extend([net, vat].into_iter().flatten());
            if [net, vat].into_iter().flatten().any(|one| look.too_far(one)) {
                let shown = |amount: Option<Decimal>| amount.unwrap_or_default().to_string();
                let at = rate.map_or_else(|| "without a rate".to_owned(), |rate| format!("at {rate} %"));
                wrong.push(format!("VAT {at}: {} apart without VAT, the VAT {}", shown(net), shown(vat)));
            }
        }
    }
    if !wrong.is_empty() {
        one.status = Standing::Differs;
        one.reason = Some(wrong.join("; "));
    } else if apart.iter().any(|one| !one.is_zero()) {
        one.status = Standing::WithinTolerance;
    } else if apart.len() > of_one {
        one.status = Standing::Equal;
    }
    Ok(())
}

type Apart = (Option<Decimal>, [Option<Decimal>; 2]);

/// How far each rate is apart: without VAT, and the VAT, where both sides know it.
fn rates_apart(left: &[RateSum], right: &[RateSum]) -> Result<Vec<Apart>, StoreError> {
    let mut rates: Vec<Option<Decimal>> = left.iter().chain(right).map(|one| one.rate).collect();
    rates.sort();
    rates.dedup();
    let none = |rate| RateSum { rate, net: Decimal::ZERO, vat: Some(Decimal::ZERO) };
    let of = |all: &[RateSum], rate| all.iter().find(|one| one.rate == rate).cloned().unwrap_or(none(rate));
    let apart = rates.into_iter().map(|rate| {
        let (here, there) = (of(left, rate), of(right, rate));
        let vat = here.vat.zip(there.vat).map(|(here, there)| less(here, there)).transpose()?;
        Ok((rate, [Some(less(here.net, there.net)?), vat]))
    });
    apart.collect()
}

/// What tells a difference from another one of the same document; none where there is none.
pub(super) fn difference(look: &Look, one: &ReconciledDocument, halves: &Both<Half>) -> Option<String> {
    if one.status == Standing::NotInScope {
        return None;
    }
    let apart = matches!(
        one.status,
        Standing::WithinTolerance
            | Standing::Differs
            | Standing::GoneLeft
            | Standing::GoneRight
            | Standing::GoneBoth
            | Standing::Duplicate
            | Standing::Unknown
    );
    let sides = halves.iter().filter_map(|(side, half)| Some((side, half.0.as_ref()?)));
    let wrong: Vec<String> = sides.flat_map(|(side, sums)| look.wrong(side, sums)).collect();
    let off = |rows: &Option<ReconciledRows>| rows.as_ref().and_then(|rows| rows.off.clone());
    let (left, right) = (off(&one.left_rows), off(&one.right_rows));
    // of a pair the reason holds every amount that is too far from another; else it may name other things
    let reason = one.reason.clone().filter(|_| one.status == Standing::Differs);
    let what =
        [Some(one.status.name()), one.difference.clone(), one.net_difference.clone(), left, right, reason];
    let what = what.into_iter().flatten().chain(wrong.iter().cloned()).collect::<Vec<_>>().join(" ");
    (apart || !wrong.is_empty()).then_some(what)
}
