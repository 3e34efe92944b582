//! Reading the policy that a verb was pointed at.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use ordain_core::catalog::Catalog;
use ordain_core::policy::problem::Severity;
use ordain_core::policy::{Files, Loaded, load, load_for_use};
use ordain_server::policy_files;

/// A policy folder that was read, with everything that was found in it.
pub(crate) struct Read {
    /// The policy folder itself.
    pub(crate) folder: PathBuf,
    pub(crate) files: Files,
    pub(crate) loaded: Loaded,
    pub(crate) catalog: Catalog,
}

/// Reads and checks the policy in `dir`, which is a policy folder or a folder that `up` made.
pub(crate) fn read(dir: &Path) -> anyhow::Result<Read> {
    let folder = policy_files::find(dir)?;
    let files = policy_files::read(&folder)?;
    Ok(checked(folder, files))
}

/// Reads the policy in `dir` for use: what could only warn is not asked about all requests.
pub(crate) fn read_for_use(dir: &Path) -> anyhow::Result<Read> {
    let folder = policy_files::find(dir)?;
    let files = policy_files::read(&folder)?;
    let catalog = Catalog::built_in();
    let loaded = load_for_use(&files, &catalog, Timestamp::now());
    Ok(Read {
        folder,
        files,
        loaded,
        catalog,
    })
}

/// Checks files of a policy folder.
pub(crate) fn checked(folder: PathBuf, files: Files) -> Read {
    let catalog = Catalog::built_in();
    let loaded = load(&files, &catalog, Timestamp::now());
    Read {
        folder,
        files,
        loaded,
        catalog,
    }
}

/// Puts a text in the place of a file's, wholly or not at all, if the file still is what was read.
pub(crate) fn replace(path: &Path, read: &str, text: &str) -> anyhow::Result<()> {
    let shown = path.display();
    let there = fs::read_to_string(path).with_context(|| format!("`{shown}` could not be read"))?;
    if there != read {
        bail!("`{shown}` has been changed by somebody else; run it again");
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Hidden, so that nobody takes it for a file of the policy.
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = fs::File::create_new(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::metadata(path)?.permissions())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| format!("`{shown}` could not be written"))
}

/// How many problems there are of each severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) notes: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let Self {
            errors,
            warnings,
            notes,
        } = *self;
        write!(
            f,
            "{errors} error{}, {warnings} warning{}",
            plural(errors),
            plural(warnings)
        )?;
        write!(f, ", {notes} note{}", plural(notes))
    }
}

impl Read {
    /// How many problems there are.
    pub(crate) fn counts(&self) -> Counts {
        let of = |severity| {
            let problems = self.loaded.problems.iter();
            problems.filter(|problem| problem.severity == severity).count()
        };
        Counts {
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            notes: of(Severity::Note),
        }
    }

    /// The policy, or an error that shows why there is none.
    pub(crate) fn usable(self) -> anyhow::Result<(ordain_core::policy::compile::Policy, Loaded, Catalog)> {
        let Counts { errors, .. } = self.counts();
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
