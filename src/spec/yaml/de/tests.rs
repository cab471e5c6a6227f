use std::path::Path;

use serde::Deserialize;

use super::*;
use crate::diagnostic::{Format, Sources, render};
use crate::spec::yaml::{FromNode, List, Raw, Table, parse, via_node};
use crate::value::Value;

fn read<T: DeserializeOwned>(text: &str) -> (Option<T>, String) {
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let node = parse(&mut sources, Path::new("t.yaml"), text, &mut found);
    let value = node.and_then(|node| from_node(&node, &mut found));
    (value, render(&found, &sources, Format::Human { color: false }))
}

fn good<T: DeserializeOwned>(text: &str) -> T {
    let (value, messages) = read(text);
    assert_eq!(messages, "");
    value.expect("a file without findings has a value")
}

/// Each finding in a line: code, place, message and help.
fn wrong<T: DeserializeOwned>(text: &str) -> Vec<String> {
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let node = parse(&mut sources, Path::new("t.yaml"), text, &mut found).unwrap();
    let _: Option<T> = from_node(&node, &mut found);
    let line = |one: &Diagnostic| {
        let (line, column) = sources.line_col(one.span).unwrap();
        let help: String = one.help.iter().map(|help| format!("; {help}")).collect();
        format!("{} {line}:{column} {}{help}", one.code.id, one.message)
    };
    found.sorted().into_iter().map(line).collect()
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shop {
    name: String,
    #[serde(default)]
    open: bool,
    size: Option<u8>,
    #[serde(default, rename = "of")]
    kinds: List<Kinds>,
    #[serde(default)]
    shelves: Table<Shelf>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kinds {
    Food,
    HomeWare,
    Other(String),
    Mixed { of: u8 },
    Pair(u8, u8),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Shelf {
    width: u32,
    label: At<String>,
}

#[test]
fn a_whole_file_of_findings_at_once() {
    let text = "\
nmae: Corner
open: yes
of: [food, home-ware, 5, { other: x }]
shelves:
  a: { width: 10, label: 10 }
  b: { width: wide, label: b, colour: red }
  c: { width: 1, label: c }
  d: { label: d }
";
    let (shop, messages) = read::<Shop>(text);
    assert_eq!(shop, None);
    assert_eq!(
        messages,
        "\
error[ME0102]: unknown key
 --> t.yaml:1:1
  |
1 | nmae: Corner
  | ^^^^ `nmae` is not known here
  |
  = help: did you mean `name`?

error[ME0104]: wrong kind of value
 --> t.yaml:2:7
  |
2 | open: yes
  |       ^^^ true or false is wanted, this is text
  |
  = help: write true

"
    );
    // the lists and tables of a sound map are read to their end
    let (shop, messages) = read::<Shop>(&text.replace("nmae", "name").replace("open: yes", "open: true"));
    let shop = shop.unwrap();
    assert_eq!(*shop.kinds, [Kinds::Food, Kinds::Other("x".into())]);
    assert_eq!(shop.shelves.keys().collect::<Vec<_>>(), ["c"]);
    assert_eq!(
        messages,
        "\
error[ME0113]: unknown word
 --> t.yaml:3:12
  |
3 | of: [food, home-ware, 5, { other: x }]
  |            ^^^^^^^^^ `home-ware` is not known here
  |
  = help: did you mean `home_ware`?

error[ME0104]: wrong kind of value
 --> t.yaml:3:23
  |
3 | of: [food, home-ware, 5, { other: x }]
  |                       ^ a word is wanted, this is a number
  |
  = help: it can be food, home_ware, other, mixed, pair

error[ME0112]: text is wanted
 --> t.yaml:5:26
  |
5 |   a: { width: 10, label: 10 }
  |                          ^^ text is wanted, this is a number
  |
  = help: write it as \"10\"

error[ME0104]: wrong kind of value
 --> t.yaml:6:15
  |
6 |   b: { width: wide, label: b, colour: red }
  |               ^^^^ a number is wanted, this is text

error[ME0102]: unknown key
 --> t.yaml:6:31
  |
6 |   b: { width: wide, label: b, colour: red }
  |                               ^^^^^^ `colour` is not known here
  |
  = help: known here: width, label

error[ME0103]: a key is missing
 --> t.yaml:8:8
  |
8 |   d: { label: d }
  |        ^^^^^ `width` is missing here
  |
  = help: add `width:`

"
    );
}

#[test]
fn text_is_only_text() {
    for (text, finding) in [
        ("10", "ME0112 1:1 text is wanted, this is a number; write it as \"10\""),
        ("0.10", "ME0112 1:1 text is wanted, this is a number; write it as \"0.10\""),
        ("true", "ME0112 1:1 text is wanted, this is true/false; write it as \"true\""),
        ("[a]", "ME0104 1:1 text is wanted, this is a list"),
        ("a: b", "ME0104 1:1 text is wanted, this is a map"),
    ] {
        assert_eq!(wrong::<String>(text), [finding]);
    }
    assert_eq!(
        wrong::<Shelf>("width: 1\nlabel:\n"),
        ["ME0104 2:6 text is wanted, this is nothing; write a text here, or leave the key out"]
    );
    assert_eq!(
        good::<Vec<String>>("[0777, 1_000, '10', NOx, 2026-11-25]"),
        ["0777", "1_000", "10", "NOx", "2026-11-25"]
    );
}

#[test]
fn numbers_and_booleans_are_typed() {
    for (text, finding) in [
        ("300", "ME0104 1:1 a number from 0 to 255 is wanted, this is 300"),
        ("-1", "ME0104 1:1 a number from 0 to 255 is wanted, this is -1"),
        ("1.5", "ME0104 1:1 a whole number is wanted, this is 1.5"),
        ("\"5\"", "ME0104 1:1 a number is wanted, this is text; write 5 without quotes"),
        ("0777", "ME0104 1:1 a number is wanted, this is text; numbers are written like 10, -3 and 0.5"),
        ("five", "ME0104 1:1 a number is wanted, this is text"),
    ] {
        assert_eq!(wrong::<u8>(text), [finding]);
    }
    for (text, finding) in [
        ("No", "ME0104 1:1 true or false is wanted, this is text; write false"),
        ("\"true\"", "ME0104 1:1 true or false is wanted, this is text; write true without quotes"),
        ("1", "ME0104 1:1 true or false is wanted, this is a number"),
    ] {
        assert_eq!(wrong::<bool>(text), [finding]);
    }
    assert_eq!(good::<i64>("-9223372036854775808"), i64::MIN);
    assert_eq!(good::<u128>("340282366920938463463374607431768211455"), u128::MAX);
    assert_eq!(wrong::<f64>("1.5"), ["ME0104 1:1 an exact number is wanted, this is a number"]);
}

#[test]
fn values_keep_every_digit() {
    let value: Value = good("[0.10, 12345678901234567890123456789012345, {a: ~, b: true, c: x, d: '1'}]");
    assert_eq!(
        value.to_json(),
        r#"[0.10,12345678901234567890123456789012345,{"a":null,"b":true,"c":"x","d":"1"}]"#
    );
    assert_eq!(good::<At<Value>>("0.10").value.to_json(), "0.10");
}

#[test]
fn lists_of_a_length_have_that_length() {
    assert_eq!(good::<(u8, String)>("[1, a]"), (1, "a".to_owned()));
    assert_eq!(wrong::<(u8, String)>("[1]"), ["ME0104 1:1 a list of 2 is wanted, this has 1"]);
    assert_eq!(wrong::<(u8, String)>("[1, a, b]"), ["ME0104 1:1 a list of 2 is wanted, this has 3"]);
    assert_eq!(wrong::<Vec<String>>("code"), ["ME0104 1:1 a list is wanted, this is text; write [code]"]);
    assert_eq!(wrong::<Vec<String>>("a: 1"), ["ME0104 1:1 a list is wanted, this is a map"]);
}

#[test]
fn enums_are_words_or_maps_of_one_key() {
    assert_eq!(good::<Kinds>("home_ware"), Kinds::HomeWare);
    assert_eq!(good::<Kinds>("{ mixed: { of: 3 } }"), Kinds::Mixed { of: 3 });
    assert_eq!(good::<Kinds>("{ pair: [1, 2] }"), Kinds::Pair(1, 2));
    for (text, finding) in [
        ("other", "ME0104 1:1 `other` needs a value; write `other: …`"),
        ("{ food: 1 }", "ME0104 1:3 `food` is a word alone, this is a map; write only food"),
        ("{ nope: 1 }", "ME0113 1:3 `nope` is not known here; it can be food, home_ware, other, mixed, pair"),
        ("{ other: 1 }", "ME0112 1:10 text is wanted, this is a number; write it as \"1\""),
        ("{ mixed: {} }", "ME0103 1:10 `of` is missing here; add `of:`"),
        ("{ pair: [1] }", "ME0104 1:9 a list of 2 is wanted, this has 1"),
        ("{}", "ME0104 1:1 one key is wanted, this map has 0; it can be food, home_ware, other, mixed, pair"),
    ] {
        assert_eq!(wrong::<Kinds>(text), [finding]);
    }
}

#[test]
fn options_newtypes_and_units() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(u8);
    assert_eq!(good::<Vec<Option<Wrapped>>>("[1, ~]"), [Some(Wrapped(1)), None]);
    assert_eq!(good::<Vec<()>>("[~]"), [()]);
    assert_eq!(wrong::<Vec<()>>("[1]"), ["ME0104 1:2 nothing is wanted, this is a number"]);
    assert_eq!(wrong::<Vec<char>>("[xy]"), ["ME0104 1:2 a character is wanted, this is `xy`"]);
}

/// A whole number, or `many`.
#[derive(Debug, PartialEq)]
enum Count {
    Many,
    Of(u8),
}

impl FromNode for Count {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Text { text, .. } if text == "many" => Some(Count::Many),
            Kind::Null => None,
            _ => from_node(node, diagnostics).map(Count::Of),
        }
    }
}

via_node!(Count);

#[test]
fn types_that_look_at_the_node_report_once() {
    assert_eq!(good::<Vec<At<Count>>>("[many, 3]"), [At::from(Count::Many), At::from(Count::Of(3))]);
    let finding = "ME0104 1:2 a number from 0 to 255 is wanted, this is 300";
    assert_eq!(wrong::<Vec<Count>>("[300]"), [finding]);
    assert_eq!(wrong::<List<Count>>("[300, x]"), [finding, "ME0104 1:7 a number is wanted, this is text"]);
    // one that gives nothing and says nothing is not passed over
    assert_eq!(wrong::<List<Count>>("[~]"), ["ME0104 1:2 this value cannot be read"]);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    #[allow(dead_code)]
    name: crate::diagnostic::At<String>,
    #[allow(dead_code)]
    size: u8,
    #[allow(dead_code)]
    kind: Kinds,
    #[allow(dead_code)]
    open: Option<bool>,
    #[allow(dead_code)]
    inner: Box<Shop>,
    #[allow(dead_code)]
    #[serde(default)]
    more: List<Many>,
}

#[test]
fn all_keys_that_are_missing_are_said_at_once() {
    let missing = |key: &str, place: &str| format!("ME0103 {place} `{key}` is missing here; add `{key}:`");
    assert_eq!(
        wrong::<Many>("open: true\n"),
        ["name", "size", "kind", "inner"].map(|key| missing(key, "1:1"))
    );
    assert_eq!(
        wrong::<Many>("size: 1\nkind: food\ninner: { open: true }\nmore: [ { size: 2, kind: food } ]\n"),
        [missing("name", "1:1"), missing("name", "3:10"), missing("name", "4:11"), missing("inner", "4:11"),]
    );
    // what is wrong beside is said once, and nothing of what was filled in
    assert_eq!(
        wrong::<Many>("colour: red\nopen: true\n"),
        [
            "ME0102 1:1 `colour` is not known here; known here: name, size, kind, open, inner, more"
                .to_owned(),
            missing("name", "1:1"),
            missing("size", "1:1"),
            missing("kind", "1:1"),
            missing("inner", "1:1"),
        ]
    );
}

#[test]
fn a_node_can_be_kept_for_later() {
    let raw: Table<Raw> = good("a: [1, x]\nb: ~\n");
    let Kind::List(items) = &raw.get("a").unwrap().0.kind else { panic!("a list") };
    assert_eq!(items[0].kind, Kind::Number("1".into()));
    assert_eq!(from_node::<u8>(&items[0], &mut Diagnostics::new()), Some(1));
}

#[test]
fn tables_keep_order_and_places() {
    let table: Table<At<u8>> = good("b: 1\na: 2\n");
    assert_eq!(table.keys().collect::<Vec<_>>(), ["b", "a"]);
    let (name, value) = table.get_entry("a").unwrap();
    assert_eq!((name.span.start, value.span.start, value.value), (5, 8, 2));
    assert_eq!((table.len(), table.is_empty(), table.contains_key("c")), (2, false, false));
    assert_eq!(serde_json::to_string(&table).unwrap(), r#"{"b":1,"a":2}"#);
    assert_eq!(
        serde_json::to_string(&schemars::schema_for!(Table<bool>)).unwrap(),
        serde_json::to_string(&schemars::schema_for!(indexmap::IndexMap<String, bool>)).unwrap()
    );
}

#[test]
fn another_format_never_loses_an_element_silently() {
    assert_eq!(serde_json::from_str::<List<u8>>("[1, 2]").unwrap(), List(vec![1, 2]));
    assert!(serde_json::from_str::<List<u8>>("[1, \"x\"]").is_err());
    assert!(serde_json::from_str::<Table<u8>>(r#"{"a": "x"}"#).is_err());
    assert!(serde_json::from_str::<Count>("3").is_err());
}

#[test]
fn one_wrong_read_leaves_nothing_behind() {
    assert_eq!(wrong::<u8>("x").len(), 1);
    assert_eq!(good::<u8>("1"), 1);
    assert_eq!(wrong::<List<u8>>("[x, 1, y]").len(), 2);
    assert_eq!(good::<List<u8>>("[1]").len(), 1);
}
