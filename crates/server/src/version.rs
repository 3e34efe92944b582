//! One version of what a gateway runs on: policy, directory and configuration, read from a folder together.
//!
//! Either everything can be used or nothing is: a problem in one of the files is an error with all of its problems, and
//! whoever has an older version keeps that. Read [`Version::read`] first.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use ordain_core::catalog::Catalog;
use ordain_core::policy::compile::Policy;
use ordain_core::policy::document::Document;
use ordain_core::policy::load_for_use;
use ordain_core::policy::problem::{Problem, Severity};
use rustls::ServerConfig;
use thiserror::Error;

use crate::certificates::Certificates;
use crate::config::{self, Config, Upstream};
use crate::directory::{Directory, Several, Source};
use crate::identity::{self, KeyFileUnusable};
use crate::policy_files::{self, ReadError};
use crate::setup::{self, Folder, SetupError};
use crate::tls::{self, TlsError};
use crate::training::{self, Columns};

/// Policy, directory and configuration that belong together.
#[derive(Debug)]
pub struct Version {
    /// The compiled policy.
    pub policy: Policy,
    /// Who is in which group, and who has completed which course.
    pub directory: Directory,
    /// The configuration, with what the command line gave in place of the file's.
    pub config: Config,
    /// What clients' connections are secured with.
    pub tls: Option<Arc<ServerConfig>>,
    /// What clients' certificates are verified by, and whom they stand for.
    pub certificates: Option<Arc<Certificates>>,
}

/// What the command line gives; it goes before the file.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The address to listen on.
    pub listen: Option<String>,
    /// The upstreams; those of the file when empty.
    pub upstreams: Vec<Upstream>,
}

/// Why a version cannot be used.
#[derive(Debug, Error)]
pub enum VersionError {
    /// The policy folder could not be read.
    #[error(transparent)]
    PolicyFolder(#[from] ReadError),
    /// Another file could not be read.
    #[error(transparent)]
    File(#[from] SetupError),
    /// It is not clear which file is the directory.
    #[error(transparent)]
    Directory(#[from] Several),
    /// The certificate cannot be used.
    #[error("the certificate cannot be used: {}", described(.0))]
    Tls(#[from] TlsError),
    /// A file of an issuer's keys cannot be used.
    #[error("{}", described(.0))]
    Keys(#[from] KeyFileUnusable),
    /// A file was read and has problems.
    #[error("{what} cannot be used\n\n{shown}")]
    Problems {
        /// Of what kind the file is.
        what: &'static str,
        /// Its problems, as people read them.
        shown: String,
    },
}

impl Version {
    /// Reads what is in a folder now.
    ///
    /// # Errors
    ///
    /// [`VersionError`]; all problems of the first file that has some.
    pub fn read(folder: &Folder, given: &Given) -> Result<Self, VersionError> {
        let mut config = configuration(folder, given)?;
        identity::prepare(&mut config.issuers, folder.path())?;
        let (policy, document) = policy(folder.path())?;
        let directory = people(folder, document.as_ref())?;
        let tls = config.tls.as_ref();
        let certificates = tls.and_then(|tls| tls.clients.as_ref());
        let certificates = certificates.map(|clients| Certificates::read(clients, folder.path()));
        let certificates = certificates.transpose()?.map(Arc::new);
        let server = tls.map(|tls| tls::server(tls, certificates.as_deref(), folder.path()));
        Ok(Self {
            tls: server.transpose()?,
            certificates,
            policy,
            directory,
            config,
        })
    }
}

fn configuration(folder: &Folder, given: &Given) -> Result<Config, VersionError> {
    let text = setup::read(&folder.config())?;
    let mut problems = Vec::new();
    let config = config::parse(&text, &mut problems);
    let mut config = config.ok_or_else(|| unusable("the configuration", &problems, &folder.config(), &text))?;
    if !given.upstreams.is_empty() {
        config.upstreams.clone_from(&given.upstreams);
    }
    if let Some(listen) = &given.listen {
        config.listen.clone_from(listen);
    }
    Ok(config)
}

/// The policy in a folder. What could only warn is not asked.
fn policy(dir: &Path) -> Result<(Policy, Option<Document>), VersionError> {
    let files = policy_files::read(&policy_files::find(dir)?)?;
    let loaded = load_for_use(&files, &Catalog::built_in(), Timestamp::now());
    let errors = loaded.problems.iter().filter(|one| one.severity == Severity::Error);
    let mut shown = String::new();
    for error in errors {
        let _ = writeln!(shown, "{}", files.render(error));
    }
    match loaded.policy {
        Some(policy) if shown.is_empty() => Ok((policy, loaded.document)),
        _ => Err(VersionError::Problems {
            what: "the policy",
            shown,
        }),
    }
}

/// The directory, with the completions that the policy's courses take from files.
///
/// # Errors
///
/// [`VersionError`].
pub fn people(folder: &Folder, document: Option<&Document>) -> Result<Directory, VersionError> {
    let mut directory = directory(folder)?;
    for (name, courses) in document.map(training::files).into_iter().flatten() {
        let path = folder.training(name);
        if !path.exists() {
            // Without it nobody has completed the course, which is the stricter reading.
            tracing::warn!(file = name, "a course names a file of completions that is not there");
            continue;
        }
        let text = setup::read(&path)?;
        let mut problems = Vec::new();
        let rows = training::parse(&text, &Columns::default(), training::today(), &mut problems);
        if !problems.is_empty() {
            return Err(unusable("the file of completed courses", &problems, &path, &text));
        }
        for row in rows.iter().filter(|row| courses.contains(&row.course.as_str())) {
            let principal = directory.name_of(&row.principal).unwrap_or(&row.principal).to_owned();
            directory.complete(&principal, &row.course, row.on);
        }
    }
    Ok(directory)
}

/// The directory alone; without its file nobody is in a group.
///
/// # Errors
///
/// [`VersionError`].
pub fn directory(folder: &Folder) -> Result<Directory, VersionError> {
    let Some(source) = Source::find(folder)? else {
        return Ok(Directory::default());
    };
    let text = setup::read(&source.path)?;
    let mut problems = Vec::new();
    let directory = source.parse(&text, &mut problems);
    if problems.is_empty() {
        Ok(directory)
    } else {
        Err(unusable("the directory", &problems, &source.path, &text))
    }
}

fn unusable(what: &'static str, problems: &[Problem], path: &Path, text: &str) -> VersionError {
    VersionError::Problems {
        what,
        shown: shown(problems, path, text),
    }
}

/// Problems of a file as people read them, each with its line.
#[must_use]
pub fn shown(problems: &[Problem], path: &Path, text: &str) -> String {
    let path = path.display().to_string();
    let shown: Vec<String> = problems.iter().map(|problem| problem.render(&path, text)).collect();
    shown.join("\n")
}

/// The files and folders that a version is read from, for whoever watches them.
#[must_use]
pub fn sources(folder: &Folder) -> Vec<PathBuf> {
    let policy = policy_files::find(folder.path()).ok();
    let above = policy.as_deref().map(policy_files::parents).unwrap_or_default();
    let files = [folder.config()].into_iter().chain(Source::possible(folder));
    // Files of completions have names of the policy's own; whatever else lies in the folder itself is small.
    let beside = std::fs::read_dir(folder.path()).into_iter().flatten().flatten();
    let csv = beside
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "csv"));
    let text = setup::read(&folder.config()).unwrap_or_default();
    let config = config::parse(&text, &mut Vec::new());
    let tls = config.and_then(|config| config.tls);
    let tls = tls.into_iter().flat_map(|tls| {
        let clients = tls
            .clients
            .into_iter()
            .flat_map(|one| one.crl.into_iter().chain([one.ca]));
        [tls.certificate, tls.key].into_iter().chain(clients)
    });
    let tls = tls.map(|path| folder.path().join(path));
    files.chain(policy).chain(above).chain(csv).chain(tls).collect()
}

/// An error with what caused it.
pub(crate) fn described(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
