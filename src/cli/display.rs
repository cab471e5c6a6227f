//! The progress display of a run, and what `--record` and `plan` show of its changes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::args::Format;
use super::place::Opening;
use super::{Terminal, show};
use crate::plan::Change;
use crate::run::Event;
use crate::value::Both;

/// The progress display, and what `--record` and `plan` show.
pub(super) struct Display {
    bar: Option<indicatif::ProgressBar>,
    format: Format,
    out: Terminal,
    trace: bool,
    names: Both<String>,
    /// What would be done, where it is kept.
    pub changes: RefCell<Vec<Change>>,
    /// What was found of the record that a plan is about.
    pub record: RefCell<Option<String>>,
    /// Changes are kept, not shown.
    pub keep: Cell<bool>,
}

impl Display {
    pub(super) fn new(terminal: &Terminal, format: Format, trace: bool, opening: &Opening) -> Rc<Display> {
        let bar = (terminal.progress && format == Format::Human).then(|| {
            let bar = indicatif::ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Rc::new(Display {
            bar,
            format,
            out: terminal.clone(),
            trace,
            names: opening.opened.names.clone(),
            changes: RefCell::new(Vec::new()),
            record: RefCell::default(),
            keep: Cell::new(false),
        })
    }

    pub(super) fn human(&self) -> bool {
        self.format == Format::Human
    }

    pub(super) fn listener(self: &Rc<Self>) -> Rc<dyn Fn(Event)> {
        let display = Rc::clone(self);
        Rc::new(move |event| display.tell(event))
    }

    fn tell(&self, event: Event) {
        if let Event::Change(change) = &event {
            if self.keep.get() {
                self.changes.borrow_mut().push((**change).clone());
            } else if self.trace && self.human() {
                let text = show::change(change, &self.names, self.out.color);
                self.out.text(&text);
            }
        }
        if let Event::Record(told) = &event {
            let (traced, change) = &**told;
            let text = show::traced(traced, change.as_ref(), &self.names, self.out.color);
            if self.keep.get() {
                self.changes.borrow_mut().extend(change.clone());
                *self.record.borrow_mut() = Some(text);
            } else if self.human() {
                self.out.text(&text);
            }
        }
        let Some(bar) = &self.bar else { return };
        match event {
            Event::Read { side, resource, count } => {
                bar.set_message(format!("reading {resource} of {side}: {count}"))
            }
            Event::Decided { register, count } => bar.set_message(format!("comparing {register}: {count}")),
            Event::Applied { register, done, total } => {
                bar.set_message(format!("writing {register}: {done} of {total}"))
            }
            Event::Said(text) => bar.set_message(text),
            Event::Change(_) | Event::Record(_) => {}
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
