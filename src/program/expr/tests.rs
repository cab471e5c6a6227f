//! The language as a whole: what compiles, what is refused with which words, and what comes out.

use super::*;
use crate::value::from_json_str;

fn scope() -> Scope {
    let customer = Type::object([
        ("name", Type::Text),
        ("number", Type::Integer),
        ("balance", Type::Decimal),
        ("isActive", Type::Bool),
        ("status", Type::choice(["Active", "Inactive", "Hold"])),
        ("since", Type::Date),
        ("changed", Type::Time),
        ("address", Type::object([("city", Type::Text), ("street", Type::Text)])),
        ("guid", Type::Id),
    ]);
    let row = Type::object([("code", Type::Text), ("net", Type::Decimal), ("count", Type::Integer)]);
    Scope::new()
        .root("left", Type::object([("customer", customer.clone()), ("rows", Type::list(row))]))
        .root("right", Type::object([("dimension", Type::table(Type::object([("length", Type::Integer)])))]))
        .root(
            "settings",
            Type::object([
                ("units", Type::table(Type::Text)),
                ("costs", Type::choice(["costs", "costs_and_fees"])),
                ("multiplier", Type::Decimal),
                ("extra", Type::Any),
            ]),
        )
        .bare(&customer)
}

fn record() -> Value {
    from_json_str(
        r#"{
        "left": {"customer": {"name": "Acme Oy", "number": 12, "balance": 10.50},
                 "rows": [{"code": "a", "net": 0.10, "count": 1}, {"code": "b", "net": 0.20, "count": 2}]},
        "right": {"dimension": {"CUSTOMER": {"length": 3}}},
        "settings": {"units": {"h": "HOUR"}, "costs": "costs", "multiplier": "1.5", "extra": 5},
        "name": "Acme Oy", "number": 12, "balance": 10.50, "isActive": true, "status": "Active",
        "since": "2026-01-31", "changed": "2026-01-31T10:00:00+02:00", "address": {"city": "Åbo"},
        "today": "2026-02-01", "now": "2026-01-31T09:00:00Z"}"#,
    )
    .unwrap()
}

fn compiled(source: &str) -> Expr {
    Expr::compile(source, &scope()).unwrap_or_else(|problems| panic!("{source}: {problems:?}"))
}

/// JSON of the value.
fn eval(source: &str) -> String {
    match compiled(source).eval(&record()) {
        Ok(value) => value.to_json(),
        Err(error) => format!("error: {error}"),
    }
}

/// The problems, each with the text it points at.
fn refused(source: &str) -> Vec<String> {
    match Expr::compile(source, &scope()) {
        Ok(expr) => panic!("{source} compiled as {}", expr.ty()),
        Err(problems) => {
            problems.iter().map(|problem| format!("[{}] {problem}", &source[problem.range.clone()])).collect()
        }
    }
}

fn render(source: &str) -> String {
    match Template::compile(source, &scope()) {
        Ok(template) => template.render(&record()).unwrap_or_else(|error| format!("error: {error}")),
        Err(problems) => problems
            .iter()
            .map(|problem| format!("[{}] {problem}", &source[problem.range.clone()]))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

/// The declared type of an example's values.
fn type_of(value: &Value) -> Type {
    match value {
        Value::Bool(_) => Type::Bool,
        Value::Number(number) if number.scale() == 0 => Type::Integer,
        Value::Number(_) => Type::Decimal,
        Value::Text(_) => Type::Text,
        Value::List(items) => {
            let types = items.iter().map(type_of).collect::<Vec<_>>();
            let mut types = types.into_iter();
            let first = types.next().unwrap_or_default();
            Type::list(if types.all(|ty| ty == first) { first } else { Type::Any })
        }
        Value::Map(map) => Type::object(map.iter().map(|(key, value)| (key.clone(), type_of(value)))),
        _ => Type::Any,
    }
}

#[test]
fn every_example_of_the_catalogue_holds() {
    for entry in catalogue() {
        let Example { source, given, gives } = entry.example;
        let given = from_json_str(given).unwrap();
        let mut scope = Scope::new();
        for (name, value) in given.as_map().unwrap() {
            let ty = match (entry.name, type_of(value)) {
                ("plus", Type::Text) => Type::Decimal,
                (_, ty) => ty,
            };
            scope = scope.root(name, ty);
        }
        let expr = Expr::compile(source, &scope)
            .unwrap_or_else(|problems| panic!("{} {}: {source}: {problems:?}", entry.group, entry.name));
        let value = expr.eval(&given).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
        assert_eq!(value.to_json(), gives, "{} {}: {source}", entry.group, entry.name);
        assert!(compiles_missing(entry, &expr), "{} {} fails on a missing value", entry.group, entry.name);
    }
}

/// Nothing fails only because a value is missing.
fn compiles_missing(entry: &Entry, expr: &Expr) -> bool {
    entry.group == Group::Function || expr.eval(&Value::Null).is_ok()
}

#[test]
fn values_and_names() {
    assert_eq!(eval("name"), r#""Acme Oy""#);
    assert_eq!(eval("left.customer.name | upper"), r#""ACME OY""#);
    assert_eq!(eval("balance"), "10.50");
    assert_eq!(eval("left.rows[1].code"), r#""b""#);
    assert_eq!(eval("left.rows[5].code"), "null");
    assert_eq!(eval("(left.rows | last).code"), r#""b""#);
    assert_eq!(eval("(left.rows | selectattr('code', 'eq', 'x') | first).code"), "null");
    assert_eq!(eval("address.street"), "null");
    assert_eq!(eval("right.dimension['CUSTOMER'].length"), "3");
    assert_eq!(eval("right.dimension.PROJECT.length"), "null");
    assert_eq!(eval("settings.units['h']"), r#""HOUR""#);
    assert_eq!(eval("settings.units[left.rows[0].code] | default('PCS')"), r#""PCS""#);
    assert_eq!(eval("left.rows[number - 12].code"), r#""a""#);
    assert_eq!(eval("left.rows[-1].code"), r#""b""#);
    assert_eq!(eval("address"), r#"{"city":"Åbo"}"#);
    assert_eq!(eval("'Completed' if isActive else 'Lost'"), r#""Completed""#);
    assert_eq!(eval("'x' if not isActive"), "null");
    assert_eq!(eval("'it''s' ~ \"\\n\\\"}}%}\""), r#""its\n\"}}%}""#);
    assert_eq!(eval("['a', name, 1]"), r#"["a","Acme Oy",1]"#);
    assert_eq!(eval("settings.extra"), "5");
}

#[test]
fn conditions() {
    for holds in [
        "isActive and balance",
        "not address.street",
        "status != 'Inactive'",
        "status in ['Active', 'Hold']",
        "status not in ['Inactive']",
        "'Oy' in name",
        "'CUSTOMER' in right.dimension",
        "0 < number <= 12",
        "number | string | length <= right.dimension['CUSTOMER'].length",
        "since < today()",
        "since == '2026-01-31'",
        "changed < now()",
        "changed == '2026-01-31T08:00:00Z'",
        "(changed | date) == since",
        "balance is less_than('10.51') and balance is at_least(10)",
        "balance is not zero",
        "balance is one_of(['1', '10.5'])",
        "left.rows | map(attribute='net') | sum is equal_to('0.3')",
        "left.rows | selectattr('net', 'eq', '0.1') | length == 1",
        "left.rows | selectattr('code', 'in', ['a', 'c']) | map('code') | only == 'a'",
        "left.rows | map('code') is contains('b')",
        "address.street is none and address is not empty",
        "address.street == address.street",
        "name | fold == 'acme oy'",
        "name is matching('^Acme')",
        "settings.costs == 'costs'",
        "'' == ''",
        "(1 + 2 * 3 - 8) % 3 == 2 and -7 // 2 == -4",
    ] {
        assert_eq!(compiled(holds).holds(&record()), Ok(true), "{holds}");
    }
    for fails in [
        "address.street",
        "address.street == ''",
        "right.dimension.X.length < 5",
        "right.dimension.X.length >= 0",
        "not (right.dimension.X.length is none)",
        "balance is zero",
        "left.rows | rejectattr('code')",
        "isActive and (number == 11 or number == 13)",
    ] {
        assert_eq!(compiled(fails).holds(&record()), Ok(false), "{fails}");
    }
}

#[test]
fn precedence_is_kept() {
    assert_eq!(eval("1 + 2 * 3"), "7");
    assert_eq!(eval("(1 + 2) * 3"), "9");
    assert_eq!(eval("10 - 2 - 3"), "5");
    assert_eq!(eval("10 - (2 - 3)"), "11");
    assert_eq!(eval("true or false and false"), "true");
    assert_eq!(eval("(true or false) and false"), "false");
    assert_eq!(eval("not true or true"), "true");
    assert_eq!(eval("not (true or true)"), "false");
    assert_eq!(eval("-number"), "-12");
    assert_eq!(eval("'a' ~ (1 + 2) ~ true"), r#""a3true""#);
}

#[test]
fn amounts_are_exact() {
    assert_eq!(eval("balance | plus('0.1') | plus('0.2')"), "10.80");
    assert_eq!(eval("balance | times(settings.multiplier) | round(2)"), "15.75");
    assert_eq!(eval("number | plus(1)"), "13");
    assert_eq!(eval("number | plus('0.5')"), "12.5");
    assert_eq!(eval("left.rows | map('net') | max"), "0.20");
    assert_eq!(eval("balance | negate"), "-10.50");
    assert_eq!(eval("left.rows[7].net | plus(1)"), "null");
    assert_eq!(eval("'0.00' if not isActive else balance"), "10.50");
    assert_eq!(eval("left.rows[7].net | default('0.00')"), "0.00");
}

#[test]
fn what_it_reads_is_known() {
    let paths = |source: &str| compiled(source).uses().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        paths("left.customer.name == name and today() > since and left.customer.name"),
        ["left.customer.name", "name", "since"]
    );
    assert_eq!(paths("right.dimension['CUSTOMER'].length"), ["right.dimension.CUSTOMER.length"]);
    assert_eq!(paths("settings.units[left.rows[0].code]"), ["left.rows[0].code", "settings.units"]);
    assert!(compiled("today()").uses_clock() && compiled("today()").uses().is_empty());
    assert_eq!(compiled("left.customer.name").as_path().unwrap().to_string(), "left.customer.name");
    assert!(compiled("name | upper").as_path().is_none());
    let template = Template::compile("{{ name }}{% if number %}{{ since }}{% endif %}", &scope()).unwrap();
    assert_eq!(
        template.uses().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["name", "number", "since"]
    );
}

#[test]
fn types_follow_the_expression() {
    for (source, ty) in [
        ("name", "text"),
        ("balance | round(2)", "exact decimal"),
        ("number | plus(1)", "integer"),
        ("number | plus('0.5')", "exact decimal"),
        ("left.rows | map('net')", "list of exact decimal"),
        ("left.rows | map('count') | sum", "integer"),
        ("name | split(' ')", "list of text"),
        ("status", "one of Active, Inactive, Hold"),
        ("status if isActive else 'Hold'", "one of Active, Inactive, Hold"),
        ("status if isActive else 'Gone'", "text"),
        ("balance if isActive else 1", "exact decimal"),
        ("balance | default('0.00')", "exact decimal"),
        ("balance if isActive else 'free'", "anything"),
        ("since | default('2026-01-01')", "date"),
        ("name == 'x'", "true/false"),
        ("none", "anything"),
        ("settings.units", "table of text"),
    ] {
        assert_eq!(compiled(source).ty().to_string(), ty, "{source}");
    }
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    assert_eq!(refused("nmae"), ["[nmae] there is no `nmae` here; did you mean `name`?"]);
    assert_eq!(
        refused("left.customer.adress.city"),
        ["[adress] `left.customer` has no field `adress`; did you mean `address`?"]
    );
    assert_eq!(refused("rows"), ["[rows] there is no `rows` here; did you mean `left.rows`?"]);
    assert_eq!(
        refused("dimension"),
        ["[dimension] there is no `dimension` here; did you mean `right.dimension`?"]
    );
    assert_eq!(
        refused("left.rows.code"),
        [
            "[code] `left.rows` is of type list of object, which has no field `code`; take one item, `left.rows[0].code`, \
             or that of each, `left.rows | map('code')`"
        ]
    );
    assert_eq!(
        refused("name.length"),
        ["[length] `name` is of type text, which has no field `length`; write `name | length`"]
    );
    assert_eq!(
        refused("left.rows | map('nett')"),
        ["['nett'] the items have no member `nett`; did you mean `net`?"]
    );
    assert_eq!(refused("name | uper"), ["[uper] there is no filter `uper`; did you mean `upper`?"]);
    assert_eq!(refused("name.upper()"), ["[.upper()] values have no method `upper`; write `… | upper`"]);
    assert_eq!(
        refused("length(name)"),
        ["[length] there is no function `length`; it is a filter: `… | length`"]
    );
    assert_eq!(
        refused("xx and yy"),
        [
            "[xx] there is no `xx` here; known here: left, right, settings, name, number, balance, isActive, status, …",
            "[yy] there is no `yy` here; known here: left, right, settings, name, number, balance, isActive, status, …"
        ]
    );
}

#[test]
fn operators_refuse_exact_decimals_and_say_what_to_write() {
    for (source, help) in [
        ("balance == 0", "balance is zero"),
        ("balance != 0", "balance is not zero"),
        ("balance == left.customer.balance", "balance is equal_to(left.customer.balance)"),
        ("balance < 10", "balance is less_than(10)"),
        ("10 < balance", "balance is greater_than(10)"),
        ("balance <= 10", "balance is at_most(10)"),
        ("balance > '1.50'", "balance is greater_than('1.50')"),
        ("balance >= 10", "balance is at_least(10)"),
        ("balance + 1", "balance | plus(1)"),
        ("balance - number", "balance | minus(number)"),
        ("balance * settings.multiplier", "balance | times(settings.multiplier)"),
        ("'€' ~ balance", "'€' ~ (balance | string)"),
        ("balance in [1, 2]", "balance is one_of([1, 2])"),
        ("-balance", "balance | negate"),
        ("(balance if isActive else 'x') == 'x'", "(balance if isActive else 'x') is equal_to('x')"),
        ("(left.rows | map('net') | first) == number", "left.rows | map('net') | first is equal_to(number)"),
    ] {
        let problems = Expr::compile(source, &scope()).unwrap_err();
        assert_eq!(problems.len(), 1, "{source}: {problems:?}");
        assert!(problems[0].message.ends_with("does not work on exact decimals"), "{source}");
        assert_eq!(problems[0].help.as_deref(), Some(format!("write `{help}`").as_str()), "{source}");
    }
    assert_eq!(
        refused("balance is less_than(0.05)"),
        ["[0.05] 0.05 would be a binary float, which is not exact; write it in quotes: '0.05'"]
    );
    assert_eq!(
        refused("number / 2"),
        ["[number / 2] `/` would make a binary float; divide integers with `//`; multiply amounts with \
             `| times(x)` and round with `| round(2)`"]
    );
    assert_eq!(
        refused("balance is less_than('ten')"),
        ["['ten'] \"ten\" is no number; write an amount with digits and a point: '10.00'"]
    );
}

#[test]
fn different_kinds_are_never_compared() {
    assert_eq!(
        refused("name == number"),
        ["[name == number] `name` is of type text and `number` of type integer; make them the same kind: \
             `| integer`, or the other `| string`"]
    );
    assert_eq!(
        refused("status == 'Inactiv'"),
        ["[status == 'Inactiv'] `status` is never 'Inactiv'; did you mean 'Inactive'?"]
    );
    assert_eq!(
        refused("status in ['Active', 'Closed']"),
        ["['Closed'] `status` is never 'Closed'; it is one of Active, Inactive, Hold"]
    );
    assert_eq!(
        refused("status == settings.costs"),
        [
            "[status == settings.costs] `status` and `settings.costs` have no value in common; `status` is one of \
             Active, Inactive, Hold, `settings.costs` is one of costs, costs_and_fees"
        ]
    );
    assert_eq!(
        refused("since < 'tomorrow'"),
        ["[since < 'tomorrow'] 'tomorrow' is no date, but `since` is one; write it like '2026-01-31'"]
    );
    assert_eq!(
        refused("since < now()"),
        ["[since < now()] `since` is of type date and `now()` of type time; make them the same kind: \
             the time `| date`"]
    );
    assert_eq!(
        refused("isActive == 'true'"),
        ["[isActive == 'true'] `isActive` is of type true/false and `'true'` of type text"]
    );
    assert_eq!(
        refused("name == none"),
        ["[name == none] `==` does not work on `none`; write `name is none`"]
    );
    assert_eq!(
        refused("left.rows == []"),
        ["[left.rows == []] `==` compares single values, but `left.rows` is of type list of object"]
    );
    assert_eq!(
        refused("name + 'x'"),
        [
            "[name + 'x'] `+` takes integers, but `name` is of type text; join texts with `~`; make text a number \
             with `| integer` or `| decimal`"
        ]
    );
}

#[test]
fn calls_are_checked() {
    assert_eq!(
        refused("number | upper"),
        ["[upper] `upper` takes text, but this is of type integer; make it text first: `| string`"]
    );
    assert_eq!(
        refused("name | plus(1)"),
        ["[plus] `plus` takes an exact decimal or an integer, but this is of type text; make it a number \
             first: `| decimal`"]
    );
    assert_eq!(
        refused("name | replace('a')"),
        ["[replace] `replace` wants `to`; it is `text | replace(from, to)`"]
    );
    assert_eq!(refused("name | trim(1)"), ["[1] `trim` takes no arguments; it is `text | trim`"]);
    assert_eq!(
        refused("balance | round(place=2)"),
        ["[round] `round` has no parameter `place`; did you mean `places`?"]
    );
    assert_eq!(
        refused("left.rows | selectattr('code', 'like', 'a')"),
        ["['like'] only 'eq' and 'in' can stand here"]
    );
    assert_eq!(
        refused("left.rows | selectattr('count', 'eq', 'a')"),
        [
            "['a'] the member is of type integer and the value of type text; make them the same kind: `| string`, or the other `| integer`"
        ]
    );
    assert_eq!(refused("name is matching('(')"), ["['('] \"(\" is no regular expression: unclosed group"]);
    assert_eq!(
        refused("left.rows | sum"),
        ["[sum] `sum` takes a list of numbers, but its items are of type object; take one member of each \
             first: `| map('…')`"]
    );
    assert_eq!(refused("name | truncate(-1)"), ["[-1] `truncate` wants a number that is not negative here"]);
}

#[test]
fn syntax_errors_have_their_place() {
    assert_eq!(refused(""), ["[] an expression is empty; write one, or leave its key out"]);
    assert_eq!(refused("name = 'x'"), ["[=] unexpected input after expression; equality is `==`"]);
    assert_eq!(
        refused("name =="),
        [
            "[==] unexpected end of input, expected expression; something is missing at the end: a value, or what closes a bracket or a text"
        ]
    );
    assert_eq!(
        refused("name == 'x"),
        [
            "[name == 'x] unexpected end of string; something is missing at the end: a value, or what closes a bracket or a text"
        ]
    );
}

#[test]
fn undeclared_values_fail_loudly_at_run_time() {
    assert_eq!(
        eval("settings.extra == 5"),
        "error: `==` met an exact decimal; use a test or filter for amounts, or `| integer` or `| string` first"
    );
    assert_eq!(
        eval("settings.extra < 9"),
        "error: `<` met an exact decimal; use a test or filter for amounts, or `| integer` or `| string` first"
    );
    assert_eq!(
        eval("5 in [settings.extra]"),
        "error: `in` met an exact decimal; use a test or filter for amounts, or `| integer` or `| string` first"
    );
    assert_eq!(eval("(settings.extra | integer) == 5"), "true");
    assert_eq!(eval("settings.extra is equal_to(5)"), "true");
    assert_eq!(eval("settings.extra | upper"), "error: `upper` takes text, but met an exact decimal");
    assert_eq!(eval("name | integer"), r#"error: `integer` takes a number, but met "Acme Oy""#);
    assert_eq!(eval("9223372036854775807 + 1"), "error: `9223372036854775807 + 1` is no integer of 64 bits");
    assert_eq!(eval("number // 0"), "error: `12 // 0` has no result");
}

#[test]
fn a_record_that_breaks_its_declaration_is_named() {
    let value = from_json_str(r#"{"name":5,"number":1.5}"#).unwrap();
    let message = |source: &str| compiled(source).eval(&value).unwrap_err().to_string();
    assert_eq!(message("name"), "`name` holds a number where its type is text");
    assert_eq!(message("name | upper"), "`name` holds a number where its type is text");
    assert_eq!(message("number + 1"), "`number` holds 1.5, which is no integer of 64 bits");
    assert_eq!(message("today()"), "today() has no value here: the time of the run is not known");
}

#[test]
fn templates_print_and_are_checked() {
    assert_eq!(render("{{ number }} {{ name }}"), "12 Acme Oy");
    assert_eq!(render("{{ balance }}|{{ address.street }}|{{ isActive }}"), "10.50||true");
    assert_eq!(
        render(
            "{% for row in left.rows if row.count > 0 %}{{ loop.index }}:{{ row.code }}={{ row.net }}{% if not loop.last %}, \
             {% endif %}{% else %}none{% endfor %}"
        ),
        "1:a=0.10, 2:b=0.20"
    );
    assert_eq!(render("{% if balance is zero %}paid{% elif isActive %}open{% else %}?{% endif %}"), "open");
    let flat = "{%- if isActive %}a{% else %}b{% endif -%}".repeat(40);
    assert_eq!(render(&flat), "a".repeat(40));
    assert_eq!(render("a {#- note -#} b {% raw %}{{ x }}{% endraw %}"), "ab {{ x }}");
    assert_eq!(render("x {{ nmae }} y"), "[nmae] there is no `nmae` here; did you mean `name`?");
    assert_eq!(
        render("{{ left.rows }}"),
        "[left.rows] `left.rows` is of type list of object and cannot be printed; write `… | join(', ')`"
    );
    assert_eq!(
        render("{% for row in name %}{{ row.x }}{% endfor %}{% if number == 'x' %}{% endif %}"),
        "[name] `for` goes over a list, but `name` is of type text; name a list here\n\
         [number == 'x'] `number` is of type integer and `'x'` of type text; make them the same kind: `| string`, \
         or the other `| integer`"
    );
    assert_eq!(
        render("{% for row in left.rows %}{{ row.cod }}{% endfor %}{{ row }}"),
        "[cod] `row` has no field `cod`; did you mean `code`?\n\
         [row] there is no `row` here; known here: left, right, settings, name, number, balance, isActive, status, …"
    );
}

#[test]
fn compiled_things_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug>(_: &T) {}
    let expr = compiled("number == 12");
    shared(&expr);
    shared(&Template::compile("{{ name }}", &scope()).unwrap());
    let record = record();
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| assert_eq!(expr.holds(&record), Ok(true)));
        }
    });
}

#[test]
fn a_character_that_is_not_known_is_pointed_at_whole() {
    let problems = Expr::compile("'a' ~ ä", &Scope::new()).unwrap_err();
    let source = "'a' ~ ä";
    assert_eq!(&source[problems[0].range.clone()], "ä", "{}", problems[0]);
}
