//! What can be wrong with an expression, before a run and during one.

use std::fmt;
use std::ops::Range;

/// Something wrong in the source of an expression or template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprProblem {
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The place, as a byte range of the source text.
    pub range: Range<usize>,
}

impl ExprProblem {
    pub(crate) fn new(message: impl Into<String>, range: Range<usize>) -> ExprProblem {
        ExprProblem { message: message.into(), help: None, range }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> ExprProblem {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for ExprProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// Why an evaluation gave no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvalError {
    /// The limit of steps was reached.
    OutOfFuel,
    /// A text grew beyond the limit.
    TooLarge,
    /// A value did not fit what was to be done with it.
    Failed(String),
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvalError::OutOfFuel => {
                write!(f, "the expression took more than {} steps; make it simpler", super::FUEL)
            }
            EvalError::TooLarge => write!(
                f,
                "the expression made a text of more than {} KiB; shorten it with `| truncate(n)`",
                super::MAX_OUTPUT / 1024
            ),
            EvalError::Failed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for EvalError {}

/// The known name nearest to a misspelt one, if one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    let folded = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Help for an unknown name: the nearest one, else a few of the known ones.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    const SHOWN: usize = 8;
    if let Some(near) = nearest(name, known.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let mut names = known.clone().take(SHOWN).collect::<Vec<_>>();
    if names.is_empty() {
        return None;
    }
    if known.count() > SHOWN {
        names.push("…");
    }
    Some(format!("known here: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(nearest("adress", ["city", "address"]), Some("address"));
        assert_eq!(nearest("Number", ["number"]), Some("number"));
        assert_eq!(nearest("street", ["city", "address"]), None);
        assert_eq!(did_you_mean("zip", ["city", "name"].into_iter()).unwrap(), "known here: city, name");
    }

    #[test]
    fn limits_have_their_own_words() {
        assert_eq!(
            EvalError::OutOfFuel.to_string(),
            "the expression took more than 50000 steps; make it simpler"
        );
        assert_eq!(
            EvalError::TooLarge.to_string(),
            "the expression made a text of more than 64 KiB; shorten it with `| truncate(n)`"
        );
    }
}
