//! What becomes of answers.

use super::run_in;
use crate::render::block::{Block, Cell, Inline, Table};
use crate::render::{Given, words};

pub(super) fn data(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let Some(outputs) = &given.document.outputs else { return };
    let text = outputs.inherit.as_ref().map_or_else(
        || "an answer has no class of its own.".to_owned(),
        |inherit| format!("an answer takes the class of its {}.", words::spoken(inherit.as_str())),
    );
    blocks.push(run_in(
        "acceptable_use.outputs",
        "Answers",
        vec![Inline::Text(words::capital(&text))],
    ));
    if outputs.reuse.is_empty() {
        return;
    }
    let mut table = Table::new(None, "Where answers may be used", &["Where", "What that needs"]);
    for (place, needs) in &outputs.reuse {
        table.rows.push(vec![
            Cell::from(words::spoken(place.as_str())),
            Cell::from(words::spoken(needs.as_str())),
        ]);
    }
    blocks.push(Block::Table(table));
}
