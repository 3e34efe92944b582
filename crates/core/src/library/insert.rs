//! One clause of the library more in a policy that is there, every other byte kept.
//!
//! The clause goes to the end of its section's list, its cases to `cases/<section>.yaml`, its mode into `rollout` where it
//! differs. Nothing is handed back that would give the policy a problem it did not have. Read [`insert`] first.

mod edit;

use jiff::Timestamp;
use thiserror::Error;

use super::answers::{Answers, App, Group, REGULATED, Tier, Tool, ToolKind, Use};
use super::assemble::{case_path, cases_file, fill, is_offered, tags, value};
use super::cast::{Cast, is_word};
use super::clause::{Clause, HeldBy};
use super::{Library, answers::wrong_value};
use crate::catalog::Catalog;
use crate::detect::scanner::Scanner;
use crate::policy::document::{Document, Section};
use crate::policy::fields::Reader;
use crate::policy::node::{self, Value};
use crate::policy::problem::{Problem, Severity};
use crate::policy::{self, File, Files, Loaded, ROOT, cases};
use crate::verdict::Mode;

/// Why a clause was not put in.
#[derive(Debug, Error)]
pub enum InsertError {
    /// The library has no such clause.
    #[error("{0}")]
    Unknown(String),
    /// The policy has it already.
    #[error("the policy has a clause `{id}` already, at {place}")]
    Duplicate {
        /// Its id.
        id: String,
        /// Where.
        place: String,
    },
    /// It speaks of what the organisation has not named.
    #[error("`{id}` needs to know who or what {words} stands for; say it with `--set {first}=…`")]
    Missing {
        /// The clause.
        id: String,
        /// The words.
        words: String,
        /// The first of them.
        first: String,
    },
    /// A value that a parameter cannot have.
    #[error("{0}")]
    Value(String),
    /// The document is laid out in a way that no line can be put into.
    #[error("{0}")]
    Shape(String),
    /// The policy cannot be read.
    #[error("the policy has errors of its own; `ordain check` shows them")]
    Broken,
    /// The result would have errors that the policy did not have.
    #[error("with `{id}` the policy would have new errors, so nothing was written\n\n{shown}")]
    Errors {
        /// The clause.
        id: String,
        /// The errors as people read them.
        shown: String,
    },
}

/// What putting a clause in changes.
#[derive(Debug)]
pub struct Insertion {
    /// The files that differ or are new.
    pub files: Vec<File>,
    /// What changed, a sentence each.
    pub said: Vec<String>,
}

/// What somebody wants to put in.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'w> {
    /// The clause's id.
    pub id: &'w str,
    /// Values of its parameters, or of words of the cast.
    pub set: &'w [(String, String)],
    /// What the organisation answered, if that is known.
    pub answers: Option<&'w Answers>,
}

/// Puts a clause of the library into a policy.
///
/// # Errors
///
/// [`InsertError`]; the policy is then left as it is.
pub fn insert(
    library: &Library,
    files: &Files,
    wish: Wish<'_>,
    catalog: &Catalog,
    now: Timestamp,
) -> Result<Insertion, InsertError> {
    let clause = find(library, wish.id)?;
    let before = policy::load(files, catalog, now);
    let document = before.document.as_ref().ok_or(InsertError::Broken)?;
    if let Some(known) = document.clauses.iter().find(|known| known.id.value == clause.id) {
        let path = files.get(known.id.place.file).map_or(ROOT, |file| &file.path);
        return Err(InsertError::Duplicate {
            id: clause.id.clone(),
            place: format!("{path}:{}", known.id.place.line),
        });
    }
    let answers = answers_of(document, wish.answers);
    let filled = filled(clause, &answers, wish.set, catalog)?;
    let mut draft = Draft {
        files: files.clone(),
        touched: Vec::new(),
        said: Vec::new(),
    };
    draft.clause(clause, &filled.text)?;
    draft.rollout(clause, document);
    draft.never_excepted(clause);
    let without_cases = draft.files.clone();
    draft.cases(clause.section, &filled.cases);
    let after = policy::load(&draft.files, catalog, now);
    let (good, bad) = failing(&after, &filled.cases, catalog);
    let after = if bad.is_empty() {
        after
    } else {
        draft.files = without_cases;
        draft.cases(clause.section, &good);
        draft.said.push(format!(
            "left out cases that this policy decides otherwise: {}",
            bad.join("; ")
        ));
        policy::load(&draft.files, catalog, now)
    };
    refuse_new_errors(clause, &before, &after, &draft.files)?;
    let touched = draft.touched;
    Ok(Insertion {
        files: draft
            .files
            .iter()
            .filter(|file| touched.contains(&file.path))
            .cloned()
            .collect(),
        said: draft.said,
    })
}

fn find<'l>(library: &'l Library, id: &str) -> Result<&'l Clause, InsertError> {
    library.clause(id).ok_or_else(|| {
        let known = library.clauses.iter().map(|clause| clause.id.as_str());
        let problem = Problem::error("unknown-clause", node::Place::default(), String::new()).suggest(id, known);
        let help = problem
            .help
            .unwrap_or_else(|| "`ordain clause list` shows which there are".to_owned());
        InsertError::Unknown(format!("the library has no clause `{id}`; {help}"))
    })
}

fn filled<'l>(
    clause: &'l Clause,
    answers: &Answers,
    set: &[(String, String)],
    catalog: &Catalog,
) -> Result<super::assemble::FilledClause<'l>, InsertError> {
    let mut cast = Cast::as_it_is(answers.clone(), catalog);
    for (name, value) in set {
        match clause.parameter(name) {
            Some(parameter) => {
                if let Some(expected) = wrong_value(parameter.kind, value) {
                    return Err(InsertError::Value(format!("`{name}={value}`: {expected}")));
                }
            }
            None if is_word(name) => {
                let list = value.split(',').map(|item| item.trim().to_owned()).collect();
                cast.set(name, list);
            }
            None => {
                let names = clause
                    .parameters
                    .iter()
                    .map(|parameter| format!("`{}`", parameter.name));
                let names: Vec<String> = names
                    .chain(clause.needs.iter().map(|word| format!("`{word}`")))
                    .collect();
                let known = if names.is_empty() {
                    "nothing".to_owned()
                } else {
                    names.join(", ")
                };
                let message = format!("`{}` has no parameter `{name}`; it takes {known}", clause.id);
                return Err(InsertError::Value(message));
            }
        }
    }
    let profiles = answers.effective_profiles();
    let of = |name: &str| {
        set.iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    let values: Vec<(&str, String)> = clause
        .parameters
        .iter()
        .map(|parameter| {
            let usual = || value(clause, parameter, answers, &profiles);
            (parameter.name.as_str(), of(&parameter.name).unwrap_or_else(usual))
        })
        .collect();
    let is_set = |word: &&str| {
        !clause
            .parameters
            .iter()
            .any(|parameter| of(&parameter.name).is_some() && parameter.default.contains(&format!("<{word}>")))
    };
    let missing: Vec<&str> = clause
        .needs
        .iter()
        .map(String::as_str)
        .chain(clause.cast_words())
        .filter(|word| !cast.words.has(word))
        .filter(is_set)
        .collect();
    match fill(clause, &values, &cast, &tags(answers, &profiles)) {
        Some(filled) if missing.is_empty() || is_offered(clause, &cast.words) => Ok(filled),
        _ => {
            let mut words: Vec<String> = missing.iter().map(|word| format!("`{word}`")).collect();
            words.dedup();
            Err(InsertError::Missing {
                id: clause.id.clone(),
                words: words.join(", "),
                first: missing.first().map_or_else(String::new, |word| (*word).to_owned()),
            })
        }
    }
}

/// What a policy says of its organisation, in the shape of answers; what groups do is only known from real ones.
fn answers_of(document: &Document, known: Option<&Answers>) -> Answers {
    let strings = |texts: &[policy::document::Text]| texts.iter().map(|text| text.value.clone()).collect::<Vec<_>>();
    let limited =
        |texts: &[policy::document::Text]| strings(texts).into_iter().filter(|name| name != "everyone").collect();
    let does = |id: &str| {
        let group = known.and_then(|answers| answers.groups.iter().find(|group| group.id == id));
        group.map(|group| group.does.clone()).unwrap_or_default()
    };
    let base = known.cloned().unwrap_or_default();
    let is_regulated = |profile: &String| profile == REGULATED;
    let mut profiles = strings(&document.profiles);
    if profiles.iter().all(is_regulated) {
        profiles.extend(base.profiles.iter().filter(|profile| !is_regulated(profile)).cloned());
    }
    Answers {
        organization: document
            .organization
            .as_ref()
            .map(|name| name.value.clone())
            .unwrap_or_default(),
        profiles,
        groups: document
            .scope
            .groups
            .iter()
            .map(|group| Group {
                id: group.name.value.clone(),
                claim: group.claim.as_ref().map(|claim| claim.value.clone()),
                does: does(group.name.as_str()),
            })
            .collect(),
        apps: document
            .apps
            .iter()
            .map(|app| {
                // An app with a condition or an answer of its own cannot stand for its class in a case.
                let is_special =
                    app.models.is_some() || app.only_for.is_some() || !(app.require.is_empty() && app.cells.is_empty());
                App {
                    models: is_special.then(|| "*".to_owned()).into_iter().collect(),
                    ..App::new(app.id.as_str(), app.class)
                }
            })
            .collect(),
        uses: document
            .scope
            .uses
            .iter()
            .map(|one| Use {
                id: one.id.value.clone(),
                statement: String::new(),
                owner: String::new(),
                groups: limited(&one.groups),
                ceiling: one.ceiling.as_ref().map(|class| class.value.clone()),
                tier: one
                    .tier
                    .as_ref()
                    .and_then(|tier| Tier::parse(tier.as_str()))
                    .unwrap_or(Tier::Limited),
            })
            .collect(),
        tools: document
            .access
            .tools
            .iter()
            .flat_map(|tools| &tools.list)
            .map(|tool| Tool {
                tool: tool.tool.value.clone(),
                kind: tool
                    .kind
                    .as_ref()
                    .and_then(|kind| ToolKind::parse(kind.as_str()))
                    .unwrap_or(ToolKind::Read),
                groups: limited(&tool.groups),
                then: tool.then.as_ref().map(|then| then.value),
            })
            .collect(),
        ..base
    }
}

/// Those of the new cases that hold, and the names of those that do not.
fn failing(loaded: &Loaded, new: &[String], catalog: &Catalog) -> (Vec<String>, Vec<String>) {
    let (Some(policy), Some(document)) = (&loaded.policy, &loaded.document) else {
        return (new.to_vec(), Vec::new());
    };
    let scanner = Scanner::new(policy.own_detectors());
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for text in new {
        let name = name_of(text);
        let case = loaded
            .cases
            .iter()
            .find(|case| name.as_deref() == Some(case.name.as_str()));
        let holds = case.is_none_or(|case| {
            cases::run(policy, document, &scanner, catalog, case)
                .differences
                .is_empty()
        });
        match case {
            Some(case) if !holds => bad.push(case.name.value.clone()),
            _ => good.push(text.clone()),
        }
    }
    (good, bad)
}

/// The name of a case, which is an item of a list.
fn name_of(case: &str) -> Option<String> {
    let Value::List(items) = node::parse(0, case, &mut Vec::new())?.value else {
        return None;
    };
    let mut reader = Reader::default();
    let mut fields = reader.fields(items.first()?, "a case")?;
    fields.text("name", &mut reader).map(|name| name.value)
}

fn refuse_new_errors(clause: &Clause, before: &Loaded, after: &Loaded, files: &Files) -> Result<(), InsertError> {
    let known = |problem: &Problem| {
        before
            .problems
            .iter()
            .any(|old| old.code == problem.code && old.message == problem.message)
    };
    let new = after
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error && !known(problem));
    let shown: Vec<String> = new.map(|problem| files.render(problem)).collect();
    if shown.is_empty() {
        return Ok(());
    }
    Err(InsertError::Errors {
        id: clause.id.clone(),
        shown: shown.join("\n"),
    })
}

struct Draft {
    files: Files,
    touched: Vec<String>,
    said: Vec<String>,
}

impl Draft {
    fn clause(&mut self, clause: &Clause, text: &str) -> Result<(), InsertError> {
        let section = clause.section.as_str();
        let included = edit::texts(&self.text(ROOT), "include");
        let documents = std::iter::once(ROOT.to_owned()).chain(included);
        let found = documents
            .map(|path| (self.text(&path), path))
            .find(|(text, _)| edit::has_section(text, section))
            .map(|(text, path)| (path, text));
        let Some((path, old)) = found else {
            let message = format!("the policy has no section `{section}` to put `{}` into", clause.id);
            return Err(InsertError::Shape(message));
        };
        let (new, line) = edit::append_clause(&old, section, text).ok_or_else(|| {
            InsertError::Shape(format!(
                "`{section}` in {path} is written in brackets; write its clauses as a list with one `- id:` each, then try again"
            ))
        })?;
        self.said
            .push(format!("{path}:{line}: clause `{}` ({})", clause.id, clause.title));
        self.put(&path, new);
        Ok(())
    }

    fn rollout(&mut self, clause: &Clause, document: &Document) {
        if clause.held_by != HeldBy::Rule {
            return;
        }
        let default = document
            .rollout
            .default
            .as_ref()
            .map_or(Mode::Enforce, |mode| mode.value);
        let wanted = clause.mode.unwrap_or(Mode::Observe);
        if wanted == default {
            return;
        }
        let root = self.text(ROOT);
        match edit::add_entry(&root, "rollout", &clause.id, wanted.as_str()) {
            Some((new, line)) => {
                self.said
                    .push(format!("{ROOT}:{line}: `{}` acts as `{wanted}`", clause.id));
                self.put(ROOT, new);
            }
            None => self
                .said
                .push(format!("add `{}: {wanted}` to `rollout` yourself", clause.id)),
        }
    }

    fn never_excepted(&mut self, clause: &Clause) {
        if !clause.never_excepted {
            return;
        }
        let root = self.text(ROOT);
        match edit::add_word(&root, "never_excepted", &clause.id) {
            Some((new, line)) => {
                self.said
                    .push(format!("{ROOT}:{line}: no exception may name `{}`", clause.id));
                self.put(ROOT, new);
            }
            None => self
                .said
                .push(format!("add `{}` to `never_excepted` yourself", clause.id)),
        }
    }

    fn cases(&mut self, section: Section, cases: &[String]) {
        if cases.is_empty() {
            return;
        }
        let path = case_path(section);
        let old = self.text(&path);
        let texts: Vec<&str> = cases.iter().map(String::as_str).collect();
        let new = if old.is_empty() {
            Some(cases_file(&texts))
        } else {
            edit::append_cases(&old, &texts)
        };
        self.said.retain(|said| !said.contains(&path));
        match new {
            Some(new) => {
                self.said.push(format!("{path}: {} cases", cases.len()));
                self.put(&path, new);
            }
            None => self
                .said
                .push(format!("{path}: its cases are written in brackets, so none were added")),
        }
    }

    fn text(&self, path: &str) -> String {
        self.files
            .find(path)
            .map(|(_, file)| file.text.clone())
            .unwrap_or_default()
    }

    fn put(&mut self, path: &str, text: String) {
        let mut files: Vec<File> = self.files.iter().filter(|file| file.path != path).cloned().collect();
        files.push(File {
            path: path.to_owned(),
            text,
        });
        self.files = Files::new(files);
        if !self.touched.iter().any(|known| known == path) {
            self.touched.push(path.to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
