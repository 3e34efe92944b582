//! Checks: what a policy means, where it contradicts itself, and what nothing holds up.
//!
//! A check is one file with a bad and a good document, and one line in [`ALL`]; tests run every check against both. Shape
//! (unknown and duplicate keys, wrong types) is reported by `read` and [`super::node`] already. Read [`Check`] first.

mod awaits;
mod clause_without_case;
mod dead_letter;
mod duplicate_id;
mod entity_below_default;
mod exception_expiry;
mod expired;
mod loosening_selector;
mod matrix_not_monotone;
mod matrix_not_total;
mod missing_section;
mod never_excepted;
mod redact_without_span;
mod uncited_data;
mod unknown_app;
mod unknown_citation;
mod unknown_class;
mod unknown_course;
mod unknown_entity;
mod unknown_group;
mod unknown_role;
mod unknown_use;

use jiff::Timestamp;
use jiff::civil::Date;

use super::cases::Case;
use super::compile::Policy;
use super::document::{AppSelector, Document, Selector, Text};
use super::node::Place;
use super::problem::{Problem, Severity};
use crate::catalog::Catalog;

/// One kind of problem.
#[derive(Debug)]
pub struct Check {
    /// The code of what it reports.
    pub code: &'static str,
    /// How bad what it reports can be at worst.
    pub severity: Severity,
    /// What it is about, in a sentence for the reference.
    pub about: &'static str,
    /// How to mend what it reports, in a sentence for the reference.
    pub mend: &'static str,
    /// What it looks at.
    run: Run,
    /// Sections laid over a good policy that make it report exactly once, on the line marked `#!`.
    #[cfg(test)]
    bad: &'static str,
    /// The same, mended.
    #[cfg(test)]
    good: &'static str,
}

/// What a check looks at, and the function that looks.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    /// The document, whether or not it has errors.
    Document(fn(&Context<'_>, &mut Vec<Problem>)),
    /// The compiled policy beside its document: for checks that ask what would be decided.
    Policy(fn(&Context<'_>, &Policy, &mut Vec<Problem>)),
}

/// Declares a check: code, worst severity, what it is about, how to mend it. Its example documents exist for the tests alone.
macro_rules! check {
    ($code:literal, $severity:ident, $about:literal, $mend:literal, $kind:ident($run:expr), bad: $bad:expr, good: $good:expr $(,)?) => {
        pub(super) const CHECK: super::Check = super::Check {
            code: $code,
            severity: crate::policy::problem::Severity::$severity,
            about: $about,
            mend: $mend,
            run: super::Run::$kind($run),
            #[cfg(test)]
            bad: $bad,
            #[cfg(test)]
            good: $good,
        };
    };
}
use check;

/// Every check.
pub const ALL: &[Check] = &[
    // registry:begin
    missing_section::CHECK,
    duplicate_id::CHECK,
    dead_letter::CHECK,
    uncited_data::CHECK,
    unknown_app::CHECK,
    unknown_group::CHECK,
    unknown_use::CHECK,
    unknown_entity::CHECK,
    unknown_class::CHECK,
    unknown_course::CHECK,
    unknown_role::CHECK,
    unknown_citation::CHECK,
    matrix_not_total::CHECK,
    matrix_not_monotone::CHECK,
    entity_below_default::CHECK,
    redact_without_span::CHECK,
    loosening_selector::CHECK,
    clause_without_case::CHECK,
    exception_expiry::CHECK,
    never_excepted::CHECK,
    expired::CHECK,
    awaits::CHECK,
    // registry:end
];

/// What a check may look at.
#[derive(Debug)]
pub struct Context<'c> {
    /// The document.
    pub document: &'c Document,
    /// The apps that are known.
    pub catalog: &'c Catalog,
    /// The policy's cases.
    pub cases: &'c [Case],
    /// The moment.
    pub now: Timestamp,
}

/// Runs every check of the document.
pub fn all(context: &Context<'_>, problems: &mut Vec<Problem>) {
    for check in ALL {
        if let Run::Document(run) = check.run {
            run(context, problems);
        }
    }
}

/// Runs every check of the compiled policy.
pub fn compiled(context: &Context<'_>, policy: &Policy, problems: &mut Vec<Problem>) {
    for check in ALL {
        if let Run::Policy(run) = check.run {
            run(context, policy, problems);
        }
    }
}

/// Section data that a clause can be held up by: where it stands, if it is there. Those that decide come first.
fn section_data(document: &Document) -> [(&'static str, Option<Place>); 18] {
    let (scope, data) = (&document.scope, &document.data);
    [
        ("access", document.access.grants_place),
        ("access.tools", document.access.tools.as_ref().map(|tools| tools.place)),
        ("scope.groups", scope.groups_place),
        ("scope.uses", scope.uses_place),
        ("scope.outside", scope.outside.as_ref().map(|verdict| verdict.place)),
        ("data.matrix", data.matrix.as_ref().map(|matrix| matrix.place)),
        ("data.answers", data.answers.as_ref().map(|answers| answers.place)),
        ("scope.exclude", scope.exclude_place),
        ("applications", document.apps.first().map(|app| app.id.place)),
        (
            "data.retention",
            data.retention.as_ref().map(|retention| retention.place),
        ),
        (
            "acceptable_use.outputs",
            document.outputs.as_ref().map(|outputs| outputs.place),
        ),
        ("education.gates", document.education.gates_place),
        (
            "consequences.ladder",
            document.consequences.as_ref().map(|consequences| consequences.place),
        ),
        (
            "purpose.objectives",
            document.objectives.first().map(|objective| objective.place),
        ),
        ("roles.raci", document.roles.raci_place),
        ("roles.board", document.roles.board.as_ref().map(|board| board.place)),
        (
            "data.uninspectable",
            data.uninspectable.as_ref().map(|verdict| verdict.place),
        ),
        (
            "data.unavailable",
            data.unavailable.as_ref().map(|verdict| verdict.place),
        ),
    ]
}

/// The first of [`section_data`], which decide and can therefore be named in `rollout` and by exceptions.
const DECIDING_DATA: usize = 7;

/// What a decision can cite and a rollout can name: clauses with rules, gates, and section data that decide.
fn citations(document: &Document) -> impl Iterator<Item = &str> {
    let clauses = document
        .clauses
        .iter()
        .filter(|clause| clause.rule.is_some())
        .map(|clause| clause.id.as_str());
    let gates = document.education.gates.iter().map(|gate| gate.id.as_str());
    let data = section_data(document)
        .into_iter()
        .take(DECIDING_DATA)
        .map(|(name, _)| name);
    clauses.chain(gates).chain(data)
}

/// Every selector of the document.
fn selectors(document: &Document) -> impl Iterator<Item = &Selector> {
    let rules = document.clauses.iter().filter_map(|clause| clause.rule.as_ref());
    let scoped = document
        .apps
        .iter()
        .filter_map(|app| app.only_for.as_ref())
        .flat_map(|selectors| &selectors.value);
    rules
        .flat_map(|rule| rule.when.iter().chain(&rule.unless))
        .chain(scoped)
        .chain(document.exceptions.iter().flat_map(|exception| &exception.who))
}

/// Every app selector of the document.
fn app_selectors(document: &Document) -> impl Iterator<Item = &AppSelector> {
    let grants = document
        .access
        .grants
        .iter()
        .flat_map(|grant| grant.apps.iter().flatten());
    grants.chain(selectors(document).flat_map(|selector| selector.app.iter().flatten()))
}

/// Reports the words that are not known.
fn unknown<'t>(
    code: &'static str,
    what: &str,
    words: impl Iterator<Item = &'t Text>,
    known: &[&str],
    problems: &mut Vec<Problem>,
) {
    for word in words.filter(|word| !known.contains(&word.as_str())) {
        let problem = Problem::error(code, word.place, format!("no {what} called `{}`", word.value));
        problems.push(problem.suggest(word.as_str(), known.iter().copied()));
    }
}

impl Context<'_> {
    fn today(&self) -> Date {
        self.document.date_of(self.now)
    }
}

#[cfg(test)]
mod tests;
