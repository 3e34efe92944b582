//! The shape of each kind of record, and what never gets into one.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::assurance::{Assurance, Unstated};
use crate::catalog::Catalog;
use crate::decide::{Destination, Who};
use crate::detect::Trouble;
use crate::inspect::{Call, Failed, Inspection, Step};
use crate::policy::{Files, load};
use crate::verdict::SourceSet;
use crate::wire::openai_chat::OpenaiChat;
use crate::wire::{Dialect, endpoints};

const POLICY: &str = r#"
ordain: 1
organization: Example
version: "7"
timezone: UTC
approved: {by: board, on: 2026-11-20, effective: 2026-12-01}
rollout: {default: enforce, data.answers: coach}
purpose: {statement: Why.}
scope:
  groups: {staff: {}, support: {}}
  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}]
roles:
  people: {ciso: ciso@example.com, dpo: dpo@example.com, cto: cto@example.com}
  owner: {accountable: ciso, deputy: cto}
  board: {members: [ciso, dpo, cto], quorum: 2}
applications:
  sanctioned: [{app: openai-api, owner: cto, models: [gpt-*]}]
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
acceptable_use: {statement: How.}
access:
  grants: [{id: AC-1, groups: [everyone]}]
  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]
data:
  classes: [internal, restricted]
  default: internal
  entities: {payment-card: restricted, email-address: restricted}
  matrix:
    internal:   {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}
    restricted: {sanctioned: block, tolerated: block, unknown: block, unsanctioned: block}
  answers: {restricted: redact}
  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}, {id: DA-2, statement: Back., enforced_by: data.answers}]
shadow_ai: {statement: Found.}
transparency: {statement: Told.}
risk: {statement: Weighed.}
compliance: {statement: Kept.}
monitoring: {statement: Watched.}
education: {statement: Taught.}
consequences: {statement: Fair.}
exceptions:
  - {id: EX-1, clause: data.matrix, who: {group: support}, then: redact, reason: trial, compensating: review, requested: cto, approved: [ciso, dpo], expires: 2027-01-31}
"#;

/// Must never be in a record: a name, a word of a prompt, values that were found.
const CANARIES: [&str; 6] = ["zaphod", "marzipan", "4111", "1111", "beeblebrox", "northwind"];

const ROUTE: Route<'static> = Route {
    adapter: "gateway",
    wire: "openai-chat",
    endpoint: "POST /v1/chat/completions",
    bytes: 123,
    stream: true,
    alias: None,
};

const HEADER: Header<'static> = Header {
    on_behalf_of: None,
    id: "0190-a",
    at_ms: 1_796_904_000_000,
    subject: "s-1",
};

/// A record as whoever reads it back sees it.
fn value(record: Record<'_>) -> Value {
    serde_json::to_value(record).expect("JSON")
}

fn rules() -> Arc<Rules> {
    let files = Files::single(POLICY);
    let loaded = load(&files, &Catalog::built_in(), now());
    let problems: Vec<String> = loaded.problems.iter().map(|problem| files.render(problem)).collect();
    Arc::new(Rules::new(
        loaded.policy.unwrap_or_else(|| panic!("{}", problems.join("\n"))),
    ))
}

fn now() -> Timestamp {
    "2026-12-10T12:00:00Z".parse().expect("a moment")
}

fn call(group: &str, full: bool) -> Call {
    let mut who = Who {
        principal: "zaphod@example.com".to_owned(),
        groups: vec![group.to_owned()],
        ..Who::default()
    };
    let mut to = Destination {
        app: "openai-api".to_owned(),
        ..Destination::default()
    };
    if full {
        who.client = Some("ide-plugin".to_owned());
        who.training = vec![("ai-basics".to_owned(), "2026-10-01".parse().expect("a date"))];
        who.since = "2025-02-03".parse().ok();
        to.attributes = vec![("region".to_owned(), "eu".to_owned())];
        to.categories = vec!["api".to_owned()];
    }
    Call {
        now: now(),
        who: Arc::new(who),
        to: Arc::new(to),
        use_: full.then(|| "coding".to_owned()),
        record: "0190-a".to_owned(),
    }
}

fn asked(rules: &Arc<Rules>, text: &str, call: Call) -> crate::inspect::Request {
    let body = json!({"model": "gpt-5", "stream": true, "messages": [{"role": "user", "content": text}]}).to_string();
    Inspection::request(rules, &OpenaiChat, body.as_bytes(), None, |_| call).expect("a good body")
}

/// Numbers are integers, and nothing that must not be there is there, in names and values alike.
fn is_clean(value: &Value) {
    fn numbers(value: &Value) {
        match value {
            Value::Number(number) => assert!(number.is_i64() || number.is_u64(), "{number}"),
            Value::Array(items) => items.iter().for_each(numbers),
            Value::Object(members) => members.values().for_each(numbers),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
    numbers(value);
    let text = value.to_string().to_lowercase();
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} in {text}");
    }
}

/// What differs from build to build.
fn without_versions(mut record: Value, rules: &Rules) -> Value {
    assert_eq!(record["policy"]["digest"], rules.policy.digest.to_string());
    record["policy"]["digest"] = "D".into();
    let detectors = record["detectors"].as_object().expect("detectors");
    assert!(detectors.contains_key("payment-card") && detectors.values().all(Value::is_u64));
    record["detectors"] = "V".into();
    record
}

#[test]
fn an_intent_keeps_facts_and_both_decisions() {
    let rules = rules();
    let asked = asked(
        &rules,
        "Marzipan for 4111 1111 1111 1111 and beeblebrox@northwind.example, 4111111111111111",
        call("staff", true),
    );
    let record = value(intent(&HEADER, &ROUTE, &rules, &asked.judged));
    is_clean(&record);
    assert_eq!(
        without_versions(record, &rules),
        json!({
            "v": 1,
            "kind": "intent",
            "id": "0190-a",
            "at": 1_796_904_000_000_i64,
            "subject": "s-1",
            "policy": {"digest": "D", "version": "7"},
            "detectors": "V",
            "route": {"adapter": "gateway", "wire": "openai-chat", "endpoint": "POST /v1/chat/completions", "bytes": 123, "stream": true},
            "who": {"groups": ["staff"], "client": "ide-plugin", "training": {"ai-basics": "2026-10-01"}, "since": "2025-02-03"},
            "to": {"app": "openai-api", "attributes": {"region": "eu"}, "model": "gpt-5", "use": "coding"},
            "content": {
                "sources": ["user"],
                "entities": {"email-address": {"distinct": 1, "sources": ["user"]}, "payment-card": {"distinct": 2, "sources": ["user"]}},
            },
            "decision": {
                "verdict": "block",
                "full": "block",
                "app_class": "sanctioned",
                "data_class": "restricted",
                "grant": "AC-1",
                "clauses": [
                    {"id": "scope.outside", "verdict": "block", "acts": "block", "mode": "enforce"},
                    {"id": "data.matrix", "verdict": "block", "acts": "block", "mode": "enforce"},
                ],
            },
        })
    );
}

#[test]
fn a_refusal_is_an_intent_with_a_status() {
    let rules = rules();
    let mut judged = asked(&rules, "Marzipan 4111 1111 1111 1111", call("staff", false)).judged;
    judged
        .facts
        .content
        .findings
        .push(("prompt-injection".to_owned(), SourceSet::ALL));
    let record = value(refusal(&HEADER, &ROUTE, &rules, &judged, 200));
    is_clean(&record);
    assert_eq!(
        without_versions(record, &rules),
        json!({
            "v": 1,
            "kind": "refusal",
            "id": "0190-a",
            "at": 1_796_904_000_000_i64,
            "subject": "s-1",
            "policy": {"digest": "D", "version": "7"},
            "detectors": "V",
            "route": {"adapter": "gateway", "wire": "openai-chat", "endpoint": "POST /v1/chat/completions", "bytes": 123, "stream": true},
            "who": {"groups": ["staff"]},
            "to": {"app": "openai-api", "model": "gpt-5"},
            "content": {
                "sources": ["user"],
                "entities": {"payment-card": {"distinct": 1, "sources": ["user"]}},
                "findings": {"prompt-injection": ["user", "system", "tool", "retrieved", "model"]},
            },
            "decision": {
                "verdict": "block",
                "full": "block",
                "app_class": "sanctioned",
                "data_class": "restricted",
                "grant": "AC-1",
                "clauses": [{"id": "data.matrix", "verdict": "block", "acts": "block", "mode": "enforce"}],
            },
            "status": 200,
        })
    );
}

#[test]
fn an_outcome_keeps_what_came_back_and_what_full_enforcement_would_have_done() {
    let rules = rules();
    let asked = asked(&rules, "Hello", call("staff", false));
    let mut stream = asked.inspection.stream().expect("a wire that streams");
    let event = |delta: Value| format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta}]}));
    let called = json!({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "calc", "arguments": "{}"}}]});
    let bytes = event(json!({"content": "Marzipan 4111111111111111 "})) + &event(called) + "data: [DONE]\n\n";
    assert!(matches!(stream.push(bytes.as_bytes()).as_slice(), [Step::End(..)]));
    let record = value(outcome(
        &HEADER,
        "0190-i",
        Result::Completed,
        200,
        456,
        &rules,
        Some(stream.judged()),
    ));
    is_clean(&record);
    assert_eq!(
        record,
        json!({
            "v": 1,
            "kind": "outcome",
            "id": "0190-a",
            "at": 1_796_904_000_000_i64,
            "subject": "s-1",
            "intent": "0190-i",
            "result": "completed",
            "status": 200,
            "bytes": 456,
            "content": {"sources": ["model"], "entities": {"payment-card": {"distinct": 1, "sources": ["model"]}}, "tools": [{"name": "calc"}]},
            "decision": {
                "verdict": "coach",
                "full": "redact",
                "app_class": "sanctioned",
                "data_class": "restricted",
                "clauses": [{"id": "data.answers", "verdict": "redact", "acts": "coach", "mode": "coach"}],
            },
        })
    );
}

#[test]
fn an_outcome_may_have_no_answer() {
    let head = json!({"v": 1, "kind": "outcome", "id": "0190-a", "at": 1_796_904_000_000_i64, "subject": "s-1", "intent": "0190-i"});
    let mut unreached = head.clone();
    unreached["result"] = "upstream-failed".into();
    unreached["status"] = 502.into();
    unreached["bytes"] = 0.into();
    assert_eq!(
        value(outcome(
            &HEADER,
            "0190-i",
            Result::UpstreamFailed,
            502,
            0,
            &rules(),
            None
        )),
        unreached
    );
    let mut lost = head;
    lost["result"] = "unknown".into();
    assert_eq!(value(recovered(&HEADER, "0190-i")), lost);
}

#[test]
fn exceptions_masks_failures_and_what_nobody_read_are_kept() {
    let rules = rules();
    let card = "Marzipan 4111 1111 1111 1111, 4111111111111111";
    let mut excepted = asked(&rules, card, call("support", false)).judged;
    let record = value(intent(&HEADER, &ROUTE, &rules, &excepted));
    is_clean(&record);
    let redacted = json!([{"id": "data.matrix", "verdict": "redact", "acts": "redact", "mode": "enforce", "exception": {"id": "EX-1", "was": "block"}}]);
    assert_eq!(record["decision"]["clauses"], redacted);
    assert_eq!(record["masked"], json!({"payment-card": 2}));
    // The pointer of what could not be read may hold the client's own words: only its kind is kept, once.
    excepted.failed.push(Failed {
        id: "payment-card".to_owned(),
        trouble: Trouble::OutOfTime,
    });
    excepted.uninspectable = vec![
        ("/marzipan".to_owned(), "image"),
        ("/zaphod".to_owned(), "image"),
        ("/x".to_owned(), "audio"),
    ];
    let record = value(intent(&HEADER, &ROUTE, &rules, &excepted));
    is_clean(&record);
    assert_eq!(
        (&record["failed"], &record["uninspectable"]),
        (&json!(["payment-card"]), &json!(["audio", "image"]))
    );
    assert_eq!(record["trouble"], json!({"payment-card": "out-of-time"}));

    let body = br#"{"model":"gpt-5","messages":[{"role":"user","name":"4111111111111111","content":"Marzipan"}]}"#;
    let fixed = Inspection::request(&rules, &OpenaiChat, body, None, |_| call("support", false))
        .expect("a good body")
        .judged;
    let record = value(refusal(&HEADER, &ROUTE, &rules, &fixed, 200));
    is_clean(&record);
    assert_eq!(record["content"]["entities"]["payment-card"]["fixed"], json!(["user"]));
    assert_eq!(record["decision"]["clauses"][0]["unmaskable"], true);
}

#[test]
fn a_version_that_comes_into_force_says_what_it_cannot_do() {
    let rules = rules();
    let assurance = Assurance::of(&rules.policy, &rules.scanner, &[Dialect::Openai]);
    let standing = Standing {
        refused: assurance.refused(&rules.policy, &[Dialect::Openai], now()),
        // As if the policy kept them open.
        opened: assurance.refused(&rules.policy, &[Dialect::Openai], now()),
        passed: endpoints::table()
            .iter()
            .filter(|one| one.path == "/v1/files")
            .collect(),
    };
    let groups = assurance.groups();
    let header = Header {
        subject: "00000000000000000000000000000000",
        ..HEADER
    };
    let record = activation(&header, &rules, &assurance, &groups, &standing);
    let text = serde_json::to_string(&record).expect("JSON");
    let canonical = in_order(&text);
    assert_eq!(text, canonical, "members stand in the order of their names");
    let record: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&record["kind"], &record["v"]), (&json!("activation"), &json!(1)));
    assert_eq!(record["policy"], json!({"digest": rules.digest, "version": "7"}));
    let speech = json!({"clauses": ["uninspectable"], "endpoint": "openai POST /v1/audio/speech", "field": "audio", "kind": "unanswerable"});
    assert_eq!((&record["refused"][0], &record["opened"][0]), (&speech, &speech));
    assert_eq!(record["passed"][0], "openai GET /v1/files");
    let gaps = record["gaps"].as_array().expect("gaps");
    assert_eq!(gaps[0]["kind"], "unanswerable", "the gravest come first");
    let of_files = |gap: &&Value| gap["field"] == "files" && gap["direction"] == "prompt";
    let files = gaps.iter().find(of_files).expect("files cannot be read");
    assert_eq!((&files["kind"], &files["form"]), (&json!("stopped"), &json!("any")));
    assert!(
        files["wires"]
            .as_array()
            .expect("wires")
            .contains(&json!("openai-chat"))
    );
    // Nobody reads it as half of an exchange, and it is no error.
    assert!(
        Recorded::read(&record, None, &Catalog::built_in())
            .expect("readable")
            .is_none()
    );
    assert!(assurance.missing.iter().all(|one| one.what == Unstated::Entity));
}

/// The same value with every member in the order of its name.
fn in_order(text: &str) -> String {
    fn sorted(value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let members: std::collections::BTreeMap<String, Value> =
                    members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
                members.into_iter().collect()
            }
            Value::Array(items) => items.into_iter().map(sorted).collect(),
            other => other,
        }
    }
    sorted(serde_json::from_str(text).expect("JSON")).to_string()
}

#[test]
fn what_stands_beside_a_refusal_of_access_says_so() {
    let text = POLICY.replace("data.answers: coach", "access: observe");
    let files = Files::single(&text);
    let rules = Arc::new(Rules::new(
        load(&files, &Catalog::built_in(), now()).policy.expect("a policy"),
    ));
    let body = br#"{"model":"o1","messages":[{"role":"user","content":"4111111111111111"}]}"#;
    let judged = Inspection::request(&rules, &OpenaiChat, body, None, |_| call("staff", false))
        .expect("a good body")
        .judged;
    let record = value(refusal(&HEADER, &ROUTE, &rules, &judged, 200));
    assert_eq!(
        record["decision"]["clauses"],
        json!([
            {"id": "access", "verdict": "block", "acts": "allow", "mode": "observe"},
            {"id": "data.matrix", "verdict": "block", "acts": "block", "mode": "enforce", "beside": true},
        ])
    );
}

#[test]
fn who_acts_for_whom_stands_in_the_record_without_names() {
    let rules = rules();
    let mut call = call("staff", false);
    let who = Arc::make_mut(&mut call.who);
    who.signed_in = "2026-12-10T11:50:00Z".parse().ok();
    who.on_behalf_of = Some(Arc::new(Who {
        principal: "trillian@example.com".to_owned(),
        groups: vec!["engineering".to_owned()],
        since: "2025-02-03".parse().ok(),
        ..Who::default()
    }));
    let judged = asked(&rules, "Hello", call).judged;
    let header = Header {
        on_behalf_of: Some("s-2"),
        ..HEADER
    };
    let record = value(refusal(&header, &ROUTE, &rules, &judged, 403));
    assert_eq!(
        record["who"],
        json!({
            "groups": ["staff"],
            "signed_in": 1_796_903_400_000_i64,
            "on_behalf_of": {"subject": "s-2", "groups": ["engineering"], "since": "2025-02-03"},
        })
    );
    assert!(!record.to_string().contains("example.com"), "{record}");
}

#[test]
fn an_alias_stands_with_both_places_and_an_outcome_lists_its_tries() {
    let rules = rules();
    let judged = asked(&rules, "Hello", call("staff", false)).judged;
    let there = Destination {
        app: "azure-openai".to_owned(),
        ..Destination::default()
    };
    let alias = |fallback| Route {
        alias: Some(Alias {
            name: "assistant",
            version: "stable",
            fallback,
        }),
        ..ROUTE
    };
    let second = Fallback {
        version: "spare",
        to: &there,
        model: "gpt-5-eu",
        decision: &judged.decision,
    };
    let route = alias(Some(second));
    let record = value(intent(&HEADER, &route, &rules, &judged));
    is_clean(&record);
    let (decision, kept) = (&record["decision"], &record["alias"]);
    assert_eq!(
        *kept,
        json!({
            "name": "assistant",
            "version": "stable",
            "fallback": {"version": "spare", "to": {"app": "azure-openai", "model": "gpt-5-eu"}, "decision": decision},
        })
    );
    assert!(record["route"].get("alias").is_none(), "it stands once");
    let alone = alias(None);
    let record = value(refusal(&HEADER, &alone, &rules, &judged, 404));
    assert_eq!(record["alias"], json!({"name": "assistant", "version": "stable"}));

    let one = |model: &str, ended| Try {
        app: "openai-api".to_owned(),
        model: model.to_owned(),
        ended,
    };
    let answered = Judged {
        model: Some("c-1".to_owned()),
        ..judged.clone()
    };
    let ended = |tries: &[Try]| {
        let record = outcome(&HEADER, "0190-i", Result::Completed, 200, 9, &rules, Some(&answered));
        value(record.with_tries(tries))
    };
    let tries = [
        one("a", Tried::Status(503)),
        one("b", Tried::Unreachable),
        one("c", Tried::Last),
    ];
    let record = ended(&tries);
    assert_eq!(record["model"], "c-1");
    assert_eq!(
        record["tries"],
        json!([
            {"app": "openai-api", "model": "a", "status": 503},
            {"app": "openai-api", "model": "b", "unreachable": true},
            {"app": "openai-api", "model": "c"},
        ])
    );
    assert!(ended(&tries[..1]).get("tries").is_none(), "one try is the exchange");
}
