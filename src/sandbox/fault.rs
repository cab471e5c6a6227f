//! When which fault happens: rules from text, counted and drawn from a seed.

use std::time::Duration;

use super::catalogue::{Argument, FAULTS, Fault};
use crate::program::system::CallKind;

/// What a rule can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// A call of a resource.
    Call(CallKind),
    /// The call that gives tokens.
    Token,
    /// The read that says which company this is.
    Whoami,
}

/// The words for what a rule can be about.
const CALLS: &[(&str, On)] = &[
    ("list", On::Call(CallKind::List)),
    ("get", On::Call(CallKind::Get)),
    ("create", On::Call(CallKind::Create)),
    ("update", On::Call(CallKind::Update)),
    ("delete", On::Call(CallKind::Delete)),
    ("action", On::Call(CallKind::Action)),
    ("file", On::Call(CallKind::File)),
    ("attach", On::Call(CallKind::Attach)),
    ("token", On::Token),
    ("whoami", On::Whoami),
];

/// A fault that happens now, with what was written after its `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub fault: Fault,
    pub value: Option<String>,
}

impl Hit {
    /// The time that was written, or the fault's own.
    pub(super) fn pause(&self, default: Duration) -> Duration {
        self.value.as_deref().and_then(duration).unwrap_or(default)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    All,
    Nth(u64),
    Percent(u64),
}

#[derive(Clone, Debug)]
struct Rule {
    hit: Hit,
    on: Option<On>,
    resource: Option<String>,
    which: Which,
    seen: u64,
}

impl Rule {
    fn parse(text: &str) -> Result<Rule, String> {
        let mut parts = text.split(':');
        let first = parts.next().unwrap_or_default();
        let (name, value) = match first.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (first, None),
        };
        let fault = named(name)?;
        check(name, fault, value.as_deref())?;
        let mut part = || parts.next().filter(|part| *part != "*" && !part.is_empty());
        let on = match part() {
            None => None,
            Some(word) => {
                Some(CALLS.iter().find(|(known, _)| *known == word).map(|(_, on)| *on).ok_or_else(|| {
                    format!("`{word}` is no call: list, get, create, update, delete, action, file, attach, token or whoami")
                })?)
            }
        };
        let resource = part().map(str::to_owned);
        let which = part().map_or(Ok(Which::All), which)?;
        if let Some(more) = parts.next() {
            return Err(format!("`{more}` is too much: NAME:CALL:RESOURCE:WHICH"));
        }
        if let (Some(On::Token | On::Whoami), Some(resource)) = (on, &resource) {
            return Err(format!("`{resource}` is too much: this call is of no resource, write `*`"));
        }
        Ok(Rule { hit: Hit { fault, value }, on, resource, which, seen: 0 })
    }
}

/// When which fault happens.
#[derive(Clone, Debug)]
pub struct Faults {
    rules: Vec<Rule>,
    random: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Faults::seeded(1)
    }
}

impl Faults {
    /// No faults yet; rules with a percentage draw from this seed: the same seed, the same faults.
    pub fn seeded(seed: u64) -> Faults {
        // a generator of this kind must not stand at zero
        Faults { rules: Vec::new(), random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    /// Every fault there is: its name, itself, one line for people.
    pub fn catalogue() -> &'static [(&'static str, Fault, &'static str)] {
        FAULTS
    }

    /// Takes all rules away.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// Adds a rule: `NAME[=VALUE][:CALL[:RESOURCE[:WHICH]]]`. A call is `list`, `get`, `create`, `update`,
    /// `delete`, `action`, `file`, `attach`, `token` or `whoami`; which is `3` for the third fitting request or `10%` for some of them; `*`
    /// is any. `timeout_after_commit:create:customer:3`, `too_many=date:list`, `slow=2s:*:*:10%`.
    ///
    /// # Errors
    /// What is wrong with it, and what it can be.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        self.rules.push(Rule::parse(text)?);
        Ok(())
    }

    /// The resource that a rule names.
    ///
    /// # Errors
    /// As [`Faults::add`].
    pub(super) fn resource_of(text: &str) -> Result<Option<String>, String> {
        Rule::parse(text).map(|rule| rule.resource)
    }

    /// The fault of this request, if there is one. Every rule counts, the first that fits happens.
    pub(super) fn next(&mut self, on: On, resource: Option<&str>) -> Option<Hit> {
        let mut found = None;
        for rule in &mut self.rules {
            let fits = match rule.on {
                Some(wanted) => wanted == on,
                // who asks for any call means calls of resources
                None => matches!(on, On::Call(_)),
            };
            if !fits || rule.resource.is_some() && rule.resource.as_deref() != resource {
                continue;
            }
            rule.seen += 1;
            let now = match rule.which {
                Which::All => true,
                Which::Nth(nth) => nth == rule.seen,
                Which::Percent(percent) => draw(&mut self.random) % 100 < percent,
            };
            if now && found.is_none() {
                found = Some(rule.hit.clone());
            }
        }
        found
    }
}

fn named(name: &str) -> Result<Fault, String> {
    if let Some((_, fault, _)) = FAULTS.iter().find(|(known, ..)| *known == name) {
        return Ok(*fault);
    }
    let names = || FAULTS.iter().map(|(known, ..)| *known);
    let help = match crate::diagnostic::suggest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it can be {}", names().collect::<Vec<_>>().join(", ")),
    };
    Err(format!("there is no fault `{name}`: {help}"))
}

fn check(name: &str, fault: Fault, value: Option<&str>) -> Result<(), String> {
    let Some(value) = value else { return Ok(()) };
    match fault.argument() {
        Argument::None => Err(format!("`{name}` has no value: leave out `={value}`")),
        Argument::RetryAfter => Ok(()),
        Argument::Pause if duration(value).is_some() => Ok(()),
        Argument::Pause => Err(format!("`{value}` is no time: write `{name}=2s`")),
        Argument::Late if value.parse::<u64>().is_ok() || duration(value).is_some() => Ok(()),
        Argument::Late => Err(format!(
            "`{value}` is neither a number of requests nor a time: write `{name}=3` or `{name}=60s`"
        )),
    }
}

fn which(text: &str) -> Result<Which, String> {
    let wrong = || format!("`{text}` is neither a number nor a percentage: `3` is the third, `10%` are some");
    match text.strip_suffix('%') {
        Some(percent) => match percent.parse() {
            Ok(percent) if percent <= 100 => Ok(Which::Percent(percent)),
            _ => Err(wrong()),
        },
        None => match text.parse() {
            Ok(nth) if nth > 0 => Ok(Which::Nth(nth)),
            _ => Err(wrong()),
        },
    }
}

/// `2s`, `500ms`, `1m 30s`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok()
}

/// xorshift64*: enough for dice, and the same everywhere.
fn draw(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happens(faults: &mut Faults, call: CallKind, resource: &str) -> Option<Fault> {
        faults.next(On::Call(call), Some(resource)).map(|hit| hit.fault)
    }

    #[test]
    fn the_nth_of_the_fitting_requests() {
        let mut faults = Faults::default();
        faults.add("html:create:customer:2").unwrap();
        assert_eq!(happens(&mut faults, CallKind::Create, "item"), None);
        assert_eq!(happens(&mut faults, CallKind::Create, "customer"), None);
        assert_eq!(happens(&mut faults, CallKind::Create, "customer"), Some(Fault::Html));
        assert_eq!(happens(&mut faults, CallKind::Create, "customer"), None);
    }

    #[test]
    fn tokens_fail_only_where_they_are_named() {
        let mut faults = Faults::default();
        faults.add("error_before").unwrap();
        assert_eq!(faults.next(On::Token, None), None);
        faults.add("too_many=date:token").unwrap();
        let hit = Hit { fault: Fault::TooMany, value: Some("date".into()) };
        assert_eq!(faults.next(On::Token, None), Some(hit));
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let run = |seed| {
            let mut faults = Faults::seeded(seed);
            faults.add("close_after:create:*:25%").unwrap();
            (0..400).map(|_| happens(&mut faults, CallKind::Create, "item").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).into_iter().filter(|hit| *hit).count();
        assert!((60..140).contains(&hits), "{hits} of 400 at 25%");
    }

    #[test]
    fn every_name_can_be_written() {
        for (name, fault, text) in Faults::catalogue() {
            let mut faults = Faults::default();
            faults.add(&format!("{name}:list")).unwrap();
            assert_eq!(happens(&mut faults, CallKind::List, "item"), Some(*fault), "{name}: {text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |text: &str| Faults::default().add(text).unwrap_err();
        assert_eq!(wrong("htm"), "there is no fault `htm`: did you mean `html`?");
        assert_eq!(
            wrong("html:make"),
            "`make` is no call: list, get, create, update, delete, action, file, attach, token or whoami"
        );
        assert_eq!(
            wrong("html:*:*:0"),
            "`0` is neither a number nor a percentage: `3` is the third, `10%` are some"
        );
        assert_eq!(
            wrong("html:*:*:120%"),
            "`120%` is neither a number nor a percentage: `3` is the third, `10%` are some"
        );
        assert_eq!(wrong("html=3"), "`html` has no value: leave out `=3`");
        assert_eq!(wrong("slow=long"), "`long` is no time: write `slow=2s`");
        assert_eq!(
            wrong("late_arrival=soon"),
            "`soon` is neither a number of requests nor a time: write `late_arrival=3` or `late_arrival=60s`"
        );
        assert_eq!(wrong("html:token:item"), "`item` is too much: this call is of no resource, write `*`");
        assert_eq!(wrong("html:list:item:1:2"), "`2` is too much: NAME:CALL:RESOURCE:WHICH");
    }
}
