//! Items that clauses map to are items of the framework's edition.

use super::{Context, check, mappings};
use crate::policy::problem::Problem;
use crate::standards;

check!(
    "unknown-framework-item",
    Warning,
    "`frameworks` name items that the pack has, in the edition that the pack's id says.",
    "Look the item up with `ordain framework show PACK`.",
    Document(run),
    bad: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, every: 90 days, by: ciso}, frameworks: {owasp-llm-2026: [LLM11]}} #!\n",
    good: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, every: 90 days, by: ciso}, frameworks: {owasp-llm-2026: [LLM10]}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    for mapping in mappings(context.document) {
        let Some(pack) = standards::pack(mapping.pack.as_str()) else {
            continue;
        };
        for item in mapping.items.iter().filter(|item| pack.item(item.as_str()).is_none()) {
            let message = format!("`{}` has no item `{}`", pack.id, item.value);
            let known = pack.items.iter().flat_map(|known| [known.id, pack.short(known)]);
            let problem = Problem::warning("unknown-framework-item", item.place, message).suggest(item.as_str(), known);
            problems.push(match problem.help {
                Some(_) => problem,
                None => problem.help(format!("`ordain framework show {}` lists its items", pack.id)),
            });
        }
    }
}
