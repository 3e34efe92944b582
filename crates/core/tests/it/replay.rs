//! Records keep what decisions are made on: read back, a half is decided as it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use ordain_core::catalog::Catalog;
use ordain_core::decide::{Destination, Facts, Who, decide};
use ordain_core::detect::Trouble;
use ordain_core::inspect::{Failed, Judged, Rules, Said};
use ordain_core::record::{self, Header, Recorded, Route};
use ordain_core::verdict::Direction;
use serde_json::Value;

use crate::agreement::{compile, convert};
use crate::generate::{self, Rng};

const ROUTE: Route<'static> = Route {
    adapter: "gateway",
    wire: "openai-chat",
    endpoint: "POST /v1/chat/completions",
    bytes: 1,
    stream: false,
    alias: None,
};

/// The facts as a record can hold them: without a name, and with what the catalogue says of the app.
fn keepable(mut facts: Facts, rng: &mut Rng) -> Facts {
    facts.who = Arc::new(Who {
        principal: String::new(),
        ..(*facts.who).clone()
    });
    facts.to = Arc::new(Destination {
        categories: Catalog::built_in().categories(&facts.to.app),
        ..(*facts.to).clone()
    });
    if let Some(call) = facts.content.tools.first_mut()
        && rng.below(4) == 0
    {
        (call.awaited, call.met) = (true, Vec::new());
    }
    facts
}

fn judged(rules: &Rules, facts: Facts) -> Judged {
    let content = &facts.content;
    let (failed, uninspectable) = (content.failed, content.uninspectable);
    Judged {
        decision: decide(&rules.policy, &facts),
        restored: BTreeMap::new(),
        withheld: Vec::new(),
        label: None,
        model: None,
        masked: BTreeMap::new(),
        failed: failed
            .then(|| Failed {
                id: "iban".to_owned(),
                trouble: Trouble::Failed,
            })
            .into_iter()
            .collect(),
        uninspectable: uninspectable.then(|| ("/".to_owned(), "image")).into_iter().collect(),
        said: Said::default(),
        facts,
    }
}

/// As the ledger stores it: a text, with its members in order.
fn stored(record: &record::Record<'_>) -> Value {
    fn ordered(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let members: BTreeMap<&String, &Value> = members.iter().collect();
                members
                    .into_iter()
                    .map(|(name, value)| (name.clone(), ordered(value)))
                    .collect()
            }
            Value::Array(items) => items.iter().map(ordered).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
    let record = serde_json::to_value(record).expect("JSON");
    serde_json::from_str(&ordered(&record).to_string()).expect("JSON")
}

/// 400 policies x 40 halves: facts to a record and back decide the same, under their own policy and under another.
#[test]
fn what_was_recorded_is_decided_the_same() {
    let mut answers = 0;
    let mut other: Option<Arc<Rules>> = None;
    for seed in 0..400 {
        let mut rng = Rng(seed);
        let plain = generate::policy(&mut rng);
        let rules = Arc::new(Rules::new(compile(&plain, &generate::yaml(&plain), seed)));
        for _ in 0..40 {
            let facts = generate::facts(&mut rng, &plain);
            let mut facts = keepable(convert(&rules.policy, &facts), &mut rng);
            if rng.below(4) == 0 {
                let other = generate::facts(&mut rng, &plain);
                let who = Who {
                    on_behalf_of: Some(keepable(convert(&rules.policy, &other), &mut rng).who),
                    ..Who::clone(&facts.who)
                };
                facts.who = Arc::new(who);
            }
            let header = Header {
                id: "0194-a",
                at_ms: facts.now.as_millisecond(),
                subject: "s-1",
                on_behalf_of: Some("s-2"),
            };
            let judged = judged(&rules, facts);
            let mut opening = stored(&record::intent(&header, &ROUTE, &rules, &judged));
            let read = if judged.facts.direction == Direction::Prompt {
                Recorded::read(&opening, None, &Catalog::built_in())
            } else {
                answers += 1;
                let later = Header {
                    at_ms: header.at_ms + 86_400_000,
                    ..header
                };
                let ended = record::Result::Completed;
                let outcome = record::outcome(&later, "0194-a", ended, 200, 1, &rules, Some(&judged));
                // Of its intent an answer takes nothing but who asked, when and for what.
                for name in ["content", "decision", "failed", "uninspectable"] {
                    opening.as_object_mut().expect("a record").remove(name);
                }
                Recorded::read(&stored(&outcome), Some(&opening), &Catalog::built_in())
            };
            let read = read.expect("readable").expect("a half");
            assert_eq!(read.decide(&rules.policy), judged.decision, "seed {seed}");
            assert_eq!(
                (read.verdict, read.full),
                (judged.decision.verdict, judged.decision.full)
            );
            if let Some(other) = &other {
                let mut facts = judged.facts.clone();
                facts.now = read.facts.now;
                assert_eq!(read.decide(&other.policy), decide(&other.policy, &facts), "seed {seed}");
            }
        }
        other = Some(rules);
    }
    assert!(answers > 1_000, "{answers}");
}
