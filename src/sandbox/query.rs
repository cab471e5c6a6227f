//! The query of a request, of which everything must be understood.

use crate::http::WireRequest;
use crate::program::expr::Template;
use crate::value::{Map, Value};

/// What of a query is not understood yet.
pub(super) struct Query {
    rest: Vec<(String, String)>,
}

impl Query {
    /// The query of a request.
    ///
    /// # Errors
    /// Where a read has a body.
    pub(super) fn of(request: &WireRequest) -> Result<Query, String> {
        if matches!(request.method.as_str(), "GET" | "DELETE")
            && request.body.as_ref().is_some_and(|body| !body.is_empty())
        {
            return Err(format!("a {} has no body", request.method));
        }
        let rest =
            request.url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        Ok(Query { rest })
    }

    /// Without what stands in the path template already.
    pub(super) fn without(mut self, taken: &[String]) -> Query {
        for name in taken {
            self.take(name);
        }
        self
    }

    /// Takes the value of a parameter.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.rest.iter().position(|(one, _)| one == name)?;
        Some(self.rest.remove(at).1)
    }

    /// Takes what is always sent.
    ///
    /// # Errors
    /// The parameter that is missing.
    pub(super) fn constants(&mut self, declared: &[(String, Template)]) -> Result<(), String> {
        let nothing = Value::Map(Map::from([("credentials".to_owned(), Value::Map(Map::new()))]));
        for (name, template) in declared {
            let value = template.render(&nothing).unwrap_or_default();
            self.constant(name, &value)
                .map_err(|()| format!("the parameter {name}={value} is missing or has another value"))?;
        }
        Ok(())
    }

    /// Takes what must stand beside a parameter.
    ///
    /// # Errors
    /// The parameter that is missing.
    pub(super) fn beside(&mut self, of: &str, with: &[(String, String)]) -> Result<(), String> {
        for (name, value) in with {
            self.constant(name, value).map_err(|()| format!("{of} needs {name}={value} beside it"))?;
        }
        Ok(())
    }

    fn constant(&mut self, name: &str, value: &str) -> Result<(), ()> {
        let at = self.rest.iter().position(|(one, other)| one == name && other == value).ok_or(())?;
        self.rest.remove(at);
        Ok(())
    }

    /// Whether everything was understood.
    ///
    /// # Errors
    /// The first parameter that was not.
    pub(super) fn nothing_left(&self) -> Result<(), String> {
        match self.rest.first() {
            Some((name, _)) => Err(format!("the parameter {name} is not known")),
            None => Ok(()),
        }
    }
}
