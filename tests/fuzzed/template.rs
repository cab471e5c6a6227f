//! Text as an expression and as a template: compiled, and run over a record, over nothing, and over values of other
//! kinds than declared.

use std::sync::LazyLock;

use mapengine::program::expr::{EvalError, Expr, ExprProblem, Scope, Template};
use mapengine::program::types::Type;
use mapengine::value::{Value, from_json_str};

static SCOPE: LazyLock<Scope> = LazyLock::new(|| {
    let line = Type::object([
        ("name", Type::Text),
        ("count", Type::Integer),
        ("price", Type::Decimal),
        ("tags", Type::list(Type::Text)),
    ]);
    Scope::new()
        .root("text", Type::Text)
        .root("number", Type::Integer)
        .root("amount", Type::Decimal)
        .root("flag", Type::Bool)
        .root("day", Type::Date)
        .root("time", Type::Time)
        .root("id", Type::Id)
        .root("state", Type::choice(["Open", "Paid"]))
        .root("lines", Type::list(line.clone()))
        .root("line", line)
        .root("units", Type::table(Type::Text))
        .root("any", Type::Any)
});

static RECORDS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    [
        r#"{"text":"Järvi & Pojat","number":-7,"amount":12.50,"flag":true,"day":"2026-11-26","time":"2026-11-26T09:30:00Z",
            "id":"00000000-0000-4000-8000-000000000026","state":"Paid","line":{"name":"Bolt","count":3,"price":0.10,"tags":["a","b"]},
            "lines":[{"name":"Nut","count":1,"price":1.005,"tags":[]},{"name":"Nut","count":2,"price":-2,"tags":["b"]},{"name":null}],
            "units":{"h":"HOUR"},"any":{"deep":[1,"two",{"three":3}]},"today":"2026-11-26","now":"2026-11-26T09:30:00Z"}"#,
        r#"{"text":"","number":9223372036854775807,"amount":79228162514264337593543950335,"flag":false,"day":"9999-12-31",
            "time":"9999-12-30T22:00:00Z","id":"","state":"Open","line":{},"lines":[],"units":{},"any":null,
            "today":"-009999-01-01","now":"9999-12-30T22:00:00Z"}"#,
        "{}",
        r#"{"text":["x"],"number":"7","amount":"12.50","flag":"yes","day":7,"time":"soon","id":{"a":1},"state":true,"line":[],
            "lines":{"a":1},"units":"h","any":1e400,"today":1,"now":"now"}"#,
    ]
    .map(|text| from_json_str(text).expect("JSON"))
    .into()
});

/// The most that an evaluation may make (`EvalError::TooLarge` says so).
const MOST: usize = 64 * 1024;

/// Whether it is an expression or a template.
pub fn run(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let expression = Expr::compile(text, &SCOPE);
    match &expression {
        Ok(expression) => {
            for (i, record) in RECORDS.iter().enumerate() {
                evaluated(expression, record, i + 1 < RECORDS.len());
            }
        }
        Err(problems) => told(problems, text),
    }
    let template = Template::compile(text, &SCOPE);
    match &template {
        Ok(template) => {
            for record in RECORDS.iter() {
                let made = template.render(record);
                assert_eq!(made, template.render(record), "another text the second time");
                match made {
                    Ok(text) => assert!(text.len() <= MOST, "{} bytes", text.len()),
                    Err(error) => failed(&error),
                }
            }
        }
        Err(problems) => told(problems, text),
    }
    expression.is_ok() || text.contains('{') && template.is_ok()
}

/// The last record is not as declared, and what is below a list or an object is not looked at before it is used.
fn evaluated(expression: &Expr, record: &Value, declared: bool) {
    let value = expression.eval(record);
    assert_eq!(value, expression.eval(record), "another value the second time");
    match value {
        Ok(value) => {
            let fits = !declared || super::fits(expression.ty(), &value);
            assert!(fits, "{expression} is {}: {value}", expression.ty());
            assert_eq!(expression.holds(record), Ok(value.is_true()), "{expression}: {value}");
        }
        Err(error) => failed(&error),
    }
    if let Some(path) = expression.as_path() {
        assert_eq!(expression.uses(), [path]);
    }
}

fn failed(error: &EvalError) {
    assert!(!error.to_string().is_empty());
}

/// Each problem is told with a place in the source.
fn told(problems: &[ExprProblem], source: &str) {
    assert!(!problems.is_empty(), "refused without a word");
    for problem in problems {
        assert!(!problem.message.is_empty());
        assert!(source.get(problem.range.clone()).is_some(), "{problem} at {:?}", problem.range);
    }
}
