//! Records: what is kept of an exchange, as JSON values. Never text, never a name.
//!
//! An admitted request has two records, `intent` and `outcome`; one that is turned away has one, `refusal`. Each keeps the
//! facts that it was judged on, what was decided, and what full enforcement would have decided. The store adds nothing;
//! the ledger makes the bytes canonical. The shape is versioned by `v` and documented in `docs/reference/records.md`.
//! [`Recorded`] is the way back: a record as facts that any policy can judge.

mod replay;
mod tries;

use serde_json::{Map, Value, json};

pub use replay::{Recorded, Said, Unreadable};
pub use tries::{Alias, Fallback, Tried, Try, tried};

use crate::decide::{Contribution, Decision, Facts};
use crate::inspect::{Judged, Rules};
use crate::policy::compile::Policy;
use crate::verdict::{SourceSet, Verdict};

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
}

/// The route that a request came by.
#[derive(Debug, Clone, Copy)]
pub struct Route<'r> {
    /// The adapter.
    pub adapter: &'r str,
    /// The wire, or an empty string for an endpoint that none reads.
    pub wire: &'r str,
    /// Method and path.
    pub endpoint: &'r str,
    /// Bytes of the request body.
    pub bytes: u64,
    /// Whether a streamed answer was asked for.
    pub stream: bool,
    /// The alias that the request names its model by.
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

/// The record of a request that is about to go upstream.
#[must_use]
pub fn intent(header: &Header<'_>, route: &Route<'_>, rules: &Rules, judged: &Judged) -> Value {
    request("intent", header, route, rules, judged, None)
}

/// The record of a request that is turned away, with the status that the client gets.
#[must_use]
pub fn refusal(header: &Header<'_>, route: &Route<'_>, rules: &Rules, judged: &Judged, status: u16) -> Value {
    request("refusal", header, route, rules, judged, Some(status))
}

fn request(
    kind: &str,
    header: &Header<'_>,
    route: &Route<'_>,
    rules: &Rules,
    judged: &Judged,
    status: Option<u16>,
) -> Value {
    let mut record = head(kind, header);
    record.insert(
        "policy".to_owned(),
        json!({"digest": rules.policy.digest.to_string(), "version": rules.policy.version}),
    );
    record.insert(
        "detectors".to_owned(),
        rules
            .scanner
            .detectors()
            .map(|one| (one.id().to_owned(), Value::from(one.version())))
            .collect(),
    );
    record.insert(
        "route".to_owned(),
        json!({"adapter": route.adapter, "wire": route.wire, "endpoint": route.endpoint, "bytes": route.bytes, "stream": route.stream}),
    );
    if let Some(alias) = &route.alias {
        tries::alias(&mut record, &rules.policy, alias);
    }
    record.insert("who".to_owned(), who(&judged.facts));
    record.insert("to".to_owned(), to(&judged.facts));
    half(&mut record, &rules.policy, judged);
    if let Some(status) = status {
        record.insert("status".to_owned(), status.into());
    }
    Value::Object(record)
}

/// The record of how an admitted request ended. `judged` is the answer, as far as it was seen.
#[must_use]
pub fn outcome(
    header: &Header<'_>,
    intent: &str,
    result: Result,
    status: u16,
    bytes: u64,
    rules: &Rules,
    judged: Option<&Judged>,
) -> Value {
    let mut record = head("outcome", header);
    record.insert("intent".to_owned(), intent.into());
    record.insert("result".to_owned(), result.as_str().into());
    record.insert("status".to_owned(), status.into());
    record.insert("bytes".to_owned(), bytes.into());
    if let Some(judged) = judged {
        if let Some(model) = &judged.model {
            record.insert("model".to_owned(), model.clone().into());
        }
        half(&mut record, &rules.policy, judged);
    }
    Value::Object(record)
}

/// The outcome of an intent that a crash left open.
#[must_use]
pub fn recovered(header: &Header<'_>, intent: &str) -> Value {
    let mut record = head("outcome", header);
    record.insert("intent".to_owned(), intent.into());
    record.insert("result".to_owned(), Result::Unknown.as_str().into());
    Value::Object(record)
}

fn head(kind: &str, header: &Header<'_>) -> Map<String, Value> {
    let mut record = Map::new();
    record.insert("v".to_owned(), VERSION.into());
    record.insert("kind".to_owned(), kind.into());
    record.insert("id".to_owned(), header.id.into());
    record.insert("at".to_owned(), header.at_ms.into());
    record.insert("subject".to_owned(), header.subject.into());
    record
}

fn who(facts: &Facts) -> Value {
    let mut who = Map::new();
    who.insert("groups".to_owned(), facts.who.groups.clone().into());
    if let Some(client) = &facts.who.client {
        who.insert("client".to_owned(), client.clone().into());
    }
    if !facts.who.training.is_empty() {
        let training = facts
            .who
            .training
            .iter()
            .map(|(course, on)| (course.clone(), Value::from(on.to_string())));
        who.insert("training".to_owned(), Value::Object(training.collect()));
    }
    if let Some(since) = facts.who.since {
        who.insert("since".to_owned(), since.to_string().into());
    }
    Value::Object(who)
}

fn to(facts: &Facts) -> Value {
    let mut to = Map::new();
    to.insert("app".to_owned(), facts.to.app.clone().into());
    if !facts.to.attributes.is_empty() {
        let attributes = facts
            .to
            .attributes
            .iter()
            .map(|(key, value)| (key.clone(), Value::from(value.clone())));
        to.insert("attributes".to_owned(), Value::Object(attributes.collect()));
    }
    if let Some(model) = &facts.model {
        to.insert("model".to_owned(), model.clone().into());
    }
    if let Some(use_) = &facts.use_ {
        to.insert("use".to_owned(), use_.clone().into());
    }
    Value::Object(to)
}

/// Content, decision and what was done, of one half.
fn half(record: &mut Map<String, Value>, policy: &Policy, judged: &Judged) {
    record.insert("content".to_owned(), content(judged));
    record.insert("decision".to_owned(), decision(policy, &judged.decision));
    if !judged.masked.is_empty() {
        let masked = judged
            .masked
            .iter()
            .map(|(entity, count)| (entity.to_string(), Value::from(*count)));
        record.insert("masked".to_owned(), Value::Object(masked.collect()));
    }
    if !judged.failed.is_empty() {
        record.insert("failed".to_owned(), judged.failed.clone().into());
    }
    if !judged.uninspectable.is_empty() {
        let kinds: std::collections::BTreeSet<&str> = judged.uninspectable.iter().map(|(_, what)| *what).collect();
        record.insert("uninspectable".to_owned(), kinds.into_iter().collect());
    }
}

fn sources(set: SourceSet) -> Value {
    set.iter().map(|source| source.as_str()).collect()
}

fn content(judged: &Judged) -> Value {
    let content = &judged.facts.content;
    let mut value = Map::new();
    value.insert("sources".to_owned(), sources(content.sources));
    if !content.entities.is_empty() {
        let entities = content.entities.iter().map(|seen| {
            let mut entity = Map::new();
            entity.insert("distinct".to_owned(), seen.distinct.into());
            entity.insert("sources".to_owned(), sources(seen.sources));
            if !seen.fixed.is_empty() {
                entity.insert("fixed".to_owned(), sources(seen.fixed));
            }
            (seen.entity.to_string(), Value::Object(entity))
        });
        value.insert("entities".to_owned(), Value::Object(entities.collect()));
    }
    if let Some(endpoint) = &content.endpoint {
        value.insert("endpoint".to_owned(), endpoint.clone().into());
    }
    if !content.findings.is_empty() {
        let findings = content.findings.iter().map(|(id, of)| (id.clone(), sources(*of)));
        value.insert("findings".to_owned(), Value::Object(findings.collect()));
    }
    if !content.tools.is_empty() {
        let called = content.tools.iter().map(|call| {
            let mut value = Map::new();
            value.insert("name".to_owned(), call.name.clone().into());
            if !call.met.is_empty() {
                value.insert("met".to_owned(), call.met.clone().into());
            }
            if call.awaited {
                value.insert("awaited".to_owned(), true.into());
            }
            Value::Object(value)
        });
        value.insert("tools".to_owned(), called.collect());
    }
    Value::Object(value)
}

fn decision(policy: &Policy, decision: &Decision) -> Value {
    let mut value = Map::new();
    value.insert("verdict".to_owned(), decision.verdict.as_str().into());
    value.insert("full".to_owned(), decision.full.as_str().into());
    value.insert("app_class".to_owned(), decision.app_class.as_str().into());
    value.insert("data_class".to_owned(), policy.class_name(decision.data_class).into());
    if let Some(grant) = decision.granted.and_then(|grant| policy.grant(grant)) {
        value.insert("grant".to_owned(), grant.into());
    }
    if decision.excluded {
        value.insert("excluded".to_owned(), true.into());
    }
    let full: Vec<&Contribution> = decision.full_contributions(policy).collect();
    let clauses = decision.contributions.iter().map(|one| {
        let mut clause = Map::new();
        clause.insert("id".to_owned(), policy.citation(one.citation).id.clone().into());
        clause.insert("verdict".to_owned(), one.verdict.as_str().into());
        clause.insert("acts".to_owned(), one.acts.as_str().into());
        clause.insert("mode".to_owned(), one.mode.as_str().into());
        if let Some((exception, before)) = one.excepted {
            let exception = json!({"id": policy.exception(exception), "was": before.as_str()});
            clause.insert("exception".to_owned(), exception);
        }
        if one.unmaskable {
            clause.insert("unmaskable".to_owned(), true.into());
        }
        if one.verdict > Verdict::Allow && !full.iter().any(|other| other.citation == one.citation) {
            clause.insert("beside".to_owned(), true.into());
        }
        Value::Object(clause)
    });
    let clauses: Vec<Value> = clauses.collect();
    if !clauses.is_empty() {
        value.insert("clauses".to_owned(), clauses.into());
    }
    Value::Object(value)
}

#[cfg(test)]
mod tests;
