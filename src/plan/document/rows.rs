//! The rows below a document in the other side's terms, and the files that go inside its message. Pure.

use super::counts;
use crate::plan::change::Embedding;
use crate::plan::decide::{Context, New, Record, Waits, demanded, new_values};
use crate::plan::gate::Awaited;
use crate::plan::translate::{MissingCode, Untranslatable, View};
use crate::program::document::{Document, Embed, Lines};
use crate::value::{Map, Path, Segment, Side, Value};

/// The rows below a document in the other side's terms, for each of its lists. Of more than one that cannot be, all reasons.
pub(super) fn all_lines(
    context: &Context,
    document: &Document,
    record: &Record,
    resource: &str,
    view: &dyn View,
    missing: &mut Vec<MissingCode>,
    embeds: &mut Vec<Embedding>,
) -> Result<Vec<(Path, Value)>, Untranslatable> {
    let (mut out, mut waits, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
    let mut awaited = Vec::new();
    for table in &document.lines {
        match lines(context, document, table, record, resource, view, missing, embeds) {
            Ok(list) => out.push(list),
            Err(Untranslatable::Wait(reason, records)) => {
                waits.push(reason);
                awaited.extend(records);
            }
            Err(Untranslatable::SetAside(code, reason)) => refusals.push((code, reason)),
            Err(other @ Untranslatable::NoCode(_)) => return Err(other),
        }
    }
    let together = |reasons: Vec<String>| reasons.join("; ");
    if let Some((code, _)) = refusals.first() {
        let code = *code;
        let reasons = refusals.into_iter().map(|(_, reason)| reason).collect();
        return Err(Untranslatable::SetAside(code, together(reasons)));
    }
    // a list that got no row is none
    out.retain(|(_, list)| document.lines.len() == 1 || !list.is_empty());
    if waits.is_empty() { Ok(out) } else { Err(Untranslatable::Wait(together(waits), awaited)) }
}

/// The files of a record that go to a place in what is made of it.
pub(super) fn embedding(embed: &Embed, made: &str, of: &Value, at: String) -> Option<Embedding> {
    let (_, form) = embed.forms.iter().find(|(resource, _)| resource == made)?;
    let mut record = Value::Map(Map::new());
    for path in &embed.needs {
        // a list is taken whole, whichever of its items have files
        let path = path.segments().iter().take_while(|segment| matches!(segment, Segment::Key(_)));
        let path = Path::of(&path.cloned().collect::<Vec<_>>());
        if let Some(value) = path.get(of) {
            path.set(&mut record, value.clone());
        }
    }
    let text = |path: &Path| path.to_string();
    Some(Embedding {
        at,
        resource: embed.of.name.clone(),
        files: embed.files.clone(),
        record,
        members: (form.name.iter().map(text).collect(), form.media.as_ref().map(text), text(&form.content)),
        found: Vec::new(),
    })
}

/// The rows of one list.
#[allow(clippy::too_many_arguments)]
fn lines(
    context: &Context,
    document: &Document,
    lines: &Lines,
    record: &Record,
    resource: &str,
    view: &dyn View,
    missing: &mut Vec<MissingCode>,
    embeds: &mut Vec<Embedding>,
) -> Result<(Path, Value), Untranslatable> {
    let side = document.source;
    let items = items(lines, &record.data);
    let (left, right) = match side {
        Side::Left => (Some(&record.data), None),
        Side::Right => (None, Some(&record.data)),
    };
    let around = context.root(left, right, None);
    let (mut out, mut waits, mut refusals) = (Vec::new(), Waits::default(), Vec::new());
    for (i, item) in items.iter().enumerate() {
        let mut root = around.as_map().cloned().unwrap_or_default();
        for (name, value) in item.as_map().into_iter().flatten() {
            root.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let root = Value::Map(root);
        if let Some(scope) = &lines.scope
            && !scope.holds(&root).map_err(|error| Untranslatable::SetAside("ME0902", error.to_string()))?
        {
            continue;
        }
        let mut made = Value::Map(Map::new());
        let in_row = |reason: String| format!("row {}: {reason}", i + 1);
        for row in lines.rows.iter().filter(|row| counts(row, &record.at.resource, resource)) {
            match new_values(row, side, item, &root, None, view) {
                Ok(None) if demanded(row, &root) => {
                    refusals.push(("ME0907", in_row(format!("{} is missing", row.labels[side]))));
                }
                Ok(None) => {}
                Ok(Some(New::Values(values))) => {
                    for (path, value) in row.paths(side.other()).iter().zip(values) {
                        path.set(&mut made, value);
                    }
                }
                Ok(Some(New::Reference { register, label, source })) => {
                    let reason = in_row(format!("{register} '{label}' is still to be made"));
                    waits.add(
                        reason,
                        vec![Awaited { register, side, value: Value::text(source.id), field: None }],
                    );
                }
                Err(Untranslatable::Wait(reason, records)) => waits.add(in_row(reason), records),
                Err(Untranslatable::SetAside(code, reason)) => refusals.push((code, in_row(reason))),
                Err(Untranslatable::NoCode(one)) => {
                    let (code, reason) = one.refusal();
                    refusals.push((code, in_row(reason)));
                    missing.push(one);
                }
            }
        }
        if let Some(embed) = &lines.embed {
            let at = format!("{}[{}].{}", lines.to, out.len(), embed.to);
            embeds.extend(embedding(embed, resource, item, at));
        }
        out.push(made);
    }
    if let Some((code, _)) = refusals.first() {
        let text = refusals.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>().join("; ");
        return Err(Untranslatable::SetAside(code, text));
    }
    if !waits.reasons.is_empty() {
        return Err(Untranslatable::Wait(waits.reasons.join("; "), waits.records));
    }
    Ok((lines.to.clone(), Value::List(out)))
}

/// The rows of a source record in their order, each with its record as `header`.
pub fn items(lines: &Lines, record: &Value) -> Vec<Value> {
    let mut items: Vec<Value> = lines.from.get(record).and_then(Value::as_list).unwrap_or_default().to_vec();
    if let Some(order) = &lines.order {
        items.sort_by(|one, other| match (order.get(one), order.get(other)) {
            (Some(Value::Number(one)), Some(Value::Number(other))) => one.cmp(other),
            (one, other) => {
                let text = |value: Option<&Value>| value.and_then(Value::scalar_text);
                text(one).cmp(&text(other))
            }
        });
    }
    let mut header = record.clone();
    lines.from.remove(&mut header);
    let header_at = Path::key("header");
    for item in &mut items {
        header_at.set(item, header.clone());
    }
    items
}
