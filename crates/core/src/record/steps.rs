//! What records say of the second step of `justify` and `hold`: that it was taken, for which clauses, and who answered a
//! ticket. Never why: words that people wrote are kept beside the records, where they can be erased.

use serde_json::{Map, Value, json};

use super::{Header, head};

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

/// Notes in an intent what was done so that it passes.
pub fn took(intent: &mut Value, steps: &Steps) {
    let mut value = Map::new();
    if !steps.justified.is_empty() {
        value.insert("justified".to_owned(), steps.justified.clone().into());
    }
    if let Some(ticket) = &steps.ticket {
        value.insert("ticket".to_owned(), ticket.clone().into());
        value.insert("agreed".to_owned(), steps.agreed.clone().into());
    }
    add(intent, "steps", Value::Object(value));
}

/// Notes in a refusal which ticket the request waits under.
pub fn waits(refusal: &mut Value, ticket: &str) {
    add(refusal, "ticket", ticket.into());
}

fn add(record: &mut Value, name: &str, value: Value) {
    if let Some(members) = record.as_object_mut() {
        members.insert(name.to_owned(), value);
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
    let mut record = head(if answer.agreed { "approval" } else { "denial" }, header);
    record.insert("ticket".to_owned(), answer.ticket.into());
    record.insert("exchange".to_owned(), answer.exchange.into());
    record.insert("policy".to_owned(), json!({"digest": answer.policy}));
    record.insert("clauses".to_owned(), json!(answer.clauses));
    if answer.reasoned {
        record.insert("reasoned".to_owned(), true.into());
    }
    Value::Object(record)
}
