//! The one record that a run is about (`--record`): found as a person names it, decided in any case, and told as a whole.

use std::sync::Arc;

use super::decider::Decider;
use super::explain;
use super::report::{Event, Traced, TracedField};
use super::{Engine, RunError};
use crate::plan::{Action, Change};
use crate::store::{RecordRef, Result as StoreResult, Store};
use crate::value::{Both, Side};

/// The record that a run is about, as it stands on each side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Its register, or its document.
    pub register: String,
    /// The side that it was found on; of a linked pair, the left one.
    pub side: Side,
    /// The record there, and the one that it is linked with.
    pub ends: Both<Option<RecordRef>>,
}

impl Named {
    /// Whether a record is this one, or the one that it is linked with.
    pub(super) fn is(&self, register: &str, side: Side, at: &RecordRef) -> bool {
        self.register == register && self.ends[side].as_ref() == Some(at)
    }

    fn at(&self) -> Option<&RecordRef> {
        self.ends[self.side].as_ref()
    }
}

impl Engine {
    /// Finds the record that this run is about, among the registers or among the documents, as soon as they are read. It goes on
    /// the work list: it is decided, whatever the list says.
    ///
    /// # Errors
    /// There is none that is called so, or more than one.
    pub(super) async fn name_record(&self, decider: &mut Decider, documents: bool) -> Result<(), RunError> {
        let Some(wanted) = self.options.record.clone() else { return Ok(()) };
        let Some(register) = self.program.register(&wanted.register).map(Arc::clone) else { return Ok(()) };
        if register.is_document != documents || !self.chosen(&register.name) {
            return Ok(());
        }
        // those that match each other are one
        self.index_register(decider, &register).await?;
        let of = decider.clone();
        let asked = wanted.told(&self.program);
        let found = self
            .store
            .call(move |store| {
                let (side, at) = match explain::one(&of, store, &register, &wanted)? {
                    Ok(found) => found,
                    Err(reason) => return Ok(Err(reason)),
                };
                let mut ends = Both::default();
                ends[side] = Some(at.clone());
                if let Some(link) = store.link(&register.name, side, &at)? {
                    ends = Both { left: Some(link.left), right: Some(link.right) };
                }
                for side in Side::BOTH {
                    if let Some(at) = &ends[side] {
                        store.mark_dirty(side, &at.resource, Some(&at.id))?;
                    }
                }
                Ok(Ok(Named { register: register.name.clone(), side, ends }))
            })
            .await?;
        match found {
            Ok(named) => {
                *self.named.borrow_mut() = Some(named.clone());
                decider.named = Some(named);
                Ok(())
            }
            Err(reason) => Err(RunError::Refused {
                reasons: vec![format!("--record {asked}: {reason}")],
                bad_input: true,
            }),
        }
    }

    /// Tells what was found of the record that this run is about, and what is planned with it.
    pub(super) async fn trace(&self, decider: &Decider) -> Result<(), RunError> {
        let Some(named) = self.named.borrow().clone() else { return Ok(()) };
        let Some(at) = named.at().cloned() else { return Ok(()) };
        let mut decider = decider.clone();
        decider.named = Some(named.clone());
        let traced = self
            .store
            .read(move |store| {
                let change = planned(store, &named)?;
                let (held, decided) = explain::held(&decider, store, &named.register, named.side, &at)?;
                Ok(Traced::new(held, change.or(decided), &decider.program))
            })
            .await?;
        self.report.borrow_mut().record = Some(traced.0.clone());
        self.tell(Event::Record(Box::new(traced)));
        Ok(())
    }

    /// How many pairs a run looks at, and how many of them its plan does not touch: of one record only, where it is about one.
    pub(super) async fn pairs_and_unchanged(&self, name: &str) -> Result<(u64, u64), RunError> {
        let (name, named) = (name.to_owned(), self.named.borrow().clone());
        Ok(self
            .store
            .read(move |store| match &named {
                Some(named) => {
                    let pairs = count_link(store, named)?;
                    Ok((pairs, if planned(store, named)?.is_some() { 0 } else { pairs }))
                }
                None => super::pairs_and_unchanged(store, &name),
            })
            .await?)
    }

    /// How many pairs that this run looks at are linked now.
    pub(super) async fn pairs(&self, name: &str) -> Result<u64, RunError> {
        let (name, named) = (name.to_owned(), self.named.borrow().clone());
        Ok(self
            .store
            .read(move |store| match &named {
                Some(named) => count_link(store, named),
                None => store.count_links(&name),
            })
            .await?)
    }
}

fn count_link(store: &dyn Store, named: &Named) -> StoreResult<u64> {
    let Some(at) = named.at() else { return Ok(0) };
    Ok(u64::from(store.link(&named.register, named.side, at)?.is_some()))
}

/// What is planned with the record.
fn planned(store: &dyn Store, named: &Named) -> StoreResult<Option<Change>> {
    for side in Side::BOTH {
        if let Some(at) = &named.ends[side]
            && let Some(row) = store.change_of(&named.register, side, at)?
        {
            return Ok(serde_json::from_str(&row.change).ok());
        }
    }
    Ok(None)
}

impl Traced {
    /// What is told of a record, with the change that was decided.
    fn new(
        mut held: explain::Held,
        change: Option<Change>,
        program: &crate::program::mapping::Program,
    ) -> (Traced, Option<Change>) {
        let goes = matches!(held.at, explain::HeldAt::Next | explain::HeldAt::OnDemand);
        match change.as_ref().map(|change| &change.action) {
            // what the run itself found in its way
            Some(Action::Wait { reason }) if goes => {
                (held.at, held.reason) = (explain::HeldAt::Waits, reason.clone());
            }
            Some(
                Action::Create { .. }
                | Action::Link
                | Action::Update
                | Action::Delete { .. }
                | Action::Unlink,
            ) if goes => {
                (held.at, held.reason) =
                    (explain::HeldAt::Next, "nothing holds it: it goes with this run".to_owned());
            }
            _ => {}
        }
        let fields = Side::BOTH.into_iter().flat_map(|side| {
            let name = &program.sides[side].name;
            change.iter().flat_map(move |change| &change.fields[side]).map(move |field| {
                let shown = |text: String| if field.sensitive { "•••".to_owned() } else { text };
                TracedField {
                    field: format!("{name}.{}", field.path),
                    old: shown(field.old.to_string()),
                    new: shown(field.new.to_string()),
                    reason: field.reason.clone(),
                    place: field.origin.clone(),
                }
            })
        });
        let traced = Traced {
            fields: fields.collect(),
            action: change.as_ref().map_or("unchanged", |change| change.action.name()).to_owned(),
            notes: change.iter().flat_map(|change| &change.notes).map(|note| note.text.clone()).collect(),
            held,
        };
        (traced, change)
    }
}
