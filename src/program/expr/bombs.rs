//! Hostile sources: each is refused, fails with a clear message, or ends small.

use super::*;
use crate::value::from_json_str;

fn scope() -> Scope {
    let item = Type::object([("name", Type::Text), ("list", Type::list(Type::Text))]);
    Scope::new()
        .root("text", Type::Text)
        .root("number", Type::Integer)
        .root("items", Type::list(item))
        .root("any", Type::Any)
}

fn record() -> Value {
    let texts = vec![Value::text("x".repeat(100)); 400];
    let item =
        Value::Map([("name".to_owned(), Value::text("n")), ("list".to_owned(), Value::List(texts))].into());
    let mut record = from_json_str(r#"{"number":9223372036854775807,"any":{"a":"b"}}"#).unwrap();
    if let Value::Map(map) = &mut record {
        map.insert("text".to_owned(), Value::text("a".repeat(60_000)));
        map.insert("items".to_owned(), Value::List(vec![item; 400]));
    }
    record
}

/// How a bomb ended.
fn ends(source: &str) -> String {
    match Expr::compile(source, &scope()) {
        Err(problems) => format!("refused: {}", problems[0].message),
        Ok(expr) => outcome(expr.eval(&record()).map(|value| value.to_json())),
    }
}

fn template_ends(source: &str) -> String {
    match Template::compile(source, &scope()) {
        Err(problems) => format!("refused: {}", problems[0].message),
        Ok(template) => outcome(template.render(&record())),
    }
}

fn outcome(result: Result<String, EvalError>) -> String {
    match result {
        Ok(text) => {
            assert!(text.len() <= MAX_OUTPUT + 2, "{} bytes", text.len());
            "small".to_owned()
        }
        Err(EvalError::OutOfFuel) => "out of fuel".to_owned(),
        Err(EvalError::TooLarge) => "too large".to_owned(),
        Err(EvalError::Failed(message)) => format!("failed: {message}"),
    }
}

#[test]
fn expressions() {
    let plus = "1".to_owned() + &"+1".repeat(2000);
    let filters = "text".to_owned() + &"|trim".repeat(800);
    let dots = "any".to_owned() + &".a".repeat(2000);
    let parens = "(".repeat(2000) + "1" + &")".repeat(2000);
    let nots = "not ".repeat(1000) + "text";
    let minuses = "-".repeat(4000) + "1";
    let lists = "[".repeat(2000) + &"]".repeat(2000);
    let ands = "text".to_owned() + &" and text".repeat(400);
    let ifs = "1 if text else ".repeat(250) + "2";
    let items = "any".to_owned() + &"[0]".repeat(1300);
    let args = format!("text|replace({})", "1,".repeat(2000));
    for (source, end) in [
        ("'x' * 99000000", "refused: `*` takes integers, but `'x'` is of type text"),
        ("99000000 * 'x'", "refused: `*` takes integers, but `'x'` is of type text"),
        ("any * 99000000", "failed: `*` takes integers, but met an object and an integer"),
        ("range(1000000000)", "refused: there is no function `range`"),
        ("[1] * 99000000", "refused: `*` takes integers, but `[1]` is of type list of integer"),
        ("2 ** 999999999", "refused: `**` is not part of the language"),
        ("number + number", "failed: `9223372036854775807 + 9223372036854775807` is no integer of 64 bits"),
        ("number * number", "failed: `9223372036854775807 * 9223372036854775807` is no integer of 64 bits"),
        ("number | times(number) | times(number)", "failed: `times` of 9223372036854775807 and"),
        ("text ~ text", "too large"),
        ("text | replace('a', text)", "too large"),
        ("text | replace('', text)", "small"),
        ("text | upper | lower | fold", "small"),
        ("(text | split('a')) | join(text)", "too large"),
        ("text | split('a') | unique | sort | length", "small"),
        ("[text, text]", "too large"),
        ("[items, items, items]", "too large"),
        ("items | map('list')", "too large"),
        ("text is matching('(a*)*b')", "small"),
        (
            "text is matching('((a{1000}){1000}){1000}')",
            "refused: \"((a{1000}){1000}){1000}\" is no regular expression: it is too large",
        ),
        ("debug()", "refused: there is no function `debug`"),
        ("namespace()", "refused: there is no function `namespace`"),
        ("cycler(1)", "refused: there is no function `cycler`"),
        ("text | pprint", "refused: there is no filter `pprint`"),
        ("text | format(1)", "refused: there is no filter `format`"),
        ("text | batch(1)", "refused: there is no filter `batch`"),
        ("text | indent(100000)", "refused: there is no filter `indent`"),
        ("text['a':'b']", "refused: a slice is not part of the language"),
        ("{'a': 1}", "refused: an object cannot be written in an expression"),
        ("v0", "refused: there is no `v0` here"),
        ("text | op_eq(1)", "refused: there is no filter `op_eq`"),
        ("text | filter_upper", "refused: there is no filter `filter_upper`"),
        ("caller()", "refused: there is no function `caller`"),
        ("'\u{0}' ~ '}}{{ v0 }}'", "small"),
        ("any[any[any[any]]]", "small"),
        (&plus, "refused: this is nested too deeply"),
        (&filters, "refused: this is nested too deeply"),
        (&dots, "small"),
        (&items, "small"),
        (&args, "refused: `replace` takes 2 arguments"),
    ] {
        let got = ends(source);
        assert!(got.starts_with(end), "{:.60}: {got:.200}", source);
    }
    let mixed = "not - - (".repeat(400);
    let keys = "any[".repeat(1000) + "1" + &"]".repeat(1000);
    let calls = "text|default(".repeat(300);
    let objects = "{1:".repeat(1000);
    let tests = "text".to_owned() + &" is none".repeat(500);
    let lesser = "1".to_owned() + &"<1".repeat(1500);
    let many = vec!["text ~ 'a'"; 300].join(" or ");
    for source in [parens, nots, minuses, lists, ands, ifs, mixed, keys, calls, objects, tests, lesser, many]
    {
        let got = ends(&source);
        assert!(got.starts_with("refused: ") || got == "small", "{source:.40}: {got:.200}");
    }
    assert_eq!(ends(&" ".repeat(5000)), "refused: this is 5000 bytes long; at most 4096 are allowed");
}

#[test]
fn templates() {
    let nested = "{% for a in items %}".repeat(3) + "x" + &"{% endfor %}".repeat(3);
    let deep = "{% if text %}".repeat(160) + &"{% endif %}".repeat(160);
    let elifs = "{% if text %}".to_owned() + &"{% elif text %}".repeat(240) + "{% endif %}";
    for (source, end) in [
        ("{% for i in range(1000000) %}x{% endfor %}", "refused: there is no function `range`"),
        ("{% for i in 'xxx' %}x{% endfor %}", "refused: `for` goes over a list, but `'xxx'` is of type text"),
        ("{% for i in any %}x{% endfor %}", "refused: `for` goes over a list, but `any` is of type anything"),
        (
            "{% for a in items recursive %}{{ loop(items) }}{% endfor %}",
            "refused: `recursive` is not part of templates",
        ),
        ("{% for a in items %}{{ loop(items) }}{% endfor %}", "refused: there is no function `loop`"),
        ("{% for a, b in items %}{% endfor %}", "refused: `for` takes one name"),
        ("{% for a in items %}{% for b in a.list %}{{ b }}{% endfor %}{% endfor %}", "too large"),
        ("{{ text }}{{ text }}", "too large"),
        ("{% set x = text %}", "refused: `set` is not part of templates"),
        ("{% set x %}{{ text }}{% endset %}", "refused: `set` is not part of templates"),
        ("{% with x = text %}{% endwith %}", "refused: `with` is not part of templates"),
        ("{% filter upper %}x{% endfilter %}", "refused: `filter` is not part of templates"),
        ("{% autoescape true %}{% endautoescape %}", "refused: `autoescape` is not part of templates"),
        ("{% do debug() %}", "refused: `do` is not part of templates"),
        ("{% include 'template' %}", "refused: `include` is not part of templates"),
        ("{% import 'x' as y %}", "refused: `import` is not part of templates"),
        ("{% extends 'x' %}", "refused: `extends` is not part of templates"),
        ("{% macro x() %}{{ x() }}{% endmacro %}", "refused: `macro` is not part of templates"),
        ("{% block x %}{% endblock %}", "refused: `block` is not part of templates"),
        ("{{ any }}", "failed: `{{ … }}` takes a single value, but met an object"),
        (&nested, "out of fuel"),
    ] {
        let got = template_ends(source);
        assert!(got.starts_with(end), "{source}: {got:.200}");
    }
    for source in [deep, elifs] {
        let got = template_ends(&source);
        assert!(got.starts_with("refused: ") || got == "small", "{source:.40}: {got:.200}");
    }
}
