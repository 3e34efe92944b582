//! Who holds which role, who answers for the policy, the board, and who does what.

use super::run_in;
use crate::policy::document::{Raci, Section, Text};
use crate::render::block::{Block, Cell, Inline, Inlines, Table, Target};
use crate::render::{Given, words};

pub(super) fn data(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let roles = &given.document.roles;
    if !roles.people.is_empty() {
        let mut table = Table::new(Some("roles-people"), "Roles", &["Role", "Held by"]);
        for (role, person) in &roles.people {
            table
                .rows
                .push(vec![Cell::from(role.as_str()), Cell::from(address(person.as_str()))]);
        }
        blocks.push(Block::Table(table));
    }
    let mut owner = Inlines::new();
    if let Some(accountable) = &roles.accountable {
        owner.extend(words::role(given, accountable));
        owner.push(Inline::from(" answers for this policy"));
    }
    if let Some(deputy) = &roles.deputy {
        owner.push(Inline::from(if owner.is_empty() {
            "The deputy is "
        } else {
            "; the deputy is "
        }));
        owner.extend(words::role(given, deputy));
    }
    if !owner.is_empty() {
        owner.push(Inline::from("."));
        blocks.push(run_in("roles.owner", "Owner", owner));
    }
    if let Some(board) = &roles.board {
        let mut text = words::roles(given, &board.members, "and");
        if let Some(quorum) = &board.quorum {
            text.push(Inline::Text(format!("; {} of them can decide", quorum.value)));
        }
        text.push(Inline::from("."));
        blocks.push(run_in("roles.board", "Board", text));
    }
    raci(given, blocks);
}

fn raci(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let lines = &given.document.roles.raci;
    let Some(first) = lines.first() else { return };
    let head: Vec<&str> = ["For", "Accountable"]
        .into_iter()
        .chain(parts(given, first).into_iter().map(|(name, _)| name))
        .collect();
    let anchor = words::data_anchor("roles.raci");
    let mut table = Table::new(Some(&anchor), "Who does what", &head);
    for line in lines {
        let accountable = line.accountable.as_ref().map(|role| words::role(given, role));
        let subjects: Vec<String> = line
            .subjects
            .iter()
            .map(|subject| subject_name(subject.as_str()))
            .collect();
        let mut row = vec![
            Cell::from(words::list(&subjects, "and")),
            Cell::from(super::or_dash(accountable)),
        ];
        row.extend(parts(given, line).into_iter().map(|(_, text)| Cell::from(text)));
        table.rows.push(row);
    }
    blocks.push(Block::Table(table));
}

/// The columns of a line beside its subject and the one who is accountable.
fn parts(given: &Given<'_>, line: &Raci) -> Vec<(&'static str, Inlines)> {
    let text = |names: &[Text]| {
        let some = (!names.is_empty()).then(|| words::roles(given, names, "and"));
        super::or_dash(some)
    };
    vec![
        ("Responsible", text(&line.responsible)),
        ("Consulted", text(&line.consulted)),
        ("Informed", text(&line.informed)),
        ("Must consent", text(&line.consent)),
    ]
}

/// A section by its title, anything else by its id.
fn subject_name(id: &str) -> String {
    let section = Section::ALL.into_iter().find(|section| section.as_str() == id);
    section.map_or_else(|| id.to_owned(), |section| words::section(section).to_owned())
}

/// A person as an address to write to, if it is one.
fn address(person: &str) -> Inlines {
    if person.contains('@') && !person.contains(char::is_whitespace) {
        vec![Inline::Link {
            target: Target::Address(format!("mailto:{person}")),
            text: vec![Inline::from(person)],
        }]
    } else {
        vec![Inline::from(person)]
    }
}
