//! The table of what was spent.

use rusqlite::{Connection, Row, Transaction, params};

use super::unsigned;
use crate::store::StoreError;
use crate::store::spending::{Amount, Holder, Period, Spend, Spent};

/// Counts what a record spends. Sums stop at [`Amount::MOST`], since a sum that the database cannot hold would take the whole
/// batch of records with it.
pub(super) fn count(transaction: &Transaction<'_>, spend: &Spend) -> Result<(), StoreError> {
    let net = |adds: u64, takes: u64| adds.min(Amount::MOST).cast_signed() - takes.min(Amount::MOST).cast_signed();
    let (adds, takes) = (spend.adds, spend.takes);
    let mut count = transaction.prepare_cached(
        "INSERT INTO spending AS old (holder, period, start_ms, requests, tokens, cost)
         VALUES (?1, ?2, ?3, max(?4, 0), max(?5, 0), max(?6, 0))
         ON CONFLICT (holder, period) DO UPDATE SET
             requests = min(max(CASE WHEN old.start_ms = ?3 THEN old.requests ELSE 0 END + ?4, 0), ?7),
             tokens = min(max(CASE WHEN old.start_ms = ?3 THEN old.tokens ELSE 0 END + ?5, 0), ?7),
             cost = min(max(CASE WHEN old.start_ms = ?3 THEN old.cost ELSE 0 END + ?6, 0), ?7),
             start_ms = ?3
         WHERE old.start_ms <= ?3",
    )?;
    count.execute(params![
        spend.holder.to_string(),
        spend.period.as_str(),
        spend.start_ms,
        net(adds.requests, takes.requests),
        net(adds.tokens, takes.tokens),
        net(adds.cost, takes.cost),
        Amount::MOST.cast_signed(),
    ])?;
    Ok(())
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Spent>, StoreError> {
    let sql = "SELECT holder, period, start_ms, requests, tokens, cost FROM spending ORDER BY holder, period";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(spent(row)?);
    }
    Ok(all)
}

pub(super) fn forget(connection: &Connection, at_ms: i64) -> Result<(), StoreError> {
    connection.execute("DELETE FROM spending WHERE start_ms < ?1", [at_ms])?;
    Ok(())
}

fn spent(row: &Row<'_>) -> Result<Spent, StoreError> {
    let (holder, period): (String, String) = (row.get(0)?, row.get(1)?);
    let known = Period::ALL.into_iter().find(|one| one.as_str() == period);
    let (Some(holder), Some(period)) = (Holder::parse(&holder), known) else {
        return Err(StoreError::Damaged {
            what: format!("a counter of what was spent, `{holder}` in each `{period}`"),
        });
    };
    Ok(Spent {
        holder,
        period,
        start_ms: row.get(2)?,
        amount: Amount {
            requests: unsigned(row.get(3)?)?,
            tokens: unsigned(row.get(4)?)?,
            cost: unsigned(row.get(5)?)?,
        },
    })
}
