//! One file for each verb.

pub(crate) mod check;
pub(crate) mod clause;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod framework;
pub(crate) mod impact;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod policy;
pub(crate) mod records;
pub(crate) mod render;
mod running;
pub(crate) mod serve;
pub(crate) mod test;
pub(crate) mod training;
pub(crate) mod up;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs; shapes are documented in docs/reference/cli.md.
    Json,
}

/// Where a gateway keeps its things.
#[derive(Debug, Args)]
pub(crate) struct Dir {
    /// Folder that `ordain up` made
    #[arg(long, default_value = "ordain", value_name = "DIR")]
    pub(crate) dir: PathBuf,
}
