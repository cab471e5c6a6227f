//! Paths: `mainAddress.city`, `lines[*].price`, `code[0]`, `dimension['CUSTOMER'].length`, `tags[kind='colour'].name`.
//!
//! A [`Path`] is compiled once into segments and reads and writes without a parser. What a path cannot say is a
//! [`Query`](super::Query).

use std::fmt;

use super::xml::{TEXT, element_text};
use super::{Map, Value};

/// A path of more steps leads to no field; what is written along it would be nested so deep.
const MOST_STEPS: usize = 64;
/// A later item is not meant one by one; what is written there would make a list of so many.
const LAST_POSITION: usize = 9_999;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A member by name.
    Key(String),
    /// An item by position, counted from 0.
    Index(usize),
    /// Every item of a list: `[*]`.
    All,
    /// The one item of a list whose member has this text: `[kind='colour']`. Where more than one has it, none is meant.
    Where {
        /// The member.
        member: String,
        /// What it is.
        is: String,
    },
}

/// A parsed path of names, positions and `[*]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Path {
    segments: Vec<Segment>,
}

/// Why a text is not a path; `at` is the byte offset in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// Byte offset of the place in the text.
    pub at: usize,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PathError {}

impl Path {
    /// Reads a path. A leading `$.` or `$` may be there or not; `name[]` is the same as `name[*]`.
    ///
    /// # Errors
    /// A [`PathError`] with the place, for an empty name, an open bracket, too many steps, or anything that is JSONPath.
    pub fn parse(text: &str) -> Result<Path, PathError> {
        let mut parser = Parser { text, at: 0, segments: Vec::new() };
        parser.run()?;
        Ok(Path { segments: parser.segments })
    }

    /// A path of one member.
    pub fn key(name: impl Into<String>) -> Path {
        Path { segments: vec![Segment::Key(name.into())] }
    }

    /// A path of these steps.
    pub fn of(segments: &[Segment]) -> Path {
        Path { segments: segments.to_vec() }
    }

    /// The empty path: the record itself.
    pub fn root() -> Path {
        Path::default()
    }

    /// The steps.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether the path names at most one value, so that it can be written.
    pub fn is_singular(&self) -> bool {
        !self.segments.contains(&Segment::All)
    }

    /// Whether this is the record itself.
    pub fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// The first step and the path below it.
    pub fn split_first(&self) -> Option<(&Segment, Path)> {
        let (first, rest) = self.segments().split_first()?;
        Some((first, Path { segments: rest.to_vec() }))
    }

    /// This path, then the other.
    pub fn join(&self, rest: &Path) -> Path {
        Path { segments: self.segments.iter().chain(&rest.segments).cloned().collect() }
    }

    /// The rest of this path below `prefix`, if it stands below it.
    pub fn strip_prefix(&self, prefix: &Path) -> Option<Path> {
        let rest = self.segments.strip_prefix(&prefix.segments[..])?;
        Some(Path { segments: rest.to_vec() })
    }

    /// The value there, for a singular path; the first one otherwise. What stands alone where a list is meant is
    /// its first item: XML does not tell one from a list of one.
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let mut here = value;
        for (i, segment) in self.segments.iter().enumerate() {
            here = match (segment, here) {
                (Segment::Key(key), Value::Map(map)) => map.get(key)?,
                (Segment::Index(index), Value::List(items)) => items.get(*index)?,
                (Segment::All, Value::List(items)) => {
                    let rest = Path { segments: self.segments[i + 1..].to_vec() };
                    return items.iter().find_map(|item| rest.get(item));
                }
                (Segment::All | Segment::Index(0), alone)
                    if !matches!(alone, Value::Null | Value::List(_)) =>
                {
                    alone
                }
                (Segment::Where { member, is }, here) => {
                    let mut found = items_of(here).iter().filter(|item| tells(item, member, is));
                    match (found.next(), found.next()) {
                        (Some(one), None) => one,
                        _ => return None,
                    }
                }
                _ => return None,
            };
        }
        Some(here)
    }

    /// Every value there, in order.
    pub fn get_all<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![value];
        for segment in &self.segments {
            let mut next = Vec::new();
            for here in found {
                match (segment, here) {
                    (Segment::Key(key), Value::Map(map)) => next.extend(map.get(key)),
                    (Segment::Index(index), Value::List(items)) => next.extend(items.get(*index)),
                    (Segment::All, Value::List(items)) => next.extend(items),
                    (Segment::All | Segment::Index(0), alone)
                        if !matches!(alone, Value::Null | Value::List(_)) =>
                    {
                        next.push(alone);
                    }
                    (Segment::Where { member, is }, here) => {
                        next.extend(items_of(here).iter().filter(|item| tells(item, member, is)));
                    }
                    _ => {}
                }
            }
            found = next;
        }
        found
    }

    /// Puts a value there, making the maps and list places on the way. What stood in the way (a scalar
    /// where a map is needed) is replaced. A path with `[*]` is written at every item that exists.
    /// An attribute (`price.@type`) stands beside the text of its element, in either order.
    pub fn set(&self, target: &mut Value, value: Value) {
        set(&self.segments, target, value);
    }

    /// Takes the value there out of its map.
    pub fn remove(&self, target: &mut Value) -> Option<Value> {
        let (last, way) = self.segments.split_last()?;
        let mut here = target;
        for segment in way {
            here = match (segment, here) {
                (Segment::Key(key), Value::Map(map)) => map.get_mut(key)?,
                (Segment::Index(index), Value::List(items)) => items.get_mut(*index)?,
                (Segment::Where { member, is }, Value::List(items)) => {
                    items.iter_mut().find(|item| tells(item, member, is))?
                }
                _ => return None,
            };
        }
        match (last, here) {
            (Segment::Key(key), Value::Map(map)) => map.shift_remove(key),
            _ => None,
        }
    }
}

/// The two halves of a path into rows that stand inside other rows: `headings[*].details.items` is `headings` and
/// `details.items`. `None` where nothing follows a `[*]`.
pub fn nested(path: &Path) -> Option<(Path, Path)> {
    let at = path.segments.iter().position(|segment| *segment == Segment::All)?;
    let mut rest = path.segments[at + 1..].to_vec();
    if rest.last() == Some(&Segment::All) {
        rest.pop();
    }
    let inner = Path { segments: rest };
    (!inner.is_root()).then(|| (Path { segments: path.segments[..at].to_vec() }, inner))
}

fn set(segments: &[Segment], target: &mut Value, value: Value) {
    let Some((first, rest)) = segments.split_first() else {
        match (target, value) {
            // the attributes are there already
            (target @ Value::Map(_), value)
                if element_text(target).is_some() && !matches!(value, Value::Map(_) | Value::List(_)) =>
            {
                if let Value::Map(map) = target {
                    map.insert(TEXT.to_owned(), value);
                }
            }
            (target, value) => *target = value,
        }
        return;
    };
    match first {
        Segment::Key(key) => {
            if key.starts_with('@') && !matches!(target, Value::Map(_) | Value::List(_) | Value::Null) {
                *target = Value::Map(Map::from([(TEXT.to_owned(), std::mem::take(target))]));
            }
            if !matches!(target, Value::Map(_)) {
                *target = Value::Map(Map::new());
            }
            if let Value::Map(map) = target {
                set(rest, map.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        Segment::Index(index) => {
            if !matches!(target, Value::List(_)) {
                *target = Value::List(Vec::new());
            }
            if let Value::List(items) = target {
                if items.len() <= *index {
                    items.resize(index + 1, Value::Null);
                }
                set(rest, &mut items[*index], value);
            }
        }
        Segment::All => {
            if let Value::List(items) = target {
                for item in items {
                    set(rest, item, value.clone());
                }
            }
        }
        Segment::Where { member, is } => {
            if !matches!(target, Value::List(_)) {
                *target = Value::List(Vec::new());
            }
            if let Value::List(items) = target {
                let at = items.iter().position(|item| tells(item, member, is)).unwrap_or_else(|| {
                    items.push(Value::Map(Map::from([(member.clone(), Value::text(is.clone()))])));
                    items.len() - 1
                });
                set(rest, &mut items[at], value);
            }
        }
    }
}

/// The items of a list; what stands alone is its own only item.
fn items_of(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        Value::Map(_) => std::slice::from_ref(value),
        _ => &[],
    }
}

fn tells(item: &Value, member: &str, is: &str) -> bool {
    item.get(member).and_then(Value::scalar_text).as_deref() == Some(is)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.segments.iter().enumerate() {
            match segment {
                // `$` alone, and before a step, is the record
                Segment::Key(key) if is_plain(key) && (i > 0 || key != "$") => {
                    write!(f, "{}{key}", if i == 0 { "" } else { "." })?;
                }
                Segment::Key(key) => write!(f, "['{key}']")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::All => f.write_str("[*]")?,
                Segment::Where { member, is }
                    if is.contains("']") || is.contains('\'') && !is.contains("\"]") =>
                {
                    write!(f, "[{member}=\"{is}\"]")?
                }
                Segment::Where { member, is } => write!(f, "[{member}='{is}']")?,
            }
        }
        Ok(())
    }
}

/// What cannot stand in a name without quotes.
const NOT_IN_NAMES: [char; 9] = ['*', '?', ']', '\'', '"', '(', ')', ' ', '|'];

fn is_plain(key: &str) -> bool {
    !key.is_empty() && !key.contains(['.', '[']) && !key.contains(NOT_IN_NAMES)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    segments: Vec<Segment>,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), PathError> {
        if self.text.starts_with("$.") || self.text == "$" || self.text.starts_with("$[") {
            self.at = 1;
            if self.text[1..].starts_with('.') {
                self.at = 2;
            }
        }
        if self.text.is_empty() {
            return Err(self.error("a path is empty"));
        }
        let mut wants_name = self.at < self.text.len() && !self.rest().starts_with('[');
        while self.at < self.text.len() {
            if wants_name {
                self.name()?;
            } else if self.rest().starts_with('[') {
                self.bracket()?;
            } else if self.rest().starts_with('.') {
                self.at += 1;
                wants_name = true;
                if self.at == self.text.len() {
                    return Err(self.error("a name is missing after `.`"));
                }
                continue;
            } else {
                return Err(self.error("expected `.` or `[`"));
            }
            if self.segments.len() > MOST_STEPS {
                return Err(self.error(&format!("a path has at most {MOST_STEPS} steps")));
            }
            wants_name = false;
        }
        Ok(())
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn error(&self, message: &str) -> PathError {
        PathError { message: message.to_owned(), at: self.at }
    }

    fn name(&mut self) -> Result<(), PathError> {
        let rest = self.rest();
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() {
            return Err(self.error("a name is missing here"));
        }
        if let Some(bad) = name.find(NOT_IN_NAMES) {
            self.at += bad;
            return Err(self.error("this character cannot stand in a name"));
        }
        self.segments.push(Segment::Key(name.to_owned()));
        self.at += end;
        Ok(())
    }

    fn bracket(&mut self) -> Result<(), PathError> {
        let rest = self.rest();
        if let Some((member, is, end)) = keyed(rest) {
            let segment = Segment::Where { member: member.to_owned(), is: is.to_owned() };
            self.segments.push(segment);
            self.at += end;
            return Ok(());
        }
        let Some(end) = rest.find(']') else {
            return Err(self.error("`[` is not closed"));
        };
        let inside = &rest[1..end];
        let segment = match inside {
            "" | "*" => Segment::All,
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
                Ok(index @ ..=LAST_POSITION) => Segment::Index(index),
                _ => return Err(self.error(&format!("a position is at most {LAST_POSITION}"))),
            },
            quoted
                if quoted.len() >= 2
                    && (quoted.starts_with('\'') && quoted.ends_with('\'')
                        || quoted.starts_with('"') && quoted.ends_with('"')) =>
            {
                Segment::Key(quoted[1..quoted.len() - 1].to_owned())
            }
            _ => return Err(self.error("only a position, `*` or a quoted name may stand in `[ ]`")),
        };
        self.segments.push(segment);
        self.at += end + 1;
        Ok(())
    }
}

/// `[name='text']` at the start of a text: the name, the text, and where it ends.
fn keyed(text: &str) -> Option<(&str, &str, usize)> {
    let (member, rest) = text.strip_prefix('[')?.split_once('=')?;
    let named = !member.is_empty() && member.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let quote = rest.chars().next().filter(|quote| named && matches!(quote, '\'' | '"'))?;
    let close = format!("{quote}]");
    let length = rest[1..].find(&close)?;
    let end = 1 + member.len() + 1 + 1 + length + close.len();
    Some((member, &rest[1..1 + length], end))
}

#[cfg(test)]
mod tests {
    use super::super::from_json_str;
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn reads() {
        let record = from_json_str(r#"{"a":{"b":[{"c":1},{"c":2}]},"d":{"X 1":"y"}}"#).unwrap();
        assert_eq!(path("a.b[1].c").get(&record), Some(&Value::from(2_i64)));
        assert_eq!(path("a.b[*].c").get_all(&record).len(), 2);
        assert_eq!(path("$.a.b[0].c").get(&record), Some(&Value::from(1_i64)));
        assert_eq!(path("d['X 1']").get(&record), Some(&Value::text("y")));
        assert_eq!(path("a.x.y").get(&record), None);
    }

    #[test]
    fn writes_and_makes_the_way() {
        let mut record = Value::Null;
        path("a.b[1].c").set(&mut record, Value::from(7_i64));
        assert_eq!(record.to_json(), r#"{"a":{"b":[null,{"c":7}]}}"#);
        assert_eq!(path("a.b").remove(&mut record).unwrap().as_list().unwrap().len(), 2);
        assert_eq!(record.to_json(), r#"{"a":{}}"#);
    }

    #[test]
    fn the_item_that_a_member_tells() {
        let mut record =
            from_json_str(r#"{"tags":[{"kind":"colour","name":"red"},{"kind":"size","name":"L"}]}"#).unwrap();
        let size = path("tags[kind='size'].name");
        assert_eq!(size.get(&record), Some(&Value::text("L")));
        assert_eq!(size.get_all(&record).len(), 1);
        assert_eq!(path("tags[kind='fit'].name").get(&record), None);
        // what stands alone is a list of one, as in XML
        let alone = from_json_str(r#"{"tags":{"kind":"size","name":"M"}}"#).unwrap();
        assert_eq!(size.get(&alone), Some(&Value::text("M")));
        // it is made where it is not there
        size.set(&mut record, Value::text("XL"));
        path("tags[kind='fit'].name").set(&mut record, Value::text("slim"));
        assert_eq!(
            record.to_json(),
            r#"{"tags":[{"kind":"colour","name":"red"},{"kind":"size","name":"XL"},{"kind":"fit","name":"slim"}]}"#
        );
        assert_eq!(path("tags[kind='colour'].name").remove(&mut record), Some(Value::text("red")));
        // two of a kind are no answer
        let twice =
            from_json_str(r#"{"tags":[{"kind":"size","name":"L"},{"kind":"size","name":"M"}]}"#).unwrap();
        assert_eq!(size.get(&twice), None);
        assert!(Path::parse("tags[kind='size").is_err() && Path::parse("tags[kind=size]").is_err());
    }

    #[test]
    fn shows_as_written() {
        for text in [
            "a.b[0].c",
            "lines[*].x",
            "d['X 1'].y",
            "t[k='a] b'].y",
            "t[k=\"d'or\"].y",
            "['a*b'].c",
            "['$'].a.$",
            "t[k='d'or\"]'].y",
            "t[k=\"d'or']\"].y",
        ] {
            assert_eq!(path(text).to_string(), text);
        }
    }

    #[test]
    fn no_path_makes_endless_lists() {
        let message = |text: &str| Path::parse(text).unwrap_err().message;
        assert_eq!(message("a[10000]"), "a position is at most 9999");
        assert_eq!(message("a[18446744073709551615]"), "a position is at most 9999");
        assert_eq!(message("a[99999999999999999999]"), "a position is at most 9999");
        assert_eq!(message(&"[0]".repeat(65)), "a path has at most 64 steps");
        assert_eq!(path(&"[9999]".repeat(64)).segments().len(), 64);
    }

    #[test]
    fn says_where_it_is_wrong() {
        assert_eq!(Path::parse("a..b").unwrap_err().at, 2);
        assert_eq!(Path::parse("a[1").unwrap_err().message, "`[` is not closed");
        assert_eq!(Path::parse("").unwrap_err().message, "a path is empty");
        assert_eq!(Path::parse("a.").unwrap_err().message, "a name is missing after `.`");
    }
}
