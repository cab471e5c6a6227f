//! The schema of one document of a mapping: its sides, its flow, its rows.

use serde_json::{Map, Value, json};

use super::{Own, one_of, one_or_many};
use crate::cli::schema::fields::Records;
use crate::program::system::Resource;
use crate::spec::documents::{DOCUMENT_WORDS, Document, DocumentSide, StatusFlow};
use crate::value::{Both, Side};

/// What the parts of one document share.
pub(super) struct Looked<'d> {
    pub document: &'d Document,
    /// The side it comes from; none where a setting says it.
    pub source: Option<Side>,
    /// The records of either side, or the items of `each`.
    pub ends: Both<Records>,
    /// Their resources.
    pub resources: Both<Vec<String>>,
    /// The roles of its flow.
    pub role: Value,
}

impl Looked<'_> {
    /// The records of the side that is written to, or of both where that is not known.
    pub fn target(&self) -> Records {
        match self.source {
            Some(source) => self.ends[source.other()].clone(),
            None => self.ends.left.clone().and(self.ends.right.clone()),
        }
    }

    /// What the record on the other side is later: what it has become.
    pub fn later(&self, own: &Own) -> Both<Records> {
        let becomes = self.document.words.becomes.as_ref();
        let (Some(becomes), Some(source)) = (becomes, self.source) else { return self.ends.clone() };
        let target = source.other();
        let mut later = self.ends.clone();
        later[target] = own.records(target, Some(&becomes.resource.value), &[]);
        later
    }
}

impl Own<'_> {
    pub(super) fn document(&mut self, name: &str, document: &Document) -> Value {
        let opened = self.opened;
        let words = &document.words;
        let sources: Vec<Side> = Side::BOTH
            .into_iter()
            .filter(|side| {
                let text = words.direction.as_ref().map(|text| text.value.as_str()).unwrap_or_default();
                text.split_once("->").is_some_and(|(from, _)| from.trim() == opened.names[*side])
            })
            .collect();
        let none = DocumentSide::default();
        let sides = Both::of(|side| {
            let found = document.sides.iter().find(|(key, _)| key.value == opened.names[side]);
            found.map_or(&none, |(_, end)| end)
        });
        let whole = Both::of(|side| {
            let many: Vec<&str> = sides[side].one_of.keys().collect();
            self.records(side, sides[side].resource.as_ref().map(|name| name.value.as_str()), &many)
        });
        let ends = Both::of(|side| match &sides[side].each {
            Some(list) => whole[side].items(&list.value),
            None => whole[side].clone(),
        });
        let role = match &words.status_flow {
            Some(flow) => {
                let sequence = flow.sequence.iter().map(|one| one.role.value.as_str());
                let roles = one_of(flow.roles.keys().chain(sequence));
                self.define(&format!("role.{name}"), roles)
            }
            // without a flow there is no role
            None => json!({ "type": "null" }),
        };
        let looked = Looked {
            document,
            source: sources.first().copied(),
            resources: Both::of(|side| whole[side].resources.clone()),
            ends,
            role,
        };
        let of_sides = Both::of(|side| self.document_side(&looked, side, sides[side], &whole[side]));
        let mut properties = self.at_sides(&of_sides);
        let (side, expression) = (self.sides(), self.expression());
        let find = self.field(&looked.target());
        let rows = self.rows(&looked.ends, &words.fields);
        let mut more = json!({
            "when": expression,
            "direction": self.direction(),
            "valid": { "items": { "properties": { "of": side, "that": expression } } },
            "find_again": one_or_many(&find),
            "becomes": self.becomes(&looked),
            "fields": rows,
            "file": self.file(&looked),
            "embed": self.embed(&looked),
            "rows": self.row_tables(&looked),
            "refused": { "properties": { "set_status": looked.role } },
            "steps": { "items": self.step(&looked) },
            "follow": self.follow(&looked),
            "reconcile": self.reconcile(&looked)
        });
        if let (Some(flow), Some(more)) = (&words.status_flow, more.as_object_mut()) {
            more.insert("status_flow".into(), self.status_flow(&looked, flow));
        }
        properties.extend(more.as_object().cloned().unwrap_or_default());
        let keys = self.words_and_sides(DOCUMENT_WORDS);
        self.define(&format!("document.{name}"), json!({ "propertyNames": keys, "properties": properties }))
    }

    fn document_side(&mut self, looked: &Looked, side: Side, end: &DocumentSide, whole: &Records) -> Value {
        let opened = self.opened;
        let ours = &looked.ends[side];
        let resources = self.resources(side);
        let by = self.field_or_none(&looked.ends[side.other()].under(&opened.names[side.other()]));
        let each = self.field_or_none(whole);
        let related = self.related(side, end, ours);
        let scope = self.over(ours, &[]);
        let take = match looked.document.words.status_flow {
            Some(_) => {
                let role = looked.role.clone();
                self.over(ours, &[role])
            }
            None => scope.clone(),
        };
        json!({ "properties": {
            "resource": resources,
            "one_of": { "propertyNames": resources },
            "by": by,
            "each": each,
            "take": take,
            "scope": scope,
            "related": related
        } })
    }

    fn related(&mut self, side: Side, end: &DocumentSide, ours: &Records) -> Value {
        let opened = self.opened;
        let (sides, expression) = (self.sides(), self.expression());
        // a record is found by fields of ours, or of one that is named before
        let mut mine = vec![self.field(ours)];
        let mut properties = Map::new();
        for (name, words) in end.related.iter() {
            let there = words.side.as_ref().map_or(Some(side), |text| {
                Side::BOTH.into_iter().find(|one| opened.names[*one] == text.value)
            });
            let Some(there) = there else { continue };
            let theirs = self.records(there, Some(&words.resource.value), &[]);
            let pairs = self.by_field(&theirs, &json!({ "anyOf": mine }));
            let resources = self.resources(there);
            properties.insert(
                name.value.clone(),
                json!({ "properties": { "in": sides, "resource": resources, "where": pairs, "when": expression } }),
            );
            mine.push(self.field(&theirs.under(&format!("related.{name}"))));
        }
        let any = json!({ "anyOf": [self.resources(Side::Left), self.resources(Side::Right)] });
        json!({
            "properties": properties,
            "additionalProperties": { "properties": { "in": sides, "resource": any } }
        })
    }

    fn becomes(&mut self, looked: &Looked) -> Value {
        let (Some(becomes), Some(source)) = (&looked.document.words.becomes, looked.source) else {
            return json!(true);
        };
        let theirs = self.records(source.other(), Some(&becomes.resource.value), &[]);
        let ours = self.field(&looked.ends[source]);
        let pairs = self.by_field(&theirs, &ours);
        let resources = self.resources(source.other());
        json!({ "properties": { "resource": resources, "where": pairs } })
    }

    /// The resources of a side of a document.
    pub(super) fn its_resources(&self, looked: &Looked, side: Side) -> Vec<&Resource> {
        looked.resources[side].iter().filter_map(|name| self.resource(side, name).map(|one| &**one)).collect()
    }

    /// `shop.pdf`: the files of either side.
    pub(super) fn files(&self, looked: &Looked) -> Vec<String> {
        let names = &self.opened.names;
        let mut out = Vec::new();
        for side in Side::BOTH {
            let files = self.its_resources(looked, side).into_iter().flat_map(|one| one.files.keys());
            out.extend(files.map(|file| format!("{}.{file}", names[side])));
        }
        out.sort();
        out.dedup();
        out
    }

    fn file(&mut self, looked: &Looked) -> Value {
        one_of(self.files(looked))
    }

    /// The files of the source, and the list of the other side that holds them.
    fn embed(&mut self, looked: &Looked) -> Value {
        let sides = self.sides();
        let Some(source) = looked.source else { return json!({ "propertyNames": sides }) };
        let files: Vec<String> = self
            .its_resources(looked, source)
            .into_iter()
            .flat_map(|one| one.files.keys().cloned())
            .collect();
        let list = self.field(&looked.ends[source.other()]);
        let mut at = Both { left: list.clone(), right: list };
        at[source] = one_of(files);
        json!({ "propertyNames": sides, "properties": self.at_sides(&at) })
    }

    /// The files of the rows, which are records of their own, and the list of a row that holds them.
    fn embed_of_rows(&mut self, looked: &Looked, items: &Both<Records>) -> Value {
        let sides = self.sides();
        let Some(source) = looked.source else { return json!({ "propertyNames": sides }) };
        let opened = self.opened;
        let lists = looked.document.words.rows.0.iter().flat_map(|rows| &rows.sides);
        let lists: Vec<&str> = lists
            .filter(|(key, _)| key.value == opened.names[source])
            .map(|(_, list)| list.value.as_str())
            .collect();
        let mut files = Vec::new();
        for resource in self.its_resources(looked, source) {
            let pivots = lists.iter().filter_map(|list| resource.field(list)?.pivot.as_ref());
            let owners = pivots.filter_map(|pivot| self.resource(source, &pivot.resource));
            files.extend(owners.flat_map(|owner| owner.files.keys().cloned()));
        }
        let list = self.field(&items[source.other()]);
        let mut at = Both { left: list.clone(), right: list };
        at[source] = one_of(files);
        json!({ "propertyNames": sides, "properties": self.at_sides(&at) })
    }

    /// One table of rows or many: each may name the lists of any of them.
    fn row_tables(&mut self, looked: &Looked) -> Value {
        let opened = self.opened;
        let tables = &looked.document.words.rows.0;
        let mut items = Both::<Records>::default();
        for rows in tables {
            let listed = Both::of(|side| {
                let list = rows.sides.iter().find(|(key, _)| key.value == opened.names[side]);
                list.map(|(_, list)| match looked.source {
                    Some(source) if source != side => looked.ends[side].below(&list.value),
                    _ => looked.ends[side].rows(&list.value),
                })
                .unwrap_or_default()
            });
            for side in Side::BOTH {
                items[side] = std::mem::take(&mut items[side]).and(listed[side].clone());
            }
        }
        let lists = Both::of(|side| self.field(&looked.ends[side]));
        let mut properties = self.at_sides(&lists);
        let expression = self.expression();
        let order = match looked.source {
            Some(source) => self.field_or_none(&items[source]),
            None => json!(true),
        };
        for rows in tables {
            self.rows(&items, &rows.words.fields);
        }
        let row = self.own_row(&items);
        let embed = self.embed_of_rows(looked, &items);
        let words = json!({
            "order": order,
            "scope": expression,
            "embed": embed,
            "fields": { "items": row }
        });
        properties.extend(words.as_object().cloned().unwrap_or_default());
        let keys = self.words_and_sides(&["order", "scope", "embed", "fields"]);
        let one = json!({ "propertyNames": keys, "properties": properties });
        // what says of maps says nothing of lists, and the other way round
        json!({ "allOf": [one, { "items": one }] })
    }

    fn status_flow(&mut self, looked: &Looked, flow: &StatusFlow) -> Value {
        let role = looked.role.clone();
        let opened = self.opened;
        let Some(source) = looked.source else { return json!(true) };
        let field = self.field(&looked.ends[source]);
        let of = self
            .its_resources(looked, source)
            .into_iter()
            .filter_map(|one| Some(one.field(&flow.field.value)?.reference.as_ref()?.resource.clone()))
            .next();
        let statuses = of.map(|of| self.records(source, Some(&of), &[])).unwrap_or_default();
        let (status, status_or_none) = (self.field(&statuses), self.field_or_none(&statuses));
        let expression = self.over(&statuses, &[]);
        let free = json!({ "not": { "type": "string", "pattern": "^settings\\." } });
        let named = self.setting_or(&[], [free]);
        let names = &opened.names;
        let by = one_of(["mapping".to_owned(), names.left.clone(), names.right.clone()]);
        let value = self.expression();
        let made = self.by_field(&statuses, &value);
        json!({ "properties": {
            "field": field,
            "roles": { "additionalProperties": named },
            "name": status_or_none,
            "order": status_or_none,
            "where": expression,
            "flags": one_or_many(&status),
            "sequence": { "items": { "properties": { "with": one_or_many(&status), "must": expression } } },
            "make": { "propertyNames": role, "additionalProperties": made },
            "moves": { "items": { "properties": { "from": one_or_many(&role), "to": one_or_many(&role), "by": by } } }
        } })
    }
}
