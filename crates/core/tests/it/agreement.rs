//! The engine and the naive evaluator agree on random policies and random exchanges.

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_core::catalog::Catalog;
use ordain_core::decide::{Content, Decision, Destination, Facts, Seen, Who, decide, withheld};
use ordain_core::detect::EntityId;
use ordain_core::inspect::arguments::called;
use ordain_core::policy::compile::Policy;
use ordain_core::policy::problem::Severity;
use ordain_core::policy::{File, Files, Loaded, load};
use ordain_core::verdict::{Direction, Source, SourceSet, Verdict};

use crate::generate::{self, Rng};
use crate::naive::{self, model};

const POLICIES: u64 = 1_000;
const EXCHANGES: usize = 100;

/// 1,000 policies x 100 exchanges; also each verdict is common and each selector key decides somewhere.
#[test]
fn the_engine_agrees_with_the_naive_evaluator() {
    let mut acting = [0usize; 6];
    for seed in 0..POLICIES {
        let mut rng = Rng(seed);
        let plain = generate::policy(&mut rng);
        let text = generate::yaml(&plain);
        let policy = compile(&plain, &text, seed);
        for _ in 0..EXCHANGES {
            let facts = generate::facts(&mut rng, &plain);
            let expected = naive::decide(&plain, &facts);
            let found = decide(&policy, &convert(&policy, &facts));
            acting[expected.verdict as usize] += 1;
            assert_eq!(
                summary(&policy, &found),
                expectation(&expected),
                "seed {seed}\n{facts:#?}\n{text}"
            );
        }
    }
    let all: usize = acting.iter().sum();
    for count in acting {
        assert!(
            count * 20 >= all,
            "each verdict is at least 5 % of the answers: {acting:?}"
        );
    }
}

/// Without any one selector key, the engine decides differently somewhere.
#[test]
fn every_selector_key_is_decisive_for_the_engine() {
    for key in generate::SELECTOR_KEYS {
        let differs = (0..POLICIES).any(|seed| {
            let mut rng = Rng(seed);
            let plain = generate::policy(&mut rng);
            let without = generate::without_key(&plain, key);
            if without == plain {
                return false;
            }
            let policy = compile(&plain, &generate::yaml(&plain), seed);
            (0..EXCHANGES).any(|_| {
                let facts = generate::facts(&mut rng, &plain);
                let expected = naive::decide(&without, &facts);
                summary(&policy, &decide(&policy, &convert(&policy, &facts))) != expectation(&expected)
            })
        });
        assert!(differs, "`{key}` never matters");
    }
}

/// A tool that is taken out of a request could not have been called with any arguments.
#[test]
fn what_is_withheld_would_be_blocked_however_it_is_called() {
    let (mut gone, mut left) = (0usize, 0usize);
    for seed in 0..POLICIES {
        let mut rng = Rng(seed);
        let plain = generate::policy(&mut rng);
        let text = generate::yaml(&plain);
        let policy = compile(&plain, &text, seed);
        for _ in 0..EXCHANGES {
            let facts = convert(&policy, &generate::facts(&mut rng, &plain));
            for call in &facts.content.tools {
                let prompt = Facts {
                    direction: Direction::Prompt,
                    content: Content::default(),
                    ..facts.clone()
                };
                if withheld(&policy, &prompt, std::slice::from_ref(&call.name)).is_empty() {
                    left += 1;
                    continue;
                }
                gone += 1;
                let answer = Facts {
                    content: Content {
                        sources: SourceSet::of(Source::Model),
                        tools: vec![call.clone()],
                        ..Content::default()
                    },
                    ..facts.clone()
                };
                let decision = decide(&policy, &answer);
                let mut of_tools = decision
                    .contributions
                    .iter()
                    .filter(|one| policy.citation(one.citation).id == "access.tools");
                let blocks = of_tools.any(|one| one.acts == Verdict::Block);
                assert!(blocks, "seed {seed}: {call:?}\n{text}");
            }
        }
    }
    assert!(gone > 100 && left > 100, "both happen: {gone} and {left}");
}

pub(crate) fn compile(plain: &model::Policy, text: &str, seed: u64) -> Policy {
    try_compile(plain, text).unwrap_or_else(|errors| panic!("seed {seed} is a good policy:\n{errors}\n{text}"))
}

/// The policy, or what is wrong with it.
pub(crate) fn try_compile(plain: &model::Policy, text: &str) -> Result<Policy, String> {
    let loaded = load_generated(plain, text);
    let errors = loaded
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    let errors: Vec<String> = errors
        .map(|problem| format!("{}: {}", problem.code, problem.message))
        .collect();
    loaded.policy.ok_or_else(|| errors.join("\n"))
}

/// A generated policy with everything that loading gives.
pub(crate) fn load_generated(plain: &model::Policy, text: &str) -> Loaded {
    // What is enforced must be named by a case; here the comparison itself is the test.
    let rules: Vec<&str> = plain.rules.iter().map(|rule| rule.id.as_str()).collect();
    let cases = format!(
        "cases: [{{name: all, request: {{app: demo}}, expect: {{verdict: allow, clauses: [{}]}}}}]",
        rules.join(", ")
    );
    let file = |path: &str, text: &str| File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let files = Files::new(vec![file("policy.yaml", text), file("cases/all.yaml", &cases)]);
    let now = "2026-12-15T12:00:00Z".parse().expect("a moment");
    load(&files, &Catalog::built_in(), now)
}

/// Verdict, full verdict, citations, masks, classes: everything that both sides say.
type Summary = (
    String,
    String,
    BTreeSet<String>,
    BTreeSet<(String, String)>,
    String,
    String,
);

fn summary(policy: &Policy, decision: &Decision) -> Summary {
    let cited = decision.contributions.iter().filter(|one| {
        // What passes unread is cited even where its line says no more than that.
        one.verdict.as_str() != "allow" || policy.citation(one.citation).id == "access.endpoints"
    });
    let masks = decision.masks.iter().flat_map(|mask| {
        mask.sources
            .iter()
            .map(|source| (mask.entity.to_string(), source.to_string()))
    });
    (
        decision.verdict.to_string(),
        decision.full.to_string(),
        cited.map(|one| policy.citation(one.citation).id.clone()).collect(),
        masks.collect(),
        decision.app_class.to_string(),
        policy.class_name(decision.data_class).to_owned(),
    )
}

fn word(value: impl std::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}

fn expectation(answer: &model::Answer) -> Summary {
    (
        word(answer.verdict),
        word(answer.full),
        answer.cited.clone(),
        answer
            .masks
            .iter()
            .map(|(entity, source)| (entity.clone(), word(source)))
            .collect(),
        word(answer.app_class),
        answer.data_class.clone(),
    )
}

fn sources<'s>(sources: impl IntoIterator<Item = &'s model::Source>) -> SourceSet {
    sources
        .into_iter()
        .map(|source| Source::parse(&word(source)).expect("a source"))
        .collect()
}

fn json(value: &model::Value) -> serde_json::Value {
    match value {
        model::Value::Text(text) => text.clone().into(),
        model::Value::Number(tenths) if tenths % 10 == 0 => (tenths / 10).into(),
        model::Value::Number(tenths) => (f64::from(*tenths) / 10.0).into(),
        model::Value::List(items) => items.iter().map(json).collect(),
        model::Value::Map(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), json(value)))
            .collect(),
    }
}

/// The facts for the product. What the policy asks of arguments is answered by the product, from JSON.
pub(crate) fn convert(policy: &Policy, facts: &model::Facts) -> Facts {
    let call = |call: &model::Call| {
        let arguments = json(&model::Value::Map(call.args.clone())).to_string();
        called(policy, call.tool.clone(), Some(&arguments))
    };
    let entities = facts.entities.iter().map(|(entity, found)| Seen {
        entity: EntityId::from(entity.as_str()),
        distinct: found.distinct,
        sources: sources(&found.sources),
        fixed: sources(&found.fixed),
    });
    Facts {
        now: facts.now,
        direction: Direction::parse(&word(facts.direction)).expect("a direction"),
        who: Arc::new(Who {
            principal: facts.principal.clone(),
            groups: facts.groups.iter().cloned().collect(),
            client: facts.client.clone(),
            training: facts
                .training
                .iter()
                .map(|(course, on)| (course.clone(), *on))
                .collect(),
            since: facts.since,
            signed_in: facts.signed_in,
            on_behalf_of: None,
        }),
        to: Arc::new(Destination {
            app: facts.app.clone(),
            categories: facts.categories.iter().cloned().collect(),
            attributes: facts
                .attributes
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        }),
        model: facts.model.clone(),
        use_: facts.uses.clone(),
        content: Content {
            sources: sources(&facts.sources),
            entities: entities.collect(),
            findings: facts
                .findings
                .iter()
                .map(|(id, of)| (id.clone(), sources(of)))
                .collect(),
            tools: facts.tools.iter().map(call).collect(),
            uninspectable: facts.uninspectable,
            endpoint: facts.endpoint.clone(),
            failed: facts.failed,
        },
    }
}
