//! What may go on when nothing can be recorded.

use super::run_in;
use crate::policy::document::{BreakGlass, Text};
use crate::render::block::{Block, Inline};
use crate::render::{Given, prose, words};

pub(super) fn data(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let Some(glass) = &given.document.break_glass else {
        return;
    };
    blocks.push(run_in(
        "monitoring.break_glass",
        "When nothing can be recorded",
        sentence(given, glass),
    ));
    if let Some(statement) = &glass.statement {
        blocks.extend(prose::blocks(statement.as_str()));
    }
}

fn sentence(given: &Given<'_>, glass: &BreakGlass) -> Vec<Inline> {
    let minutes = glass.lasts.as_ref().map_or(0, |lasts| lasts.value);
    let mut text = vec![
        Inline::from("Whatever cannot be recorded does not happen. For "),
        Inline::Text(words::minutes(minutes)),
        Inline::from(" at most, requests of "),
        Inline::Text(words::texts(&glass.groups, "and")),
        Inline::from(" for the use “"),
        Inline::from(glass.use_.as_ref().map_or("", Text::as_str)),
        Inline::from(
            "” go on all the same: each is written to a disk of its own and raises an alarm. Afterwards all of them go into the records, and ",
        ),
    ];
    text.extend(glass.reviewer.iter().flat_map(|role| words::role(given, role)));
    text.push(Inline::from(
        " reviews them. Until that is done there is no other time.",
    ));
    text
}
