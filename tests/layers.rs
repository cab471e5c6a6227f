//! Who may import whom: a room imports lower layers only.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The layers, as `src/lib.rs` draws them.
const LAYERS: [(&str, u8); 14] = [
    ("value", 0),
    ("diagnostic", 0),
    ("clock", 0),
    ("spec", 1),
    ("program", 2),
    ("plan", 3),
    ("wire", 3),
    ("authoring", 3),
    ("http", 4),
    ("store", 4),
    ("run", 5),
    ("sandbox", 6),
    ("case", 7),
    ("cli", 8),
];

/// What looks upwards or sideways, and why it may: room, what it imports, reason.
const ALLOWED: [(&str, &str, &str); 3] = [
    ("diagnostic", "value", "findings as JSON are values"),
    ("plan", "store", "records are named and handed over as the store's plain rows"),
    ("wire", "http", "a request is plain data: http::Outgoing"),
];

fn files(folder: &Path, out: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn a_room_imports_lower_layers_only() {
    let layers: BTreeMap<&str, u8> = LAYERS.into_iter().collect();
    let mut all = Vec::new();
    files(Path::new("src"), &mut all);
    let mut wrong = Vec::new();
    for file in all {
        let relative = file.strip_prefix("src").unwrap();
        let room = relative
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned();
        let Some(own) = layers.get(room.as_str()) else { continue };
        // a test may use what it needs
        if relative.to_string_lossy().contains("test") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for part in code.split("crate::").skip(1) {
            let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(other) = layers.get(name.as_str()) else { continue };
            let allowed = ALLOWED.iter().any(|(from, to, _)| *from == room && *to == name);
            if name != room && other >= own && !allowed {
                wrong.push(format!("{} (layer {own}) uses {name} (layer {other})", file.display()));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_product_is_named_in_the_code() {
    let mut all = Vec::new();
    files(Path::new("src"), &mut all);
    // put together, so that this file is not found by the same search
    let names: Vec<String> =
        [["sev", "era"], ["vis", "ma"], ["net", "visor"], ["auto", "invoice"], ["mav", "enta"]]
            .iter()
            .map(|parts| parts.concat())
            .collect();
    for file in all {
        let text = fs::read_to_string(&file).unwrap().to_lowercase();
        for name in &names {
            assert!(!text.contains(name.as_str()), "{} names {name}", file.display());
        }
    }
}
