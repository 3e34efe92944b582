//! One file for each verb.

pub(crate) mod assurance;
pub(crate) mod break_glass;
pub(crate) mod check;
pub(crate) mod clause;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod framework;
pub(crate) mod impact;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod login;
pub(crate) mod model;
pub(crate) mod policy;
pub(crate) mod records;
pub(crate) mod render;
mod running;
pub(crate) mod serve;
pub(crate) mod test;
pub(crate) mod tickets;
pub(crate) mod training;
pub(crate) mod up;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs; shapes are documented in docs/reference/cli.md.
    Json,
}

/// Where a gateway keeps its things: `--dir DIR`, or DIR alone as for verbs that read a policy.
#[derive(Debug, Args)]
pub(crate) struct Dir {
    #[arg(value_name = "DIR", hide = true, conflicts_with = "dir")]
    folder: Option<PathBuf>,
    /// Folder that `ordain up` made
    #[arg(long, default_value = "ordain", value_name = "DIR")]
    dir: PathBuf,
}

impl Dir {
    pub(crate) fn path(&self) -> &Path {
        self.folder.as_ref().unwrap_or(&self.dir)
    }

    /// What to do where there is no gateway.
    pub(crate) fn missing(&self) -> String {
        format!(
            "there is no gateway in `{}`; `ordain up --dir {}` makes one, and `--dir DIR` names another folder",
            self.path().display(),
            typed(self.path())
        )
    }
}

/// Where a policy is: DIR, or `--dir DIR` as for verbs that look at a gateway's things.
#[derive(Debug, Args)]
pub(crate) struct PolicyDir {
    /// Policy folder, or the folder that `ordain up` made
    #[arg(default_value = "ordain", value_name = "DIR")]
    folder: PathBuf,
    #[arg(long, value_name = "DIR", hide = true, conflicts_with = "folder")]
    dir: Option<PathBuf>,
}

impl PolicyDir {
    pub(crate) fn path(&self) -> &Path {
        self.dir.as_ref().unwrap_or(&self.folder)
    }
}

/// A path as a shell takes it.
pub(crate) fn typed(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-~+:@%,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
