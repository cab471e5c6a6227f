//! What the sample systems become.

use std::path::Path as FilePath;
use std::time::Duration;

use super::{compile_system, record_type};
use crate::diagnostic::{Diagnostics, Format, Sources, render};
use crate::program::system::{
    Auth, EncodingKind, NewId, Paging, PathTemplate, Piece, Reserve, Resource, System,
};
use crate::program::types::Type;
use crate::spec::load::load_system;
use crate::value::from_json_str;

fn compiled(name: &str) -> System {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let path = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("tests/systems").join(name);
    let spec = load_system(&mut sources, &path, &mut found);
    let system = spec.and_then(|spec| compile_system(&spec, &sources, &mut found));
    system.unwrap_or_else(|| panic!("{}", render(&found, &sources, Format::Human { color: false })))
}

/// A path template as it would be written.
fn shown(template: &PathTemplate) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Field(path) => format!("{{{path}}}"),
    };
    template.pieces.iter().map(piece).collect()
}

fn names(resource: &Resource) -> Vec<String> {
    resource.fields.iter().map(|field| field.name.to_string()).collect()
}

#[test]
fn defaults_are_filled_in() {
    let shop = compiled("shop.yaml");
    let customer = &shop.resources["customer"];
    assert_eq!(shown(&customer.list.as_ref().unwrap().path), "/customers");
    assert!(matches!(customer.list.as_ref().unwrap().pager.kind, Paging::NextToken { .. }));
    assert_eq!(shown(&customer.get.as_ref().unwrap().path), "/customers/{guid}");
    let create = customer.create.as_ref().unwrap();
    assert_eq!(shown(&create.path), "/customers");
    assert_eq!(create.encoding.kind, EncodingKind::Json);
    assert!(create.record.as_ref().unwrap().is_root());
    let update = customer.update.as_ref().unwrap();
    assert_eq!((update.method, shown(&update.path).as_str()), ("PATCH", "/customers/{guid}"));
    assert_eq!(update.encoding.kind, EncodingKind::JsonPatch);
    assert_eq!(update.encoding.patch_op, "Replace");
    assert!(customer.delete.is_none());
    assert!(shop.resources["item"].delete.is_some());
    assert_eq!(names(customer)[..4], ["guid", "created", "changed", "number"]);
    assert_eq!(customer.cursor.as_ref().unwrap().overlap, Duration::from_secs(600));
    assert_eq!(shop.timeout, Duration::from_secs(60));
    assert_eq!(shop.settle_after, Duration::from_secs(300));
    assert!(
        matches!(&shop.auth, Auth::ClientCredentials(auth) if auth.url == "/token" && auth.scopes.len() == 2)
    );
}

#[test]
fn a_singleton_is_read_and_nothing_else() {
    let shop = compiled("shop.yaml");
    let company = &shop.resources["company"];
    assert!(company.list.is_none() && company.create.is_none() && company.key.is_empty());
    assert_eq!(shown(&company.get.as_ref().unwrap().path), "/company");
    assert_eq!(names(company), ["id", "name", "currency"]);
    assert_eq!(company.id_of(&from_json_str("{}").unwrap()).as_deref(), Some("company"));
}

#[test]
fn what_is_read_only_is_not_written() {
    let shop = compiled("shop.yaml");
    let country = &shop.resources["country"];
    assert!(!country.writable && country.create.is_none() && country.update.is_none());
    assert!(country.cursor.is_none());
    let guid = shop.resources["item"].field("guid").unwrap();
    assert!(guid.read.is_some() && guid.write.is_none());
}

#[test]
fn a_pivot_object_has_the_members_of_the_child() {
    let shop = compiled("shop.yaml");
    let customer = &shop.resources["customer"];
    let address = customer.field("mainAddress").unwrap();
    let pivot = address.pivot.as_ref().unwrap();
    assert_eq!((pivot.part.as_str(), pivot.resource.as_str()), ("addresses", "address"));
    assert!(address.read.is_none() && address.write.is_none());
    let ty = record_type(customer);
    let address = ty.member("mainAddress").unwrap();
    assert_eq!(address.member("city"), Some(&Type::Text));
    assert_eq!(address.member("main"), None, "the pivot gives it");
    assert_eq!(address.member("customer"), None, "the parent gives it");
}

#[test]
fn a_list_below_a_parent_keeps_its_place() {
    let shop = compiled("shop.yaml");
    let address = &shop.resources["address"];
    let list = &address.list.as_ref().unwrap().path;
    assert_eq!(shown(list), "/customers/{customer.guid}/addresses");
    let field = address.field("customer.guid").unwrap();
    assert_eq!(field.reference.as_ref().unwrap().resource, "customer");
    assert_eq!(shown(&address.create.as_ref().unwrap().path), "/customers/{customer.guid}/addresses");
}

#[test]
fn dotted_fields_are_nested_in_the_type() {
    let shop = compiled("shop.yaml");
    let ty = record_type(&shop.resources["item"]);
    assert_eq!(ty.member("price").and_then(|price| price.member("amount")), Some(&Type::Decimal));
}

#[test]
fn keys_and_identities_keep_apart() {
    let ledger = compiled("ledger.yaml");
    let customer = &ledger.resources["customer"];
    let record = from_json_str(r#"{"id": 7, "number": "K-1"}"#).unwrap();
    assert_eq!(customer.id_of(&record).as_deref(), Some("7"));
    assert_eq!(customer.key_of(&record).as_deref(), Some("K-1"));
    assert_eq!(shown(&customer.get.as_ref().unwrap().path), "/customers/{number}");
    let update = customer.update.as_ref().unwrap();
    assert_eq!((update.method, shown(&update.path).as_str()), ("PUT", "/customers/internal/{id}"));
    assert_eq!(update.encoding.wrap.as_deref(), Some("value"));
    let create = customer.create.as_ref().unwrap();
    assert!(matches!(&create.id, NewId::Header { name, last_segment: true } if name == "Location"));
    assert!(matches!(ledger.limits.quota.as_ref().unwrap().reserve, Reserve::Percent(5)));
    assert_eq!(ledger.limits.rate, None);
}

#[test]
fn a_lookup_knows_its_field() {
    let ledger = compiled("ledger.yaml");
    let country = ledger.resources["customer"].field("country").unwrap();
    let target = &country.lookup.as_ref().unwrap().target;
    assert_eq!((target.resource.as_str(), target.field.to_string().as_str()), ("country", "iso"));
    assert_eq!(country.read.as_ref().unwrap().to_string(), "country.id");
    assert_eq!(country.write.as_ref().unwrap().to_string(), "countryId");
}
