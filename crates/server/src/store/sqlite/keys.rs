//! The table of virtual keys.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::rejected;
use crate::store::{KeyRow, StoreError, SubjectId, Terms};

pub(super) fn add(transaction: &Transaction<'_>, key: &KeyRow) -> Result<(), StoreError> {
    transaction
        .execute(
            "INSERT INTO keys (id, hash, prefix, subject, client, label, created_ms, revoked_ms, expires_ms, line, terms, used_day)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                key.id,
                key.hash,
                key.prefix,
                key.subject.as_bytes(),
                key.client,
                key.label,
                key.created_ms,
                key.revoked_ms,
                key.expires_ms,
                key.line,
                key.terms.to_json().to_string(),
                key.used_day,
            ],
        )
        .map_err(rejected)?;
    Ok(())
}

pub(super) fn all(connection: &Connection) -> Result<Vec<KeyRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY created_ms, id"))?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(key(row)?);
    }
    Ok(keys)
}

pub(super) fn by_hash(connection: &Connection, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE hash = ?1"))?;
    statement.query_row([hash], |row| Ok(key(row))).optional()?.transpose()
}

pub(super) fn revoke(transaction: &Transaction<'_>, id: &str, at_ms: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE keys SET revoked_ms = ?2 WHERE id = ?1 AND revoked_ms IS NULL";
    Ok(transaction.execute(sql, params![id, at_ms])? > 0)
}

/// Lets a key that was not revoked end at a moment, if it does not end before.
pub(super) fn end(transaction: &Transaction<'_>, id: &str, at_ms: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE keys SET expires_ms = min(coalesce(expires_ms, ?2), ?2) WHERE id = ?1 AND revoked_ms IS NULL";
    Ok(transaction.execute(sql, params![id, at_ms])? > 0)
}

pub(super) fn note_use(transaction: &Transaction<'_>, used: &[(String, i64)]) -> Result<(), StoreError> {
    let sql = "UPDATE keys SET used_day = ?2 WHERE id = ?1 AND (used_day IS NULL OR used_day < ?2)";
    let mut note = transaction.prepare_cached(sql)?;
    for (id, day) in used {
        note.execute(params![id, day])?;
    }
    Ok(())
}

fn key(row: &Row<'_>) -> Result<KeyRow, StoreError> {
    let id: String = row.get(0)?;
    let terms: String = row.get(10)?;
    // A key whose bounds cannot be read must not pass for one without bounds.
    let terms = Terms::from_json(&terms).ok_or_else(|| StoreError::Damaged {
        what: format!("the terms of key {id}"),
    })?;
    Ok(KeyRow {
        id,
        hash: row.get(1)?,
        prefix: row.get(2)?,
        subject: SubjectId::from_bytes(row.get(3)?),
        client: row.get(4)?,
        label: row.get(5)?,
        created_ms: row.get(6)?,
        revoked_ms: row.get(7)?,
        expires_ms: row.get(8)?,
        line: row.get(9)?,
        terms,
        used_day: row.get(11)?,
    })
}

const SELECT: &str = "SELECT id, hash, prefix, subject, client, label, created_ms, revoked_ms, expires_ms, line, terms, used_day FROM keys";
