//! The clause library: clauses with profiles, and the way from an organisation's answers to a policy folder.
//!
//! ```text
//! Library::built_in()                        clauses and profiles, as data in policies/library
//! Answers::parse(text, &library, &catalog)   what an organisation said, with all problems
//! assemble::assemble(&library, …)            the policy's files, what was decided, and a summary
//! insert::insert(&files, …)                  one clause more in a policy that is there
//! ```
//!
//! Data in, text out. Whether the result is a good policy is for [`crate::policy::load`] to say. Read [`Library`] first,
//! then [`answers::Answers`].

pub mod answers;
pub mod assemble;
pub mod cast;
pub mod clause;
mod frame;
pub mod insert;
pub mod profile;
pub mod questions;
pub mod regulation;
mod summary;
pub mod words;

use std::sync::LazyLock;

use crate::policy::fields::Reader;
use crate::policy::node;
use crate::policy::problem::Problem;
use clause::Clause;
use profile::Profile;

/// What organisations can adopt.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// The profiles.
    pub profiles: Vec<Profile>,
    /// The clauses, in the order of the sections.
    pub clauses: Vec<Clause>,
}

/// A file of the library: its path below `policies/library`, and its text.
type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$((
            concat!($folder, "/", $name, ".yaml"),
            include_str!(concat!("../../../../policies/library/", $folder, "/", $name, ".yaml")),
        )),+]
    };
}

const PROFILES: &[File] =
    files!("profiles": "builds-models", "integrates-apis", "uses-saas", "public-tools", "regulated");

const CLAUSES: &[File] = files!("clauses":
    "purpose", "scope", "roles", "applications", "acceptable_use", "access", "data", "shadow_ai", "transparency", "risk",
    "compliance", "monitoring", "education", "consequences",
);

impl Library {
    /// The library that comes with the program.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static LIBRARY: LazyLock<Library> = LazyLock::new(|| Library::read(PROFILES, CLAUSES).0);
        &LIBRARY
    }

    /// Reads files of profiles and of clauses; each problem comes with the path of its file.
    fn read(profiles: &[File], clauses: &[File]) -> (Self, Vec<(String, Problem)>) {
        let mut library = Self::default();
        let mut problems = Vec::new();
        for (path, text) in profiles {
            let mut reader = Reader::default();
            if let Some(tree) = node::parse(0, text, &mut reader.problems) {
                library.profiles.extend(profile::read(&tree, &mut reader));
            }
            problems.extend(reader.problems.into_iter().map(|problem| ((*path).to_owned(), problem)));
        }
        for (path, text) in clauses {
            let mut reader = Reader::default();
            if let Some(tree) = node::parse(0, text, &mut reader.problems) {
                library.clauses.extend(clause::read(&tree, &mut reader));
            }
            problems.extend(reader.problems.into_iter().map(|problem| ((*path).to_owned(), problem)));
        }
        (library, problems)
    }

    /// The clause with an id.
    #[must_use]
    pub fn clause(&self, id: &str) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.id == id)
    }

    /// The profile with an id.
    #[must_use]
    pub fn profile(&self, id: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.id == id)
    }
}

#[cfg(test)]
mod tests;
