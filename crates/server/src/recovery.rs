//! What an earlier run left open: intents without an outcome are closed as `unknown`, before anything else happens.
//!
//! Nobody can say what became of them: the program ended in between (threat I5).

use jiff::Timestamp;
use ordain_core::record::{self, Header};
use uuid::Uuid;

use crate::recorder::close_open_intents;
use crate::store::{NewRecord, Store, StoreError, StoredRecord};

/// Closes every open intent and tells how many there were.
///
/// # Errors
///
/// If the store cannot be read or written.
pub fn close_what_is_open(store: &mut dyn Store) -> Result<usize, StoreError> {
    close_open_intents(store, Timestamp::now().as_millisecond(), unknown)
}

/// The outcome of an exchange of which nobody can say what became.
pub(crate) fn unknown(intent: &StoredRecord, at_ms: i64) -> NewRecord {
    let id = Uuid::now_v7();
    let (name, subject) = (id.to_string(), intent.subject.to_string());
    let header = Header {
        on_behalf_of: None,
        id: &name,
        at_ms,
        subject: &subject,
    };
    let exchange = intent.exchange.to_string();
    let record = record::recovered(&header, &exchange);
    // INVARIANT: `recovered` is made of text and small integers, which always have canonical bytes.
    let bytes = ordain_ledger::canonical(&record).expect("a recovered outcome has canonical bytes");
    NewRecord::outcome(id, intent.exchange, at_ms, intent.subject, bytes)
}
