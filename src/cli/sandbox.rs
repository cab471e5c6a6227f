//! `sandbox`: the stand-ins of a mapping over HTTP.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::args::{SandboxArgs, Target};
use super::place::{self, Where};
use super::{Exit, Terminal};
use crate::sandbox::{FAULTS, serve};
use crate::value::{Both, Side};

use super::running::{bad, failed, runtime, watch_signals};

/// `sandbox`: the stand-ins over HTTP until stopped.
pub(super) fn sandbox(terminal: &Terminal, args: &SandboxArgs) -> Exit {
    if args.list_faults {
        for (name, _, text) in FAULTS {
            terminal.line(format_args!("{name:22} {text}"));
        }
        return Exit::Done;
    }
    let target = Target { mapping: Some(args.mapping.clone()), connection: None, settings: Vec::new() };
    let opening = match place::open(terminal, &target) {
        Ok(opening) => opening,
        Err(exit) => return exit,
    };
    let Where::Sandbox { folder } = &opening.side else { return Exit::Failed };
    let (company, _) = match place::company(&opening, &folder.join("served"), true) {
        Ok(company) => company,
        Err(error) => return bad(terminal, error),
    };
    for text in &args.fault {
        if let Err(error) = company.add_fault(text) {
            return bad(terminal, format_args!("--fault {text}: {error}"));
        }
    }
    let mut served = Vec::new();
    for (side, port) in Side::BOTH.into_iter().zip(args.ports.iter().copied().chain([0, 0])) {
        let system = Arc::clone(&opening.program.sides[side].system);
        let blank = crate::sandbox::Stand::new(
            system,
            &crate::sandbox::credentials(&opening.opened.systems[side]),
            &indexmap::IndexMap::new(),
            0,
        );
        let Ok(blank) = blank else { return failed(terminal, "a stand-in cannot be made") };
        let stand = company.stands[side].replace(blank);
        match serve(stand, port, Duration::ZERO) {
            Ok(one) => served.push(one),
            Err(error) => return failed(terminal, format_args!("port {port}: {error}")),
        }
    }
    let addresses = Both {
        left: format!("http://{}", served[0].address),
        right: format!("http://{}", served[1].address),
    };
    let text = place::connection_text(&opening, &addresses);
    // whoever waits for the addresses finds the file then
    if let Some(path) = &args.connection_out
        && let Err(error) = place::write_private(path, &text)
    {
        return failed(terminal, format_args!("{}: {error}", path.display()));
    }
    for side in Side::BOTH {
        terminal.line(format_args!("{:12} {}", opening.opened.names[side], addresses[side]));
    }
    match &args.connection_out {
        Some(path) => terminal.line(format_args!("connection   {}", path.display())),
        None => terminal.text(&format!("\n# a connection for these addresses\n{text}")),
    }
    terminal.line("Ctrl-C ends it");
    let Some(runtime) = runtime() else { return failed(terminal, "no runtime can be had") };
    runtime.block_on(watch_signals(Rc::new(Cell::new(false))));
    drop(served);
    Exit::Done
}
