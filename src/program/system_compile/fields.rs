//! Fields by themselves: names, types, paths on the wire, and words that contradict each other.

use std::sync::Arc;

use super::encoding::time_form;
use super::findings::{Findings, known_help};
use super::keys::plain_name;
use super::shape::object_type;
use super::templates::{path, query};
use super::types::{WORDS, fits, simple};
use super::words::{contradictions, words_of_type};
use crate::diagnostic::{At, Diagnostic, Span, codes};
use crate::program::system::{Embeds, Field};
use crate::program::types::Type;
use crate::spec::short::ShortForm;
use crate::spec::system as spec;
use crate::spec::yaml::Table;
use crate::value::{Path, Query, Segment, Value};

/// A table of fields as it is written.
pub(super) type FieldTable = Table<Option<ShortForm<spec::Field>>>;

/// The member of a day that tells it from the others.
const DATE: &str = "date";

/// Compiles tables of fields of one system.
pub(super) struct Fields<'s> {
    /// The file.
    pub system: &'s spec::System,
    /// The fields' resource can be written.
    pub writable: bool,
}

impl Fields<'_> {
    /// Compiles a table of fields. `inside` holds the object types around it.
    pub(super) fn table(
        &self,
        table: &FieldTable,
        inside: &mut Vec<String>,
        found: &mut Findings,
    ) -> Vec<Field> {
        let mut fields = Vec::with_capacity(table.len());
        for (name, field) in table.iter() {
            match field {
                Some(field) => fields.extend(self.field(name, field, inside, found)),
                None => found.error_help(
                    &codes::UNKNOWN_FIELD,
                    name.span,
                    format!("there is no field named `{}` to take away", name.value),
                    "a null takes away a field that `defaults` or `like` gave; leave the line out",
                ),
            }
        }
        nested_names(&fields, found);
        fields
    }

    /// An object type's fields.
    fn object(
        &self,
        name: &str,
        place: Span,
        inside: &mut Vec<String>,
        found: &mut Findings,
    ) -> Option<Vec<Field>> {
        let table = self.system.objects.get(name)?;
        if let Some(first) = inside.iter().position(|outer| outer == name) {
            let way = inside[first..].join(" → ");
            let message = format!("the object type `{name}` holds itself: {way} → {name}");
            found.error_help(
                &codes::OBJECT_CYCLE,
                place,
                message,
                "a record would never end; write a `ref` instead",
            );
            return Some(Vec::new());
        }
        inside.push(name.to_owned());
        let mut fields = Vec::with_capacity(table.len());
        for (name, field) in table.iter() {
            fields.extend(self.field(name, field, inside, found));
        }
        inside.pop();
        nested_names(&fields, found);
        Some(fields)
    }

    fn field(
        &self,
        name: &At<String>,
        field: &spec::Field,
        inside: &mut Vec<String>,
        found: &mut Findings,
    ) -> Option<Field> {
        let path = field_name(name, found)?;
        let (ty, members) = self.ty(name, field, inside, found);
        contradictions(name, field, found);
        words_of_type(name, field, &ty, found);
        let (read, write) = self.wire(name, &path, field, found);
        let mut with = constants(&field.with, found);
        with.extend(attributes(field, write.as_ref()));
        if let (Some(value), false) = (&field.on_create, ty == Type::Any)
            && let Err(wanted) = fits(&value.value, &ty)
        {
            let message = format!("`on_create` does not fit the field: {wanted}");
            found.error_help(&codes::VALUE_TYPE, value.span, message, value_of(&ty));
        }
        let embeds = embeds(field, &members, found);
        let ty_of_extract = ty.clone();
        Some(Field {
            key: match &field.days {
                Some(_) => Some(Path::key(DATE)),
                None => list_key(field, &members, found),
            },
            time: field.form.map(time_form).filter(|_| ty == Type::Time),
            ty,
            help: field.help.clone(),
            label: field.label.as_ref().and_then(|labels| labels.in_language("en")).map(str::to_owned),
            labels: field.label.as_ref().map(|labels| labels.0.clone()).unwrap_or_default(),
            read,
            write,
            with,
            fields: members,
            required: field.required,
            read_only: field.read_only,
            write_only: field.write_only,
            create_only: field.create_only,
            on_create: field.on_create.as_ref().map(|value| value.value.clone()),
            unique: field.unique,
            assigned: field.assigned,
            max: field.max,
            places: field.places,
            reference: None,
            lookup: None,
            pivot: None,
            sum: Vec::new(),
            extract: extract(field, &ty_of_extract, found),
            days: None,
            embeds,
            sandbox: None,
            wrap: field.wrap.unwrap_or(true),
            always_send: field.always_send,
            emptied: field.emptied,
            sensitive: field.sensitive,
            span: name.span,
            name: path,
        })
    }

    /// The type of a field, and the members of an object or of a list's items. [`Type::Any`] where the
    /// type is wrong: nothing more is said about it then.
    fn ty(
        &self,
        name: &At<String>,
        field: &spec::Field,
        inside: &mut Vec<String>,
        found: &mut Findings,
    ) -> (Type, Vec<Field>) {
        let nothing = (Type::Any, Vec::new());
        let Some(kind) = &field.kind else {
            let help =
                "give it a `type`: text, integer, decimal, bool, date, time, id, choice, object or list";
            found.error_help(
                &codes::UNKNOWN_TYPE,
                name.span,
                format!("the field `{}` has no type", name.value),
                help,
            );
            return nothing;
        };
        if let Some(ty) = simple(&kind.value) {
            return (ty, Vec::new());
        }
        match kind.value.as_str() {
            "choice" => {
                if field.of.is_empty() {
                    let help = "list the values: { type: choice, of: [Active, Inactive] }, or make it a text";
                    found.error_help(
                        &codes::CHOICE_WITHOUT_VALUES,
                        kind.span,
                        "a choice needs `of`, its values",
                        help,
                    );
                    return nothing;
                }
                let of = field.of.iter().map(|one| one.value.clone()).collect::<Vec<_>>();
                for (i, one) in field.of.iter().enumerate() {
                    if of[..i].contains(&one.value) {
                        let message = format!("`{}` is listed twice", one.value);
                        found.error_help(
                            &codes::CHOICE_WITHOUT_VALUES,
                            one.span,
                            message,
                            "leave one of the two out",
                        );
                    }
                }
                (Type::Choice(Arc::from(of)), Vec::new())
            }
            // the members come from the child's resource
            "object" if field.pivot.is_some() && field.fields.is_empty() => {
                (Type::object::<String>([]), Vec::new())
            }
            "list" if field.pivot.is_some() && field.fields.is_empty() => {
                (Type::list(Type::object::<String>([])), Vec::new())
            }
            "list" if field.days.is_some() => {
                let members = self.day(name.span, inside, found);
                (Type::list(object_type(&members)), members)
            }
            "object" | "list" if field.fields.is_empty() => {
                let (message, help) = if kind.value == "object" {
                    ("an object needs `fields`", "list its members, or name an object type of `objects`")
                } else {
                    (
                        "a list needs `fields`",
                        "list the members of an item; a list of texts is a field named `tags[]` of type text",
                    )
                };
                found.error_help(&codes::WORD_MISSING, kind.span, message, help);
                nothing
            }
            "object" => {
                let members = self.table(&field.fields, inside, found);
                (object_type(&members), members)
            }
            "list" => {
                let members = self.table(&field.fields, inside, found);
                (Type::list(object_type(&members)), members)
            }
            other => match self.object(other, kind.span, inside, found) {
                Some(members) => (object_type(&members), members),
                None => {
                    self.unknown_type(kind, found);
                    nothing
                }
            },
        }
    }

    /// The members of a day.
    fn day(&self, span: Span, inside: &mut Vec<String>, found: &mut Findings) -> Vec<Field> {
        let at = |text: &str| At { value: text.to_owned(), span };
        let labels = |en: &str, sv: &str, nb: &str, fi: &str| spec::Labels {
            text: None,
            en: Some(en.to_owned()),
            sv: Some(sv.to_owned()),
            nb: Some(nb.to_owned()),
            fi: Some(fi.to_owned()),
        };
        let members = [
            (DATE, "date", labels("Day", "Dag", "Dag", "Päivä")),
            ("count", "integer", labels("Days", "Dagar", "Dager", "Päiviä")),
        ];
        let members = members.into_iter().filter_map(|(name, kind, labels)| {
            let field = spec::Field {
                kind: Some(at(kind)),
                label: Some(ShortForm(labels)),
                read_only: true,
                ..spec::Field::default()
            };
            self.field(&at(name), &field, inside, found)
        });
        members.collect()
    }

    fn unknown_type(&self, kind: &At<String>, found: &mut Findings) {
        let known = WORDS.iter().copied().chain(self.system.objects.keys()).collect::<Vec<_>>();
        let message = format!("there is no type named `{}`", kind.value);
        let diagnostic = Diagnostic::error(&codes::UNKNOWN_TYPE, kind.span, message);
        let help = if self.system.resources.contains_key(&kind.value) {
            Some("this is a resource: write `ref` for its key, or `type: object` with a `pivot`".to_owned())
        } else {
            known_help(&kind.value, &known)
        };
        found.add(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }

    /// Where answers and requests hold the field.
    fn wire(
        &self,
        name: &At<String>,
        own: &Path,
        field: &spec::Field,
        found: &mut Findings,
    ) -> (Option<Query>, Option<Path>) {
        if field.pivot.is_some() || field.days.is_some() {
            return (None, None);
        }
        let read = match field.read.as_ref().or(field.path.as_ref()) {
            Some(text) => query(text, found),
            None => Some(Query::Path(own.clone())),
        };
        let read = read.filter(|_| !field.write_only);
        if field.read_only || !self.writable {
            if let Some(text) = &field.write {
                path(text, found);
            }
            return (read, None);
        }
        let (text, written) = match field.write.as_ref().or(field.path.as_ref()) {
            // a JSONPath is reported as what it is: not writable
            Some(text) if Query::parse(&text.value).is_ok_and(|query| query.as_path().is_none()) => {
                (text, None)
            }
            Some(text) => match path(text, found) {
                Some(path) => (text, Some(path)),
                None => return (read, None),
            },
            None => (name, Some(own.clone())),
        };
        match written {
            Some(path) if path.is_singular() && !path.is_root() => (read, Some(path)),
            _ => {
                found.error_help(
                    &codes::MANY_VALUES,
                    text.span,
                    "a place that may stand for many values cannot be written",
                    "make the field `read_only`, or give it a `write` path to one value",
                );
                (read, None)
            }
        }
    }
}

/// Compiles every object type once, so that one which no field uses is checked too.
pub(super) fn object_types(system: &spec::System, found: &mut Findings) {
    let fields = Fields { system, writable: false };
    for (name, _) in system.objects.iter() {
        plain_name(name, "object type", found);
        if WORDS.contains(&name.value.as_str()) {
            let message = format!("`{}` is a type already", name.value);
            found.error_help(&codes::BAD_NAME, name.span, message, "give the object type a name of its own");
        }
        fields.object(&name.value, name.span, &mut Vec::new(), found);
    }
}

/// A field's name as a path of names and `[]`.
fn field_name(name: &At<String>, found: &mut Findings) -> Option<Path> {
    let parsed = path(name, found)?;
    let starts_well = matches!(parsed.segments().first(), Some(Segment::Key(_)));
    if !starts_well
        || parsed
            .segments()
            .iter()
            .any(|segment| matches!(segment, Segment::Index(_) | Segment::Where { .. }))
    {
        let help = "a name is made of words, dots and `[]`: name it freely and write the place as its `path`";
        found.error_help(
            &codes::BAD_NAME,
            name.span,
            format!("a field cannot be named `{}`", name.value),
            help,
        );
        return None;
    }
    Some(parsed)
}

/// A name that stands inside another field's value.
fn nested_names(fields: &[Field], found: &mut Findings) {
    for (i, field) in fields.iter().enumerate() {
        for earlier in &fields[..i] {
            let (outer, inner) = match () {
                () if field.name.strip_prefix(&earlier.name).is_some() => (earlier, field),
                () if earlier.name.strip_prefix(&field.name).is_some() => (field, earlier),
                () => continue,
            };
            found.add(
                Diagnostic::error(
                    &codes::SAME_PLACE,
                    field.span,
                    format!("`{}` stands inside the field `{}`", inner.name, outer.name),
                )
                .label(earlier.span, "the other one")
                .help(format!(
                    "make it a member of `{}`, or give one of them another name and a `path`",
                    outer.name
                )),
            );
        }
    }
}

fn list_key(field: &spec::Field, members: &[Field], found: &mut Findings) -> Option<Path> {
    let key = field.key.as_ref()?;
    if members.is_empty() {
        return None;
    }
    let parsed = path(key, found)?;
    if !members.iter().any(|member| member.name == parsed) {
        let names = members.iter().map(|member| member.name.to_string()).collect::<Vec<_>>();
        found.unknown(&codes::UNKNOWN_FIELD, key, "member", names.iter().map(String::as_str));
        return None;
    }
    Some(parsed)
}

/// What only is read of a text.
fn extract(field: &spec::Field, ty: &Type, found: &mut Findings) -> Option<regex::Regex> {
    let written = field.extract.as_ref()?;
    if *ty != Type::Text || !field.read_only {
        let help = "give the field `type: text` and `read_only: true`";
        found.error_help(
            &codes::CONTRADICTION,
            written.span,
            "`extract` reads a part of a text, which cannot be written back",
            help,
        );
        return None;
    }
    match crate::program::expr::pattern(&written.value) {
        Ok(pattern) => Some(pattern),
        Err(problem) => {
            let message = format!("this is no regular expression: {problem}");
            let help = "for example \"^([0-9]+) \": the digits before the first space";
            found.error_help(&codes::CONTRADICTION, written.span, message, help);
            None
        }
    }
}

/// The members that hold a file. Each is a text that is written.
fn embeds(field: &spec::Field, members: &[Field], found: &mut Findings) -> Option<Embeds> {
    let written = field.embeds.as_ref()?;
    if members.is_empty() {
        return None;
    }
    let mut member = |text: &At<String>| {
        let at = path(text, found)?;
        let Some(member) = members.iter().find(|member| member.name == at) else {
            let names = members.iter().map(|member| member.name.to_string()).collect::<Vec<_>>();
            found.unknown(&codes::UNKNOWN_FIELD, text, "member", names.iter().map(String::as_str));
            return None;
        };
        if member.ty != Type::Text || member.write.is_none() {
            found.error_help(
                &codes::BAD_FILES,
                text.span,
                format!("`{text}` cannot hold anything of a file"),
                "its name, its media type and its content (as base64) are texts that are written",
            );
            return None;
        }
        Some(at)
    };
    let name = written.name.iter().filter_map(&mut member).collect::<Vec<_>>();
    let media = written.media.as_ref().and_then(&mut member);
    let content = member(&written.content)?;
    let holds = |one: &Path| name.contains(one) || media.as_ref() == Some(one) || content == *one;
    for other in members.iter().filter(|member| member.required && !holds(&member.name)) {
        found.error_help(
            &codes::BAD_FILES,
            written.content.span,
            format!("nothing gives `{}` of such a file its value", other.name),
            "name the member for the file's `name` or `type`, or give it no `required`",
        );
    }
    Some(Embeds { name, media, content })
}

/// Attributes stand below the field's own element.
fn attributes(field: &spec::Field, write: Option<&Path>) -> Vec<(Path, Value)> {
    let Some(write) = write else { return Vec::new() };
    let at = |name: &At<String>| write.join(&Path::key(format!("@{}", name.value)));
    field.attributes.iter().map(|(name, value)| (at(name), Value::text(value.clone()))).collect()
}

fn constants(with: &Table<Value>, found: &mut Findings) -> Vec<(Path, Value)> {
    with.iter().filter_map(|(name, value)| Some((path(name, found)?, value.clone()))).collect()
}

/// What a constant of a type looks like.
pub(super) fn value_of(ty: &Type) -> String {
    match ty {
        Type::Bool => "write `true` or `false`, without quotes".to_owned(),
        Type::Integer => "write a whole number, without quotes".to_owned(),
        Type::Decimal => "write an exact number as text: \"1.50\"".to_owned(),
        Type::Date => "write it as 2026-12-31".to_owned(),
        Type::Time => "write it as 2026-12-31T08:30:00Z".to_owned(),
        Type::Choice(of) => format!("choose one of {}", of.join(", ")),
        other => format!("write {other}"),
    }
}
