//! The command line: verbs, flags, and an example for each.

mod authoring;

use std::path::PathBuf;

pub use authoring::{DocsArgs, DocsFormat, DocsLanguage, NewMappingArgs, NewSystemArgs, NewWhat};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keeps the records of two REST systems equal, from YAML.
#[derive(Debug, Parser)]
#[command(
    name = "mapengine",
    version,
    propagate_version = true,
    max_term_width = 100,
    arg_required_else_help = true
)]
#[command(
    after_help = "Try it without any account:\n  mapengine run mappings/financials.yaml\n\nExit codes: 0 done · 1 failed or refused · 2 bad input · 3 done, but records need a person · 4 `plan --exit-code`: there are changes"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Whether output is coloured.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Read both systems, decide, and write what differs.
    #[command(
        after_help = "Example:\n  mapengine run mappings/financials.yaml --connection acme.yaml --only customers\n\nWithout a connection it runs against the built-in sandbox.\n\nThe schema of its JSON is `schemas/report.schema.json`: `mapengine schema report`."
    )]
    Run(RunArgs),
    /// Ask for what a connection needs – credentials, settings, confirmations – and write its file.
    #[command(
        after_help = "Example:\n  mapengine setup mappings/financials.yaml --out acme.yaml\n\nSecrets are not asked for: it asks where they stand, in an environment variable or a file."
    )]
    Setup(SetupArgs),
    /// Show what `run` would do; nothing can be written.
    #[command(
        after_help = "Example:\n  mapengine plan mappings/financials.yaml --connection acme.yaml --out plan.json\n\nThe schema of its JSON is `schemas/planned.schema.json`: `mapengine schema planned`."
    )]
    Plan(PlanArgs),
    /// Carry out a saved plan; records that moved since are skipped and reported.
    #[command(
        after_help = "Example:\n  mapengine apply plan.json --connection acme.yaml\n\nThe schema of its JSON is `schemas/report.schema.json`: `mapengine schema report`."
    )]
    Apply(ApplyArgs),
    /// Check mappings, systems, cases, connections and sandbox files; every finding with its place.
    #[command(
        after_help = "Example:\n  mapengine validate mappings\n  mapengine validate mappings/financials.yaml --format github\n\nThe schema of its JSON is `schemas/findings.schema.json`: `mapengine schema findings`."
    )]
    Validate(ValidateArgs),
    /// Tell more about a code that a message gave.
    #[command(after_help = "Example:\n  mapengine explain ME0201")]
    Explain {
        /// The code; none: all codes with their titles.
        code: Option<String>,
    },
    /// Print a JSON Schema: of a kind of file, or of one mapping with its own names and fields.
    #[command(
        after_help = "Examples:\n  mapengine schema mapping > schemas/mapping.schema.json\n  mapengine schema mapping mappings/financials.yaml   # completes the field paths of that very mapping"
    )]
    Schema(SchemaArgs),
    /// Print the language reference (Markdown), made from the same types as the schemas.
    #[command(after_help = "Example:\n  mapengine reference > REFERENCE.md")]
    Reference,
    /// Draw the status flow of each document: roles, legal moves, whose they are, and what makes them.
    #[command(
        after_help = "Examples:\n  mapengine flow mappings/financials.yaml\n  mapengine flow mappings/financials.yaml --document invoices --format svg > invoices.svg"
    )]
    Flow(FlowArgs),
    /// Run the cases beside mappings: given records → expected changes, requests and messages.
    #[command(
        after_help = "Example:\n  mapengine test mappings/financials.test.yaml --filter F-12\n\nThe schema of its JSON is `schemas/results.schema.json`: `mapengine schema results`."
    )]
    Test(TestArgs),
    /// Serve the stand-ins of a mapping's systems over HTTP.
    #[command(
        after_help = "Example:\n  mapengine sandbox mappings/financials.yaml --fault timeout_after_commit:create:customer:3"
    )]
    Sandbox(SandboxArgs),
    /// List which records are linked, and what both sides last agreed on.
    #[command(
        after_help = "Example:\n  mapengine links mappings/financials.yaml --connection acme.yaml --register customers\n\nThe schema of its JSON is `schemas/links.schema.json`: `mapengine schema links`."
    )]
    Links(StateArgs),
    /// List what is set aside and why.
    #[command(
        after_help = "Example:\n  mapengine set-aside mappings/financials.yaml --connection acme.yaml\n\nThe schema of its JSON is `schemas/set-aside.schema.json`: `mapengine schema set-aside`."
    )]
    SetAside(StateArgs),
    /// List what each run did; with `--record`, what happened to one record.
    #[command(
        after_help = "Example:\n  mapengine history mappings/financials.yaml --connection acme.yaml --record customers:1042\n\nThe schema of its JSON is `schemas/history.schema.json`: `mapengine schema history`."
    )]
    History(StateArgs),
    /// Settle a write that is in doubt, or forget a link.
    #[command(
        after_help = "While another process works on the state (`run --watch`) the command is left there, and that one carries it out.\n\nExamples:\n  mapengine resolve mappings/financials.yaml --connection acme.yaml --write 17 --adopt 10042\n  mapengine resolve mappings/financials.yaml --connection acme.yaml --unlink customers:1042"
    )]
    Resolve(ResolveArgs),
    /// Run again, and try what is set aside before its time.
    #[command(
        after_help = "While another process works on the state (`run --watch`) the command is left there, and that one carries it out.\n\nExample:\n  mapengine retry mappings/financials.yaml --connection acme.yaml --record customers:1042\n\nThe schema of its JSON is `schemas/report.schema.json`: `mapengine schema report`."
    )]
    Retry(RunArgs),
    /// Look up every write without an outcome whose settle time is over; nothing else.
    #[command(
        after_help = "Example:\n  mapengine recover mappings/financials.yaml --connection acme.yaml\n\nThe schema of its JSON is `schemas/report.schema.json`: `mapengine schema report`."
    )]
    Recover(StateArgs),
    /// Begin a system file or a mapping: a skeleton with a comment at every guess.
    #[command(
        after_help = "Examples:\n  mapengine new system --openapi crm.json --resources customer,project --out systems/crm.yaml\n  mapengine new mapping systems/crm.yaml systems/erp.yaml --out crm_erp.yaml"
    )]
    New {
        /// What is begun.
        #[command(subcommand)]
        what: NewWhat,
    },
    /// Write the manual of a mapping, or the guide to adding a system (`docs guide`).
    #[command(
        after_help = "Examples:\n  mapengine docs mappings/financials.yaml --format html --language sv --out manual.html\n  mapengine docs guide"
    )]
    Docs(DocsArgs),
    /// Tell what the state knows of documents, for people who answer for them.
    #[command(
        after_help = "Examples:\n  mapengine report failed mappings/financials.yaml --connection acme.yaml\n  mapengine report failed --connection acme.yaml --format csv > failed.csv"
    )]
    Report(ReportArgs),
    /// Tell where a value comes from: the row of the mapping, what it was converted to, and the run that carried it.
    #[command(
        allow_missing_positional = true,
        after_help = "Examples:\n  mapengine why mappings/financials.yaml customers:10011.vatNumber\n  mapengine why --connection acme.yaml customers:10011     # all fields, as a table\n\nIt is told from the state alone: nothing is asked of the systems, nothing is written.\n\nThe schema of its JSON is `schemas/why.schema.json`: `mapengine schema why`."
    )]
    Why(WhyArgs),
    /// Tell what holds a record back: the first gate it did not pass, and why, through everything it waits for.
    #[command(
        allow_missing_positional = true,
        after_help = "Example:\n  mapengine why-not mappings/financials.yaml projects:P-1007\n\nIt is told from the state alone: nothing is asked of the systems, nothing is written. Exit code 3: a person has to act.\n\nThe schema of its JSON is `schemas/why-not.schema.json`: `mapengine schema why-not`."
    )]
    WhyNot(WhyArgs),
    /// Print a completion script for a shell.
    #[command(
        after_help = "Example:\n  mapengine completions bash > ~/.local/share/bash-completion/completions/mapengine"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// The mapping and the connection of a command.
#[derive(Clone, Debug, Default, Args)]
pub struct Target {
    /// The mapping file. May be left out where the connection names it.
    pub mapping: Option<PathBuf>,
    /// The connection file: addresses, credentials, settings of one company. Without it: the sandbox.
    #[arg(long, short, value_name = "FILE", env = "MAPENGINE_CONNECTION")]
    pub connection: Option<PathBuf>,
    /// A setting that differs from the connection's (or the sandbox's): NAME=VALUE.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
}

/// Flags of `run` and `retry`.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// What to run.
    #[command(flatten)]
    pub target: Target,
    /// Only this register or document (may be repeated). A document brings the registers it refers to.
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// All new documents, in as many transfers as it takes where the mapping allows so many in one.
    #[arg(long)]
    pub all: bool,
    /// Only one record, with everything that was decided about it: REGISTER[:SIDE]:KEY.
    #[arg(long, value_name = "REGISTER[:SIDE]:KEY")]
    pub record: Option<String>,
    /// Read everything, not only what changed.
    #[arg(long)]
    pub full: bool,
    /// Again and again by the mapping's schedule, until stopped.
    #[arg(long)]
    pub watch: bool,
    /// Let this one run go although a brake holds it.
    #[arg(long)]
    pub release_brakes: bool,
    /// Sandbox: begin anew.
    #[arg(long)]
    pub fresh: bool,
    /// Sandbox: a fault to inject (may be repeated); see `mapengine sandbox --help`.
    #[arg(long, value_name = "FAULT", hide_short_help = true)]
    pub fault: Vec<String>,
    /// Write every request to this file, one JSON line each, without secrets.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub log_requests: Option<PathBuf>,
    /// How the report is printed.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Flags of `setup`.
#[derive(Clone, Debug, Args)]
pub struct SetupArgs {
    /// The mapping file.
    pub mapping: PathBuf,
    /// The connection file that is written; it must not be there yet.
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// The connection's name. Default: the file's name.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

/// Flags of `plan`.
#[derive(Clone, Debug, Default, Args)]
pub struct PlanArgs {
    /// What to plan.
    #[command(flatten)]
    pub target: Target,
    /// Only this register or document (may be repeated). A document brings the registers it refers to.
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// All new documents, in as many transfers as it takes where the mapping allows so many in one.
    #[arg(long)]
    pub all: bool,
    /// Only one record: REGISTER[:SIDE]:KEY.
    #[arg(long, value_name = "REGISTER[:SIDE]:KEY")]
    pub record: Option<String>,
    /// Read everything, not only what changed.
    #[arg(long)]
    pub full: bool,
    /// Save the plan for `mapengine apply`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// End with 4 when there are changes.
    #[arg(long)]
    pub exit_code: bool,
    /// Sandbox: begin anew.
    #[arg(long)]
    pub fresh: bool,
    /// Write every request to this file, one JSON line each, without secrets.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub log_requests: Option<PathBuf>,
    /// How the plan is printed.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Flags of `apply`.
#[derive(Clone, Debug, Args)]
pub struct ApplyArgs {
    /// The saved plan.
    pub plan: PathBuf,
    /// The connection file. Without it: the sandbox.
    #[arg(long, short, value_name = "FILE", env = "MAPENGINE_CONNECTION")]
    pub connection: Option<PathBuf>,
    /// How the report is printed.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FindingFormat {
    /// With the snippet, for people.
    Human,
    /// A list, for programs.
    Json,
    /// Annotations of GitHub Actions.
    Github,
}

/// Flags of `validate`.
#[derive(Clone, Debug, Args)]
pub struct ValidateArgs {
    /// Files and folders.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t = FindingFormat::Human)]
    pub format: FindingFormat,
}

/// The kinds of file that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// A system file.
    System,
    /// A mapping.
    Mapping,
    /// Cases.
    Cases,
    /// A connection.
    Connection,
    /// A sandbox file.
    Sandbox,
    /// The report of `run --format json`.
    Report,
    /// A saved plan.
    Plan,
    /// The report of `report failed --format json`.
    Failed,
    /// The answer of `why --format json`.
    Why,
    /// The answer of `why-not --format json`.
    WhyNot,
    /// The report of `report reconcile --format json`.
    Reconcile,
    /// The answer of `plan --format json`.
    Planned,
    /// The list of `links --format json`.
    Links,
    /// The list of `history --format json`.
    History,
    /// The list of `set-aside --format json`.
    SetAside,
    /// The list of `validate --format json`.
    Findings,
    /// The list of `test --format json`.
    Results,
}

/// Flags of `schema`.
#[derive(Clone, Debug, Args)]
pub struct SchemaArgs {
    /// Which kind of file; none: all of them, by file name.
    pub kind: Option<SchemaKind>,
    /// A mapping: its own schema, with its names and all field paths of both systems.
    pub file: Option<PathBuf>,
    /// Write all schemas into this folder: those of the kinds of file, and under `mappings` that of each mapping in `mappings/`.
    #[arg(long, value_name = "FOLDER", conflicts_with = "kind")]
    pub write: Option<PathBuf>,
}

/// How a status flow is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FlowFormat {
    /// For a terminal.
    Text,
    /// For Graphviz.
    Dot,
    /// A picture, whole in itself.
    Svg,
    /// For Mermaid, as in Markdown files.
    Mermaid,
}

/// Flags of `flow`.
#[derive(Clone, Debug, Args)]
pub struct FlowArgs {
    /// Whose documents.
    #[command(flatten)]
    pub target: Target,
    /// Only this document.
    #[arg(long, value_name = "NAME")]
    pub document: Option<String>,
    /// How it is drawn.
    #[arg(long, value_enum, default_value_t = FlowFormat::Text)]
    pub format: FlowFormat,
}

/// Flags of `test`.
#[derive(Clone, Debug, Args)]
pub struct TestArgs {
    /// Case files and folders. Default: `mappings`.
    pub paths: Vec<PathBuf>,
    /// Only cases whose name or rule holds this text.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Flags of `sandbox`.
#[derive(Clone, Debug, Args)]
pub struct SandboxArgs {
    /// The mapping whose systems are served.
    pub mapping: PathBuf,
    /// A fault to inject (may be repeated): NAME:CALL:RESOURCE:NTH.
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
    /// Ports, one for each side; 0 for a free one.
    #[arg(long, value_name = "PORT", default_values_t = [0_u16, 0_u16], num_args = 2)]
    pub ports: Vec<u16>,
    /// Write a connection file for these addresses.
    #[arg(long, value_name = "FILE")]
    pub connection_out: Option<PathBuf>,
    /// List the faults that can be injected.
    #[arg(long)]
    pub list_faults: bool,
}

/// Flags of the commands that look at the state.
#[derive(Clone, Debug, Args)]
pub struct StateArgs {
    /// Whose state.
    #[command(flatten)]
    pub target: Target,
    /// Only this register.
    #[arg(long, value_name = "REGISTER")]
    pub register: Option<String>,
    /// Only one record: REGISTER[:SIDE]:KEY.
    #[arg(long, value_name = "REGISTER[:SIDE]:KEY")]
    pub record: Option<String>,
    /// At most so many rows.
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: usize,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Flags of `report`.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// Which report.
    #[command(subcommand)]
    pub kind: ReportKind,
}

/// Which report.
#[derive(Clone, Debug, Subcommand)]
pub enum ReportKind {
    /// The documents that cannot go on: amounts, reason, since when, attempts.
    #[command(
        after_help = "Example:\n  mapengine report failed mappings/financials.yaml --connection acme.yaml --format html > failed.html"
    )]
    Failed(FailedArgs),
    /// The documents of both systems side by side, read anew: what is only in one and why, what differs, and control totals
    /// of each kind and currency. Nothing is written, neither to a system nor to the state.
    #[command(
        after_help = "Example:\n  mapengine report reconcile mappings/financials.yaml --connection acme.yaml --format csv --out reconcile.csv"
    )]
    Reconcile(ReconcileArgs),
}

/// How a report on documents is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Table,
    /// For a spreadsheet; no text in it can become a formula.
    Csv,
    /// For programs; the schemas are `schemas/failed.schema.json` and `schemas/reconcile.schema.json`.
    Json,
    /// One page that needs nothing else.
    Html,
}

/// Flags of `report failed`.
#[derive(Clone, Debug, Args)]
pub struct FailedArgs {
    /// Whose state.
    #[command(flatten)]
    pub target: Target,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    pub format: ReportFormat,
}

/// Flags of `why` and `why-not`.
#[derive(Clone, Debug, Args)]
pub struct WhyArgs {
    /// Whose state.
    #[command(flatten)]
    pub target: Target,
    /// The record, by its id, its key, or the number or name that links it; for `why` with one field of it.
    #[arg(value_name = "REGISTER[:SIDE]:KEY[.FIELD]")]
    pub record: String,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Flags of `report reconcile`.
#[derive(Clone, Debug, Args)]
pub struct ReconcileArgs {
    /// Whose systems.
    #[command(flatten)]
    pub target: Target,
    /// Only this document of the mapping.
    #[arg(long, value_name = "DOCUMENT")]
    pub document: Option<String>,
    /// Only documents of this day and later ones, by the `date` that the mapping names under `reconcile`. A pair counts where one
    /// of its two records does.
    #[arg(long, value_name = "DATE")]
    pub since: Option<jiff::civil::Date>,
    /// Only documents of this day and earlier ones.
    #[arg(long, value_name = "DATE")]
    pub until: Option<jiff::civil::Date>,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    pub format: ReportFormat,
    /// Into this file instead of the terminal.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Flags of `resolve`.
#[derive(Clone, Debug, Args)]
pub struct ResolveArgs {
    /// Whose state.
    #[command(flatten)]
    pub target: Target,
    /// The number of the write.
    #[arg(long, value_name = "WRITE", conflicts_with = "unlink")]
    pub write: Option<i64>,
    /// It took effect: this is the record.
    #[arg(long, value_name = "ID", requires = "write")]
    pub adopt: Option<String>,
    /// It did not take effect: decide anew, and send again if that says so.
    #[arg(long, requires = "write", conflicts_with = "adopt")]
    pub resend: bool,
    /// It does not matter any more.
    #[arg(long, requires = "write", conflicts_with_all = ["adopt", "resend"])]
    pub drop: bool,
    /// Forget the link of a record: REGISTER[:SIDE]:KEY.
    #[arg(long, value_name = "REGISTER[:SIDE]:KEY")]
    pub unlink: Option<String>,
    /// Link two records by hand: REGISTER:LEFT_KEY:RIGHT_KEY.
    #[arg(long, value_name = "REGISTER:LEFT:RIGHT", conflicts_with_all = ["write", "unlink"])]
    pub link: Option<String>,
}
