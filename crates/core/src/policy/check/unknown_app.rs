//! Apps that are named are in the catalogue or in the policy's own lists.

use super::{Context, app_selectors, check, unknown};
use crate::policy::problem::Problem;

check!(
    "unknown-app",
    "Classified apps are in the catalogue; selectors name apps of the catalogue or of the lists, and categories that exist.",
    run,
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {app: chatgtp}, then: block}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {app: chatgpt}, then: block}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let known: Vec<&str> = context.catalog.apps().map(|app| app.id).collect();
    let listed = document.apps.iter().map(|app| &app.id);
    let instead = document.apps.iter().filter_map(|app| app.instead.as_ref());
    let selected = app_selectors(document).flat_map(|app| app.id.iter().flatten());
    unknown(
        "unknown-app",
        "app",
        listed.chain(instead).chain(selected),
        &known,
        problems,
    );
    let mut categories: Vec<&str> = context.catalog.apps().flat_map(|app| app.categories).copied().collect();
    categories.sort_unstable();
    categories.dedup();
    let named = app_selectors(document).flat_map(|app| app.category.iter().flatten());
    unknown("unknown-app", "category of apps", named, &categories, problems);
}
