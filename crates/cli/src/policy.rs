//! Reading the policy that a verb was pointed at.

use std::path::Path;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use ordain_core::catalog::Catalog;
use ordain_core::policy::problem::Severity;
use ordain_core::policy::{Files, Loaded, load};
use ordain_server::policy_files;

/// A policy folder that was read, with everything that was found in it.
pub(crate) struct Read {
    pub(crate) files: Files,
    pub(crate) loaded: Loaded,
    pub(crate) catalog: Catalog,
}

/// Reads and checks the policy in `dir`, which is a policy folder or a folder that `up` made.
pub(crate) fn read(dir: &Path) -> anyhow::Result<Read> {
    let folder = policy_files::find(dir)?;
    let files = policy_files::read(&folder)?;
    let catalog = Catalog::built_in();
    let loaded = load(&files, &catalog, Timestamp::now());
    Ok(Read { files, loaded, catalog })
}

impl Read {
    /// How many errors and warnings there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let errors = self
            .loaded
            .problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .count();
        (errors, self.loaded.problems.len() - errors)
    }

    /// The policy, or an error that shows why there is none.
    pub(crate) fn usable(self) -> anyhow::Result<(ordain_core::policy::compile::Policy, Loaded, Catalog)> {
        let (errors, _) = self.counts();
        if errors > 0 {
            let shown = self
                .loaded
                .problems
                .iter()
                .filter(|problem| problem.severity == Severity::Error);
            let text: Vec<String> = shown.map(|problem| self.files.render(problem)).collect();
            bail!(
                "the policy has {errors} error(s); `ordain check` shows them with warnings\n\n{}",
                text.join("\n")
            );
        }
        let Self {
            mut loaded, catalog, ..
        } = self;
        let policy = loaded.policy.take().context("the policy could not be compiled")?;
        Ok((policy, loaded, catalog))
    }
}
