//! Courses, and what happens without them.

use super::or_dash;
use crate::render::block::{Block, Cell, Inline, Table};
use crate::render::{Given, prose, words};

pub(super) fn data(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let education = &given.document.education;
    if !education.courses.is_empty() {
        let mut table = Table::new(None, "Courses", &["Course", "Counts for", "Recorded in"]);
        for course in &education.courses {
            let valid = course
                .valid
                .as_ref()
                .map_or_else(|| "ever".to_owned(), |valid| words::days(valid.value));
            table.rows.push(vec![
                Cell::from(vec![Inline::code(course.id.as_str())]),
                valid.into(),
                or_dash(course.records.as_ref().map(|file| vec![Inline::code(file.as_str())])).into(),
            ]);
        }
        blocks.push(Block::Table(table));
    }
    if education.gates.is_empty() {
        return;
    }
    let anchor = words::data_anchor("education.gates");
    let head = [
        "Gate",
        "Without the course",
        "A request",
        "Newcomers have",
        "People are told",
    ];
    let mut table = Table::new(Some(&anchor), "What happens without a course", &head);
    for gate in &education.gates {
        table.rows.push(vec![
            Cell::from(vec![Inline::code(gate.id.as_str())]),
            vec![Inline::code(gate.without.as_str())].into(),
            Cell {
                text: vec![Inline::from(words::verdict(gate.then.value))],
                verdict: Some(gate.then.value),
            },
            or_dash(
                gate.grace
                    .as_ref()
                    .map(|grace| vec![Inline::Text(words::days(grace.value))]),
            )
            .into(),
            or_dash(gate.tell.as_ref().map(|tell| prose::inlines(tell.as_str()))).into(),
        ]);
    }
    blocks.push(Block::Table(table));
}
