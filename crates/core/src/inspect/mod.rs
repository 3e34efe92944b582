//! Inspection: how a request and its answer meet the policy, without IO.
//!
//! An adapter owns sockets and clocks; this is what it asks. [`Inspection::request`] takes a whole body and says what to
//! send in its place, or why not; the answer is then given whole ([`Inspection::answer`]) or as it streams
//! ([`Inspection::stream`]), and comes back as bytes to forward. Every path ends in facts and a decision for the record.
//!
//! INVARIANT: what is judged is what is sent. Bodies are spliced, never written anew, and a spliced body is read and
//! scanned again before it leaves here (threat I1).

mod answer;
pub mod arguments;
pub mod content;
mod request;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::decide::{Decision, Destination, Facts, Who};
use crate::detect::EntityId;
use crate::detect::scanner::Scanner;
use crate::policy::compile::Policy;
use crate::wire::Wire;

pub use request::Request;
pub use stream::{Ending, Step, StreamInspection};

/// One policy with the detectors that it needs; a request sees one from start to end (threat I8).
#[derive(Debug, Clone)]
pub struct Rules {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The built-in detectors and the policy's own.
    pub scanner: Scanner,
}

impl Rules {
    /// A policy with its detectors.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            scanner: Scanner::new(policy.own_detectors()),
            policy: Arc::new(policy),
        }
    }
}

/// What an adapter knows of a call before it reads the body.
#[derive(Debug, Clone)]
pub struct Call {
    /// The moment.
    pub now: Timestamp,
    /// Who calls.
    pub who: Arc<Who>,
    /// Where it is to go.
    pub to: Arc<Destination>,
    /// The use that it declares.
    pub use_: Option<String>,
    /// The id of its record, for messages.
    pub record: String,
}

/// One half, judged: what the record keeps, and what happens to the bytes.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What it was judged on.
    pub facts: Facts,
    /// The decision.
    pub decision: Decision,
    /// The model that an answer says it is from, fit for records.
    pub model: Option<String>,
    /// How many spans were masked, by entity.
    pub masked: BTreeMap<EntityId, u32>,
    /// Detectors that could not do their work, by id.
    pub failed: Vec<String>,
    /// What could not be read as text, by kind, with its pointer.
    pub uninspectable: Vec<(String, &'static str)>,
}

/// What becomes of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It goes on: unchanged, or as these bytes.
    Forward(Option<Vec<u8>>),
    /// It does not go on.
    Stop,
}

/// The inspection of one exchange, after its request was read.
#[derive(Debug, Clone)]
pub struct Inspection {
    rules: Arc<Rules>,
    wire: &'static dyn Wire,
    /// The model that the path names.
    named: Option<String>,
    call: Call,
    model: Option<String>,
}
