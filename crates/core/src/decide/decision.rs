//! The answer: a verdict, who says so, and what is to be done with the text.

use crate::detect::EntityId;
use crate::policy::compile::{CitationId, Policy};
use crate::verdict::{AppClass, Mode, SourceSet, Verdict};

/// What is to happen to one half of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What happens now.
    pub verdict: Verdict,
    /// What would happen if every clause were enforced.
    pub full: Verdict,
    /// Everything that had a say, in the order of the law.
    pub contributions: Vec<Contribution>,
    /// What is masked now; empty when the verdict blocks.
    pub masks: Vec<Mask>,
    /// The class that the app counts as.
    pub app_class: AppClass,
    /// Index of the text's class in the policy's order.
    pub data_class: u8,
    /// The grant that reaches the app, by index in the policy; for prompts.
    pub granted: Option<u16>,
    /// Whether the principal is left out of the policy for now.
    pub excluded: bool,
}

/// One say in a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// Whose say it is.
    pub citation: CitationId,
    /// What it says, after exceptions.
    pub verdict: Verdict,
    /// How it acts now.
    pub mode: Mode,
    /// What it amounts to now.
    pub acts: Verdict,
    /// The exception that replaced its verdict, by index in the policy, and what the verdict was.
    pub excepted: Option<(u16, Verdict)>,
    /// What it wants masked.
    pub masks: Vec<Mask>,
    /// Whether it wanted masks where nothing can be edited, and therefore blocks.
    pub unmaskable: bool,
}

/// An entity to mask, in parts of some sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Which.
    pub entity: EntityId,
    /// In which sources.
    pub sources: SourceSet,
}

impl Decision {
    /// The contributions that full enforcement would act on: those that say more than `allow`; where access refuses, that
    /// and what no mode can soften.
    pub fn full_contributions<'d>(&'d self, policy: &'d Policy) -> impl Iterator<Item = &'d Contribution> {
        let refuses = |one: &Contribution| policy.is_access(one.citation) && one.verdict == Verdict::Block;
        let refused = self.contributions.iter().any(refuses);
        self.contributions.iter().filter(move |one| {
            one.verdict > Verdict::Allow
                && (!refused || policy.is_access(one.citation) || policy.is_unconditional(one.citation))
        })
    }

    /// What full enforcement would mask; nothing when it blocks.
    #[must_use]
    pub fn full_masks(&self, policy: &Policy) -> Vec<Mask> {
        let mut masks = Vec::new();
        if self.full != Verdict::Block {
            for mask in self.full_contributions(policy).flat_map(|one| &one.masks) {
                super::add_mask(&mut masks, mask.clone());
            }
        }
        masks
    }

    /// The contributions that act now.
    pub fn acting(&self) -> impl Iterator<Item = &Contribution> + Clone {
        self.contributions.iter().filter(|one| one.acts > Verdict::Allow)
    }

    /// Whether the bytes are kept back, as long as nobody has taken the second step of `justify` and `hold`: see
    /// [`Decision::asks`]. Every gate counts, not only the strictest: what is to be masked *and* to be justified waits for the
    /// justification.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.stopping().next().is_some() || self.verdict.stops()
    }

    /// The contributions that keep the bytes back: of those that do, the strictest.
    pub fn stopping(&self) -> impl Iterator<Item = &Contribution> + Clone {
        let stops = self.acting().filter(|one| one.acts.stops());
        let strictest = stops.clone().map(|one| one.acts).max();
        stops.filter(move |one| Some(one.acts) == strictest)
    }

    /// The contributions that make the verdict what it is: the strictest of those that act.
    pub fn deciding(&self) -> impl Iterator<Item = &Contribution> {
        self.acting().filter(|one| one.acts == self.verdict)
    }

    /// The names in which it is made, strictest first: the citations that decide, or the grant that lets it pass.
    #[must_use]
    pub fn names<'d>(&'d self, policy: &'d Policy) -> Vec<&'d str> {
        let names: Vec<&str> = self
            .deciding()
            .map(|one| policy.citation(one.citation).id.as_str())
            .collect();
        if names.is_empty() {
            self.granted.and_then(|grant| policy.grant(grant)).into_iter().collect()
        } else {
            names
        }
    }

    /// What people are told: the `tell` of everything that acts, or else the statement of what coaches.
    pub fn notices<'d>(&'d self, policy: &'d Policy) -> impl Iterator<Item = &'d str> {
        self.acting().filter_map(|one| {
            let citation = policy.citation(one.citation);
            let statement = citation.statement.as_deref().filter(|_| one.acts == Verdict::Coach);
            citation.tell.as_deref().or(statement)
        })
    }

    /// Whether the decision is about access rather than content.
    #[must_use]
    pub fn is_access_refusal(&self, policy: &Policy) -> bool {
        self.verdict == Verdict::Block && self.deciding().any(|one| policy.is_access(one.citation))
    }

    /// Whether the sources of `mask` ask for `entity` in a part of `source`.
    #[must_use]
    pub fn masks_entity(&self, entity: &EntityId, source: crate::verdict::Source) -> bool {
        self.masks
            .iter()
            .any(|mask| mask.entity == *entity && mask.sources.contains(source))
    }
}
