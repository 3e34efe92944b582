//! What a policy would have done, from records: recorded halves decided again.
//!
//! [`Changes`] asks another policy about what was decided before; [`Promotion`] asks which clauses that do not act yet could.
//! Both are shown every record in the order of the store. What a replay cannot know is counted and never guessed.

pub mod changes;
pub mod promote;
pub mod rate;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde_json::Value;

pub use changes::Changes;
pub use promote::Promotion;

use crate::catalog::Catalog;
use crate::record::Recorded;
use crate::verdict::Direction;

/// Which of a decision's two verdicts is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// What happens, by each clause's mode.
    Acting,
    /// What would happen if every clause were enforced.
    Full,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Exchanges: requests that were admitted or turned away.
    pub exchanges: u64,
    /// Records that could not be read back.
    pub unreadable: u64,
    /// When the first of the exchanges was, in milliseconds since the Unix epoch.
    pub first_ms: Option<i64>,
}

/// Brings the two records of an exchange together.
#[derive(Debug)]
struct Exchanges {
    catalog: Catalog,
    seen: Seen,
    /// Intents whose outcome is still to come, by id.
    open: HashMap<String, Value>,
}

/// One half of an exchange, read back.
struct Half {
    /// The id of the exchange.
    exchange: String,
    recorded: Recorded,
    /// The record that has the route: that of the request.
    opening: Value,
}

impl Half {
    fn is_prompt(&self) -> bool {
        self.recorded.facts.direction == Direction::Prompt
    }

    /// Whether this record is the only one of its exchange.
    fn is_refusal(&self) -> bool {
        self.is_prompt() && self.opening.get("kind").and_then(Value::as_str) == Some("refusal")
    }

    /// The digest of the policy that decided.
    fn policy(&self) -> Option<&str> {
        self.opening.pointer("/policy/digest").and_then(Value::as_str)
    }
}

impl Exchanges {
    fn new() -> Self {
        Self {
            catalog: Catalog::built_in(),
            seen: Seen::default(),
            open: HashMap::new(),
        }
    }

    /// Reads the next record. `None` when it has no half, cannot be read, or belongs to an exchange that began before what
    /// is looked at.
    fn take(&mut self, record: Value) -> Option<Half> {
        let closing = record.get("kind").and_then(Value::as_str) == Some("outcome");
        let name = if closing { "intent" } else { "id" };
        let Some(exchange) = record.get(name).and_then(Value::as_str).map(str::to_owned) else {
            self.seen.unreadable += 1;
            return None;
        };
        let opening = if closing { self.open.remove(&exchange) } else { None };
        if closing && opening.is_none() {
            return None;
        }
        let Ok(read) = Recorded::read(&record, opening.as_ref(), &self.catalog) else {
            self.seen.unreadable += 1;
            return None;
        };
        let recorded = read?;
        if !closing {
            self.seen.exchanges += 1;
            let at = recorded.facts.now.as_millisecond();
            self.seen.first_ms.get_or_insert(at);
            if record.get("kind").and_then(Value::as_str) == Some("intent") {
                self.open.insert(exchange.clone(), record.clone());
            }
        }
        Some(Half {
            exchange,
            recorded,
            opening: opening.unwrap_or(record),
        })
    }
}
