//! Texts that are filled in: path templates, text templates and conditions, with findings inside the text.

use super::address::{call_shape, path_shape};
use super::findings::{Findings, known_help};
use super::shape::Shape;
use crate::diagnostic::{At, Code, Diagnostic, codes};
use crate::program::expr::{Expr, ExprProblem, Scope, Template};
use crate::program::system::Field;
use crate::program::system::{PathTemplate, Piece};
use crate::program::types::Type;
use crate::spec::short::Paths;
use crate::spec::system::Select;
use crate::spec::yaml::Table;
use crate::value::{Path, Query};

/// Compiles a text template.
pub(super) fn template(text: &At<String>, scope: &Scope, found: &mut Findings) -> Option<Template> {
    Template::compile(&text.value, scope).map_err(|problems| report(text, problems, found)).ok()
}

/// Compiles a table of text templates: headers, query, body.
pub(super) fn templates(
    table: &Table<At<String>>,
    scope: &Scope,
    found: &mut Findings,
) -> Vec<(String, Template)> {
    table
        .iter()
        .filter_map(|(name, text)| Some((name.value.clone(), template(text, scope, found)?)))
        .collect()
}

/// Compiles a query: a parameter may stand more than once.
pub(super) fn queries(table: &Table<Paths>, scope: &Scope, found: &mut Findings) -> Vec<(String, Template)> {
    let mut out = Vec::new();
    for (name, texts) in table.iter() {
        for text in texts.iter() {
            out.extend(template(text, scope, found).map(|template| (name.value.clone(), template)));
        }
    }
    out
}

/// A path as a server knows its fields: `taxes[0].rate` is `taxes.rate`.
fn without_positions(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(open) = rest.find('[') {
        let close = rest[open..].find(']').map_or(rest.len(), |close| open + close + 1);
        let inside = rest[open + 1..close].trim_end_matches(']');
        let is_position = inside == "*" || inside.bytes().all(|byte| byte.is_ascii_digit());
        out.push_str(if is_position { &rest[..open] } else { &rest[..close] });
        rest = &rest[close..];
    }
    out + rest
}

/// The parameters that ask for the fields of a resource.
pub(super) fn selection(select: &Select, fields: &[Field]) -> Vec<(String, Template)> {
    fn add(prefix: &str, field: &Field, out: &mut Vec<String>) {
        let Some(read) = field.read.as_ref().filter(|_| field.pivot.is_none() && !field.write_only) else {
            return;
        };
        let path = without_positions(&read.to_string());
        let path = if prefix.is_empty() { path } else { format!("{prefix}.{path}") };
        if field.fields.is_empty() {
            if !out.contains(&path) {
                out.push(path);
            }
            return;
        }
        for member in &field.fields {
            add(&path, member, out);
        }
    }
    let mut paths = Vec::new();
    for field in fields {
        add("", field, &mut paths);
    }
    let values = match &select.join {
        Some(join) => vec![paths.join(join)],
        None => paths,
    };
    values
        .into_iter()
        .filter_map(|value| Some((select.param.clone(), Template::compile(&value, &Scope::new()).ok()?)))
        .collect()
}

/// Whether a text can be the name of a header (RFC 9110 section 5.6.2).
pub(super) fn is_header(name: &str) -> bool {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(is_token)
}

/// The name of a header of an answer.
pub(super) fn header_name(name: &At<String>, found: &mut Findings) -> Option<String> {
    if !is_header(&name.value) {
        not_a_header(name, found);
        return None;
    }
    Some(name.value.clone())
}

fn not_a_header(name: &At<String>, found: &mut Findings) {
    let message = format!("`{}` cannot be the name of a header", name.value);
    found.error_help(&codes::BAD_NAME, name.span, message, "use letters, digits and `-` (RFC 9110)");
}

/// Compiles a table of headers.
pub(super) fn headers(
    table: &Table<At<String>>,
    scope: &Scope,
    found: &mut Findings,
) -> Vec<(String, Template)> {
    for (name, _) in table.iter() {
        if !is_header(&name.value) {
            not_a_header(name, found);
        }
    }
    templates(table, scope, found)
}

/// Compiles a condition.
pub(super) fn condition(text: &At<String>, scope: &Scope, found: &mut Findings) -> Option<Expr> {
    Expr::compile(&text.value, scope).map_err(|problems| report(text, problems, found)).ok()
}

/// Compiles an expression of any type.
pub(super) fn expression(text: &At<String>, scope: &Scope, found: &mut Findings) -> Option<Expr> {
    Expr::compile(&text.value, scope).map_err(|problems| report(text, problems, found)).ok()
}

fn report(text: &At<String>, problems: Vec<ExprProblem>, found: &mut Findings) {
    for problem in problems {
        let place = found.inside(text, problem.range);
        let diagnostic = Diagnostic::error(&codes::BAD_EXPRESSION, place, problem.message);
        found.add(match problem.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }
}

/// Reads a path of one place or many.
pub(super) fn path(text: &At<String>, found: &mut Findings) -> Option<Path> {
    Path::parse(&text.value).map_err(|error| bad_path(text, &error, found)).ok()
}

/// Reads a path that only reads, JSONPath too.
pub(super) fn query(text: &At<String>, found: &mut Findings) -> Option<Query> {
    Query::parse(&text.value).map_err(|error| bad_path(text, &error, found)).ok()
}

fn bad_path(text: &At<String>, error: &crate::value::PathError, found: &mut Findings) {
    let end = text.value[error.at..].chars().next().map_or(error.at, |c| error.at + c.len_utf8());
    found.error_help(
        &codes::BAD_PATH,
        found.inside(text, error.at..end),
        error.message.clone(),
        "write a path as `mainAddress.city`, `lines[*].price` or `['a name'].b`",
    );
}

/// What a path template is for: decides which fields can be filled in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Reads many: its fields name the parent.
    List,
    /// Makes one: the new key is not known yet.
    Create,
    /// Reads, changes or removes one that was read before.
    One,
}

/// Compiles a path template over the fields of a resource.
pub(super) fn path_template(
    text: &At<String>,
    base: Option<&At<String>>,
    shape: &Shape,
    what: Use,
    found: &mut Findings,
) -> PathTemplate {
    let mut pieces = Vec::new();
    let is_base = text.value.starts_with("{path}");
    let is_own = base.is_some_and(|base| base.span == text.span);
    if is_base || if is_own { path_shape(text, found) } else { call_shape(text, found) } {
        fill(text, base, shape, what, &mut pieces, found);
    }
    PathTemplate { pieces: merged(pieces) }
}

fn fill(
    text: &At<String>,
    base: Option<&At<String>>,
    shape: &Shape,
    what: Use,
    pieces: &mut Vec<Piece>,
    found: &mut Findings,
) {
    let mut at = 0;
    while at < text.value.len() {
        let rest = &text.value[at..];
        let Some(open) = rest.find(['{', '}']) else {
            pieces.push(Piece::Text(rest.to_owned()));
            return;
        };
        if open > 0 {
            pieces.push(Piece::Text(rest[..open].to_owned()));
        }
        let start = at + open;
        let close = rest[open..].find('}').filter(|_| rest[open..].starts_with('{'));
        let Some(close) = close else {
            let (message, help) = if rest[open..].starts_with('}') {
                ("`}` closes nothing", "write a place to fill as `{field}`")
            } else {
                ("`{` is not closed", "write a place to fill as `{field}`")
            };
            found.error_help(&codes::PATH_TEMPLATE, found.inside(text, start..start + 1), message, help);
            return;
        };
        let end = start + close + 1;
        let name =
            At { value: text.value[start + 1..end - 1].to_owned(), span: found.inside(text, start..end) };
        match name.value.as_str() {
            "path" => match base {
                Some(base) if base.span != text.span => {
                    if path_shape(base, found) {
                        fill(base, None, shape, what, pieces, found);
                    }
                }
                Some(_) => found.error_help(
                    &codes::PATH_TEMPLATE,
                    name.span,
                    "`path` cannot hold itself",
                    "write the path out here",
                ),
                None => found.error_help(
                    &codes::PATH_TEMPLATE,
                    name.span,
                    "this resource has no `path` to fill in",
                    "give it a `path`, or write the path out here",
                ),
            },
            "key" => key(&name, shape, what, pieces, found),
            _ => pieces.extend(field(&name, shape, what, found).map(Piece::Field)),
        }
        at = end;
    }
}

fn key(name: &At<String>, shape: &Shape, what: Use, pieces: &mut Vec<Piece>, found: &mut Findings) {
    match &shape.key[..] {
        [key] => {
            let name = At { value: key.to_string(), span: name.span };
            pieces.extend(field(&name, shape, what, found).map(Piece::Field));
        }
        // that there is no key is reported by itself
        [] if shape.key_is_wrong => {}
        [] => found.error_help(
            &codes::PATH_TEMPLATE,
            name.span,
            "there is no `key` to fill in",
            "say which field is the `key`, or name a field here",
        ),
        fields => {
            let each = fields.iter().map(|path| format!("{{{path}}}")).collect::<Vec<_>>().join("/");
            found.error_help(
                &codes::PATH_TEMPLATE,
                name.span,
                "this resource has a key of more than one field",
                format!("name them: {each}"),
            );
        }
    }
}

/// A field that a path is filled with.
fn field(name: &At<String>, shape: &Shape, what: Use, found: &mut Findings) -> Option<Path> {
    let names = shape.names();
    let known = names.iter().map(String::as_str).chain(["path", "key"]).collect::<Vec<_>>();
    let Some((path, field)) = shape.field(&name.value) else {
        let message = format!("there is no field named `{}` to fill in", name.value);
        let diagnostic = Diagnostic::error(&codes::PATH_TEMPLATE, name.span, message);
        found.add(match known_help(&name.value, &known) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
        return None;
    };
    let mut refuse = |code: &'static Code, message: &str, help: &str| {
        found.error_help(code, name.span, format!("`{}` {message}", name.value), help);
    };
    if !path.is_singular() || matches!(field.ty, Type::Object(_) | Type::List(_)) {
        refuse(
            &codes::PATH_TEMPLATE,
            "is not a single value",
            "name a field that is a text, a number or an id",
        );
        return None;
    }
    match what {
        Use::List if field.reference.is_none() => refuse(
            &codes::LIST_BELOW_PARENT,
            "says nothing about a parent",
            "a list with a field in its path is read once for each parent: give the field a `ref` to the parent's resource",
        ),
        Use::One if field.write_only => refuse(
            &codes::PATH_TEMPLATE,
            "cannot be read, so it is not known",
            "name the key, or a field that is read",
        ),
        Use::Create if field.read_only && field.reference.is_none() => refuse(
            &codes::PATH_TEMPLATE,
            "is not known before the record is made",
            "name a field that the mapping gives, such as the `ref` to a parent",
        ),
        _ => {}
    }
    Some(path)
}

/// Neighbouring texts joined.
fn merged(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match (merged.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
            (_, piece) => merged.push(piece),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::without_positions;

    #[test]
    fn a_field_is_asked_for_without_its_position() {
        for (path, asked) in [
            ("taxes[0].rate", "taxes.rate"),
            ("rows[*].taxes[12]", "rows.taxes"),
            ("a.b", "a.b"),
            ("['a name'].b[*].c", "['a name'].b.c"),
        ] {
            assert_eq!(without_positions(path), asked);
        }
    }
}
