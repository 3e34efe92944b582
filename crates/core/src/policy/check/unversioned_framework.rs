//! A framework is named with its edition, because items move between editions.

use super::{Context, check, mappings};
use crate::policy::problem::{Fix, Problem};
use crate::standards;

check!(
    "unversioned-framework",
    Warning,
    "`frameworks` name packs with their year or version.",
    "Name the edition that the items are from.",
    Document(run),
    bad: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, every: 90 days, by: ciso}, frameworks: {owasp-llm: [LLM02]}} #!\n",
    good: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, every: 90 days, by: ciso}, frameworks: {owasp-llm-2026: [LLM02]}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    for mapping in mappings(context.document) {
        let name = mapping.pack.as_str();
        let versions = standards::versions(name);
        let ids: Vec<String> = versions.iter().map(|pack| format!("`{}`", pack.id)).collect();
        let mut problem = Problem::warning(
            "unversioned-framework",
            mapping.pack.place,
            format!("`{name}` does not say which edition is meant"),
        );
        match versions.as_slice() {
            [] => continue,
            [only] if !mapping.clause_names(only.id) => problem = problem.fix(Fix::word(name, only.id)),
            _ => {}
        }
        problems.push(problem.help(format!("name the one that the items are from: {}", ids.join(", "))));
    }
}
