//! The embedded store: one SQLite file beside the policy.
//!
//! WAL with `synchronous=FULL`: a commit returns after its pages are synced, which `NORMAL` does not promise. One process
//! appends and holds an exclusive lock on `lock` while it does; others read, or manage keys, over connections of their
//! own. Start at [`SqliteStore`].

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ordain_ledger::{LeafHash, leaf_hash};
use rusqlite::{
    CachedStatement, Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row, Transaction, TransactionBehavior,
};
use rusqlite::{ffi, params, params_from_iter};
use uuid::Uuid;

use self::files::{
    FILE, SCHEMA, SHARED_PATIENCE, WRITER_PATIENCE, connect, is_older, make_private, schema_of, take_lock,
};
use self::journal::Journal;
use self::lookups::{SELECT, selection};
use self::open::OpenExchanges;
use super::tickets::{PostedAnswer, Ticket, TicketBook};
use super::{Filter, KeyRow, Kind, NewRecord, Rejection, Spent, Store, StoreError, StoredRecord, SubjectId, Visit};

mod files;
mod journal;
mod keys;
mod lookups;
mod open;
mod spending;
mod tickets;

/// A store in one folder: `ordain.sqlite` with its journal, and `lock`.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    folder: PathBuf,
    access: Access,
}

/// What a connection may do. Only the writer holds the lock file, for as long as the store is open.
#[derive(Debug)]
enum Access {
    Append(Writer),
    Manage,
    Read,
}

/// What the one process that appends knows about the end of the store.
#[derive(Debug)]
struct Writer {
    next: u64,
    /// The record that was acknowledged last, to be found again after trouble.
    last: Option<(Uuid, LeafHash)>,
    open: OpenExchanges,
    /// An IO error happened: what the connection believes about the file may be wrong.
    suspect: bool,
    journal: Journal,
    _lock: File,
}

impl SqliteStore {
    /// Opens the store in `folder` for appending, and makes it when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Held`] when another process appends to it, [`StoreError::Newer`] when a newer program wrote it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        make_private(folder)?;
        let lock = take_lock(folder)?;
        let mut connection = connect(folder, WRITER_PATIENCE)?;
        let (next, last) = end(&connection)?;
        let writer = Writer {
            next,
            last,
            open: OpenExchanges::read(&connection)?,
            suspect: false,
            journal: Journal::watch(folder, &mut connection)?,
            _lock: lock,
        };
        Ok(Self {
            connection,
            folder: folder.to_owned(),
            access: Access::Append(writer),
        })
    }

    /// Opens the store in `folder` beside the process that appends: for keys, subjects and reading. Makes it when there
    /// is none, so that keys can be made before the gateway first starts.
    pub fn open_shared(folder: &Path) -> Result<Self, StoreError> {
        make_private(folder)?;
        // A gateway of the older program would read keys without the bounds that they get from now on: it has to end first.
        let _lock = is_older(folder)?.then(|| take_lock(folder)).transpose()?;
        let connection = connect(folder, SHARED_PATIENCE)?;
        Ok(Self {
            connection,
            folder: folder.to_owned(),
            access: Access::Manage,
        })
    }

    /// Opens the store in `folder` for reading only.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] when there is no store.
    pub fn open_read_only(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join(FILE);
        if !file.exists() {
            return Err(StoreError::Missing {
                path: folder.to_owned(),
            });
        }
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(SHARED_PATIENCE)?;
        match schema_of(&connection)? {
            Some(SCHEMA) => Ok(Self {
                connection,
                folder: folder.to_owned(),
                access: Access::Read,
            }),
            Some(found) if found < SCHEMA => Err(StoreError::Older { found, known: SCHEMA }),
            Some(found) => Err(StoreError::Newer { found, known: SCHEMA }),
            None => Err(StoreError::Missing {
                path: folder.to_owned(),
            }),
        }
    }

    /// Opens the file anew after an IO error, and makes sure that what was acknowledged last is still in it. After a
    /// failed sync the system may have dropped pages that the connection believes written, so it is not trusted again.
    fn reopen(&mut self) -> Result<(), StoreError> {
        let Access::Append(writer) = &mut self.access else {
            return Err(StoreError::NotTheWriter);
        };
        let mut connection = connect(&self.folder, WRITER_PATIENCE)?;
        if let (Some((id, leaf)), Some(sequence)) = (writer.last, writer.next.checked_sub(1)) {
            let found = connection.query_row(
                "SELECT id, bytes FROM records WHERE seq = ?1",
                [signed(sequence)?],
                |row| Ok((Uuid::from_bytes(row.get(0)?), leaf_hash(&row.get::<_, Vec<u8>>(1)?))),
            );
            if found.optional()? != Some((id, leaf)) {
                return Err(StoreError::Lost { sequence });
            }
        }
        // A batch whose commit was answered with an error may be there after all: number on behind it.
        (writer.next, writer.last) = end(&connection)?;
        writer.open = OpenExchanges::read(&connection)?;
        writer.journal = Journal::watch(&self.folder, &mut connection)?;
        writer.suspect = false;
        self.connection = connection;
        Ok(())
    }

    /// Notes whether an error leaves doubt about the connection.
    fn doubt<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let (Err(StoreError::Backend(_)), Access::Append(writer)) = (&result, &mut self.access) {
            writer.suspect = true;
        }
        result
    }

    /// Makes the connection fit to append, or says why it is not.
    fn writer(&mut self) -> Result<&mut Writer, StoreError> {
        if let Access::Append(Writer { suspect: true, .. }) = self.access {
            self.reopen()?;
        }
        match &mut self.access {
            Access::Append(writer) => Ok(writer),
            Access::Manage | Access::Read => Err(StoreError::NotTheWriter),
        }
    }

    fn transaction(&mut self) -> Result<Transaction<'_>, StoreError> {
        Ok(self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    /// Takes what was erased out of the journal as well. `secure_delete` zeroed it in its page; this empties the journal of
    /// the page as it was. A reader in the middle of a scan may prevent it: then the next checkpoint does it.
    fn empty_journal(&self) -> Result<(), StoreError> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        if let Access::Append(writer) = &self.access {
            writer.journal.was_cut();
        }
        Ok(())
    }

    /// Writes the batch as one transaction and commits it.
    fn write(&mut self, batch: &[NewRecord]) -> Result<(), StoreError> {
        let Access::Append(writer) = &mut self.access else {
            return Err(StoreError::NotTheWriter);
        };
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = insert(&transaction, batch, writer).and_then(|()| Ok(transaction.commit()?));
        if written.is_err() {
            writer.open.undo();
            return written;
        }
        writer.open.keep();
        writer.next += batch.len() as u64;
        writer.last = batch.last().map(|record| (record.id, record.leaf));
        writer.journal.tend(&self.connection);
        Ok(())
    }
}

impl Store for SqliteStore {
    fn append(&mut self, batch: &[NewRecord]) -> Result<Range<u64>, StoreError> {
        let first = self.writer()?.next;
        if batch.is_empty() {
            return Ok(first..first);
        }
        let written = self.write(batch);
        self.doubt(written)?;
        Ok(first..first + batch.len() as u64)
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.writer()?;
        let written = self
            .connection
            .execute("UPDATE meta SET value = value + 1 WHERE name = 'probes'", []);
        self.doubt(written.map_err(StoreError::from)).map(drop)
    }

    fn open_intents(&self) -> Result<Vec<StoredRecord>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{SELECT} WHERE seq = ?1"))?;
        let mut open = Vec::new();
        for sequence in OpenExchanges::read(&self.connection)?.intents() {
            open.push(statement.query_row([signed(sequence)?], |row| Ok(stored(row)))??);
        }
        Ok(open)
    }

    fn scan(&self, filter: &Filter, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let (sql, values) = selection(filter)?;
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if visit(stored(row)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn subject(&mut self, name: &str) -> Result<SubjectId, StoreError> {
        let find = "SELECT id FROM subjects WHERE name = ?1";
        let found = |row: &Row<'_>| row.get(0).map(SubjectId::from_bytes);
        if let Some(subject) = self
            .connection
            .prepare_cached(find)?
            .query_row([name], found)
            .optional()?
        {
            return Ok(subject);
        }
        // Two processes may make the same subject: the second finds what the first made.
        let transaction = self.transaction()?;
        transaction.execute(
            "INSERT INTO subjects (id, name) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
            params![SubjectId::random().as_bytes(), name],
        )?;
        let subject = transaction.query_row(find, [name], found)?;
        transaction.commit()?;
        Ok(subject)
    }

    fn name_of(&self, subject: SubjectId) -> Result<Option<String>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name FROM subjects WHERE id = ?1")?;
        Ok(statement
            .query_row([subject.as_bytes()], |row| row.get(0))
            .optional()?
            .flatten())
    }

    fn erase_name(&mut self, subject: SubjectId) -> Result<bool, StoreError> {
        let transaction = self.transaction()?;
        let erased = transaction.execute(
            "UPDATE subjects SET name = NULL WHERE id = ?1 AND name IS NOT NULL",
            [subject.as_bytes()],
        )?;
        keys_changed(&transaction)?;
        transaction.commit()?;
        self.empty_journal()?;
        Ok(erased > 0)
    }

    fn add_key(&mut self, key: &KeyRow) -> Result<(), StoreError> {
        let transaction = self.transaction()?;
        keys::add(&transaction, key)?;
        keys_changed(&transaction)?;
        Ok(transaction.commit()?)
    }

    fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        keys::all(&self.connection)
    }

    fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError> {
        keys::by_hash(&self.connection, hash)
    }

    fn revoke_key(&mut self, id: &str, at_ms: i64) -> Result<bool, StoreError> {
        let transaction = self.transaction()?;
        let revoked = keys::revoke(&transaction, id, at_ms)?;
        if revoked {
            keys_changed(&transaction)?;
        }
        transaction.commit()?;
        Ok(revoked)
    }

    fn rotate_key(&mut self, id: &str, until_ms: i64, new: &KeyRow) -> Result<bool, StoreError> {
        let transaction = self.transaction()?;
        if !keys::end(&transaction, id, until_ms)? {
            return Ok(false);
        }
        keys::add(&transaction, new)?;
        keys_changed(&transaction)?;
        transaction.commit()?;
        Ok(true)
    }

    fn note_key_use(&mut self, used: &[(String, i64)]) -> Result<(), StoreError> {
        let transaction = self.transaction()?;
        keys::note_use(&transaction, used)?;
        Ok(transaction.commit()?)
    }

    fn spending(&self) -> Result<Vec<Spent>, StoreError> {
        spending::all(&self.connection)
    }

    fn forget_spending(&mut self, at_ms: i64) -> Result<(), StoreError> {
        spending::forget(&self.connection, at_ms)
    }

    fn keys_version(&self) -> Result<u64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT value FROM meta WHERE name = 'keys_version'")?;
        unsigned(statement.query_row([], |row| row.get(0))?)
    }
}

impl TicketBook for SqliteStore {
    fn ticket(&self, id: &str) -> Result<Option<Ticket>, StoreError> {
        tickets::find(&self.connection, id)
    }

    fn open_tickets_of(&self, subject: SubjectId) -> Result<Vec<Ticket>, StoreError> {
        tickets::of_subject(&self.connection, subject)
    }

    fn tickets(&self) -> Result<Vec<Ticket>, StoreError> {
        tickets::all(&self.connection)
    }

    fn post_answer(&mut self, answer: &PostedAnswer) -> Result<(), StoreError> {
        tickets::post(&self.connection, answer)
    }

    fn posted_answers(&self) -> Result<Vec<PostedAnswer>, StoreError> {
        tickets::posted(&self.connection)
    }

    fn turn_down(&mut self, ticket: &str, why: &str) -> Result<(), StoreError> {
        tickets::turn_down(&self.connection, ticket, why)
    }

    fn tickets_due(&self, now_ms: i64) -> Result<bool, StoreError> {
        tickets::due(&self.connection, now_ms)
    }

    fn clear_tickets(&mut self, now_ms: i64) -> Result<usize, StoreError> {
        let transaction = self.transaction()?;
        let cleared = tickets::clear(&transaction, now_ms)?;
        transaction.commit()?;
        Ok(cleared)
    }

    fn reason(&self, record: Uuid) -> Result<Option<String>, StoreError> {
        tickets::reason(&self.connection, record)
    }

    fn erase_reason(&mut self, record: Uuid) -> Result<bool, StoreError> {
        let erased = self
            .connection
            .execute("DELETE FROM reasons WHERE record = ?1", [record.as_bytes()])?;
        self.empty_journal()?;
        Ok(erased > 0)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Backend(Box::new(error)),
        }
    }
}

/// The next sequence number, and the last record.
fn end(connection: &Connection) -> Result<(u64, Option<(Uuid, LeafHash)>), StoreError> {
    let last = connection.query_row(
        "SELECT seq, id, leaf FROM records ORDER BY seq DESC LIMIT 1",
        [],
        |row| {
            Ok((
                row.get(0)?,
                Uuid::from_bytes(row.get(1)?),
                LeafHash::from(row.get::<_, [u8; 32]>(2)?),
            ))
        },
    );
    match last.optional()? {
        Some((sequence, id, leaf)) => Ok((unsigned(sequence)? + 1, Some((id, leaf)))),
        None => Ok((0, None)),
    }
}

/// Adds the records of a batch and keeps count of which exchanges are open.
fn insert(transaction: &Transaction<'_>, batch: &[NewRecord], writer: &mut Writer) -> Result<(), StoreError> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO records (seq, id, kind, exchange, at_ms, subject, bytes, leaf)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let mut next = writer.next;
    for (index, record) in batch.iter().enumerate() {
        insert_one(transaction, &mut insert, next, record, &mut writer.open).map_err(|error| match error {
            StoreError::Rejected { why, .. } => StoreError::Rejected { index, why },
            other => other,
        })?;
        next += 1;
    }
    if lookups::follow(transaction, next)? {
        writer.open.note(transaction, next)?;
    }
    Ok(())
}

fn insert_one(
    transaction: &Transaction<'_>,
    insert: &mut CachedStatement<'_>,
    sequence: u64,
    record: &NewRecord,
    open: &mut OpenExchanges,
) -> Result<(), StoreError> {
    if record.kind == Kind::Outcome {
        if !open.close(record.exchange) {
            let mut intent = transaction.prepare_cached("SELECT 1 FROM records WHERE id = ?1 AND kind = 1")?;
            let known = intent.exists([record.exchange.as_bytes()])?;
            return Err(reject(if known {
                Rejection::AlreadyClosed
            } else {
                Rejection::NeverOpened
            }));
        }
    } else if record.id != record.exchange {
        return Err(reject(Rejection::Misfit));
    }
    insert
        .execute(params![
            signed(sequence)?,
            record.id.as_bytes(),
            record.kind.number(),
            record.exchange.as_bytes(),
            record.at_ms,
            record.subject.as_bytes(),
            record.bytes,
            record.leaf.as_bytes(),
        ])
        .map_err(|error| match error.sqlite_error().map(|inner| inner.extended_code) {
            // The place is taken: somebody else appended, which is no fault of this record.
            Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => error.into(),
            _ => rejected(error),
        })?;
    if record.kind == Kind::Intent {
        open.open(record.exchange, sequence);
    }
    for spend in &record.spends {
        spending::count(transaction, spend)?;
    }
    match &record.beside {
        None => Ok(()),
        Some(beside) => tickets::write_beside(transaction, record, beside),
    }
}

/// A broken constraint is the row's fault, anything else the store's.
fn rejected(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error().map(|inner| inner.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => reject(Rejection::Duplicate),
        Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => reject(Rejection::UnknownSubject),
        _ => error.into(),
    }
}

const fn reject(why: Rejection) -> StoreError {
    StoreError::Rejected { index: 0, why }
}

fn keys_changed(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.execute("UPDATE meta SET value = value + 1 WHERE name = 'keys_version'", [])?;
    Ok(())
}

fn stored(row: &Row<'_>) -> Result<StoredRecord, StoreError> {
    let sequence = unsigned(row.get(0)?)?;
    let number = row.get(2)?;
    let kind = Kind::from_number(number).ok_or_else(|| StoreError::Damaged {
        what: format!("record {sequence} is of kind {number}"),
    })?;
    Ok(StoredRecord {
        sequence,
        id: Uuid::from_bytes(row.get(1)?),
        kind,
        exchange: Uuid::from_bytes(row.get(3)?),
        at_ms: row.get(4)?,
        subject: SubjectId::from_bytes(row.get(5)?),
        bytes: row.get(6)?,
        leaf: LeafHash::from(row.get::<_, [u8; 32]>(7)?),
    })
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Damaged {
        what: format!("a count of {number}"),
    })
}

fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Damaged {
        what: format!("a sequence number of {number}"),
    })
}

#[cfg(test)]
mod tests;
