//! How far a document is: what its link holds in the state.
//!
//! Steps are known by their names, not by their places: a mapping that gains a step sends nothing again, and a document that came
//! to its end stays there.

use std::collections::BTreeMap;

use crate::program::document::Step;
use crate::value::{Map, Value};

/// More steps no document has.
const MOST_STEPS: usize = 1_000;

/// How far a document is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// The steps after the making that are done, in order, by [`names`].
    pub done: Vec<String>,
    /// It came to the end of its steps. One that is added to the mapping later is not for it.
    pub finished: bool,
    /// What the document was made from: of each field a hash of its value then.
    pub content: BTreeMap<String, String>,
    /// When the action of the step that is next was asked for (milliseconds since 1970).
    pub asked: Option<i64>,
    /// The files that are attached: what each is remembered by, and a hash of its content.
    pub files: BTreeMap<String, String>,
    /// It did not stand its check and is being taken back: why, and by which step.
    pub undo: Option<Undo>,
}

/// A document that is being taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// The step that said so, by its name; by its place in a state from before they had names.
    pub step: String,
    /// Why.
    pub reason: String,
    /// The record on the other side is known to be gone.
    pub deleted: bool,
    /// A hash of what it was made from, without what is compared: a corrected total changes nothing else.
    pub sent: Option<String>,
}

/// The names of steps: what each does, and its number where it is done more than once: `action release`, `write_back 2`.
pub fn names(steps: &[Step]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(steps.len());
    for step in steps {
        let name = match step {
            Step::Verify(_) | Step::WriteBack { .. } => step.word().to_owned(),
            Step::SetStatus(role) => format!("{} {role}", step.word()),
            Step::Action(of) => format!("{} {}", step.word(), of.action),
            Step::Attach(of) => {
                let files: Vec<&str> = of.files.iter().map(|(_, name)| name.as_str()).collect();
                format!("{} {}", step.word(), files.join(","))
            }
        };
        let before = names.iter().filter(|other| other.strip_prefix(&name).is_some_and(is_number)).count();
        names.push(if before == 0 { name } else { format!("{name} {}", before + 1) });
    }
    names
}

fn hashes(value: Option<&Value>) -> BTreeMap<String, String> {
    let all = value.and_then(Value::as_map).into_iter().flatten();
    all.filter_map(|(key, hash)| Some((key.clone(), hash.as_text()?.to_owned()))).collect()
}

fn is_number(rest: &str) -> bool {
    rest.is_empty() || rest.strip_prefix(' ').is_some_and(|digits| digits.parse::<usize>().is_ok())
}

impl Progress {
    /// A document that has just been made.
    pub fn made(steps: &[Step], content: BTreeMap<String, String>) -> Progress {
        Progress { content, finished: steps.is_empty(), ..Progress::default() }
    }

    /// A document that came to the end of its steps, as its status tells.
    pub fn at_end(steps: &[Step]) -> Progress {
        Progress { done: names(steps), finished: true, ..Progress::default() }
    }

    /// The place of the step that is next: after the last one that is done. None where it came to the end.
    pub fn next(&self, steps: &[Step]) -> Option<usize> {
        let last = names(steps).iter().rposition(|name| self.done.contains(name));
        // none of them stands in the mapping any more: as many are behind it as were done
        let next = last.map_or(self.done.len(), |last| last + 1);
        (!self.finished && next < steps.len()).then_some(next)
    }

    /// One more is done.
    pub fn step_done(&mut self, steps: &[Step], at: usize) {
        self.done.extend(names(steps).into_iter().nth(at));
        self.finished = at + 1 >= steps.len();
    }

    /// The fields that are not as they were when the document was made. Only what was looked at then and is looked at now can
    /// tell: a mapping that reads another field does not change the record.
    pub fn changed<'c>(&self, now: &'c BTreeMap<String, String>) -> Vec<&'c str> {
        let moved = |(field, hash): &(&'c String, &'c String)| {
            self.content.get(*field).is_some_and(|then| then != *hash)
        };
        now.iter().filter(moved).map(|(field, _)| field.as_str()).collect()
    }

    /// As the link holds it.
    pub fn of(base: &Value) -> Progress {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_text).map(str::to_owned);
        Progress {
            done: match base.get("done") {
                Some(Value::List(done)) => {
                    done.iter().filter_map(Value::as_text).map(str::to_owned).collect()
                }
                // a state from before they had names: so many
                Some(Value::Number(count)) => {
                    vec![String::new(); usize::try_from(*count).unwrap_or(0).min(MOST_STEPS)]
                }
                _ => Vec::new(),
            },
            finished: base.get("finished") == Some(&Value::Bool(true)),
            content: hashes(base.get("content")),
            asked: match base.get("asked") {
                Some(Value::Number(number)) => i64::try_from(*number).ok(),
                _ => None,
            },
            files: hashes(base.get("files")),
            undo: base.get("undo").map(|undo| Undo {
                step: undo.get("step").and_then(Value::scalar_text).unwrap_or_default(),
                reason: text(undo, "reason").unwrap_or_default(),
                deleted: undo.get("deleted") == Some(&Value::Bool(true)),
                sent: text(undo, "sent"),
            }),
        }
    }

    /// For the link.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert(
            "done".into(),
            Value::List(self.done.iter().map(|name| Value::text(name.clone())).collect()),
        );
        if self.finished {
            map.insert("finished".into(), Value::Bool(true));
        }
        if let Some(asked) = self.asked {
            map.insert("asked".into(), Value::from(asked));
        }
        for (name, hashes) in [("content", &self.content), ("files", &self.files)] {
            if !hashes.is_empty() {
                let hashes = hashes.iter().map(|(key, hash)| (key.clone(), Value::text(hash.clone())));
                map.insert(name.into(), Value::Map(hashes.collect()));
            }
        }
        if let Some(undo) = &self.undo {
            let mut told = Map::from([
                ("step".to_owned(), Value::text(undo.step.clone())),
                ("reason".to_owned(), Value::text(undo.reason.clone())),
                ("deleted".to_owned(), Value::Bool(undo.deleted)),
            ]);
            if let Some(sent) = &undo.sent {
                told.insert("sent".to_owned(), Value::text(sent.clone()));
            }
            map.insert("undo".into(), Value::Map(told));
        }
        Value::Map(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::document::ActionStep;
    use crate::value::Side;

    fn role(name: &str) -> Step {
        Step::SetStatus(name.to_owned())
    }

    fn action(name: &str) -> Step {
        Step::Action(ActionStep { side: Side::Right, action: name.to_owned(), when: None })
    }

    #[test]
    fn progress_survives_the_state() {
        let all = Progress {
            done: vec!["action release".into(), "set_status sent".into()],
            finished: true,
            content: [("total".to_owned(), "ab".to_owned())].into(),
            asked: Some(1_793_606_400_000),
            files: [("shop.files/7".to_owned(), "ab12".to_owned())].into(),
            undo: Some(Undo {
                step: "verify".into(),
                reason: "too far apart".into(),
                deleted: true,
                sent: Some("d".into()),
            }),
        };
        assert_eq!(Progress::of(&all.to_value()), all);
        assert_eq!(Progress::of(&Value::Null), Progress::default());
    }

    #[test]
    fn only_what_was_looked_at_before_can_have_changed() {
        let of = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(field, hash)| ((*field).to_owned(), (*hash).to_owned())).collect()
        };
        let made = Progress::made(&[], of(&[("date", "1"), ("rows[].price", "2")]));
        assert!(made.changed(&of(&[("date", "1"), ("rows[].price", "2"), ("total", "3")])).is_empty());
        assert!(made.changed(&of(&[("date", "1")])).is_empty());
        assert_eq!(made.changed(&of(&[("date", "9"), ("rows[].price", "2")])), ["date"]);
    }

    #[test]
    fn a_state_with_a_number_of_steps_is_understood() {
        let steps = [action("release"), role("sent")];
        let of = |json: &str| Progress::of(&crate::value::from_json_str(json).unwrap());
        assert_eq!(of(r#"{"done": 0}"#).next(&steps), Some(0));
        assert_eq!(of(r#"{"done": 1, "content": "ab"}"#).next(&steps), Some(1));
        assert_eq!(of(r#"{"done": 2}"#).next(&steps), None);
        let undo =
            of(r#"{"done": 1, "undo": {"step": 1, "reason": "too far apart", "deleted": false}}"#).undo;
        assert_eq!(undo.unwrap().step, "1");
    }

    #[test]
    fn steps_have_names_of_their_own() {
        let steps = [role("sent"), action("release"), role("sent"), role("paid"), role("sent")];
        let wanted = [
            "set_status sent",
            "action release",
            "set_status sent 2",
            "set_status paid",
            "set_status sent 3",
        ];
        assert_eq!(names(&steps), wanted);
    }

    #[test]
    fn a_step_that_is_added_later_moves_nothing_back() {
        let before = [action("release"), role("sent")];
        let mut progress = Progress::made(&before, BTreeMap::new());
        assert_eq!(progress.next(&before), Some(0));
        progress.step_done(&before, 0);
        assert_eq!(progress.next(&before), Some(1));
        // in front of what is done: not for this one; behind it: it comes
        assert_eq!(progress.next(&[action("check"), action("release"), role("sent")]), Some(2));
        assert_eq!(progress.next(&[action("release"), action("mail"), role("sent")]), Some(1));
        // its name is gone: as many are behind it
        assert_eq!(progress.next(&[action("post"), role("sent")]), Some(1));
        progress.step_done(&before, 1);
        assert_eq!(progress.next(&before), None);
        for more in [
            [action("release"), role("sent"), action("mail")],
            [role("new"), action("release"), role("sent")],
        ] {
            assert_eq!(progress.next(&more), None);
        }
        assert_eq!(Progress::made(&[], BTreeMap::new()).next(&before), None);
    }
}
