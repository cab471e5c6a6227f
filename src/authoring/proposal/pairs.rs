//! Which resources and which fields of two systems may be the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::similar::{alike, meaning};
use crate::program::system::{Field, FieldRef, Resource, System};
use crate::program::types::Type;
use crate::value::{Both, Path};

/// The least score of two resources that are proposed as one register.
const RESOURCES: u32 = 50;
/// The least score of two fields that are proposed as a row.
const FIELDS: u32 = 60;

/// Two resources that may be one register.
pub(super) struct Pair {
    pub name: String,
    pub score: u32,
    pub left: Arc<Resource>,
    pub right: Arc<Resource>,
    /// `to left`, `to right` or `link_only`; none: both ways.
    pub direction: Option<String>,
    /// What has to be decided before more is possible.
    pub open: Vec<String>,
    pub rows: Vec<Proposed>,
    pub left_over: Both<Vec<String>>,
}

/// Two fields that may be the same.
pub(super) struct Proposed {
    pub left: String,
    pub right: String,
    pub score: u32,
    /// Further words of the row.
    pub words: Vec<String>,
    pub note: String,
    /// Why the row is only a comment.
    pub refused: Option<String>,
    /// Which sides it can write.
    writes: Both<bool>,
    unique: bool,
    is_ref: bool,
}

/// A single value of a record.
struct Leaf<'r> {
    path: String,
    label: Option<&'r str>,
    ty: &'r Type,
    max: Option<u32>,
    writable: bool,
    unique: bool,
    reference: Option<&'r FieldRef>,
}

/// Pairs of resources, the most alike first, each at most once.
pub(super) fn pairs(left: &System, right: &System) -> Vec<Pair> {
    let usable = |system: &System| -> Vec<Arc<Resource>> {
        system.resources.values().filter(|one| !one.singleton && one.list.is_some()).cloned().collect()
    };
    let (lefts, rights) = (usable(left), usable(right));
    let title = |resource: &Resource| resource.title.clone().unwrap_or_else(|| resource.name.clone());
    let mut scored: Vec<(u32, &Arc<Resource>, &Arc<Resource>)> = Vec::new();
    for one in &lefts {
        for two in &rights {
            let score = alike(&one.name, &two.name, &[]).max(alike(&title(one), &title(two), &[]));
            let writable = [one, two].iter().any(|resource| resource.writable && resource.create.is_some());
            // two lists that nothing can be written to are seldom worth a register
            if score >= if writable { RESOURCES } else { 90 } {
                scored.push((score, one, two));
            }
        }
    }
    scored.sort_by_key(|(score, ..)| std::cmp::Reverse(*score));
    let mut taken: Vec<(&Arc<Resource>, &Arc<Resource>, u32)> = Vec::new();
    for (score, one, two) in scored {
        if taken.iter().all(|(left, right, _)| left.name != one.name && right.name != two.name) {
            taken.push((one, two, score));
        }
    }
    // in the order of the left system
    taken.sort_by_key(|(one, ..)| lefts.iter().position(|left| left.name == one.name));
    let known: Vec<(String, String, String)> =
        taken.iter().map(|(one, two, _)| (one.name.clone(), two.name.clone(), plural(&one.name))).collect();
    let mut pairs: Vec<Pair> = taken.iter().map(|(one, two, score)| pair(one, two, *score, &known)).collect();
    pairs.retain(|pair| pair.keys().0.is_some());
    // a reference needs its register
    let names: Vec<String> = pairs.iter().map(|pair| pair.name.clone()).collect();
    for pair in &mut pairs {
        for row in &mut pair.rows {
            let to = row.words.iter().find_map(|word| word.strip_prefix("ref: "));
            if to.is_some_and(|to| !names.iter().any(|name| name == to)) {
                row.refused = Some("the records it points to have no register".to_owned());
            }
        }
        pair.settle();
    }
    pairs
}

fn plural(name: &str) -> String {
    if name.ends_with('s') {
        name.to_owned()
    } else if let Some(stem) = name.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        format!("{stem}ies")
    } else {
        format!("{name}s")
    }
}

fn pair(left: &Arc<Resource>, right: &Arc<Resource>, score: u32, known: &[(String, String, String)]) -> Pair {
    let (lefts, rights) = (leaves(left), leaves(right));
    let context = [meaning(&left.name), meaning(&right.name)];
    let mut scored: Vec<(u32, usize, usize)> = Vec::new();
    for (i, one) in lefts.iter().enumerate() {
        for (j, two) in rights.iter().enumerate() {
            if !one.writable && !two.writable {
                continue;
            }
            let score = likeness(one, two, &context);
            if score >= FIELDS {
                scored.push((score, i, j));
            }
        }
    }
    // between equals the order of the files decides
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut taken: Vec<(usize, usize, u32)> = Vec::new();
    for (score, i, j) in scored {
        if taken.iter().all(|(left, right, _)| *left != i && *right != j) {
            taken.push((i, j, score));
        }
    }
    taken.sort();
    let rows = taken.iter().map(|(i, j, score)| row(&lefts[*i], &rights[*j], *score, known)).collect();
    let over = |leaves: &[Leaf], used: &dyn Fn(usize) -> bool| {
        leaves
            .iter()
            .enumerate()
            .filter(|(at, leaf)| !used(*at) && leaf.writable)
            .map(|(_, leaf)| leaf.path.clone())
            .collect::<Vec<_>>()
    };
    let left_over = Both {
        left: over(&lefts, &|at| taken.iter().any(|(i, ..)| *i == at)),
        right: over(&rights, &|at| taken.iter().any(|(_, j, _)| *j == at)),
    };
    let name = known.iter().find(|(one, ..)| *one == left.name).map(|(.., name)| name.clone());
    Pair {
        name: name.unwrap_or_else(|| plural(&left.name)),
        score,
        left: Arc::clone(left),
        right: Arc::clone(right),
        direction: None,
        open: Vec::new(),
        rows,
        left_over,
    }
}

impl Pair {
    /// The row that recognises records best, and others that may.
    pub(super) fn keys(&self) -> (Option<&Proposed>, Vec<String>) {
        let rank = |row: &Proposed| {
            let words = meaning(&row.left);
            let is = |word: &str| words.contains(word);
            match () {
                () if row.unique => 0,
                () if is("vat") => 3,
                () if is("number") && words.len() == 1 => 1,
                () if is("email") => 2,
                () if is("name") && words.len() == 1 => 4,
                () => 9,
            }
        };
        let mut rows: Vec<&Proposed> =
            self.rows.iter().filter(|row| row.refused.is_none() && !row.is_ref).collect();
        rows.sort_by_key(|row| rank(row));
        let others = rows.iter().skip(1).filter(|row| rank(row) < 9).map(|row| row.left.clone()).collect();
        (rows.first().copied(), others)
    }

    /// Decides where records can be made with the rows there are.
    pub(super) fn settle(&mut self) {
        if self.direction.as_deref() == Some("link_only") {
            return;
        }
        self.open.clear();
        let mut can = Both { left: true, right: true };
        for (side, resource) in [("left", &self.left), ("right", &self.right)] {
            let is_left = side == "left";
            let mut missing = Vec::new();
            for field in resource
                .fields
                .iter()
                .filter(|one| one.required && one.on_create.is_none() && one.assigned.is_none())
            {
                let given = self.rows.iter().filter(|row| row.refused.is_none()).any(|row| {
                    let (path, writes) =
                        if is_left { (&row.left, row.writes.left) } else { (&row.right, row.writes.right) };
                    writes && Path::parse(path).is_ok_and(|path| path.strip_prefix(&field.name).is_some())
                });
                if !given {
                    missing.push(field.name.to_string());
                }
            }
            let creatable = resource.writable && resource.create.is_some();
            if creatable && !missing.is_empty() {
                self.open.push(format!(
                    "{} cannot be made: {} must be given and {} no row yet",
                    resource.name,
                    missing.join(", "),
                    if missing.len() == 1 { "has" } else { "have" }
                ));
            }
            let fine = creatable && missing.is_empty();
            if is_left { can.left = fine } else { can.right = fine }
        }
        self.direction = match (can.left, can.right) {
            (true, true) => None,
            (true, false) => Some("to left".to_owned()),
            (false, true) => Some("to right".to_owned()),
            (false, false) => Some("link_only".to_owned()),
        };
    }
}

/// The single values of a record that a mapping may carry.
fn leaves(resource: &Resource) -> Vec<Leaf<'_>> {
    fn add<'r>(before: &str, field: &'r Field, below: bool, writable: bool, out: &mut Vec<Leaf<'r>>) {
        let path =
            if before.is_empty() { field.name.to_string() } else { format!("{before}.{}", field.name) };
        let writable = writable && !field.read_only;
        match &field.ty {
            Type::Object(_) if !below || before.split('.').count() < 2 => {
                for member in &field.fields {
                    add(&path, member, true, writable, out);
                }
            }
            Type::Object(_) | Type::List(_) | Type::Table(_) | Type::File | Type::Any => {}
            _ if field.write_only || !field.name.is_singular() => {}
            ty => out.push(Leaf {
                path,
                label: field.label.as_deref(),
                ty,
                max: field.max,
                writable,
                unique: field.unique && !below,
                reference: field.reference.as_ref(),
            }),
        }
    }
    let skipped: Vec<&Path> = resource.cursor.iter().flat_map(|cursor| &cursor.fields).collect();
    let mut out = Vec::new();
    for field in &resource.fields {
        // an id that the system made up means nothing elsewhere; a number does
        let made_up = field.ty == Type::Id
            && field.reference.is_none()
            && (field.read_only || resource.key.contains(&field.name));
        let inner = resource.identity.as_ref().is_some_and(|identity| *identity == field.name);
        if !made_up && !inner && !skipped.contains(&&field.name) {
            add("", field, false, resource.writable, &mut out);
        }
    }
    out
}

fn likeness(one: &Leaf, two: &Leaf, context: &[BTreeSet<String>; 2]) -> u32 {
    let without: Vec<&BTreeSet<String>> = context.iter().collect();
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    let inside = |path: &str| path.rsplit_once('.').map(|(before, _)| before.to_owned());
    let best = match (inside(&one.path), inside(&two.path)) {
        // between two addresses the address tells as much as the city
        (Some(left), Some(right)) => {
            let objects = alike(&left, &right, &without);
            let members = alike(&last(&one.path), &last(&two.path), &without);
            if objects < FIELDS { 0 } else { objects.min(members) }
        }
        // `contact.email` and `email`
        (Some(_), None) | (None, Some(_)) => alike(&one.path, &two.path, &without)
            .max(alike(&last(&one.path), &last(&two.path), &without).saturating_sub(12)),
        (None, None) => {
            // what people read counts a little less than what programs read
            let with_label =
                |path: &str, label: Option<&str>| label.map_or(0, |label| alike(path, label, &without));
            let labels = one.label.map_or(0, |label| with_label(label, two.label));
            alike(&one.path, &two.path, &without)
                .max(with_label(&one.path, two.label).saturating_sub(1))
                .max(with_label(&two.path, one.label).saturating_sub(1))
                .max(labels.saturating_sub(3))
        }
    };
    if fit(one.ty, two.ty) == Fit::Never { best.saturating_sub(40) } else { best }
}

/// How two types go together.
#[derive(Clone, Debug, PartialEq)]
enum Fit {
    Same,
    Convert(&'static str),
    Values,
    Never,
}

fn fit(one: &Type, two: &Type) -> Fit {
    let is_text = |ty: &Type| matches!(ty, Type::Text | Type::Id);
    match (one, two) {
        (Type::Choice(left), Type::Choice(right)) if left == right => Fit::Same,
        (Type::Choice(_), Type::Choice(_)) => Fit::Values,
        (Type::Text, Type::Choice(_)) | (Type::Choice(_), Type::Text) => Fit::Same,
        (Type::Bool, Type::Bool) => Fit::Same,
        (Type::Bool, Type::Choice(_) | Type::Text) | (Type::Choice(_) | Type::Text, Type::Bool) => {
            Fit::Values
        }
        (Type::Integer, other) if is_text(other) => Fit::Convert("text"),
        (other, Type::Integer) if is_text(other) => Fit::Convert("integer"),
        (Type::Decimal, Type::Text) => Fit::Convert("text"),
        (Type::Text, Type::Decimal) => Fit::Convert("decimal"),
        (Type::Date, Type::Time) | (Type::Time, Type::Date) => Fit::Convert("date"),
        (Type::Integer, Type::Decimal) | (Type::Decimal, Type::Integer) => Fit::Same,
        (one, two) if is_text(one) && is_text(two) => Fit::Same,
        (one, two) if one == two => Fit::Same,
        _ => Fit::Never,
    }
}

fn row(one: &Leaf, two: &Leaf, score: u32, known: &[(String, String, String)]) -> Proposed {
    let mut made = Proposed {
        left: one.path.clone(),
        right: two.path.clone(),
        score,
        words: Vec::new(),
        note: String::new(),
        refused: None,
        writes: Both { left: one.writable, right: two.writable },
        unique: one.unique || two.unique,
        is_ref: one.reference.is_some() || two.reference.is_some(),
    };
    match (one.reference, two.reference) {
        (Some(left), Some(right)) => {
            match known.iter().find(|(one, two, _)| *one == left.resource && *two == right.resource) {
                Some((.., name)) => made.words.push(format!("ref: {name}")),
                None => made.refused = Some("the records they point to are no register here".to_owned()),
            }
            return made;
        }
        (Some(_), None) | (None, Some(_)) => {
            made.refused = Some("one of them holds the key of another record, the other is not said to (`ref` in its system file)".to_owned());
            return made;
        }
        (None, None) => {}
    }
    match fit(one.ty, two.ty) {
        Fit::Same => {}
        Fit::Convert(to) => {
            made.words.push(format!("convert: {to}"));
            made.note = format!("{} and {}", one.ty, two.ty);
        }
        Fit::Values => {
            made.words.push(values(one.ty, two.ty));
            made.refused = Some(format!("say what corresponds to what ({} and {})", one.ty, two.ty));
        }
        Fit::Never => made.refused = Some(format!("{} and {} do not go together", one.ty, two.ty)),
    }
    for (from, to, side) in [(one, two, two.writable), (two, one, one.writable)] {
        if let (Some(long), Some(short), true) = (from.max, to.max, side)
            && long > short
        {
            made.note = format!(
                "up to {long} characters go into {short}: `truncate: true`, or such records are set aside"
            );
        } else if let (Type::Text, None, Some(short), true) = (from.ty, from.max, to.max, side) {
            made.note = format!(
                "{} holds {short} characters: `truncate: true`, or longer ones are set aside",
                to.path
            );
        }
    }
    made
}

/// A code table to be filled in.
fn values(one: &Type, two: &Type) -> String {
    let lefts: Vec<String> = match one {
        Type::Bool => vec!["true".to_owned(), "false".to_owned()],
        Type::Choice(of) => of.to_vec(),
        _ => vec!["…".to_owned()],
    };
    let rights: Vec<String> = match two {
        Type::Bool => vec!["true".to_owned(), "false".to_owned()],
        Type::Choice(of) => of.to_vec(),
        _ => Vec::new(),
    };
    let pairs: Vec<String> = lefts
        .iter()
        .map(|left| {
            let same = rights.iter().find(|right| right.eq_ignore_ascii_case(left));
            format!("{left}: [{}]", same.map_or("…", String::as_str))
        })
        .collect();
    format!("values: {{ {} }}", pairs.join(", "))
}
