//! Reads a policy folder from disk into the core's [`Files`], with the folders of the policies that it extends.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ordain_core::policy::{File, Files, ROOT};
use thiserror::Error;

/// Why a policy folder could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// There is no policy where one was looked for.
    #[error("there is no policy in `{}`: it has no `{ROOT}`, and neither has its folder `policy`", .0.display())]
    Missing(PathBuf),
    /// A file could not be read.
    #[error("`{}` could not be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is in another encoding.
    #[error("`{}` is not in UTF-8: open it in an editor and save it as UTF-8", .0.display())]
    NotUtf8(PathBuf),
    /// A policy extends itself, by way of others.
    #[error("the policy in `{}` extends itself, by way of what it extends", .0.display())]
    Cycle(PathBuf),
    /// The folder holds far more than a policy.
    #[error("`{}` holds more than {MOST_FILES} YAML files: is it a policy folder?", .0.display())]
    TooMany(PathBuf),
}

const MOST_FILES: usize = 2_000;

/// The policy folder that `dir` means: itself, or the `policy` inside it.
///
/// # Errors
///
/// [`ReadError::Missing`].
pub fn find(dir: &Path) -> Result<PathBuf, ReadError> {
    let candidates = [dir.to_owned(), dir.join("policy")];
    candidates
        .into_iter()
        .find(|folder| folder.join(ROOT).is_file())
        .ok_or_else(|| ReadError::Missing(dir.to_owned()))
}

/// Every YAML file below a policy folder, with paths relative to it, and those of the policies that it extends, with paths
/// such as `../group/policy.yaml`. A parent that is not there is left for the core to report at its line.
///
/// # Errors
///
/// [`ReadError`] with the path that is at fault.
pub fn read(folder: &Path) -> Result<Files, ReadError> {
    let mut found = Vec::new();
    below(folder, "", &mut found)?;
    let mut files = Files::new(found.clone());
    let mut base = String::new();
    let mut seen = vec![real(folder)?];
    while let Some(above) = files.parent_of(&base) {
        let parent = folder.join(&above);
        if !parent.join(ROOT).is_file() {
            break;
        }
        let place = real(&parent)?;
        if seen.contains(&place) {
            return Err(ReadError::Cycle(folder.to_owned()));
        }
        seen.push(place);
        // A parent inside the folder has been read with it.
        if files.find(&format!("{above}/{ROOT}")).is_none() {
            below(&parent, &above, &mut found)?;
            files = Files::new(found.clone());
        }
        base = above;
    }
    Ok(files)
}

/// The folders of the policies that the one in `folder` extends, nearest first.
#[must_use]
pub fn parents(folder: &Path) -> Vec<PathBuf> {
    let Ok(files) = read(folder) else { return Vec::new() };
    let mut base = String::new();
    let mut parents = Vec::new();
    while let Some(above) = files.parent_of(&base) {
        parents.push(folder.join(&above));
        base = above;
    }
    parents
}

fn real(folder: &Path) -> Result<PathBuf, ReadError> {
    fs::canonicalize(folder).map_err(|source| ReadError::Unreadable {
        path: folder.to_owned(),
        source,
    })
}

/// Adds the YAML files below a folder, with `prefix` in front of their paths.
fn below(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<(), ReadError> {
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        let unreadable = |source| ReadError::Unreadable {
            path: current.clone(),
            source,
        };
        for entry in fs::read_dir(&current).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() && !hidden {
                folders.push(path);
            } else if kind.is_file() && !hidden && path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
                if files.len() >= MOST_FILES {
                    return Err(ReadError::TooMany(folder.to_owned()));
                }
                let text = fs::read_to_string(&path).map_err(|source| match source.kind() {
                    io::ErrorKind::InvalidData => ReadError::NotUtf8(path.clone()),
                    _ => ReadError::Unreadable {
                        path: path.clone(),
                        source,
                    },
                })?;
                let inside = path.strip_prefix(folder).unwrap_or(&path);
                let names = inside.iter().map(|name| name.to_string_lossy().into_owned());
                let prefix = Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty());
                files.push(File {
                    path: prefix.into_iter().chain(names).collect::<Vec<_>>().join("/"),
                    text,
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
        fs::write(path, text).expect("a file is written");
    }

    #[test]
    fn a_chain_of_three_is_read_with_each_folder_once() {
        let dir = tempfile::TempDir::new().expect("a folder");
        write(dir.path(), "root/policy.yaml", "ordain: 1\n");
        write(dir.path(), "root/cases/a.yaml", "cases: []\n");
        write(dir.path(), "group/policy.yaml", "extends: ../root\n");
        write(dir.path(), "unit/policy.yaml", "extends: group/policy.yaml\n");
        // This parent lies inside the unit's folder, and its own outside.
        write(dir.path(), "unit/group/policy.yaml", "extends: ../../root\n");
        let files = read(&dir.path().join("unit")).expect("files");
        for path in [
            "policy.yaml",
            "group/policy.yaml",
            "../root/policy.yaml",
            "../root/cases/a.yaml",
        ] {
            assert!(files.find(path).is_some(), "{path}");
        }
        assert!(files.find("../group/policy.yaml").is_none());
        let files = read(&dir.path().join("group")).expect("files");
        assert!(files.find("../root/policy.yaml").is_some());
    }

    #[test]
    fn a_cycle_is_an_error_and_a_parent_that_is_not_there_is_not() {
        let dir = tempfile::TempDir::new().expect("a folder");
        write(dir.path(), "a/policy.yaml", "extends: ../b\n");
        write(dir.path(), "b/policy.yaml", "extends: ../a\n");
        write(dir.path(), "c/policy.yaml", "extends: ../nowhere\n");
        assert!(matches!(read(&dir.path().join("a")), Err(ReadError::Cycle(_))));
        assert!(read(&dir.path().join("c")).is_ok());
    }
}
