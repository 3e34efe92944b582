//! `directory.csv`: people and their groups as a table, such as a spreadsheet or a personnel system exports it.
//!
//! The columns `principal` and `groups`, by name and in any order, with commas or semicolons between them, `since` if it is known,
//! and others that nobody reads. Several groups stand in one cell with `|`, `;` or `,` between them, or in several rows for one
//! principal. Read [`parse`] first.

use ordain_core::decide::Who;
use ordain_core::policy::document::At;
use ordain_core::policy::problem::Problem;

use super::Directory;
use super::source::line;

/// Reads a table; problems are added with their lines.
pub(super) fn parse(text: &str, problems: &mut Vec<Problem>) -> Directory {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let head = text.lines().next().unwrap_or_default();
    let semicolons = head.matches(';').count() > head.matches(',').count();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if semicolons { b';' } else { b',' })
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut directory = Directory::default();
    let Ok(names) = reader.headers().cloned() else {
        problems.push(Problem::error("bad-row", line(1), "this row is no CSV"));
        return directory;
    };
    let column = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
    let mut needed = |wanted: &str| {
        let found = column(wanted);
        if found.is_none() {
            let missing = Problem::error("missing-column", line(1), format!("there is no column `{wanted}`"));
            problems.push(missing.suggest(wanted, names.iter()));
        }
        found
    };
    let (Some(principal), Some(groups)) = (needed("principal"), needed("groups")) else {
        return directory;
    };
    let since = column("since");
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let at = error.position().map_or(1, |position| position.line() as usize);
                problems.push(Problem::error("bad-row", line(at), "this row is no CSV"));
                continue;
            }
        };
        let at = line(place(text, record.position()));
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let name = cell(principal);
        if name.is_empty() {
            problems.push(Problem::error("bad-row", at, "this row has no principal"));
            continue;
        }
        let who = directory.people.entry(name.to_owned()).or_insert_with(|| Who {
            principal: name.to_owned(),
            ..Who::default()
        });
        let named = cell(groups).split(['|', ';', ',']).map(str::trim);
        for group in named.filter(|group| !group.is_empty()) {
            directory.groups.push(At::new(group.to_owned(), at));
            if !who.groups.iter().any(|known| known == group) {
                who.groups.push(group.to_owned());
            }
        }
        match since.map(cell).filter(|date| !date.is_empty()) {
            Some(date) if date.len() == 10 && date.parse::<jiff::civil::Date>().is_ok() => {
                who.since = date.parse().ok();
            }
            Some(date) => {
                let message = format!("`{date}` stands here, but `since` is a date such as `2026-12-31`");
                problems.push(Problem::error("bad-row", at, message));
            }
            None => {}
        }
    }
    directory
}

/// The line of a record. The reader's position is before the empty lines that it passed over.
fn place(text: &str, position: Option<&csv::Position>) -> usize {
    let Some(position) = position else { return 1 };
    let rest = usize::try_from(position.byte())
        .ok()
        .and_then(|start| text.get(start..));
    let passed = rest
        .unwrap_or_default()
        .chars()
        .take_while(|c| matches!(c, '\r' | '\n'));
    position.line() as usize + passed.filter(|c| *c == '\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Directory, Vec<(&'static str, u32)>> {
        let mut problems = Vec::new();
        let directory = parse(text, &mut problems);
        let found: Vec<_> = problems.iter().map(|one| (one.code, one.place.line)).collect();
        if found.is_empty() { Ok(directory) } else { Err(found) }
    }

    #[test]
    fn people_are_in_the_groups_of_all_their_rows() {
        for text in [
            "principal,groups,since\nada@example.com,staff|eng,2026-01-31\nbob@example.com,,\nada@example.com,\"eng, leads\",\n",
            "\u{feff}Name;Groups;PRINCIPAL;Since\r\nAda;staff, eng;ada@example.com;2026-01-31\r\n\r\nBob;;bob@example.com\r\nAda;leads;ada@example.com;\r\n",
        ] {
            let directory = read(text).expect("readable");
            let ada = directory.who("ada@example.com", None);
            assert_eq!(ada.groups, ["staff", "eng", "leads"]);
            assert_eq!(ada.since.map(|date| date.to_string()).as_deref(), Some("2026-01-31"));
            assert!(directory.knows("bob@example.com") && directory.who("bob@example.com", None).groups.is_empty());
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        assert_eq!(read("").err(), Some(vec![("missing-column", 1), ("missing-column", 1)]));
        assert_eq!(
            read("principals,groups\na,b\n").err(),
            Some(vec![("missing-column", 1)])
        );
        let rows = "principal,groups,since\nann,staff,\n\n,staff,\nbob,staff,31.12.2026\n";
        assert_eq!(read(rows).err(), Some(vec![("bad-row", 4), ("bad-row", 5)]));
    }
}
