//! The shipped system files where documents need them: what they declare, and the requests that come of it.

use std::path::Path as FilePath;

use mapengine::diagnostic::{Diagnostics, Format, Sources, render};
use mapengine::program::open::Opened;
use mapengine::program::system::Resource;
use mapengine::sandbox::{Company, Stand};
use mapengine::spec::load::load_sandbox;
use mapengine::value::{Path, Side, Value, from_json_str};
use mapengine::wire::serve::encode_answer;
use mapengine::wire::{Write, decode, encode, fill, list_query, plan_create, plan_update};
use rust_decimal::{Decimal, RoundingStrategy};

/// The sandbox's company of the shipped mapping.
fn company() -> Company {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let opened = Opened::read(FilePath::new("mappings/financials.yaml"), &mut sources, &mut found);
    let data = load_sandbox(&mut sources, FilePath::new("mappings/sandbox/financials.yaml"), &mut found);
    let text = render(&found, &sources, Format::Human { color: false });
    let (Some(opened), Some(data)) = (opened, data) else { panic!("{text}") };
    Company::new(opened.names.clone(), &opened.systems, &data).unwrap_or_else(|error| panic!("{error}"))
}

fn json(text: &str) -> Value {
    from_json_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn amount(record: &Value, path: &str) -> Decimal {
    match Path::parse(path).unwrap().get(record) {
        Some(Value::Number(number)) => *number,
        other => panic!("{path} is {other:?} in {}", record.to_json()),
    }
}

fn text(record: &Value, path: &str) -> String {
    Path::parse(path).unwrap().get(record).and_then(Value::scalar_text).unwrap_or_default()
}

fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// Where a member of a list field is written.
fn member(resource: &Resource, list: &str, name: &str) -> Option<String> {
    let list = resource.field(list)?;
    let member = list.fields.iter().find(|member| member.name.to_string() == name)?;
    Some(member.write.as_ref()?.to_string())
}

#[test]
fn invoices_and_credit_notes_differ_by_name_only() {
    let company = company();
    let erp = company.stands[Side::Right].borrow();
    let (invoice, note) =
        (&erp.system().resources["customer_invoice"], &erp.system().resources["credit_note"]);
    let total = invoice.field("total").unwrap();
    let of: Vec<String> = total.sum.iter().map(Path::to_string).collect();
    assert_eq!(of, ["vatTaxableTotalInCurrency", "vatExemptTotalInCurrency", "vatTotalInCurrency"]);
    assert!(total.read_only && note.field("total").unwrap().sum == total.sum);
    let write = |resource: &Resource, field: &str| resource.field(field)?.write.as_ref().map(Path::to_string);
    assert_eq!(write(invoice, "lines").as_deref(), Some("invoiceLines"));
    assert_eq!(write(note, "lines").as_deref(), Some("lines"));
    assert_eq!(write(invoice, "billingAddress").as_deref(), Some("billingAddress"));
    assert_eq!(write(note, "billingAddress").as_deref(), Some("invoiceAddress"));
    assert_eq!(write(note, "paymentReference"), None);
    assert!(note.field("documentDueDate").is_none() && note.field("creditTermsDays").is_none());
    assert_eq!(member(invoice, "lines", "taskId").as_deref(), Some("taskId"));
    assert_eq!(member(invoice, "lines", "lineNumber"), None);
    let supplier = &erp.system().resources["supplier_invoice"];
    assert_eq!(
        supplier.key.iter().map(Path::to_string).collect::<Vec<_>>(),
        ["documentType", "referenceNumber"]
    );
    assert!(!supplier.writable);
}

#[test]
fn an_invoice_has_its_rows_and_a_status_that_is_a_record() {
    let company = company();
    let severa = company.stands[Side::Left].borrow();
    let invoice = &severa.system().resources["invoice"];
    let rows = invoice.field("rows").unwrap();
    let pivot = rows.pivot.as_ref().unwrap();
    assert!(pivot.many && pivot.resource == "invoice_row" && rows.read_only);
    assert_eq!(invoice.field("status.guid").unwrap().reference.as_ref().unwrap().resource, "invoice_status");
    assert!(invoice.create.is_none() && invoice.delete.is_none());
    // what an update may carry, and nothing else
    let written: Vec<String> = invoice
        .fields
        .iter()
        .filter(|field| field.write.is_some())
        .map(|field| field.name.to_string())
        .collect();
    assert_eq!(written, ["status.guid", "number", "referenceNumber", "paymentDate"]);
    assert!(severa.system().resources["project_fee"].delete.is_some());
}

/// A request as the request log writes it.
fn logged(stand: &Stand, writes: &[Write], current: &Value) -> String {
    let system = stand.system();
    let [write] = writes else { panic!("one write, not {writes:?}") };
    let out = encode(system, &system.resources[&write.resource], write, current, stand).unwrap();
    assert!(out.query.is_empty());
    format!(
        r#"{{"system":"{}","resource":"{}","method":"{}","path":"{}","query":[],"body":{}}}"#,
        system.name,
        out.resource,
        out.method,
        out.path,
        out.body.map_or("null".into(), |body| body.to_json())
    )
}

/// The list of what changed, with every filter that is declared, as the request log writes it.
fn listed(stand: &Stand, resource: &str, since: &str, parent: &str) -> String {
    let system = stand.system();
    let resource = &system.resources[resource];
    let call = resource.list.as_ref().unwrap();
    let filters: Vec<(String, Value)> = resource
        .search
        .keys()
        .map(|field| {
            let ty = resource.field(field).map(|field| field.ty.to_string()).unwrap_or_default();
            let value = match ty.as_str() {
                "date" => Value::text("2026-10-30"),
                "integer" => Value::from(100_087_i64),
                _ => Value::text("Open"),
            };
            (field.clone(), value)
        })
        .collect();
    let nothing = json("{}");
    let mut query: Vec<(String, String)> = call
        .query
        .iter()
        .map(|(name, template)| (name.clone(), template.render(&nothing).unwrap()))
        .collect();
    query.extend(list_query(resource, resource.cursor.as_ref().map(|_| since), &filters));
    let path = fill(&call.path, &json(parent), resource.encoding.path_escape).unwrap();
    let pair = |(name, value): &(String, String)| Value::List(vec![Value::text(name), Value::text(value)]);
    format!(
        r#"{{"system":"{}","resource":"{}","method":"GET","path":"{path}","query":{},"body":null}}"#,
        system.name,
        resource.name,
        Value::List(query.iter().map(pair).collect()).to_json()
    )
}

/// `tests/contract/run.sh` holds the same lines against the vendors' documents.
#[test]
fn requests_are_those_that_the_contract_check_looks_at() {
    let company = company();
    let (severa, erp) = (company.stands[Side::Left].borrow(), company.stands[Side::Right].borrow());
    let made = |stand: &Stand, resource: &str, record: &str| {
        let system = stand.system();
        let writes = plan_create(system, &system.resources[resource], &json(record)).unwrap();
        logged(stand, &writes, &Value::Map(mapengine::value::Map::new()))
    };
    let header = r#""customerNumber":"10001","contact":1,"documentDate":"2026-10-30","externalReference":"NE-4471",
        "customerRefNumber":"4500012345","invoiceText":"Silje Brandt\nArbeid utført i oktober",
        "note":"33333333-0000-4000-8000-000000000001","currencyId":"EUR","exchangeRate":11.725,"branchNumber":"1",
        "project":"1001","sendToAutoInvoice":false,"hold":false,"invoiceContact":{"name":"Nordlys Energi AS"},
        "billingAddress":{"addressLine1":"Storgata 12","postalCode":"9008","city":"Tromsø"},
        "lines":[{"inventoryNumber":"W-11","description":"Rådgivning, senior","quantity":12.5,"uom":"TIME",
            "unitPriceInCurrency":1650.00,"branchNumber":"1","taskId":"10"}]"#;
    let invoice = format!(
        r#"{{{header},"documentDueDate":"2026-11-29","creditTermsDays":30,"paymentReference":"0123456"}}"#
    );
    let fee = r#"{"project":{"guid":"22222222-0000-4000-8000-000000001001"},"description":"Grunnboring, 000201, 50011",
        "eventDate":"2026-10-12","quantity":1,"isBillable":false,"unitPrice":{"amount":0.00,"currencyCode":"NOK"},
        "unitCost":{"amount":18750.00,"currencyCode":"NOK"}}"#;
    let now = &severa.records("invoice")[0];
    let resource = &severa.system().resources["invoice"];
    let changes = [
        ("number", Value::from(100_088_i64)),
        ("referenceNumber", Value::text("1000100088")),
        ("paymentDate", Value::text("2026-11-20")),
        ("status.guid", Value::text("55555555-0000-4000-8000-000000000005")),
    ]
    .map(|(name, value)| (Path::parse(name).unwrap(), value));
    let moved = plan_update(severa.system(), resource, now, &changes).unwrap();
    let mut lines = vec![
        made(&erp, "customer_invoice", &invoice),
        made(&erp, "credit_note", &format!("{{{header}}}")),
        logged(&severa, &moved, now),
        made(&severa, "project_fee", fee),
    ];
    for (resource, key) in [("customer_invoice", "100088"), ("credit_note", "200002")] {
        let current = json(&format!(r#"{{"referenceNumber":"{key}"}}"#));
        lines.push(logged(&erp, &[Write::delete(resource, Value::Null)], &current));
    }
    let fee = json(r#"{"guid":"33333333-0000-4000-8000-000000000001"}"#);
    lines.push(logged(&severa, &[Write::delete("project_fee", Value::Null)], &fee));
    for resource in ["customer_invoice", "credit_note", "supplier_invoice"] {
        lines.push(listed(&erp, resource, "2026-11-02T07:00:00", "{}"));
    }
    for resource in ["invoice", "invoice_row", "invoice_status", "project_fee"] {
        let parent = r#"{"invoiceGuid":"33333333-0000-4000-8000-000000000001"}"#;
        lines.push(listed(&severa, resource, "2026-11-02T07:00:00Z", parent));
    }
    let expected = include_str!("contract/documents.jsonl");
    assert_eq!(lines.join("\n"), expected.trim_end(), "the lines of tests/contract/documents.jsonl");
}

#[test]
fn an_answer_is_read_with_its_total_and_its_company() {
    let company = company();
    let (severa, erp) = (company.stands[Side::Left].borrow(), company.stands[Side::Right].borrow());
    let read = |stand: &Stand, resource: &str, key: &str, value: &str| {
        let system = stand.system();
        let all = stand.records(resource);
        let record = all.iter().find(|one| text(one, key) == value).unwrap();
        let resource = &system.resources[resource];
        let wire = encode_answer(system, resource, record, stand);
        assert_eq!(wire.get("total"), None, "no server answers what a reader adds up");
        decode(system, resource, None, &wire, stand).unwrap()
    };
    let invoice = read(&erp, "customer_invoice", "referenceNumber", "100087");
    assert_eq!(amount(&invoice, "total"), Decimal::new(4_637_500, 2));
    assert_eq!((text(&invoice, "status"), text(&invoice, "creditTermsDays")), ("Open".into(), "14".into()));
    let note = read(&erp, "credit_note", "referenceNumber", "200001");
    assert_eq!(amount(&note, "total"), Decimal::new(590_250, 2));
    // the unit of the first project, also where there are more
    let gothenburg = read(&severa, "invoice", "guid", "33333333-0000-4000-8000-000000000004");
    assert_eq!(text(&gothenburg, "company"), "44444444-0000-4000-8000-000000000020");
    assert_eq!(text(&gothenburg, "projects[0].guid"), "22222222-0000-4000-8000-000000001011");
    let two = read(&severa, "invoice", "guid", "33333333-0000-4000-8000-000000000003");
    assert_eq!(text(&two, "company"), "44444444-0000-4000-8000-000000000010");
    assert_eq!(text(&two, "projects[1].guid"), "22222222-0000-4000-8000-000000001002");
}

/// Whoever adds an invoice to the sandbox has to do the sum.
#[test]
fn the_amounts_of_the_sandbox_add_up() {
    let company = company();
    let (severa, erp) = (company.stands[Side::Left].borrow(), company.stands[Side::Right].borrow());
    let rows = severa.records("invoice_row");
    let invoices = severa.records("invoice");
    assert!(invoices.len() >= 12);
    for invoice in &invoices {
        let guid = text(invoice, "guid");
        let (mut net, mut vat) = (Decimal::ZERO, Decimal::ZERO);
        for row in rows.iter().filter(|row| text(row, "invoiceGuid") == guid) {
            let price = cents(amount(row, "quantity") * amount(row, "unitPrice.amount"));
            net += price;
            vat += cents(price * amount(row, "vatRate") / Decimal::ONE_HUNDRED);
            assert_eq!(text(row, "unitPrice.currencyCode"), text(invoice, "currency.code"), "{guid}");
        }
        assert_eq!(amount(invoice, "totalExcludingTax.amount"), net, "{guid}");
        assert_eq!(amount(invoice, "totalIncludingTax.amount"), net + vat, "{guid}");
        assert_eq!(text(invoice, "totalIncludingTax.currencyCode"), text(invoice, "currency.code"), "{guid}");
    }
    for invoice in erp.records("supplier_invoice") {
        let rate = amount(&invoice, "exchangeRate");
        for line in invoice.get("lines").and_then(Value::as_list).unwrap() {
            assert_eq!(
                cents(amount(line, "costInCurrency") * rate),
                amount(line, "cost"),
                "{}",
                line.to_json()
            );
        }
    }
}

/// What the README tells: the whole life of invoices, run by run.
#[test]
fn the_sandbox_shows_the_life_of_an_invoice() {
    let data = tempfile::tempdir().unwrap();
    let mapengine = |arguments: &[&str]| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_mapengine"))
            .args(arguments)
            .env("XDG_DATA_HOME", data.path())
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let count = |report: &Value, register: &str, what: &str| {
        text(report, &format!("registers.{register}.{what}")).parse::<u64>().unwrap()
    };
    for (run, [created, updated, waiting, costs]) in
        [[4, 0, 1, 8], [3, 0, 0, 1], [0, 2, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0]].into_iter().enumerate()
    {
        let said = mapengine(&["run", "mappings/financials.yaml", "--format", "json"]);
        let report = json(said.trim());
        let found = [
            count(&report, "invoices", "created"),
            count(&report, "invoices", "updated"),
            count(&report, "invoices", "waiting"),
            count(&report, "costs", "created"),
        ];
        assert_eq!(found, [created, updated, waiting, costs], "run {}", run + 1);
        if run == 0 {
            assert_eq!(text(&report, "missing_codes[0].code"), "\"døgn\"");
            assert_eq!(text(&report, "missing_codes[0].documents"), "1");
        }
        assert!(run < 4 || text(&report, "writes") == "0", "{said}");
    }
    // those that failed are at hand, with their reasons (F-27)
    let failed = mapengine(&["set-aside", "mappings/financials.yaml", "--register", "invoices"]);
    assert!(
        failed.contains("The invoice has no rows") && failed.contains("it was deleted again in erp"),
        "{failed}"
    );
}

/// A-3: the channel is the other side's choice. Nothing that would override it can be sent at all: beside the file and its key
/// there is the format.
#[test]
fn nothing_is_said_of_the_channel() {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let opened = Opened::read(FilePath::new("mappings/autoinvoice.yaml"), &mut sources, &mut found).unwrap();
    let invoice = &opened.systems.right.resources["invoice"];
    let sent: Vec<String> =
        invoice.fields.iter().filter_map(|field| Some(field.write.as_ref()?.to_string())).collect();
    assert_eq!(sent, ["format"]);
    let create = invoice.create.as_ref().unwrap();
    assert!(create.query.is_empty() && invoice.update.is_none() && invoice.delete.is_none());
    let key = create.idempotency_key.as_ref().unwrap();
    assert!(key.exists && key.kept.is_none());
    assert_eq!(create.file.as_ref().unwrap().part, "file");
}
