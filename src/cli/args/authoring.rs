//! Flags of the verbs that write files for people: skeletons, proposals, manuals.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What `new` begins.
#[derive(Clone, Debug, Subcommand)]
pub enum NewWhat {
    /// A system file, from an OpenAPI document (2.0, 3.0, 3.1; JSON or YAML).
    #[command(
        after_help = "Example:\n  mapengine new system --openapi crm.json --resources customer,project --out systems/crm.yaml"
    )]
    System(NewSystemArgs),
    /// A mapping: registers and rows proposed by names and types.
    #[command(
        after_help = "Example:\n  mapengine new mapping systems/crm.yaml systems/erp.yaml --out crm_erp.yaml"
    )]
    Mapping(NewMappingArgs),
}

/// Flags of `new system`.
#[derive(Clone, Debug, Args)]
pub struct NewSystemArgs {
    /// The OpenAPI document.
    #[arg(long, value_name = "FILE")]
    pub openapi: PathBuf,
    /// Where the skeleton is written. Default: standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Only these resources, by name or path. Default: all that the document has.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub resources: Vec<String>,
}

/// Flags of `new mapping`.
#[derive(Clone, Debug, Args)]
pub struct NewMappingArgs {
    /// The left system's file.
    pub left: PathBuf,
    /// The right system's file.
    pub right: PathBuf,
    /// Where the mapping is written. Default: standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// The forms of a manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DocsFormat {
    /// Markdown.
    Md,
    /// One HTML file that needs no other.
    Html,
}

/// The languages of a manual's headings and fixed phrases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DocsLanguage {
    /// English.
    En,
    /// Swedish.
    Sv,
    /// Norwegian (bokmål).
    Nb,
    /// Finnish.
    Fi,
}

/// Flags of `docs`.
#[derive(Clone, Debug, Args)]
pub struct DocsArgs {
    /// The mapping whose manual is written; or `guide`.
    #[arg(value_name = "MAPPING|guide")]
    pub what: PathBuf,
    /// Its form.
    #[arg(long, value_enum, default_value_t = DocsFormat::Md)]
    pub format: DocsFormat,
    /// Its language. What the mapping itself says stays as it was written.
    #[arg(long, value_enum, default_value_t = DocsLanguage::En)]
    pub language: DocsLanguage,
    /// Where it is written; a file that is there is replaced. Default: standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
