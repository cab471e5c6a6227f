//! The header `Link` (RFC 8288 section 3): which of its links leads to the next page.

/// The address of the first link with the relation `next`; none where there is no such link.
///
/// A link with an `anchor` is about another page than this one, and is passed over.
///
/// # Errors
/// Where a header is not made as the RFC says: what is wrong with it, and where.
pub(super) fn next<'h>(headers: impl Iterator<Item = &'h str>) -> Result<Option<String>, String> {
    for header in headers {
        let mut rest = Rest(header);
        loop {
            rest.skip(|c| c == ',' || blank(c));
            if rest.0.is_empty() {
                break;
            }
            let (address, is_next) = rest.link()?;
            if is_next {
                return Ok(Some(address.to_owned()));
            }
        }
    }
    Ok(None)
}

/// What of a header is not read yet.
struct Rest<'h>(&'h str);

fn blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

impl<'h> Rest<'h> {
    fn skip(&mut self, these: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(these);
    }

    fn take(&mut self, c: char) -> bool {
        let rest = self.0.strip_prefix(c);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn wrong<T>(&self, what: &str) -> Result<T, String> {
        let shown: String = self.0.chars().take(40).collect();
        Err(format!("{what} at {shown:?}"))
    }

    /// One link: its address, and whether it leads to the next page.
    fn link(&mut self) -> Result<(&'h str, bool), String> {
        let Some(inside) = self.0.strip_prefix('<') else {
            return self.wrong("has no address in `<` and `>`");
        };
        let Some((address, rest)) = inside.split_once('>') else {
            return self.wrong("has an address without an end");
        };
        self.0 = rest;
        let (mut relations, mut is_elsewhere) = (None, false);
        loop {
            self.skip(blank);
            if self.0.is_empty() || self.0.starts_with(',') {
                break;
            }
            if !self.take(';') {
                return self.wrong("has no `;` before a parameter");
            }
            self.skip(blank);
            let name = self.token(&[';', ',', '=']);
            self.skip(blank);
            let value = match self.take('=') {
                true => self.value()?,
                false => String::new(),
            };
            match name {
                // only the first one counts
                _ if name.eq_ignore_ascii_case("rel") => {
                    relations.get_or_insert(value);
                }
                _ if name.eq_ignore_ascii_case("anchor") => is_elsewhere = true,
                _ => {}
            }
        }
        let is_next = relations
            .is_some_and(|all| all.split(blank).any(|relation| relation.eq_ignore_ascii_case("next")));
        Ok((address.trim(), is_next && !is_elsewhere))
    }

    fn token(&mut self, ends: &[char]) -> &'h str {
        let end = self.0.find(|c: char| blank(c) || ends.contains(&c)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        token
    }

    /// The value of a parameter: a token, or a quoted string, in which a backslash hides what comes after it.
    fn value(&mut self) -> Result<String, String> {
        self.skip(blank);
        let Some(inside) = self.0.strip_prefix('"') else {
            return Ok(self.token(&[';', ',']).to_owned());
        };
        let mut value = String::new();
        let mut chars = inside.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.0 = &inside[at + 1..];
                    return Ok(value);
                }
                '\\' => value.extend(chars.next().map(|(_, c)| c)),
                c => value.push(c),
            }
        }
        self.wrong("has a quoted text without an end")
    }
}

#[cfg(test)]
mod tests {
    fn next(headers: &[&str]) -> Result<Option<String>, String> {
        super::next(headers.iter().copied())
    }

    #[test]
    fn the_next_page_is_found_among_links() {
        for (header, address) in [
            ("</a?page=2>; rel=\"next\"", Some("/a?page=2")),
            ("<x>;rel=next", Some("x")),
            ("<x> ; REL = Next ; title=a", Some("x")),
            ("<a>; rel=prev, <b,c>; rel=\"last NEXT\" , <d>; rel=next", Some("b,c")),
            (r#"<a>; title="<b>; rel=next, \"x"; rel="prev", <c;d>; rel="next""#, Some("c;d")),
            (",, <a>; rel=next,", Some("a")),
            ("<>; rel=next", Some("")),
            ("<a>; rel=prev; rel=next", None),
            ("<a>; rel=nextpage, <b>; title=next, <c>", None),
            ("<a>; rel=next; anchor=\"#part\", <b>; rel=first", None),
            ("<a>; crossorigin; rel=next", Some("a")),
            ("", None),
        ] {
            assert_eq!(next(&[header]), Ok(address.map(str::to_owned)), "{header}");
        }
        assert_eq!(next(&["<a>; rel=prev", "<b>; rel=next"]), Ok(Some("b".into())));
        assert_eq!(next(&[]), Ok(None));
    }

    #[test]
    fn what_is_no_link_is_said() {
        for (header, problem) in [
            ("/a?page=2", "has no address in `<` and `>` at \"/a?page=2\""),
            ("<a; rel=next", "has an address without an end at \"<a; rel=next\""),
            ("<a> rel=next", "has no `;` before a parameter at \"rel=next\""),
            ("<a>; rel=\"next", "has a quoted text without an end at \"\\\"next\""),
        ] {
            assert_eq!(next(&[header]), Err(problem.into()), "{header}");
        }
    }
}
