//! Policies: read, checked, compiled.
//!
//! ```text
//! document::read(files)            -> Document   shape and places
//! check::all(&document, …)         -> Problems   meaning
//! compile::compile(&document)      -> Policy     cannot be built from a document with errors
//! ```
//!
//! [`load`] does the three in one step and reports all problems at once. Read [`Files`], then [`document::Document`].

pub mod cases;
pub mod check;
pub mod compile;
pub mod document;
pub mod fields;
pub mod node;
pub mod problem;
mod read;

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::catalog::Catalog;
use cases::Case;
use compile::Policy;
use document::Document;
use problem::{Problem, Severity};

/// The files of one policy folder, as the caller read them.
#[derive(Debug, Clone, Default)]
pub struct Files {
    files: Vec<File>,
}

/// One file.
#[derive(Debug, Clone)]
pub struct File {
    /// Path below the policy folder, with `/` between names.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The name of the document itself.
pub const ROOT: &str = "policy.yaml";

impl Files {
    /// The files, in any order.
    #[must_use]
    pub fn new(mut files: Vec<File>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    /// A policy of one file, without cases.
    #[must_use]
    pub fn single(text: &str) -> Self {
        Self::new(vec![File {
            path: ROOT.to_owned(),
            text: text.to_owned(),
        }])
    }

    /// The file at `path` with its index.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<(u16, &File)> {
        let index = self.files.iter().position(|file| file.path == path)?;
        Some((u16::try_from(index).ok()?, self.files.get(index)?))
    }

    /// Every file, by path.
    pub fn iter(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The file with an index.
    #[must_use]
    pub fn get(&self, index: u16) -> Option<&File> {
        self.files.get(usize::from(index))
    }

    /// The files that hold cases.
    pub fn cases(&self) -> impl Iterator<Item = (u16, &File)> {
        let numbered = self.files.iter().enumerate();
        numbered
            .filter(|(_, file)| file.path.starts_with("cases/"))
            .filter_map(|(index, file)| Some((u16::try_from(index).ok()?, file)))
    }

    /// A problem as text, with its line.
    #[must_use]
    pub fn render(&self, problem: &Problem) -> String {
        let (path, text) = self
            .get(problem.place.file)
            .map_or((ROOT, ""), |file| (&file.path, &file.text));
        problem.render(path, text)
    }
}

/// The digest of a policy: SHA-256 over its files' sorted paths and bytes, includes in, cases out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PolicyDigest([u8; 32]);

impl PolicyDigest {
    fn of<'f>(files: impl Iterator<Item = &'f File>) -> Self {
        let mut hash = Sha256::new();
        for file in files {
            for field in [file.path.as_bytes(), file.text.as_bytes()] {
                hash.update((field.len() as u64).to_be_bytes());
                hash.update(field);
            }
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for PolicyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What loading a policy gives: the policy if it can be used, and every problem either way.
#[derive(Debug)]
pub struct Loaded {
    /// The policy, unless a problem is an error.
    pub policy: Option<Policy>,
    /// The document as far as it could be read.
    pub document: Option<Document>,
    /// Its cases.
    pub cases: Vec<Case>,
    /// All problems, in document order.
    pub problems: Vec<Problem>,
}

/// Reads, checks and compiles a policy. `today` is for what expires.
#[must_use]
pub fn load(files: &Files, catalog: &Catalog, now: jiff::Timestamp) -> Loaded {
    let mut problems = Vec::new();
    let document = read::document(files, &mut problems);
    let cases = cases::read(files, &mut problems);
    let mut policy = None;
    if let Some(document) = &document {
        let context = check::Context {
            document,
            catalog,
            cases: &cases,
            now,
        };
        check::all(&context, &mut problems);
        if !problems.iter().any(|problem| problem.severity == Severity::Error) {
            policy = compile::compile(document, &mut problems);
        }
    }
    problems.sort_by(|a, b| (a.place, a.code).cmp(&(b.place, b.code)));
    problems.dedup();
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        policy = None;
    }
    Loaded {
        policy,
        document,
        cases,
        problems,
    }
}
