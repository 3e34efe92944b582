//! Groups that are named are groups of the scope.

use std::collections::BTreeSet;

use super::{Context, check, selectors, unknown};
use crate::policy::compile::names::EVERYONE;
use crate::policy::document::{Document, Group, Text};
use crate::policy::problem::{Problem, Severity};

check!(
    "unknown-group",
    Error,
    "Grants, uses, tools, exclusions, selectors and `monitoring.break_glass` name groups of `scope.groups`, or `everyone`; so do cases and the directory (a warning, or a note about a stranger in a case).",
    "Add the group to `scope.groups`, or name one that is there.",
    Document(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {group: enginering}, then: block}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {group: engineering}, then: block}}\n",
);

/// Warns of each group of a directory that the policy does not know, where it stands first.
pub fn foreign<'t>(
    document: &Document,
    groups: impl Iterator<Item = &'t Text>,
    what: &str,
    problems: &mut Vec<Problem>,
) {
    let claim = |group: &'_ Group| group.claim.as_ref().unwrap_or(&group.name).value.clone();
    let known: Vec<String> = document
        .scope
        .groups
        .iter()
        .map(claim)
        .chain([EVERYONE.to_owned()])
        .collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for group in groups.filter(|group| !known.contains(&group.as_str()) && seen.insert(group.as_str())) {
        let message = format!("no group called `{}` in `scope.groups`: {what}", group.value);
        let problem = Problem::warning("unknown-group", group.place, message);
        let mut problem = problem.suggest(group.as_str(), known.iter().copied());
        problem.fix = None;
        problems.push(problem);
    }
}

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let known: Vec<&str> = document
        .scope
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .chain([EVERYONE])
        .collect();
    let grants = document.access.grants.iter().flat_map(|grant| &grant.groups);
    let passes = document.access.endpoints.iter().flat_map(|pass| &pass.groups);
    let uses = document.scope.uses.iter().flat_map(|one| &one.groups);
    let tools = document
        .access
        .tools
        .iter()
        .flat_map(|tools| tools.list.iter().flat_map(|tool| &tool.groups));
    let excluded = document
        .scope
        .exclude
        .iter()
        .filter_map(|exclude| exclude.group.as_ref());
    let selected = selectors(document).flat_map(|selector| selector.group.iter().flatten());
    let glass = document.break_glass.iter().flat_map(|glass| &glass.groups);
    unknown(
        "unknown-group",
        "group",
        grants
            .chain(passes)
            .chain(uses)
            .chain(tools)
            .chain(excluded)
            .chain(selected)
            .chain(glass),
        &known,
        problems,
    );
    // A case may well be about a stranger; somebody should know that it is.
    let first = problems.len();
    let of_cases = context.cases.iter().flat_map(|case| &case.groups);
    foreign(document, of_cases, "the case is about a stranger", problems);
    for problem in problems.iter_mut().skip(first) {
        let slip = problem
            .help
            .as_ref()
            .is_some_and(|help| help.starts_with("did you mean"));
        problem.severity = if slip { Severity::Warning } else { Severity::Note };
    }
}
