//! The second step of `justify` and `hold`: what somebody has to do before a request may pass, and what that covers.
//!
//! A decision stays what it is; a step that was taken only says that what asked for it no longer keeps the bytes back.
//! What could not be inspected is never covered: nobody could say what they vouch for. Read [`Asked`] first.

use super::{Contribution, Decision};
use crate::policy::compile::{CitationId, Policy};
use crate::verdict::Verdict;

/// What has to be done before the bytes may pass; nothing, if neither is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// The principal has to state a reason.
    pub justify: bool,
    /// Another person has to agree.
    pub hold: bool,
}

impl Asked {
    /// Whether anything is asked for.
    #[must_use]
    pub const fn anything(self) -> bool {
        self.justify || self.hold
    }
}

/// What steps that were taken for a request cover in its answer: the clauses that asked for them, which then do not keep the
/// answer back as well. A clause that asks about tools is not among them: what a model will call, nobody has seen before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Covered(Vec<(CitationId, Verdict)>);

impl Covered {
    /// What is covered once everything was done that a decision on a prompt asks for.
    #[must_use]
    pub fn by(policy: &Policy, decision: &Decision) -> Self {
        let asking = decision
            .asking(Verdict::Justify)
            .chain(decision.asking(Verdict::Hold))
            .filter(|one| !policy.asks_about_tools(one.citation));
        Self(asking.map(|one| (one.citation, one.acts)).collect())
    }

    fn covers(&self, one: &Contribution) -> bool {
        self.0.contains(&(one.citation, one.acts))
    }
}

impl Decision {
    /// What has to be done before a prompt may pass; `None` where nothing helps.
    #[must_use]
    pub fn asks(&self, policy: &Policy) -> Option<Asked> {
        if self.verdict == Verdict::Block {
            return None;
        }
        let mut asked = Asked::default();
        for one in self.acting() {
            match one.acts {
                Verdict::Block => return None,
                Verdict::Justify | Verdict::Hold if policy.is_unconditional(one.citation) => return None,
                Verdict::Justify => asked.justify = true,
                Verdict::Hold => asked.hold = true,
                Verdict::Allow | Verdict::Coach | Verdict::Redact => {}
            }
        }
        Some(asked)
    }

    /// The contributions that act as this verdict.
    pub fn asking(&self, verdict: Verdict) -> impl Iterator<Item = &Contribution> + Clone {
        self.acting().filter(move |one| one.acts == verdict)
    }

    /// The ids of what acts as this verdict.
    pub fn asking_ids<'d>(&'d self, policy: &'d Policy, verdict: Verdict) -> impl Iterator<Item = &'d str> {
        self.asking(verdict)
            .map(|one| policy.citation(one.citation).id.as_str())
    }

    /// The contributions that keep an answer back, beyond what is covered: of those that do, the strictest.
    pub fn stopping_beyond<'d>(
        &'d self,
        covered: &'d Covered,
    ) -> impl Iterator<Item = &'d Contribution> + Clone + use<'d> {
        let stops = self.acting().filter(|one| one.acts.stops() && !covered.covers(one));
        let strictest = stops.clone().map(|one| one.acts).max();
        stops.filter(move |one| Some(one.acts) == strictest)
    }

    /// Whether an answer is kept back, beyond what is covered.
    #[must_use]
    pub fn stops_beyond(&self, covered: &Covered) -> bool {
        if covered.0.is_empty() {
            return self.stops();
        }
        self.verdict == Verdict::Block || self.stopping_beyond(covered).next().is_some()
    }
}
