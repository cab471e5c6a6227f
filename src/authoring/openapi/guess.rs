//! What a document does not say but its names suggest: paging, changes, keys.

use serde_json::Value;

use super::document::{Operation, Param};
use super::resource::Built;
use super::schema::{Field, Kind};
use crate::authoring::text::scalar;
use crate::authoring::words::{plain, words};

/// A guess: what is written, and what was seen and is to be checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Guess {
    pub text: String,
    pub note: String,
}

const TOKEN: &[&str] = &[
    "pagetoken",
    "cursor",
    "after",
    "continuationtoken",
    "continuation",
    "nexttoken",
    "nextpagetoken",
    "skiptoken",
    "startingafter",
    "nextcursor",
    "pagecursor",
];
const TOKEN_IN_BODY: &[&str] = &[
    "nextpagetoken",
    "nextcursor",
    "nexttoken",
    "continuationtoken",
    "continuation",
    "pagetoken",
    "cursor",
    "next",
    "after",
    "endcursor",
    "skiptoken",
];
const PAGE: &[&str] = &["page", "pagenumber", "pageno", "pagenr", "pageindex", "pagenum", "currentpage"];
const OFFSET: &[&str] = &[
    "offset",
    "skip",
    "start",
    "startindex",
    "firstrow",
    "skiprecords",
    "startat",
    "from",
    "startrow",
    "recordoffset",
];
const SIZE: &[&str] = &[
    "pagesize",
    "perpage",
    "limit",
    "rowcount",
    "size",
    "top",
    "take",
    "maxresults",
    "numbertoread",
    "itemsperpage",
    "pagelimit",
    "count",
    "maxrecords",
    "resultsperpage",
];
const LINK: &[&str] = &["next", "nextlink", "odatanextlink", "nexturl", "nextpage", "nextpageurl", "href"];
const RECORDS: &[&str] = &[
    "items", "data", "value", "values", "results", "records", "content", "list", "rows", "entries",
    "elements",
];
const TOTAL: &[&str] =
    &["total", "totalcount", "totalrecords", "totalitems", "totalelements", "totalresults", "recordcount"];

/// Where the records of a list are in its answer: their path and fields; `None` where it holds no list.
pub(super) fn records(answer: &Kind, resource: &str) -> Option<(Option<String>, Vec<Field>)> {
    if let Kind::List(fields) = answer {
        return Some((None, fields.clone()));
    }
    let lists = flat(answer, 2)
        .into_iter()
        .filter_map(|(path, field)| match &field.kind {
            Kind::List(fields) => Some((path, field.name.clone(), fields.clone())),
            _ => None,
        })
        .collect::<Vec<_>>();
    let rank = |name: &str| {
        let name = plain(name);
        let own = plain(resource);
        if name == own || name == format!("{own}s") || name.starts_with(&own) {
            return 0;
        }
        RECORDS.iter().position(|known| *known == name).map_or(100, |at| at + 1)
    };
    let best = lists.iter().min_by_key(|(path, name, _)| (rank(name), path.len()))?;
    // a list among other fields, by a name that says nothing, is part of a record
    if rank(&best.1) == 100 && answer.members().iter().filter(|one| one.kind.is_scalar()).count() > 3 {
        return None;
    }
    Some((Some(best.0.clone()), best.2.clone()))
}

/// Fields and members of objects with their paths.
fn flat(kind: &Kind, depth: usize) -> Vec<(String, &Field)> {
    let mut out = Vec::new();
    for field in kind.members() {
        out.push((super::write::path_of(&field.name), field));
        if depth > 0 {
            for (path, member) in flat(&field.kind, depth - 1) {
                out.push((format!("{}.{path}", super::write::path_of(&field.name)), member));
            }
        }
    }
    out
}

fn find<'p, 'd>(operation: &'p Operation<'d>, names: &[&str]) -> Option<&'p Param<'d>> {
    let of = |deprecated: bool| {
        names.iter().find_map(|name| {
            operation.params.iter().find(|param| {
                param.place == "query" && param.deprecated == deprecated && plain(param.name) == *name
            })
        })
    };
    of(false).or_else(|| of(true))
}

/// The size that is asked for, as `size: …`, and why.
fn size(param: &Param) -> (String, String) {
    let number = |name: &str| param.schema.get(name).and_then(Value::as_u64).filter(|n| *n > 0);
    let (value, why) = match (number("maximum"), number("default")) {
        (Some(most), _) => (most.min(1000), format!("{} may be at most {most}", param.name)),
        (None, Some(usual)) => {
            (usual.min(1000), format!("{} is {usual} by default; the most is not documented", param.name))
        }
        (None, None) => (100, format!("how large {} may be is not documented", param.name)),
    };
    (format!("size: {{ param: {}, value: {value} }}", scalar(param.name)), why)
}

/// How a list is read page by page.
pub(super) fn pager(list: &Operation, answer: &Kind, records: Option<&str>) -> Guess {
    let sized = find(list, SIZE).map(size);
    let members = flat(answer, 2);
    let with = |kind: &str, own: String, seen: String| {
        let mut parts = vec![format!("kind: {kind}"), own];
        let mut note = seen;
        if let Some((size, why)) = &sized {
            parts.push(size.clone());
            note = format!("{note}; {why}");
        }
        if let Some(records) = records {
            parts.push(format!("records: {}", scalar(records)));
        }
        let total = members
            .iter()
            .find(|(_, field)| field.kind == Kind::Integer && TOTAL.contains(&plain(&field.name).as_str()));
        let told = |name: &&str| TOTAL.contains(&plain(name).trim_start_matches('x'));
        match (total, list.headers.iter().copied().find(told)) {
            (Some((path, _)), _) => parts.push(format!("total: {}", scalar(path))),
            (None, Some(name)) => parts.push(format!("total_header: {}", scalar(name))),
            (None, None) => {}
        }
        Guess { text: format!("{{ {} }}", parts.join(", ")), note }
    };
    let token = find(list, TOKEN);
    if let Some(param) = token {
        let header = list.headers.iter().find(|name| {
            let name = plain(name);
            name.contains("next") || name.contains("continuation") || name.contains("cursor")
        });
        let body = members.iter().find(|(path, field)| {
            field.kind == Kind::Text
                && records != Some(path)
                && TOKEN_IN_BODY.contains(&plain(&field.name).as_str())
        });
        let source = match (header, body) {
            (Some(header), _) => Some((format!("header: {}", scalar(header)), format!("header {header}"))),
            (None, Some((path, _))) => {
                Some((format!("body: {}", scalar(path)), format!("`{path}` in the answer")))
            }
            (None, None) => None,
        };
        if let Some((from, seen)) = source {
            let own = format!("token: {{ param: {}, {from} }}", scalar(param.name));
            return with("next_token", own, format!("seen: query parameter {}, {seen}", param.name));
        }
    }
    if let (Some(page), Some(_)) = (find(list, PAGE), &sized) {
        let zero = plain(page.name).ends_with("index")
            || ["minimum", "default"]
                .iter()
                .any(|word| page.schema.get(word).and_then(Value::as_u64) == Some(0));
        let first = u8::from(!zero);
        let own = format!("page: {{ param: {}, first: {first} }}", scalar(page.name));
        return with("page", own, format!("seen: query parameter {}; is the first page {first}?", page.name));
    }
    if let (Some(offset), Some(_)) = (find(list, OFFSET), &sized) {
        let own = format!("offset: {{ param: {} }}", scalar(offset.name));
        return with("offset", own, format!("seen: query parameter {}", offset.name));
    }
    let link = members
        .iter()
        .find(|(_, field)| field.kind == Kind::Text && LINK.contains(&plain(&field.name).as_str()));
    if let (Some((path, _)), true) = (link, find(list, &["page"]).is_none() || records.is_some()) {
        return with("link", format!("next: {}", scalar(path)), format!("seen: `{path}` in the answer"));
    }
    let header = list.headers.iter().find(|name| {
        let name = plain(name);
        name == "link" || LINK.contains(&name.as_str())
    });
    if let Some(header) = header {
        return with("link", format!("header: {}", scalar(header)), format!("seen: header {header}"));
    }
    if let Some(page) = find(list, PAGE) {
        // pages of a size that nobody can choose
        return with(
            "page",
            format!("page: {{ param: {}, first: 1 }}", scalar(page.name)),
            format!("seen: query parameter {}", page.name),
        );
    }
    let records = records.map(|path| format!(", records: {}", scalar(path))).unwrap_or_default();
    let note = match (token, &sized) {
        (Some(param), _) => format!(
            "query parameter {} asks for a page, but nothing says where the next one's token comes from: only the first page is read until this is `kind: next_token`",
            param.name
        ),
        (None, Some((size, _))) => {
            format!("seen: {size}, but nothing that asks for the next page: is everything in one answer?")
        }
        (None, None) => "no paging parameter was seen: is everything in one answer?".to_owned(),
    };
    Guess { text: format!("{{ kind: none{records} }}"), note }
}

/// How changed records are asked for.
pub(super) fn cursor(list: &Operation, fields: &[Field]) -> Option<Result<Guess, String>> {
    let param = list.params.iter().find(|param| param.place == "query" && asks_for_changes(param.name))?;
    let changed = |field: &&Field| {
        let name = plain(&field.name);
        matches!(field.kind, Kind::Time | Kind::Date)
            && !field.write_only
            && ["chang", "modif", "updat"].iter().any(|word| name.contains(word))
    };
    let created = |field: &&Field| {
        matches!(field.kind, Kind::Time | Kind::Date)
            && !field.write_only
            && plain(&field.name).contains("creat")
    };
    let Some(field) = fields.iter().find(changed) else {
        return Some(Err(format!(
            "query parameter {} asks for changes, but no field says when a record changed",
            param.name
        )));
    };
    let mut names = vec![super::write::name_of(&field.name)];
    if field.nullable {
        names.extend(fields.iter().find(created).map(|field| super::write::name_of(&field.name)));
    }
    let list_of = match &names[..] {
        [one] => scalar(one),
        more => format!("[{}]", more.iter().map(|one| scalar(one)).collect::<Vec<_>>().join(", ")),
    };
    let condition = format!("{}condition", plain(param.name));
    let with = list.params.iter().find(|other| plain(other.name) == condition);
    let with = with.map(|other| format!(", with: {{ {}: \">=\" }}", scalar(other.name))).unwrap_or_default();
    Some(Ok(Guess {
        text: format!("{{ param: {}{with}, field: {list_of} }}", scalar(param.name)),
        note: format!(
            "seen: query parameter {}; does it hold what changed at that very moment too?",
            param.name
        ),
    }))
}

fn asks_for_changes(name: &str) -> bool {
    let name = plain(name);
    let about_changes = ["chang", "modif", "updat"].iter().any(|word| name.contains(word));
    let from = ["since", "after", "from", "gt", "gte", "start", "min"].iter().any(|end| name.ends_with(end));
    let last = name.starts_with("last")
        && ["time", "date", "on", "at", "modified", "changed", "updated"]
            .iter()
            .any(|end| name.ends_with(end));
    name == "since" || (about_changes && (from || last))
}

/// The field by which one record is addressed, and whether the document says so.
pub(super) fn key(fields: &[Field], param: Option<&str>, resource: &str) -> Option<(usize, bool)> {
    let usable = |field: &Field| {
        !field.write_only && matches!(field.kind, Kind::Text | Kind::Id | Kind::Integer | Kind::Choice(_))
    };
    let by_name =
        |wanted: &str| fields.iter().position(|field| usable(field) && plain(&field.name) == wanted);
    let by_number = |wanted: &str| {
        let wanted = number_word(wanted);
        fields.iter().position(|field| usable(field) && number_word(&plain(&field.name)) == wanted)
    };
    let own = plain(resource);
    if let Some(param) = param {
        let param = plain(param);
        let rest = param.strip_prefix(&own).filter(|rest| !rest.is_empty());
        let said =
            by_name(&param).or_else(|| rest.and_then(by_name)).or_else(|| by_name(&format!("{own}{param}")));
        if let Some(at) = said {
            return Some((at, true));
        }
        // `customerCd`, `orderNbr` and `orderNo` are numbers
        if let Some(at) = by_number(&param).or_else(|| rest.and_then(by_number)) {
            return Some((at, false));
        }
    }
    let known =
        ["id", "guid", "uuid", "key", "number", "code", "referencenumber", "documentnumber", "refnumber"];
    let names =
        known.iter().map(|word| (*word).to_owned()).chain(known.iter().map(|word| format!("{own}{word}")));
    if let Some(at) = names.into_iter().find_map(|name| by_name(&name).or_else(|| by_number(&name))) {
        return Some((at, false));
    }
    // the only field that is called like something that identifies
    let mut left = fields.iter().enumerate().filter(|(_, field)| {
        let words = words(&field.name);
        let last = words.last().map(String::as_str).unwrap_or_default();
        !plain(&field.name).starts_with("page")
            && usable(field)
            && ["id", "guid", "uuid", "number", "nbr", "code", "key", "cd"].contains(&last)
    });
    match (left.next(), left.next()) {
        (Some((at, _)), None) => Some((at, false)),
        _ => None,
    }
}

/// A name whose end says that it is a number, with one word for it.
fn number_word(name: &str) -> String {
    let end = ["nbr", "number", "num", "code", "cd", "nr", "no"].iter().find(|end| name.ends_with(**end));
    end.map_or_else(|| name.to_owned(), |end| format!("{}number", &name[..name.len() - end.len()]))
}

/// Gives equal pagers one name, and the name to every list.
pub(super) fn share_pagers(built: &mut [Built]) -> Vec<(String, Guess)> {
    let mut pagers: Vec<(String, Guess)> = Vec::new();
    for resource in built {
        let Some(guess) = &resource.pager else { continue };
        if let Some((name, _)) = pagers.iter().find(|(_, known)| known.text == guess.text) {
            resource.pager_name = name.clone();
            continue;
        }
        let kind = ["next_token", "page", "offset", "link"]
            .into_iter()
            .find(|kind| guess.text.contains(&format!("kind: {kind},")))
            .unwrap_or("none");
        let base = match kind {
            "next_token" => "tokens",
            "page" => "pages",
            "offset" => "rows",
            "link" => "links",
            _ => "whole",
        };
        let name = (1..)
            .map(|n| if n == 1 { base.to_owned() } else { format!("{base}_{n}") })
            .find(|name| pagers.iter().all(|(known, _)| known != name))
            .unwrap_or_else(|| base.to_owned());
        pagers.push((name.clone(), guess.clone()));
        resource.pager_name = name;
    }
    pagers
}
