//! Acting on somebody's behalf: never more than either alone, over random policies, and why groups in common would not do.

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_core::decide::{Decision, Facts, Who, decide};
use ordain_core::verdict::Verdict;

use super::world::{NO_MATRIX, policy, told, with};
use super::{of_group, rules};
use crate::agreement::{compile, convert};
use crate::generate::{self, Rng};

const POLICIES: u64 = 400;
const EXCHANGES: usize = 40;

fn on_behalf(facts: &Facts, other: &Arc<Who>) -> Facts {
    let who = Who {
        on_behalf_of: Some(Arc::clone(other)),
        ..Who::clone(&facts.who)
    };
    Facts {
        who: Arc::new(who),
        ..facts.clone()
    }
}

/// What is masked, as pairs of entity and source.
fn masks(decision: &Decision) -> BTreeSet<(String, String)> {
    let pairs = decision.masks.iter().flat_map(|mask| {
        let sources = mask.sources.iter();
        sources.map(|source| (mask.entity.to_string(), source.to_string()))
    });
    pairs.collect()
}

/// What `together` does, `alone` would have done at most.
fn never_more(together: &Decision, alone: &Decision, seed: u64) {
    assert!(
        together.verdict >= alone.verdict && together.full >= alone.full,
        "seed {seed}"
    );
    assert!(
        together.stops() || !alone.stops(),
        "seed {seed}: it stops what either stops"
    );
    assert!(
        together.excluded <= alone.excluded && together.app_class >= alone.app_class,
        "seed {seed}"
    );
    assert!(together.granted.is_none() || alone.granted.is_some(), "seed {seed}");
    if together.verdict < Verdict::Block {
        assert!(masks(together).is_superset(&masks(alone)), "seed {seed}");
    }
    for one in &alone.contributions {
        let mut same = together.contributions.iter();
        assert!(
            same.any(|known| known.citation == one.citation && known.acts >= one.acts && known.mode == one.mode),
            "seed {seed}: {one:?} is missing"
        );
    }
}

#[test]
fn together_is_never_more_than_either_alone() {
    let (mut stricter, mut differ) = (0, 0);
    for seed in 0..POLICIES {
        let mut rng = Rng(seed);
        let plain = generate::policy(&mut rng);
        let policy = compile(&plain, &generate::yaml(&plain), seed);
        for _ in 0..EXCHANGES {
            let facts = convert(&policy, &generate::facts(&mut rng, &plain));
            let other = convert(&policy, &generate::facts(&mut rng, &plain)).who;
            let together = decide(&policy, &on_behalf(&facts, &other));
            let agent = decide(&policy, &facts);
            let user = decide(&policy, &Facts { who: other, ..facts });
            never_more(&together, &agent, seed);
            never_more(&together, &user, seed);
            // And no less than both: nothing is made up.
            assert_eq!(together.verdict, agent.verdict.max(user.verdict), "seed {seed}");
            let cited = together.contributions.iter();
            let cited: BTreeSet<_> = cited.map(|one| (one.citation, one.acts == Verdict::Justify)).collect();
            assert_eq!(
                cited.len(),
                together.contributions.len(),
                "seed {seed}: each is cited once, or for a mask and for a reason"
            );
            stricter += usize::from(together.verdict > agent.verdict);
            differ += usize::from(agent.contributions != user.contributions);
        }
    }
    assert!(
        stricter > 500 && differ > 2_000,
        "who asks matters: {stricter}, {differ}"
    );
}

#[test]
fn a_rule_that_spares_a_group_spares_neither_for_the_other() {
    // With the groups in common (none), the first rule would spare nobody, the second everybody.
    let rule = rules(&[
        (
            "AU-1",
            "when: {direction: prompt}, unless: {group: engineering}, then: coach",
        ),
        ("AU-2", "when: {group: staff}, then: block"),
    ]);
    let both = policy(&rule);
    let (engineer, clerk) = (of_group("engineering"), of_group("staff"));
    assert_eq!(told(&both, &engineer), "allow");
    assert_eq!(told(&both, &on_behalf(&engineer, &clerk.who)), "block by AU-1, AU-2");
    assert_eq!(told(&both, &on_behalf(&clerk, &engineer.who)), "block by AU-1, AU-2");
    assert_eq!(told(&both, &on_behalf(&engineer, &engineer.who)), "allow");
}

#[test]
fn an_exception_for_one_does_not_count_for_the_other_and_masks_add_up() {
    let rest = "reason: trial, compensating: weekly review, requested: cto, approved: [ciso, dpo], expires: 2027-01-31";
    let rule = rules(&[
        ("AU-1", "when: {data: email-address}, then: block"),
        ("AU-2", "when: {data: iban, group: staff}, then: redact"),
        ("AU-3", "when: {data: payment-card, group: engineering}, then: redact"),
    ]);
    let excepted = format!(
        "{NO_MATRIX}{rule}exceptions:\n  - {{id: EX-1, clause: AU-1, who: {{group: engineering}}, then: allow, {rest}}}\n"
    );
    let both = policy(&excepted);
    let of = |group: &str, entities: &[(&str, u32)]| Facts {
        who: of_group(group).who,
        ..with(entities)
    };
    let clerk = of_group("staff").who;
    let mail = of("engineering", &[("email-address", 1)]);
    assert_eq!(told(&both, &mail), "allow by AU-1");
    assert_eq!(told(&both, &on_behalf(&mail, &clerk)), "block by AU-1");
    let numbers = of("engineering", &[("iban", 1), ("payment-card", 1)]);
    assert_eq!(
        told(&both, &on_behalf(&numbers, &clerk)),
        "redact by AU-2, AU-3 masking iban, payment-card"
    );
}
