//! The schema of what happens to a document: its steps, what is followed, what is put side by side.

use serde_json::{Map, Value, json};

use super::documents::Looked;
use super::{Own, one_of, one_or_many};
use crate::cli::schema::fields::Records;
use crate::spec::reconcile::ReconcileSide;
use crate::value::{Both, Side};

impl Own<'_> {
    pub(super) fn step(&mut self, looked: &Looked) -> Value {
        let (role, sides, expression) = (looked.role.clone(), self.sides(), self.expression());
        let fields = Both::of(|side| self.field(&looked.ends[side]));
        let pair = json!({ "propertyNames": sides, "properties": self.at_sides(&fields) });
        let mut back = Vec::new();
        for step in looked.document.words.steps.iter() {
            if let crate::spec::documents::Step::WriteBack(step) = step {
                back.extend(step.fields.iter().cloned());
            }
        }
        let rows = self.rows(&looked.ends, &back);
        let actions = Both::of(|side| {
            let resources = self.its_resources(looked, side).into_iter();
            one_of(resources.flat_map(|one| one.actions.keys().cloned()))
        });
        let keys = self.words_and_sides(&["when"]);
        let mut action = self.at_sides(&actions);
        action.insert("when".into(), expression.clone());
        let files = json!({ "enum": self.files(looked) });
        let to: Vec<Value> = Side::BOTH
            .into_iter()
            .map(|side| self.field(&looked.ends[side].under(&self.opened.names[side])))
            .chain([sides.clone()])
            .collect();
        json!({ "properties": {
            "verify": { "properties": {
                "equal": pair,
                "same": pair,
                "else": { "properties": { "set_status": role } }
            } },
            "write_back": { "properties": { "fields": rows, "set_status": role } },
            "set_status": role,
            "action": { "propertyNames": keys, "properties": action },
            "attach": { "properties": {
                "files": one_or_many(&files),
                "to": { "anyOf": to },
                "when": expression
            } }
        } })
    }

    pub(super) fn follow(&mut self, looked: &Looked) -> Value {
        let Some(follow) = &looked.document.words.follow else { return json!(true) };
        let (role, expression) = (looked.role.clone(), self.expression());
        let later = looked.later(self);
        let rows = self.rows(&later, &follow.write);
        json!({ "properties": {
            "when": expression,
            "while": one_or_many(&role),
            "moves": { "items": { "properties": { "to": role, "when": expression } } },
            "refused": { "properties": { "when": expression } },
            "write": rows
        } })
    }

    pub(super) fn reconcile(&mut self, looked: &Looked) -> Value {
        let opened = self.opened;
        let Some(reconcile) = &looked.document.words.reconcile else { return json!(true) };
        let later = looked.later(self);
        let mut properties = Map::new();
        for (key, told) in &reconcile.sides {
            let Some(side) = Side::BOTH.into_iter().find(|side| opened.names[*side] == key.value) else {
                continue;
            };
            let ours = looked.ends[side].clone().and(later[side].clone());
            properties.insert(key.value.clone(), self.amounts(looked, side, &ours, told));
        }
        let keys = self.words_and_sides(&["tolerance", "sign"]);
        json!({ "propertyNames": keys, "properties": properties })
    }

    fn amounts(&mut self, looked: &Looked, side: Side, ours: &Records, told: &ReconcileSide) -> Value {
        let opened = self.opened;
        let over = self.over(ours, &[]);
        let listed = told.rows.as_ref().and_then(|rows| rows.of.as_ref()).or_else(|| {
            let rows = looked.document.words.rows.0.iter().flat_map(|rows| &rows.sides);
            rows.into_iter().find(|(key, _)| key.value == opened.names[side]).map(|(_, list)| list)
        });
        let row = listed.map(|list| ours.below(&list.value)).unwrap_or_default();
        let of_rates = told.rates.as_ref().map(|rates| ours.below(&rates.of.value)).unwrap_or_default();
        let (row, rate) = (self.over(&row, &[]), self.over(&of_rates, &[]));
        json!({ "properties": {
            "total": over,
            "net": over,
            "currency": over,
            "date": over,
            "rows": { "properties": { "of": over, "net": row, "rate": row, "vat": row } },
            "rates": { "properties": { "of": over, "rate": rate, "net": rate, "vat": rate } }
        } })
    }
}
