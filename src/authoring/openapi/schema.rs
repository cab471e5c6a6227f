//! Schemas to typed fields: references followed, `allOf` merged, circles cut.

use serde_json::Value;

use super::document::Document;
use crate::authoring::text::first_sentence;

/// How many references deep a record is followed: what is nested deeper is for a person to write.
const DEPTH: usize = 5;

/// A field as the document has it.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Its name on the wire.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// It must be there.
    pub required: bool,
    /// Only in answers.
    pub read_only: bool,
    /// Only in requests.
    pub write_only: bool,
    /// Only in the request that makes a record.
    pub create_only: bool,
    /// It may be null.
    pub nullable: bool,
    /// At most so many characters.
    pub max: Option<u64>,
    /// Decimal places.
    pub places: Option<u32>,
    /// What the document says of it.
    pub help: String,
    /// The path in answers, where requests have the value itself.
    pub read: Option<String>,
    /// Sent without the wrapper that the others have.
    pub bare: bool,
    /// What to check.
    pub notes: Vec<String>,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Text,
    Integer,
    Decimal,
    Bool,
    Date,
    Time,
    Id,
    Choice(Vec<String>),
    Object(Vec<Field>),
    /// A list of objects, or of scalars.
    List(Vec<Field>),
    Many(Box<Kind>),
    /// It cannot be told, and why.
    Unknown(String),
}

impl PartialEq for Field {
    fn eq(&self, other: &Field) -> bool {
        self.name == other.name && self.kind == other.kind
    }
}

impl Kind {
    /// The word of the language.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Integer => "integer",
            Kind::Decimal => "decimal",
            Kind::Bool => "bool",
            Kind::Date => "date",
            Kind::Time => "time",
            Kind::Id => "id",
            Kind::Choice(_) => "choice",
            Kind::Object(_) => "object",
            Kind::List(_) | Kind::Many(_) => "list",
            Kind::Unknown(_) => "unknown",
        }
    }

    /// One value, no object and no list.
    pub(super) fn is_scalar(&self) -> bool {
        !matches!(self, Kind::Object(_) | Kind::List(_) | Kind::Many(_) | Kind::Unknown(_))
    }

    /// The members of an object.
    pub(super) fn members(&self) -> &[Field] {
        match self {
            Kind::Object(members) => members,
            _ => &[],
        }
    }
}

/// A schema with its references followed and its parts merged.
#[derive(Default)]
struct Flat<'d> {
    kind: Option<&'d str>,
    format: Option<&'d str>,
    choices: Option<&'d Vec<Value>>,
    properties: Vec<(&'d str, &'d Value)>,
    required: Vec<&'d str>,
    items: Option<&'d Value>,
    description: &'d str,
    nullable: bool,
    read_only: bool,
    write_only: bool,
    max: Option<u64>,
    places: Option<u32>,
    has_default: bool,
    unknown: Option<String>,
    /// References that were followed: what stands inside must not follow them again.
    followed: Vec<&'d str>,
}

/// Reads schemas of one document.
pub(super) struct Schemas<'a, 'd> {
    pub document: &'a Document<'d>,
}

impl<'d> Schemas<'_, 'd> {
    /// What a schema holds.
    pub(super) fn kind(&self, schema: &'d Value) -> Kind {
        self.field("", schema, &mut Vec::new()).kind
    }

    fn field(&self, name: &str, schema: &'d Value, inside: &mut Vec<&'d str>) -> Field {
        let mut flat = Flat::default();
        self.merge(schema, inside, &mut flat);
        let before = inside.len();
        inside.extend(&flat.followed);
        let mut notes = Vec::new();
        let kind = self.kind_of(&flat, inside, &mut notes);
        inside.truncate(before);
        Field {
            name: name.to_owned(),
            kind,
            required: false,
            read_only: flat.read_only,
            write_only: flat.write_only && !flat.read_only,
            create_only: false,
            nullable: flat.nullable || flat.has_default,
            max: flat.max.filter(|max| (1..=1_000_000).contains(max)),
            places: flat.places,
            help: first_sentence(flat.description, 90),
            read: None,
            bare: false,
            notes,
        }
    }

    fn kind_of(&self, flat: &Flat<'d>, inside: &mut Vec<&'d str>, notes: &mut Vec<String>) -> Kind {
        if let Some(reason) = &flat.unknown {
            return Kind::Unknown(reason.clone());
        }
        let object = !flat.properties.is_empty();
        let kind = match flat.kind {
            Some(kind) => kind,
            None if object => "object",
            None if flat.items.is_some() => "array",
            None if flat.choices.is_some() => "string",
            None => return Kind::Unknown("no type is given".to_owned()),
        };
        match kind {
            "string" => {
                match (&flat.choices, flat.format) {
                    (Some(choices), _) => choice(choices),
                    (_, Some("date")) => Kind::Date,
                    (_, Some("date-time" | "datetime")) => Kind::Time,
                    (_, Some("uuid" | "guid")) => Kind::Id,
                    (_, Some("binary" | "byte")) => Kind::Unknown("the content of a file".to_owned()),
                    (_, Some("decimal" | "money")) => {
                        notes.push("an amount as text: make it a decimal, and say `encoding: { decimal: { as: text } }`".to_owned());
                        Kind::Text
                    }
                    _ => Kind::Text,
                }
            }
            "integer" => Kind::Integer,
            "number" => Kind::Decimal,
            "boolean" => Kind::Bool,
            "array" => {
                let Some(items) = flat.items else {
                    return Kind::Unknown("a list, and nothing says of what".to_owned());
                };
                if inside.len() > DEPTH {
                    return Kind::Unknown("nested too deep".to_owned());
                }
                let item = self.field("", items, inside);
                match item.kind {
                    Kind::Object(fields) => Kind::List(fields),
                    Kind::Unknown(reason) => Kind::Unknown(format!("a list: {reason}")),
                    Kind::List(_) | Kind::Many(_) => Kind::Unknown("a list of lists".to_owned()),
                    scalar => Kind::Many(Box::new(scalar)),
                }
            }
            "object" if object => {
                if inside.len() > DEPTH {
                    return Kind::Unknown("nested too deep".to_owned());
                }
                let members = flat
                    .properties
                    .iter()
                    .map(|(name, schema)| {
                        let mut field = self.field(name, schema, inside);
                        field.required = flat.required.contains(name);
                        field
                    })
                    .collect();
                Kind::Object(members)
            }
            "object" => Kind::Unknown("an object whose members are not described".to_owned()),
            other => Kind::Unknown(format!("the type `{}`", first_sentence(other, 30))),
        }
    }

    fn merge(&self, schema: &'d Value, inside: &[&'d str], flat: &mut Flat<'d>) {
        if flat.followed.len() > 32 {
            flat.unknown = Some("it refers to itself".to_owned());
            return;
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            if inside.contains(&reference) || flat.followed.contains(&reference) {
                flat.unknown = Some("the same kind of object again: a circle is cut here".to_owned());
                return;
            }
            flat.followed.push(reference);
            match self.document.target(reference) {
                Some(target) => self.merge(target, inside, flat),
                None => flat.unknown = Some("it is described in another document".to_owned()),
            }
        }
        self.own(schema, flat);
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.merge(part, inside, flat);
        }
        for word in ["oneOf", "anyOf"] {
            let Some(parts) = schema.get(word).and_then(Value::as_array) else { continue };
            let is_null = |part: &&Value| part.get("type").and_then(Value::as_str) == Some("null");
            flat.nullable |= parts.iter().any(|part| is_null(&part));
            let parts: Vec<&Value> = parts.iter().filter(|part| !is_null(part)).collect();
            match parts[..] {
                [only] => self.merge(only, inside, flat),
                [] => {}
                // parts that only say which members go together change nothing here
                _ if flat.kind.is_some() || !flat.properties.is_empty() => {}
                _ => flat.unknown = Some(format!("one of {} kinds ({word})", parts.len())),
            }
        }
    }

    /// What a schema says itself.
    fn own(&self, schema: &'d Value, flat: &mut Flat<'d>) {
        let text = |name: &str| schema.get(name).and_then(Value::as_str);
        let yes = |name: &str| schema.get(name).and_then(Value::as_bool) == Some(true);
        match schema.get("type") {
            Some(Value::String(kind)) => flat.kind = Some(kind),
            Some(Value::Array(kinds)) => {
                let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
                flat.nullable |= kinds.contains(&"null");
                let kinds: Vec<&str> = kinds.into_iter().filter(|kind| *kind != "null").collect();
                match kinds[..] {
                    [only] => flat.kind = Some(only),
                    [] => {}
                    _ => flat.unknown = Some(format!("{} in one field", kinds.join(" or "))),
                }
            }
            _ => {}
        }
        flat.format = text("format").or(flat.format);
        flat.choices = schema.get("enum").and_then(Value::as_array).or(flat.choices);
        flat.items = schema.get("items").or(flat.items);
        flat.description = text("description").or(text("title")).unwrap_or(flat.description);
        flat.nullable |= yes("nullable") || yes("x-nullable");
        flat.has_default |= schema.get("default").is_some_and(|value| !value.is_null());
        flat.read_only |= yes("readOnly");
        flat.write_only |= yes("writeOnly");
        flat.max = schema.get("maxLength").and_then(Value::as_u64).or(flat.max);
        if let Some(step) = schema.get("multipleOf").map(Value::to_string) {
            flat.places = step.split_once('.').map(|(_, after)| after.trim_end_matches('0').len() as u32);
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            match flat.properties.iter_mut().find(|(known, _)| known == name) {
                Some(known) => known.1 = property,
                None => flat.properties.push((name, property)),
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        flat.required.extend(required.filter_map(Value::as_str));
    }
}

/// A list of allowed texts; numbers as choices are numbers.
fn choice(values: &[Value]) -> Kind {
    let mut of: Vec<String> = Vec::new();
    for value in values.iter().filter(|value| !value.is_null()) {
        match value {
            Value::String(text) if !of.contains(text) => of.push(text.clone()),
            Value::String(_) => {}
            _ => return Kind::Text,
        }
    }
    if of.is_empty() { Kind::Text } else { Kind::Choice(of) }
}
