//! What is read beside the records: who we are, and the singletons and keyed records that expressions use.

use super::{Engine, RunError};
use crate::http::Outgoing;
use crate::program::system::{CallKind, ErrorClass};
use crate::value::{Both, Map, Side, Value};
use crate::wire;

/// The name of the fact that holds a side's fingerprint.
pub fn fingerprint_fact(side: Side) -> String {
    format!("whoami:{side}")
}

impl Engine {
    /// Another company behind the same connection, or an anonymous answer, is refused (`decisions` 7).
    pub(super) async fn same_company(&self) -> Result<(), RunError> {
        for side in Side::BOTH {
            let system = &self.program.sides[side].system;
            let Some(whoami) = &system.whoami else { continue };
            let name = &self.program.sides[side].name;
            let outgoing = Outgoing {
                method: "GET".into(),
                path: whoami.get.clone(),
                query: self.clients[side].query(&whoami.query)?,
                headers: Vec::new(),
                body: None,
                file: None,
                embedded: Vec::new(),
                call: CallKind::Get,
                resource: "whoami".into(),
            };
            let refused = |reason: String| RunError::Refused { reasons: vec![reason], bad_input: true };
            let reply = self.clients[side].read(&outgoing).await.map_err(|error| match error.class {
                ErrorClass::NotAllowed => {
                    refused(format!("{name}: {error}. Check the credentials in the connection"))
                }
                _ => RunError::from(error),
            })?;
            let body = reply.body.unwrap_or_default();
            let mut parts = Vec::new();
            for field in &whoami.fields {
                match field.first(&body).filter(|value| !value.is_empty()) {
                    Some(value) => parts.push(value.canonical().to_json()),
                    None => {
                        return Err(refused(format!(
                            "{name} does not say who we are (`{field}` is missing in the answer of {}): are the credentials right?",
                            whoami.get
                        )));
                    }
                }
            }
            let fingerprint = parts.join(" ");
            let fact = fingerprint_fact(side);
            let key = fact.clone();
            let before = self.store.read(move |store| store.fact(&key)).await?;
            match before {
                Some(before) if before != fingerprint => {
                    return Err(refused(format!(
                        "{name} is another company than before: it was {before}, it is {fingerprint}. Use another connection (each has its own state)"
                    )));
                }
                Some(_) => {}
                None => self.store.call(move |store| store.set_fact(&fact, Some(&fingerprint))).await?,
            }
        }
        Ok(())
    }

    /// Reads the singletons and keyed records that expressions use.
    pub(super) async fn read_facts(&self) -> Result<Both<Value>, RunError> {
        let mut facts: Both<Value> = Both::of(|_| Value::Map(Map::new()));
        for fact in &self.program.facts {
            let side = fact.side;
            let system = &self.program.sides[side].system;
            let Some(resource) = system.resources.get(&fact.resource) else { continue };
            let outgoing = match (&fact.key, &resource.list, &resource.get) {
                (Some(key), _, Some(_)) => {
                    let mut record = Value::Map(Map::new());
                    if let Some(field) = resource.key.first() {
                        field.set(&mut record, Value::text(key.clone()));
                    }
                    wire::get(system, resource, &record).ok()
                }
                (None, _, Some(_)) => wire::get(system, resource, &Value::Map(Map::new())).ok(),
                _ => None,
            };
            let found = match outgoing {
                Some(outgoing) => match self.clients[side].read(&outgoing).await {
                    Ok(reply) => reply.body.as_ref().and_then(|body| wire::record_in_get(resource, body)),
                    // what is not there, or not switched on, reads as nothing: the check that asks says so
                    Err(error) if matches!(error.class, ErrorClass::Gone | ErrorClass::FeatureMissing) => {
                        if error.class == ErrorClass::FeatureMissing {
                            self.note(
                                "feature_missing",
                                format!("{}: {error}", self.program.sides[side].name),
                            );
                        }
                        None
                    }
                    Err(error) => return Err(error.into()),
                },
                None => self.listed_fact(side, resource, fact.key.as_deref()).await?,
            };
            let record = match found.filter(|found| !self.is_removed(side, resource, found)) {
                Some(found) => wire::decode(system, resource, None, &found, &*self.lookups.borrow()[side])
                    .map_err(|problem| RunError::failed(format!("{}: {problem}", resource.name)))?,
                None => Value::Null,
            };
            if let Value::Map(map) = &mut facts[side] {
                match &fact.key {
                    None => {
                        map.insert(fact.resource.clone(), record);
                    }
                    Some(key) => {
                        if let Value::Map(table) =
                            map.entry(fact.resource.clone()).or_insert_with(|| Value::Map(Map::new()))
                        {
                            table.insert(key.clone(), record);
                        }
                    }
                }
            }
        }
        Ok(facts)
    }

    /// A fact of a resource that can only be listed.
    async fn listed_fact(
        &self,
        side: Side,
        resource: &std::sync::Arc<crate::program::system::Resource>,
        key: Option<&str>,
    ) -> Result<Option<Value>, RunError> {
        let mut pages = crate::http::Pages::new(&self.clients[side], resource, Vec::new(), None)?;
        let system = &self.program.sides[side].system;
        while let Some(page) = pages.next().await? {
            for record in page.records.into_iter().filter(|record| !self.is_removed(side, resource, record)) {
                let Some(key) = key else { return Ok(Some(record)) };
                if let Ok(data) = wire::decode(system, resource, None, &record, &*self.lookups.borrow()[side])
                    && resource.key_of(&data).as_deref() == Some(key)
                {
                    return Ok(Some(record));
                }
            }
        }
        Ok(None)
    }
}
