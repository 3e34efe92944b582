//! What people said of decisions: `DIR/reviews.csv`, a line for each time that somebody looked at a clause's match.
//!
//! Lines are only ever added, and the last one about an exchange and a clause counts. No names and no texts: an exchange is
//! named by its id. A line that cannot be read is an error, since the lost word "wrong" would make a clause look better
//! than it is. Read [`read`] and [`add`].

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use thiserror::Error;
use uuid::Uuid;

/// The columns.
const HEADER: &str = "exchange,clause,judgement,at\n";

/// What somebody found when they looked at a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// The clause was meant for this.
    Right,
    /// It was not.
    Wrong,
}

impl Judgement {
    /// The word in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
        }
    }
}

/// Why reviews could not be read or added to.
#[derive(Debug, Error)]
pub enum ReviewError {
    /// The file could not be used.
    #[error("`{}` could not be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not one of ours.
    #[error("`{}` line {line} is no review; mend or remove it: {HEADER}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line.
        line: u64,
    },
}

/// The reviews in a file, by exchange and clause; none if it is not there.
///
/// # Errors
///
/// [`ReviewError`] if it cannot be read, or some line of it.
pub fn read(path: &Path) -> Result<HashMap<(Uuid, String), Judgement>, ReviewError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(source) => return Err(file(path, source)),
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let mut reviews = HashMap::new();
    for row in reader.records() {
        let line = |position: Option<&csv::Position>| ReviewError::Line {
            path: path.to_owned(),
            line: position.map_or(1, csv::Position::line),
        };
        let row = row.map_err(|error| line(error.position()))?;
        let (exchange, clause, judgement) = review(&row).ok_or_else(|| line(row.position()))?;
        reviews.insert((exchange, clause), judgement);
    }
    Ok(reviews)
}

fn review(row: &csv::StringRecord) -> Option<(Uuid, String, Judgement)> {
    let judgement = [Judgement::Right, Judgement::Wrong]
        .into_iter()
        .find(|one| row.get(2) == Some(one.as_str()))?;
    let clause = row.get(1).filter(|clause| !clause.is_empty())?;
    // Whole, down to its moment: a line that a crash cut off is none.
    row.get(3)?.parse::<Timestamp>().ok()?;
    Some((row.get(0)?.parse().ok()?, clause.to_owned(), judgement))
}

/// Adds a review, durable on return.
///
/// # Errors
///
/// [`ReviewError`] if the file cannot be written.
pub fn add(path: &Path, exchange: Uuid, clause: &str, judgement: Judgement, at: Timestamp) -> Result<(), ReviewError> {
    let mut line = csv::WriterBuilder::new().from_writer(Vec::new());
    let fields = [&exchange.to_string(), clause, judgement.as_str(), &at.to_string()];
    let written = line.write_record(fields).map_err(io::Error::other);
    let line = written.and_then(|()| line.into_inner().map_err(|error| io::Error::other(error.to_string())));
    let append = |line: Vec<u8>| -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.append(true).create(true).mode(0o600).open(path)?;
        let mut bytes = Vec::new();
        if file.metadata()?.len() == 0 {
            bytes.extend_from_slice(HEADER.as_bytes());
        }
        bytes.extend(line);
        // In one piece, so that two who write at once do not mix their lines.
        file.write_all(&bytes)?;
        file.sync_all()
    };
    line.and_then(append).map_err(|source| file(path, source))
}

fn file(path: &Path, source: io::Error) -> ReviewError {
    ReviewError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_and_a_torn_line_is_no_review() {
        let dir = tempfile::TempDir::new().expect("a folder");
        let path = dir.path().join("reviews.csv");
        assert!(read(&path).expect("no file is no review").is_empty());
        let (one, two, now) = (Uuid::now_v7(), Uuid::now_v7(), Timestamp::UNIX_EPOCH);
        for (exchange, clause, judgement) in [
            (one, "AU-3", Judgement::Right),
            (one, "data.matrix", Judgement::Right),
            (two, "AU-3", Judgement::Right),
            (one, "AU-3", Judgement::Wrong),
        ] {
            add(&path, exchange, clause, judgement, now).expect("written");
        }
        let reviews = read(&path).expect("readable");
        assert_eq!(reviews.len(), 3);
        assert_eq!(reviews.get(&(one, "AU-3".to_owned())), Some(&Judgement::Wrong));

        let text = fs::read_to_string(&path).expect("the file");
        assert!(text.starts_with(HEADER), "{text}");
        fs::write(&path, text.get(..text.len() - 12).expect("ASCII")).expect("cut");
        assert!(matches!(read(&path), Err(ReviewError::Line { line: 5, .. })));
    }
}
