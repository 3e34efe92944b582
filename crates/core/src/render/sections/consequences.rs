//! What follows from a breach: the ladder, where one starts, and how to appeal.

use super::run_in;
use crate::render::block::{Block, Inline};
use crate::render::{Given, words};

pub(super) fn data(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let Some(consequences) = &given.document.consequences else {
        return;
    };
    if !consequences.ladder.is_empty() {
        let text = "From the mildest to the most serious, a breach leads to:";
        blocks.push(run_in("consequences.ladder", "The ladder", vec![Inline::from(text)]));
        let steps = consequences.ladder.iter();
        blocks.push(Block::List {
            ordered: true,
            items: steps
                .map(|step| vec![Inline::Text(words::spoken(step.as_str()))])
                .collect(),
        });
    }
    let mut sentences = Vec::new();
    if !consequences.start.is_empty() {
        let starts: Vec<String> = consequences
            .start
            .iter()
            .map(|(what, step)| format!("{} with {}", words::spoken(what.as_str()), words::spoken(step.as_str())))
            .collect();
        sentences.push(format!("Where one starts: {}.", words::list(&starts, "and")));
    }
    if let Some(window) = &consequences.window {
        sentences.push(format!("Breaches within {} count together.", words::days(window.value)));
    }
    if let Some(step) = &consequences.two_people_from {
        sentences.push(format!(
            "From the step “{}” on, two people decide.",
            words::spoken(step.as_str())
        ));
    }
    if let Some(appeal) = &consequences.appeal {
        sentences.push(format!(
            "Whoever is concerned can appeal within {}.",
            words::days(appeal.value)
        ));
    }
    if !sentences.is_empty() {
        blocks.push(Block::paragraph(vec![Inline::Text(sentences.join(" "))]));
    }
}
