//! Faults on request: what networks and servers do (reliability, part 6).

use crate::program::system::CallKind;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It takes effect, but no answer comes (F01).
    TimeoutAfterCommit,
    /// It does not take effect, and no answer comes (F01).
    TimeoutBefore,
    /// The connection is closed before anything is done (F03).
    CloseBefore,
    /// The connection is closed after everything is done (F03).
    CloseAfter,
    /// Nobody listens (F25).
    Refused,
    /// The answer is cut in half (F04).
    CutBody,
    /// A page of a website instead of an answer; it took effect (F05).
    Html,
    /// 200 with nothing in it; it took effect (F05).
    Empty,
    /// 429 with `Retry-After: 1` (F06).
    TooMany,
    /// 503 with `Retry-After: 1` (F06).
    Unavailable,
    /// 500 before it takes effect (F07).
    ErrorBefore,
    /// 500 after it took effect (F07).
    ErrorAfter,
    /// 502 of a gateway after it took effect (F07).
    GatewayAfter,
    /// The token is not valid any more (F09).
    ExpiredToken,
    /// A page comes twice (F10).
    DuplicatePage,
    /// There is always one more page (F10).
    EndlessPages,
    /// 412: somebody changed it meanwhile (F12).
    Changed,
}

/// Every fault with its name and one line.
pub const FAULTS: &[(&str, Fault, &str)] = &[
    ("timeout_after_commit", Fault::TimeoutAfterCommit, "it takes effect, but no answer comes"),
    ("timeout_before", Fault::TimeoutBefore, "it does not take effect, and no answer comes"),
    ("close_before", Fault::CloseBefore, "the connection is closed before anything is done"),
    ("close_after", Fault::CloseAfter, "the connection is closed after everything is done"),
    ("refused", Fault::Refused, "nobody listens"),
    ("cut_body", Fault::CutBody, "the answer is cut in half; it took effect"),
    ("html", Fault::Html, "a page of a website instead of an answer; it took effect"),
    ("empty", Fault::Empty, "200 with nothing in it; it took effect"),
    ("too_many", Fault::TooMany, "429 with Retry-After"),
    ("unavailable", Fault::Unavailable, "503 with Retry-After"),
    ("error_before", Fault::ErrorBefore, "500 before it takes effect"),
    ("error_after", Fault::ErrorAfter, "500 after it took effect"),
    ("gateway_after", Fault::GatewayAfter, "502 after it took effect"),
    ("expired_token", Fault::ExpiredToken, "the token is not valid any more"),
    ("duplicate_page", Fault::DuplicatePage, "a page comes twice"),
    ("endless_pages", Fault::EndlessPages, "there is always one more page"),
    ("changed", Fault::Changed, "412: somebody changed it meanwhile"),
];

impl Fault {
    /// Whether the request takes effect all the same.
    pub fn takes_effect(self) -> bool {
        !matches!(
            self,
            Fault::TimeoutBefore
                | Fault::CloseBefore
                | Fault::Refused
                | Fault::TooMany
                | Fault::Unavailable
                | Fault::ErrorBefore
                | Fault::ExpiredToken
                | Fault::Changed
        )
    }
}

#[derive(Clone, Debug)]
struct Rule {
    fault: Fault,
    call: Option<CallKind>,
    resource: Option<String>,
    /// Which of the fitting requests; none: all of them.
    nth: Option<u64>,
    seen: u64,
}

/// When which fault happens.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rules: Vec<Rule>,
}

impl Faults {
    /// Adds a rule: `NAME[:CALL[:RESOURCE[:NTH]]]`, `*` for any, `timeout_after_commit:create:customer:3`.
    ///
    /// # Errors
    /// What is wrong with it, and what it can be.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let Some((_, fault, _)) = FAULTS.iter().find(|(known, ..)| *known == name) else {
            let near = crate::diagnostic::suggest(name, FAULTS.iter().map(|(known, ..)| *known));
            let help = near.map_or_else(
                || {
                    format!(
                        "it can be {}",
                        FAULTS.iter().map(|(known, ..)| *known).collect::<Vec<_>>().join(", ")
                    )
                },
                |near| format!("did you mean `{near}`?"),
            );
            return Err(format!("there is no fault `{name}`: {help}"));
        };
        let mut part = || parts.next().filter(|part| *part != "*" && !part.is_empty());
        let call = match part() {
            None => None,
            Some("list") => Some(CallKind::List),
            Some("get") => Some(CallKind::Get),
            Some("create") => Some(CallKind::Create),
            Some("update") => Some(CallKind::Update),
            Some("delete") => Some(CallKind::Delete),
            Some(other) => return Err(format!("`{other}` is no call: list, get, create, update or delete")),
        };
        let resource = part().map(str::to_owned);
        let nth = match part() {
            None => None,
            Some(text) => Some(
                text.parse().map_err(|_| format!("`{text}` is no number: the third is `3`, all are `*`"))?,
            ),
        };
        self.rules.push(Rule { fault: *fault, call, resource, nth, seen: 0 });
        Ok(())
    }

    /// The fault of this request, if there is one.
    pub fn next(&mut self, call: CallKind, resource: &str) -> Option<Fault> {
        let mut found = None;
        for rule in &mut self.rules {
            if rule.call.is_some_and(|one| one != call)
                || rule.resource.as_deref().is_some_and(|one| one != resource)
            {
                continue;
            }
            rule.seen += 1;
            if found.is_none() && rule.nth.is_none_or(|nth| nth == rule.seen) {
                found = Some(rule.fault);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_of_the_fitting_requests() {
        let mut faults = Faults::default();
        faults.add("html:create:customer:2").unwrap();
        assert_eq!(faults.next(CallKind::Create, "item"), None);
        assert_eq!(faults.next(CallKind::Create, "customer"), None);
        assert_eq!(faults.next(CallKind::Create, "customer"), Some(Fault::Html));
        assert_eq!(faults.next(CallKind::Create, "customer"), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let mut faults = Faults::default();
        assert_eq!(faults.add("htm").unwrap_err(), "there is no fault `htm`: did you mean `html`?");
        assert_eq!(
            faults.add("html:make").unwrap_err(),
            "`make` is no call: list, get, create, update or delete"
        );
    }
}
