//! What records say of a time in which the ledger took none, and of who looked at it afterwards.
//!
//! A gap closes what was spooled under a break-glass: how many records that were, between which moments, and the hash of the
//! spool's own bytes. Its review is a record of its own, since nothing that was written ever changes. Both carry the id of
//! the incident, which is that of the time under the break-glass as a whole.

use serde_json::{Value, json};

use super::{Header, VERSION};

/// What was spooled and is in the ledger now.
#[derive(Debug, Clone, Copy)]
pub struct Gap<'g> {
    /// The id of the incident.
    pub incident: &'g str,
    /// The use that the break-glass was for.
    pub use_: &'g str,
    /// For how long the policy allowed it, in minutes.
    pub minutes: u32,
    /// When the first of the records was spooled, in milliseconds since the Unix epoch.
    pub from_ms: i64,
    /// When the last was.
    pub until_ms: i64,
    /// How many records there are in the spool that can be read.
    pub records: u64,
    /// How many of its lines cannot be read.
    pub damaged: u64,
    /// How many records could be read and not be placed: outcomes of exchanges that the ledger has no open intent of.
    pub unplaced: u64,
    /// Bytes of the spool.
    pub bytes: u64,
    /// Their SHA-256, as `sha256:` and hexadecimal digits.
    pub digest: &'g str,
}

/// The record of what was spooled. Nobody is its subject.
#[must_use]
pub fn gap(header: &Header<'_>, gap: &Gap<'_>) -> Value {
    json!({
        "v": VERSION,
        "kind": "gap",
        "id": header.id,
        "at": header.at_ms,
        "subject": header.subject,
        "incident": gap.incident,
        "break_glass": {"use": gap.use_, "minutes": gap.minutes},
        "from": gap.from_ms,
        "until": gap.until_ms,
        "records": gap.records,
        "damaged": gap.damaged,
        "unplaced": gap.unplaced,
        "spool": {"bytes": gap.bytes, "digest": gap.digest},
        "reviewed": false,
    })
}

/// What a review of an incident is recorded with.
#[derive(Debug, Clone, Copy)]
pub struct Reviewed<'r> {
    /// The id of the incident.
    pub incident: &'r str,
    /// The gap records that it is about.
    pub gaps: &'r [String],
    /// The digest of the policy under which it was reviewed.
    pub policy: &'r str,
    /// How many principals used the break-glass.
    pub principals: u64,
    /// Of how many of them the name was erased, so that nobody can tell whether the reviewer is one of them.
    pub unnamed: u64,
}

/// The record of a review. Its subject is who reviewed; why stands beside it.
#[must_use]
pub fn review(header: &Header<'_>, reviewed: &Reviewed<'_>) -> Value {
    json!({
        "v": VERSION,
        "kind": "gap-review",
        "id": header.id,
        "at": header.at_ms,
        "subject": header.subject,
        "incident": reviewed.incident,
        "gaps": reviewed.gaps,
        "policy": {"digest": reviewed.policy},
        "principals": reviewed.principals,
        "unnamed": reviewed.unnamed,
        "reasoned": true,
    })
}
