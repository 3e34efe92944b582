//! Groups are there to be given something.

use super::{Context, check};
use crate::policy::compile::names::EVERYONE;
use crate::policy::problem::Problem;

check!(
    "group-unused",
    Warning,
    "Every group of `scope.groups` is named by some grant, or `everyone` is; otherwise its people can reach nothing.",
    "Add the group to a grant, or remove it.",
    Document(run),
    bad: "access:\n  grants: [{id: AC-1, groups: [staff]}]\n  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]\nscope:\n  groups:\n    staff: {}\n    engineering: {} #!\n  uses: [{id: coding, owner: cto, groups: [staff]}]\n  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: What for., enforced_by: scope.uses}]\n",
    good: "access:\n  grants: [{id: AC-1, groups: [staff]}, {id: AC-3, groups: [engineering]}]\n  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let granted: Vec<&str> = document
        .access
        .grants
        .iter()
        .flat_map(|grant| &grant.groups)
        .map(|group| group.as_str())
        .collect();
    // Without any grant nobody reaches anything, and that is no matter of a group.
    if granted.is_empty() || granted.contains(&EVERYONE) {
        return;
    }
    let excluded = |name: &str| {
        let mut groups = document
            .scope
            .exclude
            .iter()
            .filter_map(|exclude| exclude.group.as_ref());
        groups.any(|group| group.as_str() == name)
    };
    for group in document.scope.groups.iter().map(|group| &group.name) {
        if !granted.contains(&group.as_str()) && !excluded(group.as_str()) {
            let message = format!("no grant is for `{}`, so its people can reach nothing", group.value);
            let problem = Problem::warning("group-unused", group.place, message);
            problems.push(problem.help("add the group to a line of `access.grants`, or remove it"));
        }
    }
}
