//! Nobody lets themselves off: an exception is approved by somebody other than who asked for it.

use std::collections::BTreeSet;

use super::{Context, check};
use crate::policy::document::Exception;
use crate::policy::problem::Problem;

check!(
    "self-approval",
    Error,
    "Who requested an exception does not approve it, unless two others do as well; two roles of one person count as one.",
    "Have somebody else approve it, and take the requester off `approved`.",
    Document(run),
    bad: "exceptions:\n  - {id: EX-1, clause: data.matrix, who: {group: staff}, then: allow, reason: trial, requested: cto, approved: [ciso, cto], expires: 2027-02-01} #!\n",
    good: "exceptions:\n  - {id: EX-1, clause: data.matrix, who: {group: staff}, then: allow, reason: trial, requested: cto, approved: [ciso], expires: 2027-02-01}\n",
);

/// Who may have approved as well, if the requester did.
const OTHERS: usize = 2;

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    for exception in &context.document.exceptions {
        let Some(requested) = &exception.requested else {
            continue;
        };
        let requester = context.person(requested.as_str());
        let approves = |role: &str| people(context, exception, role);
        let Some(own) = exception
            .approved
            .iter()
            .find(|role| approves(role.as_str()).contains(&requester))
        else {
            continue;
        };
        let all: BTreeSet<String> = exception
            .approved
            .iter()
            .flat_map(|role| approves(role.as_str()))
            .collect();
        if all.len() <= OTHERS {
            let message = format!("`{}` is approved by who asked for it", exception.id.value);
            let problem = Problem::error("self-approval", own.place, message);
            problems.push(problem.help("have somebody else approve it, another person and not only another role"));
        }
    }
}

/// The people whom a role stands for: its holder, the board's members, the owner of the clause.
fn people(context: &Context<'_>, exception: &Exception, role: &str) -> BTreeSet<String> {
    let document = context.document;
    match role {
        "board" => {
            let members = document.roles.board.iter().flat_map(|board| &board.members);
            members.map(|member| context.person(member.as_str())).collect()
        }
        "owner" => {
            let clause = document
                .clauses
                .iter()
                .find(|clause| clause.id.value == exception.clause.value);
            let owner = clause.and_then(|clause| clause.owner.as_ref());
            let owner = owner.or(document.roles.accountable.as_ref());
            owner.map(|owner| context.person(owner.as_str())).into_iter().collect()
        }
        role => BTreeSet::from([context.person(role)]),
    }
}
