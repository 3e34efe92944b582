//! What another policy would have decided differently.
//!
//! A change is another verdict; the same verdict with other masks or by other clauses is none. An answer counts only where
//! its prompt would still have passed. Read [`Changes`] first.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{Exchanges, Half, Measure, Seen};
use crate::decide::Decision;
use crate::detect::scanner::Scanner;
use crate::policy::compile::Policy;
use crate::record::Recorded;
use crate::verdict::{Direction, Verdict};

/// Recorded halves, decided again.
#[derive(Debug)]
pub struct Changes<'p> {
    policy: &'p Policy,
    measure: Measure,
    /// What looks under this policy, with its version.
    detectors: Vec<(String, u64)>,
    exchanges: Exchanges,
    /// Admitted prompts whose outcome is still to come.
    asked: HashMap<String, Asked>,
    /// Exchanges by what changes; stricter and milder are told apart by [`Group::is_stricter`].
    pub groups: BTreeMap<Group, Vec<String>>,
    /// Exchanges of which some half would be decided differently.
    pub changed: u64,
    /// What the records cannot tell.
    pub unknown: Unknown,
}

/// What became of a prompt under the other policy.
#[derive(Debug, Clone, Copy)]
struct Asked {
    passes: bool,
    changed: bool,
}

/// Changes of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Of prompts or of answers.
    pub direction: Direction,
    /// What was decided.
    pub then: Verdict,
    /// What would be.
    pub now: Verdict,
    /// What decides: of a stricter verdict what asks for it, of a milder one what asked for the old one and does no more.
    pub by: Vec<String>,
}

impl Group {
    /// Whether the other policy is the stricter one here.
    #[must_use]
    pub fn is_stricter(&self) -> bool {
        self.now > self.then
    }
}

/// How far records fall short, in exchanges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unknown {
    /// Stopped then and passed now: what would have come back was never seen.
    pub unseen: u64,
    /// The policy names principals, and records do not: it was asked about somebody whom it does not name.
    pub unnamed: u64,
    /// The policy asks about arguments of tools that another policy did not try: such a condition counts as not met.
    pub untried: u64,
    /// Detectors that the policy uses and that did not look then, or not in this version.
    pub unlooked: BTreeMap<String, u64>,
}

impl<'p> Changes<'p> {
    /// Nothing yet, for what a policy decides.
    #[must_use]
    pub fn new(policy: &'p Policy, measure: Measure) -> Self {
        let scanner = Scanner::new(policy.own_detectors());
        let detectors = scanner
            .detectors()
            .map(|one| (one.id().to_owned(), u64::from(one.version())));
        Self {
            policy,
            measure,
            detectors: detectors.collect(),
            exchanges: Exchanges::new(),
            asked: HashMap::new(),
            groups: BTreeMap::new(),
            changed: 0,
            unknown: Unknown::default(),
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
        if half.is_prompt() {
            self.fall_short(&half);
        }
        let asked = if half.is_prompt() {
            None
        } else {
            self.asked.remove(&half.exchange)
        };
        if asked.is_some_and(|asked| !asked.passes) {
            return;
        }
        let decision = half.recorded.decide(self.policy);
        let (then, now) = match self.measure {
            Measure::Acting => (half.recorded.verdict, decision.verdict),
            Measure::Full => (half.recorded.full, decision.full),
        };
        let changes = then != now;
        if half.is_prompt() && !half.is_refusal() {
            let asked = Asked {
                passes: !self.keeps_back(&half.recorded, &decision),
                changed: changes,
            };
            self.asked.insert(half.exchange.clone(), asked);
        }
        self.unknown.untried += u64::from(self.asks_untried(&half));
        let stopped = half.is_refusal() || (!half.is_prompt() && !half.recorded.passed_by_steps());
        self.unknown.unseen += u64::from(stopped && then.stops() && !now.stops());
        if !changes {
            return;
        }
        self.changed += u64::from(!asked.is_some_and(|asked| asked.changed));
        let group = Group {
            direction: half.recorded.facts.direction,
            then,
            now,
            by: if now > then {
                decides(self.policy, &decision, self.measure)
            } else {
                decided(&half.recorded, self.measure)
            },
        };
        self.groups.entry(group).or_default().push(half.exchange);
    }

    /// Whether a decision keeps the bytes back, as far as is measured and beyond what was done for the request at the time.
    fn keeps_back(&self, recorded: &Recorded, decision: &Decision) -> bool {
        let waits =
            |citation, verdict: Verdict| verdict.stops() && !recorded.took(&self.policy.citation(citation).id, verdict);
        match self.measure {
            Measure::Acting => {
                decision.verdict == Verdict::Block || decision.acting().any(|one| waits(one.citation, one.acts))
            }
            Measure::Full => decision
                .full_contributions(self.policy)
                .any(|one| waits(one.citation, one.verdict)),
        }
    }

    /// Counts what the record of a request cannot tell this policy.
    fn fall_short(&mut self, half: &Half) {
        self.unknown.unnamed += u64::from(self.policy.names_principals());
        let looked = half.opening.get("detectors");
        for (id, version) in &self.detectors {
            let then = looked.and_then(|looked| looked.get(id)).and_then(Value::as_u64);
            if then != Some(*version) {
                *self.unknown.unlooked.entry(id.clone()).or_default() += 1;
            }
        }
    }

    /// Whether the policy asks something about arguments that the one of then may not have asked.
    fn asks_untried(&self, half: &Half) -> bool {
        let own = self.policy.digest.to_string();
        let calls = half.recorded.facts.content.tools.iter();
        let mut unmet = calls.flat_map(|call| {
            let tests = self.policy.argument_tests(&call.name);
            tests.filter(|test| !call.met.contains(&test.label))
        });
        unmet.next().is_some() && half.policy() != Some(own.as_str())
    }
}

/// What makes a new verdict what it is.
fn decides(policy: &Policy, decision: &Decision, measure: Measure) -> Vec<String> {
    let id = |citation| policy.citation(citation).id.clone();
    match measure {
        Measure::Acting => decision.deciding().map(|one| id(one.citation)).collect(),
        Measure::Full => decision
            .full_contributions(policy)
            .filter(|one| one.verdict == decision.full)
            .map(|one| id(one.citation))
            .collect(),
    }
}

/// What made a recorded verdict what it was.
fn decided(recorded: &Recorded, measure: Measure) -> Vec<String> {
    let clauses = recorded.clauses.iter().filter(|one| match measure {
        Measure::Acting => one.acts == recorded.verdict,
        Measure::Full => one.verdict == recorded.full && !one.beside,
    });
    clauses.map(|one| one.id.clone()).collect()
}
