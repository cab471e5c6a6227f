//! A state that was lost or restored from a backup: nothing is made a second time.

mod common;

use std::time::Duration;

use common::{counts, edit, record, run, timed_harness_of};
use mapengine::store::{Handle, Mode};
use mapengine::value::{Side, Value};

const SHOP: &str = r#"
    customer:
      - { number: 1, name: Fjord AS, active: true }
      - { number: 2, name: Bakke AS, active: true }
"#;

const SETTLE: Duration = Duration::from_secs(300);

/// A customer is made after the backup, and one write is still under way when the state is lost.
#[test]
fn nothing_is_sent_from_a_restored_state_while_a_write_may_still_arrive() {
    for lost in ["restored", "removed"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let (mut harness, clock) = timed_harness_of("shop_ledger", SHOP, "");
        harness.settle_after = Some(SETTLE);
        harness.store = Handle::open(&path, Mode::Write).unwrap();
        run(&mut harness);
        let close = |harness: &mut mapengine::case::Harness| {
            harness.store = Handle::open(std::path::Path::new(""), Mode::InMemory).unwrap();
        };
        close(&mut harness);
        let backup = std::fs::read(&path).unwrap();

        harness.store = Handle::open(&path, Mode::Write).unwrap();
        // one new customer is made; the create of another has no answer and takes effect after a minute
        let add = |harness: &mapengine::case::Harness, number: i64, name: &str| {
            let stand = &harness.company.stands;
            let resource = stand.left.borrow().system().resources["customer"].clone();
            let of = [("number".to_owned(), Value::from(number)), ("name".to_owned(), Value::text(name))];
            stand.left.borrow_mut().insert(&resource, &Value::Map(of.into_iter().collect())).unwrap();
        };
        add(&harness, 3, "Vik AS");
        run(&mut harness);
        add(&harness, 4, "Nes AS");
        harness.company.stands.right.borrow_mut().faults.add("late_arrival=60s:create:*:1").unwrap();
        let report = run(&mut harness);
        assert_eq!(report.in_doubt.len(), 1, "{report:#?}");
        close(&mut harness);
        match lost {
            "restored" => std::fs::write(&path, backup).unwrap(),
            _ => std::fs::remove_file(&path).unwrap(),
        }
        harness.store = Handle::open(&path, Mode::Write).unwrap();

        edit(
            &harness,
            Side::Left,
            "customer",
            &[("name", Value::text("Bakke AS"))],
            &[("vatNumber", Value::text("7"))],
        );
        let report = run(&mut harness);
        assert_eq!(report.writes, 0, "{lost}: {report:#?}");
        assert!(
            report.waiting.iter().any(|one| one.reason.contains("nothing is sent before")),
            "{report:#?}"
        );
        // what is there is linked meanwhile
        record(&harness, Side::Right, "customer", "name", "Vik AS");
        clock.advance(SETTLE);
        let report = run(&mut harness);
        assert_eq!(counts(&report, "customers").created, 0, "{lost}: {report:#?}");
        assert_eq!(
            record(&harness, Side::Right, "customer", "name", "Bakke AS").get("vatNumber"),
            Some(&Value::text("7"))
        );
        assert_eq!(harness.company.stands.right.borrow().records("customer").len(), 4, "{lost}");
        // the doubt is over
        let report = run(&mut harness);
        assert_eq!(
            (report.writes, report.waiting.len(), report.notes.len()),
            (0, 0, 0),
            "{lost}: {report:#?}"
        );
    }
}
