//! The report as one table: the documents, then the totals, then each rate of VAT.

use super::super::table::{Cell, Table};
use super::{ReconcileReport, ReconciledRows};
use crate::value::Decimal;

fn text(text: &Option<String>) -> Cell {
    Cell::Text(text.clone().unwrap_or_default())
}

fn number(text: &Option<String>) -> Cell {
    Cell::Number(text.as_ref().and_then(|text| text.parse::<Decimal>().ok()))
}

/// The report. In the line of a rate the amounts are its VAT.
pub(in super::super) fn table(report: &ReconcileReport) -> Table {
    let net = |rows: &Option<ReconciledRows>| number(&rows.as_ref().and_then(|rows| rows.net.clone()));
    let off = |rows: &Option<ReconciledRows>| number(&rows.as_ref().and_then(|rows| rows.off.clone()));
    let documents = report.documents.iter().map(|one| {
        vec![
            Cell::Text(one.document.clone()),
            Cell::Text(one.kind.clone()),
            Cell::Text(one.status.name()),
            text(&one.currency),
            text(&one.left),
            number(&one.left_amount),
            net(&one.left_rows),
            off(&one.left_rows),
            text(&one.right),
            number(&one.right_amount),
            net(&one.right_rows),
            off(&one.right_rows),
            number(&one.difference),
            number(&one.net_difference),
            text(&one.since),
            text(&one.first_seen),
            text(&one.reason),
        ]
    });
    let totals = report.totals.iter().map(|one| {
        let missing = [
            (one.without_amount, "without an amount or a currency"),
            (one.without_rows, "with rows that cannot be added up"),
        ];
        let missing = missing.iter().filter(|(count, _)| *count > 0);
        let missing: Vec<String> = missing.map(|(count, what)| format!("{count} {what}")).collect();
        vec![
            Cell::Text(one.document.clone()),
            Cell::Text(one.kind.clone()),
            Cell::Text("total".into()),
            text(&one.currency),
            Cell::Number(Some(one.left_count.into())),
            number(&one.left_sum),
            number(&one.left_net),
            number(&one.left_off),
            Cell::Number(Some(one.right_count.into())),
            number(&one.right_sum),
            number(&one.right_net),
            number(&one.right_off),
            number(&one.difference),
            number(&one.net_difference),
            Cell::Text(String::new()),
            Cell::Text(String::new()),
            Cell::Text(missing.join(", ")),
        ]
    });
    let vat = report.vat.iter().map(|one| {
        let rate =
            one.rate.as_ref().map_or_else(|| "VAT, no rate".to_owned(), |rate| format!("VAT {rate} %"));
        vec![
            Cell::Text(one.document.clone()),
            Cell::Text(one.kind.clone()),
            Cell::Text(rate),
            Cell::Text(one.currency.clone()),
            Cell::Text(String::new()),
            number(&one.left_vat),
            number(&one.left_net),
            Cell::Number(None),
            Cell::Text(String::new()),
            number(&one.right_vat),
            number(&one.right_net),
            Cell::Number(None),
            number(&one.vat_difference),
            number(&one.net_difference),
            Cell::Text(String::new()),
            Cell::Text(String::new()),
            text(&one.reason),
        ]
    });
    let [left, right] = &report.sides;
    let of = |side: &str, what: &str| format!("{side} {what}");
    let mut made = format!("both systems read at {}", report.read);
    for (word, day) in [("since", &report.since), ("until", &report.until)] {
        if let Some(day) = day {
            made.push_str(&format!(", {word} {day}"));
        }
    }
    Table {
        title: format!("{}: documents of both systems", report.mapping),
        made,
        columns: [
            "document",
            "kind",
            "status",
            "currency",
            left,
            &of(left, "amount"),
            &of(left, "net of rows"),
            &of(left, "rows less header"),
            right,
            &of(right, "amount"),
            &of(right, "net of rows"),
            &of(right, "rows less header"),
            "difference",
            "net difference",
            "since",
            "first seen",
            "reason",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: documents.chain(totals).chain(vat).collect(),
    }
}
