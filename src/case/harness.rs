//! Runs of the engine against stand-ins in this process: what `run` does without a connection, and what cases
//! and tests are made of.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::clock::{Clock, LocalFuture};
use crate::http::{Access, CallListener, Client, ClientSetup};
use crate::program::mapping::Program;
use crate::program::system::Limits;
use crate::run::{Engine, Event, Listener, Options, Report, RunError, Setup};
use crate::sandbox::{Company, InProcess, credentials};
use crate::store::Handle;
use crate::value::{Both, Side};

/// A clock that only goes when somebody sleeps: waiting costs no time.
#[derive(Debug, Default)]
pub struct QuickClock {
    at: Cell<Duration>,
    start_ms: i64,
}

impl QuickClock {
    /// A clock that begins at a time (milliseconds since 1970).
    pub fn new(start_ms: i64) -> QuickClock {
        QuickClock { at: Cell::new(Duration::ZERO), start_ms }
    }

    /// Lets time go on.
    pub fn advance(&self, by: Duration) {
        self.at.set(self.at.get() + by);
    }
}

impl Clock for QuickClock {
    fn now_ms(&self) -> i64 {
        self.start_ms + i64::try_from(self.at.get().as_millis()).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.at.get()
    }

    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()> {
        self.advance(duration);
        Box::pin(tokio::task::yield_now())
    }
}

/// A company, a program and a state that belong together.
pub struct Harness {
    /// The program.
    pub program: Arc<Program>,
    /// Both stand-ins.
    pub company: Company,
    /// The state.
    pub store: Handle,
    /// The time.
    pub clock: Rc<dyn Clock>,
    /// Told what happens.
    pub listener: Listener,
    /// Hears of every call.
    pub log: Option<CallListener>,
    /// Set to end a run at the next safe point.
    pub stop: Rc<Cell<bool>>,
    /// How long an unknown outcome is waited for; none: as the system file says.
    pub settle_after: Option<Duration>,
    runs: u32,
}

impl Harness {
    /// Puts them together.
    pub fn new(program: Arc<Program>, company: Company, store: Handle, clock: Rc<dyn Clock>) -> Harness {
        Harness {
            program,
            company,
            store,
            clock,
            listener: Rc::new(|_: Event| {}),
            log: None,
            stop: Rc::new(Cell::new(false)),
            settle_after: None,
            runs: 0,
        }
    }

    fn client(&self, side: Side, access: Access) -> Result<Rc<Client>, String> {
        let system = Arc::clone(&self.program.sides[side].system);
        let credentials: BTreeMap<String, SecretString> =
            credentials(&system).into_iter().map(|(name, value)| (name, SecretString::from(value))).collect();
        Client::new(ClientSetup {
            // a stand-in in this process needs no pacing
            limits: Some(Limits { rate: None, concurrent: 16, quota: system.limits.quota.clone() }),
            system,
            base_url: "http://127.0.0.1".into(),
            token_url: None,
            credentials,
            settle_after: self.settle_after,
            transport: Rc::new(
                InProcess(Rc::clone(&self.company.stands[side])).timed(Rc::clone(&self.clock)),
            ),
            clock: Rc::clone(&self.clock),
            access,
            seed: Some(7),
            log: self.log.clone(),
        })
        .map(Rc::new)
    }

    /// One run (or plan) of the engine.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub async fn run(&mut self, options: Options) -> Result<Report, (RunError, Box<Report>)> {
        self.runs += 1;
        let access = if options.plan_only { Access::ReadOnly } else { Access::ReadWrite };
        let clients = match (self.client(Side::Left, access), self.client(Side::Right, access)) {
            (Ok(left), Ok(right)) => Both { left, right },
            (Err(reason), _) | (_, Err(reason)) => {
                let error = RunError::Refused { reasons: vec![reason], bad_input: true };
                return Err((error, Box::default()));
            }
        };
        let engine = Engine::new(Setup {
            program: Arc::clone(&self.program),
            store: self.store.clone(),
            clients,
            clock: Rc::clone(&self.clock),
            connection: None,
            run_id: format!("run-{}-{}", self.clock.now_ms(), self.runs),
            options,
            listener: Rc::clone(&self.listener),
            stop: Rc::clone(&self.stop),
        });
        let local = tokio::task::LocalSet::new();
        local.run_until(engine.run()).await
    }
}
