//! An OpenAPI document in any of its versions, as one shape: operations with parameters, bodies and answers.

use serde_json::{Map, Value};

use super::Problem;

/// A document whose version is understood.
pub(super) struct Document<'d> {
    root: &'d Value,
    /// Version 2.0 (Swagger) keeps bodies among the parameters and has no `content`.
    pub two: bool,
}

/// A parameter of an operation.
pub(super) struct Param<'d> {
    /// Its name.
    pub name: &'d str,
    /// `query`, `path`, `header` …
    pub place: &'d str,
    /// Whether a request must have it.
    pub required: bool,
    /// Nobody should use it any more.
    pub deprecated: bool,
    /// Type, limits, default.
    pub schema: &'d Value,
}

/// One call.
pub(super) struct Operation<'d> {
    /// Its parameters, with those of its path.
    pub params: Vec<Param<'d>>,
    /// The schema of the request's JSON body.
    pub body: Option<&'d Value>,
    /// The body is a JSON Patch by its media type.
    pub json_patch: bool,
    /// The schema of the JSON answer that says it went well.
    pub answer: Option<&'d Value>,
    /// The headers of that answer.
    pub headers: Vec<&'d str>,
    /// What it asks for, where it differs from the document: scheme and scopes.
    pub security: Option<&'d Value>,
    raw: &'d Value,
}

static NOTHING: Value = Value::Null;

impl<'d> Document<'d> {
    /// Looks at the version.
    ///
    /// # Errors
    /// It is no OpenAPI document, or of a version that is not understood.
    pub(super) fn new(root: &'d Value) -> Result<Document<'d>, Problem> {
        let text = |name: &str| match root.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let two = match (text("swagger"), text("openapi")) {
            (Some(version), _) if version.starts_with("2.") => true,
            (_, Some(version)) if version.starts_with("3.0") || version.starts_with("3.1") => false,
            (Some(version), _) | (_, Some(version)) => {
                return Err(Problem::new(
                    format!("OpenAPI {version} is not understood"),
                    "2.0 (Swagger), 3.0 and 3.1 are",
                ));
            }
            _ => {
                return Err(Problem::new(
                    "this is no OpenAPI document",
                    "it begins with `openapi: 3.…` or `swagger: \"2.0\"`",
                ));
            }
        };
        let document = Document { root, two };
        if document.paths().next().is_none() {
            return Err(Problem::new(
                "this document describes no paths",
                "look whether they stand in another file that this one refers to",
            ));
        }
        Ok(document)
    }

    /// A member of the document itself.
    pub(super) fn get(&self, name: &str) -> &'d Value {
        self.root.get(name).unwrap_or(&NOTHING)
    }

    /// What a `$ref` leads to, and its name; `None` where it leads out of the document or nowhere.
    pub(super) fn target(&self, reference: &'d str) -> Option<&'d Value> {
        let pointer = reference.strip_prefix('#')?;
        let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8().ok()?;
        self.root.pointer(&pointer)
    }

    /// The value itself, or what its `$ref` leads to.
    pub(super) fn resolve(&self, value: &'d Value) -> &'d Value {
        let mut value = value;
        for _ in 0..16 {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return value };
            let Some(target) = self.target(reference) else { return &NOTHING };
            value = target;
        }
        &NOTHING
    }

    /// Paths with their operations.
    pub(super) fn paths(&self) -> impl Iterator<Item = (&'d str, &'d Value)> {
        self.get("paths")
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(path, _)| path.starts_with('/'))
            .map(|(path, item)| (path.as_str(), self.resolve(item)))
    }

    /// The operation of a path by its method.
    pub(super) fn operation(&self, item: &'d Value, method: &str) -> Option<Operation<'d>> {
        let raw = item.get(method)?;
        let mut params: Vec<Param> = Vec::new();
        let mut body = None;
        let mut json_patch = false;
        for list in [item.get("parameters"), raw.get("parameters")].into_iter().flatten() {
            for param in list.as_array().into_iter().flatten() {
                let param = self.resolve(param);
                let (Some(name), Some(place)) =
                    (param.get("name").and_then(Value::as_str), param.get("in").and_then(Value::as_str))
                else {
                    continue;
                };
                let yes = |word: &str| param.get(word).and_then(Value::as_bool) == Some(true);
                if place == "body" {
                    body = param.get("schema");
                    continue;
                }
                params.retain(|one| one.name != name || one.place != place);
                let said = param.get("description").and_then(Value::as_str).unwrap_or_default();
                params.push(Param {
                    name,
                    place,
                    required: yes("required"),
                    deprecated: yes("deprecated") || said.to_lowercase().contains("deprecated"),
                    schema: param.get("schema").map_or(param, |schema| self.resolve(schema)),
                });
            }
        }
        if let Some(request) = raw.get("requestBody") {
            let content = self.resolve(request).get("content").and_then(Value::as_object);
            json_patch = content.is_some_and(|all| all.keys().any(|media| media.contains("json-patch")));
            body = content.and_then(json_schema);
        }
        let (answer, headers) = self.answer(raw);
        Some(Operation { params, body, json_patch, answer, headers, security: raw.get("security"), raw })
    }

    /// The answer that says it went well: its schema and headers.
    fn answer(&self, raw: &'d Value) -> (Option<&'d Value>, Vec<&'d str>) {
        let responses = raw.get("responses").and_then(Value::as_object);
        let mut headers = Vec::new();
        let mut schema = None;
        for code in ["200", "201", "203", "2XX", "2xx", "202", "204"] {
            let Some(response) = responses.and_then(|all| all.get(code)) else { continue };
            let response = self.resolve(response);
            let named = response.get("headers").and_then(Value::as_object);
            headers.extend(named.into_iter().flat_map(Map::keys).map(String::as_str));
            // what a 202 holds is about the request, not the record
            if schema.is_none() && code != "202" {
                schema = self.content(response);
            }
        }
        (schema, headers)
    }

    /// The schema of an answer that says what is wrong.
    pub(super) fn failure(&self, operation: &Operation<'d>) -> Option<&'d Value> {
        let responses = operation.raw.get("responses")?.as_object()?;
        ["400", "422", "default", "4XX", "404", "500"]
            .iter()
            .find_map(|code| self.content(self.resolve(responses.get(*code)?)))
    }

    fn content(&self, response: &'d Value) -> Option<&'d Value> {
        if self.two {
            return response.get("schema");
        }
        response.get("content").and_then(Value::as_object).and_then(json_schema)
    }
}

/// The schema of the JSON body among the media types.
fn json_schema(content: &Map<String, Value>) -> Option<&Value> {
    let json = content.get("application/json").or_else(|| {
        content.iter().find(|(media, _)| media.contains("json") || *media == "*/*").map(|(_, one)| one)
    })?;
    json.get("schema")
}
