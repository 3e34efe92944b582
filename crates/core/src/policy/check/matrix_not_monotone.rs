//! More sensitive data, or a less trusted app, never gets a weaker verdict.

use super::{Context, check};
use crate::policy::document::{At, Document};
use crate::policy::problem::Problem;
use crate::verdict::{AppClass, Verdict};

check!(
    "matrix-not-monotone",
    Error,
    "Verdicts of the matrix, of an app's own cells and of the answers never get weaker with a higher data class, nor with a less trusted app class.",
    "Make the weaker cell as strict as the one before it, or relax that one.",
    Document(run),
    bad: "data:\n  classes: [internal, restricted]\n  default: internal\n  retention: {content: 0 days, records: 2 years}\n  matrix:\n    internal:   {sanctioned: coach, tolerated: coach, unknown: block, unsanctioned: block}\n    restricted: {sanctioned: allow, tolerated: block, unknown: block, unsanctioned: block} #!\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n",
    good: "data:\n  classes: [internal, restricted]\n  default: internal\n  retention: {content: 0 days, records: 2 years}\n  matrix:\n    internal:   {sanctioned: coach, tolerated: coach, unknown: block, unsanctioned: block}\n    restricted: {sanctioned: coach, tolerated: block, unknown: block, unsanctioned: block}\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n",
);

fn cell<'d>(document: &'d Document, class: &str, app: AppClass) -> Option<&'d At<Verdict>> {
    let row = document
        .data
        .matrix
        .as_ref()?
        .rows
        .iter()
        .find(|row| row.class.as_str() == class)?;
    row.cells
        .iter()
        .find(|(known, _)| known.value == app)
        .map(|(_, verdict)| verdict)
}

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let classes: Vec<&str> = document.data.classes.iter().map(|class| class.as_str()).collect();
    let mut falls = |what: &str, cells: Vec<(String, Option<&At<Verdict>>)>| {
        let stated: Vec<_> = cells
            .into_iter()
            .filter_map(|(name, cell)| Some((name, cell?)))
            .collect();
        for pair in stated.windows(2) {
            if let [(weaker, first), (stronger, second)] = pair
                && second.value < first.value
            {
                let message = format!(
                    "{what}: `{stronger}` gets `{}`, weaker than `{}` for `{weaker}`",
                    second.value, first.value
                );
                let problem = Problem::error("matrix-not-monotone", second.place, message);
                problems.push(problem.help(format!("make it `{}` or stricter, or relax the other", first.value)));
            }
        }
    };
    for app in AppClass::ALL {
        let column = classes
            .iter()
            .map(|&class| (class.to_owned(), cell(document, class, *app)));
        falls(&format!("{app} apps"), column.collect());
    }
    for class in &classes {
        let row = AppClass::ALL
            .iter()
            .map(|&app| (app.to_string(), cell(document, class, app)));
        falls(&format!("data class `{class}`"), row.collect());
    }
    for app in document.apps.iter().filter(|app| !app.cells.is_empty()) {
        let own = |class: &str| {
            app.cells
                .iter()
                .find(|(known, _)| known.as_str() == class)
                .map(|(_, verdict)| verdict)
        };
        let row = classes.iter().map(|&class| {
            (
                class.to_owned(),
                own(class).or_else(|| cell(document, class, app.class)),
            )
        });
        falls(&format!("own cells of `{}`", app.id.value), row.collect());
    }
    if let Some(answers) = &document.data.answers {
        let verdict = |class: &str| {
            answers
                .value
                .iter()
                .find(|(known, _)| known.as_str() == class)
                .map(|(_, verdict)| verdict)
        };
        // A class that is not named is allowed; it may not follow a named one.
        let allowed = At::new(Verdict::Allow, answers.place);
        let row = classes
            .iter()
            .map(|&class| (class.to_owned(), Some(verdict(class).unwrap_or(&allowed))));
        falls("answers", row.collect());
    }
}
