//! What is enforced has been tried.

use super::{Context, check};
use crate::policy::document::Clause;
use crate::policy::problem::Problem;
use crate::verdict::{Mode, Verdict};

check!(
    "clause-without-case",
    Error,
    "A clause whose rule is enforced is named by the `clauses` of at least one case, unless the rule says `allow`, which is never cited.",
    "Add a case that names the clause, or let it only observe for now.",
    Document(run),
    bad: "rollout: {default: observe, AU-1: enforce}\nacceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {group: staff}, then: block}} #!\n",
    good: "rollout: {default: observe}\nacceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {group: staff}, then: block}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let default = document
        .rollout
        .default
        .as_ref()
        .map_or(Mode::Enforce, |mode| mode.value);
    let mode = |id: &str| {
        document
            .rollout
            .entries
            .iter()
            .find(|(name, _)| name.as_str() == id)
            .map_or(default, |(_, mode)| mode.value)
    };
    let tried = |id: &str| {
        context
            .cases
            .iter()
            .any(|case| case.clauses.iter().flatten().any(|name| name.as_str() == id))
    };
    // What a rule allows is never cited, so that no case could name it.
    let has_a_say = |clause: &&Clause| {
        clause
            .rule
            .as_ref()
            .is_some_and(|rule| rule.then.value != Verdict::Allow)
    };
    for clause in document.clauses.iter().filter(has_a_say) {
        let id = clause.id.as_str();
        if mode(id) == Mode::Enforce && !tried(id) {
            let problem = Problem::error(
                "clause-without-case",
                clause.id.place,
                format!("`{id}` is enforced, but no case tries it"),
            );
            problems.push(problem.help(format!(
                "add a case with `clauses: [{id}]` under `cases/`, or set `rollout: {{{id}: observe}}`"
            )));
        }
    }
}
