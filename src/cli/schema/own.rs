//! The schema of one mapping: the general one, and what the names of this mapping and of its systems allow at each place.
//!
//! It only adds to the general schema, so that what is refused there stays refused. Whatever the compiler might accept is
//! accepted: expressions and templates are free text, unless they are but one name.

mod documents;
mod steps;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::fields::{Records, escaped};
use crate::program::open::Opened;
use crate::program::system::Resource;
use crate::spec::mapping::{self as spec, SettingKind};
use crate::spec::yaml::Table;
use crate::value::{Both, Side};

/// Tables of rows may stand in one another; a circle is not followed for ever.
const DEEPEST: usize = 8;

/// The schema of one mapping under the general one.
pub(super) fn overlay(opened: &Opened) -> (Value, Map<String, Value>) {
    let mut own = Own { opened, defs: Map::new(), tables: IndexMap::new() };
    let schema = own.mapping();
    (schema, own.defs)
}

pub(super) struct Own<'o> {
    pub opened: &'o Opened,
    defs: Map<String, Value>,
    /// The objects that each table is used for.
    tables: IndexMap<String, Both<Records>>,
}

/// One of these texts, or nothing where it may be left out.
pub(super) fn one_of(texts: impl IntoIterator<Item = impl Into<String>>) -> Value {
    let texts = texts.into_iter().map(|text| Value::String(text.into()));
    json!({ "enum": texts.chain([Value::Null]).collect::<Vec<_>>() })
}

/// One of these, or many of them.
pub(super) fn one_or_many(one: &Value) -> Value {
    json!({ "anyOf": [one, { "type": "array", "items": one }] })
}

impl Own<'_> {
    /// A definition by its name; another of that name gets a number.
    pub fn define(&mut self, name: &str, schema: Value) -> Value {
        let plain = |letter: char| {
            if letter.is_ascii_alphanumeric() || ".-_".contains(letter) { letter } else { '_' }
        };
        let name = format!("own.{}", name.chars().map(plain).collect::<String>());
        let free = (1..)
            .map(|number| if number == 1 { name.clone() } else { format!("{name}.{number}") })
            .find(|name| self.defs.get(name).is_none_or(|known| *known == schema))
            .unwrap_or(name);
        let reference = json!({ "$ref": format!("#/$defs/{free}") });
        self.defs.insert(free, schema);
        reference
    }

    fn mapping(&mut self) -> Value {
        let opened = self.opened;
        let mapping = &opened.mapping;
        let settings = self.declared_settings();
        let checks = self.checks();
        let registers: Map<String, Value> = mapping
            .registers
            .iter()
            .map(|(name, register)| (name.value.clone(), self.register(&name.value, register)))
            .collect();
        let documents: Map<String, Value> = mapping
            .documents
            .iter()
            .map(|(name, document)| (name.value.clone(), self.document(&name.value, document)))
            .collect();
        let tables: Map<String, Value> = mapping
            .tables
            .keys()
            .map(|name| {
                let mut ends = self.tables.get(name).cloned().unwrap_or_default();
                for side in Side::BOTH {
                    ends[side].name = format!("{}.in.{name}", opened.names[side]);
                }
                (name.to_owned(), json!({ "items": self.row(&ends) }))
            })
            .collect();
        let any = Both::<Records>::default();
        let (row, register) = (self.row(&any), self.any_register());
        json!({
            "properties": {
                "systems": { "propertyNames": self.sides() },
                "settings": { "properties": settings },
                "checks": { "items": checks },
                "tables": { "properties": tables, "additionalProperties": { "items": row } },
                "registers": { "properties": registers, "additionalProperties": register },
                "documents": { "properties": documents }
            }
        })
    }

    /// The names of the sides.
    pub fn sides(&mut self) -> Value {
        let names = &self.opened.names;
        let sides = one_of([names.left.clone(), names.right.clone()]);
        self.define("side", sides)
    }

    /// The keys of a map: words, and the sides.
    pub fn words_and_sides(&self, words: &[&str]) -> Value {
        let names = &self.opened.names;
        let sides = [names.left.as_str(), names.right.as_str()];
        json!({ "enum": words.iter().copied().chain(sides).collect::<Vec<_>>() })
    }

    /// What stands at either side, by the sides' names.
    pub fn at_sides(&self, schemas: &Both<Value>) -> Map<String, Value> {
        let names = &self.opened.names;
        Side::BOTH.into_iter().map(|side| (names[side].clone(), schemas[side].clone())).collect()
    }

    pub fn resource(&self, side: Side, name: &str) -> Option<&Arc<Resource>> {
        self.opened.systems[side].resources.get(name)
    }

    /// The names of a side's resources.
    pub fn resources(&mut self, side: Side) -> Value {
        let opened = self.opened;
        let said = |resource: &Resource| resource.title.clone().unwrap_or_else(|| resource.path.clone());
        let names: Vec<Value> = opened.systems[side]
            .resources
            .iter()
            .map(|(name, resource)| json!({ "const": name, "description": said(resource) }))
            .chain([json!({ "type": "null" })])
            .collect();
        self.define(&format!("resource.{}", opened.names[side]), json!({ "anyOf": names }))
    }

    /// The records of a side of a register or document.
    pub fn records(&self, side: Side, resource: Option<&str>, one_of: &[&str]) -> Records {
        let names = resource.into_iter().chain(one_of.iter().copied());
        let found: Vec<Arc<Resource>> = names.filter_map(|name| self.resource(side, name).cloned()).collect();
        if found.is_empty() { Records::default() } else { Records::of(&self.opened.names[side], &found) }
    }

    /// A path of one field.
    pub fn field(&mut self, records: &Records) -> Value {
        match records.schema() {
            Some(schema) => {
                let unknown = self.unknown_in_brackets();
                self.define(&records.name, json!({ "allOf": [schema, { "not": unknown }] }))
            }
            None => json!(true),
        }
    }

    /// A path of one field, where it may be left out.
    pub fn field_or_none(&mut self, records: &Records) -> Value {
        let field = self.field(records);
        json!({ "anyOf": [field, { "type": "null" }] })
    }

    /// A map from fields of one kind of record to something.
    pub fn by_field(&mut self, keys: &Records, values: &Value) -> Value {
        let keys = self.field(keys);
        json!({ "propertyNames": keys, "additionalProperties": values })
    }

    fn setting_names(&self) -> String {
        let names = self.opened.mapping.settings.keys().map(escaped);
        names.collect::<Vec<_>>().join("|")
    }

    /// A setting in a path that is not declared.
    fn unknown_in_brackets(&mut self) -> Value {
        let pattern = format!(r"=settings\.(?!(?:{})\])", self.setting_names());
        self.define("unknown_setting_in_a_path", json!({ "type": "string", "pattern": pattern }))
    }

    /// The settings of these kinds (none: of all), each with its help.
    pub fn settings(&self, kinds: &[SettingKind]) -> Vec<Value> {
        let all = self.opened.mapping.settings.iter();
        all.filter(|(_, setting)| kinds.is_empty() || kinds.contains(&setting.kind))
            .map(|(name, setting)| {
                let kind = kind_of(setting.kind);
                json!({ "const": format!("settings.{name}"), "description": format!("{kind}. {}", setting.help) })
            })
            .collect()
    }

    /// A setting of these kinds, or what is said otherwise.
    pub fn setting_or(&self, kinds: &[SettingKind], others: impl IntoIterator<Item = Value>) -> Value {
        let all: Vec<Value> =
            self.settings(kinds).into_iter().chain(others).chain([json!({ "type": "null" })]).collect();
        json!({ "anyOf": all })
    }

    /// An expression: free text, but a setting that stands alone is declared.
    pub fn expression(&mut self) -> Value {
        let pattern =
            format!(r"^\s*(?:not\s+)?settings\.(?!(?:{})\s*$)[A-Za-z_]\w*\s*$", self.setting_names());
        let free = json!({ "not": { "type": "string", "pattern": pattern } });
        let schema = self.setting_or(&[], [free]);
        self.define("expression", schema)
    }

    /// An expression over records: where it is but one name, a field of theirs (or one of the other words).
    pub fn over(&mut self, records: &Records, words: &[Value]) -> Value {
        let names = &self.opened.names;
        let expression = self.expression();
        if records.is_empty() {
            return expression;
        }
        let bare = records.bare_pattern([&names.left, &names.right]);
        let field = self.field(records);
        let mut any = words.to_vec();
        any.extend([
            field,
            json!({ "allOf": [expression, { "not": { "type": "string", "pattern": bare } }] }),
        ]);
        let named = if words.is_empty() { "over" } else { "taken" };
        self.define(&format!("{named}.{}", records.name), json!({ "anyOf": any }))
    }

    /// The registers, by their names.
    pub fn registers(&mut self) -> Value {
        let names = one_of(self.opened.mapping.registers.keys());
        self.define("register", names)
    }

    pub fn direction(&mut self) -> Value {
        let (left, right) = (&self.opened.names.left, &self.opened.names.right);
        let (l, r) = (escaped(left), escaped(right));
        let words = [
            "both".into(),
            "none".into(),
            "link_only".into(),
            format!("{left} -> {right}"),
            format!("{right} -> {left}"),
        ];
        let spaced =
            json!({ "type": "string", "pattern": format!(r"^\s*(?:{l}\s*->\s*{r}|{r}\s*->\s*{l})\s*$") });
        let schema = self.setting_or(&[SettingKind::Direction], [json!({ "enum": words }), spaced]);
        self.define("direction", schema)
    }

    /// A side, or a setting that names one.
    pub fn master(&mut self, none: bool) -> Value {
        let side = self.sides();
        let none = none.then(|| json!({ "const": "none" }));
        let name = if none.is_some() { "master.of.a.row" } else { "master" };
        let schema = self.setting_or(&[SettingKind::Side], [side].into_iter().chain(none));
        self.define(name, schema)
    }

    /// What the words of a row say that is the same in all tables.
    fn row_words(&mut self) -> Value {
        let mapping = &self.opened.mapping;
        let tables = one_of(mapping.tables.keys());
        let registers = self.registers();
        let values = self.setting_or(&[], [json!({ "not": { "type": "string" } })]);
        let number = json!({ "not": { "type": "string", "pattern": "^settings\\." } });
        let multiply = self.setting_or(&[], [number]);
        let (expression, master, direction) = (self.expression(), self.master(true), self.direction());
        let keys = self.words_and_sides(spec::ROW_WORDS);
        self.define(
            "row",
            json!({
                "propertyNames": keys,
                "properties": {
                    "fields": tables,
                    "ref": registers,
                    "values": values,
                    "multiply": multiply,
                    "value": expression,
                    "default": expression,
                    "when": expression,
                    "else": expression,
                    "master": master,
                    "direction": direction
                }
            }),
        )
    }

    /// A row between these records.
    pub fn row(&mut self, ends: &Both<Records>) -> Value {
        let words = self.row_words();
        if Side::BOTH.into_iter().all(|side| ends[side].is_empty()) {
            return words;
        }
        let fields = Both::of(|side| one_or_many(&self.field(&ends[side])));
        let mut properties = self.at_sides(&fields);
        // where one side is not known `only` may name what it has
        if Side::BOTH.into_iter().all(|side| !ends[side].is_empty()) {
            let resources: Vec<&String> =
                Side::BOTH.into_iter().flat_map(|side| &ends[side].resources).collect();
            properties.insert("only".into(), one_or_many(&json!({ "enum": resources })));
        }
        let name = format!("row.{}.{}", ends.left.name, ends.right.name);
        self.define(&name, json!({ "allOf": [words], "properties": properties }))
    }

    /// A row of a record's own table. Where an expression is but one name, it is a field of either side: which of them is
    /// meant depends on the way the row goes.
    pub fn own_row(&mut self, ends: &Both<Records>) -> Value {
        let row = self.row(ends);
        if Side::BOTH.into_iter().any(|side| ends[side].is_empty()) {
            return row;
        }
        let names = &self.opened.names;
        let bare = ends.left.clone().and(ends.right.clone()).bare_pattern([&names.left, &names.right]);
        let (left, right, expression) = (self.field(&ends.left), self.field(&ends.right), self.expression());
        let free = json!({ "allOf": [expression, { "not": { "type": "string", "pattern": bare } }] });
        let over = json!({ "anyOf": [left, right, free] });
        let over = self.define(&format!("over.{}.{}", ends.left.name, ends.right.name), over);
        let words = json!({ "value": over, "default": over, "when": over, "else": over });
        let name = format!("own_row.{}.{}", ends.left.name, ends.right.name);
        self.define(&name, json!({ "allOf": [row], "properties": words }))
    }

    /// The rows of a field table; what the tables in it are used for is noted.
    pub fn rows(&mut self, ends: &Both<Records>, rows: &[spec::Row]) -> Value {
        self.note_tables(ends, rows, 0);
        json!({ "items": self.own_row(ends) })
    }

    fn note_tables(&mut self, ends: &Both<Records>, rows: &[spec::Row], depth: usize) {
        let opened = self.opened;
        for row in rows {
            let Some(table) = row.words.fields.as_ref().filter(|_| depth < DEEPEST) else { continue };
            let objects = Both::of(|side| {
                let paths = row.sides.iter().find(|(key, _)| key.value == opened.names[side]);
                let path = paths.and_then(|(_, paths)| paths.first());
                path.map(|path| ends[side].below(&path.value)).unwrap_or_default()
            });
            let used = self.tables.entry(table.value.clone()).or_default();
            for side in Side::BOTH {
                used[side] = std::mem::take(&mut used[side]).and(objects[side].clone());
            }
            if let Some(rows) = opened.mapping.tables.get(&table.value) {
                self.note_tables(&objects, rows, depth + 1);
            }
        }
    }

    /// A register that is not there yet.
    fn any_register(&mut self) -> Value {
        let row = self.row(&Both::default());
        let keys = self.words_and_sides(spec::REGISTER_WORDS);
        json!({ "propertyNames": keys, "properties": { "fields": { "items": row } } })
    }

    fn register(&mut self, name: &str, register: &spec::Register) -> Value {
        let opened = self.opened;
        let side_of = |side: Side| register.sides.iter().find(|(key, _)| key.value == opened.names[side]);
        let ends = Both::of(|side| match side_of(side) {
            Some((_, end)) => {
                let many: Vec<&str> = end.one_of.keys().collect();
                self.records(side, end.resource.as_ref().map(|name| name.value.as_str()), &many)
            }
            None => Records::default(),
        });
        let sides = Both::of(|side| {
            let exists = side_of(side).map(|(_, end)| self.exists(side, &end.exists, &ends[side]));
            let resources = self.resources(side);
            let other = &ends[side.other()];
            let by = self.field_or_none(&other.under(&opened.names[side.other()]));
            let expression = self.over(&ends[side], &[]);
            json!({ "properties": {
                "resource": resources,
                "one_of": { "propertyNames": resources },
                "by": by,
                "scope": expression,
                "create_when": expression,
                "exists": exists.unwrap_or(json!(true))
            } })
        });
        let mut properties = self.at_sides(&sides);
        let (side, expression, registers) = (self.sides(), self.expression(), self.registers());
        // rows are named by their left path, or by a side and its path; one that is told apart by more has both
        let left = self.field(&ends.left);
        let [one, other] = Side::BOTH.map(|side| self.field(&ends[side].under(&opened.names[side])));
        let named = json!({ "anyOf": [left, one, other, { "type": "string", "pattern": " = " }] });
        let both = ends.left.clone().and(ends.right.clone());
        let unique =
            if ends.left.is_empty() || ends.right.is_empty() { json!(true) } else { self.field(&both) };
        let (direction, master) = (self.direction(), self.master(false));
        let missing = one_of(["nothing", "set_aside", "unlink", "delete"]);
        let gone = one_of(["nothing", "set_aside", "unlink"]);
        let rows = self.rows(&ends, &register.words.fields);
        let words = json!({
            "when": expression,
            "direction": direction,
            "master": master,
            "adopt": side,
            "match": { "items": one_or_many(&named) },
            "unique": { "items": { "properties": { "in": side, "field": unique, "when": expression } } },
            "part_of": registers,
            "valid": { "items": { "properties": { "of": side, "that": expression } } },
            "situations": {
                "propertyNames": { "enum": ["source_missing", "target_missing", "out_of_scope"] },
                "properties": { "source_missing": missing, "target_missing": gone, "out_of_scope": gone }
            },
            "fields": rows
        });
        properties.extend(words.as_object().cloned().unwrap_or_default());
        let keys = self.words_and_sides(spec::REGISTER_WORDS);
        self.define(&format!("register.{name}"), json!({ "propertyNames": keys, "properties": properties }))
    }

    fn exists(&mut self, side: Side, questions: &Table<spec::Exists>, ours: &Records) -> Value {
        let ours = self.field(ours);
        let (resources, expression) = (self.resources(side), self.expression());
        let mut properties = Map::new();
        for (name, question) in questions.iter() {
            let theirs = self.records(side, Some(&question.resource.value), &[]);
            let pairs = self.by_field(&theirs, &ours);
            properties.insert(
                name.value.clone(),
                json!({ "properties": { "resource": resources, "where": pairs, "when": expression } }),
            );
        }
        json!({ "properties": properties, "additionalProperties": { "properties": { "resource": resources } } })
    }

    fn declared_settings(&mut self) -> Map<String, Value> {
        let opened = self.opened;
        let mut out = Map::new();
        for (name, setting) in opened.mapping.settings.iter() {
            let mut properties = Map::new();
            let parts = setting.from.as_ref().and_then(|from| {
                let (side, rest) = from.value.split_once('.')?;
                let side = Side::BOTH.into_iter().find(|one| opened.names[*one] == side)?;
                Some((side, rest.split_once('.')?.0.to_owned()))
            });
            if let Some((side, resource)) = parts {
                let records = self.records(side, Some(&resource), &[]);
                let from = self.field_or_none(&records.under(&format!("{}.{resource}", opened.names[side])));
                properties.insert("from".into(), from);
            }
            let answer = match setting.kind {
                SettingKind::Side => Some(self.sides()),
                SettingKind::Direction => Some(self.direction()),
                SettingKind::Choice if !setting.of.is_empty() => {
                    Some(one_of(setting.of.iter().map(|one| one.value.clone())))
                }
                _ => None,
            };
            for word in ["default", "sandbox"] {
                properties.extend(answer.clone().map(|answer| (word.to_owned(), answer)));
            }
            out.insert(name.value.clone(), json!({ "description": setting.help, "properties": properties }));
        }
        out
    }

    fn checks(&mut self) -> Value {
        let (side, expression) = (self.sides(), self.expression());
        let mapping = &self.opened.mapping;
        let names = &self.opened.names;
        let each = mapping.registers.keys().flat_map(|register| {
            Side::BOTH.into_iter().map(move |side| format!("registers.{register}.{}", names[side]))
        });
        let each = one_of(each);
        json!({ "properties": {
            "each": each,
            "access": { "items": side },
            "when": expression,
            "that": expression
        } })
    }
}

/// JSON with one line for whatever is short: a schema of many names stays readable.
pub(super) fn in_lines(value: &Value) -> String {
    fn add(value: &Value, indent: usize, out: &mut String) {
        const SHORT: usize = 140;
        let whole = value.to_string();
        if whole.len() <= SHORT {
            out.push_str(&whole);
            return;
        }
        let space = " ".repeat(indent + 1);
        let (open, close, all) = match value {
            Value::Object(members) => {
                ('{', '}', members.iter().map(|(key, one)| (Some(key), one)).collect::<Vec<_>>())
            }
            Value::Array(items) => ('[', ']', items.iter().map(|one| (None, one)).collect()),
            _ => {
                out.push_str(&whole);
                return;
            }
        };
        out.push(open);
        for (number, (key, one)) in all.into_iter().enumerate() {
            out.push_str(if number == 0 { "\n" } else { ",\n" });
            out.push_str(&space);
            if let Some(key) = key {
                out.push_str(&Value::String(key.clone()).to_string());
                out.push_str(": ");
            }
            add(one, indent + 1, out);
        }
        out.push('\n');
        out.push_str(&space[1..]);
        out.push(close);
    }
    let mut out = String::new();
    add(value, 0, &mut out);
    out
}

fn kind_of(kind: SettingKind) -> &'static str {
    match kind {
        SettingKind::Choice => "choice",
        SettingKind::Text => "text",
        SettingKind::Bool => "true/false",
        SettingKind::Integer => "integer",
        SettingKind::Decimal => "exact decimal",
        SettingKind::Table => "code table",
        SettingKind::Direction => "direction",
        SettingKind::Side => "side",
    }
}
