//! Endpoints that are passed are ones that there are, and that nobody reads.

use super::{Context, check};
use crate::policy::problem::Problem;
use crate::wire::endpoints::{self, Endpoint, Handling};

check!(
    "unknown-endpoint",
    Error,
    "Lines of `access.endpoints` name endpoints, by method and path, that the gateway knows and does not inspect.",
    "Write it as the table of endpoints has it; for what is inspected, no line is needed.",
    Document(run),
    bad: "access:\n  endpoints: [{id: EP-1, endpoints: [POST /v1/fils], groups: [staff], then: coach, reason: x}] #!\n  clauses: [{id: AC-2, statement: Unread., enforced_by: access.endpoints}]\n",
    good: "access:\n  endpoints: [{id: EP-1, endpoints: [POST /v1/files], groups: [staff], then: coach, reason: x}]\n  clauses: [{id: AC-2, statement: Unread., enforced_by: access.endpoints}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let lines = &context.document.access.endpoints;
    let refused = || {
        endpoints::table()
            .iter()
            .filter(|one| matches!(one.handling, Handling::Refused))
    };
    for endpoint in lines.iter().flat_map(|line| &line.endpoints) {
        let is = |one: &Endpoint| one.name() == endpoint.value;
        if refused().any(is) {
            continue;
        }
        let message = if endpoints::table().iter().any(is) {
            format!(
                "`{}` is inspected: the rest of the policy decides about it",
                endpoint.value
            )
        } else {
            format!("no endpoint called `{}`", endpoint.value)
        };
        let names: Vec<String> = refused().map(Endpoint::name).collect();
        let problem = Problem::error("unknown-endpoint", endpoint.place, message);
        problems.push(problem.suggest(&endpoint.value, names.iter().map(String::as_str)));
    }
}
