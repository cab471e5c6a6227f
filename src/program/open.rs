//! From a mapping file to its program: the mapping, both systems, compiled together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::mapping::{Program, SettingKind};
use super::mapping_compile::{Answers, compile_mapping};
use super::system::System;
use super::system_compile::compile_system;
use crate::diagnostic::{At, Diagnostic, Diagnostics, Level, Sources, codes};
use crate::spec::load::{load_mapping, load_system};
use crate::spec::mapping::Mapping;
use crate::value::{Both, Value};

/// A mapping that was read, with both its systems compiled.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub path: PathBuf,
    /// What was written.
    pub mapping: Mapping,
    /// The names of the sides.
    pub names: Both<String>,
    /// The systems.
    pub systems: Both<Arc<System>>,
}

impl Opened {
    /// Reads a mapping and its systems. Everything that is wrong is pushed.
    pub fn read(path: &Path, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Option<Opened> {
        let mapping = load_mapping(sources, path, diagnostics)?;
        if mapping.systems.len() != 2 {
            let span = mapping
                .systems
                .iter()
                .nth(2)
                .or_else(|| mapping.systems.iter().next())
                .map_or(mapping.mapping.span, |(name, _)| name.span);
            diagnostics.push(
                Diagnostic::error(
                    &codes::TWO_SYSTEMS,
                    span,
                    format!("a mapping has two systems, this one has {}", mapping.systems.len()),
                )
                .help("name the left one first: `systems: { crm: systems/crm.yaml, erp: systems/erp.yaml }`"),
            );
            return None;
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut systems = Vec::new();
        let mut names = Vec::new();
        for (name, file) in mapping.systems.iter() {
            names.push(name.value.clone());
            let full = folder.join(&file.value);
            if !full.exists() {
                diagnostics.push(
                    Diagnostic::error(
                        &codes::CANNOT_READ,
                        file.span,
                        format!("there is no file {}", full.display()),
                    )
                    .help("the path is relative to the mapping's own folder"),
                );
                continue;
            }
            let Some(spec) = load_system(sources, &full, diagnostics) else { continue };
            systems.extend(compile_system(&spec, sources, diagnostics).map(Arc::new));
        }
        let [left, right]: [Arc<System>; 2] = systems.try_into().ok()?;
        let [left_name, right_name]: [String; 2] = names.try_into().ok()?;
        Some(Opened {
            path: path.to_owned(),
            mapping,
            names: Both { left: left_name, right: right_name },
            systems: Both { left, right },
        })
    }

    /// Compiles it with these answers to its settings.
    pub fn program(
        &self,
        answers: &Answers,
        sources: &Sources,
        diagnostics: &mut Diagnostics,
    ) -> Option<Program> {
        compile_mapping(&self.mapping, self.systems.clone(), answers, sources, diagnostics)
    }

    /// Checks it without anybody's answers. A setting that says which side is the master, or which way a register goes, changes what
    /// the rows mean: each of its answers is compiled, one setting at a time, and what is wrong with one is told with it.
    pub fn check(&self, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Program> {
        let program = self.program(&Answers::None, sources, diagnostics)?;
        let (left, right) = (&self.names.left, &self.names.right);
        for setting in program.settings.values() {
            let answers = match setting.kind {
                SettingKind::Side => vec![left.clone(), right.clone()],
                SettingKind::Direction => {
                    vec![format!("{left} -> {right}"), format!("{right} -> {left}"), "none".to_owned()]
                }
                _ => continue,
            };
            for answer in answers {
                if setting.default.as_ref().and_then(Value::as_text) == Some(answer.as_str()) {
                    continue;
                }
                let (name, given) = (At::from(setting.name.clone()), At::from(Value::text(answer.clone())));
                let mut own = Diagnostics::new();
                self.program(&Answers::Case(vec![(&name, &given)]), sources, &mut own);
                for one in &own {
                    let mut one = one.clone();
                    if one.level == Level::Error {
                        one.message = format!("where `{}` is '{answer}': {}", setting.name, one.message);
                        diagnostics.push(one);
                    }
                }
            }
        }
        Some(program)
    }

    /// Where the sandbox file of this mapping is, whether it exists or not.
    pub fn sandbox_path(&self) -> PathBuf {
        self.path
            .parent()
            .unwrap_or(Path::new(""))
            .join("sandbox")
            .join(format!("{}.yaml", self.mapping.mapping.value))
    }
}
