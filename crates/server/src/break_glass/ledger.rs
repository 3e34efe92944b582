//! Putting what was spooled into the store, once, however often that is begun.
//!
//! Each record has its id from the day on which it was spooled, and the store takes no id twice. So whoever goes on after a
//! crash offers everything again, and what is there already is passed over. Read [`put`] first.

use std::collections::HashSet;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;

use ordain_core::record::{self, Header};
use uuid::Uuid;

use crate::recorder::{RecordError, RecorderHandle};
use crate::recovery;
use crate::store::{Filter, Kind, NewRecord, Rejection, Store, StoreError};

/// Where the store is: in hand before the gateway listens, with the recorder from then on.
pub(super) trait Ledger {
    /// Does something with the store.
    fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut dyn Store) -> T + Send + 'static,
    ) -> Result<T, RecordError>;
}

/// A store that nobody else has.
pub(super) struct InHand<'s>(pub(super) &'s mut dyn Store);

impl Ledger for InHand<'_> {
    fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut dyn Store) -> T + Send + 'static,
    ) -> Result<T, RecordError> {
        Ok(work(self.0))
    }
}

impl Ledger for &RecorderHandle {
    fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut dyn Store) -> T + Send + 'static,
    ) -> Result<T, RecordError> {
        wait_for(self.with_store(work))
    }
}

/// Waits for a future on this thread, which has nothing else to do.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    struct Wake(std::thread::Thread);
    impl std::task::Wake for Wake {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Wake(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

/// What became of records that were offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Put {
    /// Appended now.
    pub(super) added: u64,
    /// There already.
    pub(super) known: u64,
    /// Neither: the ledger has no open intent of their exchange.
    pub(super) unplaced: u64,
}

/// Appends records in their order; those that are there already are passed over.
pub(super) fn put(store: &mut dyn Store, mut batch: Vec<NewRecord>) -> Result<Put, StoreError> {
    let mut put = Put::default();
    while !batch.is_empty() {
        match store.append(&batch) {
            Ok(_) => {
                put.added += batch.len() as u64;
                break;
            }
            Err(StoreError::Rejected { index, why }) if index < batch.len() => {
                let record = batch.remove(index);
                if why == Rejection::Duplicate || has(store, &record)? {
                    put.known += 1;
                } else {
                    tracing::error!(record = %record.id, kind = %record.kind, %why, "a spooled record has no place in the ledger");
                    put.unplaced += 1;
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(put)
}

/// Whether the store has this very record.
fn has(store: &dyn Store, record: &NewRecord) -> Result<bool, StoreError> {
    let filter = Filter {
        exchange: Some(record.exchange),
        ..Filter::default()
    };
    let mut found = false;
    store.scan(&filter, &mut |known| {
        found |= known.id == record.id;
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Closes, as `unknown`, those of these exchanges that are open: they were begun by a process that has ended.
pub(super) fn close(store: &mut dyn Store, begun: &HashSet<Uuid>, now_ms: i64) -> Result<u64, StoreError> {
    let open = store.open_intents()?;
    let outcomes: Vec<NewRecord> = open
        .iter()
        .filter(|intent| begun.contains(&intent.id))
        .map(|intent| recovery::unknown(intent, now_ms.max(intent.at_ms)))
        .collect();
    for batch in outcomes.chunks(super::BATCH) {
        store.append(batch)?;
    }
    Ok(outcomes.len() as u64)
}

/// The record of a gap.
pub(super) fn gap(id: Uuid, at_ms: i64, gap: &record::gap::Gap<'_>) -> NewRecord {
    let (name, nobody) = (id.to_string(), crate::store::SubjectId::NOBODY.to_string());
    let header = Header {
        id: &name,
        at_ms,
        subject: &nobody,
        on_behalf_of: None,
    };
    // INVARIANT: the record is made of text and integers that a file's size bounds, which always have canonical bytes.
    let bytes = ordain_ledger::canonical(&record::gap::gap(&header, gap)).expect("a gap has canonical bytes");
    let record = NewRecord::gap(id, at_ms, bytes);
    debug_assert!(record.kind == Kind::Gap, "a gap");
    record
}
