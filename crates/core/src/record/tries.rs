//! Where a request may go in the second place, and where it went: part of an intent and of its outcome.
//!
//! An intent names both destinations before the first byte leaves, each with its decision, so that every try of an exchange is
//! covered by one intent. The outcome lists the tries if there was more than one.

use serde_json::{Map, Value, json};

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

/// Adds an alias to an intent or a refusal.
pub(super) fn alias(record: &mut Map<String, Value>, policy: &Policy, alias: &Alias<'_>) {
    let mut value = Map::new();
    value.insert("name".to_owned(), alias.name.into());
    value.insert("version".to_owned(), alias.version.into());
    if let Some(fallback) = &alias.fallback {
        value.insert(
            "fallback".to_owned(),
            json!({
                "version": fallback.version,
                "to": {"app": fallback.to.app, "model": fallback.model},
                "decision": super::decision(policy, fallback.decision),
            }),
        );
    }
    record.insert("alias".to_owned(), Value::Object(value));
}

/// Adds the tries to an outcome, if there was more than one.
pub fn tried(outcome: &mut Value, tries: &[Try]) {
    let (Some(record), [_, _, ..]) = (outcome.as_object_mut(), tries) else {
        return;
    };
    let tries = tries.iter().map(|one| {
        let mut value = json!({"app": one.app, "model": one.model});
        if let Some(value) = value.as_object_mut() {
            match one.ended {
                Tried::Last => {}
                Tried::Status(status) => {
                    value.insert("status".to_owned(), status.into());
                }
                Tried::Unreachable => {
                    value.insert("unreachable".to_owned(), true.into());
                }
            }
        }
        value
    });
    record.insert("tries".to_owned(), tries.collect());
}
