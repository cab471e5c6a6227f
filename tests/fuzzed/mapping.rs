//! YAML text as a mapping, a system, a connection, cases or a sandbox: read, compiled, and every finding drawn.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use mapengine::diagnostic::{Diagnostics, Format, Level, Sources, render};
use mapengine::program::open::Opened;
use mapengine::program::system::System;
use mapengine::program::system_compile::compile_system;
use mapengine::spec::cases::Cases;
use mapengine::spec::load::{FileKind, connection_text, mapping_text, system_text};
use mapengine::spec::sandbox::Sandbox;
use mapengine::spec::yaml::{from_node, parse};
use mapengine::value::{Both, Value, from_json_str};

/// The two systems that mappings are compiled for, whatever files they name.
static SYSTEMS: LazyLock<Both<Arc<System>>> = LazyLock::new(|| Both {
    left: Arc::new(super::system("shop.yaml", include_str!("../systems/shop.yaml"))),
    right: Arc::new(super::system("ledger.yaml", include_str!("../systems/ledger.yaml"))),
});

/// Whether nothing is wrong with it.
pub fn run(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let path = Path::new("fuzzed.yaml");
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let kind = parse(&mut sources, path, text, &mut found).as_ref().and_then(FileKind::of);
    let mut found = Diagnostics::new();
    let taken = match kind {
        None => {
            let node = parse(&mut sources, path, text, &mut found);
            assert!(node.is_some() || found.has_errors(), "refused without a word");
            false
        }
        Some(FileKind::System) => {
            let system = system_text(&mut sources, path, text, &mut found)
                .and_then(|system| compile_system(&system, &sources, &mut found));
            for resource in system.iter().flat_map(|system| system.resources.values()) {
                let system = system.as_ref().expect("it has resources");
                super::written(system, resource, &super::full_record(resource));
            }
            system.is_some()
        }
        Some(FileKind::Mapping) => match mapping_text(&mut sources, path, text, &mut found) {
            Some(mapping) if mapping.systems.len() == 2 => {
                let names: Vec<&String> = mapping.systems.iter().map(|(name, _)| &name.value).collect();
                let names = Both { left: names[0].clone(), right: names[1].clone() };
                let opened = Opened { path: PathBuf::from(path), mapping, names, systems: SYSTEMS.clone() };
                opened.check(&sources, &mut found).is_some()
            }
            // `Opened::read` says that there must be two
            Some(_) => return false,
            None => false,
        },
        Some(FileKind::Connection) => connection_text(&mut sources, path, text, &mut found).is_some(),
        Some(FileKind::Cases) => {
            let node = parse(&mut sources, path, text, &mut found);
            node.and_then(|node| from_node::<Cases>(&node, &mut found)).is_some()
        }
        Some(FileKind::Sandbox) => {
            let node = parse(&mut sources, path, text, &mut found);
            node.and_then(|node| from_node::<Sandbox>(&node, &mut found)).is_some()
        }
    };
    assert!(taken || kind.is_none() || found.has_errors(), "refused without a word");
    drawn(&found, &sources);
    taken && !found.has_errors()
}

/// Every finding is drawn in every form.
fn drawn(found: &Diagnostics, sources: &Sources) {
    let plain = render(found, sources, Format::Human { color: false });
    let colored = render(found, sources, Format::Human { color: true });
    for one in found {
        let level = if one.level == Level::Error { "error" } else { "warning" };
        assert!(plain.contains(&format!("{level}[{}]", one.code.id)), "{} is not shown", one.code.id);
        assert!(colored.contains(one.code.id), "{} is not shown in colours", one.code.id);
    }
    assert!(!plain.contains('\u{1b}'), "a terminal would do something");
    let json = from_json_str(&render(found, sources, Format::Json)).expect("it is JSON");
    assert!(json.as_list().is_some_and(|all| all.len() >= found.len()), "some are not listed");
    for one in json.as_list().unwrap_or_default() {
        // a finding with a place has a line and a column, from 1
        let at = |name| one.get(name).map(|value: &Value| value.is_true());
        assert!(at("line") != Some(false) && at("column") != Some(false), "{one}");
    }
    let github = render(found, sources, Format::Github);
    assert!(github.lines().all(|line| line.starts_with("::")), "no workflow command: {github}");
    assert!(github.lines().count() >= found.len(), "some are not told");
}
