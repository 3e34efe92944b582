//! Which clauses that only observe or coach could be enforced.
//!
//! For each: how often it matched, what enforcing it would have done, and how sure reviews make that it is seldom wrong
//! ([`super::rate`]). Read [`Promotion`] first.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{Exchanges, Seen, rate};
use crate::policy::compile::{CitationId, Policy};
use crate::verdict::{Mode, Verdict};

/// Recorded halves, decided again to see what would act.
#[derive(Debug)]
pub struct Promotion<'p> {
    policy: &'p Policy,
    exchanges: Exchanges,
    /// Exchanges in which a citation matched, each with the stricter verdict that enforcing it alone would have brought.
    matched: BTreeMap<CitationId, BTreeMap<String, Option<Verdict>>>,
}

/// What people said of matches: whether a citation was right, by exchange and citation.
pub type Reviews = HashMap<(String, String), bool>;

/// A citation that could act more than it does.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// How it acts now.
    pub mode: Mode,
    /// Exchanges in which it matched.
    pub matches: u64,
    /// In how many of them enforcing it would have brought a stricter verdict, and which.
    pub would: BTreeMap<Verdict, u64>,
    /// Matches that were reviewed.
    pub reviewed: u64,
    /// Those of them that were wrong.
    pub wrong: u64,
    /// Matches to review next, in an order that nobody chose.
    pub next: Vec<String>,
}

impl Candidate {
    /// At most so many of its matches are wrong, with [`rate::CONFIDENCE`].
    #[must_use]
    pub fn bound(&self) -> f64 {
        rate::upper_bound(self.wrong, self.reviewed)
    }

    /// Whether reviews are enough to enforce it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        rate::is_low(self.wrong, self.reviewed)
    }

    /// How many reviews are missing, if none of them finds a wrong match.
    #[must_use]
    pub fn missing(&self) -> u64 {
        rate::missing(self.wrong, self.reviewed)
    }
}

impl<'p> Promotion<'p> {
    /// Nothing yet, for the clauses of a policy.
    #[must_use]
    pub fn new(policy: &'p Policy) -> Self {
        Self {
            policy,
            exchanges: Exchanges::new(),
            matched: BTreeMap::new(),
        }
    }

    /// What was looked at so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.exchanges.seen
    }

    /// Notes a record that is no JSON.
    pub fn unreadable(&mut self) {
        self.exchanges.seen.unreadable += 1;
    }

    /// Takes the next record.
    pub fn add(&mut self, record: Value) {
        let Some(half) = self.exchanges.take(record) else {
            return;
        };
        let decision = half.recorded.decide(self.policy);
        for one in &decision.contributions {
            if one.mode == Mode::Enforce || one.verdict == Verdict::Allow {
                continue;
            }
            let stricter = (one.verdict > decision.verdict).then_some(one.verdict);
            let exchanges = self.matched.entry(one.citation).or_default();
            let would = exchanges.entry(half.exchange.clone()).or_default();
            *would = stricter.max(*would);
        }
    }

    /// Every citation that does not act fully, in the policy's order; those that never matched too.
    #[must_use]
    pub fn candidates(&self, reviews: &Reviews) -> Vec<Candidate> {
        let waiting = self
            .policy
            .citations()
            .filter(|citation| citation.mode != Mode::Enforce && !self.policy.always_acts(citation));
        waiting
            .map(|citation| {
                let matched = self
                    .matched
                    .iter()
                    .find(|(id, _)| self.policy.citation(**id).id == citation.id)
                    .map(|(_, exchanges)| exchanges);
                candidate(&citation.id, citation.mode, matched, reviews)
            })
            .collect()
    }
}

fn candidate(
    id: &str,
    mode: Mode,
    matched: Option<&BTreeMap<String, Option<Verdict>>>,
    reviews: &Reviews,
) -> Candidate {
    let mut it = Candidate {
        id: id.to_owned(),
        mode,
        matches: 0,
        would: BTreeMap::new(),
        reviewed: 0,
        wrong: 0,
        next: Vec::new(),
    };
    for (exchange, stricter) in matched.into_iter().flatten() {
        it.matches += 1;
        if let Some(stricter) = stricter {
            *it.would.entry(*stricter).or_default() += 1;
        }
        match reviews.get(&(exchange.clone(), id.to_owned())) {
            Some(right) => {
                it.reviewed += 1;
                it.wrong += u64::from(!right);
            }
            None => it.next.push(exchange.clone()),
        }
    }
    // A UUIDv7 begins with the time and ends with random bits: by its end, the order is one that nobody chose.
    it.next
        .sort_by_cached_key(|exchange| exchange.chars().rev().collect::<String>());
    it
}
