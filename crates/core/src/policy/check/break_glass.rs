//! A break-glass is narrow, short, and looked at afterwards by somebody who can be found.

use super::{Context, check, holder};
use crate::policy::compile::names::EVERYONE;
use crate::policy::document::{BreakGlass, Text};
use crate::policy::problem::Problem;

check!(
    "break-glass",
    Error,
    "`monitoring.break_glass` lasts from 1 to 60 minutes, is for some group, and its reviewer is a role that somebody holds.",
    "Shorten it, name the groups, and name a reviewer who is written under `roles.people`. It should not be for `everyone` (a warning).",
    Document(run),
    bad: "monitoring:\n  break_glass: {statement: Care goes on., use: coding, groups: [engineering], lasts: 61 minutes, reviewer: ciso} #!\n",
    good: "monitoring:\n  break_glass: {statement: Care goes on., use: coding, groups: [engineering], lasts: 1 hour, reviewer: ciso}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let Some(glass) = &context.document.break_glass else {
        return;
    };
    let error = |place, message: String| Problem::error("break-glass", place, message);
    if let Some(lasts) = &glass.lasts
        && !(1..=BreakGlass::MOST_MINUTES).contains(&lasts.value)
    {
        let problem = error(lasts.place, format!("a break-glass of {} minutes", lasts.value));
        problems.push(problem.help("it lasts from 1 to 60 minutes, whatever happens meanwhile"));
    }
    if glass.groups.is_empty() {
        let problem = error(glass.place, "a break-glass for no group is for nobody".to_owned());
        problems.push(problem.help("name under `groups` those whose work cannot wait, or leave the break-glass out"));
    }
    if let Some(all) = glass.groups.iter().find(|group| group.as_str() == EVERYONE) {
        let message = "a break-glass for everyone".to_owned();
        let problem = Problem::warning("break-glass", all.place, message);
        problems.push(problem.help("name the groups whose work cannot wait"));
    }
    if let Some(reviewer) = &glass.reviewer
        && !is_held(context, reviewer)
    {
        let message = format!(
            "nobody holds the role `{}`, which is to review a break-glass",
            reviewer.value
        );
        let problem = error(reviewer.place, message);
        problems
            .push(problem.help("until somebody has reviewed one there is no other: name a role that a person holds"));
    }
}

/// Whether some person is the reviewer. A role that is not known at all is another check's.
fn is_held(context: &Context<'_>, reviewer: &Text) -> bool {
    let roles = &context.document.roles;
    let held = |role: &str| {
        let mut people = roles.people.iter().filter(|(name, _)| name.as_str() == role);
        people.any(|(_, person)| holder(person.as_str()).is_some())
    };
    match reviewer.as_str() {
        "everyone" | "works-council" => false,
        "owner" => roles
            .accountable
            .iter()
            .chain(&roles.deputy)
            .any(|role| held(role.as_str())),
        "board" => roles
            .board
            .iter()
            .flat_map(|board| &board.members)
            .any(|role| held(role.as_str())),
        role => held(role) || !roles.people.iter().any(|(name, _)| name.as_str() == role),
    }
}
