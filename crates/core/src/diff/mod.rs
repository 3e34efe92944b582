//! What changes in meaning from one policy to another: who gains or loses what, each with a request that shows it.
//!
//! Texts are not compared. Two policies are the same when they decide every request alike, however they are written; that
//! is asked of all requests at once (see [`crate::witness`]). Read [`changes`] first; [`wording`] compares what people read.

mod compare;
mod reach;
pub mod wording;

use jiff::Timestamp;

use crate::catalog::Catalog;
use crate::decide::{Decision, Mask};
use crate::detect::scanner::Scanner;
use crate::policy::cases;
use crate::policy::compile::Policy;
use crate::verdict::Verdict;
use crate::witness::Witness;

pub use reach::Reach;

/// What two policies differ in.
#[derive(Debug, Default)]
pub struct Difference {
    /// Every change, loosened before tightened.
    pub changes: Vec<Change>,
    /// How many more there may be that no request was found for, because a condition in CEL has a part in them.
    pub unshown: usize,
}

/// Something that some requests get otherwise than before.
#[derive(Debug)]
pub struct Change {
    /// Whether it is stricter than before.
    pub direction: Direction,
    /// What of the decision changes.
    pub what: What,
    /// The citation that makes the difference: in the new policy if it is stricter, in the old one if it is not.
    pub by: String,
    /// Which requests get it.
    pub reach: Reach,
    /// One of them, the plainest.
    pub witness: Witness,
    /// What the old policy says to the witness.
    pub before: Decision,
    /// What the new policy says to it.
    pub after: Decision,
}

/// What of a decision can change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// What full enforcement would do, before and after.
    Verdict(Verdict, Verdict),
    /// What full enforcement would mask, with the same verdict: the entity.
    Mask(String),
    /// What happens now, before and after, where full enforcement would do the same as before.
    Rollout(Verdict, Verdict),
    /// What is masked now, where all else is the same: the entity.
    RolloutMask(String),
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Less is asked or refused.
    Loosened,
    /// More is.
    Tightened,
}

/// The difference from `old` to `new` around a moment.
///
/// Nothing is left out: no change means that there is no request that the two decide differently. Conditions in CEL are
/// compared by their text, so that rewriting one may hide a change.
#[must_use]
pub fn changes(old: &Policy, new: &Policy, catalog: &Catalog, now: Timestamp) -> Difference {
    let mut difference = compare::Comparison::new([old, new], catalog, now).run();
    difference
        .changes
        .sort_by(|a, b| (a.direction, &a.what, &a.by).cmp(&(b.direction, &b.what, &b.by)));
    difference
}

/// Requests that a comparison leaves out.
#[derive(Debug, Clone, Copy, Default)]
pub struct LeaveOut {
    /// Those for a use that the old policy does not list.
    pub uses: bool,
    /// Those to an app that either lists: then what an app is delegated makes no difference.
    pub apps: bool,
}

/// Where `new` is milder than `old`.
#[must_use]
pub fn loosened(old: &Policy, new: &Policy, catalog: &Catalog, now: Timestamp, leave_out: LeaveOut) -> Vec<Change> {
    let mut comparison = compare::Comparison::new([old, new], catalog, now);
    comparison.leave_out(leave_out);
    let mut changes = comparison.run().changes;
    changes.retain(|change| change.direction == Direction::Loosened);
    changes.sort_by(|a, b| (&a.what, &a.by).cmp(&(&b.what, &b.by)));
    changes
}

/// What a policy says to a witness.
#[must_use]
pub fn decision(policy: &Policy, catalog: &Catalog, witness: &Witness) -> Decision {
    cases::ask(
        policy,
        &Scanner::new(policy.own_detectors()),
        catalog,
        &witness.request,
        witness.now,
    )
    .decision
}

/// What two decisions are compared by.
#[derive(Debug, PartialEq, Eq)]
struct Observed {
    full: Verdict,
    full_masks: Vec<Mask>,
    now: Verdict,
    now_masks: Vec<Mask>,
}

impl Observed {
    fn of(policy: &Policy, decision: &Decision) -> Self {
        let sorted = |mut masks: Vec<Mask>| {
            masks.sort_by(|a, b| a.entity.as_str().cmp(b.entity.as_str()));
            masks
        };
        Self {
            full: decision.full,
            full_masks: sorted(decision.full_masks(policy)),
            now: decision.verdict,
            now_masks: sorted(decision.masks.clone()),
        }
    }
}

impl What {
    /// Whether two decisions show it.
    fn is_between(&self, old: &Observed, new: &Observed) -> bool {
        match self {
            Self::Verdict(before, after) => old.full == *before && new.full == *after,
            Self::Mask(_) => old.full == new.full && old.full_masks != new.full_masks,
            Self::Rollout(before, after) => old.now == *before && new.now == *after,
            Self::RolloutMask(_) => old.now == new.now && old.now_masks != new.now_masks,
        }
    }
}
