//! Section data acts in the name of a clause that people can read.

use super::{Context, check, section_data};
use crate::policy::problem::Problem;

check!(
    "uncited-data",
    Error,
    "Section data that is there is named by some clause's `enforced_by`.",
    "Add a clause with a statement and `enforced_by` that names the data.",
    Document(run),
    bad: "acceptable_use:\n  outputs: {inherit: highest-input} #!\n",
    good: "acceptable_use:\n  outputs: {inherit: highest-input}\n  clauses: [{id: AU-1, statement: Answers keep the label., enforced_by: acceptable_use.outputs}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let clauses = &context.document.clauses;
    for (name, place) in section_data(context.document) {
        let Some(place) = place else { continue };
        // The first three only spell out a default; roles and objectives govern nobody by themselves, and how long things
        // are kept binds whoever runs the store.
        let exempt = matches!(
            name,
            "data.uninspectable"
                | "data.unavailable"
                | "scope.outside"
                | "data.retention"
                | "roles.raci"
                | "roles.board"
                | "purpose.objectives"
        );
        if !exempt
            && !clauses
                .iter()
                .any(|clause| clause.enforced_by.as_ref().is_some_and(|by| by.as_str() == name))
        {
            let problem = Problem::error("uncited-data", place, format!("no clause says what `{name}` is for"));
            problems.push(problem.help(format!("add a clause with a statement and `enforced_by: {name}`")));
        }
    }
}
