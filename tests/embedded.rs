//! Files inside the message of a document: it goes with all of them, once, or not at all.

mod common;

use std::time::Duration;

use common::{kill_after, run, timed_harness_of, try_run};
use mapengine::case::Harness;
use mapengine::value::{Path, Side, Value};

/// An invoice with a file, and a row with another.
fn story() -> (Harness, std::rc::Rc<mapengine::case::QuickClock>) {
    timed_harness_of(
        "shop_receipts",
        "    invoice_status:
      - { guid: s-2, name: Ready, position: 3, active: true, locked: true, numbered: false, paid: false }
      - { guid: s-3, name: Transferred, position: 4, active: true, locked: true, numbered: true, paid: false }
    customer: [ { guid: c-1, number: 1, name: Fjord AS, active: true } ]
    item: [ { guid: i-1, code: A-1, name: Bolt, active: true } ]
    invoice: [ { guid: f-1, status.guid: s-2, credit: false, customer.guid: c-1, date: \"2026-11-01\", currency: NOK, total: \"1.00\", rows: [ { guid: r-1, position: 1, item.guid: i-1, text: En, quantity: \"1\", price: \"1.00\" } ] } ]
    invoice.files: [ { of: { guid: f-1 }, name: avtale.pdf, content: AVTALE } ]
    invoice_row.files: [ { of: { guid: r-1 }, name: en.png, content: EN } ]
",
        "    customer: []\n",
    )
}

fn fault(harness: &Harness, side: Side, text: &str) {
    harness.company.stands[side].borrow_mut().faults.add(text).unwrap();
}

/// The slips that were made. None of them lacks a file.
fn slips(harness: &Harness) -> usize {
    let made = harness.company.stands.right.borrow().records("slip");
    for slip in &made {
        for (place, content) in [("papers[0].data", "QVZUQUxF"), ("lines[0].images[0].data", "RU4=")] {
            let held = Path::parse(place).unwrap().get(slip).and_then(Value::as_text).map(str::to_owned);
            assert_eq!(held.as_deref(), Some(content), "{place} of {slip}");
        }
    }
    made.len()
}

#[test]
fn it_waits_for_a_file_that_cannot_be_read_and_goes_with_all() {
    for text in ["unavailable:file:invoice:*", "unavailable:file:invoice_row:*", "html:file:invoice_row:*"] {
        let (mut harness, _) = story();
        fault(&harness, Side::Left, text);
        let report = run(&mut harness);
        assert_eq!((report.writes, slips(&harness)), (0, 0), "{text}: {report:#?}");
        assert_eq!(report.waiting.len() + report.set_aside.len(), 1, "{text}: {report:#?}");
        harness.company.stands.left.borrow_mut().faults = Default::default();
        let options = mapengine::run::Options { retry_all: true, ..Default::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let report = runtime.block_on(harness.run(options)).unwrap();
        assert_eq!((report.registers["receipts"].created, slips(&harness)), (1, 1), "{text}: {report:#?}");
    }
}

#[test]
fn what_is_too_large_for_one_message_is_set_aside() {
    let (mut harness, _) = story();
    for name in ["one.bin", "two.bin"] {
        let mut stand = harness.company.stands.left.borrow_mut();
        stand.add_file(
            "invoice",
            "f-1",
            "files",
            name,
            "application/octet-stream",
            vec![7; 17 * 1024 * 1024].into(),
        );
    }
    let report = run(&mut harness);
    assert_eq!((report.writes, slips(&harness)), (0, 0), "{report:#?}");
    assert!(report.set_aside[0].reason.contains("larger than 32 MiB together"), "{report:#?}");
}

#[test]
fn wherever_a_run_is_cut_it_is_made_at_most_once_and_with_all_files() {
    let (mut harness, _) = story();
    run(&mut harness);
    let stand = |side: Side| {
        let stand = harness.company.stands[side].borrow();
        stand.log().len() + usize::try_from(stand.reads()).unwrap()
    };
    let requests = [stand(Side::Left), stand(Side::Right)];
    let mut held = 0;
    for side in Side::BOTH {
        for cut in 1..=requests[side.index()] {
            let (mut harness, clock) = story();
            kill_after(&mut harness, side, cut);
            for _ in 0..4 {
                clock.advance(Duration::from_secs(3600));
                let _ = try_run(&mut harness);
            }
            let report = run(&mut harness);
            held += report.in_doubt.len();
            assert_eq!(slips(&harness), 1, "{side} {cut}: {report:#?}");
        }
    }
    // nobody can see whether it was made: a person says
    assert!(held <= 2, "{held}");
}

#[test]
fn the_journal_says_what_was_inside_without_holding_it() {
    let (mut harness, _) = story();
    run(&mut harness);
    let intents = harness.store.read_blocking(|store| store.intents(Some("receipts"), None, 9)).unwrap();
    let made = intents.iter().find(|intent| intent.resource == "slip").unwrap();
    let text = made.request.to_json();
    assert!(!text.contains("QVZUQUxF") && text.contains(" of 6 bytes, sha256 "), "{text}");
    assert!(!made.lookup.to_json().contains("QVZUQUxF") && !made.then.to_json().contains("QVZUQUxF"));
}
