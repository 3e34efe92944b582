//! What a vendor promised is read again.

use super::{Context, check, past};
use crate::policy::problem::Problem;
use crate::verdict::AppClass;

check!(
    "terms-stale",
    Warning,
    "The terms of every sanctioned app were checked within 365 days; where no date is stated, a note says so.",
    "Read the vendor's terms and state the date: `terms: {checked: 2026-12-31}`.",
    Document(run),
    bad: "applications:\n  sanctioned: [{app: openai-api, owner: cto, terms: {checked: 2025-11-01}}] #!\n  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]\n",
    good: "applications:\n  sanctioned: [{app: openai-api, owner: cto, terms: {checked: 2026-11-01}}, {app: demo, owner: cto}]\n  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]\n",
);

const MOST_DAYS: u32 = 365;

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let sanctioned = context
        .document
        .apps
        .iter()
        .filter(|app| app.class == AppClass::Sanctioned);
    for app in sanctioned {
        let id = &app.id;
        // The built-in demonstration has no vendor.
        let demo = context
            .catalog
            .app(id.as_str())
            .is_some_and(|known| known.categories.contains(&"demo"));
        match &app.terms_checked {
            Some(checked) if past(context.today(), checked.value, MOST_DAYS) => {
                let message = format!(
                    "the terms of `{}` were checked more than {MOST_DAYS} days ago",
                    id.value
                );
                let problem = Problem::warning("terms-stale", checked.place, message);
                problems.push(problem.help("check them again and state the date"));
            }
            None if !demo => {
                let message = format!("nothing says when the terms of `{}` were checked", id.value);
                let problem = Problem::note("terms-stale", id.place, message);
                problems.push(problem.help("read them and state the date: `terms: {checked: …}`"));
            }
            Some(_) | None => {}
        }
    }
}
