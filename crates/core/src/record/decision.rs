//! What a record says of a decision: what happened, what full enforcement would have done, and whose say it was.

use serde::{Serialize, Serializer};

use crate::decide::{Contribution, Decision};
use crate::policy::compile::Policy;
use crate::verdict::{AppClass, Mode, Verdict};

/// A decision with the names that its policy has for things.
#[derive(Debug, Serialize)]
pub(super) struct Decided<'r> {
    app_class: AppClass,
    #[serde(skip_serializing_if = "Clauses::is_empty")]
    clauses: Clauses<'r>,
    data_class: &'r str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    excluded: bool,
    full: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<&'r str>,
    verdict: Verdict,
}

impl<'r> Decided<'r> {
    pub(super) fn new(policy: &'r Policy, decision: &'r Decision) -> Self {
        Self {
            app_class: decision.app_class,
            clauses: Clauses { policy, decision },
            data_class: policy.class_name(decision.data_class),
            excluded: decision.excluded,
            full: decision.full,
            grant: decision.granted.and_then(|grant| policy.grant(grant)),
            verdict: decision.verdict,
        }
    }
}

/// Everything that had a say.
#[derive(Debug)]
struct Clauses<'r> {
    policy: &'r Policy,
    decision: &'r Decision,
}

impl Clauses<'_> {
    fn is_empty(&self) -> bool {
        self.decision.contributions.is_empty()
    }
}

impl Serialize for Clauses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { policy, decision } = *self;
        let clause = |one: &Contribution| Clause {
            acts: one.acts,
            beside: one.verdict > Verdict::Allow
                && !decision
                    .full_contributions(policy)
                    .any(|other| other.citation == one.citation),
            exception: one.excepted.map(|(exception, was)| Exception {
                id: policy.exception(exception),
                was,
            }),
            id: &policy.citation(one.citation).id,
            mode: one.mode,
            unmaskable: one.unmaskable,
            verdict: one.verdict,
        };
        serializer.collect_seq(decision.contributions.iter().map(clause))
    }
}

/// What one citation said.
#[derive(Serialize)]
struct Clause<'r> {
    acts: Verdict,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    beside: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<Exception<'r>>,
    id: &'r str,
    mode: Mode,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unmaskable: bool,
    verdict: Verdict,
}

/// The exception that replaced a verdict, and what that was.
#[derive(Serialize)]
struct Exception<'r> {
    id: &'r str,
    was: Verdict,
}
