//! What follows the sections: exceptions, the index of clauses, and how each part acts now.

use super::block::{Block, Cell, Heading, Inline, Inlines, Table};
use super::state::State;
use super::{Given, prose, sentence, words};
use crate::policy::document::{Clause, Exception, Text};
use crate::verdict::Mode;

fn heading(text: &str, anchor: &str, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(Heading {
        level: 2,
        number: None,
        text: text.to_owned(),
        anchor: anchor.to_owned(),
    }));
}

/// Granted departures, with approvers and dates.
pub(super) fn exceptions(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let document = given.document;
    heading("Exceptions", "exceptions", blocks);
    if document.exceptions.is_empty() {
        blocks.push(Block::paragraph(vec![Inline::from("No exception has been granted.")]));
    } else {
        let head = [
            "Exception",
            "Departs from",
            "What happens instead",
            "Reason and safeguard",
            "Approved",
            "Runs until",
        ];
        let mut table = Table::new(None, "Granted exceptions", &head);
        table.rows = document.exceptions.iter().map(|one| exception(given, one)).collect();
        blocks.push(Block::Table(table));
    }
    if !document.never_excepted.is_empty() {
        let clauses = document.never_excepted.iter().map(|id| cited(id.as_str())).collect();
        let mut text = vec![Inline::from("No exception may be granted from ")];
        text.extend(words::runs(clauses, "or"));
        text.push(Inline::from("."));
        blocks.push(Block::paragraph(text));
    }
}

/// What happens in place of the clause, and how long: "it goes through until 2027-02-01".
pub(super) fn instead(given: &Given<'_>, one: &Exception) -> String {
    let happens = one
        .then
        .as_ref()
        .map_or("it does not count", |then| words::happens(then.value));
    let until = one.expires.as_ref().map(|expires| {
        let past = given.today > expires.value;
        format!(" until {}{}", expires.value, if past { " (has run out)" } else { "" })
    });
    format!("{happens}{}", until.unwrap_or_default())
}

fn exception(given: &Given<'_>, one: &Exception) -> Vec<Cell> {
    let mut instead = vec![Inline::from("For ")];
    instead.extend(sentence::whom(given, &one.who));
    if let Some(then) = &one.then {
        instead.push(Inline::Text(format!(": {}", words::happens(then.value))));
    }
    let mut reason: Inlines = one
        .reason
        .as_ref()
        .map(|text| prose::inlines(text.as_str()))
        .unwrap_or_default();
    if let Some(compensating) = &one.compensating {
        reason.push(Inline::from(if reason.is_empty() {
            "safeguard: "
        } else {
            "; safeguard: "
        }));
        reason.extend(prose::inlines(compensating.as_str()));
    }
    let mut approved = Inlines::new();
    if let Some(requested) = &one.requested {
        approved.push(Inline::from("asked for by "));
        approved.extend(words::role(given, requested));
        approved.push(Inline::from("; "));
    }
    if one.approved.is_empty() {
        approved.push(Inline::from("approved by nobody"));
    } else {
        approved.push(Inline::from("approved by "));
        approved.extend(words::roles(given, &one.approved, "and"));
    }
    if let Some(granted) = &one.granted {
        approved.push(Inline::Text(format!(" on {}", granted.value)));
    }
    let until = one.expires.as_ref().map_or_else(
        || "–".to_owned(),
        |expires| {
            let past = if given.today > expires.value {
                " (has run out)"
            } else {
                ""
            };
            format!("{}{past}", expires.value)
        },
    );
    vec![
        Cell::from(vec![Inline::code(one.id.as_str())]),
        cited(one.clause.as_str()).into(),
        instead.into(),
        reason.into(),
        approved.into(),
        until.into(),
    ]
}

/// A citation as a link to its clause or data.
fn cited(id: &str) -> Inlines {
    let anchor = if id.contains('.') || id == "access" {
        words::data_anchor(id)
    } else {
        words::clause_anchor(id)
    };
    vec![Inline::code(id).linked(anchor)]
}

/// Every clause by id, with its state.
pub(super) fn index(given: &Given<'_>, states: &[(&Clause, State)], blocks: &mut Vec<Block>) {
    heading("Index of clauses", "index", blocks);
    let mut table = Table::new(None, "Clauses by id", &["Clause", "Section", "Owner", "State"]);
    let mut sorted: Vec<&(&Clause, State)> = states.iter().collect();
    sorted.sort_by(|(one, _), (two, _)| one.id.as_str().cmp(two.id.as_str()));
    for (clause, state) in sorted {
        table.rows.push(vec![
            vec![Inline::code(clause.id.as_str()).linked(words::clause_anchor(clause.id.as_str()))].into(),
            words::section(clause.section).into(),
            clause
                .owner
                .as_ref()
                .map_or_else(|| Cell::from("–"), |owner: &Text| Cell::from(words::role(given, owner))),
            state.kind.label().into(),
        ]);
    }
    blocks.push(Block::Table(table));
}

/// How each part acts now, and what departs from the default.
pub(super) fn modes(given: &Given<'_>, blocks: &mut Vec<Block>) {
    heading("Appendix: how each part acts", "modes", blocks);
    let default = given
        .document
        .rollout
        .default
        .as_ref()
        .map_or(Mode::Enforce, |mode| mode.value);
    let text = format!(
        "A part whose mode is observe {}, one whose mode is coach {}, and one whose mode is enforce acts fully. The mode of \
         what is not named is {default}.",
        words::mode(Mode::Observe),
        words::mode(Mode::Coach),
    );
    blocks.push(Block::paragraph(vec![Inline::Text(text)]));
    let entries = &given.document.rollout.entries;
    if entries.is_empty() {
        blocks.push(Block::paragraph(vec![Inline::from("No part departs from that.")]));
        return;
    }
    let mut table = Table::new(None, "Changes of mode", &["Part", "Mode", "What that means"]);
    for (id, mode) in entries {
        table.rows.push(vec![
            cited(id.as_str()).into(),
            mode.value.as_str().into(),
            words::mode(mode.value).into(),
        ]);
    }
    blocks.push(Block::Table(table));
}
