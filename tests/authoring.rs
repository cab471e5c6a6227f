//! `new` and `docs`: what is begun for a person passes `validate`, and says what it guessed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mapengine::diagnostic::{Diagnostics, Sources};
use mapengine::program::mapping_compile::Answers;
use mapengine::program::open::Opened;

fn mapengine(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mapengine")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Compares with a file, or writes it (`UPDATE=1 cargo test`).
fn same_as(file: &Path, found: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, found).unwrap();
    }
    let wanted = std::fs::read_to_string(file).unwrap_or_default();
    assert!(wanted == found, "{} differs; UPDATE=1 writes it anew:\n{found}", file.display());
}

fn valid(file: &Path) {
    let output = mapengine(&["validate", &file.to_string_lossy()]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("nothing wrong"), "{}", text(&output.stdout));
}

/// The skeleton of a sample, written to a folder of its own.
fn skeleton(sample: &str, more: &[&str]) -> (tempfile::TempDir, PathBuf, Output) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("system.yaml");
    let sample = format!("tests/openapi/{sample}");
    let out = file.to_string_lossy().into_owned();
    let mut args = vec!["new", "system", "--openapi", &sample, "--out", &out];
    args.extend(more);
    let output = mapengine(&args);
    (folder, file, output)
}

fn sample(name: &str, stem: &str) {
    let (_folder, file, output) = skeleton(name, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    valid(&file);
    let made = std::fs::read_to_string(&file).unwrap();
    same_as(&Path::new("tests/openapi").join(format!("{stem}.skeleton.yaml")), &made);
}

#[test]
fn a_system_from_swagger_2() {
    sample("billing_2.json", "billing_2");
}

#[test]
fn a_system_from_openapi_3_0() {
    sample("people_30.yaml", "people_30");
}

#[test]
fn a_system_from_openapi_3_1() {
    sample("stock_31.yaml", "stock_31");
}

#[test]
fn only_the_resources_that_were_asked_for() {
    let (_folder, file, output) = skeleton("people_30.yaml", &["--resources", "project"]);
    assert!(output.status.success());
    valid(&file);
    let made = std::fs::read_to_string(&file).unwrap();
    assert!(made.contains("\n  project:") && !made.contains("\n  person:"), "{made}");
    // what is not there is not referred to, and its scopes are not asked for
    assert!(!made.contains("ref: person") && !made.contains("people:read"), "{made}");
}

#[test]
fn what_cannot_be_a_skeleton_is_said() {
    for (content, said) in [
        ("{\"a\": 1}", "api.json: this is no OpenAPI document"),
        ("{\"openapi\": \"4.0.0\", \"paths\": {}}", "OpenAPI 4.0.0 is not understood"),
        ("{\"openapi\": \"3.0.0\", \"info\": {}, \"paths\": {}}", "this document describes no paths"),
        ("{\"openapi\": ", "api.json is neither JSON nor YAML: EOF while parsing"),
        (
            "{\"openapi\": \"3.0.0\", \"paths\": {\"/ping\": {\"get\": {\"responses\": {\"200\": {}}}}}}",
            "no path of this document answers records with a key",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("api.json");
        std::fs::write(&file, content).unwrap();
        let output = mapengine(&["new", "system", "--openapi", &file.to_string_lossy()]);
        assert_eq!(output.status.code(), Some(2));
        let said_is = text(&output.stderr);
        assert!(said_is.contains("error[ME0118]") && said_is.contains(said), "{said_is}");
        assert!(output.stdout.is_empty());
    }
    let (_folder, file, output) = skeleton("people_30.yaml", &["--resources", "projekt"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean `project`?"), "{}", text(&output.stderr));
    assert!(!file.exists());
}

#[test]
fn a_file_that_is_there_is_not_overwritten() {
    let (_folder, file, output) = skeleton("stock_31.yaml", &[]);
    assert!(output.status.success());
    std::fs::write(&file, "# my work\n").unwrap();
    let output = mapengine(&[
        "new",
        "system",
        "--openapi",
        "tests/openapi/stock_31.yaml",
        "--out",
        &file.to_string_lossy(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# my work\n");
}

#[test]
fn the_manual_of_a_mapping() {
    let output = mapengine(&["docs", "mappings/examples/hello.yaml"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    same_as(Path::new("tests/manual/hello.en.md"), &text(&output.stdout));
    for language in ["sv", "nb", "fi"] {
        let output = mapengine(&["docs", "mappings/examples/hello.yaml", "--language", language]);
        same_as(Path::new(&format!("tests/manual/hello.{language}.md")), &text(&output.stdout));
    }
}

/// Documents, rows, steps and a status flow, in every language.
#[test]
fn the_manual_of_documents() {
    for language in ["en", "sv", "nb", "fi"] {
        let output = mapengine(&["docs", "tests/mappings/shop_documents.yaml", "--language", language]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        same_as(Path::new(&format!("tests/manual/shop_documents.{language}.md")), &text(&output.stdout));
    }
}

#[test]
fn every_shipped_mapping_has_a_whole_manual() {
    let mut seen = 0;
    for entry in std::fs::read_dir("mappings").unwrap() {
        let file = entry.unwrap().path();
        let name = file.to_string_lossy().into_owned();
        if !name.ends_with(".yaml") || name.ends_with(".test.yaml") {
            continue;
        }
        seen += 1;
        let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
        let opened = Opened::read(&file, &mut sources, &mut found).unwrap();
        let program = opened.program(&Answers::None, &sources, &mut found).unwrap();
        // nothing of what is written is left out, whatever the settings say
        assert_eq!(program.registers.len(), opened.mapping.registers.iter().count(), "{name}");
        assert_eq!(program.documents.len(), opened.mapping.documents.iter().count(), "{name}");
        let flows = program.documents.iter().filter(|one| one.flow.is_some()).count();
        for language in ["en", "sv", "nb", "fi"] {
            let markdown = mapengine(&["docs", &name, "--language", language]);
            assert!(markdown.status.success(), "{}", text(&markdown.stderr));
            let markdown = text(&markdown.stdout);
            for one in program.all() {
                let title = one.titles.in_language(language).unwrap_or(&one.title);
                assert!(markdown.contains(&format!("\n### {title}\n")), "{name}, {language}: {title}");
            }
            for setting in program.settings.keys() {
                assert!(markdown.contains(&format!("| `{setting}` |")), "{name}, {language}: {setting}");
            }
            assert_eq!(markdown.matches("```mermaid\n").count(), flows, "{name}, {language}");
            for role in
                program.documents.iter().filter_map(|one| one.flow.as_ref()).flat_map(|one| &one.roles)
            {
                let own = [format!("** `{role}` |"), format!("| **{role}** |")];
                assert!(own.iter().any(|own| markdown.contains(own)), "{name}, {language}: {role}");
            }
            let page = mapengine(&["docs", &name, "--language", language, "--format", "html"]);
            assert_eq!(text(&page.stdout).matches("<svg ").count(), flows, "{name}, {language}");
        }
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn the_manual_as_one_page() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manual.html");
    let output = mapengine(&[
        "docs",
        "mappings/financials.yaml",
        "--format",
        "html",
        "--language",
        "fi",
        "--out",
        &file.to_string_lossy(),
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.contains("<html lang=\"fi\">") && page.contains("<h1>"), "{page}");
    // it needs nothing from anywhere, and what stands in it cannot run
    // the arrow heads of a picture stand in the picture
    let page = page.replace("url(#tip", "");
    for outside in ["http://", "https://", "src=", "url(", "@import", "<script", "<link", "onload"] {
        assert!(!page.contains(outside), "{outside}");
    }
    // what the mapping says is escaped
    assert!(page.contains("erp.status in [&#x27;Completed&#x27;"), "{page}");
    // every kind of thing is told: a setting, a check, a field by its label, a heading in the language
    for told in [
        "customer_class",
        "CS203000",
        "Inventory ID",
        "Rekisterit",
        ">laskut ja hyvityslaskut</h3>",
        "hyvityslasku",
    ] {
        assert!(page.contains(told), "{told}");
    }
}

#[test]
fn labels_in_the_reader_s_language() {
    let folder = tempfile::tempdir().unwrap();
    let system = |name: &str, label: &str| {
        let text = format!(
            "system: {name}\ntitle: {name}\nbase_url: https://{name}.example\nresources:\n  customer:\n    path: /c\n    key: id\n    create: {{ post: \"{{path}}\", id: id }}\n    update: {{ patch: \"{{path}}/{{key}}\" }}\n    fields:\n      id: {{ type: id, read_only: true }}\n      name: {{ type: text, label: {label} }}\n"
        );
        std::fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
    };
    system("a", "{ en: Name, sv: Namn, fi: Nimi }");
    system("b", "Title");
    let mapping = folder.path().join("m.yaml");
    std::fs::write(
        &mapping,
        "mapping: m\ntitle: A – B\nsystems: { a: a.yaml, b: b.yaml }\nregisters:\n  customers:\n    a: { resource: customer }\n    b: { resource: customer }\n    match: [ name ]\n    fields:\n      - { a: name, b: name }\n",
    )
    .unwrap();
    for (language, row) in [
        ("en", "| Name | ↔ | Title |"),
        ("sv", "| Namn | ↔ | Title |"),
        ("nb", "| Name | ↔ | Title |"),
        ("fi", "| Nimi | ↔ | Title |"),
    ] {
        let output = mapengine(&["docs", &mapping.to_string_lossy(), "--language", language]);
        let made = text(&output.stdout);
        assert!(made.contains(row), "{made}{}", text(&output.stderr));
    }
    // a language that is none is told
    system("b", "{ de: Titel }");
    let output = mapengine(&["docs", &mapping.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("unknown key"), "{}", text(&output.stderr));
}

#[test]
fn a_mapping_between_two_systems() {
    let folder = tempfile::tempdir_in("tests").unwrap();
    for (left, right, golden) in [
        ("mappings/examples/systems/shop.yaml", "mappings/examples/systems/ledger.yaml", "shop_ledger"),
        ("tests/openapi/billing_2.skeleton.yaml", "tests/openapi/stock_31.skeleton.yaml", "billing_stock"),
        ("mappings/systems/severa.yaml", "mappings/systems/visma_net.yaml", "financials"),
    ] {
        let file = folder.path().join(format!("{golden}.yaml"));
        let output = mapengine(&["new", "mapping", left, right, "--out", &file.to_string_lossy()]);
        let said = text(&output.stderr);
        assert!(output.status.success(), "{said}");
        // on one screen
        assert!(said.lines().count() < 12 && said.contains("mapengine validate"), "{said}");
        valid(&file);
        let made = std::fs::read_to_string(&file).unwrap();
        same_as(&Path::new("tests/proposed").join(format!("{golden}.txt")), &made);
    }
}

#[test]
fn two_systems_with_nothing_in_common() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m.yaml");
    let output = mapengine(&[
        "new",
        "mapping",
        "mappings/examples/systems/shop.yaml",
        "tests/openapi/stock_31.skeleton.yaml",
        "--out",
        &file.to_string_lossy(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no resource of the two systems"), "{}", text(&output.stderr));
    assert!(!file.exists());
}

/// The blocks of the guide: their info string and text.
fn blocks(guide: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in guide.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

#[test]
fn the_guide_holds() {
    let output = mapengine(&["docs", "guide"]);
    assert!(output.status.success());
    let folder = tempfile::tempdir().unwrap();
    let (mut files, mut commands) = (0, Vec::new());
    for (info, block) in blocks(&text(&output.stdout)) {
        assert!(!info.starts_with("yaml") || info.contains("file="), "every snippet is tried: {block}");
        if let Some(name) = info.strip_prefix("yaml file=") {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, block).unwrap();
            files += 1;
        } else if info == "sh run" {
            commands.extend(block.lines().map(str::to_owned));
        }
    }
    assert_eq!((files, commands.len()), (7, 9));
    let said: Vec<(bool, String)> = commands
        .iter()
        .map(|command| {
            let args: Vec<&str> = command.split(' ').skip(1).collect();
            let output = Command::new(env!("CARGO_BIN_EXE_mapengine"))
                .args(&args)
                .current_dir(folder.path())
                .env("XDG_DATA_HOME", folder.path().join("data"))
                .output()
                .unwrap();
            let all = text(&output.stdout) + &text(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{command}\n{all}");
            (args[0] == "run", all)
        })
        .collect();
    // what the guide says of the three runs
    let runs: Vec<&str> = said.iter().filter(|(is_run, _)| *is_run).map(|(_, all)| all.as_str()).collect();
    let counts = |run: &str| -> Vec<String> {
        let line = run.lines().find(|line| line.starts_with("customers ")).unwrap().to_owned();
        line.split_whitespace().skip(1).take(3).map(str::to_owned).collect()
    };
    assert_eq!(counts(runs[0]), ["1", "2", "·"], "{}", runs[0]);
    assert_eq!(counts(runs[1])[2], "1", "{}", runs[1]);
    assert_eq!(counts(runs[2])[1..], ["·", "·"], "{}", runs[2]);
    // all files together, the connection and what was begun too; the description is none of ours
    let output = mapengine(&["validate", &folder.path().to_string_lossy()]);
    assert_eq!(text(&output.stdout), "8 files checked, nothing wrong\n");
    let description = folder.path().join("desk-api.yaml");
    let output = mapengine(&["validate", &description.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("error[ME0115]"), "{}", text(&output.stdout));
}
