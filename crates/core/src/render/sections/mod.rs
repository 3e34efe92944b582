//! The fourteen sections: the author's prose, the section's own data as tables and sentences, then its clauses.
//!
//! One file for each section that has data of its own. Read [`section`] first.

mod access;
mod applications;
mod consequences;
mod data;
mod education;
mod monitoring;
mod outputs;
mod purpose;
mod roles;
mod scope;

use super::block::{Block, Heading, Inline, Inlines};
use super::state::State;
use super::{Given, clauses, prose, words};
use crate::policy::document::{Clause, Section};

/// Adds a section to a page, if the document has it.
pub(super) fn section(
    given: &Given<'_>,
    number: u32,
    section: Section,
    states: &[(&Clause, State)],
    blocks: &mut Vec<Block>,
) {
    let Some(head) = given.document.section(section) else {
        return;
    };
    blocks.push(Block::Heading(Heading {
        level: 2,
        number: Some(number.to_string()),
        text: words::section(section).to_owned(),
        anchor: words::section_anchor(section),
    }));
    if let Some(statement) = &head.statement {
        blocks.extend(prose::blocks(statement.as_str()));
    }
    match section {
        Section::Purpose => purpose::data(given, blocks),
        Section::Scope => scope::data(given, blocks),
        Section::Roles => roles::data(given, blocks),
        Section::Applications => applications::data(given, blocks),
        Section::AcceptableUse => outputs::data(given, blocks),
        Section::Access => access::data(given, blocks),
        Section::Data => data::data(given, blocks),
        Section::Education => education::data(given, blocks),
        Section::Consequences => consequences::data(given, blocks),
        Section::Monitoring => monitoring::data(given, blocks),
        Section::ShadowAi | Section::Transparency | Section::Risk | Section::Compliance => {}
    }
    clauses::of(given, number, section, states, blocks);
}

/// A paragraph that opens with a heading of its own, as the statement of something that a clause cites.
fn run_in(path: &str, heading: &str, text: Inlines) -> Block {
    let mut all = vec![
        Inline::Strong(vec![Inline::Text(format!("{heading}."))]),
        Inline::from(" "),
    ];
    all.extend(text);
    Block::Paragraph {
        anchor: Some(words::data_anchor(path)),
        text: all,
    }
}

/// Text that may be missing.
fn or_dash(text: Option<Inlines>) -> Inlines {
    text.unwrap_or_else(|| vec![Inline::from("–")])
}
