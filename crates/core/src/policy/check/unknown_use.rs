//! Uses that are named are uses of the scope.

use super::{Context, check, selectors, unknown};
use crate::policy::problem::Problem;

check!(
    "unknown-use",
    Error,
    "Grants, selectors and `monitoring.break_glass` name uses of `scope.uses`.",
    "Add the use to `scope.uses`, or name one that is there.",
    Document(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {use: codding}, then: block}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {use: coding}, then: block}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let known: Vec<&str> = document.scope.uses.iter().map(|one| one.id.as_str()).collect();
    let grants = document
        .access
        .grants
        .iter()
        .flat_map(|grant| grant.uses.iter().flatten());
    let selected = selectors(document).flat_map(|selector| selector.use_.iter().flatten());
    let glass = document.break_glass.iter().filter_map(|glass| glass.use_.as_ref());
    unknown(
        "unknown-use",
        "use",
        grants.chain(selected).chain(glass),
        &known,
        problems,
    );
}
