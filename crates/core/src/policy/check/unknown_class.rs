//! Data classes that are named are those of `data.classes`.

use super::{Context, check, unknown};
use crate::policy::document::Section;
use crate::policy::problem::Problem;

check!(
    "unknown-class",
    Error,
    "The default, entities, escalations, matrix, answers, ceilings and own cells name classes of `data.classes`.",
    "Declare the class in `data.classes`, or name one that is there.",
    Document(run),
    bad: "data:\n  classes: [internal, restricted]\n  default: internal\n  retention: {content: 0 days, records: 2 years}\n  entities: {payment-card: restrictd} #!\n  matrix:\n    internal:   {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}\n    restricted: {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n",
    good: "data:\n  classes: [internal, restricted]\n  default: internal\n  retention: {content: 0 days, records: 2 years}\n  entities: {payment-card: restricted}\n  matrix:\n    internal:   {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}\n    restricted: {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let data = &document.data;
    if data.classes.is_empty() && document.section(Section::Data).is_some() {
        let problem = Problem::error(
            "unknown-class",
            document.section_place(Section::Data),
            "no data classes are declared",
        );
        problems
            .push(problem.help("add `classes: [public, internal, confidential, restricted]`, least sensitive first"));
        return;
    }
    let known: Vec<&str> = data.classes.iter().map(|class| class.as_str()).collect();
    let entities = data.entities.iter().map(|(_, class)| class);
    let escalated = data.escalate.iter().map(|escalation| &escalation.to);
    let rows = data
        .matrix
        .iter()
        .flat_map(|matrix| matrix.rows.iter().map(|row| &row.class));
    let answers = data
        .answers
        .iter()
        .flat_map(|answers| answers.value.iter().map(|(class, _)| class));
    let ceilings = document.scope.uses.iter().filter_map(|one| one.ceiling.as_ref());
    let cells = document
        .apps
        .iter()
        .flat_map(|app| app.cells.iter().map(|(class, _)| class));
    let named = data
        .default
        .iter()
        .chain(entities)
        .chain(escalated)
        .chain(rows)
        .chain(answers)
        .chain(ceilings)
        .chain(cells);
    unknown("unknown-class", "data class", named, &known, problems);
}
