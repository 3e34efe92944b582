//! An id stands once, so that a citation means one thing.

use std::collections::BTreeMap;

use super::{Context, check, section_data};
use crate::policy::document::Text;
use crate::policy::problem::Problem;

check!(
    "duplicate-id",
    Error,
    "Ids of clauses, grants, gates, uses, objectives, exceptions and classified apps stand once.",
    "Give each its own id.",
    Document(run),
    bad: "risk:\n  clauses:\n    - {id: RI-1, statement: One., evidence: {task: review, every: 90 days, by: ciso}}\n    - {id: RI-1, statement: Two., evidence: {task: review, every: 90 days, by: ciso}} #!\n",
    good: "risk:\n  clauses:\n    - {id: RI-1, statement: One., evidence: {task: review, every: 90 days, by: ciso}}\n    - {id: RI-2, statement: Two., evidence: {task: review, every: 90 days, by: ciso}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    // What can be cited shares one namespace.
    let clauses = document.clauses.iter().map(|clause| &clause.id);
    let passes = document.access.endpoints.iter().map(|pass| &pass.id);
    let grants = document.access.grants.iter().map(|grant| &grant.id).chain(passes);
    let gates = document.education.gates.iter().map(|gate| &gate.id);
    let exceptions = document.exceptions.iter().map(|exception| &exception.id);
    once("id", clauses.chain(grants).chain(gates).chain(exceptions), problems);
    once("use", document.scope.uses.iter().map(|one| &one.id), problems);
    once(
        "objective",
        document.objectives.iter().filter_map(|objective| objective.id.as_ref()),
        problems,
    );
    once("app", document.apps.iter().map(|app| &app.id), problems);
    once("data class", document.data.classes.iter(), problems);
    for clause in document.clauses.iter().map(|clause| &clause.id) {
        if section_data(document).iter().any(|(name, _)| *name == clause.as_str()) {
            let problem = Problem::error(
                "duplicate-id",
                clause.place,
                format!("`{}` is the name of section data", clause.value),
            );
            problems.push(problem.help("give the clause an id of its own, such as `AU-1`"));
        }
    }
}

fn once<'t>(what: &str, ids: impl Iterator<Item = &'t Text>, problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<&str, u32> = BTreeMap::new();
    for id in ids {
        if let Some(line) = first.get(id.as_str()) {
            let problem = Problem::error(
                "duplicate-id",
                id.place,
                format!("the {what} `{}` stands here a second time", id.value),
            );
            problems.push(problem.help(format!("the first one is on line {line}")));
        } else {
            first.insert(id.as_str(), id.place.line);
        }
    }
}
