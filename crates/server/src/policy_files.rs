//! Reads a policy folder from disk into the core's [`Files`].

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

/// Every YAML file below a policy folder, with paths relative to it.
///
/// # Errors
///
/// [`ReadError`] with the path that is at fault.
pub fn read(folder: &Path) -> Result<Files, ReadError> {
    let mut files = Vec::new();
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
                let text = fs::read_to_string(&path).map_err(|source| ReadError::Unreadable {
                    path: path.clone(),
                    source,
                })?;
                let below = path.strip_prefix(folder).unwrap_or(&path);
                let names: Vec<String> = below.iter().map(|name| name.to_string_lossy().into_owned()).collect();
                files.push(File {
                    path: names.join("/"),
                    text,
                });
            }
        }
    }
    Ok(Files::new(files))
}
