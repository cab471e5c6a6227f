//! XML in and out, as the same values that JSON gives.
//!
//! | XML | value |
//! | --- | --- |
//! | `<a><b>x</b></a>` | `{"a": {"b": "x"}}`; every scalar is text, its type is the reader's business |
//! | `<b>1</b><b>2</b>` | `{"b": ["1", "2"]}`; one alone is no list: a path `b[*]` finds it all the same |
//! | `<b/>`, `<b></b>` | `{"b": null}` |
//! | `<b type="net">5,00</b>` | `{"b": {"@type": "net", "$text": "5,00"}}`; the path `b` is its text, `b.@type` its attribute |
//!
//! Nothing is expanded: a document with a DOCTYPE is refused, and so is every entity but the five that XML has.
//! Depth and number of elements are capped (the size of a body is, before it comes here).

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::name::QName;
use quick_xml::reader::Reader;
use quick_xml::writer::Writer;

use super::charset::{Charset, decode};
use super::{Map, Value};

/// The member that holds the text of an element with attributes.
pub const TEXT: &str = "$text";

/// More elements inside each other are no record.
const DEEPEST: usize = 64;
/// More elements and attributes than this are no answer.
const MOST_NODES: usize = 2_000_000;

/// How documents are written, and what is made of their names when they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XmlForm {
    /// The element around everything: it is put on and taken off. None: the body's one member is the root element.
    pub root: Option<String>,
    /// Names of elements and attributes are read in lower case.
    pub lower: bool,
    /// The character set that is written.
    pub charset: Charset,
    /// Whether a document begins with `<?xml …?>`.
    pub declaration: bool,
}

/// Reads a document; `told` is the character set that a header names.
///
/// # Errors
/// One sentence that says what is wrong with it.
pub fn from_xml(bytes: &[u8], told: Option<&str>, form: &XmlForm) -> Result<Value, String> {
    let text = decode(bytes, told, declared(bytes).as_deref())?;
    let mut reader = Reader::from_str(&text);
    let mut read = Read { form, open: Vec::new(), whole: None, nodes: 0 };
    loop {
        let event =
            reader.read_event().map_err(|error| format!("{error} (at byte {})", reader.error_position()))?;
        match event {
            Event::Start(start) => read.start(&start)?,
            Event::Empty(start) => {
                read.start(&start)?;
                read.end()?;
            }
            Event::End(_) => read.end()?,
            Event::Text(text) => read.text(&text.xml10_content())?,
            Event::CData(text) => read.text(&text.xml10_content())?,
            Event::GeneralRef(name) => {
                let known = match name.resolve_char_ref() {
                    Ok(Some(c)) => Some(c.to_string()),
                    Ok(None) => quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned),
                    Err(error) => return Err(error.to_string()),
                };
                let known = known.ok_or_else(|| {
                    format!(
                        "it uses the entity &{};, and no entity is expanded but those of XML itself",
                        &*name
                    )
                })?;
                read.text(&known)?;
            }
            Event::DocType(_) => return Err("it has a DOCTYPE, which is refused".into()),
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
        }
    }
    if !read.open.is_empty() {
        return Err("it ends in the middle of an element".into());
    }
    let (name, value) = read.whole.ok_or("it holds no element")?;
    match &form.root {
        Some(root) if !root.eq_ignore_ascii_case(&name) => {
            Err(format!("its root element is <{name}>, <{root}> is wanted"))
        }
        Some(_) => Ok(value),
        None => Ok(Value::Map(Map::from([(name, value)]))),
    }
}

/// The encoding that the declaration at the beginning names. It is ASCII in every set that is read.
fn declared(bytes: &[u8]) -> Option<String> {
    let rest = bytes.strip_prefix(b"<?xml")?;
    let end = rest.windows(2).take(200).position(|two| two == b"?>")?;
    let text = std::str::from_utf8(&rest[..end]).ok()?;
    let (_, after) = text.split_once("encoding")?;
    let quoted = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    quoted[1..].split(quote).next().map(str::to_owned)
}

struct Read<'f> {
    form: &'f XmlForm,
    open: Vec<Element>,
    whole: Option<(String, Value)>,
    nodes: usize,
}

#[derive(Default)]
struct Element {
    name: String,
    members: Map,
    text: String,
}

impl Read<'_> {
    /// A name as it is read. `$text` and `@type` are no names in XML: they would be taken for the marks of values.
    fn name(&self, written: &str) -> Result<String, String> {
        if !written.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':')) {
            return Err(format!("{written:?} cannot be the name of an element or an attribute"));
        }
        Ok(if self.form.lower { written.to_lowercase() } else { written.to_owned() })
    }

    fn count(&mut self) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(format!("it has more than {MOST_NODES} elements and attributes"));
        }
        Ok(())
    }

    fn start(&mut self, start: &BytesStart) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("it has more than {DEEPEST} elements inside each other"));
        }
        if self.open.is_empty() && self.whole.is_some() {
            return Err("it has more than one root element".into());
        }
        self.count()?;
        let mut element = Element { name: self.name(start.name().as_ref())?, ..Element::default() };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            self.count()?;
            let name = self.name(attribute.key.as_ref())?;
            // which schema a document follows says nothing about the record
            if name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            let value =
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
            let name = format!("@{name}");
            if element.members.insert(name.clone(), Value::text(value)).is_some() {
                return Err(format!("<{}> has the attribute {} twice", element.name, &name[1..]));
            }
        }
        self.open.push(element);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("it has text outside its root element".into()),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(Element { name, mut members, text }) = self.open.pop() else {
            return Err("it closes an element that is not open".into());
        };
        let blank = text.trim().is_empty();
        let value = if members.is_empty() {
            if blank { Value::Null } else { Value::Text(text) }
        } else {
            if !blank {
                members.insert(TEXT.to_owned(), Value::Text(text));
            }
            Value::Map(members)
        };
        match self.open.last_mut() {
            Some(parent) => add(&mut parent.members, name, value),
            None => self.whole = Some((name, value)),
        }
        Ok(())
    }
}

/// The second element of a name makes a list of both.
fn add(members: &mut Map, name: String, value: Value) {
    match members.get_mut(&name) {
        None => {
            members.insert(name, value);
        }
        Some(Value::List(items)) => items.push(value),
        Some(first) => *first = Value::List(vec![std::mem::take(first), value]),
    }
}

/// The text of an element with attributes (nothing where it is empty); `None` for every other value.
pub fn element_text(value: &Value) -> Option<&Value> {
    static NOTHING: Value = Value::Null;
    let Value::Map(map) = value else { return None };
    match map.get(TEXT) {
        Some(text) => Some(text),
        None if !map.is_empty() && map.keys().all(|name| name.starts_with('@')) => Some(&NOTHING),
        None => None,
    }
}

/// Writes a document.
///
/// # Errors
/// A name or a character that XML cannot hold, or a body that is not one element.
pub fn to_xml(body: &Value, form: &XmlForm) -> Result<Vec<u8>, String> {
    let (name, value) = match (&form.root, body) {
        (Some(root), body) => (root.as_str(), body),
        (None, Value::Map(map)) if map.len() == 1 => {
            let (name, value) = map.iter().next().ok_or("an XML body is one element")?;
            (name.as_str(), value)
        }
        (None, _) => return Err("an XML body is one element: it needs a root or an envelope".into()),
    };
    if matches!(value, Value::List(_)) {
        return Err(format!("<{name}> is the root element and cannot stand more than once"));
    }
    let mut writer = Writer::new(Vec::new());
    element(&mut writer, name, value)?;
    let text = String::from_utf8(writer.into_inner()).map_err(|error| error.to_string())?;
    let declaration = match form.declaration {
        true => format!("<?xml version=\"1.0\" encoding=\"{}\"?>\n", form.charset.name()),
        false => String::new(),
    };
    let mut whole = declaration;
    for c in text.chars() {
        match form.charset.has(c) {
            true => whole.push(c),
            // names are ASCII, so this stands in a text: every reader knows the character by its number
            false => whole.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    form.charset.encode(&whole).map_err(|c| format!("{c:?} cannot be written in {}", form.charset.name()))
}

fn element(writer: &mut Writer<Vec<u8>>, name: &str, value: &Value) -> Result<(), String> {
    check_name(name)?;
    let mut write = |event: Event| writer.write_event(event).map_err(|error| error.to_string());
    match value {
        Value::List(items) => items.iter().try_for_each(|item| match item {
            Value::List(_) => Err(format!("<{name}> is a list of lists, which XML does not have")),
            item => element(writer, name, item),
        }),
        Value::Map(map) => {
            let mut start = BytesStart::new(name);
            for (key, value) in map {
                if let Some(key) = key.strip_prefix('@')
                    && !matches!(value, Value::Null)
                {
                    check_name(key)?;
                    let text =
                        value.scalar_text().ok_or_else(|| format!("the attribute {key} is no scalar"))?;
                    start.push_attribute(Attribute { key: QName(key), value: Cow::Owned(escaped(&text)?) });
                }
            }
            let mut inside = map.iter().filter(|(key, _)| !key.starts_with('@')).peekable();
            if inside.peek().is_none() {
                return write(Event::Empty(start));
            }
            write(Event::Start(start))?;
            for (key, value) in inside {
                if key == TEXT {
                    text(
                        writer,
                        &value.scalar_text().ok_or_else(|| format!("the text of <{name}> is no scalar"))?,
                    )?;
                } else {
                    element(writer, key, value)?;
                }
            }
            writer.write_event(Event::End(BytesEnd::new(name))).map_err(|error| error.to_string())
        }
        scalar => {
            let plain = scalar.scalar_text().unwrap_or_default();
            if plain.is_empty() {
                return write(Event::Empty(BytesStart::new(name)));
            }
            write(Event::Start(BytesStart::new(name)))?;
            text(writer, &plain)?;
            writer.write_event(Event::End(BytesEnd::new(name))).map_err(|error| error.to_string())
        }
    }
}

fn text(writer: &mut Writer<Vec<u8>>, plain: &str) -> Result<(), String> {
    // a bare carriage return would be read as a line feed
    let escaped = escaped(plain)?.replace("&#10;", "\n").replace("&#9;", "\t");
    writer.write_event(Event::Text(BytesText::from_escaped(escaped))).map_err(|error| error.to_string())
}

/// A text with everything escaped that a reader would change.
fn escaped(plain: &str) -> Result<String, String> {
    if let Some(bad) = plain.chars().find(|c| !is_xml(*c)) {
        return Err(format!("a text holds U+{:04X}, a character that XML cannot hold", u32::from(bad)));
    }
    let escaped = quick_xml::escape::escape(plain);
    Ok(escaped.replace('\r', "&#13;").replace('\n', "&#10;").replace('\t', "&#9;"))
}

/// `Char` of XML 1.0 section 2.2.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// Whether an element or an attribute may have this name. More names are allowed by XML than here; none of those
/// survives every character set.
pub fn is_name(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}

fn check_name(name: &str) -> Result<(), String> {
    if is_name(name) {
        Ok(())
    } else {
        Err(format!("{name:?} cannot be the name of an element or an attribute"))
    }
}

#[cfg(test)]
#[path = "xml_tests.rs"]
mod tests;
