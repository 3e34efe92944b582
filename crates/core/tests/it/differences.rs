//! A difference is empty if and only if no request is decided differently, as the naive evaluator sees it.

use std::collections::{BTreeMap, BTreeSet};

use ordain_core::catalog::Catalog;
use ordain_core::diff;

use crate::agreement::{compile, try_compile};
use crate::generate::{self, Rng};
use crate::naive::{self, model};

mod edit;

const PAIRS: u64 = 100;
const EXCHANGES: usize = 10_000;

#[test]
fn a_difference_is_empty_exactly_when_nothing_is_decided_differently() {
    let catalog = Catalog::built_in();
    // Other pairs by hand: ORDAIN_SEED=1000.
    #[allow(clippy::disallowed_methods, reason = "a test may be told where to begin")]
    let first: u64 = std::env::var("ORDAIN_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(0);
    let mut empty = 0;
    for seed in first..first + PAIRS {
        let mut rng = Rng(seed);
        let old = generate::policy(&mut rng);
        let before = compile(&old, &generate::yaml(&old), seed);
        // Some edits make a policy that `check` refuses.
        let (new, after) = (0..)
            .find_map(|_| {
                let new = edit::edited(&mut rng, &old);
                let after = try_compile(&new, &generate::yaml(&new)).ok()?;
                Some((new, after))
            })
            .expect("some edit is a good one");
        let difference = diff::changes(&before, &after, &catalog, now());
        assert_eq!(difference.unshown, 0, "seed {seed}: every change has a witness");
        for change in &difference.changes {
            let facts = facts_of(&change.witness, &catalog);
            let seen_too = seen(&naive::decide(&old, &facts)) != seen(&naive::decide(&new, &facts));
            // What full enforcement would mask is nothing that the naive evaluator says.
            let is_said = !matches!(change.what, diff::What::Mask(_));
            assert!(
                seen_too || !is_said,
                "seed {seed}: the naive evaluator sees no change here: {change:#?}\n{}",
                generate::yaml(&old)
            );
        }
        let by_chance = (0..EXCHANGES).any(|turn| {
            let aimed_at = if turn % 2 == 0 { &old } else { &new };
            let mut facts = generate::facts(&mut rng, aimed_at);
            facts.categories = catalog.categories(&facts.app).into_iter().collect();
            seen(&naive::decide(&old, &facts)) != seen(&naive::decide(&new, &facts))
        });
        assert!(
            !by_chance || !difference.changes.is_empty(),
            "seed {seed}: a difference was found by chance alone"
        );
        empty += usize::from(difference.changes.is_empty());
    }
    assert!(empty * 20 >= PAIRS as usize, "some edits change nothing: {empty}");
    assert!(empty * 4 <= PAIRS as usize * 3, "many edits change something: {empty}");
}

#[test]
fn a_policy_does_not_differ_from_itself() {
    for seed in 0..50 {
        let plain = generate::policy(&mut Rng(seed));
        let policy = compile(&plain, &generate::yaml(&plain), seed);
        assert!(
            diff::changes(&policy, &policy, &Catalog::built_in(), now())
                .changes
                .is_empty(),
            "seed {seed}"
        );
    }
}

fn now() -> jiff::Timestamp {
    "2026-12-15T12:00:00Z".parse().expect("a moment")
}

/// What a decision comes to: what happens, what full enforcement would do, what is masked.
fn seen(answer: &model::Answer) -> (model::Verdict, model::Verdict, &BTreeSet<model::Spot>) {
    (answer.verdict, answer.full, &answer.masks)
}

fn facts_of(witness: &ordain_core::witness::Witness, catalog: &Catalog) -> model::Facts {
    let request = &witness.request;
    let sources = |set: ordain_core::verdict::SourceSet| -> BTreeSet<model::Source> {
        set.iter().map(|source| edit::source(source.as_str())).collect()
    };
    model::Facts {
        now: witness.now,
        direction: if request.direction.as_str() == "prompt" {
            model::Direction::Prompt
        } else {
            model::Direction::Answer
        },
        principal: request.who.principal.clone(),
        groups: request.who.groups.iter().cloned().collect(),
        client: request.who.client.clone(),
        app: request.app.clone(),
        attributes: request.attributes.iter().cloned().collect(),
        categories: catalog.categories(&request.app).into_iter().collect(),
        model: request.model.clone(),
        uses: request.use_.clone(),
        tools: request.tools.iter().map(call).collect(),
        training: request.who.training.iter().cloned().collect(),
        since: request.who.since,
        signed_in: request.who_at(witness.now).signed_in,
        entities: request
            .data
            .iter()
            .map(|one| {
                let found = model::Found {
                    distinct: one.distinct,
                    sources: sources(one.sources.unwrap_or(request.sources)),
                    fixed: sources(one.fixed),
                };
                (one.entity.clone(), found)
            })
            .collect::<BTreeMap<_, _>>(),
        findings: request
            .findings
            .iter()
            .map(|(id, of)| (id.clone(), sources(*of)))
            .collect(),
        sources: sources(request.sources),
        uninspectable: request.uninspectable,
        endpoint: request.endpoint.clone(),
        failed: request.failed,
    }
}

fn call(call: &ordain_core::exchange::ToolCall) -> model::Call {
    let arguments = call.arguments.as_deref().unwrap_or("{}");
    let arguments: serde_json::Value = serde_json::from_str(arguments).expect("a witness's arguments are JSON");
    let model::Value::Map(args) = value(&arguments) else {
        panic!("arguments are an object");
    };
    model::Call {
        tool: call.tool.clone(),
        args,
    }
}

fn value(json: &serde_json::Value) -> model::Value {
    match json {
        serde_json::Value::Object(members) => model::Value::Map(
            members
                .iter()
                .map(|(name, member)| (name.clone(), value(member)))
                .collect(),
        ),
        serde_json::Value::Array(items) => model::Value::List(items.iter().map(value).collect()),
        serde_json::Value::Number(number) => {
            let tenths = number.as_f64().expect("a number") * 10.0;
            model::Value::Number(format!("{tenths:.0}").parse().expect("tenths"))
        }
        serde_json::Value::String(text) => model::Value::Text(text.clone()),
        serde_json::Value::Bool(_) | serde_json::Value::Null => panic!("no witness has these"),
    }
}
