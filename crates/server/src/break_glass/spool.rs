//! The spool: a file with a line for each record, in the order in which they were written.
//!
//! A line is a seal ([`super::seal`]), then what the record hangs on as JSON, a tab, and the record's canonical bytes.
//! Neither has a tab or a line break in it: JSON escapes both. INVARIANT: what [`Spool::append`] answered `Ok` to is on the
//! disk, whole; what it did not is cut off again, now or when the file is next opened.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::hour::Kept;
use super::seal::Seal;
use crate::store::{Amount, Holder, Kind, NewRecord, Period, Spend, SubjectId};

/// A spool that is written to.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    incident: Uuid,
    seal: Seal,
    /// Bytes that are whole and on the disk.
    len: u64,
    /// Lines that are.
    lines: u64,
    /// A write failed in a way that leaves doubt about what is on the disk: nothing more goes there.
    suspect: bool,
}

/// A record as it was spooled, and the state of the hour at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) record: NewRecord,
    /// The number of the line, from 1 on.
    pub(super) number: u64,
    /// By the wall, and what was gone of the time.
    pub(super) wall_ms: i64,
    pub(super) spent_ms: i64,
}

/// One line of a file: read, or not one that this gateway wrote.
#[derive(Debug)]
pub(super) enum Read {
    Whole(Box<Line>),
    Damaged,
}

impl Spool {
    /// Makes the spool of an incident.
    pub(super) fn create(path: &Path, incident: Uuid, seal: &Seal) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.sync_all()?;
        Ok(Self {
            file,
            incident,
            seal: seal.clone(),
            len: 0,
            lines: 0,
            suspect: false,
        })
    }

    /// Opens a spool to go on with it. A line without an end was never acknowledged; it is cut off.
    pub(super) fn open(path: &Path, incident: Uuid, seal: &Seal) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).open(path)?;
        let (mut len, mut lines, mut whole) = (0, 0, 0);
        {
            let mut reader = BufReader::new(&mut file);
            let mut line = Vec::new();
            loop {
                line.clear();
                let read = reader.read_until(b'\n', &mut line)? as u64;
                len += read;
                if !line.ends_with(b"\n") {
                    break;
                }
                whole = len;
                lines += 1;
            }
        }
        if whole < len {
            tracing::warn!(bytes = len - whole, "the spool ended within a line, which is cut off");
            file.set_len(whole)?;
            file.sync_all()?;
        }
        Ok(Self {
            file,
            incident,
            seal: seal.clone(),
            len: whole,
            lines,
            suspect: false,
        })
    }

    /// Its bytes.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Its lines.
    pub(super) const fn lines(&self) -> u64 {
        self.lines
    }

    /// Adds `records` with one write and one sync: all of them are on the disk on return, or none of them counts.
    pub(super) fn append(&mut self, records: &[NewRecord], hour: Kept) -> io::Result<()> {
        if self.suspect {
            return Err(io::Error::other("an earlier write to the spool failed"));
        }
        let mut bytes = Vec::new();
        for (number, record) in (self.lines + 1..).zip(records) {
            let body = body(record, number, hour)?;
            self.seal.line(self.incident, &body, &mut bytes);
        }
        let written = self.file.write_all(&bytes);
        // After a failed sync the system may have dropped what it had taken.
        let synced = written.and_then(|()| {
            self.suspect = true;
            self.file.sync_data()?;
            self.suspect = false;
            Ok(())
        });
        if let Err(error) = synced {
            self.suspect |= self.file.set_len(self.len).is_err();
            return Err(error);
        }
        self.len += bytes.len() as u64;
        self.lines += records.len() as u64;
        Ok(())
    }
}

/// Shows the lines between two places of a spool that lie at the ends of lines, oldest first, each with its bytes.
pub(super) fn read<E: From<io::Error>>(
    path: &Path,
    (incident, seal): (Uuid, &Seal),
    (from, to): (u64, u64),
    mut visit: impl FnMut(&[u8], Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut reader = BufReader::new(file.take(to.saturating_sub(from)));
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let opened = line.strip_suffix(b"\n").and_then(|whole| seal.open(incident, whole));
        let read = opened
            .and_then(parse)
            .map_or(Read::Damaged, |line| Read::Whole(Box::new(line)));
        visit(&line, read)?;
    }
}

/// What stands behind the seal.
fn body(record: &NewRecord, number: u64, hour: Kept) -> io::Result<Vec<u8>> {
    let spends: Vec<Value> = record.spends.iter().map(spend).collect();
    let head = json!({
        "at": record.at_ms,
        "exchange": record.exchange.to_string(),
        "id": record.id.to_string(),
        "kind": record.kind.as_str(),
        "n": number,
        "spends": spends,
        "spent": hour.spent_ms,
        "subject": record.subject.to_string(),
        "v": VERSION,
        "wall": hour.latest_ms,
    });
    let mut body = ordain_ledger::canonical(&head).map_err(io::Error::other)?;
    if record.bytes.iter().any(|byte| matches!(byte, b'\n' | b'\t')) {
        return Err(io::Error::other("the record is not in its canonical form"));
    }
    body.push(b'\t');
    body.extend_from_slice(&record.bytes);
    Ok(body)
}

const VERSION: u64 = 1;

fn amount(amount: Amount) -> Value {
    json!([amount.requests, amount.tokens, amount.cost])
}

fn spend(spend: &Spend) -> Value {
    json!({
        "adds": amount(spend.adds),
        "holder": spend.holder.to_string(),
        "period": spend.period.as_str(),
        "start": spend.start_ms,
        "takes": amount(spend.takes),
    })
}

fn parse(body: &[u8]) -> Option<Line> {
    let tab = memchr::memchr(b'\t', body)?;
    let (head, bytes) = (body.get(..tab)?, body.get(tab + 1..)?);
    let head: Value = serde_json::from_slice(head).ok()?;
    let text = |key: &str| head.get(key).and_then(Value::as_str);
    let number = |key: &str| head.get(key).and_then(Value::as_i64);
    let kind = text("kind")?;
    let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind)?;
    let id = |key: &str| text(key).and_then(|text| Uuid::parse_str(text).ok());
    if number("v")? != VERSION as i64 {
        return None;
    }
    let spends = head
        .get("spends")?
        .as_array()?
        .iter()
        .map(parse_spend)
        .collect::<Option<_>>()?;
    let record = NewRecord::spooled(
        kind,
        id("id")?,
        id("exchange")?,
        number("at")?,
        SubjectId::parse(text("subject")?)?,
        bytes.to_vec(),
    );
    Some(Line {
        record: record.with_spends(spends),
        number: u64::try_from(number("n")?).ok()?,
        wall_ms: number("wall")?,
        spent_ms: number("spent")?,
    })
}

fn parse_spend(value: &Value) -> Option<Spend> {
    let amount = |key: &str| {
        let numbers: Option<Vec<u64>> = value.get(key)?.as_array()?.iter().map(Value::as_u64).collect();
        let [requests, tokens, cost] = numbers?.try_into().ok()?;
        Some(Amount { requests, tokens, cost })
    };
    let period = value.get("period")?.as_str()?;
    Some(Spend {
        holder: Holder::parse(value.get("holder")?.as_str()?)?,
        period: Period::ALL.into_iter().find(|known| known.as_str() == period)?,
        start_ms: value.get("start")?.as_i64()?,
        adds: amount("adds")?,
        takes: amount("takes")?,
    })
}

/// The principals of a record: who asked, and on whose behalf.
pub(super) fn principals(record: &NewRecord) -> impl Iterator<Item = SubjectId> + use<> {
    let value: Value = serde_json::from_slice(&record.bytes).unwrap_or_default();
    let other = value.pointer("/who/on_behalf_of/subject").and_then(Value::as_str);
    let other = other.and_then(SubjectId::parse);
    [Some(record.subject), other].into_iter().flatten()
}

/// A file that is replaced as a whole: written beside its place, synced, and moved there.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    sync_folder(path)
}

/// Makes durable which files are in the folder of a path.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .map_or_else(|| Arc::from(Path::new(".")), Arc::<Path>::from);
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyHasher;

    fn seal() -> Seal {
        Seal::new(&KeyHasher::new(&[7; 32]))
    }

    const HOUR: Kept = Kept {
        begun_ms: 1_000,
        latest_ms: 5_000,
        spent_ms: 4_000,
    };

    fn record(text: &str) -> NewRecord {
        let bytes = ordain_ledger::canonical(&json!({"text": text})).expect("canonical bytes");
        let holder = Holder::Principal(SubjectId::random());
        let spend = Spend {
            holder,
            period: Period::Day,
            start_ms: -3,
            adds: Amount {
                requests: 1,
                tokens: 20,
                cost: 300,
            },
            takes: Amount::default(),
        };
        NewRecord::intent(Uuid::now_v7(), 1_234, SubjectId::random(), bytes).with_spends(vec![spend])
    }

    fn all(path: &Path, incident: Uuid, seal: &Seal) -> Vec<Option<Line>> {
        let mut lines = Vec::new();
        let to = std::fs::metadata(path).expect("a spool").len();
        read::<io::Error>(path, (incident, seal), (0, to), |_, read| {
            lines.push(match read {
                Read::Whole(line) => Some(*line),
                Read::Damaged => None,
            });
            Ok(())
        })
        .expect("reading");
        lines
    }

    #[test]
    fn a_record_comes_back_as_it_was_spooled() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, incident) = (folder.path().join("spool"), Uuid::now_v7());
        let mut spool = Spool::create(&path, incident, &seal()).expect("a spool");
        let opening = record("tabs\tand\nlines \u{2028} stay");
        let closing = NewRecord::outcome(Uuid::now_v7(), opening.id, -7, opening.subject, b"{}".to_vec());
        spool
            .append(&[opening.clone(), closing.clone()], HOUR)
            .expect("an append");
        let mut again = Spool::open(&path, incident, &seal()).expect("the spool");
        assert_eq!((again.len(), again.lines()), (spool.len(), 2));
        let last = record("last");
        again.append(std::slice::from_ref(&last), HOUR).expect("an append");
        let lines: Vec<Line> = all(&path, incident, &seal()).into_iter().flatten().collect();
        let records: Vec<&NewRecord> = lines.iter().map(|line| &line.record).collect();
        assert_eq!(records, [&opening, &closing, &last]);
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(lines.iter().all(|line| (line.wall_ms, line.spent_ms) == (5_000, 4_000)));
    }

    #[test]
    fn whatever_of_a_line_is_there_it_is_cut_off_and_the_next_one_stands() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, incident) = (folder.path().join("spool"), Uuid::now_v7());
        let mut spool = Spool::create(&path, incident, &seal()).expect("a spool");
        spool.append(&[record("first")], HOUR).expect("an append");
        let first = spool.len();
        spool.append(&[record("torn")], HOUR).expect("an append");
        let bytes = std::fs::read(&path).expect("the spool");
        for cut in first..bytes.len() as u64 {
            std::fs::write(&path, bytes.get(..cut as usize).expect("a part")).expect("a write");
            let mut again = Spool::open(&path, incident, &seal()).expect("the spool");
            assert_eq!((again.len(), again.lines()), (first, 1), "cut at {cut}");
            again.append(&[record("next")], HOUR).expect("an append");
            let lines = all(&path, incident, &seal());
            assert_eq!(lines.len(), 2, "cut at {cut}");
            assert!(lines.iter().all(Option::is_some), "cut at {cut}");
        }
    }

    #[test]
    fn a_line_that_was_changed_or_is_somebody_elses_does_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, incident) = (folder.path().join("spool"), Uuid::now_v7());
        let mut spool = Spool::create(&path, incident, &seal()).expect("a spool");
        spool
            .append(&[record("one"), record("two"), record("three")], HOUR)
            .expect("an append");
        let bytes = std::fs::read(&path).expect("the spool");
        let middle = memchr::memmem::find(&bytes, b"\"two\"").expect("the second record");
        for at in [middle + 1, middle - 90] {
            let mut changed = bytes.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
            }
            std::fs::write(&path, &changed).expect("a write");
            let read: Vec<bool> = all(&path, incident, &seal()).iter().map(Option::is_some).collect();
            assert_eq!(read, [true, false, true], "changed at {at}");
        }
        std::fs::write(&path, &bytes).expect("a write");
        let none = |lines: Vec<Option<Line>>| lines.iter().all(Option::is_none);
        assert!(none(all(&path, Uuid::now_v7(), &seal())), "of another incident");
        assert!(
            none(all(&path, incident, &Seal::new(&KeyHasher::new(&[8; 32])))),
            "under another secret"
        );
    }
}
