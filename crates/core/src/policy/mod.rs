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
pub mod fix;
pub mod node;
pub mod problem;
mod read;
pub mod schema;
mod syntax;

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

    /// Adds a file that is read beside the policy, so that problems can stand in it; no other file changes its index.
    pub fn add(&mut self, file: File) -> Option<u16> {
        let index = u16::try_from(self.files.len()).ok()?;
        self.files.push(file);
        Some(index)
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

    /// The files that hold the cases of the policy in the folder `base`, which is empty for the one that was asked for.
    pub fn cases<'f>(&'f self, base: &str) -> impl Iterator<Item = (u16, &'f File)> {
        let folder = join(base, "cases").unwrap_or_default() + "/";
        let numbered = self.files.iter().enumerate();
        numbered
            .filter(move |(_, file)| file.path.starts_with(&folder))
            .filter_map(|(index, file)| Some((u16::try_from(index).ok()?, file)))
    }

    /// Where the policy in the folder `base` says that its parent is, as a folder below these files (`../group`). A caller
    /// that reads folders adds the parent's files with this in front of their paths, and asks again with it as `base`.
    #[must_use]
    pub fn parent_of(&self, base: &str) -> Option<String> {
        let (index, root) = self.find(&join(base, ROOT)?)?;
        let tree = node::parse(index, &root.text, &mut Vec::new())?;
        let node::Value::Map(entries) = &tree.value else {
            return None;
        };
        let reference = entries.iter().find(|entry| entry.key == "extends")?;
        match &reference.node.value {
            node::Value::Scalar { text, .. } => parent_folder(base, text),
            node::Value::List(_) | node::Value::Map(_) => None,
        }
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

/// A path below a folder, without `.` and with `..` only at its beginning; `None` if it is absolute or leads nowhere.
pub(crate) fn join(folder: &str, path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with('/') || path.contains('\\') {
        return None;
    }
    let mut steps: Vec<&str> = Vec::new();
    for step in folder.split('/').chain(path.split('/')) {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => _ = steps.pop(),
            step => steps.push(step),
        }
    }
    Some(steps.join("/"))
}

/// The folder that an `extends` of the policy in `base` names; naming the document in it means the same.
fn parent_folder(base: &str, reference: &str) -> Option<String> {
    let folder = reference.strip_suffix(ROOT).filter(|folder| folder.ends_with('/'));
    join(base, folder.unwrap_or(reference))
}

/// The digest of a policy: SHA-256 over its files' sorted paths and bytes, includes and parents in, cases out. Paths are as
/// seen from the policy's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PolicyDigest([u8; 32]);

impl PolicyDigest {
    /// Of paths and texts, in the order of the paths.
    fn of<'f>(files: impl Iterator<Item = (&'f str, &'f str)>) -> Self {
        let mut hash = Sha256::new();
        for (path, text) in files {
            for field in [path.as_bytes(), text.as_bytes()] {
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

/// Reads, checks and compiles a policy. `now` is for what expires.
#[must_use]
pub fn load(files: &Files, catalog: &Catalog, now: jiff::Timestamp) -> Loaded {
    load_with(files, catalog, now, true)
}

/// The same without the checks that ask about all requests at once, which only warn: for those who want to use the policy
/// rather than to know what could be better. A child is still compared with its parent, since that can be an error.
#[must_use]
pub fn load_for_use(files: &Files, catalog: &Catalog, now: jiff::Timestamp) -> Loaded {
    load_with(files, catalog, now, false)
}

fn load_with(files: &Files, catalog: &Catalog, now: jiff::Timestamp, questions: bool) -> Loaded {
    let mut problems = Vec::new();
    let document = read::document(files, &mut problems);
    let cases = cases::read(files, document.as_ref(), &mut problems);
    let mut policy = None;
    // What a policy extends is a policy by itself.
    let mut above = document.as_ref().and_then(|document| document.parent.as_deref());
    while let Some(parent) = above {
        let mut of_parent = Vec::new();
        let context = check::Context {
            document: parent,
            catalog,
            cases: &cases,
            now,
        };
        check::all(&context, &mut of_parent);
        of_parent.retain(|problem| problem.severity == Severity::Error);
        stand_in_root(files, parent, of_parent.iter_mut());
        problems.append(&mut of_parent);
        above = parent.parent.as_deref();
    }
    if let Some(document) = &document {
        let known = problems.len();
        let context = check::Context {
            document,
            catalog,
            cases: &cases,
            now,
        };
        check::all(&context, &mut problems);
        if !problems.iter().any(|problem| problem.severity == Severity::Error) {
            policy = compile::compile(document, &mut problems);
            if let Some(policy) = policy.as_ref().filter(|_| questions || document.parent.is_some()) {
                check::compiled(&context, policy, &mut problems);
            }
        }
        stand_in_root(files, document, problems.iter_mut().skip(known));
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

/// What is missing stands nowhere; then it is missing in the document itself, not in the file that happens to come first.
fn stand_in_root<'p>(files: &Files, document: &Document, problems: impl Iterator<Item = &'p mut Problem>) {
    let root = join(&document.base, ROOT).and_then(|path| Some(files.find(&path)?.0));
    for problem in problems.filter(|problem| problem.place == node::Place::default()) {
        problem.place.file = root.unwrap_or_default();
    }
}
