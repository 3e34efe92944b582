//! Whether signing in again would help: what a gateway asks for instead of refusing (RFC 9470).

use std::sync::Arc;

use super::selector::{Selector, Test};
use super::{Decision, Facts, Who, decide};
use crate::policy::compile::{Policy, Rule};

/// For how many minutes at most a sign-in may be old for this half to pass, where a fresh one is all that is missing: the rules
/// that stop it ask for one, and with one nothing would stop it. `None` where signing in would change nothing, or nothing
/// stops it.
#[must_use]
pub fn sign_in_needed(policy: &Policy, facts: &Facts, decision: &Decision) -> Option<u32> {
    let stopping = |rule: &&Rule| {
        decision
            .acting()
            .any(|one| one.acts.stops() && one.citation == rule.citation)
    };
    let asked = policy.rules.iter().filter(stopping).filter_map(within).min()?;
    let fresh = Who {
        signed_in: Some(facts.now),
        ..Who::clone(&facts.who)
    };
    (!decide(policy, &facts.of(&Arc::new(fresh))).stops()).then_some(asked)
}

/// The shortest time for which a sign-in spares somebody a rule.
fn within(rule: &Rule) -> Option<u32> {
    let tests = rule.unless.iter().flat_map(Selector::tests);
    let minutes = tests.filter_map(|test| match test {
        Test::SignedIn(minutes) => Some(*minutes),
        _ => None,
    });
    minutes.min()
}
