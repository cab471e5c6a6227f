//! The skeleton as text: one line a field, every guess with its comment.

use std::fmt::Write;

use serde_json::Value;

use super::auth::Proof;
use super::document::Document;
use super::guess::Guess;
use super::resource::Built;
use super::schema::{Field, Kind};
use crate::authoring::text::{one_line, quoted, scalar};
use crate::authoring::words::{plain, snake_as_is};
use crate::program::system_compile::check_base_url;
use crate::value::{Path, Segment};

/// How deep objects stand in a record's lines; what is deeper is told in a comment.
const DEPTH: usize = 2;

/// A name as a path: in brackets and quotes where it is no plain word.
pub(super) fn path_of(name: &str) -> String {
    let is_one = |text: &str| {
        Path::parse(text).is_ok_and(|path| matches!(path.segments(), [Segment::Key(key)] if key == name))
    };
    if is_one(name) {
        return name.to_owned();
    }
    let in_brackets = format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"));
    if is_one(&in_brackets) { in_brackets } else { name.to_owned() }
}

/// The name of a field: as on the wire where that is a plain word.
pub(super) fn name_of(name: &str) -> String {
    if path_of(name) == name { name.to_owned() } else { snake_as_is(name) }
}

/// A comment behind a line.
fn note(text: Option<&str>) -> String {
    text.map(|text| format!("  # CHECK: {}", one_line(text, 240))).unwrap_or_default()
}

/// Writes the whole file.
pub(super) fn write(
    document: &Document,
    file_name: &str,
    prefix: &str,
    proof: &Proof,
    pagers: &[(String, Guess)],
    built: &[Built],
    left_out: &[(String, String)],
) -> String {
    let mut out = String::new();
    head(&mut out, document, file_name, prefix);
    if !proof.credentials.is_empty() {
        out.push_str("\ncredentials:\n");
        for (name, kind, help) in &proof.credentials {
            let _ = writeln!(out, "  {name}: {{ type: {kind}, help: {} }}", quoted(help));
        }
    }
    out.push('\n');
    for line in &proof.auth {
        let _ = writeln!(out, "{line}");
    }
    out.push_str(
        "\n# CHECK: rates are seldom in such a document; this is a careful start.\nlimits: { requests: 5, per: 1s, concurrent: 2 }\n",
    );
    whoami(&mut out, built);
    if let Some(failure) = built.iter().map(|one| &one.failure).find(|one| !one.is_empty()) {
        let paths: Vec<String> = failure.iter().map(|path| scalar(path)).collect();
        let _ = writeln!(
            out,
            "errors: {{ message: [ {} ] }}  # CHECK: seen in the answers that say what is wrong",
            paths.join(", ")
        );
    } else {
        out.push_str(
            "# CHECK: the document does not say how an error answer looks: errors: { message: PATH }\n",
        );
    }
    if !pagers.is_empty() {
        out.push_str("\npagers:\n");
        for (name, guess) in pagers {
            let _ = writeln!(out, "  {name}: {}{}", guess.text, note(Some(&guess.note)));
        }
    }
    out.push_str("\nresources:\n");
    for resource in built {
        one(&mut out, resource);
    }
    if !left_out.is_empty() {
        out.push_str("\n# Not written:\n");
        for (path, reason) in left_out {
            let _ = writeln!(out, "#   {}: {}", one_line(path, 120), one_line(reason, 200));
        }
    }
    out
}

fn head(out: &mut String, document: &Document, file_name: &str, prefix: &str) {
    let info = document.get("info");
    let title = info.get("title").and_then(Value::as_str).map(|text| one_line(text, 100)).unwrap_or_default();
    let title = if title.is_empty() { "A system".to_owned() } else { title };
    let mut name = snake_as_is(&title);
    if let Some(short) = std::path::Path::new(file_name).file_name().and_then(|name| name.to_str())
        && (name.len() > 20 || name.starts_with('_'))
    {
        name = snake_as_is(short.split('.').next().unwrap_or(short));
    }
    let _ = writeln!(
        out,
        "# A skeleton made from {}, version {}. It reads as it stands, but nobody has tried it:\n# every line with CHECK was guessed from names. Take the mark away where you have looked. `mapengine docs guide` goes on from here.",
        one_line(file_name, 100),
        one_line(
            &info.get("version").map(|version| version.to_string().replace('"', "")).unwrap_or_default(),
            30
        ),
    );
    let _ = writeln!(out, "system: {name}  # how messages call it\ntitle: {}", scalar(&title));
    let (address, seen) = base_url(document, prefix);
    let _ = writeln!(out, "base_url: {}{}", scalar_address(&address), note(seen.as_deref()));
}

fn scalar_address(address: &str) -> String {
    if address.contains(['#', '"', '\\', ' ']) { quoted(address) } else { address.to_owned() }
}

/// The address, and what is to be checked about it.
fn base_url(document: &Document, prefix: &str) -> (String, Option<String>) {
    let (mut address, seen) = written_address(document);
    let mut seen: Vec<String> = seen.into_iter().collect();
    if !prefix.is_empty() {
        let example: String = prefix.chars().filter(|c| !matches!(c, '{' | '}')).collect();
        let _ = write!(address, "{example}");
        seen.push(format!(
            "every path begins with {prefix}: a connection's base_url holds the company's own"
        ));
    }
    if let Some(rest) = address.strip_prefix("http://")
        && check_base_url(&address).is_err()
    {
        address = format!("https://{rest}");
        seen.push("the document says http; credentials travel over https only".to_owned());
    }
    let address = check_base_url(&address).unwrap_or_else(|_| {
        seen.push(match address.as_str() {
            "" => "the document gives no address: write the server's own".to_owned(),
            _ => format!("the document gives only {address}: write the server's own"),
        });
        // a name that leads nowhere (RFC 6761), so that nothing is sent to the wrong server
        let path = if address.starts_with('/') { address.trim_end_matches('/') } else { "" };
        check_base_url(&format!("https://server.invalid{path}"))
            .unwrap_or_else(|_| "https://server.invalid".to_owned())
    });
    (address, (!seen.is_empty()).then(|| seen.join("; ")))
}

fn written_address(document: &Document) -> (String, Option<String>) {
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if document.two {
        let host = document.get("host").as_str().unwrap_or_default();
        let base = document.get("basePath").as_str().unwrap_or_default();
        let schemes = document.get("schemes").as_array();
        let https = schemes.is_none_or(|all| all.is_empty() || all.iter().any(|one| one == "https"));
        if host.is_empty() {
            return (base.to_owned(), None);
        }
        return (format!("{}://{host}{base}", if https { "https" } else { "http" }), None);
    }
    let servers = document.get("servers").as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(server) = servers.first() else { return (String::new(), None) };
    let mut address = text(server, "url");
    let mut seen = None;
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        address = address.replace(&format!("{{{name}}}"), &text(variable, "default"));
        seen = Some(format!("`{name}` in it differs from company to company"));
    }
    if servers.len() > 1 {
        seen = Some(format!("the first of {} servers that the document names", servers.len()));
    }
    (address, seen)
}

/// A read that may say which company this is.
fn whoami(out: &mut String, built: &[Built]) {
    let words = [
        "me",
        "whoami",
        "userinfo",
        "currentuser",
        "company",
        "organization",
        "organisation",
        "account",
        "tenant",
        "store",
    ];
    let singletons: Vec<&Built> = built.iter().filter(|one| one.singleton).collect();
    let found = singletons.iter().copied().find(|one| {
        let name = plain(one.path.rsplit('/').next().unwrap_or_default());
        words.iter().any(|word| name == *word || (word.len() > 3 && name.starts_with(word)))
    });
    let found = found.or(match singletons[..] {
        [only] => Some(only),
        _ => None,
    });
    let field = |one: &Built| {
        let known = ["id", "guid", "uuid", "organizationnumber", "number", "code", "name"];
        known
            .iter()
            .find_map(|word| one.fields.iter().find(|field| plain(&field.name) == *word))
            .map(|field| path_of(&field.name))
    };
    match found.and_then(|one| Some((one, field(one)?))) {
        Some((one, field)) => {
            let _ = writeln!(
                out,
                "# CHECK: the read that says which company this is: another one behind the same connection is refused.\n# whoami: {{ get: {}, fields: [ {} ] }}",
                one_line(&one.path, 200),
                scalar(&field)
            );
        }
        None => out.push_str(
            "# CHECK: which read says whose data this is? whoami: { get: /company, fields: [ id ] }\n",
        ),
    }
}

fn one(out: &mut String, resource: &Built) {
    let _ = writeln!(out, "\n  {}:", resource.name);
    for text in &resource.notes {
        let _ = writeln!(out, "    # CHECK: {}", one_line(text, 240));
    }
    let _ = writeln!(out, "    title: {}\n    path: {}", scalar(&resource.title), scalar(&resource.path));
    if resource.singleton {
        out.push_str("    singleton: true\n    access: read_only\n");
    } else {
        let _ = writeln!(out, "    key: {}{}", scalar(&resource.key), note(resource.key_note.as_deref()));
        if !resource.pager_name.is_empty() {
            let _ = writeln!(out, "    pager: {}", resource.pager_name);
        }
        let written =
            resource.calls.iter().any(|(text, _)| text.starts_with("create") || text.starts_with("update"));
        if !written {
            out.push_str("    access: read_only\n");
        }
    }
    for (text, check) in &resource.calls {
        let _ = writeln!(out, "    {text}{}", note(check.as_deref()));
    }
    if let Some(guess) = &resource.encoding {
        let _ = writeln!(out, "    encoding: {}{}", guess.text, note(Some(&guess.note)));
    }
    match &resource.cursor {
        Some(Ok(guess)) => {
            let _ = writeln!(out, "    cursor: {}{}", guess.text, note(Some(&guess.note)));
        }
        Some(Err(reason)) => {
            let _ = writeln!(out, "    # CHECK: {}", one_line(reason, 240));
        }
        None => {}
    }
    if !resource.search.is_empty() {
        let pairs: Vec<String> = resource
            .search
            .iter()
            .map(|(field, param)| format!("{}: {}", scalar(field), scalar(param)))
            .collect();
        let _ = writeln!(
            out,
            "    search: {{ {} }}  # CHECK: query parameters named like fields: do they compare the whole value?",
            pairs.join(", ")
        );
    }
    out.push_str("    fields:\n");
    let updated = resource.calls.iter().any(|(text, _)| text.starts_with("update"));
    let created = resource.calls.iter().any(|(text, _)| text.starts_with("create"));
    let lines = Lines { resource, created, updated };
    lines.fields(out, &resource.fields, "", (6, 0), false);
}

struct Lines<'r> {
    resource: &'r Built,
    created: bool,
    updated: bool,
}

impl Lines<'_> {
    fn fields(
        &self,
        out: &mut String,
        fields: &[Field],
        before: &str,
        (indent, depth): (usize, usize),
        inside_read_only: bool,
    ) {
        let pad = " ".repeat(indent);
        let mut names: Vec<String> = Vec::new();
        for field in fields {
            let path = path_of(&field.name);
            // what cannot stand in an expression gets a name of its own
            let name = name_of(&field.name);
            let whole = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
            if let Some(reason) = self.unwritten(field, depth) {
                let _ = writeln!(out, "{pad}# {}: {}", one_line(&field.name, 80), one_line(&reason, 160));
                continue;
            }
            if names.contains(&name) || Path::parse(&path).is_err() {
                let _ = writeln!(
                    out,
                    "{pad}# {}: a field of such a name is there already",
                    one_line(&field.name, 80)
                );
                continue;
            }
            let mut words = self.words(field, &whole, depth, inside_read_only);
            if name != field.name {
                words.push(format!("path: {}", quoted(&path)));
            }
            names.push(name.clone());
            let mut checks = field.notes.clone();
            if words.iter().any(|word| word.starts_with("ref: ")) {
                checks.push("`ref` by its name".to_owned());
            }
            let check = note((!checks.is_empty()).then(|| checks.join("; ")).as_deref());
            let members = match &field.kind {
                Kind::Object(members) | Kind::List(members) => members,
                Kind::Many(inner) => {
                    let mut words = words.clone();
                    words[0] = format!("type: {}", inner.word());
                    if let Kind::Choice(of) = &**inner {
                        words.push(choices(of));
                    }
                    let _ = writeln!(
                        out,
                        "{pad}{}: {{ {} }}{check}",
                        quoted(&format!("{name}[]")),
                        words.join(", ")
                    );
                    continue;
                }
                _ => {
                    let line = match &words[..] {
                        [only] => only.trim_start_matches("type: ").to_owned(),
                        more => format!("{{ {} }}", more.join(", ")),
                    };
                    let _ = writeln!(out, "{pad}{}: {line}{check}", scalar(&name));
                    continue;
                }
            };
            let _ = writeln!(out, "{pad}{}:{check}", scalar(&name));
            for word in words {
                let _ = writeln!(out, "{pad}  {word}");
            }
            let _ = writeln!(out, "{pad}  fields:");
            let read_only = inside_read_only || field.read_only || matches!(field.kind, Kind::List(_));
            self.fields(out, members, &whole, (indent + 4, depth + 1), read_only);
        }
    }

    /// Why a field is not written.
    fn unwritten(&self, field: &Field, depth: usize) -> Option<String> {
        let unsaid =
            |members: &[Field]| members.iter().all(|member| self.unwritten(member, depth + 1).is_some());
        match &field.kind {
            Kind::Unknown(reason) => Some(format!("not written: {reason}")),
            Kind::Object(_) | Kind::List(_) if depth >= DEPTH => {
                Some(format!("not written: {} in an object in an object", field.kind.word()))
            }
            Kind::Object(members) | Kind::List(members) if unsaid(members) => {
                Some("not written: nothing of it can be told".to_owned())
            }
            Kind::List(_) | Kind::Many(_) if field.write_only => {
                Some("not written: a list that is only sent".to_owned())
            }
            _ if field.write_only && self.resource.singleton => {
                Some("not written: it is only sent".to_owned())
            }
            _ => None,
        }
    }

    fn words(&self, field: &Field, whole: &str, depth: usize, inside_read_only: bool) -> Vec<String> {
        let mut words = vec![format!("type: {}", field.kind.word())];
        if let Kind::Choice(of) = &field.kind {
            words.push(choices(of));
        }
        let written = self.created || self.updated;
        let many = matches!(field.kind, Kind::List(_) | Kind::Many(_));
        let read_only = field.read_only || many;
        let is_key = whole == self.resource.key;
        let read_only = read_only || inside_read_only;
        if written && read_only {
            words.push("read_only: true".to_owned());
        } else if written {
            if field.write_only {
                words.push("write_only: true".to_owned());
            }
            if field.required && self.created && depth == 0 {
                words.push("required: true".to_owned());
            } else if is_key && self.created {
                words.push("assigned: if_missing".to_owned());
            }
            if field.create_only && self.created {
                words.push("create_only: true".to_owned());
            }
            if field.bare && self.resource.encoding.is_some() && depth == 0 {
                words.push("wrap: false".to_owned());
            }
        }
        if let (Some(read), false) = (&field.read, field.write_only) {
            words.push(format!("read: {}", scalar(read)));
        }
        if let (Some(max), Kind::Text) = (field.max, &field.kind) {
            words.push(format!("max: {max}"));
        }
        if let (Some(places), Kind::Decimal) = (field.places, &field.kind) {
            words.push(format!("places: {places}"));
        }
        if let Some((_, to)) = self.resource.refs.iter().find(|(path, _)| path == whole) {
            words.push(format!("ref: {to}"));
        }
        if ["password", "secret", "socialsecurity", "personalidentity"]
            .iter()
            .any(|word| plain(&field.name).contains(word))
        {
            words.push("sensitive: true".to_owned());
        }
        if !field.help.is_empty() && plain(&field.help) != plain(&field.name) {
            words.push(format!("help: {}", quoted(&field.help)));
        }
        words
    }
}

fn choices(of: &[String]) -> String {
    let list: Vec<String> = of.iter().map(|one| scalar(one)).collect();
    format!("of: [{}]", list.join(", "))
}
