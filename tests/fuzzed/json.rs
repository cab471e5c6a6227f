//! Bytes as a JSON answer: every digit is kept, what is written is read the same, and records are made of it.

use std::sync::LazyLock;

use mapengine::program::system::System;
use mapengine::value::{Value, from_json_slice, from_json_str};

static SYSTEMS: LazyLock<Vec<System>> = LazyLock::new(|| {
    [
        ("one.yaml", include_str!("../../mappings/systems/severa.yaml")),
        ("wrapped.yaml", include_str!("../../mappings/systems/visma_net.yaml")),
        ("tagged.yaml", include_str!("../../mappings/systems/tryton.yaml")),
        ("ledger.yaml", include_str!("../systems/ledger.yaml")),
    ]
    .map(|(name, text)| super::system(name, text))
    .into()
});

/// Whether it is JSON as the engine takes it.
pub fn run(bytes: &[u8]) -> bool {
    let Ok(value) = from_json_slice(bytes) else { return false };
    let other = serde_json::from_slice(bytes).expect("what we take for JSON is JSON");
    assert!(same(&value, &other), "{value} is not {other}");

    let text = value.to_json();
    assert_eq!(from_json_str(&text).expect("what is written can be read"), value);
    let other = serde_json::from_str(&text).expect("what is written is JSON");
    assert!(same(&value, &other), "{value} is not {other}");

    let canonical = value.canonical();
    assert_eq!(canonical.canonical().to_json(), canonical.to_json());

    for system in SYSTEMS.iter() {
        super::records(system, &value);
        for one in value.as_list().into_iter().flatten().take(3) {
            super::records(system, one);
        }
    }
    true
}

/// Whether both say the same, numbers digit by digit.
fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(one), serde_json::Value::Bool(other)) => one == other,
        (Value::Text(one), serde_json::Value::String(other)) => one == other,
        (Value::Number(one), serde_json::Value::Number(other)) => {
            exact(&one.to_string()) == exact(&other.to_string())
        }
        (Value::Wide(one), serde_json::Value::Number(other)) => {
            one == &other.to_string() || exact(one) == exact(&other.to_string())
        }
        (Value::List(ones), serde_json::Value::Array(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| same(one, other))
        }
        (Value::Map(ones), serde_json::Value::Object(others)) => {
            ones.len() == others.len()
                && ones.iter().all(|(name, one)| others.get(name).is_some_and(|other| same(one, other)))
        }
        _ => false,
    }
}

/// A number as its sign, its digits without zeros around them, and the power of ten behind them. One whose exponent
/// has too many digits for that is its text.
fn exact(number: &str) -> (bool, String, i128) {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let Ok(exponent) = exponent.parse::<i128>() else { return (false, number.to_owned(), 0) };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let ending = digits.trim_end_matches('0');
    let power = exponent - fraction.len() as i128 + (digits.len() - ending.len()) as i128;
    match ending.trim_start_matches('0') {
        "" => (false, String::new(), 0),
        digits => (negative, digits.to_owned(), power),
    }
}
