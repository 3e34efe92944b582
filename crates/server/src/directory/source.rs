//! Where the directory comes from: one file of three kinds in the gateway's folder.

use std::path::PathBuf;

use ordain_core::policy::node::Place;
use ordain_core::policy::problem::Problem;
use thiserror::Error;

use super::{Directory, csv, ldif, parse};
use crate::setup::Folder;

/// The file of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    format: Format,
}

/// What a directory is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Yaml,
    Csv,
    Ldif,
}

/// There is more than one, and nobody could say which counts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there are two directories, `{}` and `{}`: keep one of them", one.display(), other.display())]
pub struct Several {
    one: PathBuf,
    other: PathBuf,
}

impl Source {
    /// The files that may be a directory, there or not.
    #[must_use]
    pub fn possible(folder: &Folder) -> [PathBuf; 3] {
        let yaml = folder.directory();
        [yaml.clone(), yaml.with_extension("csv"), yaml.with_extension("ldif")]
    }

    /// The one that is there; `None` without any.
    ///
    /// # Errors
    ///
    /// [`Several`].
    pub fn find(folder: &Folder) -> Result<Option<Self>, Several> {
        let formats = [Format::Yaml, Format::Csv, Format::Ldif];
        let mut found = Self::possible(folder)
            .into_iter()
            .zip(formats)
            .filter(|(path, _)| path.is_file())
            .map(|(path, format)| Self { path, format });
        let first = found.next();
        match (first, found.next()) {
            (Some(one), Some(other)) => Err(Several {
                one: one.path,
                other: other.path,
            }),
            (first, _) => Ok(first),
        }
    }

    /// Its file name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.format {
            Format::Yaml => "directory.yaml",
            Format::Csv => "directory.csv",
            Format::Ldif => "directory.ldif",
        }
    }

    /// Reads its text; problems are added to `problems`.
    #[must_use]
    pub fn parse(&self, text: &str, problems: &mut Vec<Problem>) -> Directory {
        match self.format {
            Format::Yaml => parse(text, problems),
            Format::Csv => csv::parse(text, problems),
            Format::Ldif => ldif::parse(text, problems),
        }
    }
}

/// A whole line, from 1.
pub(super) fn line(number: usize) -> Place {
    Place {
        file: 0,
        line: u32::try_from(number).unwrap_or(u32::MAX),
        column: 1,
        length: u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn one_file_counts_and_two_are_too_many() {
        let dir = TempDir::new().expect("a folder");
        let folder = Folder::new(dir.path());
        assert_eq!(Source::find(&folder), Ok(None));
        fs::write(dir.path().join("directory.csv"), "principal,groups\nann,staff\n").expect("written");
        let source = Source::find(&folder).expect("one").expect("there");
        assert_eq!(source.name(), "directory.csv");
        let directory = source.parse("principal,groups\nann,staff\n", &mut Vec::new());
        assert!(directory.knows("ann"));
        fs::write(dir.path().join("directory.ldif"), "").expect("written");
        let said = Source::find(&folder).expect_err("two").to_string();
        assert!(
            said.contains("directory.csv` and `") && said.contains("directory.ldif`: keep one"),
            "{said}"
        );
    }
}
