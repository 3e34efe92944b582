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
mod kept;
mod request;
mod stream;
#[cfg(test)]
mod tests;
pub mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::decide::{Asked, Covered, Decision, Destination, Facts, Who};
use crate::detect::scanner::Scanner;
use crate::detect::{DetectorFailure, EntityId, Trouble};
use crate::exchange::{Bound, Usage};
use crate::policy::compile::Policy;
use crate::wire::Wire;
use kept::Kept;

pub use request::Request;
pub use stream::{Ending, Step, StreamInspection};

/// One policy with the detectors that it needs; a request sees one from start to end (threat I8).
#[derive(Debug, Clone)]
pub struct Rules {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The built-in detectors and the policy's own.
    pub scanner: Scanner,
    /// The policy's digest as records and headers show it.
    pub digest: String,
    /// The detectors by id, with their versions.
    pub detectors: BTreeMap<String, u32>,
}

impl Rules {
    /// A policy with its detectors.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let scanner = Scanner::new(policy.own_detectors());
        Self::with(Arc::new(policy), scanner)
    }

    /// A policy with exactly these detectors.
    #[must_use]
    pub fn with(policy: Arc<Policy>, scanner: Scanner) -> Self {
        let detectors = scanner.detectors().map(|one| (one.id().to_owned(), one.version()));
        Self {
            digest: policy.digest.to_string(),
            detectors: detectors.collect(),
            scanner,
            policy,
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
    /// Of an answer: how many tokens were replaced by what they stand for, by entity.
    pub restored: BTreeMap<EntityId, u32>,
    /// Of a request: the tools that were taken out of its lists, since `access.tools` does not grant them.
    pub withheld: Vec<String>,
    /// Of an answer: the label that it carries, if the policy has answers labelled.
    pub label: Option<String>,
    /// Detectors that could not do their work, each once.
    pub failed: Vec<Failed>,
    /// What could not be read as text, by kind, with its pointer.
    pub uninspectable: Vec<(String, &'static str)>,
    /// Of an answer, how much it was.
    pub said: Said,
}

/// Something that could not do its work on a half, and how it came not to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The detector's id, or [`Failed::SPLICE`].
    pub id: String,
    /// How.
    pub trouble: Trouble,
}

impl Failed {
    /// What stands for masks that could not be put in.
    pub const SPLICE: &'static str = "splice";

    /// What failed masks are.
    fn splice() -> Self {
        Self {
            id: Self::SPLICE.to_owned(),
            trouble: Trouble::Failed,
        }
    }

    /// Adds what a scan could not do, each detector's first trouble.
    fn note(all: &mut Vec<Self>, failures: &[DetectorFailure]) {
        for failure in failures {
            if !all.iter().any(|known| known.id == failure.detector) {
                all.push(Self {
                    id: failure.detector.clone(),
                    trouble: failure.trouble,
                });
            }
        }
    }
}

/// How much an answer was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// The tokens that the provider states.
    pub usage: Usage,
    /// Bytes of its text as it came, names and ids of whole answers included: no token is shorter than a byte.
    pub bytes: u64,
}

/// What becomes of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It goes on: unchanged, or as these bytes.
    Forward(Option<Vec<u8>>),
    /// It goes on, unchanged or as these bytes, once somebody has done what is asked for. Of requests alone: nobody can be
    /// asked about an answer that is on its way.
    Wait(Asked, Option<Vec<u8>>),
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
    bound: Bound,
    /// What was done for the request and covers its answer.
    covered: Covered,
    kept: Kept,
}
