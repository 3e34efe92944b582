//! The matrix has a verdict for every data class and app class.

use super::{Context, check};
use crate::policy::document::Section;
use crate::policy::problem::Problem;
use crate::verdict::AppClass;

check!(
    "matrix-not-total",
    Error,
    "Every cell of data class x app class has a verdict, so that nothing is decided by omission.",
    "Write a verdict for each data class and app class.",
    Document(run),
    bad: "data:\n  classes: [internal, restricted]\n  default: internal\n  retention: {content: 0 days, records: 2 years}\n  matrix:\n    internal:   {sanctioned: allow, tolerated: coach, unsanctioned: block} #!\n    restricted: {sanctioned: block, tolerated: block, unknown: block, unsanctioned: block}\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n",
    good: "data:\n  classes: [internal, restricted]\n  default: internal\n  retention: {content: 0 days, records: 2 years}\n  matrix:\n    internal:   {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}\n    restricted: {sanctioned: block, tolerated: block, unknown: block, unsanctioned: block}\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let data = &context.document.data;
    let Some(matrix) = &data.matrix else {
        if context.document.section(Section::Data).is_some() {
            let place = context.document.section_place(Section::Data);
            let problem = Problem::error("matrix-not-total", place, "there is no `matrix`");
            problems.push(problem.help("add a row for each data class with a verdict for each app class"));
        }
        return;
    };
    for class in &data.classes {
        let Some(row) = matrix.rows.iter().find(|row| row.class.value == class.value) else {
            let problem = Problem::error(
                "matrix-not-total",
                matrix.place,
                format!("the matrix has no row for `{}`", class.value),
            );
            problems.push(problem.help(format!(
                "add `{}: {{sanctioned: …, tolerated: …, unknown: …, unsanctioned: …}}`",
                class.value
            )));
            continue;
        };
        for app in AppClass::ALL {
            if !row.cells.iter().any(|(known, _)| known.value == *app) {
                let message = format!("`{}` says nothing about {app} apps", class.value);
                problems.push(
                    Problem::error("matrix-not-total", row.class.place, message)
                        .help(format!("add `{app}: block`, or what you mean")),
                );
            }
        }
    }
}
