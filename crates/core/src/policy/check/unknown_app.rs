//! Apps that are named are in the catalogue or in the policy's own lists.

use super::{Context, app_selectors, check, unknown};
use crate::policy::document::Text;
use crate::policy::problem::Problem;

check!(
    "unknown-app",
    Error,
    "Classified apps are in the catalogue or plainly your own (a warning); selectors name apps of the catalogue or of the lists, and categories that exist.",
    "Use an id of the catalogue, or list the app under `applications`.",
    Document(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {app: chatgtp}, then: block}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {app: chatgpt}, then: block}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let catalogued: Vec<&str> = context.catalog.apps().map(|app| app.id).collect();
    for id in document.apps.iter().map(|app| &app.id) {
        if !catalogued.contains(&id.as_str()) {
            problems.push(unlisted(id, &catalogued));
        }
    }
    let instead = document.apps.iter().filter_map(|app| app.instead.as_ref());
    let selected = app_selectors(document).flat_map(|app| app.id.iter().flatten());
    let mut known = catalogued;
    known.extend(document.apps.iter().map(|app| app.id.as_str()));
    unknown("unknown-app", "app", instead.chain(selected), &known, problems);
    let mut categories: Vec<&str> = context.catalog.apps().flat_map(|app| app.categories).copied().collect();
    categories.sort_unstable();
    categories.dedup();
    let named = app_selectors(document).flat_map(|app| app.category.iter().flatten());
    unknown("unknown-app", "category of apps", named, &categories, problems);
}

/// A listed app that the catalogue does not have: a slip of the pen if one is near, else an app of the organisation's own.
fn unlisted(id: &Text, catalogued: &[&str]) -> Problem {
    let message = format!("no app called `{}` in the catalogue", id.value);
    let slip =
        Problem::error("unknown-app", id.place, message.clone()).suggest(id.as_str(), catalogued.iter().copied());
    if slip.help.is_some() {
        return slip;
    }
    let own = "it is taken for an app of your own: only requests that name this id are meant, and it has no category";
    Problem::warning("unknown-app", id.place, message).help(own)
}
