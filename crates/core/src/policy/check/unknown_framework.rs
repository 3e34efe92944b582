//! Frameworks that clauses map to are packs that can be looked up.

use super::{Context, check, mappings};
use crate::policy::problem::Problem;
use crate::standards;

check!(
    "unknown-framework",
    Warning,
    "`frameworks` name packs that are known, so that coverage of them can be told.",
    "Use an id of `ordain framework list`; a mapping to anything else is kept and not checked.",
    Document(run),
    bad: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, every: 90 days, by: ciso}, frameworks: {iso-27001-2022: [A.5.1]}} #!\n",
    good: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, every: 90 days, by: ciso}, frameworks: {iso-42001-2023: [A.5.2]}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    for mapping in mappings(context.document) {
        let name = mapping.pack.as_str();
        if standards::pack(name).is_some() || !standards::versions(name).is_empty() {
            continue;
        }
        let message = format!("no framework called `{name}`");
        let ids = standards::packs().iter().map(|pack| pack.id);
        let mut problem = Problem::warning("unknown-framework", mapping.pack.place, message).suggest(name, ids);
        problem.fix = problem.fix.filter(|fix| !mapping.clause_names(&fix.new));
        problems.push(match problem.help {
            Some(_) => problem,
            None => problem.help("its items cannot be checked; `ordain framework list` tells which are known"),
        });
    }
}
