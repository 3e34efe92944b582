//! The published page of sights, `docs/reference/sights.md`: written from the wires' tables, and held to them.

use std::fmt::Write as _;

use super::{Field, Table};
use crate::published;
use crate::wire::all;

#[test]
fn the_published_page_is_the_tables() {
    published::hold("sights.md", &page());
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for wire in all() {
        let sights = wire.sights();
        let _ = write!(
            page,
            "\n## `{}`\n\n| field | requests | answers | answers that stream |\n|---|---|---|---|\n",
            wire.id()
        );
        let tables = [sights.prompt, sights.answer, sights.stream];
        for field in Field::ALL {
            let cells = tables.map(|table| cell(table, *field));
            if cells.iter().any(|cell| !cell.is_empty()) {
                let _ = writeln!(page, "| `{field}` | {} |", cells.join(" | "));
            }
        }
        if let Some(field) = sights.opaque {
            let _ = writeln!(page, "\nEvery answer that is no error consists of `{field}`.");
        }
    }
    page
}

fn cell(table: Table, field: Field) -> &'static str {
    let row = table.iter().find(|(one, _)| *one == field);
    row.map_or("", |(_, sight)| sight.as_str())
}

const HEAD: &str = "\
# What each wire sees

How far each [wire](endpoints.md#wires) gets with each field of a body. What fields are, what the words mean and what follows from them
is in [assurance.md](assurance.md). An empty cell is a field that the dialect has no place of its own for, or a form that its answers do not
have. This page is written from the tables beside the wires, which a test holds to what the wires do.
";
