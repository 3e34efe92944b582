//! Opening and making a folder (`DIR`): everything that one gateway keeps.
//!
//! ```text
//! DIR/ordain.yaml      where it listens and what it forwards to
//! DIR/directory.yaml   who is in which group; directory.csv or directory.ldif can take its place
//! DIR/training.csv     who has completed which course, if the policy asks
//! DIR/reviews.csv      what people said of decisions, once somebody did
//! DIR/policy/          the document and its cases
//! DIR/store/           records, subjects, hashes of keys
//! DIR/keys/            secrets of this gateway, mode 0600
//! ```

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::{self, Upstream};
use crate::directory::Source;

/// Paths in a folder.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// The starter policy: the document, and its cases.
const STARTER: [(&str, &str); 2] = [
    ("policy.yaml", include_str!("../../../policies/starter/policy.yaml")),
    (
        "cases/starter.yaml",
        include_str!("../../../policies/starter/cases/starter.yaml"),
    ),
];

/// The principal of the first key.
pub const FIRST_PRINCIPAL: &str = "you@example.com";

/// Why a folder could not be made.
#[derive(Debug, Error)]
#[error("`{}` could not be used", path.display())]
pub struct SetupError {
    path: PathBuf,
    source: io::Error,
}

impl Folder {
    /// The folder at a path, there or not.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("ordain.yaml")
    }

    /// The directory file that a first run makes.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.0.join("directory.yaml")
    }

    /// A file with completions of courses, by the name that the policy gives it.
    #[must_use]
    pub fn training(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What people said of decisions.
    #[must_use]
    pub fn reviews(&self) -> PathBuf {
        self.0.join("reviews.csv")
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> PathBuf {
        self.0.join("policy")
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// The gateway's secrets.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Whether a first run has been here.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.config().is_file()
    }

    /// Makes what is not there yet and leaves what is. The configuration comes last: with it the folder counts as made.
    ///
    /// # Errors
    ///
    /// [`SetupError`] with the path that could not be written.
    pub fn make(&self, listen: &str, upstreams: &[Upstream]) -> Result<(), SetupError> {
        for folder in [&self.0, &self.policy().join("cases"), &self.store(), &self.keys()] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|source| SetupError {
                path: folder.clone(),
                source,
            })?;
        }
        if !self.policy().join("policy.yaml").exists() {
            for (path, text) in STARTER {
                write_new(&self.policy().join(path), text)?;
            }
        }
        let directory = format!(
            "# Who is in which group, as the policy's `scope.groups` names them.\npeople:\n  {FIRST_PRINCIPAL}:\n    groups: [staff]\n"
        );
        if !Source::possible(self).iter().any(|path| path.exists()) {
            write_new(&self.directory(), &directory)?;
        }
        write_new(&self.config(), &config::render(listen, upstreams))
    }
}

/// Writes a file with mode 0600 unless it is there.
fn write_new(path: &Path, text: &str) -> Result<(), SetupError> {
    let failed = |source| SetupError {
        path: path.to_owned(),
        source,
    };
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Opens a file of mode 0600 for writing, empty.
pub(crate) fn private(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// Reads a text file, or says which one could not be read.
///
/// # Errors
///
/// [`SetupError`].
pub fn read(path: &Path) -> Result<String, SetupError> {
    fs::read_to_string(path).map_err(|source| SetupError {
        path: path.to_owned(),
        source,
    })
}
