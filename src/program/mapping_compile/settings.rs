//! Settings: the questions, and the company's answers.

use std::str::FromStr;

use indexmap::IndexMap;

use super::Compiler;
use crate::diagnostic::{At, Span, codes};
use crate::program::mapping::{Setting, SettingKind};
use crate::program::types::Type;
use crate::spec::mapping as spec;
use crate::spec::yaml::Table;
use crate::value::{Decimal, Map, Path, Segment, Side, Value, parse_decimal};

/// Where the answers to the settings come from.
#[derive(Debug)]
pub enum Answers<'a> {
    /// Nobody answered: the mapping is only checked.
    None,
    /// The sandbox answers.
    Sandbox,
    /// A case answers; the sandbox for the rest.
    Case(Vec<(&'a At<String>, &'a At<Value>)>),
    /// A company answers.
    Company(&'a Table<At<Value>>),
}

impl Answers<'_> {
    fn given(&self, name: &str) -> Option<&At<Value>> {
        match self {
            Answers::None | Answers::Sandbox => None,
            Answers::Case(given) => {
                given.iter().rev().find(|(one, _)| one.value == name).map(|(_, value)| *value)
            }
            Answers::Company(table) => table.get(name),
        }
    }

    fn names(&self) -> Vec<(String, Span)> {
        match self {
            Answers::None | Answers::Sandbox => Vec::new(),
            Answers::Case(given) => given.iter().map(|(name, _)| (name.value.clone(), name.span)).collect(),
            Answers::Company(table) => {
                table.iter().map(|(name, _)| (name.value.clone(), name.span)).collect()
            }
        }
    }
}

impl Compiler<'_> {
    pub(super) fn compile_settings(&mut self, mapping: &spec::Mapping, answers: &Answers) {
        for (name, setting) in mapping.settings.iter() {
            match self.setting(name, setting) {
                Some(compiled) => {
                    self.settings.insert(name.value.clone(), compiled);
                }
                None => {
                    self.wrong_settings.insert(name.value.clone());
                }
            }
        }
        for (name, span) in answers.names() {
            if self.settings.contains_key(&name) || mapping.settings.contains_key(&name) {
                continue;
            }
            let near = crate::diagnostic::suggest(&name, self.settings.keys().map(String::as_str))
                .map(str::to_owned);
            let message = format!("this mapping has no setting `{name}`");
            match near {
                Some(near) => self.error(
                    &codes::UNKNOWN_SETTING,
                    span,
                    message,
                    Some(format!("did you mean `{near}`?")),
                ),
                // no slip of the pen: a company's file may serve other versions of a mapping, too
                None if matches!(answers, Answers::Company(_)) => {
                    let help = format!(
                        "it is not used; the settings are {}",
                        self.settings.keys().cloned().collect::<Vec<_>>().join(", ")
                    );
                    self.warning(&codes::UNKNOWN_SETTING, span, message, Some(help));
                }
                None => {
                    let help = format!(
                        "the settings are {}",
                        self.settings.keys().cloned().collect::<Vec<_>>().join(", ")
                    );
                    self.error(&codes::UNKNOWN_SETTING, span, message, Some(help));
                }
            }
        }
        let mut values = Map::new();
        for (name, setting) in self.settings.clone() {
            let value = match answers.given(&name) {
                Some(given) => self.typed_answer(&setting, given),
                None => self.unanswered(&setting, answers),
            };
            values.insert(name, value.unwrap_or_default());
        }
        self.answers = Value::Map(values);
    }

    fn unanswered(&mut self, setting: &Setting, answers: &Answers) -> Option<Value> {
        if setting.default.is_some() {
            return setting.default.clone();
        }
        match answers {
            Answers::Sandbox | Answers::Case(_) if setting.sandbox.is_some() => setting.sandbox.clone(),
            Answers::None => None,
            _ if setting.required => {
                let choices = match (&setting.of[..], &setting.from) {
                    ([], None) => String::new(),
                    ([], Some((side, resource, path))) => {
                        format!(" (one of the values of {}.{resource}.{path})", self.sides[*side].name)
                    }
                    (of, _) => format!(" (one of {})", of.join(", ")),
                };
                self.error(
                    &codes::SETTING_MISSING,
                    Span::NONE,
                    format!("the setting `{}` needs an answer{choices}: {}", setting.name, setting.help),
                    Some(format!("add `settings: {{ {}: … }}` to the connection", setting.name)),
                );
                None
            }
            _ => None,
        }
    }

    fn setting(&mut self, name: &At<String>, setting: &spec::Setting) -> Option<Setting> {
        let decimal = |this: &mut Self, text: &Option<At<String>>| {
            text.as_ref().and_then(|text| {
                let number = Decimal::from_str(&text.value).ok();
                if number.is_none() {
                    this.error(
                        &codes::BAD_SETTING,
                        text.span,
                        format!("`{text}` is no number"),
                        Some("write an exact number such as \"1.50\"".to_owned()),
                    );
                }
                number
            })
        };
        let min = decimal(self, &setting.min);
        let max = decimal(self, &setting.max);
        let from = match &setting.from {
            Some(text) => Some(self.setting_source(text)?),
            None => None,
        };
        if setting.kind == SettingKind::Choice && setting.of.is_empty() && setting.from.is_none() {
            self.error(
                &codes::BAD_SETTING,
                name.span,
                format!("`{name}` is a choice without choices"),
                Some("list them under `of:`, or say which field has them under `from:`".to_owned()),
            );
            return None;
        }
        let mut compiled = Setting {
            name: name.value.clone(),
            kind: setting.kind,
            help: setting.help.clone(),
            of: setting.of.iter().map(|one| one.value.clone()).collect(),
            from,
            required: setting.required,
            default: None,
            sandbox: None,
            min,
            max,
        };
        compiled.default = match &setting.default {
            Some(default) => Some(self.typed_answer(&compiled, default)?),
            None => None,
        };
        compiled.sandbox = match &setting.sandbox {
            Some(sandbox) => Some(self.typed_answer(&compiled, sandbox)?),
            None => None,
        };
        Some(compiled)
    }

    /// `erp.customer_class.id`
    fn setting_source(&mut self, text: &At<String>) -> Option<(Side, String, Path)> {
        let path = self.path(text)?;
        let mut keys = path.segments().iter();
        let (Some(Segment::Key(side)), Some(Segment::Key(resource))) = (keys.next(), keys.next()) else {
            self.error(
                &codes::UNKNOWN_FIELD,
                text.span,
                format!("`{text}` names no field"),
                Some("write side, resource and field: `erp.item_class.id`".to_owned()),
            );
            return None;
        };
        let side = self.side(&At { value: side.clone(), span: text.span })?;
        let found = self.resource(side, &At { value: resource.clone(), span: text.span })?;
        let field = path
            .strip_prefix(&Path::key(self.sides[side].name.clone()))?
            .strip_prefix(&Path::key(resource.clone()))?;
        self.resolve(side, &found, &field, text.span)?;
        Some((side, found.name.clone(), field))
    }

    /// An answer of the right type, or an error at its place.
    fn typed_answer(&mut self, setting: &Setting, given: &At<Value>) -> Option<Value> {
        let wrong = |this: &mut Self, what: &str, help: Option<String>| {
            this.error(
                &codes::WRONG_ANSWER,
                given.span,
                format!("`{}` takes {what}, this is {}", setting.name, given.value.kind()),
                help,
            );
            None
        };
        match (setting.kind, &given.value) {
            (_, Value::Null) => Some(Value::Null),
            (SettingKind::Bool, Value::Bool(_)) => Some(given.value.clone()),
            (SettingKind::Bool, _) => {
                wrong(self, "true or false", Some("write `true` or `false`".to_owned()))
            }
            (SettingKind::Text, Value::Text(_)) => Some(given.value.clone()),
            (SettingKind::Text, _) => {
                wrong(self, "text", given.value.scalar_text().map(|text| format!("write it as \"{text}\"")))
            }
            (SettingKind::Integer, Value::Number(number)) if number.fract().is_zero() => {
                self.in_range(setting, *number, given)
            }
            (SettingKind::Integer, _) => wrong(
                self,
                "a whole number",
                Some("write it without quotes and without a point: 12".to_owned()),
            ),
            (SettingKind::Decimal, Value::Number(number)) => self.in_range(setting, *number, given),
            (SettingKind::Decimal, Value::Text(text)) => match parse_decimal(text) {
                Some(number) => self.in_range(setting, number, given),
                None => wrong(self, "an exact number", Some("write it as \"1.50\"".to_owned())),
            },
            (SettingKind::Decimal, _) => {
                wrong(self, "an exact number", Some("write it as \"1.50\"".to_owned()))
            }
            (SettingKind::Choice, Value::Text(text)) => {
                if !setting.of.is_empty() && !setting.of.contains(text) {
                    let near = crate::diagnostic::suggest(text, setting.of.iter().map(String::as_str));
                    let help = near.map_or_else(
                        || format!("choose one of {}", setting.of.join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    );
                    self.error(
                        &codes::WRONG_ANSWER,
                        given.span,
                        format!("`{}` cannot be `{text}`", setting.name),
                        Some(help),
                    );
                    return None;
                }
                Some(given.value.clone())
            }
            (SettingKind::Choice, _) => {
                wrong(self, "text", given.value.scalar_text().map(|text| format!("write it as \"{text}\"")))
            }
            (SettingKind::Table, Value::Map(_)) => Some(given.value.clone()),
            (SettingKind::Table, _) => {
                wrong(self, "a table of codes", Some("write `{ h: HOUR }`".to_owned()))
            }
            (SettingKind::Direction, Value::Text(text)) => {
                self.direction_text(&At { value: text.clone(), span: given.span })?;
                Some(given.value.clone())
            }
            (SettingKind::Direction, _) => {
                let (left, right) = (&self.sides.left.name, &self.sides.right.name);
                let help = format!("write `both`, `none`, `{left} -> {right}` or `{right} -> {left}`");
                wrong(self, "a direction", Some(help))
            }
            (SettingKind::Side, Value::Text(text)) => {
                self.side(&At { value: text.clone(), span: given.span })?;
                Some(given.value.clone())
            }
            (SettingKind::Side, _) => {
                let help =
                    format!("the sides are `{}` and `{}`", self.sides.left.name, self.sides.right.name);
                wrong(self, "the name of a side", Some(help))
            }
        }
    }

    fn in_range(&mut self, setting: &Setting, number: Decimal, given: &At<Value>) -> Option<Value> {
        if setting.min.is_some_and(|min| number < min) || setting.max.is_some_and(|max| number > max) {
            let range = match (setting.min, setting.max) {
                (Some(min), Some(max)) => format!("between {min} and {max}"),
                (Some(min), None) => format!("{min} or more"),
                (None, Some(max)) => format!("{max} or less"),
                (None, None) => return Some(Value::Number(number)),
            };
            self.error(
                &codes::WRONG_ANSWER,
                given.span,
                format!("`{}` is {number}, it must be {range}", setting.name),
                Some(format!("write a number that is {range}, or change `min` and `max` of the setting")),
            );
            return None;
        }
        Some(Value::Number(number))
    }

    pub(super) fn settings_type(&self) -> Type {
        let wrong = self.wrong_settings.iter().map(|name| (name.clone(), Type::Any));
        let members: IndexMap<String, Type> = self
            .settings
            .iter()
            .map(|(name, setting)| (name.clone(), setting_type(setting)))
            .chain(wrong)
            .collect();
        Type::Object(std::sync::Arc::new(members))
    }

    /// Settings that nothing reads are a sign of a forgotten row.
    pub(super) fn unused(&mut self, mapping: &spec::Mapping) {
        for (name, _) in mapping.settings.iter() {
            if !self.setting_uses.contains(&name.value) {
                self.warning(
                    &codes::UNUSED_SETTING,
                    name.span,
                    format!("nothing uses the setting `{name}`"),
                    Some(
                        "remove it, or use it as `settings.NAME` in a row, a check or a condition".to_owned(),
                    ),
                );
            }
        }
    }
}

fn setting_type(setting: &Setting) -> Type {
    match setting.kind {
        SettingKind::Choice if !setting.of.is_empty() => Type::choice(setting.of.clone()),
        SettingKind::Choice | SettingKind::Text | SettingKind::Direction | SettingKind::Side => Type::Text,
        SettingKind::Bool => Type::Bool,
        SettingKind::Integer => Type::Integer,
        SettingKind::Decimal => Type::Decimal,
        SettingKind::Table => Type::table(Type::Text),
    }
}
