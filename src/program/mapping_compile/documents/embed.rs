//! Files of the source that go inside the message.

use std::sync::Arc;

use crate::diagnostic::{At, codes, suggest};
use crate::program::document::Embed;
use crate::program::mapping::{Endpoint, Register};
use crate::program::mapping_compile::Compiler;
use crate::program::mapping_compile::names::place;
use crate::program::system::Resource;
use crate::spec::yaml::Table;
use crate::value::{Both, Side};

impl Compiler<'_> {
    /// The files of the source record itself.
    pub(super) fn embed_of_record(
        &mut self,
        written: &Table<At<String>>,
        source: Side,
        register: &Register,
    ) -> Option<Embed> {
        let (files, to) = self.embed_sides(written, source)?;
        let members = &register.ends[source].members;
        let mut embed = None;
        for member in members {
            embed =
                Some(self.embed(&files, &to, source, &member.resource, &register.ends[source.other()])?);
        }
        let embed = embed?;
        self.need_uses(source, &register.ends[source].clone(), embed.needs.clone());
        Some(embed)
    }

    /// The files of each row: its rows are records of `rows_of`.
    pub(super) fn embed_of_rows(
        &mut self,
        written: &Table<At<String>>,
        source: Side,
        rows_of: Option<&str>,
        ends: &Both<Endpoint>,
    ) -> Option<Embed> {
        let (files, to) = self.embed_sides(written, source)?;
        let owner = rows_of.and_then(|name| self.sides[source].system.resources.get(name).cloned());
        let Some(owner) = owner else {
            self.error(
                &codes::BAD_ROWS,
                files.span,
                format!(
                    "the rows of {} are no records of their own, so that they have no files",
                    self.sides[source].name
                ),
                Some(
                    "files of the record that holds the rows go along by an `embed` beside `rows`".to_owned(),
                ),
            );
            return None;
        };
        let embed = self.embed(&files, &to, source, &owner, &ends[source.other()])?;
        for path in &embed.needs {
            let row = ends[source].members.iter().all(|member| place(&member.resource, path).is_some());
            let Some(found) = place(&owner, path).filter(|_| row) else {
                self.error(
                    &codes::BAD_ROWS,
                    files.span,
                    format!("asking for `{files}` needs `{path}`, which a row does not have"),
                    Some(format!("give the rows a field `{path}` in the system file")),
                );
                return None;
            };
            self.need(source, &owner.name, &found.top);
        }
        Some(embed)
    }

    /// The name of the files and the list that holds them.
    fn embed_sides(&mut self, written: &Table<At<String>>, source: Side) -> Option<(At<String>, At<String>)> {
        if written.is_empty() {
            return None;
        }
        let mut sides: Both<Option<At<String>>> = Both { left: None, right: None };
        let mut last = None;
        for (key, text) in written.iter() {
            sides[self.side(key)?] = Some(text.clone());
            last = Some(text.span);
        }
        match (sides[source].take(), sides[source.other()].take(), last) {
            (Some(files), Some(to), _) => Some((files, to)),
            (.., Some(span)) => {
                let (from, to) = (self.sides[source].name.clone(), self.sides[source.other()].name.clone());
                self.error(
                    &codes::BAD_ROWS,
                    span,
                    "`embed` names the files and the list that holds them",
                    Some(format!("write `{{ {from}: FILES, {to}: LIST }}`")),
                );
                None
            }
            _ => None,
        }
    }

    fn embed(
        &mut self,
        files: &At<String>,
        to: &At<String>,
        source: Side,
        owner: &Arc<Resource>,
        made: &Endpoint,
    ) -> Option<Embed> {
        let Some(known) = owner.files.get(&files.value) else {
            let names: Vec<&str> = owner.files.keys().map(String::as_str).collect();
            let help = match suggest(&files.value, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => "files are declared in the system file".to_owned(),
                None => format!("it has {}", names.join(", ")),
            };
            let message = format!("{} of {} has no files `{files}`", owner.name, self.sides[source].name);
            self.error(&codes::BAD_ROWS, files.span, message, Some(help));
            return None;
        };
        let needs = known.fields();
        let target = source.other();
        let path = self.path(to)?;
        let mut forms = Vec::new();
        for member in &made.members {
            let found = self.resolve(target, &member.resource, &path, to.span)?;
            let Some(form) = found.field.embeds.clone().filter(|_| !found.read_only) else {
                self.error(
                    &codes::BAD_ROWS,
                    to.span,
                    format!("`{to}` of {} holds no files", member.resource.name),
                    Some(
                        "the system file says with `embeds` which members of an item hold a file".to_owned(),
                    ),
                );
                return None;
            };
            forms.push((member.resource.name.clone(), form));
        }
        Some(Embed { of: Arc::clone(owner), files: files.value.clone(), needs, to: path, forms })
    }
}
