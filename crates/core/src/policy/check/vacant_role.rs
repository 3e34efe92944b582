//! Roles that carry something are held by somebody, and the policy's owner by somebody other than the deputy.

use super::{Context, check, holder, unknown_role};
use crate::policy::document::Section;
use crate::policy::problem::Problem;

check!(
    "vacant-role",
    Warning,
    "A role that something names has a person, and the policy has an accountable owner and a deputy who are two people.",
    "Write who holds the role under `roles.people`, and who owns the policy and stands in under `roles.owner`.",
    Document(run),
    bad: "roles:\n  people: {ciso: ciso@example.com, cto: tbd} #!\n  owner: {accountable: ciso, deputy: cto}\n",
    good: "roles:\n  people: {ciso: ciso@example.com, cto: cto@example.com, cmo: tbd}\n  owner: {accountable: ciso, deputy: cto}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let roles = &document.roles;
    let mut warn =
        |place, message: String, help: &str| problems.push(Problem::warning("vacant-role", place, message).help(help));
    let named = unknown_role::named(document);
    for (role, person) in &roles.people {
        if holder(person.as_str()).is_none() && named.iter().any(|name| name.value == role.value) {
            warn(
                person.place,
                format!("nobody holds the role `{}`, which this policy counts on", role.value),
                "write who it is, or give what the role carries to another one",
            );
        }
    }
    if let Some(board) = named.iter().find(|name| name.as_str() == "board")
        && roles.board.as_ref().is_none_or(|board| board.members.is_empty())
    {
        warn(
            board.place,
            "the board is named, but has no members".to_owned(),
            "add `roles.board` with `members` and `quorum`",
        );
    }
    let Some(section) = document.section(Section::Roles) else {
        return;
    };
    let person = |role: &str| context.person(role);
    match (&roles.accountable, &roles.deputy) {
        (None, _) => warn(
            section.place,
            "nobody is accountable for the policy".to_owned(),
            "add `owner: {accountable: …, deputy: …}` with two roles",
        ),
        (Some(owner), None) => warn(
            owner.place,
            "nobody stands in for the policy's owner".to_owned(),
            "add `deputy:` with another role",
        ),
        (Some(owner), Some(deputy)) if person(owner.as_str()) == person(deputy.as_str()) => warn(
            deputy.place,
            format!("`{}` and `{}` are the same person", owner.value, deputy.value),
            "name a deputy who can act when the owner cannot",
        ),
        _ => {}
    }
}
