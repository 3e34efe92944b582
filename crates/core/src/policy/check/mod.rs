//! Checks: what a policy means, where it contradicts itself, and what nothing holds up.
//!
//! A check is one file with a bad and a good document, and one line in [`ALL`]; tests run every check against both. Shape
//! (unknown and duplicate keys, wrong types) is reported by `read` and [`super::node`] already. Read [`Check`] first.

mod app_without_owner;
mod awaits;
mod break_glass;
mod child_weaker;
mod clause_without_case;
mod consequence_ladder;
mod contradiction;
mod dead_letter;
mod duplicate_id;
mod duplicate_rule;
mod entity_below_default;
mod evidence_without_cadence;
mod exception_expiry;
mod exception_without_approval;
mod expired;
mod gap;
mod group_unused;
mod impossible_quorum;
mod ineffective_exception;
mod loosening_selector;
mod matrix_not_monotone;
mod matrix_not_total;
mod missing_section;
mod missing_topic;
mod never_excepted;
mod objective_without_metric;
mod question;
mod redact_without_span;
mod retention_missing;
mod retired_framework_item;
mod review_overdue;
mod self_approval;
mod shadowed_clause;
mod statement_exceeds_rule;
mod terms_stale;
mod training_gate_impossible;
mod two_accountables;
mod uncited_data;
mod unknown_app;
mod unknown_citation;
mod unknown_class;
mod unknown_course;
mod unknown_endpoint;
mod unknown_entity;
mod unknown_framework;
mod unknown_framework_item;
mod unknown_group;
mod unknown_role;
mod unknown_use;
mod unreachable_selector;
mod unversioned_framework;
mod use_without_owner;
mod vacant_role;

use jiff::Timestamp;
use jiff::civil::Date;

use super::cases::Case;
use super::compile::Policy;
use super::document::{AppSelector, Clause, Document, Selector, Text};
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
    /// The compiled policy beside its document: for checks that ask what is decided about all requests.
    Meaning(fn(&Context<'_>, &mut Question<'_>, &mut Vec<Problem>)),
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
pub use question::Question;
pub use unknown_group::foreign as foreign_groups;

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
    unknown_endpoint::CHECK,
    unknown_role::CHECK,
    unknown_citation::CHECK,
    matrix_not_total::CHECK,
    matrix_not_monotone::CHECK,
    entity_below_default::CHECK,
    redact_without_span::CHECK,
    loosening_selector::CHECK,
    clause_without_case::CHECK,
    exception_expiry::CHECK,
    exception_without_approval::CHECK,
    never_excepted::CHECK,
    expired::CHECK,
    awaits::CHECK,
    vacant_role::CHECK,
    two_accountables::CHECK,
    impossible_quorum::CHECK,
    self_approval::CHECK,
    break_glass::CHECK,
    objective_without_metric::CHECK,
    retention_missing::CHECK,
    review_overdue::CHECK,
    missing_topic::CHECK,
    unknown_framework::CHECK,
    unknown_framework_item::CHECK,
    unversioned_framework::CHECK,
    retired_framework_item::CHECK,
    statement_exceeds_rule::CHECK,
    group_unused::CHECK,
    app_without_owner::CHECK,
    terms_stale::CHECK,
    use_without_owner::CHECK,
    duplicate_rule::CHECK,
    consequence_ladder::CHECK,
    training_gate_impossible::CHECK,
    evidence_without_cadence::CHECK,
    unreachable_selector::CHECK,
    shadowed_clause::CHECK,
    contradiction::CHECK,
    ineffective_exception::CHECK,
    gap::CHECK,
    child_weaker::CHECK,
    // registry:end
];

/// A mistake of form: reported while a policy is read or compiled, before checks look at what it means.
#[derive(Debug)]
pub struct Form {
    /// The code of what is reported.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, in a sentence for the reference.
    pub about: &'static str,
    /// How to mend it, in a sentence for the reference.
    pub mend: &'static str,
}

const fn form(code: &'static str, about: &'static str, mend: &'static str) -> Form {
    Form {
        code,
        severity: Severity::Error,
        about,
        mend,
    }
}

/// Every mistake of form. A test compares them with what the readers report.
pub const FORM: &[Form] = &[
    // forms:begin
    form(
        "bad-condition",
        "A `condition` is CEL that asks a question over the known names.",
        "Correct the expression.",
    ),
    form(
        "bad-keywords",
        "Keywords can be searched for.",
        "Shorten or split the list.",
    ),
    form(
        "bad-pattern",
        "A pattern is a regular expression of bounded length.",
        "Correct the expression; bound its repetitions.",
    ),
    form(
        "child-loosens",
        "A policy that extends another one is at least as strict, but for what was delegated.",
        "Be stricter, or ask the parent's owner to delegate it.",
    ),
    Form {
        severity: Severity::Warning,
        ..form(
            "comment-in-text",
            "No sentence without quotes ends in a `#` that makes a comment of the rest.",
            "Put the whole text in quotes, or the comment on a line of its own.",
        )
    },
    Form {
        severity: Severity::Warning,
        ..form(
            "curly-quotes",
            "Texts stand in straight quotes or in none.",
            "Write `\"…\"`; curly quotes become part of the text.",
        )
    },
    form(
        "duplicate-key",
        "A key stands once in its map, and a section in one file.",
        "Keep one of the two.",
    ),
    form(
        "empty-document",
        "A file has something in it.",
        "Write the policy, or remove the file.",
    ),
    form(
        "empty-selector",
        "A selector has a key.",
        "Name one, such as `group: everyone`.",
    ),
    form(
        "extends-itself",
        "A policy does not extend itself, by way of others.",
        "Let the topmost policy stand alone, without `extends`.",
    ),
    Form {
        severity: Severity::Warning,
        ..form(
            "list-without-brackets",
            "Several keywords stand in brackets.",
            "Write `[one, another]`, or quotes around a keyword that has a comma.",
        )
    },
    form("missing-key", "What cannot do without a key has it.", "Add the key."),
    form(
        "no-policy",
        "The folder has a `policy.yaml`.",
        "Name the policy folder.",
    ),
    form(
        "not-delegated",
        "A policy that extends another one changes what is neither more nor less strict only where it was delegated.",
        "Leave it out, or ask the parent's owner to delegate it.",
    ),
    form(
        "unknown-file",
        "An included file is in the policy folder.",
        "Correct the path; it begins below the folder.",
    ),
    form(
        "unknown-format",
        "`ordain:` names a format that this program reads.",
        "Write `ordain: 1`.",
    ),
    form(
        "unknown-key",
        "Every key is one that belongs there.",
        "Correct or remove it.",
    ),
    form(
        "unknown-parent",
        "`extends` names a folder with a policy.",
        "Name the folder as seen from this policy's: `../group`.",
    ),
    form(
        "unknown-path",
        "`delegated` names parts of the policy.",
        "Use a path of docs/reference/extending.md.",
    ),
    form(
        "unknown-timezone",
        "`timezone` is an IANA name.",
        "Write a name such as `Europe/Berlin`.",
    ),
    form(
        "unknown-word",
        "A word of a closed list is on the list.",
        "Use one of the words that the message names.",
    ),
    form(
        "wrong-type",
        "A text, number, date, length of time, list or map stands where one is expected.",
        "Write it in the form that the message names; put texts that look like numbers in quotes.",
    ),
    form(
        "yaml-feature",
        "The file is one YAML document without anchors, aliases and tags.",
        "Write the value out where it is used.",
    ),
    form(
        "yaml-syntax",
        "The file is YAML.",
        "Look at the indentation and quotes of the line.",
    ),
    // forms:end
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

/// Runs every check of what the compiled policy means.
pub fn compiled(context: &Context<'_>, policy: &Policy, problems: &mut Vec<Problem>) {
    let mut question = Question::new(context, policy);
    for check in ALL {
        if let Run::Meaning(run) = check.run {
            run(context, &mut question, problems);
        }
    }
}

/// Section data that a clause can be held up by: where it stands, if it is there. Those that decide come first.
fn section_data(document: &Document) -> [(&'static str, Option<Place>); 19] {
    let (scope, data) = (&document.scope, &document.data);
    let ladder = (document.consequences.as_ref()).filter(|consequences| !consequences.ladder.is_empty());
    [
        ("access", document.access.grants_place),
        ("access.tools", document.access.tools.as_ref().map(|tools| tools.place)),
        ("scope.groups", scope.groups_place),
        ("scope.uses", scope.uses_place),
        ("scope.outside", scope.outside.as_ref().map(|verdict| verdict.place)),
        ("data.matrix", data.matrix.as_ref().map(|matrix| matrix.place)),
        ("data.answers", data.answers.as_ref().map(|answers| answers.place)),
        ("access.endpoints", document.access.endpoints_place),
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
        ("consequences.ladder", ladder.map(|consequences| consequences.place)),
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

/// A clause's claim to serve items of a framework.
struct Mapping<'d> {
    clause: &'d Clause,
    pack: &'d Text,
    items: &'d [Text],
}

impl Mapping<'_> {
    /// Whether the clause maps to that pack as well.
    fn clause_names(&self, pack: &str) -> bool {
        self.clause.frameworks.iter().any(|(name, _)| name.as_str() == pack)
    }
}

/// Every mapping of the document.
fn mappings(document: &Document) -> impl Iterator<Item = Mapping<'_>> {
    let clauses = document.clauses.iter();
    clauses.flat_map(|clause| {
        let frameworks = clause.frameworks.iter();
        frameworks.map(move |(pack, items)| Mapping { clause, pack, items })
    })
}

/// Who is written beside a role; `None` for what only keeps the place free.
fn holder(written: &str) -> Option<&str> {
    let written = written.trim();
    let free = [
        "", "-", "?", "…", "...", "tbd", "todo", "n/a", "none", "nobody", "vacant", "open",
    ];
    (!free.contains(&written.to_lowercase().as_str())).then_some(written)
}

/// Whether more than so many days have gone by since a date.
fn past(today: Date, since: Date, days: u32) -> bool {
    since
        .checked_add(jiff::Span::new().days(i64::from(days)))
        .is_ok_and(|last| today > last)
}

impl Context<'_> {
    fn today(&self) -> Date {
        self.document.date_of(self.now)
    }

    /// The person who holds a role, so that two roles of one person are one; the role itself while nobody holds it.
    fn person(&self, role: &str) -> String {
        let mut people = self.document.roles.people.iter();
        let person = people.find(|(name, _)| name.as_str() == role);
        let held = person.and_then(|(_, person)| holder(person.as_str()));
        held.unwrap_or(role).to_lowercase()
    }
}

#[cfg(test)]
pub(super) mod tests;
