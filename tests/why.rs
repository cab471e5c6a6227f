//! `why` and `why-not`: the real program tells from its state, after runs over the invented systems and the shipped mapping.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A mapping of its own folder with a company, and the state of its runs.
struct Place {
    folder: tempfile::TempDir,
    mapping: String,
}

impl Place {
    fn new(mapping: &str, company: &str, edit: &dyn Fn(String) -> String) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { folder, mapping: mapping.to_owned() };
        for name in ["systems/shop.yaml", "systems/ledger.yaml"] {
            place.write(name, &std::fs::read_to_string(format!("tests/{name}")).unwrap());
        }
        let name = format!("mappings/{mapping}.yaml");
        place.write(&name, &edit(std::fs::read_to_string(format!("tests/{name}")).unwrap()));
        place.write(&format!("mappings/sandbox/{mapping}.yaml"), company);
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let to = self.path(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, text).unwrap();
    }

    fn of(&self, verb: &str, args: &[&str]) -> Output {
        let mapping = self.path(&format!("mappings/{}.yaml", self.mapping));
        mapengine(self.folder.path(), &mapping, verb, args)
    }

    fn run(&self, args: &[&str]) {
        let ran = self.of("run", args);
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }

    /// The only record that is meant, and the exit code.
    fn why_not(&self, record: &str) -> (Value, Option<i32>) {
        let (told, code) = json("why-not", &self.of("why-not", &[record, "--format", "json"]));
        let records = told["records"].as_array().unwrap();
        assert_eq!(records.len(), 1, "{told:#}");
        (records[0].clone(), code)
    }

    fn why(&self, record: &str) -> Value {
        json("why", &self.of("why", &[record, "--format", "json"])).0
    }
}

fn mapengine(data: &Path, mapping: &Path, verb: &str, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mapengine"))
        .arg(verb)
        .arg(mapping)
        .args(args)
        .env_remove("MAPENGINE_CONNECTION")
        .env("XDG_DATA_HOME", data.join("data"))
        .output()
        .unwrap()
}

/// The answer, by its schema.
fn json(kind: &str, out: &Output) -> (Value, Option<i32>) {
    let text = String::from_utf8_lossy(&out.stdout);
    let told: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&out.stderr)));
    let schema = std::fs::read_to_string(format!("schemas/{kind}.schema.json")).unwrap();
    jsonschema::validate(&serde_json::from_str(&schema).unwrap(), &told).unwrap();
    (told, out.status.code())
}

fn human(out: &Output) -> String {
    String::from_utf8(out.stdout.clone()).unwrap()
}

const REGISTERS: &str = r#"sandbox: shop_ledger
now: "2026-11-02T08:00:00Z"
systems:
  shop:
    company: [ { id: s, name: Prøve AS, currency: NOK } ]
    country: [ { name: Norway, code: "NO" } ]
    customer:
      - { guid: c-1, number: 10001, name: Fjord AS, active: true, vatNumber: NO1 }
      - { guid: c-2, name: Tvilling AS, active: true }
      - { guid: c-3, number: 10003, name: Ny AS, active: true, vatNumber: NO3 }
    item:
      - { guid: i-1, code: A-1, name: Bolt, active: true }
      - { guid: i-2, code: B-2, name: Mutter, active: false }
    project:
      - { guid: p-1, number: 1001, name: Ferdig, closed: true, customer.guid: c-1 }
      - { guid: p-2, number: 1002, name: Venter, closed: false, customer.guid: c-2 }
      - { guid: p-3, number: 1003, name: Lik, closed: false, customer.guid: c-1 }
  ledger:
    organization: [ { number: "1", name: Prøve AS, currency: NOK } ]
    country: [ { id: "1", iso: "NO" } ]
    customer:
      - { number: "10001", name: Fjord AS, status: Active, vatNumber: NO1 }
      - { number: "20001", name: Tvilling AS, status: Active }
      - { number: "20002", name: Tvilling AS, status: Active }
      - { number: "20003", name: Stille AS, status: Inactive }
    item:
      - { number: L-9, description: Gammel, status: Active }
events:
  - { before_run: 2, say: One name, side: shop, resource: customer, of: { guid: c-1 }, set: { vatNumber: NO2 } }
  - { before_run: 2, say: and the other, side: ledger, resource: customer, of: { number: "10001" }, set: { vatNumber: NO9 } }
  - { before_run: 2, say: A name, side: shop, resource: customer, of: { guid: c-3 }, set: { name: Nyere AS } }
  - { before_run: 3, say: Gone, side: ledger, resource: item, of: { number: A-1 }, delete: true }
"#;

fn registers() -> Place {
    Place::new("shop_ledger", REGISTERS, &|text| text)
}

#[test]
fn every_gate_of_a_register_is_told_with_its_condition() {
    let place = registers();
    let (before, code) = place.why_not("customers:10001");
    assert_eq!((before["at"].as_str(), code), (Some("not_found"), Some(0)));
    assert_eq!(before["reason"], "there was no run yet: nothing is known of either system");
    place.run(&[]);

    let (missing, _) = place.why_not("customers:4711");
    assert_eq!(missing["at"], "not_found");
    assert!(
        missing["reason"].as_str().unwrap().starts_with("the last read of shop or ledger"),
        "{missing:#}"
    );

    let (scope, code) = place.why_not("projects:1001");
    assert_eq!((scope["at"].as_str(), code), (Some("out_of_scope"), Some(0)));
    let condition = &scope["conditions"][0];
    assert_eq!(condition["text"], "not closed");
    assert_eq!(condition["values"]["closed"], "true");
    let line = std::fs::read_to_string("tests/mappings/shop_ledger.yaml")
        .unwrap()
        .lines()
        .position(|line| line.contains("scope: \"not closed\""))
        .unwrap();
    let wanted = format!("shop_ledger.yaml:{}", line + 1);
    assert!(condition["place"].as_str().unwrap().ends_with(&wanted), "{condition:#}");

    let (inactive, code) = place.why_not("customers:ledger:20003");
    assert_eq!((inactive["at"].as_str(), code), (Some("create_when"), Some(0)));
    assert_eq!(inactive["conditions"][0]["values"]["status"], "\"Inactive\"");

    let (many, code) = place.why_not("customers:shop:c-2");
    assert_eq!(
        (many["at"].as_str(), many["code"].as_str(), code),
        (Some("set_aside"), Some("ME0903"), Some(3))
    );
    let reason = many["reason"].as_str().unwrap();
    assert!(reason.starts_with("it is not linked yet: its name matches 2 records of ledger: "), "{reason}");
    assert!(reason.contains("20001 Tvilling AS") && reason.contains("20002 Tvilling AS"), "{reason}");
    assert_eq!((many["attempts"].as_u64(), many["since"].is_string()), (Some(1), true));

    let (waits, code) = place.why_not("projects:1002");
    assert_eq!((waits["at"].as_str(), code), (Some("waits"), Some(3)));
    assert_eq!(waits["because"][0], many);

    let (one_way, _) = place.why_not("items:L-9");
    assert_eq!((one_way["at"].as_str(), one_way["side"].as_str()), (Some("one_way"), Some("ledger")));

    let (equal, code) = place.why_not("projects:1003");
    assert_eq!((equal["at"].as_str(), code), (Some("equal"), Some(0)));
    assert!(equal["linked_to"].is_string(), "{equal:#}");

    // edited on both sides, and no master
    place.run(&[]);
    let (conflict, _) = place.why_not("customers:10001");
    assert_eq!((conflict["at"].as_str(), conflict["code"].as_str()), (Some("set_aside"), Some("ME0921")));

    place.run(&["--full"]);
    let (gone, _) = place.why_not("items:A-1");
    assert_eq!((gone["at"].as_str(), gone["code"].as_str()), (Some("set_aside"), Some("ME0909")));
    assert!(gone["reason"].as_str().unwrap().contains("its record in ledger is gone"), "{gone:#}");
}

#[test]
fn what_was_not_looked_at_goes_with_the_next_run_unless_the_run_was_held() {
    let place = registers();
    place.run(&["--record", "customers:shop:c-1"]);
    let (next, code) = place.why_not("customers:10003");
    assert_eq!((next["at"].as_str(), code), (Some("next"), Some(0)));
    assert_eq!(next["reason"], "nothing holds it: the next run makes it in ledger");

    let braked = Place::new("shop_ledger", REGISTERS, &|text| text.replace("create: 5000", "create: 1"));
    assert_eq!(braked.of("run", &[]).status.code(), Some(1));
    let (held, code) = braked.why_not("customers:10003");
    assert_eq!((held["at"].as_str(), code), (Some("run_stopped"), Some(3)));
    assert!(held["reason"].as_str().unwrap().contains("the brake `create: 1` allows 1"), "{held:#}");
    // the brake holds what would be written, and nothing else is said of the rest
    assert_eq!(braked.why_not("projects:1001").0["at"], "out_of_scope");
}

#[test]
fn a_write_without_an_answer_is_told_with_its_number() {
    let place = registers();
    place.of("run", &["--fault", "timeout_after_commit:create:customer:1"]);
    let (doubt, code) = place.why_not("customers:10003");
    assert_eq!((doubt["at"].as_str(), code), (Some("in_doubt"), Some(3)));
    assert!(doubt["write"].as_u64().is_some_and(|write| write > 0), "{doubt:#}");
    assert!(doubt["retry_at"].is_string(), "{doubt:#}");
}

#[test]
fn a_field_is_told_with_its_row_its_way_and_its_run() {
    let place = registers();
    place.run(&[]);
    let created = place.why("customers:shop:c-3.vatNumber");
    let [field] = created["fields"].as_array().unwrap().as_slice() else { panic!("{created:#}") };
    assert_eq!(field["text"], "{ shop: vatNumber, ledger: vatNumber, clear: true }");
    assert_eq!((field["from"].as_str(), &field["given"]["what"]), (Some("shop"), &"created".into()));
    assert_eq!(field["right"][0]["field"], "ledger.vatNumber");
    assert_eq!((&field["right"][0]["value"], &field["right"][0]["agreed"]), (&"NO3".into(), &"NO3".into()));
    let run = field["given"]["run"].as_str().unwrap().to_owned();

    // the number came from the other side, and back
    let number = place.why("customers:shop:c-3.shop.number");
    assert_eq!(number["fields"][0]["conversion"][0], "as integer", "{number:#}");
    assert_eq!(number["fields"][0]["rules"][0], "ledger is the master");

    // equal when they met
    let met = place.why("customers:shop:10001.vatNumber");
    assert_eq!(met["fields"][0]["given"]["what"], "linked");
    assert_eq!(met["fields"][0]["from"], Value::Null);
    assert_eq!(met["fields"][0]["changed"], false);

    place.run(&[]);
    let renamed = place.why("customers:shop:c-3.name");
    let field = &renamed["fields"][0];
    assert_eq!((&field["given"]["what"], &field["given"]["old"]), (&"updated".into(), &"Ny AS".into()));
    assert_ne!(field["given"]["run"].as_str(), Some(run.as_str()));
    // what was edited on both sides is not what was agreed on
    let edited = place.why("customers:shop:c-1.vatNumber");
    assert_eq!(edited["fields"][0]["changed"], true);
    assert_eq!(edited["fields"][0]["left"][0]["agreed"], "NO1");

    let all = place.of("why", &["customers:shop:c-3"]);
    let text = human(&all);
    for wanted in ["vatNumber", "by the code table of the row", "mainAddress.street", "→", "←"] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
}

#[test]
fn what_cannot_be_told_is_an_error_that_helps() {
    let place = registers();
    place.run(&[]);
    for (verb, record, code, wanted) in [
        ("why", "customer:1", 2, "there is no register `customer` (did you mean `customers`?)"),
        ("why-not", "customers", 2, "write REGISTER[:SIDE]:KEY"),
        ("why", "customers:shop:c-3.vatNumbr", 2, "reads or writes `vatNumbr`; did you mean `vatNumber`?"),
        ("why", "customers:shop:c-2", 1, "is not linked, so nothing was given to it"),
        ("why", "customers:4711.name", 1, "customers 4711.name: no run has read it"),
    ] {
        let out = place.of(verb, &[record]);
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(code), "{record}: {text}");
        assert!(text.contains(wanted), "{record}: {text}");
    }
}

#[test]
fn nothing_is_written_and_no_system_is_needed() {
    let place = registers();
    place.run(&[]);
    std::fs::remove_file(place.path("mappings/sandbox/shop_ledger.yaml")).unwrap();
    let folder =
        std::fs::read_dir(place.path("data/mapengine/sandbox")).unwrap().next().unwrap().unwrap().path();
    let state = || std::fs::read(folder.join("state.db")).unwrap();
    let before = state();
    for record in ["customers:shop:c-2", "projects:1002", "customers:shop:c-3"] {
        assert_eq!(place.of("why-not", &[record]).stderr, b"", "{record}");
    }
    assert!(place.of("why", &["customers:shop:c-3"]).status.success());
    assert!(before == state());
}

const DOCUMENTS: &str = r#"sandbox: shop_documents
now: "2026-11-02T08:00:00Z"
systems:
  shop:
    company: [ { id: s, name: Prøve AS, currency: NOK } ]
    customer: [ { guid: c-1, number: 10001, name: Fjord AS, active: true } ]
    item: [ { guid: i-1, code: A-1, name: Bolt, active: true } ]
    invoice_status:
      - { guid: s-0, name: Failed, position: 1, active: true, locked: false, numbered: false, paid: false }
      - { guid: s-1, name: Draft, position: 2, active: true, locked: false, numbered: false, paid: false }
      - { guid: s-2, name: Ready, position: 3, active: true, locked: true, numbered: false, paid: false }
      - { guid: s-3, name: Transferred, position: 4, active: true, locked: true, numbered: true, paid: false }
      - { guid: s-4, name: Part paid, position: 5, active: true, locked: true, numbered: true, paid: false }
      - { guid: s-5, name: Paid, position: 6, active: true, locked: true, numbered: true, paid: true }
    invoice:
      - { guid: f-1, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "125.00", rows: [ { guid: r-1, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00" } ] }
      - { guid: f-2, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "125.06", rows: [ { guid: r-2, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00" } ] }
      - { guid: f-3, status.guid: s-2, credit: true, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "-10.50" }
      - { guid: f-4, status.guid: s-1, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "0.00" }
  ledger:
    organization: [ { number: "1", name: Prøve AS, currency.id: NOK } ]
    customer: [ { number: "10001", name: Fjord AS, status: Active } ]
    invoice: [ { number: "9", customer: "10001", date: "2026-10-01", currency: NOK, memo: by hand } ]
"#;

#[test]
fn every_gate_of_a_document_is_told() {
    let place = Place::new("shop_documents", DOCUMENTS, &|text| text);
    place.run(&[]);
    let (draft, code) = place.why_not("invoices:f-4");
    assert_eq!((draft["at"].as_str(), code), (Some("not_taken"), Some(0)));
    assert_eq!(draft["reason"], "its status is 'Draft' (draft); those that are 'Ready' (ready) travel");
    assert_eq!(draft["conditions"][0]["values"]["status.guid"], "\"s-1\"");

    let (empty, code) = place.why_not("invoices:f-3");
    assert_eq!((empty["at"].as_str(), code), (Some("not_valid"), Some(3)));
    assert_eq!(empty["reason"], "The invoice has no rows");
    assert_eq!(empty["conditions"][0]["text"], "shop.rows | length > 0");

    let (apart, _) = place.why_not("invoices:f-2");
    assert_eq!((apart["at"].as_str(), apart["code"].as_str()), (Some("set_aside"), Some("ME0951")));

    let (done, _) = place.why_not("invoices:f-1");
    assert_eq!(done["at"], "equal");
    assert!(done["reason"].as_str().unwrap().contains("every step is done"), "{done:#}");

    let (own, _) = place.why_not("invoices:ledger:9");
    assert_eq!(own["at"], "one_way");
}

#[test]
fn a_document_on_demand_is_told_so() {
    let demand = |text: String| text.replacen("  invoices:\n", "  invoices:\n    run: on_demand\n", 1);
    let place = Place::new("shop_documents", DOCUMENTS, &demand);
    place.run(&[]);
    let (asked, code) = place.why_not("invoices:f-1");
    assert_eq!((asked["at"].as_str(), code), (Some("on_demand"), Some(0)));
    assert!(asked["reason"].as_str().unwrap().ends_with("`--only invoices`"), "{asked:#}");
    place.run(&["--only", "invoices"]);
    assert_eq!(place.why_not("invoices:f-1").0["at"], "equal");
    assert_eq!(place.why_not("invoices:f-4").0["at"], "not_taken");
}

const DISPATCH: &str = r#"sandbox: shop_dispatch
now: "2026-11-02T08:00:00Z"
systems:
  shop:
    company: [ { id: s, name: Prøve AS, currency: NOK } ]
    customer: [ { guid: c-1, number: 10001, name: Fjord AS, active: true } ]
    invoice_status: [ { guid: s-2, name: Ready, position: 1, active: true, locked: true, numbered: false, paid: false } ]
    invoice:
      - { guid: f-1, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "125.00", rows: [ { guid: r-1, position: 1, text: En, quantity: "1", price: "100.00" } ] }
  ledger:
    organization: [ { number: "1", name: Prøve AS, currency: NOK } ]
    customer: [ { number: "10001", name: Fjord AS, status: Active } ]
"#;

#[test]
fn a_document_on_its_way_is_told_with_its_step() {
    let place = Place::new("shop_dispatch", DISPATCH, &|text| text);
    let set = ["--set", "attachments=false"];
    // the release is asked for, and does not happen yet
    place.run(&["--fault", "effect_later=1000:action", set[0], set[1]]);
    let ask = |args: &[&str]| json("why-not", &place.of("why-not", args)).0;
    let told = ask(&["invoices:f-1", "--format", "json", set[0], set[1]]);
    let held = &told["records"][0];
    assert_eq!(held["at"], "on_the_way", "{held:#}");
    assert_eq!(held["step"], serde_json::json!({ "done": 4, "of": 5, "next": "action" }), "{held:#}");
    assert_eq!(held["reason"], "it is on the way: step 5 of 5, `action`, is next");
    assert_eq!(told["changed_since"], false);
    // another setting is another program
    assert_eq!(ask(&["invoices:f-1", "--format", "json"])["changed_since"], true);
}

#[test]
fn the_fields_of_a_document_are_told_with_its_rows_and_what_came_back() {
    let place = Place::new("shop_documents", DOCUMENTS, &|text| text);
    place.run(&[]);
    let told = place.why("invoices:f-1");
    let field = |name: &str| {
        let fields = told["fields"].as_array().unwrap();
        let is = |one: &&Value| ["left", "right"].iter().any(|side| one[side][0]["field"] == name);
        fields.iter().find(is).cloned().unwrap_or_else(|| panic!("{name}: {told:#}"))
    };
    let customer = field("ledger.customer");
    assert_eq!(customer["conversion"][0], "through the links of customers");
    assert_eq!(
        (&customer["left"][0]["value"], &customer["right"][0]["value"]),
        (&"c-1".into(), &"10001".into())
    );
    let prices = field("ledger.lines[].price");
    assert_eq!(prices["left"][0]["field"], "shop.rows[].price");
    assert_eq!(prices["right"][0]["value"], prices["left"][0]["value"]);
    assert_eq!(prices["given"]["what"], "created");
    let number = field("shop.number");
    assert_eq!((&number["given"]["what"], number["from"].as_str()), (&"written_back".into(), Some("ledger")));
    let status = field("shop.status.guid");
    assert_eq!((&status["given"]["old"], &status["left"][0]["value"]), (&"Ready".into(), &"s-3".into()));
}

#[test]
fn the_shipped_mapping_tells_why_a_project_waits() {
    let data = tempfile::tempdir().unwrap();
    let mapping = Path::new("mappings/financials.yaml");
    let of = |verb: &str, args: &[&str]| mapengine(data.path(), mapping, verb, args);
    assert!(of("run", &["--fresh"]).status.success());
    let waits = human(&of("why-not", &["projects:1018"]));
    for wanted in [
        "projects '1018 Presseverktøy' of severa: waits: Customer",
        "because",
        "customers '226 Raufoss Verktøymakeri AS' of severa: set aside: Terms (creditTermsDays): there is no credit_term with dueDay1 17 [ME0930]",
    ] {
        assert!(waits.contains(wanted), "{wanted}\n{waits}");
    }
    // its contact belongs to a customer that is not linked
    let (contact, _) = json(
        "why-not",
        &of("why-not", &["contacts:11111111-0000-4000-8000-000000000026 Geir Aas", "--format", "json"]),
    );
    assert_eq!(contact["records"][0]["at"], "parent_not_linked", "{contact:#}");
    assert_eq!(contact["records"][0]["because"][0]["label"], "226 Raufoss Verktøymakeri AS");
    let vat = human(&of("why", &["customers:10011.vatNumber"]));
    assert!(vat.contains("{ severa: vatNumber, erp: vatRegistrationId }"), "{vat}");
    assert!(vat.contains("both were equal when they were linked"), "{vat}");
}

#[test]
fn a_run_of_one_record_tells_it_in_every_case_and_counts_nothing_else() {
    let place = registers();
    place.run(&[]);
    let planned = |record: &str| {
        let out = place.of("plan", &["--record", record, "--format", "json"]);
        assert_eq!(out.status.code(), Some(0), "{record}: {}", String::from_utf8_lossy(&out.stderr));
        let told: Value = serde_json::from_slice(&out.stdout).unwrap();
        let (report, record) = (told["report"].clone(), told["report"]["record"].clone());
        let counts = report["registers"].as_object().unwrap().values().next().unwrap();
        let counted = counts.as_object().unwrap().iter().filter(|(name, _)| *name != "pairs");
        (counted.map(|(_, n)| n.as_u64().unwrap()).sum::<u64>(), record)
    };
    // linked and equal, and taken off the work list long ago: by its id, its name, and its number on the other side
    let number = planned("customers:shop:c-3").1["linked_to"].as_str().unwrap().to_owned();
    for name in ["customers:c-3", "customers:Ny AS", &format!("customers:ledger:{number}")] {
        let (count, told) = planned(name);
        assert_eq!(
            (count, told["at"].as_str(), told["action"].as_str()),
            (1, Some("equal"), Some("unchanged")),
            "{name}"
        );
        assert!(told["linked_to"].is_string(), "{name}: {told:#}");
    }
    // it waits, and for what; set aside; left out by the scope
    let (count, waits) = planned("projects:1002");
    assert_eq!((count, waits["action"].as_str()), (1, Some("wait")));
    assert_eq!(waits["because"][0]["code"], "ME0903", "{waits:#}");
    let (count, many) = planned("customers:shop:c-2");
    assert_eq!(
        (count, many["action"].as_str(), many["code"].as_str()),
        (1, Some("set_aside"), Some("ME0903"))
    );
    let (count, out) = planned("projects:1001");
    assert_eq!((count, out["at"].as_str()), (0, Some("out_of_scope")));

    // people read the same
    let told = human(&place.of("plan", &["--record", "customers:Ny AS"]));
    assert!(told.contains(&format!(" Ny AS' is c-3 of shop, linked with {number} of ledger\n")), "{told}");
    assert!(told.contains("nothing to do: it is linked with "), "{told}");
    let told = human(&place.of("retry", &["--record", "projects:1002"]));
    assert!(told.contains("… projects '1002' waits: ") && told.contains("  because\n"), "{told}");

    // a name that nobody has, and one that two have
    for (name, reason) in [
        ("customers:nosuch", "--record customers:nosuch: neither shop nor ledger has a record with this id"),
        ("customers:ledger:Tvilling AS", "2 records can be meant, name one of them: customers:ledger:"),
    ] {
        for verb in ["plan", "run", "retry"] {
            let out = place.of(verb, &["--record", name]);
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            assert_eq!(out.status.code(), Some(2), "{verb} {name}: {said}");
            assert!(said.contains(reason), "{verb} {name}: {said}");
        }
    }
}

#[test]
fn a_record_that_is_read_for_the_first_time_is_found_by_its_name_and_is_one_with_its_match() {
    let place = registers();
    let told = human(&place.of("plan", &["--record", "customers:Fjord AS"]));
    assert!(told.contains("customers '10001 Fjord AS' is c-1 of shop, not linked\n="), "{told}");
}
