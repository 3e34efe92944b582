//! Somebody answers for each app that is sanctioned.

use super::{Context, check};
use crate::policy::problem::Problem;
use crate::verdict::AppClass;

check!(
    "app-without-owner",
    Warning,
    "Every sanctioned app has an owner.",
    "Add `owner:` with a role.",
    Document(run),
    bad: "applications:\n  sanctioned: [{app: openai-api, terms: {checked: 2026-11-01}}] #!\n  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]\n",
    good: "applications:\n  sanctioned: [{app: openai-api, owner: cto, terms: {checked: 2026-11-01}}]\n  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let sanctioned = context
        .document
        .apps
        .iter()
        .filter(|app| app.class == AppClass::Sanctioned);
    for app in sanctioned.filter(|app| app.owner.is_none()) {
        let message = format!("nobody owns `{}`", app.id.value);
        let problem = Problem::warning("app-without-owner", app.id.place, message);
        problems.push(problem.help("add `owner:` with the role that answers for its use"));
    }
}
