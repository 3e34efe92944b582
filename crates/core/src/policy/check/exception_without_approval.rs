//! Somebody who can be named answers for an exception.

use super::{Context, check};
use crate::policy::compile::names::EVERYONE;
use crate::policy::problem::Problem;

check!(
    "exception-without-approval",
    Warning,
    "Every exception is approved by a role, the board or the clause's owner; `everyone` is nobody who could answer for it.",
    "Add `approved:` with the roles that agreed.",
    Document(run),
    bad: "exceptions:\n  - {id: EX-1, clause: data.matrix, who: {group: staff}, then: allow, reason: trial, requested: cto, approved: everyone, expires: 2027-02-01} #!\n",
    good: "exceptions:\n  - {id: EX-1, clause: data.matrix, who: {group: staff}, then: allow, reason: trial, requested: cto, approved: ciso, expires: 2027-02-01}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    for exception in &context.document.exceptions {
        let (id, approved) = (&exception.id, &exception.approved);
        let (place, message) = match approved.first() {
            None => (id.place, format!("nobody approved `{}`", id.value)),
            Some(first) if approved.iter().all(|role| role.as_str() == EVERYONE) => (
                first.place,
                format!("`{}` is approved by `everyone`, who cannot answer for it", id.value),
            ),
            Some(_) => continue,
        };
        let help = "add `approved:` with the roles that agreed, such as `approved: [ciso]`";
        problems.push(Problem::warning("exception-without-approval", place, message).help(help));
    }
}
