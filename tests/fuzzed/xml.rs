//! Bytes as an XML answer of the shipped and the invented XML systems: what is read can be written, and is then read
//! the same.

use std::sync::LazyLock;

use mapengine::program::system::System;

static SYSTEMS: LazyLock<Vec<System>> = LazyLock::new(|| {
    [
        ("lower.yaml", include_str!("../../mappings/systems/netvisor.yaml")),
        ("plain.yaml", include_str!("../../mappings/systems/redmine_xml.yaml")),
        ("ledger.yaml", include_str!("../systems/ledger_xml.yaml")),
    ]
    .map(|(name, text)| super::system(name, text))
    .into()
});

/// Whether any of the systems takes it for a document.
pub fn run(bytes: &[u8]) -> bool {
    let mut any = false;
    for system in SYSTEMS.iter() {
        for told in [None, Some("text/xml; charset=iso-8859-1")] {
            let Ok(value) = system.encoding.read(bytes, told) else { continue };
            any = true;
            if let Ok(again) = system.encoding.write(&value) {
                let told = system.encoding.content_type();
                let read = system.encoding.read(&again, Some(&told));
                assert_eq!(read.as_ref(), Ok(&value), "{}", String::from_utf8_lossy(&again));
            }
            super::records(system, &value);
            // a record stands in an envelope, or in a list
            for inner in value.as_map().into_iter().flat_map(|members| members.values()) {
                for one in inner.as_list().unwrap_or(std::slice::from_ref(inner)).iter().take(3) {
                    super::records(system, one);
                }
            }
        }
    }
    any
}
