//! How records are found other than by number and id: tables that follow the records at a distance.
//!
//! An index that is kept with every record makes every commit write several pages more. So records are entered many at a
//! time, sorted, and `meta` says as `listed` up to where. A query asks the tables about what is before that number and
//! reads the few records from there on one by one: it sees all of them at any time.

use rusqlite::types::Value;
use rusqlite::{Transaction, params};

use super::{signed, unsigned};
use crate::store::{Filter, Kind, Order, StoreError};

/// Enters what is not entered yet, if enough has come together since; `next` is the number behind the last record. True when it did.
pub(super) fn follow(transaction: &Transaction<'_>, next: u64) -> Result<bool, StoreError> {
    let listed = "SELECT value FROM meta WHERE name = 'listed'";
    let listed = unsigned(transaction.prepare_cached(listed)?.query_row([], |row| row.get(0))?)?;
    if next.saturating_sub(listed) < DISTANCE {
        return Ok(false);
    }
    let (from, until) = (signed(listed)?, signed(next)?);
    for enter in [
        "INSERT INTO by_subject (subject, seq)
         SELECT subject, seq FROM records WHERE seq >= ?1 AND seq < ?2 ORDER BY subject, seq",
        "INSERT INTO spans (first, last, from_ms, to_ms)
         SELECT min(seq), max(seq), min(at_ms), max(at_ms) FROM records WHERE seq >= ?1 AND seq < ?2",
    ] {
        transaction.prepare_cached(enter)?.execute([from, until])?;
    }
    // Only an outcome has another exchange than its own id. Their order is nearly that of their exchanges, which are named by time.
    let outcomes = "INSERT INTO outcomes (exchange, seq)
         SELECT exchange, seq FROM records WHERE seq >= ?1 AND seq < ?2 AND kind = ?3 ORDER BY exchange";
    let outcome = Kind::Outcome.number();
    transaction
        .prepare_cached(outcomes)?
        .execute(params![from, until, outcome])?;
    let note = "UPDATE meta SET value = ?1 WHERE name = 'listed'";
    transaction.prepare_cached(note)?.execute([until])?;
    Ok(true)
}

/// The query for what passes `filter`, and its values.
pub(super) fn selection(filter: &Filter) -> Result<(String, Vec<Value>), StoreError> {
    let blob = |bytes: &[u8; 16]| Value::Blob(bytes.to_vec());
    let conditions = [
        ("kind = ?", filter.kind.map(|kind| Value::Integer(kind.number()))),
        (OF_SUBJECT, filter.subject.map(|subject| blob(subject.as_bytes()))),
        (OF_EXCHANGE, filter.exchange.map(|exchange| blob(exchange.as_bytes()))),
        (FROM, filter.from_ms.map(Value::Integer)),
        (UNTIL, filter.until_ms.map(Value::Integer)),
        ("seq > ?", filter.after.map(signed).transpose()?.map(Value::Integer)),
        ("seq < ?", filter.before.map(signed).transpose()?.map(Value::Integer)),
    ];
    let mut sql = SELECT.to_owned();
    let mut values = Vec::new();
    for (condition, value) in conditions {
        if let Some(value) = value {
            values.push(value);
            sql.push_str(if values.len() == 1 { " WHERE " } else { " AND " });
            sql.push_str(&condition.replace('?', &format!("?{}", values.len())));
        }
    }
    sql.push_str(match filter.order {
        Order::OldestFirst => " ORDER BY seq",
        Order::NewestFirst => " ORDER BY seq DESC",
    });
    if let Some(limit) = filter.limit {
        sql.push_str(" LIMIT ?");
        values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    }
    Ok((sql, values))
}

/// The columns of a record in the order in which they are read.
pub(super) const SELECT: &str = "SELECT seq, id, kind, exchange, at_ms, subject, bytes, leaf FROM records";

const OF_SUBJECT: &str = "seq IN (
    SELECT seq FROM by_subject WHERE subject = ?
    UNION ALL SELECT seq FROM records
    WHERE seq >= (SELECT value FROM meta WHERE name = 'listed') AND subject = ?)";

/// The opening record is found by its id, the outcome by its exchange.
const OF_EXCHANGE: &str = "seq IN (
    SELECT seq FROM records WHERE id = ?
    UNION ALL SELECT seq FROM outcomes WHERE exchange = ?
    UNION ALL SELECT seq FROM records
    WHERE seq >= (SELECT value FROM meta WHERE name = 'listed') AND kind = 2 AND exchange = ?)";

/// Times are nearly in the order of numbers, and not quite: clocks are set. So the spans say where to begin, and each
/// record's own time decides.
const FROM: &str = "at_ms >= ? AND seq >= coalesce(
    (SELECT min(first) FROM spans WHERE to_ms >= ?),
    (SELECT value FROM meta WHERE name = 'listed'))";

const UNTIL: &str = "at_ms < ? AND seq <= coalesce(
    (SELECT max(seq) FROM records WHERE seq >= (SELECT value FROM meta WHERE name = 'listed') AND at_ms < ?),
    (SELECT max(last) FROM spans WHERE from_ms < ?), -1)";

/// How many records come together before they are entered: many enough that a page of an index is written once for
/// several of them, few enough that reading them takes no time that anybody would notice.
const DISTANCE: u64 = 1024;
