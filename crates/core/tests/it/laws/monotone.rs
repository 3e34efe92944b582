//! More rules and more found never loosen, over random policies.

use std::collections::BTreeSet;

use ordain_core::decide::{Decision, Facts, decide};
use ordain_core::policy::compile::Policy;
use ordain_core::verdict::Verdict;

use crate::agreement::{compile, convert};
use crate::generate::{self, Rng};
use crate::naive::model;

const POLICIES: u64 = 400;
const EXCHANGES: usize = 40;

/// Masks as pairs of entity and source.
fn masks(decision: &Decision) -> BTreeSet<(String, String)> {
    let pairs = decision.masks.iter().flat_map(|mask| {
        mask.sources
            .iter()
            .map(|source| (mask.entity.to_string(), source.to_string()))
    });
    pairs.collect()
}

/// Fails unless `after` is at least as strict as `before`, acting and in full, and masks at least as much of what passes.
fn not_looser(before: &Decision, after: &Decision, context: &dyn Fn() -> String) {
    assert!(
        after.verdict >= before.verdict,
        "{} became {}\n{}",
        before.verdict,
        after.verdict,
        context()
    );
    assert!(
        after.full >= before.full,
        "in full, {} became {}\n{}",
        before.full,
        after.full,
        context()
    );
    // What a higher class holds, it need not mask.
    if after.verdict <= Verdict::Redact {
        assert!(
            masks(after).is_superset(&masks(before)),
            "{:?} became {:?}\n{}",
            before.masks,
            after.masks,
            context()
        );
    }
}

/// Every rule of the policy once more, without its `unless`, to block.
#[test]
fn adding_a_block_rule_never_allows_more() {
    let mut stricter = 0;
    for seed in 0..POLICIES {
        let mut rng = Rng(seed);
        let plain = generate::policy(&mut rng);
        let before = compile(&plain, &generate::yaml(&plain), seed);
        for (index, rule) in plain.rules.iter().enumerate() {
            let mut more = plain.clone();
            more.rules.push(model::Rule {
                id: format!("AU-9{index}"),
                unless: None,
                then: model::Verdict::Block,
                ..rule.clone()
            });
            let text = generate::yaml(&more);
            let after = compile(&more, &text, seed);
            for _ in 0..EXCHANGES / 4 {
                let facts = convert(&before, &generate::facts(&mut rng, &plain));
                let (one, two) = (decide(&before, &facts), decide(&after, &facts));
                stricter += usize::from(two.verdict > one.verdict);
                not_looser(&one, &two, &|| format!("seed {seed}, AU-9{index}\n{facts:#?}\n{text}"));
            }
        }
    }
    assert!(stricter > 300, "the rules that were added matter: {stricter}");
}

#[test]
fn finding_more_never_loosens() {
    let mut stricter = 0;
    for seed in 0..POLICIES {
        let mut rng = Rng(seed);
        let mut plain = generate::policy(&mut rng);
        // An exception to `redact` is left out: see `an_exception_to_redact_is_not_monotone`.
        plain
            .exceptions
            .retain(|exception| exception.then != model::Verdict::Redact);
        let text = generate::yaml(&plain);
        let policy = compile(&plain, &text, seed);
        for _ in 0..EXCHANGES {
            let facts = convert(&policy, &generate::facts(&mut rng, &plain));
            let before = decide(&policy, &facts);
            let other = convert(&policy, &generate::facts(&mut rng, &plain));
            let mut check = |more: &Facts| {
                let after = decide(&policy, more);
                stricter += usize::from(after.verdict > before.verdict);
                not_looser(&before, &after, &|| {
                    format!("seed {seed}\n{facts:#?}\n{:#?}\n{text}", more.content)
                });
            };
            more_entities(&facts, &other, &mut check);
            more_values(&facts, &mut check);
            more_findings(&facts, &other, &mut check);
        }
    }
    assert!(stricter > 1000, "what was added matters: {stricter}");
}

/// What another half has and this one does not, one at a time, in this one's sources.
fn more_entities(facts: &Facts, other: &Facts, check: &mut dyn FnMut(&Facts)) {
    for seen in &other.content.entities {
        let mut more = facts.clone();
        let mut seen = seen.clone();
        seen.sources = seen.sources.intersection(facts.content.sources);
        seen.fixed = seen.fixed.intersection(facts.content.sources);
        if !seen.sources.is_empty() && !facts.content.entities.iter().any(|known| known.entity == seen.entity) {
            more.content.entities.push(seen);
            check(&more);
        }
    }
}

/// Many values in place of few, everywhere in place of here.
fn more_values(facts: &Facts, check: &mut dyn FnMut(&Facts)) {
    for index in 0..facts.content.entities.len() {
        let mut more = facts.clone();
        more.content.entities[index].distinct += 20;
        check(&more);
        more.content.entities[index].sources = facts.content.sources;
        check(&more);
        more.content.entities[index].fixed = facts.content.sources;
        check(&more);
    }
}

fn more_findings(facts: &Facts, other: &Facts, check: &mut dyn FnMut(&Facts)) {
    let mut more = facts.clone();
    more.content.findings.extend(other.content.findings.iter().cloned());
    check(&more);
    more.content.failed = true;
    check(&more);
    more.content.uninspectable = true;
    check(&more);
}

/// What the page says an exception to `redact` masks is the strictest class alone, or nothing: so more found can turn
/// "nothing to mask" into a mask. It is the one place where more found loosens, and two people have signed it.
#[test]
fn an_exception_to_redact_is_not_monotone() {
    let sections = "
applications:
  sanctioned: [{app: openai-api, owner: cto}]
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
exceptions:
  - {id: EX-1, clause: data.matrix, who: {group: engineering}, then: redact, reason: trial, compensating: review, requested: cto, approved: [ciso, dpo], expires: 2027-01-31}
";
    let policy: Policy = super::world::policy(sections);
    let to = super::world::to("perplexity");
    let nothing = Facts {
        to: to.clone(),
        ..super::world::prompt()
    };
    let something = Facts {
        to,
        ..super::world::with(&[("email-address", 1)])
    };
    assert_eq!(super::world::told(&policy, &nothing), "block by data.matrix");
    assert_eq!(
        super::world::told(&policy, &something),
        "redact by data.matrix masking email-address"
    );
}
