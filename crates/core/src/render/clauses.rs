//! Clauses: number, id, state, statement, owner, what holds them up, what people are told and what they serve.

use super::block::{self, Block, Inline, Inlines};
use super::state::State;
use super::{Given, closing, prose, sentence, words};
use crate::policy::document::{Clause, Evidence, Exception, Section};

/// Adds the clauses of a section.
pub(super) fn of(
    given: &Given<'_>,
    number: u32,
    section: Section,
    states: &[(&Clause, State)],
    blocks: &mut Vec<Block>,
) {
    let own = states.iter().filter(|(clause, _)| clause.section == section);
    for (index, (clause, state)) in (1u32..).zip(own) {
        blocks.push(Block::Clause(block::Clause {
            number: format!("{number}.{index}"),
            id: clause.id.value.clone(),
            anchor: words::clause_anchor(clause.id.as_str()),
            state: state.clone(),
            statement: clause
                .statement
                .as_ref()
                .map(|statement| prose::inlines(statement.as_str()))
                .unwrap_or_default(),
            details: details(given, clause),
        }));
    }
}

fn details(given: &Given<'_>, clause: &Clause) -> Vec<(String, Inlines)> {
    let mut details = Vec::new();
    let mut add = |name: &str, text: Inlines| details.push((name.to_owned(), text));
    if let Some(rule) = &clause.rule {
        add("Held up by", sentence::rule(given, rule));
        if let Some(tell) = &rule.tell {
            let mut text = vec![Inline::from("“")];
            text.extend(prose::inlines(tell.as_str()));
            text.push(Inline::from("”"));
            add("People are told", text);
        }
    }
    if let Some(path) = &clause.enforced_by {
        add("Held up by", data(path.as_str()));
    }
    let excepted = |one: &&Exception| {
        let from = one.clause.as_str();
        from == clause.id.as_str() || clause.enforced_by.as_ref().is_some_and(|path| path.as_str() == from)
    };
    for one in given.document.exceptions.iter().filter(excepted) {
        add("Exception", exception(given, one));
    }
    if let Some(evidence) = &clause.evidence {
        add("Held up by", evidence_text(given, clause, evidence));
    }
    if let Some(owner) = &clause.owner {
        add("Owner", words::role(given, owner));
    }
    if !clause.frameworks.is_empty() {
        let packs: Vec<String> = clause
            .frameworks
            .iter()
            .map(|(pack, items)| {
                let items: Vec<&str> = items.iter().map(|item| item.as_str()).collect();
                format!("{}: {}", words::framework(pack.as_str()), items.join(", "))
            })
            .collect();
        add("Serves", vec![Inline::Text(packs.join("; "))]);
    }
    details
}

/// A departure in a sentence, with a link to its reason.
fn exception(given: &Given<'_>, one: &Exception) -> Inlines {
    let mut text = vec![
        Inline::code(one.id.as_str()).linked("exceptions".to_owned()),
        Inline::from(": for "),
    ];
    text.extend(sentence::whom(given, &one.who));
    text.push(Inline::Text(format!(", {}.", closing::instead(given, one))));
    text
}

/// Section data by the name that its table has on the page.
fn data(path: &str) -> Inlines {
    let name = match path {
        "access" => "the grants",
        "access.endpoints" => "the list of endpoints that pass unread",
        "access.tools" => "the list of tools",
        "scope.groups" => "the groups",
        "scope.uses" => "the uses",
        "scope.outside" => "what is said of other uses",
        "scope.exclude" => "the list of who is left out",
        "data.matrix" => "the table of what may go where",
        "data.answers" => "what is said of answers",
        "data.uninspectable" => "what is said of what cannot be read",
        "data.unavailable" => "what is said of what was not checked",
        "data.retention" => "what is said of retention",
        "applications" => "the lists of apps",
        "acceptable_use.outputs" => "what is said of answers and their use",
        "education.gates" => "the gates",
        "consequences.ladder" => "the ladder",
        "purpose.objectives" => "the goals",
        "roles.raci" => "the table of who does what",
        "roles.board" => "the board",
        other => other,
    };
    vec![
        Inline::from(words::capital(name)).linked(words::data_anchor(path)),
        Inline::from(" ("),
        Inline::code(path),
        Inline::from(")"),
    ]
}

fn evidence_text(given: &Given<'_>, clause: &Clause, evidence: &Evidence) -> Inlines {
    let kind = match evidence.kind.as_str() {
        "ledger" => "query of the records",
        "training" => "record of training",
        other => other,
    };
    let mut text = vec![Inline::Text(format!(
        "{}: {}",
        words::capital(kind),
        evidence.what.value
    ))];
    if let Some(every) = &evidence.every {
        text.push(Inline::Text(format!(", at least every {}", words::days(every.value))));
    }
    if let Some(by) = &evidence.by {
        text.push(Inline::from(", by "));
        match (by.as_str(), &clause.owner) {
            ("owner", Some(owner)) => {
                text.push(Inline::from("the owner, "));
                text.extend(words::role(given, owner));
            }
            ("owner", None) => text.push(Inline::from("the owner")),
            _ => text.extend(words::role(given, by)),
        }
    }
    text.push(Inline::from("."));
    text
}
