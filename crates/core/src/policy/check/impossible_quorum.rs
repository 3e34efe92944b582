//! A board that can decide, and does not decide without anybody.

use std::collections::BTreeSet;

use super::{Context, check};
use crate::policy::problem::Problem;

check!(
    "impossible-quorum",
    Error,
    "The board's quorum is at least 1 and at most the number of people on it; who is on it in two roles counts once.",
    "Lower the quorum, or add members.",
    Document(run),
    bad: "roles:\n  people: {ciso: ciso@example.com, cto: cto@example.com, dpo: ciso@example.com}\n  owner: {accountable: ciso, deputy: cto}\n  board: {members: [ciso, cto, dpo], quorum: 3} #!\n",
    good: "roles:\n  people: {ciso: ciso@example.com, cto: cto@example.com, dpo: ciso@example.com}\n  owner: {accountable: ciso, deputy: cto}\n  board: {members: [ciso, cto, dpo], quorum: 2}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let Some(board) = &context.document.roles.board else {
        return;
    };
    let Some(quorum) = &board.quorum else { return };
    let people: BTreeSet<String> = board.members.iter().map(|role| context.person(role.as_str())).collect();
    let (members, needed) = (board.members.len(), quorum.value as usize);
    let message = if needed == 0 {
        "a quorum of 0 decides without anybody".to_owned()
    } else if needed > members {
        format!("{needed} have to agree, but the board has {members}")
    } else if needed > people.len() {
        format!(
            "{needed} have to agree, but the {members} roles of the board are {} people",
            people.len()
        )
    } else {
        return;
    };
    let problem = Problem::error("impossible-quorum", quorum.place, message);
    problems.push(problem.help(format!("a number from 1 to {} can be reached", people.len())));
}
