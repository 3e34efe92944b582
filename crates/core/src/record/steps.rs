//! What records say of the second step of `justify` and `hold`: that it was taken, for which clauses, and who answered a
//! ticket. Never why: words that people wrote are kept beside the records, where they can be erased.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{Header, VERSION};

/// The steps that were taken for a request that is let through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Steps {
    /// The clauses that asked for a reason, which was given.
    pub justified: Vec<String>,
    /// The ticket under which somebody agreed.
    pub ticket: Option<String>,
    /// The clauses that held it, to which somebody agreed.
    pub agreed: Vec<String>,
}

impl Serialize for Steps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut steps = serializer.serialize_map(None)?;
        if self.ticket.is_some() {
            steps.serialize_entry("agreed", &self.agreed)?;
        }
        if !self.justified.is_empty() {
            steps.serialize_entry("justified", &self.justified)?;
        }
        if let Some(ticket) = &self.ticket {
            steps.serialize_entry("ticket", ticket)?;
        }
        steps.end()
    }
}

/// What a ticket's answer is recorded with.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Whether somebody agreed; else they refused.
    pub agreed: bool,
    /// The ticket.
    pub ticket: &'a str,
    /// The refusal that opened it.
    pub exchange: &'a str,
    /// The digest of the policy under which it was opened.
    pub policy: &'a str,
    /// The clauses that hold the request.
    pub clauses: &'a [&'a str],
    /// Whether a reason was given.
    pub reasoned: bool,
}

/// The record of a ticket that was answered. Its subject is who answered.
#[must_use]
pub fn answer(header: &Header<'_>, answer: &Answer<'_>) -> Value {
    let mut record = json!({
        "v": VERSION,
        "kind": if answer.agreed { "approval" } else { "denial" },
        "id": header.id,
        "at": header.at_ms,
        "subject": header.subject,
        "ticket": answer.ticket,
        "exchange": answer.exchange,
        "policy": {"digest": answer.policy},
        "clauses": answer.clauses,
    });
    if let (true, Some(members)) = (answer.reasoned, record.as_object_mut()) {
        members.insert("reasoned".to_owned(), true.into());
    }
    record
}
