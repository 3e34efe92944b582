//! What the policy says and nothing carries out yet.

use super::{Context, check, selectors};
use crate::detect::entities::entity;
use crate::policy::problem::Problem;
use crate::verdict::Verdict;

check!(
    "awaits",
    "Entities that no detector finds, and verdicts that act as `block` (a warning: what awaits is never taken as done).",
    run,
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {data: source-code}, then: block}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {data: iban}, then: block}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let own = |name: &str| {
        document
            .data
            .keywords
            .iter()
            .map(|(entity, _)| entity)
            .chain(document.data.patterns.iter().map(|(entity, _)| entity))
            .any(|entity| entity.as_str() == name)
    };
    let mut warn =
        |place, message: String, help: &str| problems.push(Problem::warning("awaits", place, message).help(help));
    let selected = selectors(document).flat_map(|selector| selector.data.iter().flatten());
    let named = document.data.entities.iter().map(|(entity, _)| entity).chain(selected);
    for name in named.filter(|name| entity(name.as_str()).is_some_and(|known| !known.detected) && !own(name.as_str())) {
        let help = "name keywords or a pattern for it under `data`, or wait for its detector";
        warn(
            name.place,
            format!("nothing finds `{}` yet, so what depends on it does nothing", name.value),
            help,
        );
    }
    for finding in selectors(document).flat_map(|selector| selector.finding.iter().flatten()) {
        warn(
            finding.place,
            format!("nothing makes the finding `{}` yet", finding.value),
            "what depends on it does nothing until a detector makes it",
        );
    }
    let rules = document
        .clauses
        .iter()
        .filter_map(|clause| clause.rule.as_ref())
        .map(|rule| &rule.then);
    let cells = document.data.matrix.iter().flat_map(|matrix| {
        matrix
            .rows
            .iter()
            .flat_map(|row| row.cells.iter().map(|(_, verdict)| verdict))
    });
    let answers = document
        .data
        .answers
        .iter()
        .flat_map(|answers| answers.value.iter().map(|(_, verdict)| verdict));
    let own_cells = document
        .apps
        .iter()
        .flat_map(|app| app.cells.iter().map(|(_, verdict)| verdict));
    let gates = document.education.gates.iter().map(|gate| &gate.then);
    let tools = document.access.tools.iter().flat_map(|tools| {
        tools
            .list
            .iter()
            .filter_map(|tool| tool.then.as_ref())
            .chain(&tools.unlisted)
    });
    let exceptions = document
        .exceptions
        .iter()
        .filter_map(|exception| exception.then.as_ref());
    for verdict in rules
        .chain(cells)
        .chain(answers)
        .chain(own_cells)
        .chain(gates)
        .chain(tools)
        .chain(exceptions)
    {
        if matches!(verdict.value, Verdict::Justify | Verdict::Hold) {
            let message = format!("the gateway cannot `{}` yet: it blocks instead", verdict.value);
            warn(
                verdict.place,
                message,
                "the policy decides as written; cases and impact show the verdict you wrote",
            );
        }
    }
}
