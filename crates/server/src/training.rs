//! Completed courses: the CSV files that the policy's courses name, such as `DIR/training.csv`.
//!
//! A file has the columns `principal`, `course` and `completed`, by name and in any order, with commas or semicolons, and
//! others that nobody reads. People's names stand here and in the directory, never in the policy. Read [`parse`] first.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ordain_core::policy::document::Document;
use ordain_core::policy::node::Place;
use ordain_core::policy::problem::Problem;

/// That somebody completed a course.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Completion {
    /// Who.
    pub principal: String,
    /// Which course.
    pub course: String,
    /// When.
    pub on: Date,
}

/// What the columns of a file are called.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The column with the principal.
    pub principal: String,
    /// The column with the course.
    pub course: String,
    /// The column with the date.
    pub completed: String,
    /// The course of every row, for a file without that column.
    pub all: Option<String>,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            principal: "principal".to_owned(),
            course: "course".to_owned(),
            completed: "completed".to_owned(),
            all: None,
        }
    }
}

/// The files that courses name, each with the courses that name it.
#[must_use]
pub fn files(document: &Document) -> BTreeMap<&str, Vec<&str>> {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for course in &document.education.courses {
        if let Some(records) = &course.records {
            files.entry(records.as_str()).or_default().push(course.id.as_str());
        }
    }
    files
}

/// The last date that it can be anywhere now: nothing was completed after it.
#[must_use]
pub fn today() -> Date {
    let date = Timestamp::now().to_zoned(TimeZone::UTC).date();
    date.tomorrow().unwrap_or(date)
}

/// Reads a file of completions; problems are added with their lines. `today` is the last date that can be meant.
#[must_use]
pub fn parse(text: &str, columns: &Columns, today: Date, problems: &mut Vec<Problem>) -> Vec<Completion> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let head = text.lines().next().unwrap_or_default();
    let delimiter = if head.matches(';').count() > head.matches(',').count() {
        b';'
    } else {
        b','
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let Some(indices) = reader
        .headers()
        .ok()
        .and_then(|names| Indices::find(names, columns, problems))
    else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = line_of(text, record.position());
                match row(&record, &indices, columns, today) {
                    Ok(row) => rows.push(row),
                    Err(message) => problems.push(problem("bad-row", line, message)),
                }
            }
            Err(error) => {
                let line = line_of(text, error.position());
                problems.push(problem("bad-row", line, "this row is no CSV".to_owned()));
            }
        }
    }
    rows
}

/// The line of a record. The reader's position is before the empty lines that it passed over.
fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let rest = usize::try_from(position.byte())
        .ok()
        .and_then(|start| text.get(start..));
    let empty = rest
        .unwrap_or_default()
        .chars()
        .take_while(|c| matches!(c, '\r' | '\n'));
    position.line() + empty.filter(|c| *c == '\n').count() as u64
}

/// Where the columns are.
struct Indices {
    principal: usize,
    course: Option<usize>,
    completed: usize,
}

impl Indices {
    fn find(names: &csv::StringRecord, columns: &Columns, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut index = |wanted: &str| {
            let found = names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
            if found.is_none() {
                let missing = problem("missing-column", 1, format!("there is no column `{wanted}`"));
                problems.push(missing.suggest(wanted, names.iter()));
            }
            found
        };
        let (principal, completed) = (index(&columns.principal), index(&columns.completed));
        let course = if columns.all.is_some() {
            None
        } else {
            Some(index(&columns.course)?)
        };
        Some(Self {
            principal: principal?,
            course,
            completed: completed?,
        })
    }
}

fn row(record: &csv::StringRecord, indices: &Indices, columns: &Columns, today: Date) -> Result<Completion, String> {
    let field = |index: usize, name: &str| {
        let text = record.get(index).unwrap_or_default();
        if text.is_empty() {
            Err(format!("this row has no `{name}`"))
        } else {
            Ok(text.to_owned())
        }
    };
    let principal = field(indices.principal, &columns.principal)?;
    let course = match (indices.course, &columns.all) {
        (Some(index), _) => field(index, &columns.course)?,
        (None, all) => all.clone().unwrap_or_default(),
    };
    let completed = field(indices.completed, &columns.completed)?;
    // Exports often have the time of day too.
    let date = match completed.get(10..11) {
        Some("T" | " ") => completed.get(..10).unwrap_or_default(),
        _ => completed.as_str(),
    };
    let on: Date = Some(date)
        .filter(|date| date.len() == 10)
        .and_then(|date| date.parse().ok())
        .ok_or_else(|| format!("`{completed}` is no date such as `2026-12-31`"))?;
    if on > today {
        return Err(format!("`{completed}` has not come yet"));
    }
    Ok(Completion { principal, course, on })
}

fn problem(code: &'static str, line: u64, message: String) -> Problem {
    let place = Place {
        file: 0,
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: 1,
        length: u32::MAX,
    };
    Problem::error(code, place, message)
}

/// What came of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merged {
    /// Completions that were not known.
    pub added: usize,
    /// Completions with a later date than before.
    pub updated: usize,
    /// Completions that said nothing new.
    pub unchanged: usize,
}

/// Adds completions to others; of one principal and course the latest counts. The result is in order.
pub fn merge(known: &mut Vec<Completion>, more: Vec<Completion>) -> Merged {
    let mut dates: BTreeMap<(String, String), Date> = BTreeMap::new();
    for one in known.drain(..) {
        let date = dates.entry((one.principal, one.course)).or_insert(one.on);
        *date = one.on.max(*date);
    }
    let mut merged = Merged::default();
    for one in more {
        let key = (one.principal, one.course);
        match dates.get_mut(&key) {
            None => {
                dates.insert(key, one.on);
                merged.added += 1;
            }
            Some(date) if one.on > *date => {
                *date = one.on;
                merged.updated += 1;
            }
            Some(_) => merged.unchanged += 1,
        }
    }
    known.extend(
        dates
            .into_iter()
            .map(|((principal, course), on)| Completion { principal, course, on }),
    );
    merged
}

/// Writes a file of completions in one step, so that a crash leaves the old one or the new one.
///
/// # Errors
///
/// What the file system says.
pub fn write(path: &Path, rows: &[Completion]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["principal", "course", "completed"])?;
    for row in rows {
        writer.write_record([row.principal.as_str(), row.course.as_str(), &row.on.to_string()])?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))?;
    let draft = path.with_extension("csv.new");
    let mut file = crate::setup::private(&draft)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Completion>, Vec<(&'static str, u32)>) {
        let mut problems = Vec::new();
        let rows = parse(
            text,
            &Columns::default(),
            "2026-12-01".parse().expect("a date"),
            &mut problems,
        );
        (
            rows,
            problems
                .iter()
                .map(|problem| (problem.code, problem.place.line))
                .collect(),
        )
    }

    fn done(principal: &str, course: &str, on: &str) -> Completion {
        Completion {
            principal: principal.to_owned(),
            course: course.to_owned(),
            on: on.parse().expect("a date"),
        }
    }

    #[test]
    fn columns_are_found_by_name_whatever_separates_them() {
        let expected = vec![done("ada@example.com", "ai-basics", "2026-10-01")];
        for text in [
            "principal,course,completed\nada@example.com,ai-basics,2026-10-01\n",
            "\u{feff}Completed;Note;Course;Principal\r\n2026-10-01T09:30:00Z;\"a;b\";ai-basics; ada@example.com \r\n",
        ] {
            assert_eq!(read(text), (expected.clone(), vec![]));
        }
        assert_eq!(
            read(""),
            (
                vec![],
                vec![("missing-column", 1), ("missing-column", 1), ("missing-column", 1)]
            )
        );
    }

    #[test]
    fn every_bad_row_is_reported_at_its_line() {
        let text = "principal,course,completed\nada@example.com,ai-basics,01.10.2026\n\n,ai-basics,2026-10-01\nbo@example.com\ncy@example.com,ai-basics,2026-12-02\ndi@example.com,ai-basics,2026-12-01\n";
        let (rows, problems) = read(text);
        assert_eq!(rows, [done("di@example.com", "ai-basics", "2026-12-01")]);
        assert_eq!(
            problems,
            [("bad-row", 2), ("bad-row", 4), ("bad-row", 5), ("bad-row", 6)]
        );
    }

    #[test]
    fn the_latest_completion_counts() {
        let mut known = vec![done("b", "x", "2026-01-01"), done("a", "x", "2026-05-01")];
        let more = vec![
            done("a", "x", "2026-04-01"),
            done("b", "x", "2026-02-01"),
            done("a", "y", "2026-01-01"),
        ];
        let merged = merge(&mut known, more);
        assert_eq!((merged.added, merged.updated, merged.unchanged), (1, 1, 1));
        assert_eq!(
            known,
            [
                done("a", "x", "2026-05-01"),
                done("a", "y", "2026-01-01"),
                done("b", "x", "2026-02-01")
            ]
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        let dir = tempfile::TempDir::new().expect("a folder");
        let path = dir.path().join("training.csv");
        let rows = vec![done("a, b@example.com", "ai-basics", "2026-10-01")];
        for _ in 0..2 {
            write(&path, &rows).expect("it is written");
            let text = fs::read_to_string(&path).expect("it is there");
            assert_eq!(read(&text), (rows.clone(), vec![]));
        }
    }
}
