//! Which exchanges are open: their intent was written and their outcome was not.
//!
//! The writer keeps them in memory, since every second record changes them. After a start they are found by reading the
//! records from the first one on that may be open; where that is stands in `meta` as `settled`, and is moved now and then.

use std::collections::HashMap;

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{signed, unsigned};
use crate::store::{Kind, StoreError};

/// The open exchanges by id, with the number of their intent. What a batch changes can be undone until it is kept.
#[derive(Debug, Default)]
pub(super) struct OpenExchanges {
    open: HashMap<Uuid, u64>,
    /// What each change of the batch replaced, in their order.
    replaced: Vec<(Uuid, Option<u64>)>,
}

impl OpenExchanges {
    /// Those of the store.
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let mut statement = connection.prepare(
            "SELECT seq, kind, exchange FROM records
             WHERE seq >= (SELECT value FROM meta WHERE name = 'settled') AND kind IN (?1, ?2) ORDER BY seq",
        )?;
        let mut rows = statement.query(params![Kind::Intent.number(), Kind::Outcome.number()])?;
        let mut all = Self::default();
        while let Some(row) = rows.next()? {
            let exchange = Uuid::from_bytes(row.get(2)?);
            if row.get::<_, i64>(1)? == Kind::Intent.number() {
                all.open.insert(exchange, unsigned(row.get(0)?)?);
            } else {
                all.open.remove(&exchange);
            }
        }
        Ok(all)
    }

    /// The numbers of their intents, oldest first.
    pub(super) fn intents(&self) -> Vec<u64> {
        let mut intents: Vec<u64> = self.open.values().copied().collect();
        intents.sort_unstable();
        intents
    }

    pub(super) fn open(&mut self, exchange: Uuid, sequence: u64) {
        let before = self.open.insert(exchange, sequence);
        self.replaced.push((exchange, before));
    }

    /// False when it is not open.
    pub(super) fn close(&mut self, exchange: Uuid) -> bool {
        let before = self.open.remove(&exchange);
        if before.is_some() {
            self.replaced.push((exchange, before));
        }
        before.is_some()
    }

    /// The batch was written.
    pub(super) fn keep(&mut self) {
        self.replaced.clear();
    }

    /// The batch was not written.
    pub(super) fn undo(&mut self) {
        while let Some((exchange, before)) = self.replaced.pop() {
            match before {
                Some(sequence) => self.open.insert(exchange, sequence),
                None => self.open.remove(&exchange),
            };
        }
    }

    /// Notes in the store where a start has to begin to read.
    pub(super) fn note(&self, connection: &Connection, next: u64) -> Result<(), StoreError> {
        let settled = self.open.values().copied().min().unwrap_or(next);
        let mut note = connection.prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'settled'")?;
        note.execute([signed(settled)?])?;
        Ok(())
    }
}
