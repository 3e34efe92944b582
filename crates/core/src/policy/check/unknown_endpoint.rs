//! Endpoints that are named are endpoints that are read.

use super::{Context, check, unknown};
use crate::policy::problem::Problem;
use crate::wire::endpoints::{self, Handling};

check!(
    "unknown-endpoint",
    Error,
    "`data.unseen` names endpoints whose bodies the gateway reads, by method and path.",
    "Name an endpoint that docs/reference/endpoints.md lists as inspected.",
    Document(run),
    bad: "data:\n  classes: [internal]\n  default: internal\n  retention: {content: 0 days, records: 2 years}\n  matrix: {internal: {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}}\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n  unseen:\n    - {endpoint: POST /v1/completion, reason: our own prose, until: 2027-06-30} #!\n",
    good: "data:\n  classes: [internal]\n  default: internal\n  retention: {content: 0 days, records: 2 years}\n  matrix: {internal: {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}}\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n  unseen:\n    - {endpoint: POST /v1/completions, reason: our own prose, until: 2027-06-30}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let named = context
        .document
        .data
        .unseen
        .iter()
        .filter_map(|one| one.endpoint.as_ref());
    let mut named = named.peekable();
    if named.peek().is_none() {
        return;
    }
    let read = endpoints::table()
        .iter()
        .filter(|one| matches!(one.handling, Handling::Inspected(_)));
    let known: Vec<String> = read.map(endpoints::Endpoint::name).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    unknown("unknown-endpoint", "inspected endpoint", named, &known, problems);
}
