//! Changes of an alias by command: another version in use, and back. The file keeps its comments and its order.
//!
//! A change is made where the words stand, and the file that comes out is read again: it counts only if it says exactly what
//! was meant. Read [`Change::of`] first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use ordain_core::policy::node::{self, Entry, Node, Place, Value};
use thiserror::Error;

use super::models::{Alias, State};
use super::{Config, parse};

/// What is to become of an alias.
#[derive(Debug, Clone, Copy)]
pub enum Step<'s> {
    /// A version is put in use: the one that is named, else the candidate.
    Promote(Option<&'s str>),
    /// The last step is taken back: a candidate that has a share is withdrawn, else the version before is in use again.
    Rollback,
}

/// A change of the configuration.
#[derive(Debug)]
pub struct Change {
    /// The file as it is to be.
    pub text: String,
    /// The alias as it then is.
    pub alias: Alias,
    /// The label of the version that was in use or on trial until then.
    pub left: String,
}

/// Why an alias is not changed.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// The configuration has problems of its own.
    #[error("the configuration cannot be used as it is; `ordain serve --check` says why")]
    Unusable,
    /// There is no such alias.
    #[error("there is no alias `{0}` in the configuration")]
    NoAlias(String),
    /// There is no such version.
    #[error("`{alias}` has no version `{version}`; it has {known}")]
    NoVersion {
        /// The alias.
        alias: String,
        /// What was asked for.
        version: String,
        /// The labels that there are.
        known: String,
    },
    /// Nothing is on trial.
    #[error("`{0}` has no candidate; name the version to put in use")]
    NoCandidate(String),
    /// It is in use.
    #[error("`{1}` is the version of `{0}` in use already")]
    InUse(String, String),
    /// There is nothing to go back to.
    #[error("`{0}` has no approved version to go back to; `ordain model promote {0} VERSION` puts one in use")]
    NoWayBack(String),
    /// The file is written in a way that cannot be changed in place.
    #[error("the entry of `{0}` cannot be changed in place; change it by hand")]
    Place(String),
}

impl Change {
    /// The configuration in `text` after a step of one alias.
    ///
    /// # Errors
    ///
    /// [`ChangeError`], with nothing changed.
    pub fn of(text: &str, name: &str, step: Step<'_>) -> Result<Self, ChangeError> {
        let read = |text: &str| parse(text, &mut Vec::new());
        let config = read(text).ok_or(ChangeError::Unusable)?;
        let (place, alias) = find(&config, name)?;
        let (wanted, left) = after(alias, step)?;
        let mut expected = config.models.clone();
        if let Some(slot) = expected.get_mut(place) {
            slot.clone_from(&wanted);
        }
        // `before` may have to be added, and how that is written depends on the map around it.
        let written = [true, false]
            .into_iter()
            .filter_map(|block| edited(text, name, alias, &wanted, block))
            .find(|text| read(text).is_some_and(|config| config.models == expected));
        Ok(Self {
            text: written.ok_or_else(|| ChangeError::Place(name.to_owned()))?,
            alias: wanted,
            left,
        })
    }

    /// Puts the change in the place of `path` in one step: who reads it sees the file before or after, and no other.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or another change is under way.
    pub fn put(&self, path: &Path) -> io::Result<()> {
        let path = fs::canonicalize(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.new"));
        let mode = fs::metadata(&path)?.permissions().mode();
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&beside)?;
        let written = file
            .write_all(self.text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&beside, &path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

fn find<'c>(config: &'c Config, name: &str) -> Result<(usize, &'c Alias), ChangeError> {
    let mut aliases = config.models.iter().enumerate();
    let found = aliases.find(|(_, alias)| alias.name == name);
    found.ok_or_else(|| ChangeError::NoAlias(name.to_owned()))
}

/// An alias after a step, and the version that has left.
fn after(alias: &Alias, step: Step<'_>) -> Result<(Alias, String), ChangeError> {
    let name = || alias.name.clone();
    let mut next = alias.clone();
    let label = |place: usize| {
        alias
            .versions
            .get(place)
            .map(|one| one.label.clone())
            .unwrap_or_default()
    };
    let mut state = |place: usize, state| {
        if let Some(version) = next.versions.get_mut(place) {
            version.state = state;
        }
    };
    let candidate = alias.candidate();
    let left = match step {
        Step::Promote(version) => {
            let place = match version {
                Some(wanted) => alias
                    .versions
                    .iter()
                    .position(|one| one.label == wanted)
                    .ok_or_else(|| {
                        let known: Vec<&str> = alias.versions.iter().map(|one| one.label.as_str()).collect();
                        ChangeError::NoVersion {
                            alias: name(),
                            version: wanted.to_owned(),
                            known: known.join(", "),
                        }
                    })?,
                None => candidate.ok_or_else(|| ChangeError::NoCandidate(name()))?,
            };
            if place == alias.in_use {
                return Err(ChangeError::InUse(name(), label(place)));
            }
            state(place, State::Approved);
            (next.in_use, next.before) = (place, Some(alias.in_use));
            alias.in_use
        }
        Step::Rollback => match (candidate.filter(|_| alias.canary > 0), alias.before) {
            (Some(candidate), _) => {
                state(candidate, State::Retired);
                candidate
            }
            (None, Some(before)) if is_ready(alias, before) => {
                state(alias.in_use, State::Retired);
                (next.in_use, next.before) = (before, Some(alias.in_use));
                alias.in_use
            }
            (None, _) => return Err(ChangeError::NoWayBack(name())),
        },
    };
    let left = label(left);
    Ok((next, left))
}

fn is_ready(alias: &Alias, place: usize) -> bool {
    place != alias.in_use
        && alias
            .versions
            .get(place)
            .is_some_and(|one| one.state == State::Approved)
}

/// The file with the words of one alias changed; `block` says how a line is added to it.
fn edited(text: &str, name: &str, from: &Alias, to: &Alias, block: bool) -> Option<String> {
    let tree = node::parse(0, text, &mut Vec::new())?;
    let alias = &member(&member(&tree, "models")?.node, name)?.node;
    let label = |place: usize| to.versions.get(place).map(|one| scalar(&one.label));
    let mut changes: Vec<(Place, String)> = Vec::new();
    let in_use = member(alias, "use")?;
    let mut used = label(to.in_use)?;
    if let Some(before) = to.before.filter(|_| to.before != from.before) {
        match member(alias, "before") {
            Some(entry) => changes.push((entry.node.place, label(before)?)),
            None if block => {
                let indent = " ".repeat((in_use.key_place.column as usize).saturating_sub(1));
                used.push_str(&format!("\n{indent}before: {}", label(before)?));
            }
            None => used.push_str(&format!(", before: {}", label(before)?)),
        }
    }
    if to.in_use != from.in_use {
        changes.push((in_use.node.place, used));
    }
    let versions = &member(alias, "versions")?.node;
    for (one, other) in from.versions.iter().zip(&to.versions) {
        if one.state != other.state {
            let state = member(&member(versions, &one.label)?.node, "state")?;
            changes.push((state.node.place, other.state.as_str().to_owned()));
        }
    }
    changes.sort_by_key(|(place, _)| (place.line, place.column));
    let mut out = text.to_owned();
    for (place, new) in changes.iter().rev() {
        let start = offset(text, *place)?;
        let length: usize = text
            .get(start..)?
            .chars()
            .take(place.length as usize)
            .map(char::len_utf8)
            .sum();
        out.replace_range(start..start + length, new);
    }
    Some(out)
}

fn member<'n>(node: &'n Node, key: &str) -> Option<&'n Entry> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
        Value::Scalar { .. } | Value::List(_) => None,
    }
}

/// A label as YAML has it: plain where that can be read in one way only.
fn scalar(label: &str) -> String {
    let plain = label.starts_with(|first: char| first.is_ascii_alphabetic())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !["true", "false", "null"].contains(&label.to_ascii_lowercase().as_str());
    if plain {
        label.to_owned()
    } else {
        serde_json::Value::from(label).to_string()
    }
}

/// The byte at a place.
fn offset(text: &str, place: Place) -> Option<usize> {
    let before = (place.line as usize).checked_sub(1)?;
    let line: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let within = (place.column as usize).checked_sub(1)?;
    let columns: usize = text.get(line..)?.chars().take(within).map(char::len_utf8).sum();
    Some(line + columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "# The gateway of Northwind.
listen: 127.0.0.1:0
upstreams:
  - {app: openai-api, dialect: openai, url: 'https://one.example'}   # größer
models:
  assistant:            # what staff asks for
    use: stable   # since May
    canary: 10
    versions:
      stable: {state: approved, upstream: openai-api, model: gpt-5}
      'next':
        state: \"candidate\"   # on trial
        upstream: openai-api
        model: gpt-6
  other: {use: v, versions: {v: {state: approved, upstream: openai-api}, '2': {state: retired, upstream: openai-api}}}
";

    fn step(text: &str, name: &str, step: Step<'_>) -> Change {
        Change::of(text, name, step).expect("a change")
    }

    /// The lines that differ.
    fn changed(before: &str, after: &str) -> Vec<String> {
        let known: Vec<&str> = before.lines().collect();
        after
            .lines()
            .filter(|line| !known.contains(line))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_promotion_changes_its_words_and_a_rollback_brings_the_version_back() {
        let promoted = step(BLOCK, "assistant", Step::Promote(None));
        assert_eq!(promoted.left, "stable");
        assert_eq!(
            changed(BLOCK, &promoted.text),
            [
                "    use: next",
                "    before: stable   # since May",
                "        state: approved   # on trial"
            ]
        );
        let back = step(&promoted.text, "assistant", Step::Rollback);
        assert_eq!((back.left.as_str(), back.alias.in_use), ("next", 0));
        assert_eq!(
            changed(&promoted.text, &back.text),
            [
                "    use: stable",
                "    before: next   # since May",
                "        state: retired   # on trial"
            ]
        );
        let none = Change::of(&back.text, "assistant", Step::Rollback).expect_err("nothing is left");
        assert!(matches!(none, ChangeError::NoWayBack(_)), "{none}");
        let again = step(&back.text, "assistant", Step::Promote(Some("next")));
        assert_eq!(again.text, promoted.text);
    }

    #[test]
    fn a_rollback_first_withdraws_what_is_on_trial() {
        let back = step(BLOCK, "assistant", Step::Rollback);
        assert_eq!((back.left.as_str(), back.alias.in_use), ("next", 0));
        assert_eq!(changed(BLOCK, &back.text), ["        state: retired   # on trial"]);
    }

    #[test]
    fn an_entry_on_one_line_is_changed_there() {
        let promoted = step(BLOCK, "other", Step::Promote(Some("2")));
        assert_eq!(
            changed(BLOCK, &promoted.text),
            [
                "  other: {use: \"2\", before: v, versions: {v: {state: approved, upstream: openai-api}, '2': {state: approved, upstream: openai-api}}}"
            ]
        );
    }

    #[test]
    fn what_cannot_be_done_is_said_and_nothing_changes() {
        let said = |name, step| Change::of(BLOCK, name, step).expect_err("impossible").to_string();
        assert_eq!(
            said("nobody", Step::Rollback),
            "there is no alias `nobody` in the configuration"
        );
        assert_eq!(
            said("other", Step::Promote(None)),
            "`other` has no candidate; name the version to put in use"
        );
        assert_eq!(
            said("other", Step::Promote(Some("w"))),
            "`other` has no version `w`; it has v, 2"
        );
        assert_eq!(
            said("other", Step::Promote(Some("v"))),
            "`v` is the version of `other` in use already"
        );
        let broken = Change::of("models: {a: {use: v}}", "a", Step::Rollback).expect_err("broken");
        assert!(matches!(broken, ChangeError::Unusable));
    }

    #[test]
    fn the_file_is_replaced_in_one_step_with_its_permissions() {
        let dir = tempfile::TempDir::new().expect("a folder");
        let path = dir.path().join("ordain.yaml");
        fs::write(&path, BLOCK).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
        let change = step(BLOCK, "assistant", Step::Promote(None));
        change.put(&path).expect("put");
        assert_eq!(fs::read_to_string(&path).expect("read"), change.text);
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1);
        // Another change is under way.
        fs::write(dir.path().join(".ordain.yaml.new"), "").expect("written");
        assert_eq!(
            change.put(&path).expect_err("busy").kind(),
            io::ErrorKind::AlreadyExists
        );
    }
}
