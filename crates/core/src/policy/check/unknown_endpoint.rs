//! Endpoints that are passed are ones that there are, and that nobody reads.

use super::{Context, check};
use crate::policy::problem::Problem;
use crate::wire::endpoints::{self, Endpoint, Handling};

check!(
    "unknown-endpoint",
    Error,
    "Lines of `access.endpoints` name endpoints, by dialect, method and path, that the gateway may pass unread.",
    "Write it as the table of endpoints has it; for what is inspected, no line is needed.",
    Document(run),
    bad: "access:\n  grants: [{id: AC-1, groups: [everyone]}]\n  endpoints: [{id: EP-1, endpoints: [openai POST /v1/fils], groups: [staff], then: coach, reason: x}] #!\n  clauses: [{id: AC-2, statement: Whose., enforced_by: access}, {id: AC-3, statement: Unread., enforced_by: access.endpoints}]\n",
    good: "access:\n  grants: [{id: AC-1, groups: [everyone]}]\n  endpoints: [{id: EP-1, endpoints: [openai POST /v1/files], groups: [staff], then: coach, reason: x}]\n  clauses: [{id: AC-2, statement: Whose., enforced_by: access}, {id: AC-3, statement: Unread., enforced_by: access.endpoints}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let lines = &context.document.access.endpoints;
    for named in lines.iter().flat_map(|line| &line.endpoints) {
        let endpoint = endpoints::table().iter().find(|one| one.name() == named.value);
        let message = match endpoint.map(|one| one.handling) {
            Some(Handling::Passable) => continue,
            Some(Handling::Inspected(_)) => {
                format!(
                    "`{}` is inspected: the rest of the policy decides about it",
                    named.value
                )
            }
            Some(Handling::Models) => format!("`{}` is answered by the gateway itself", named.value),
            Some(Handling::Refused(why)) => format!("`{}` is never passed: it {why}", named.value),
            None => format!("no endpoint called `{}`", named.value),
        };
        let problem = Problem::error("unknown-endpoint", named.place, message);
        problems.push(match endpoint {
            Some(_) => problem,
            None => suggested(problem, &named.value),
        });
    }
}

/// With what may be meant: the same path in the dialects that have it, or else what is written nearly so.
fn suggested(problem: Problem, word: &str) -> Problem {
    let names = names();
    let is_same = |name: &&String| name.split_once(' ').is_some_and(|(_, path)| path == word);
    let same: Vec<String> = names.iter().filter(is_same).map(|name| format!("`{name}`")).collect();
    if same.is_empty() {
        return problem.suggest(word, names.iter().map(String::as_str));
    }
    problem.help(format!("say of which dialect: {}", same.join(" or ")))
}

/// What can be written there.
fn names() -> Vec<String> {
    let passable = endpoints::table()
        .iter()
        .filter(|one| matches!(one.handling, Handling::Passable));
    passable.map(Endpoint::name).collect()
}
