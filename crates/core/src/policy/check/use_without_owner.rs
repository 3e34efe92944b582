//! Somebody answers for each use.

use super::{Context, check};
use crate::policy::problem::Problem;

check!(
    "use-without-owner",
    Warning,
    "Every use of `scope.uses` has an owner.",
    "Add `owner:` with a role.",
    Document(run),
    bad: "scope:\n  groups: {staff: {}, engineering: {}, unmapped: block}\n  uses: [{id: coding, groups: [engineering]}] #!\n  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: What for., enforced_by: scope.uses}]\n",
    good: "scope:\n  groups: {staff: {}, engineering: {}, unmapped: block}\n  uses: [{id: coding, owner: cto, groups: [engineering]}]\n  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: What for., enforced_by: scope.uses}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    for one in context.document.scope.uses.iter().filter(|one| one.owner.is_none()) {
        let message = format!("nobody owns the use `{}`", one.id.value);
        let problem = Problem::warning("use-without-owner", one.id.place, message);
        problems.push(problem.help("add `owner:` with the role that answers for it"));
    }
}
