//! What the policy in force cannot do on the routes that there are: recorded before it comes into force, told to operators,
//! and asked of each request whose route may be closed for it.

use jiff::Timestamp;
use ordain_core::assurance::{self, Assurance, Gap, Group};
use ordain_core::inspect::Rules;
use ordain_core::policy::compile::Policy;
use ordain_core::record::{self, Header, Standing};
use ordain_core::wire::endpoints::Endpoint;
use uuid::Uuid;

use crate::config::Dialect;
use crate::metrics::Metrics;
use crate::store::{NewRecord, SubjectId};

/// A policy held against the routes of a gateway.
#[derive(Debug)]
pub(super) struct Assured {
    assurance: Assurance,
    /// The dialects that some upstream speaks.
    dialects: Vec<Dialect>,
    /// What of it may close a route: all that requests ask about.
    closing: Assurance,
}

impl Assured {
    pub(super) fn new(rules: &Rules, dialects: impl Iterator<Item = Dialect>) -> Self {
        let mut spoken: Vec<Dialect> = Vec::new();
        for dialect in dialects {
            if !spoken.contains(&dialect) {
                spoken.push(dialect);
            }
        }
        let assurance = Assurance::of(&rules.policy, &rules.scanner, &spoken);
        Self {
            closing: assurance.closing(),
            assurance,
            dialects: spoken,
        }
    }

    /// Why a route is closed now, if it is.
    pub(super) fn refuses(&self, policy: &Policy, wire: &str, endpoint: &Endpoint) -> Option<&Gap> {
        if !self.closing.gaps.iter().any(|gap| gap.wire == wire) {
            return None;
        }
        self.closing.refuses(policy, wire, endpoint, Timestamp::now())
    }

    /// The record that the version comes into force. `None` if it has no canonical bytes, which is the program's fault.
    pub(super) fn record(&self, rules: &Rules) -> Option<NewRecord> {
        let (id, now) = (Uuid::now_v7(), Timestamp::now());
        let (name, subject) = (id.to_string(), SubjectId::NOBODY.to_string());
        let header = Header {
            id: &name,
            at_ms: now.as_millisecond(),
            subject: &subject,
            on_behalf_of: None,
        };
        let groups: Vec<Group<'_>> = self.assurance.groups();
        let standing = Standing {
            refused: self.assurance.refused(&rules.policy, &self.dialects, now),
            opened: self.assurance.opened(&rules.policy, &self.dialects, now),
            passed: assurance::passed(&rules.policy, &self.dialects, now),
        };
        let record = record::activation(&header, rules, &self.assurance, &groups, &standing);
        let bytes = ordain_ledger::canonical(&record);
        let bytes = bytes.inspect_err(|error| tracing::error!(%error, "a record has no canonical form"));
        Some(NewRecord::activation(id, now.as_millisecond(), bytes.ok()?))
    }

    /// Tells operators, in few lines and without content.
    pub(super) fn tell(&self, rules: &Rules, metrics: &Metrics) {
        let refused = self.assurance.refused(&rules.policy, &self.dialects, Timestamp::now());
        metrics.assured(&self.assurance, refused.len());
        let (gaps, missing) = (self.assurance.gaps.len(), self.assurance.missing.len());
        if self.assurance.is_complete() {
            return;
        }
        let policy = rules.digest.as_str();
        let refused_endpoints = refused.len();
        const SAID: &str = "some clauses cannot act everywhere; `ordain assurance` says which, and where";
        // What the policy closes in so many words surprises nobody.
        if refused.iter().any(|(_, gap)| gap.may_be_allowed()) {
            tracing::warn!(policy, refused_endpoints, gaps, missing, "{SAID}");
        } else {
            tracing::info!(policy, refused_endpoints, gaps, missing, "{SAID}");
        }
        for (endpoint, gap) in refused {
            let (endpoint, clauses) = (endpoint.name(), gap.refusing.join(", "));
            tracing::info!(endpoint, field = %gap.field, kind = %gap.kind, clauses, "refused: a clause cannot act there");
        }
    }

    /// How much is amiss, for people.
    pub(super) fn summary(&self, rules: &Rules) -> Summary {
        Summary {
            refused: self
                .assurance
                .refused(&rules.policy, &self.dialects, Timestamp::now())
                .len(),
            gaps: self.assurance.gaps.len(),
            missing: self.assurance.missing.len(),
        }
    }
}

/// How much a policy cannot do on the routes of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Endpoints that are refused for it.
    pub refused: usize,
    /// Fields of routes that some clause cannot act on.
    pub gaps: usize,
    /// Entities and findings that nothing states.
    pub missing: usize,
}
