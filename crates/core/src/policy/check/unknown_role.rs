//! Roles that are named are held by somebody.

use super::{Context, check, unknown};
use crate::policy::document::{Document, Text};
use crate::policy::problem::Problem;

check!(
    "unknown-role",
    Error,
    "Owners, deputies, board members, the responsibility table, reviewers and approvals name roles of `roles.people`.",
    "Add the role to `roles.people`, or name one that is there.",
    Document(run),
    bad: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., owner: cfo, evidence: {task: review, every: 90 days, by: ciso}} #!\n",
    good: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., owner: ciso, evidence: {task: review, every: 90 days, by: ciso}}\n",
);

/// Words that stand for whoever it is at the time.
const STANDING: [&str; 4] = ["owner", "board", "everyone", "works-council"];

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let people = context.document.roles.people.iter();
    let known: Vec<&str> = people.map(|(role, _)| role.as_str()).chain(STANDING).collect();
    let mut found = Vec::new();
    unknown(
        "unknown-role",
        "role",
        named(context.document).into_iter(),
        &known,
        &mut found,
    );
    // A role that was taken out is missing in many places at once; a slip is put right at each of its own.
    found.sort_by_key(|problem| problem.place);
    let mut once: Vec<(Problem, usize)> = Vec::new();
    for problem in found {
        match once
            .iter_mut()
            .find(|(first, _)| first.fix.is_none() && first.message == problem.message)
        {
            Some((_, more)) => *more += 1,
            None => once.push((problem, 0)),
        }
    }
    problems.extend(once.into_iter().map(|(mut problem, more)| {
        if more > 0 {
            problem.message += &format!(", here and in {more} more place{}", if more == 1 { "" } else { "s" });
            problem.help("say who it is under `roles.people`, or name another role in each place")
        } else {
            problem
        }
    }));
}

/// Every role that something of the document names.
pub(super) fn named(document: &Document) -> Vec<&Text> {
    let roles = &document.roles;
    let clauses = document.clauses.iter().filter_map(|clause| clause.owner.as_ref());
    let evidence = document
        .clauses
        .iter()
        .filter_map(|clause| clause.evidence.as_ref().and_then(|evidence| evidence.by.as_ref()));
    let apps = document.apps.iter().filter_map(|app| app.owner.as_ref());
    let uses = document.scope.uses.iter().filter_map(|one| one.owner.as_ref());
    let objectives = document
        .objectives
        .iter()
        .filter_map(|objective| objective.owner.as_ref());
    let policy = roles
        .accountable
        .iter()
        .chain(&roles.deputy)
        .chain(roles.board.iter().flat_map(|board| &board.members));
    let raci = roles.raci.iter().flat_map(|raci| {
        raci.accountable
            .iter()
            .chain(&raci.more_accountable)
            .chain(&raci.responsible)
            .chain(&raci.consulted)
            .chain(&raci.informed)
            .chain(&raci.consent)
    });
    let exceptions = document
        .exceptions
        .iter()
        .flat_map(|exception| exception.requested.iter().chain(&exception.approved));
    let reviewer = document.break_glass.iter().filter_map(|glass| glass.reviewer.as_ref());
    clauses
        .chain(evidence)
        .chain(reviewer)
        .chain(apps)
        .chain(uses)
        .chain(objectives)
        .chain(policy)
        .chain(raci)
        .chain(exceptions)
        .collect()
}
