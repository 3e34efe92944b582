//! Records: what is kept of an exchange. Never text, never a name.
//!
//! An admitted request has two records, `intent` and `outcome`; one that is turned away has one, `refusal`. A ticket that is
//! answered has an `approval` or a `denial` ([`steps`]), and a version that comes into force an [`activation`]. A time in which the
//! ledger took none has a `gap`, and its review a `gap-review` ([`gap`]). Those of requests keep the facts that it was judged on, what was
//! decided, and what full enforcement would have decided. A [`Record`] borrows all of that and says its shape through
//! `serde`; the store adds nothing, and the ledger makes the bytes canonical. The shape is versioned by `v` and documented in
//! `docs/reference/records.md`.
//! [`Recorded`] is the way back: a record as facts that any policy can judge.

mod activation;
mod decision;
pub mod gap;
mod half;
mod replay;
mod spent;
pub mod steps;
mod tries;

use std::fmt;

use serde::{Serialize, Serializer};

pub use activation::{Activation, Standing, activation};
pub use replay::{Recorded, Said, Unreadable};
pub use spent::{Bounded, Used};
pub use tries::{Alias, Fallback, Tried, Try};

use self::decision::Decided;
use self::half::{Content, Ids, Masked, To, Troubles, Uninspectable, Who};
use self::steps::Steps;
use self::tries::{Aliased, Tries};
use crate::inspect::{Judged, Rules};

/// Version of the records' shape.
pub const VERSION: u32 = 1;

/// What an adapter knows of an exchange and its record.
#[derive(Debug, Clone, Copy)]
pub struct Header<'h> {
    /// The id of this record.
    pub id: &'h str,
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The random id that stands for the principal.
    pub subject: &'h str,
    /// The random id of the principal on whose behalf it asks.
    pub on_behalf_of: Option<&'h str>,
}

/// The route that a request came by.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Route<'r> {
    /// The adapter.
    pub adapter: &'r str,
    /// Bytes of the request body; of one that nobody reads, those that it announces, or 0.
    pub bytes: u64,
    /// Method and path.
    pub endpoint: &'r str,
    /// Whether a streamed answer was asked for.
    pub stream: bool,
    /// The wire, or an empty string for an endpoint that none reads.
    pub wire: &'r str,
    /// The alias that the request names its model by; a member of the record itself.
    #[serde(skip)]
    pub alias: Option<Alias<'r>>,
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Result {
    /// The answer reached the client whole.
    Completed,
    /// The policy stopped the answer.
    Stopped,
    /// The upstream could not be reached, or broke off.
    UpstreamFailed,
    /// Its record came too late, and nothing was sent.
    NotSent,
    /// The client went away.
    ClientGone,
    /// Nothing is known: the program ended in between.
    Unknown,
}

impl Result {
    /// The word in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::UpstreamFailed => "upstream-failed",
            Self::NotSent => "not-sent",
            Self::ClientGone => "client-gone",
            Self::Unknown => "unknown",
        }
    }
}

/// A record, ready to be written. Its members are in the order of their names, as are those of everything in it, so that
/// canonical bytes need no sorting.
#[derive(Debug, Serialize)]
pub struct Record<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<Aliased<'r>>,
    at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bounded: Option<&'r Bounded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decided<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detectors: Option<&'r std::collections::BTreeMap<String, u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<Ids<'r>>,
    id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent: Option<&'r str>,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    masked: Option<Masked<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<OfPolicy<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored: Option<Masked<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'r Route<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<&'r Steps>,
    subject: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<To<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tries: Option<Tries<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<Troubles<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uninspectable: Option<Uninspectable<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Used<'r>>,
    v: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<Who<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<Withheld<'r>>,
}

/// Which policy judged.
#[derive(Debug, Serialize)]
struct OfPolicy<'r> {
    digest: &'r str,
    version: &'r str,
}

/// Tools that were taken out of a request, by what does not grant them.
#[derive(Debug, Serialize)]
struct Withheld<'r> {
    #[serde(rename = "access.tools")]
    tools: &'r [String],
}

/// The record of a request that is about to go upstream.
#[must_use]
pub fn intent<'r>(header: &Header<'r>, route: &'r Route<'_>, rules: &'r Rules, judged: &'r Judged) -> Record<'r> {
    request("intent", header, route, rules, judged)
}

/// The record of a request that is turned away, with the status that the client gets.
#[must_use]
pub fn refusal<'r>(
    header: &Header<'r>,
    route: &'r Route<'_>,
    rules: &'r Rules,
    judged: &'r Judged,
    status: u16,
) -> Record<'r> {
    Record {
        status: Some(status),
        ..request("refusal", header, route, rules, judged)
    }
}

fn request<'r>(
    kind: &'static str,
    header: &Header<'r>,
    route: &'r Route<'_>,
    rules: &'r Rules,
    judged: &'r Judged,
) -> Record<'r> {
    Record {
        alias: route.alias.map(|alias| Aliased::new(&rules.policy, alias)),
        detectors: Some(&rules.detectors),
        policy: Some(OfPolicy {
            digest: &rules.digest,
            version: &rules.policy.version,
        }),
        route: Some(route),
        to: Some(To(&judged.facts)),
        who: Some(Who {
            one: &judged.facts.who,
            subject: None,
            on_behalf_of: header.on_behalf_of,
        }),
        ..Record::new(kind, header).with_half(rules, judged)
    }
}

/// The record of how an admitted request ended. `judged` is the answer, as far as it was seen.
#[must_use]
pub fn outcome<'r>(
    header: &Header<'r>,
    intent: &'r str,
    result: Result,
    status: u16,
    bytes: u64,
    rules: &'r Rules,
    judged: Option<&'r Judged>,
) -> Record<'r> {
    let record = Record {
        intent: Some(intent),
        result: Some(result.as_str()),
        status: Some(status),
        bytes: Some(bytes),
        ..Record::new("outcome", header)
    };
    match judged {
        Some(judged) => record.with_half(rules, judged),
        None => record,
    }
}

/// The outcome of an intent that a crash left open.
#[must_use]
pub fn recovered<'r>(header: &Header<'r>, intent: &'r str) -> Record<'r> {
    Record {
        intent: Some(intent),
        result: Some(Result::Unknown.as_str()),
        ..Record::new("outcome", header)
    }
}

impl<'r> Record<'r> {
    fn new(kind: &'static str, header: &Header<'r>) -> Self {
        Self {
            at: header.at_ms,
            id: header.id,
            kind,
            subject: header.subject,
            v: VERSION,
            alias: None,
            bounded: None,
            bytes: None,
            content: None,
            decision: None,
            detectors: None,
            failed: None,
            intent: None,
            label: None,
            masked: None,
            model: None,
            policy: None,
            restored: None,
            result: None,
            route: None,
            sent: None,
            status: None,
            steps: None,
            ticket: None,
            to: None,
            tries: None,
            trouble: None,
            uninspectable: None,
            usage: None,
            who: None,
            withheld: None,
        }
    }

    /// Adds what turned a request away beside the policy.
    #[must_use]
    pub fn with_bounded(self, bounded: Option<&'r Bounded>) -> Self {
        Self { bounded, ..self }
    }

    /// Adds what was done so that a request passes.
    #[must_use]
    pub fn with_steps(self, steps: Option<&'r Steps>) -> Self {
        Self { steps, ..self }
    }

    /// Adds the ticket under which a request waits.
    #[must_use]
    pub fn with_ticket(self, ticket: Option<&'r str>) -> Self {
        Self { ticket, ..self }
    }

    /// Adds what an exchange used.
    #[must_use]
    pub fn with_usage(self, usage: Option<Used<'r>>) -> Self {
        Self { usage, ..self }
    }

    /// Adds how many bytes of the request's body went upstream, where nobody has read it.
    #[must_use]
    pub fn with_sent(self, sent: Option<u64>) -> Self {
        Self { sent, ..self }
    }

    /// Adds where the request was sent, if that was to more than one place.
    #[must_use]
    pub fn with_tries(self, tries: &'r [Try]) -> Self {
        Self {
            tries: (tries.len() > 1).then_some(Tries(tries)),
            ..self
        }
    }

    /// Adds content, decision and what was done, of one half.
    fn with_half(self, rules: &'r Rules, judged: &'r Judged) -> Self {
        Self {
            content: Some(Content(&judged.facts.content)),
            decision: Some(Decided::new(&rules.policy, &judged.decision)),
            failed: (!judged.failed.is_empty()).then_some(Ids(&judged.failed)),
            label: judged.label.as_deref(),
            masked: (!judged.masked.is_empty()).then_some(Masked(&judged.masked)),
            model: judged.model.as_deref(),
            restored: (!judged.restored.is_empty()).then_some(Masked(&judged.restored)),
            trouble: (!judged.failed.is_empty()).then_some(Troubles(&judged.failed)),
            uninspectable: (!judged.uninspectable.is_empty()).then_some(Uninspectable(&judged.uninspectable)),
            withheld: (!judged.withheld.is_empty()).then_some(Withheld {
                tools: &judged.withheld,
            }),
            ..self
        }
    }
}

/// Whatever shows itself as text.
struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
