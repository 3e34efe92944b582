//! Where records, subjects and virtual keys are kept.
//!
//! [`Store`] is the seam between the gateway and a database: a backend is one file that passes the suite in
//! `conformance`, with its own native SQL. A store remembers and decides nothing: what a record says is made elsewhere,
//! and its bytes are never parsed here.
//!
//! INVARIANT: what [`Store::append`] answered `Ok` to is on disk. Records are never changed, their sequence has no gaps,
//! an exchange has one opening record (intent or refusal) and at most one outcome.
//!
//! INVARIANT: no name stands in a record. A record holds a [`SubjectId`]; names live in a table of their own, from which
//! [`Store::erase_name`] removes them without touching a leaf.

use std::fmt;
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

use ordain_ledger::{LeafHash, leaf_hash};
use thiserror::Error;
use uuid::Uuid;

pub mod spending;
pub mod sqlite;
pub mod terms;
pub mod tickets;

pub use spending::{Amount, Holder, Measure, Period, Spend, Spent};
pub use terms::{KeyRow, KeyState, Limit, Scope, Terms};
use tickets::{Beside, TicketBook};

#[cfg(test)]
pub(crate) mod conformance;

/// A database that keeps what the gateway must remember.
///
/// One writer appends (see [`crate::recorder`]); others may read, and may manage keys.
pub trait Store: TicketBook + Send {
    /// Appends `batch` in its order as one transaction: all of it is durable on return, or none of it is there.
    /// The answer is the sequence numbers that were given, one a record; the first record of a store has 0, so that a
    /// record's number is also its leaf's index.
    ///
    /// # Errors
    ///
    /// [`StoreError::Rejected`] names the first record that cannot stand; the others are not at fault. After any other
    /// error the whole batch may be offered again.
    fn append(&mut self, batch: &[NewRecord]) -> Result<Range<u64>, StoreError>;

    /// Writes something small durably, to learn whether a store that failed works again.
    fn probe(&mut self) -> Result<(), StoreError>;

    /// The intents that have no outcome, oldest first.
    fn open_intents(&self) -> Result<Vec<StoredRecord>, StoreError>;

    /// Shows the records that pass `filter` to `visit`, until it breaks.
    fn scan(&self, filter: &Filter, visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// The subject that stands for `name` in records: found, or made at random and durable on return.
    fn subject(&mut self, name: &str) -> Result<SubjectId, StoreError>;

    /// The name behind a subject; none when it was erased or never known.
    fn name_of(&self, subject: SubjectId) -> Result<Option<String>, StoreError>;

    /// Forgets the name behind a subject for good: its records stay, and nobody can be found behind them. The same name
    /// gets another subject from then on. False when there was no name.
    fn erase_name(&mut self, subject: SubjectId) -> Result<bool, StoreError>;

    /// Adds a key. Its id and its hash must be new.
    fn add_key(&mut self, key: &KeyRow) -> Result<(), StoreError>;

    /// All keys, revoked ones too, oldest first.
    fn keys(&self) -> Result<Vec<KeyRow>, StoreError>;

    /// The key with this keyed hash, revoked or not.
    fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError>;

    /// Adds `new` and lets the key `id` end at `until_ms`, or when it would have ended before: both or neither. False when there
    /// is no such key, or it was revoked.
    fn rotate_key(&mut self, id: &str, until_ms: i64, new: &KeyRow) -> Result<bool, StoreError>;

    /// Notes the days on which keys, by their ids, were used; an earlier day than the one that is known changes nothing. It
    /// decides nothing, so that [`Store::keys_version`] stays.
    fn note_key_use(&mut self, used: &[(String, i64)]) -> Result<(), StoreError>;

    /// Every counter of what was spent.
    fn spending(&self) -> Result<Vec<Spent>, StoreError>;

    /// Forgets the counters of periods that began before `at_ms`.
    fn forget_spending(&mut self, at_ms: i64) -> Result<(), StoreError>;

    /// Revokes a key from `at_ms` on. False when there is no such key, or it was revoked before.
    fn revoke_key(&mut self, id: &str, at_ms: i64) -> Result<bool, StoreError>;

    /// Grows with every change that decides whom a key lets in, whichever process made it: cheap enough to ask often.
    fn keys_version(&self) -> Result<u64, StoreError>;
}

/// What [`Store::scan`] shows each record to.
pub type Visit<'v> = dyn FnMut(StoredRecord) -> ControlFlow<()> + 'v;

/// What a record is about. Stored as its number, shown as its name; neither is ever reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A request was admitted and is about to be sent: opens its exchange.
    Intent,
    /// What became of an admitted request: closes its exchange.
    Outcome,
    /// A request was turned away and nothing was sent: opens and closes its exchange.
    Refusal,
    /// Somebody agreed to what is held under a ticket: stands for itself.
    Approval,
    /// Somebody refused it: stands for itself.
    Denial,
    /// A version of the policy comes into force: stands for itself.
    Activation,
    /// Records were spooled and are in the ledger now: stands for itself.
    Gap,
    /// Somebody reviewed that: stands for itself.
    GapReview,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Intent,
        Self::Outcome,
        Self::Refusal,
        Self::Approval,
        Self::Denial,
        Self::Activation,
        Self::Gap,
        Self::GapReview,
    ];

    /// The name of the kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Refusal => "refusal",
            Self::Approval => "approval",
            Self::Denial => "denial",
            Self::Activation => "activation",
            Self::Gap => "gap",
            Self::GapReview => "gap-review",
        }
    }

    /// The number that stands for the kind in a database.
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Intent => 1,
            Self::Outcome => 2,
            Self::Refusal => 3,
            Self::Approval => 4,
            Self::Denial => 5,
            Self::Activation => 6,
            Self::Gap => 7,
            Self::GapReview => 8,
        }
    }

    pub(crate) const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Intent),
            2 => Some(Self::Outcome),
            3 => Some(Self::Refusal),
            4 => Some(Self::Approval),
            5 => Some(Self::Denial),
            6 => Some(Self::Activation),
            7 => Some(Self::Gap),
            8 => Some(Self::GapReview),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The random number that stands for a principal in records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectId([u8; 16]);

impl SubjectId {
    /// Stands for a caller who was not authenticated, and for nobody where nobody asks.
    pub const NOBODY: Self = Self([0; 16]);

    /// A new subject: 128 random bits, which say nothing about the name.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// The subject as it was stored.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The subject as it is stored.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads what `Display` writes: 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok()?;
        digits.then_some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectId({self})")
    }
}

/// A record that is to be appended. Its constructors keep the leaf and the bytes together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// The record's own id (UUIDv7).
    pub id: Uuid,
    /// What it is about.
    pub kind: Kind,
    /// The id of the intent or refusal that opened the exchange: for those, the record's own id.
    pub exchange: Uuid,
    /// When it was made, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who asked.
    pub subject: SubjectId,
    /// The canonical bytes.
    pub bytes: Vec<u8>,
    /// The leaf hash of these bytes.
    pub leaf: LeafHash,
    /// What it spends: counted when it is durable, and not kept with it.
    pub spends: Vec<Spend>,
    /// What is written with it, or not at all; in most cases nothing.
    pub beside: Option<Box<Beside>>,
}

impl NewRecord {
    /// The record that opens an exchange, from its canonical bytes.
    pub fn intent(id: Uuid, at_ms: i64, subject: SubjectId, bytes: Vec<u8>) -> Self {
        Self::new(id, Kind::Intent, id, at_ms, subject, bytes)
    }

    /// The record that closes `exchange`, from its canonical bytes.
    pub fn outcome(id: Uuid, exchange: Uuid, at_ms: i64, subject: SubjectId, bytes: Vec<u8>) -> Self {
        Self::new(id, Kind::Outcome, exchange, at_ms, subject, bytes)
    }

    /// The only record of an exchange that was turned away, from its canonical bytes.
    pub fn refusal(id: Uuid, at_ms: i64, subject: SubjectId, bytes: Vec<u8>) -> Self {
        Self::new(id, Kind::Refusal, id, at_ms, subject, bytes)
    }

    /// The record with what it spends.
    #[must_use]
    pub fn with_spends(self, spends: Vec<Spend>) -> Self {
        Self { spends, ..self }
    }

    /// The record of a ticket that was answered, from its canonical bytes.
    pub fn answer(id: Uuid, agreed: bool, at_ms: i64, subject: SubjectId, bytes: Vec<u8>) -> Self {
        let kind = if agreed { Kind::Approval } else { Kind::Denial };
        Self::new(id, kind, id, at_ms, subject, bytes)
    }

    /// The record of a version that comes into force, from its canonical bytes. Nobody asks for it.
    pub fn activation(id: Uuid, at_ms: i64, bytes: Vec<u8>) -> Self {
        Self::new(id, Kind::Activation, id, at_ms, SubjectId::NOBODY, bytes)
    }

    /// The record of a gap, from its canonical bytes.
    pub fn gap(id: Uuid, at_ms: i64, bytes: Vec<u8>) -> Self {
        Self::new(id, Kind::Gap, id, at_ms, SubjectId::NOBODY, bytes)
    }

    /// The record of a gap that was reviewed, from its canonical bytes.
    pub fn gap_review(id: Uuid, at_ms: i64, subject: SubjectId, bytes: Vec<u8>) -> Self {
        Self::new(id, Kind::GapReview, id, at_ms, subject, bytes)
    }

    /// A record as it was spooled, to be appended now.
    pub(crate) fn spooled(
        kind: Kind,
        id: Uuid,
        exchange: Uuid,
        at_ms: i64,
        subject: SubjectId,
        bytes: Vec<u8>,
    ) -> Self {
        Self::new(id, kind, exchange, at_ms, subject, bytes)
    }

    /// The same, with what is written beside it.
    pub fn with(self, beside: Option<Box<Beside>>) -> Self {
        Self { beside, ..self }
    }

    fn new(id: Uuid, kind: Kind, exchange: Uuid, at_ms: i64, subject: SubjectId, bytes: Vec<u8>) -> Self {
        let leaf = leaf_hash(&bytes);
        Self {
            id,
            kind,
            exchange,
            at_ms,
            subject,
            bytes,
            leaf,
            spends: Vec::new(),
            beside: None,
        }
    }
}

/// A record as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its place in the store and its leaf's index.
    pub sequence: u64,
    /// The record's own id.
    pub id: Uuid,
    /// What it is about.
    pub kind: Kind,
    /// The id of the intent or refusal that opened the exchange.
    pub exchange: Uuid,
    /// When it was made, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who asked.
    pub subject: SubjectId,
    /// The canonical bytes.
    pub bytes: Vec<u8>,
    /// The leaf hash as it was stored; whoever verifies computes it again.
    pub leaf: LeafHash,
}

/// Which records a scan shows; the default is all of them, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only records of this subject.
    pub subject: Option<SubjectId>,
    /// Only records of this exchange.
    pub exchange: Option<Uuid>,
    /// Made at this time or later, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Made before this time.
    pub until_ms: Option<i64>,
    /// Only records after this sequence number: where a tail or a page goes on.
    pub after: Option<u64>,
    /// Only records before this sequence number: where a page goes on when the newest come first.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: Option<u64>,
    /// In which order.
    pub order: Order,
}

/// The order of a scan, by sequence number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As they were written.
    #[default]
    OldestFirst,
    /// The latest first.
    NewestFirst,
}

/// Why a store could not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process appends to this store.
    #[error("the store `{}` is in use by another ordain process{}; stop it first", path.display(), holder(*.pid))]
    Held {
        /// The folder of the store.
        path: PathBuf,
        /// The process that holds it, where it is known.
        pid: Option<u32>,
    },
    /// A newer program wrote this store.
    #[error(
        "the store was written by a newer ordain (schema {found}; this one knows {known}): use that version or a later one"
    )]
    Newer {
        /// The schema in the store.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// An older program wrote this store, and this connection may not bring it up to date.
    #[error(
        "the store was written by an older ordain (schema {found}; this one needs {known}): `ordain serve` or `ordain key list` brings it up to date"
    )]
    Older {
        /// The schema in the store.
        found: i64,
        /// The schema that this program needs.
        known: i64,
    },
    /// There is no store to read.
    #[error("there is no store in `{}`", path.display())]
    Missing {
        /// The folder in which one was looked for.
        path: PathBuf,
    },
    /// A row cannot stand beside those that are there; nothing of its batch was written.
    #[error("{why}")]
    Rejected {
        /// Its place in the batch.
        index: usize,
        /// What is wrong with it.
        why: Rejection,
    },
    /// This connection was opened without the right to do this.
    #[error("this connection to the store may not append records")]
    NotTheWriter,
    /// There is no room left.
    #[error("the store is full: no space left for it")]
    Full,
    /// Something that was acknowledged is not in the file any more.
    #[error("record {sequence} was acknowledged and is gone from the store or changed: restore it from a copy")]
    Lost {
        /// The sequence number of the record.
        sequence: u64,
    },
    /// What the store holds cannot be understood.
    #[error("the store holds something unreadable: {what}")]
    Damaged {
        /// What and where.
        what: String,
    },
    /// A file or folder of the store could not be used.
    #[error("could not {what} `{}`", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database failed.
    #[error("the store failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What is wrong with one row of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rejection {
    /// Its id (or, for a key, its hash) is taken.
    #[error("a row with this id exists already")]
    Duplicate,
    /// The exchange has its outcome.
    #[error("the exchange has an outcome already")]
    AlreadyClosed,
    /// The exchange has no intent.
    #[error("an outcome needs an intent, and this exchange has none")]
    NeverOpened,
    /// An intent or refusal that does not open its own exchange.
    #[error("an intent or refusal must carry the id of its exchange")]
    Misfit,
    /// A ticket that is answered, used or expired already, or is for something else.
    #[error("the ticket cannot be answered or used any more")]
    TicketSpent,
    /// A key for a subject that does not exist.
    #[error("there is no such subject")]
    UnknownSubject,
}

/// `StoreError` and all that caused it, in one line for a log or an answer.
pub fn describe(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

fn holder(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Kind, StoreError, SubjectId, describe};

    #[test]
    fn a_subject_reads_back_from_its_text() {
        let subject = SubjectId::random();
        assert_eq!(SubjectId::parse(&subject.to_string()), Some(subject));
        assert_eq!(SubjectId::parse(&"0".repeat(32)), Some(SubjectId::NOBODY));
        for wrong in [
            "",
            "+0000000000000000000000000000001",
            "00",
            &"g".repeat(32),
            &"0".repeat(33),
        ] {
            assert_eq!(SubjectId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn kinds_read_back_from_their_numbers() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_number(kind.number()), Some(kind));
        }
        assert_eq!(Kind::from_number(0), None);
    }

    #[test]
    fn an_error_is_described_with_its_causes() {
        let source = std::io::Error::other("no such device");
        let error = StoreError::File {
            what: "open",
            path: "/s/lock".into(),
            source,
        };
        assert_eq!(describe(&error), "could not open `/s/lock`: no such device");
    }
}
