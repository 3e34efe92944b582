//! Tickets and reasons in SQLite: what is written with a record, and what is read back.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use uuid::Uuid;

use super::reject;
use crate::store::tickets::{Answered, Beside, PostedAnswer, Ticket, TicketStep};
use crate::store::{NewRecord, Rejection, StoreError, SubjectId};

/// The second step of the schema. `agreed` is 0 for a refusal and 1 for an agreement; all of the answer is there or nothing.
pub(super) const TABLES: &str = "
    CREATE TABLE reasons (record BLOB PRIMARY KEY CHECK (length(record) = 16), text TEXT NOT NULL) STRICT, WITHOUT ROWID;

    CREATE TABLE tickets (
        id TEXT PRIMARY KEY,
        binding BLOB NOT NULL CHECK (length(binding) = 32),
        subject BLOB NOT NULL CHECK (length(subject) = 16),
        behalf BLOB CHECK (length(behalf) = 16),
        policy TEXT NOT NULL,
        clauses TEXT NOT NULL,
        exchange BLOB NOT NULL CHECK (length(exchange) = 16),
        opened_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        agreed INTEGER,
        answered_by BLOB,
        answered_ms INTEGER,
        answer BLOB CHECK ((answer IS NULL) = (agreed IS NULL)),
        used BLOB CHECK (used IS NULL OR agreed = 1)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tickets_subject ON tickets (subject, opened_ms);
    CREATE INDEX tickets_expiry ON tickets (expires_ms);

    CREATE TABLE posted_answers (
        ticket TEXT PRIMARY KEY,
        agreed INTEGER NOT NULL,
        answered_by BLOB NOT NULL CHECK (length(answered_by) = 16),
        at_ms INTEGER NOT NULL,
        reason TEXT,
        rejected TEXT
    ) STRICT, WITHOUT ROWID;
";

/// Writes what belongs to a record, in the record's transaction.
pub(super) fn write_beside(
    transaction: &Transaction<'_>,
    record: &NewRecord,
    beside: &Beside,
) -> Result<(), StoreError> {
    if let Some(reason) = &beside.reason {
        transaction
            .prepare_cached("INSERT INTO reasons (record, text) VALUES (?1, ?2)")?
            .execute(params![record.id.as_bytes(), reason])?;
    }
    match &beside.ticket {
        None => Ok(()),
        Some(TicketStep::Open(ticket)) => open(transaction, ticket),
        Some(TicketStep::Answer { ticket, agreed }) => {
            let changed = transaction.execute(
                "UPDATE tickets SET agreed = ?2, answered_by = ?3, answered_ms = ?4, answer = ?5
                 WHERE id = ?1 AND agreed IS NULL AND expires_ms > ?4 AND subject <> ?3 AND behalf IS NOT ?3",
                params![
                    ticket,
                    agreed,
                    record.subject.as_bytes(),
                    record.at_ms,
                    record.id.as_bytes()
                ],
            )?;
            transaction.execute("DELETE FROM posted_answers WHERE ticket = ?1", [ticket])?;
            one(changed)
        }
        Some(TicketStep::Use { ticket, binding }) => one(transaction.execute(
            "UPDATE tickets SET used = ?2
             WHERE id = ?1 AND agreed = 1 AND used IS NULL AND expires_ms > ?3 AND subject = ?4 AND binding = ?5",
            params![
                ticket,
                record.id.as_bytes(),
                record.at_ms,
                record.subject.as_bytes(),
                binding
            ],
        )?),
    }
}

/// A ticket has exactly one of each step.
const fn one(changed: usize) -> Result<(), StoreError> {
    if changed == 1 {
        Ok(())
    } else {
        Err(reject(Rejection::TicketSpent))
    }
}

fn open(transaction: &Transaction<'_>, ticket: &Ticket) -> Result<(), StoreError> {
    let taken = transaction
        .prepare_cached("SELECT 1 FROM tickets WHERE id = ?1")?
        .exists([&ticket.id])?;
    if taken {
        return Err(reject(Rejection::Duplicate));
    }
    transaction
        .prepare_cached(
            "INSERT INTO tickets (id, binding, subject, policy, clauses, exchange, opened_ms, expires_ms, behalf)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            ticket.id,
            ticket.binding,
            ticket.subject.as_bytes(),
            ticket.policy,
            // Ids of clauses have no spaces.
            ticket.clauses.join(" "),
            ticket.exchange.as_bytes(),
            ticket.opened_ms,
            ticket.expires_ms,
            ticket.on_behalf_of.as_ref().map(SubjectId::as_bytes),
        ])?;
    Ok(())
}

pub(super) fn find(connection: &Connection, id: &str) -> Result<Option<Ticket>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
    Ok(statement.query_row([id], ticket).optional()?)
}

pub(super) fn of_subject(connection: &Connection, subject: SubjectId) -> Result<Vec<Ticket>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "{SELECT} WHERE subject = ?1 AND used IS NULL ORDER BY opened_ms DESC, id"
    ))?;
    let rows = statement.query_map([subject.as_bytes()], ticket)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Ticket>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY opened_ms, id"))?;
    let rows = statement.query_map([], ticket)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn post(connection: &Connection, answer: &PostedAnswer) -> Result<(), StoreError> {
    // One that was turned down makes room for another; one that waits does not.
    let written = connection.execute(
        "INSERT INTO posted_answers (ticket, agreed, answered_by, at_ms, reason) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (ticket) DO UPDATE SET agreed = ?2, answered_by = ?3, at_ms = ?4, reason = ?5, rejected = NULL
         WHERE rejected IS NOT NULL",
        params![
            answer.ticket,
            answer.agreed,
            answer.by.as_bytes(),
            answer.at_ms,
            answer.reason
        ],
    )?;
    if written == 1 {
        Ok(())
    } else {
        Err(reject(Rejection::Duplicate))
    }
}

pub(super) fn posted(connection: &Connection) -> Result<Vec<PostedAnswer>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT ticket, agreed, answered_by, at_ms, reason, rejected FROM posted_answers ORDER BY at_ms, ticket",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(PostedAnswer {
            ticket: row.get(0)?,
            agreed: row.get(1)?,
            by: SubjectId::from_bytes(row.get(2)?),
            at_ms: row.get(3)?,
            reason: row.get(4)?,
            rejected: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes why a posted answer was not taken in. Its words go.
pub(super) fn turn_down(connection: &Connection, ticket: &str, why: &str) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE posted_answers SET rejected = ?2, reason = NULL WHERE ticket = ?1",
        params![ticket, why],
    )?;
    Ok(())
}

/// Whether something waits for whoever appends: an answer to take in, or a ticket that has expired.
pub(super) fn due(connection: &Connection, now_ms: i64) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM posted_answers WHERE rejected IS NULL)
             OR EXISTS (SELECT 1 FROM tickets WHERE expires_ms <= ?1)",
    )?;
    Ok(statement.query_row([now_ms], |row| row.get(0))?)
}

pub(super) fn clear(transaction: &Transaction<'_>, now_ms: i64) -> Result<usize, StoreError> {
    let cleared = transaction.execute("DELETE FROM tickets WHERE expires_ms <= ?1", [now_ms])?;
    transaction.execute(
        "DELETE FROM posted_answers WHERE ticket NOT IN (SELECT id FROM tickets)",
        [],
    )?;
    Ok(cleared)
}

pub(super) fn reason(connection: &Connection, record: Uuid) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT text FROM reasons WHERE record = ?1")?;
    Ok(statement.query_row([record.as_bytes()], |row| row.get(0)).optional()?)
}

fn ticket(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    let clauses: String = row.get(4)?;
    let answered = match row.get::<_, Option<bool>>(8)? {
        None => None,
        Some(agreed) => Some(Answered {
            agreed,
            by: SubjectId::from_bytes(row.get(9)?),
            at_ms: row.get(10)?,
            record: Uuid::from_bytes(row.get(11)?),
        }),
    };
    Ok(Ticket {
        id: row.get(0)?,
        binding: row.get(1)?,
        subject: SubjectId::from_bytes(row.get(2)?),
        on_behalf_of: row.get::<_, Option<[u8; 16]>>(13)?.map(SubjectId::from_bytes),
        policy: row.get(3)?,
        clauses: clauses.split(' ').map(str::to_owned).collect(),
        exchange: Uuid::from_bytes(row.get(5)?),
        opened_ms: row.get(6)?,
        expires_ms: row.get(7)?,
        answered,
        used: row.get::<_, Option<[u8; 16]>>(12)?.map(Uuid::from_bytes),
    })
}

const SELECT: &str = "SELECT id, binding, subject, policy, clauses, exchange, opened_ms, expires_ms,
    agreed, answered_by, answered_ms, answer, used, behalf FROM tickets";
