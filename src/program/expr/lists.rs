//! Filters and tests for lists, and for the length of anything that has one.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, Value as Inner};

use super::MAX_OUTPUT;
use super::amounts::{amount, plus, times};
use super::catalogue::{Arg, Entry, Example, Group, Refusal, Want, attribute, param};
use super::choices::{comparable, equal};
use super::conversions::plain;
use super::convert::{Refused, exact, is_null, kind_of, number, outward};
use super::operators::{failed, too_large};
use super::texts::text;
use crate::program::types::Type;
use crate::value::{Decimal, Path, Segment};

/// The path of a member, as a constant of an expression.
#[derive(Debug)]
pub(super) struct Member(pub Path);

impl Object for Member {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// The items of a list; a missing list has none.
fn items(name: &str, value: Option<&Inner>) -> Result<Vec<Inner>, Error> {
    match value {
        None => Ok(Vec::new()),
        Some(value) => match kind_of(value) {
            "nothing" => Ok(Vec::new()),
            "a list" => Ok(value.try_iter()?.collect()),
            other => Err(failed(format!("`{name}` takes a list, but met {other}"))),
        },
    }
}

/// The member of an item by the path given; missing where a step is.
fn member(item: &Inner, path: Option<&Inner>) -> Inner {
    let Some(path) = path.and_then(|path| path.downcast_object_ref::<Member>()) else { return item.clone() };
    let mut here = item.clone();
    for segment in path.0.segments() {
        let next = match segment {
            Segment::Key(key) => here.get_attr(key),
            Segment::Index(index) => here.get_item(&Inner::from(*index)),
            Segment::All | Segment::Where { .. } => return Inner::UNDEFINED,
        };
        match next {
            Ok(next) => here = next,
            Err(_) => return Inner::UNDEFINED,
        }
    }
    here
}

/// The order of two values of one kind; numbers by their value.
fn order(name: &str, one: &Inner, other: &Inner) -> Result<Ordering, Error> {
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return Ok(one.cmp(&other));
    }
    match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) => Ok(one.cmp(other)),
        _ => Err(failed(format!("`{name}` cannot order {} and {}", kind_of(one), kind_of(other)))),
    }
}

/// The first of a list in an order; missing items do not count.
fn extreme(name: &str, values: &[Inner], wanted: Ordering) -> Result<Inner, Error> {
    let mut best = Inner::UNDEFINED;
    for item in items(name, values.first())?.into_iter().filter(|item| !is_null(item)) {
        if is_null(&best) || order(name, &item, &best)? == wanted {
            best = item;
        }
    }
    Ok(best)
}

/// The items whose member fulfils the test (`keep`), or those whose does not.
fn select(name: &str, values: &[Inner], keep: bool) -> Result<Inner, Error> {
    let mut kept = Vec::new();
    for item in items(name, values.first())? {
        let value = member(&item, values.get(1));
        let fulfils = match (values.get(2).and_then(Inner::as_str), values.get(3)) {
            (None, _) => value.is_true(),
            (Some("in"), Some(list)) => {
                let mut found = false;
                for other in items(name, Some(list))? {
                    found = found || equal(name, &value, &other)?;
                }
                found
            }
            (Some(_), other) => equal(name, &value, other.unwrap_or(&Inner::UNDEFINED))?,
        };
        if fulfils == keep {
            kept.push(item);
        }
    }
    Ok(Inner::from(kept))
}

/// Checks `selectattr(member, 'eq', x)`.
fn selects(values: &[Arg]) -> Result<Type, Refusal> {
    let ty = attribute(values, 1)?;
    let Some(op) = values.get(2) else { return Ok(values[0].ty.clone()) };
    let Some(other) = values.get(3) else {
        return Err(
            Refusal::new(2, "there is nothing to compare with").help("give it after the 'eq' or 'in'")
        );
    };
    let member = Arg::of(ty);
    match op.text() {
        Some("eq") => comparable((&member, "the member"), (other, "the value"), 3)?,
        Some("in") => match other.ty.item() {
            Some(item) if *item == Type::Text && member.may_be_exact() => {}
            Some(item) => {
                comparable((&member, "the member"), (&Arg::of(item.clone()), "an item of the list"), 3)?;
            }
            None => {
                return Err(Refusal::new(3, format!("'in' wants a list, but this is of type {}", other.ty)));
            }
        },
        _ => return Err(Refusal::new(2, "only 'eq' and 'in' can stand here")),
    }
    Ok(values[0].ty.clone())
}

fn item(values: &[Arg]) -> Result<Type, Refusal> {
    Ok(values[0].ty.item().cloned().unwrap_or_default())
}

/// The type of a list's items where they have an order.
fn ordered(values: &[Arg]) -> Result<Type, Refusal> {
    let ty = item(values)?;
    match ty {
        Type::List(_) | Type::Object(_) | Type::Table(_) | Type::File | Type::Bool => {
            Err(Refusal::new(0, format!("values of type {ty} have no order"))
                .help("take one member of each first: `| map('…')`"))
        }
        ty => Ok(ty),
    }
}

const BLANK: Entry = Entry {
    group: Group::Filter,
    name: "",
    doc: "",
    example: Example { source: "", given: "{}", gives: "null" },
    input: Want::List,
    params: &[],
    required: 0,
    gives: item,
    run: |_| Ok(Inner::UNDEFINED),
};

const SELECT: Entry = Entry {
    params: &[param("attribute", Want::Attribute), param("test", Want::Text), param("value", Want::Any)],
    required: 1,
    gives: selects,
    ..BLANK
};

/// The group.
pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        name: "length",
        doc: "How many characters a text has, or items a list; a missing one has none.",
        example: Example { source: "name | length", given: r#"{"name":"Öst"}"#, gives: "3" },
        input: Want::Sized,
        gives: |_| Ok(Type::Integer),
        run: |values| match values.first() {
            Some(value) if !is_null(value) => match value.len() {
                Some(length) => Ok(Inner::from(length)),
                None => Err(failed(format!("`length` takes text or a list, but met {}", kind_of(value)))),
            },
            _ => Ok(Inner::from(0)),
        },
        ..BLANK
    },
    Entry {
        name: "first",
        doc: "The first item of a list; missing where there is none.",
        example: Example { source: "codes | first", given: r#"{"codes":["a","b"]}"#, gives: r#""a""# },
        run: |values| Ok(items("first", values.first())?.into_iter().next().unwrap_or_default()),
        ..BLANK
    },
    Entry {
        name: "last",
        doc: "The last item of a list; missing where there is none.",
        example: Example { source: "codes | last", given: r#"{"codes":["a","b"]}"#, gives: r#""b""# },
        run: |values| Ok(items("last", values.first())?.pop().unwrap_or_default()),
        ..BLANK
    },
    Entry {
        name: "only",
        doc: "The one distinct value of a list; missing where there is none or more than one.",
        example: Example { source: "users | only", given: r#"{"users":["a","a"]}"#, gives: r#""a""# },
        run: |values| {
            let mut distinct = unique("only", values)?;
            Ok(if distinct.len() == 1 { distinct.pop().unwrap_or_default() } else { Inner::UNDEFINED })
        },
        ..BLANK
    },
    Entry {
        name: "join",
        doc: "The items of a list as one text, with a separator between them.",
        example: Example {
            source: "codes | join(', ')",
            given: r#"{"codes":["a","b"]}"#,
            gives: r#""a, b""#,
        },
        params: &[param("separator", Want::Text)],
        gives: |values| match item(values)? {
            ty @ (Type::List(_) | Type::Object(_) | Type::Table(_) | Type::File) => Err(Refusal::new(
                0,
                format!("`join` takes a list of single values, but its items are of type {ty}"),
            )
            .help("take one member of each first: `| map('…')`")),
            _ => Ok(Type::Text),
        },
        run: |values| {
            let separator = text("join", values.get(1))?.unwrap_or_default();
            let mut joined = String::new();
            for (i, item) in items("join", values.first())?.iter().enumerate() {
                if i > 0 {
                    joined.push_str(separator);
                }
                joined.push_str(&plain("join", item)?);
                if joined.len() > MAX_OUTPUT {
                    return Err(too_large());
                }
            }
            Ok(Inner::from(joined))
        },
        ..BLANK
    },
    Entry {
        name: "map",
        doc: "One member of every item.",
        example: Example {
            source: "lines | map(attribute='item.code')",
            given: r#"{"lines":[{"item":{"code":"a"}},{"item":null}]}"#,
            gives: r#"["a",null]"#,
        },
        params: &[param("attribute", Want::Attribute)],
        required: 1,
        gives: |values| attribute(values, 1).map(Type::list),
        run: |values| {
            let path = values.get(1);
            Ok(Inner::from(
                items("map", values.first())?.iter().map(|item| member(item, path)).collect::<Vec<_>>(),
            ))
        },
        ..BLANK
    },
    Entry {
        name: "selectattr",
        doc: "The items whose member is true, equals a value ('eq') or is in a list ('in').",
        example: Example {
            source: "lines | selectattr('kind', 'eq', 'fee') | length",
            given: r#"{"lines":[{"kind":"fee"},{"kind":"cost"}]}"#,
            gives: "1",
        },
        run: |values| select("selectattr", values, true),
        ..SELECT
    },
    Entry {
        name: "rejectattr",
        doc: "The items whose member is not true, not equal to a value ('eq') or not in a list ('in').",
        example: Example {
            source: "lines | rejectattr('isPaid') | map('no')",
            given: r#"{"lines":[{"no":1,"isPaid":true},{"no":2}]}"#,
            gives: "[2]",
        },
        run: |values| select("rejectattr", values, false),
        ..SELECT
    },
    Entry {
        name: "flatten",
        doc: "The items of the lists in a list, as one list.",
        example: Example {
            source: "lines | map('tags') | flatten",
            given: r#"{"lines":[{"tags":["a","b"]},{"tags":[]},{"tags":["c"]}]}"#,
            gives: r#"["a","b","c"]"#,
        },
        gives: |values| match item(values)? {
            inner @ Type::List(_) => Ok(inner),
            Type::Any => Ok(Type::list(Type::Any)),
            other => Err(Refusal::new(0, format!("the items are no lists, but of type {other}"))),
        },
        run: |values| {
            let mut out = Vec::new();
            for inner in items("flatten", values.first())? {
                out.extend(items("flatten", Some(&inner))?);
            }
            Ok(Inner::from(out))
        },
        ..BLANK
    },
    Entry {
        name: "unique",
        doc: "Every distinct value of a list once.",
        example: Example {
            source: "codes | unique",
            given: r#"{"codes":["b","a","b"]}"#,
            gives: r#"["b","a"]"#,
        },
        gives: |values| Ok(values[0].ty.clone()),
        run: |values| Ok(Inner::from(unique("unique", values)?)),
        ..BLANK
    },
    Entry {
        name: "sort",
        doc: "A list of numbers or texts in order; missing ones are left out.",
        example: Example {
            source: "sums | sort",
            given: r#"{"sums":[10.5,9,10.25]}"#,
            gives: "[9,10.25,10.5]",
        },
        gives: |values| ordered(values).map(Type::list),
        run: |values| {
            let mut items = items("sort", values.first())?;
            items.retain(|item| !is_null(item));
            // all of one kind, so that the order is one
            for pair in items.windows(2) {
                order("sort", &pair[0], &pair[1])?;
            }
            items.sort_by(|one, other| order("sort", one, other).unwrap_or(Ordering::Equal));
            Ok(Inner::from(items))
        },
        ..BLANK
    },
    Entry {
        name: "min",
        doc: "The least of a list of numbers or texts.",
        example: Example { source: "sums | min", given: r#"{"sums":[10.5,9.75]}"#, gives: "9.75" },
        gives: ordered,
        run: |values| extreme("min", values, Ordering::Less),
        ..BLANK
    },
    Entry {
        name: "max",
        doc: "The greatest of a list of numbers or texts.",
        example: Example { source: "sums | max", given: r#"{"sums":[10.5,9.75]}"#, gives: "10.5" },
        gives: ordered,
        run: |values| extreme("max", values, Ordering::Greater),
        ..BLANK
    },
    Entry {
        name: "sum",
        doc: "The sum of a list of numbers; missing ones do not count.",
        example: Example {
            source: "lines | map('net') | sum",
            given: r#"{"lines":[{"net":0.10},{"net":0.20},{}]}"#,
            gives: "0.30",
        },
        gives: |values| match item(values)? {
            ty @ (Type::Integer | Type::Decimal) => Ok(ty),
            Type::Any => Ok(Type::Decimal),
            ty => {
                Err(Refusal::new(0, format!("`sum` takes a list of numbers, but its items are of type {ty}"))
                    .help("take one member of each first: `| map('…')`"))
            }
        },
        run: |values| {
            let items = items("sum", values.first())?;
            let mut sum = Decimal::ZERO;
            for item in &items {
                if let Some(number) = amount("sum", Some(item))? {
                    sum = plus(sum, number)
                        .ok_or_else(|| failed("the sum has more digits than an exact decimal holds"))?;
                }
            }
            let native = items.iter().all(|item| item.is_integer() || is_null(item));
            Ok(match super::convert::integer(&sum) {
                Some(integer) if native => Inner::from(integer),
                _ => exact(sum),
            })
        },
        ..BLANK
    },
    Entry {
        name: "products",
        doc: "Of every item one member times another, with all its digits; a missing one counts as nothing.",
        example: Example {
            source: "lines | products('quantity', 'price') | sum",
            given: r#"{"lines":[{"quantity":2,"price":0.35},{"quantity":"1.5","price":"10.00"},{"quantity":3}]}"#,
            gives: "15.7",
        },
        params: &[param("attribute", Want::Attribute), param("by", Want::Attribute)],
        required: 2,
        gives: |values| {
            for at in [1, 2] {
                let ty = attribute(values, at)?;
                if !matches!(ty, Type::Integer | Type::Decimal | Type::Any) {
                    return Err(Refusal::new(
                        at,
                        format!("`products` multiplies numbers, this member is of type {ty}"),
                    ));
                }
            }
            Ok(Type::list(Type::Decimal))
        },
        run: |values| {
            let mut products = Vec::new();
            for item in items("products", values.first())? {
                let one = amount("products", Some(&member(&item, values.get(1))))?.unwrap_or_default();
                let other = amount("products", Some(&member(&item, values.get(2))))?.unwrap_or_default();
                let product = times(one, other)
                    .ok_or_else(|| failed("the product has more digits than an exact decimal holds"))?;
                products.push(exact(product));
            }
            Ok(Inner::from(products))
        },
        ..BLANK
    },
    Entry {
        group: Group::Test,
        name: "contains",
        doc: "Whether a list has a value; amounts are compared by their number.",
        example: Example { source: "codes is contains('b')", given: r#"{"codes":["a","b"]}"#, gives: "true" },
        params: &[param("value", Want::Scalar)],
        required: 1,
        gives: |values| {
            comparable((&Arg::of(item(values)?), "an item of the list"), (&values[1], "the value"), 1)?;
            Ok(Type::Bool)
        },
        run: |values| {
            let wanted = values.get(1).cloned().unwrap_or_default();
            for item in items("contains", values.first())? {
                if equal("contains", &item, &wanted)? {
                    return Ok(Inner::from(true));
                }
            }
            Ok(Inner::from(false))
        },
        ..BLANK
    },
];

/// Every distinct value once, in the order of first appearance.
fn unique(name: &str, values: &[Inner]) -> Result<Vec<Inner>, Error> {
    let mut seen = HashSet::new();
    let mut distinct = Vec::new();
    for item in items(name, values.first())?.into_iter().filter(|item| !is_null(item)) {
        let value = outward(&item).map_err(|refused| match refused {
            Refused::TooLarge => too_large(),
            Refused::Kind(kind) => failed(format!("`{name}` met {kind}")),
        })?;
        if seen.insert(value.canonical().to_json()) {
            distinct.push(item);
        }
    }
    Ok(distinct)
}
