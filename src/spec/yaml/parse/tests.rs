use std::path::Path;

use super::*;
use crate::diagnostic::{Format, render};

fn read(text: &str) -> (Option<Node>, String) {
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let node = parse(&mut sources, Path::new("t.yaml"), text, &mut found);
    (node, render(&found, &sources, Format::Human { color: false }))
}

/// The tree in short: `{a:[1 "x"]}`, each scalar as its kind is; no finding is expected.
fn shape(text: &str) -> String {
    fn of(node: &Node) -> String {
        match &node.kind {
            Kind::Null => "~".into(),
            Kind::Bool(yes) => yes.to_string(),
            Kind::Number(digits) => digits.clone(),
            Kind::Text { text, .. } => format!("{text:?}"),
            Kind::List(items) => format!("[{}]", items.iter().map(of).collect::<Vec<_>>().join(" ")),
            Kind::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(key, value)| format!("{key}:{}", of(value))).collect();
                format!("{{{}}}", entries.join(" "))
            }
        }
    }
    let (node, messages) = read(text);
    assert_eq!(messages, "");
    of(&node.expect("a file without findings has a tree"))
}

#[test]
fn every_style_of_yaml_is_read() {
    assert_eq!(
        shape(
            "a: 1 # comment\nb: [0.10, {c: x}]\n# more\nd:\n  - - y1\n    - \"2\"\ne: |\n  two\n  lines\nf: >-\n  one\n  line\ng:\nh: ''\n"
        ),
        r#"{a:1 b:[0.10 {c:"x"}] d:[["y1" "2"]] e:"two\nlines\n" f:"one line" g:~ h:""}"#
    );
    assert_eq!(shape("---\na: 'it''s'\n...\n"), r#"{a:"it's"}"#);
    assert_eq!(shape("\u{feff}a: 1\r\nb: x\r\n"), r#"{a:1 b:"x"}"#);
    assert_eq!(shape("1: a\n'2': b\ntrue: c\n0.10: d\n"), r#"{1:"a" 2:"b" true:"c" 0.10:"d"}"#);
}

#[test]
fn aliases_are_written_out() {
    assert_eq!(
        shape("a: &x [1, {b: c}]\nd: *x\ne: [*x]\n"),
        r#"{a:[1 {b:"c"}] d:[1 {b:"c"}] e:[[1 {b:"c"}]]}"#
    );
    assert_eq!(shape("&k key: 1\nb: *k\nc: { *k : 2 }\n"), r#"{key:1 b:"key" c:{key:2}}"#);
    let text = "a: &x [1]\nd: *x\n";
    let node = read(text).0.unwrap();
    let place = |node: &Node| text[node.span.start as usize..node.span.end as usize].to_owned();
    let used = node.get("d").unwrap();
    assert_eq!(place(used), "*x");
    let Kind::List(items) = &used.kind else { panic!("a list") };
    assert_eq!(place(&items[0]), "1");
}

#[test]
fn places_are_exact() {
    let text = "outer:\n  inner: \"väl\"   # x\n  list: [a, b]\n  none:\n  plain: a b  # y\n";
    let node = read(text).0.unwrap();
    let outer = node.get("outer").unwrap();
    let place = |name: &str| {
        let span = outer.get(name).unwrap().span;
        &text[span.start as usize..span.end as usize]
    };
    assert_eq!(["inner", "list", "none", "plain"].map(place), ["\"väl\"", "[a, b]", "", "a b"]);
    let key = &outer.entries()[1].0;
    assert_eq!(&text[key.span.start as usize..key.span.end as usize], "list");
}

#[test]
fn norway_is_warned_of_as_value_and_as_key() {
    let (node, messages) = read("country: NO\non: 1\nquoted: \"no\"\n");
    assert_eq!(node.unwrap().get("country").unwrap().what(), "text");
    assert_eq!(
        messages,
        "\
warning[ME0107]: a word that other readers take for true or false
 --> t.yaml:1:10
  |
1 | country: NO
  |          ^^ `NO` is text here, but true or false to other YAML readers
  |
  = help: write \"NO\", or true or false

warning[ME0107]: a word that other readers take for true or false
 --> t.yaml:2:1
  |
2 | on: 1
  | ^^ `on` is text here, but true or false to other YAML readers
  |
  = help: write \"on\", or true or false

"
    );
}

#[test]
fn a_key_twice_names_both_places_and_the_first_counts() {
    let (node, messages) = read("1: a\nb: 2\n\"1\": c\n");
    assert_eq!(node.unwrap().entries().len(), 2);
    assert_eq!(
        messages,
        "\
error[ME0105]: a key stands twice
 --> t.yaml:3:1
  |
1 | 1: a
  | - first here
2 | b: 2
3 | \"1\": c
  | ^^^ `1` stands twice in this map
  |
  = help: remove one of them

"
    );
}

/// The finding without its snippet: code, place, message and help.
fn refused(text: &str) -> String {
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let node = parse(&mut sources, Path::new("t"), text, &mut found);
    assert!(node.is_none(), "{text:?} was read");
    assert_eq!(found.len(), 1, "{text:?}");
    let one = found.sorted()[0].clone();
    let (line, column) = sources.line_col(one.span).unwrap();
    format!("{} {line}:{column} {}; {}", one.code.id, one.message, one.help.join("; "))
}

#[test]
fn what_is_no_yaml_says_what_to_do() {
    const LOOK: &str = "look at the indentation, colons and quotes around here";
    for (text, message) in [
        ("a: *nope x\n", "1:4 no value above is named `&nope`; name a value above with `&`, or put the text in quotes where it begins with `*`".to_owned()),
        ("a: &a [*a]\n", "1:8 this alias stands inside the value it is for; write the value out".to_owned()),
        ("a: \u{7}x\n", "1:4 this character cannot stand in YAML; remove it, or write it as an escape in double quotes".to_owned()),
        ("a: @x\n", "1:4 a text cannot begin with `@`; put the text in quotes".to_owned()),
        ("a: 'x\n", "1:4 this quote is not closed; close it, or put the text in other quotes".to_owned()),
        ("a: b: c\n", "1:5 no value can begin at this colon; put a text with `: ` in it in quotes; else look at the indentation of this line".to_owned()),
        ("a: \"\\d\"\n", "1:4 this escape is not known; in double quotes `\\` begins an escape: write `\\\\`, or use single quotes".to_owned()),
        ("a: [1\n", "1:4 this bracket is not closed; close it, or look for a missing comma".to_owned()),
        ("a:\n\tb: 1\n", "2:2 a tab stands here; YAML is indented with spaces".to_owned()),
        (": x\n", "1:1 a key is missing here; write the key before its colon".to_owned()),
        ("? [a]\n: 1\n", "1:3 a key must be a plain text; lists and maps cannot be keys".to_owned()),
        ("a: &x [1]\n*x : 2\n", "2:1 a key must be a plain text; lists and maps cannot be keys".to_owned()),
        ("a: 1\n  b\nc\n", format!("3:1 simple key expected ':'; {LOOK}")),
    ] {
        assert_eq!(refused(text), format!("ME0101 {message}"));
    }
}

#[test]
fn what_is_not_used_is_refused() {
    for (text, finding) in [
        (
            "a: { <<: 1 }\n",
            "ME0106 1:6 merge keys (`<<`) are not used here; use `tables:` in a mapping, `defaults:`, `objects:` or `like:` in a system file",
        ),
        ("a: !!str 1\n", "ME0109 1:4 tags (`!…`) are not used here; leave it out; write text in quotes"),
        ("&x !y a: 1\n", "ME0109 1:4 tags (`!…`) are not used here; leave it out; write text in quotes"),
        ("!x\na: 1\n", "ME0109 1:1 tags (`!…`) are not used here; leave it out; write text in quotes"),
        ("a: 1\n---\nb: 2\n", "ME0110 2:1 a second document begins here; put it into a file of its own"),
        ("", "ME0111 1:1 this file is empty; "),
        ("# only a comment\n", "ME0111 1:1 this file is empty; "),
        ("null\n", "ME0111 1:1 this file is empty; "),
    ] {
        assert_eq!(refused(text), finding);
    }
    assert_eq!(shape("'<<': 1\n"), "{<<:1}");
}

#[test]
fn limits_hold_with_aliases_written_out() {
    let mut bomb = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1]\n");
    let mut tower = String::from("a0: &a0 [1]\n");
    for i in 1..100 {
        let before = i - 1;
        bomb.push_str(&format!("a{i}: &a{i} [{}]\n", vec![format!("*a{before}"); 9].join(",")));
        tower.push_str(&format!("a{i}: &a{i} [*a{before}]\n"));
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), vec!["*a"; 2000].join(","));
    let anchors =
        (0..60).map(|i| format!("&a{i} [")).collect::<String>() + &"1,".repeat(5000) + &"]".repeat(60);
    for (text, finding) in [
        (bomb, "ME0108 5:30 more than 50000 values, aliases written out; "),
        (tower, "ME0108 64:12 nested more than 64 deep; "),
        (long, "ME0108 2:26 more than 4 MiB of text, aliases written out; "),
        (anchors, "ME0108 1:296 more than 50000 values, aliases written out; "),
        ("[".repeat(100_000), "ME0108 1:256 nested too deep; "),
        ("- ".repeat(100_000), "ME0108 1:131 nested more than 64 deep; "),
        ("x".repeat(MAX_BYTES + 1), "ME0108 1:1 this file has 1025 KiB, at most 1024 are read; "),
    ] {
        assert_eq!(refused(&text), finding);
    }
}

#[test]
fn a_large_file_is_read_whole() {
    let (node, _) = read(&(0..45_000).map(|i| format!("k{i}: 1\n")).collect::<String>());
    assert_eq!(node.unwrap().entries().len(), 45_000);
    let (_, messages) = read(&"- yes\n".repeat(45_000));
    assert!(messages.ends_with(
        "44000 more warnings are not shown\n = help: put the first ones right and look again\n\n"
    ));
}
