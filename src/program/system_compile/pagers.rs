//! Ways of paging: each kind with its own settings and no others.

use indexmap::IndexMap;

use super::findings::Findings;
use super::templates::{header_name, path, query};
use crate::diagnostic::{At, codes};
use crate::program::system::{NextLink, Pager, Paging};
use crate::spec::system as spec;

/// One answer holds all: what a list without a pager does.
pub(super) fn whole() -> Pager {
    Pager {
        kind: Paging::None,
        size: None,
        records: None,
        total: None,
        total_header: None,
        pages: None,
        capped: None,
    }
}

/// Compiles the pagers; a wrong one is there as [`whole`], so that its name is known.
pub(super) fn pagers(system: &spec::System, found: &mut Findings) -> IndexMap<String, Pager> {
    let mut pagers = IndexMap::new();
    for (name, written) in system.pagers.iter() {
        let compiled = pager(name, written, found).unwrap_or_else(whole);
        pagers.insert(name.value.clone(), compiled);
    }
    pagers
}

fn pager(name: &At<String>, written: &spec::Pager, found: &mut Findings) -> Option<Pager> {
    unused(name, written, found);
    let kind = paging(name, written, found);
    let total_header = total_header(written, found);
    Some(Pager {
        kind: kind?,
        size: size(name, written, found),
        records: written.records.as_ref().and_then(|text| path(text, found)),
        total: written.total.as_ref().and_then(|text| query(text, found)),
        total_header,
        pages: written.pages.as_ref().and_then(|text| query(text, found)),
        capped: written.capped.as_ref().and_then(|text| query(text, found)),
    })
}

/// The word for a kind, as it is written.
fn word(kind: spec::PagerKind) -> &'static str {
    match kind {
        spec::PagerKind::None => "none",
        spec::PagerKind::NextToken => "next_token",
        spec::PagerKind::Offset => "offset",
        spec::PagerKind::Page => "page",
        spec::PagerKind::Range => "range",
        spec::PagerKind::Link => "link",
        spec::PagerKind::AfterKey => "after_key",
    }
}

/// The kinds that heed how many records there are in all; what a `range` is a part of stands in its own header.
const TOTALS: &[spec::PagerKind] = &[
    spec::PagerKind::NextToken,
    spec::PagerKind::Offset,
    spec::PagerKind::Page,
    spec::PagerKind::Link,
    spec::PagerKind::AfterKey,
];

fn unused(name: &At<String>, written: &spec::Pager, found: &mut Findings) {
    use spec::PagerKind as Kind;
    let settings = [
        ("token", written.token.is_some(), &[Kind::NextToken][..]),
        ("offset", written.offset.is_some(), &[Kind::Offset]),
        ("page", written.page.is_some(), &[Kind::Page]),
        ("unit", written.unit.is_some(), &[Kind::Range]),
        ("next", written.next.is_some(), &[Kind::Link]),
        ("header", written.header.is_some(), &[Kind::Link]),
        ("after", written.after.is_some(), &[Kind::AfterKey]),
        (
            "size",
            written.size.is_some(),
            &[Kind::NextToken, Kind::Offset, Kind::Page, Kind::Range, Kind::Link, Kind::AfterKey],
        ),
        ("total", written.total.is_some(), TOTALS),
        ("total_header", written.total_header.is_some(), TOTALS),
        ("pages", written.pages.is_some(), &[Kind::Page]),
        ("capped", written.capped.is_some(), &[Kind::NextToken, Kind::Offset, Kind::Page]),
    ];
    for (setting, is_there, kinds) in settings {
        if is_there && !kinds.contains(&written.kind) {
            let of = kinds.iter().map(|kind| word(*kind)).collect::<Vec<_>>().join(", ");
            found.error_help(
                &codes::WORD_UNUSED,
                name.span,
                format!("a pager of kind {} does not use `{setting}`", word(written.kind)),
                format!("leave `{setting}` out; it belongs to {of}"),
            );
        }
    }
}

fn lacks(name: &At<String>, written: &spec::Pager, setting: &str, example: &str, found: &mut Findings) {
    found.error_help(
        &codes::WORD_MISSING,
        name.span,
        format!("a pager of kind {} needs `{setting}`", word(written.kind)),
        format!("for example `{example}`"),
    );
}

fn paging(name: &At<String>, written: &spec::Pager, found: &mut Findings) -> Option<Paging> {
    Some(match written.kind {
        spec::PagerKind::None => Paging::None,
        spec::PagerKind::NextToken => {
            let Some(token) = &written.token else {
                lacks(name, written, "token", "token: { param: pageToken, header: NextPageToken }", found);
                return None;
            };
            if token.header.is_some() == token.body.is_some() {
                found.error_help(
                    &codes::WORD_MISSING,
                    name.span,
                    "the next page's token comes from one place",
                    "say either the answer's `header` or the path in its `body`",
                );
                return None;
            }
            let body = match &token.body {
                Some(text) => Some(query(text, found)?),
                None => None,
            };
            Paging::NextToken { param: token.param.clone(), header: token.header.clone(), body }
        }
        spec::PagerKind::Offset => {
            let Some(offset) = &written.offset else {
                lacks(name, written, "offset", "offset: { param: firstRow }", found);
                return None;
            };
            if written.size.is_none() {
                lacks(name, written, "size", "size: { param: rowCount, value: 100 }", found);
            }
            Paging::Offset { param: offset.param.clone(), first: offset.first.unwrap_or(0) }
        }
        spec::PagerKind::Page => {
            let Some(page) = &written.page else {
                lacks(name, written, "page", "page: { param: pageNumber }", found);
                return None;
            };
            Paging::Page { param: page.param.clone(), first: page.first.unwrap_or(1) }
        }
        spec::PagerKind::Range => {
            let Some(size) = &written.size else {
                lacks(name, written, "size", "size: { value: 100 }", found);
                return None;
            };
            let unit = written.unit.clone().unwrap_or_else(|| "records".to_owned());
            Paging::Range { unit, size: size.value }
        }
        spec::PagerKind::Link => {
            let next = match (&written.next, &written.header) {
                (Some(next), None) => NextLink::Body(query(next, found)?),
                (None, Some(header)) if header.value.eq_ignore_ascii_case("link") => NextLink::Links,
                (None, Some(header)) => NextLink::Header(header_name(header, found)?),
                (None, None) => {
                    lacks(name, written, "next` or `header", "next: links.next` or `header: Link", found);
                    return None;
                }
                (Some(_), Some(header)) => {
                    found.error_help(
                        &codes::CONTRADICTION,
                        header.span,
                        "the next page's address comes from one place",
                        "say either the path in the answer's body, `next`, or its `header`",
                    );
                    return None;
                }
            };
            Paging::Link { next }
        }
        spec::PagerKind::AfterKey => {
            let Some(after) = &written.after else {
                lacks(name, written, "after", "after: afterId", found);
                return None;
            };
            Paging::AfterKey { param: after.clone() }
        }
    })
}

fn total_header(written: &spec::Pager, found: &mut Findings) -> Option<String> {
    let header = written.total_header.as_ref()?;
    if written.total.is_some() {
        found.error_help(
            &codes::CONTRADICTION,
            header.span,
            "the total number comes from one place",
            "say either the path in the answer's body, `total`, or `total_header`",
        );
    }
    header_name(header, found)
}

fn size(name: &At<String>, written: &spec::Pager, found: &mut Findings) -> Option<(String, u32)> {
    let size = written.size.as_ref()?;
    if size.value == 0 {
        let help = "write how many records a page has: `value: 100`";
        found.error_help(&codes::BAD_NUMBER, name.span, "a page of 0 records never comes to an end", help);
    }
    match (&size.param, written.kind) {
        (None, spec::PagerKind::Range) => None,
        (Some(param), spec::PagerKind::Range) => {
            let message = "a pager of kind range asks in the `Range` header, not in a parameter";
            let help = format!("leave `param: {param}` out");
            found.error_help(&codes::WORD_UNUSED, name.span, message, help);
            None
        }
        (Some(param), _) => Some((param.clone(), size.value)),
        (None, _) => {
            lacks(name, written, "size.param", "size: { param: rowCount, value: 100 }", found);
            None
        }
    }
}
