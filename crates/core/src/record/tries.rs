//! Where a request may go in the second place, and where it went: part of an intent and of its outcome.
//!
//! An intent names both destinations before the first byte leaves, each with its decision, so that every try of an exchange is
//! covered by one intent. The outcome lists the tries if there was more than one.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::decision::Decided;
use crate::decide::{Decision, Destination};
use crate::policy::compile::Policy;

/// The name of its own under which a gateway knows a model, and what the name stood for in one exchange.
#[derive(Debug, Clone, Copy)]
pub struct Alias<'r> {
    /// The name that the request has.
    pub name: &'r str,
    /// The label of the version that was taken.
    pub version: &'r str,
    /// Where the request goes if that one's upstream fails.
    pub fallback: Option<Fallback<'r>>,
}

/// A second destination.
#[derive(Debug, Clone, Copy)]
pub struct Fallback<'r> {
    /// The label of the version.
    pub version: &'r str,
    /// Where it is.
    pub to: &'r Destination,
    /// The model's name there.
    pub model: &'r str,
    /// What is decided about the request if it goes there.
    pub decision: &'r Decision,
}

/// One try of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// The app that was asked.
    pub app: String,
    /// The model's name there.
    pub model: String,
    /// What became of it.
    pub ended: Tried,
}

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// It was the last one: what became of it became of the exchange.
    Last,
    /// The upstream answered with a status that asks to try elsewhere.
    Status(u16),
    /// The upstream could not be reached.
    Unreachable,
}

/// An alias, as an intent or a refusal has it.
#[derive(Debug, Serialize)]
pub(super) struct Aliased<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<Second<'r>>,
    name: &'r str,
    version: &'r str,
}

/// Where the request goes in the second place, with the decision about it there.
#[derive(Debug, Serialize)]
struct Second<'r> {
    decision: Decided<'r>,
    to: Place<'r>,
    version: &'r str,
}

#[derive(Debug, Serialize)]
struct Place<'r> {
    app: &'r str,
    model: &'r str,
}

impl<'r> Aliased<'r> {
    pub(super) fn new(policy: &'r Policy, alias: Alias<'r>) -> Self {
        Self {
            fallback: alias.fallback.map(|fallback| Second {
                decision: Decided::new(policy, fallback.decision),
                to: Place {
                    app: &fallback.to.app,
                    model: fallback.model,
                },
                version: fallback.version,
            }),
            name: alias.name,
            version: alias.version,
        }
    }
}

/// The tries of an exchange, in their order.
#[derive(Debug)]
pub(super) struct Tries<'r>(pub(super) &'r [Try]);

impl Serialize for Tries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0)
    }
}

impl Serialize for Try {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut one = serializer.serialize_map(None)?;
        one.serialize_entry("app", &self.app)?;
        one.serialize_entry("model", &self.model)?;
        match self.ended {
            Tried::Last => {}
            Tried::Status(status) => one.serialize_entry("status", &status)?,
            Tried::Unreachable => one.serialize_entry("unreachable", &true)?,
        }
        one.end()
    }
}
