//! Small worlds in which what changes can be worked out by hand.

use std::sync::Arc;

use serde_json::{Value, json};

use super::changes::Group;
use super::promote::Reviews;
use super::*;
use crate::policy::compile::Policy;
use crate::policy::{Files, load};
use crate::verdict::{Mode, Verdict};

const POLICY: &str = r#"
ordain: 1
organization: Example
version: "7"
timezone: UTC
approved: {by: board, on: 2026-11-20, effective: 2026-12-01}
rollout: {default: enforce}
purpose: {statement: Why.}
scope:
  groups: {staff: {}}
  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}]
roles:
  people: {ciso: ciso@example.com, dpo: dpo@example.com}
  owner: {accountable: ciso, deputy: dpo}
applications:
  sanctioned: [{app: openai-api, owner: ciso}]
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
acceptable_use: {statement: How.}
access:
  grants: [{id: AC-1, groups: [everyone]}]
  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]
data:
  classes: [internal, restricted]
  default: internal
  entities: {payment-card: restricted}
  matrix:
    internal:   {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}
    restricted: {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}
  answers: {restricted: redact}
  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}, {id: DA-2, statement: Back., enforced_by: data.answers}]
shadow_ai: {statement: Found.}
transparency: {statement: Told.}
risk: {statement: Weighed.}
compliance: {statement: Kept.}
monitoring: {statement: Watched.}
education: {statement: Taught.}
consequences: {statement: Fair.}
"#;

fn policy(changes: &[(&str, &str)]) -> Arc<Policy> {
    let mut text = POLICY.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let files = Files::single(&text);
    let now = "2026-12-10T12:00:00Z".parse().expect("a moment");
    let loaded = load(&files, &Catalog::built_in(), now);
    let problems: Vec<String> = loaded.problems.iter().map(|problem| files.render(problem)).collect();
    Arc::new(loaded.policy.unwrap_or_else(|| panic!("{}", problems.join("\n"))))
}

/// What was decided: the verdict, and who said so, enforced.
fn decision(verdict: &str, by: &str) -> Value {
    let clauses = if by.is_empty() {
        json!([])
    } else {
        json!([{"id": by, "verdict": verdict, "acts": verdict, "mode": "enforce"}])
    };
    json!({"verdict": verdict, "full": verdict, "app_class": "sanctioned", "data_class": "internal", "clauses": clauses})
}

fn card(source: &str, found: bool) -> Value {
    if found {
        json!({"sources": [source], "entities": {"payment-card": {"distinct": 1, "sources": [source]}}})
    } else {
        json!({"sources": [source]})
    }
}

fn request(kind: &str, id: &str, found: bool, decision: &Value) -> Value {
    let scanner = crate::detect::scanner::Scanner::new(&[]);
    let detectors: Value = scanner
        .detectors()
        .map(|one| (one.id().to_owned(), Value::from(one.version())))
        .collect();
    json!({
        "v": 1, "kind": kind, "id": id, "at": 1_796_904_000_000_i64, "subject": "s", "policy": {"digest": "sha256:0", "version": "6"},
        "detectors": detectors, "who": {"groups": ["staff"]}, "to": {"app": "openai-api", "model": "gpt-5"},
        "content": card("user", found), "decision": decision,
    })
}

fn outcome(id: &str, found: bool, decision: &Value) -> Value {
    json!({
        "v": 1, "kind": "outcome", "id": format!("{id}-o"), "intent": id, "at": 1_796_904_009_000_i64, "subject": "s",
        "result": "completed", "content": card("model", found), "decision": decision,
    })
}

fn changes(policy: &Policy, measure: Measure, records: &[Value]) -> (Vec<(Group, Vec<String>)>, u64, changes::Unknown) {
    let mut changes = Changes::new(policy, measure);
    records.iter().for_each(|record| changes.add(record.clone()));
    assert_eq!(changes.seen().unreadable, 0);
    (changes.groups.into_iter().collect(), changes.changed, changes.unknown)
}

fn group(direction: Direction, then: Verdict, now: Verdict, by: &str) -> Group {
    Group {
        direction,
        then,
        now,
        by: vec![by.to_owned()],
    }
}

#[test]
fn the_policy_that_decided_changes_nothing() {
    let masked = decision("redact", "data.matrix");
    let answered = decision("redact", "data.answers");
    let records = [
        request("intent", "a", false, &decision("allow", "")),
        outcome("a", true, &answered),
        request("intent", "b", true, &masked),
    ];
    let (groups, changed, unknown) = changes(&policy(&[]), Measure::Acting, &records);
    assert_eq!((groups, changed, unknown), (Vec::new(), 0, changes::Unknown::default()));
}

#[test]
fn stricter_and_milder_name_what_decides_and_what_decided() {
    let stricter = policy(&[("restricted: {sanctioned: redact", "restricted: {sanctioned: block")]);
    let milder = policy(&[("  answers: {restricted: redact}", "  answers: {restricted: coach}")]);
    let records = [
        request("intent", "a", true, &decision("redact", "data.matrix")),
        outcome("a", true, &decision("redact", "data.answers")),
        request("refusal", "b", false, &decision("block", "AU-9")),
    ];
    let unblocked = (
        group(Direction::Prompt, Verdict::Block, Verdict::Allow, "AU-9"),
        vec!["b".to_owned()],
    );
    // A prompt that would have been stopped has no answer that could change.
    let (groups, changed, unknown) = changes(&stricter, Measure::Acting, &records);
    let blocked = (
        group(Direction::Prompt, Verdict::Redact, Verdict::Block, "data.matrix"),
        vec!["a".to_owned()],
    );
    assert_eq!((groups, changed), (vec![blocked, unblocked.clone()], 2));
    assert_eq!(unknown.unseen, 1, "what would have come back to `b`");

    let (groups, changed, _) = changes(&milder, Measure::Acting, &records);
    let coached = (
        group(Direction::Answer, Verdict::Redact, Verdict::Coach, "data.answers"),
        vec!["a".to_owned()],
    );
    assert_eq!((groups, changed), (vec![unblocked, coached], 2));
}

#[test]
fn an_exchange_of_which_both_halves_change_counts_once() {
    let milder = policy(&[
        ("restricted: {sanctioned: redact", "restricted: {sanctioned: coach"),
        ("  answers: {restricted: redact}", "  answers: {restricted: coach}"),
    ]);
    let records = [
        request("intent", "a", true, &decision("redact", "data.matrix")),
        outcome("a", true, &decision("redact", "data.answers")),
    ];
    let (groups, changed, _) = changes(&milder, Measure::Acting, &records);
    assert_eq!((groups.len(), changed), (2, 1));
}

#[test]
fn modes_count_only_where_what_happens_is_meant() {
    let observing = policy(&[("rollout: {default: enforce}", "rollout: {default: observe}")]);
    let records = [request("intent", "a", true, &decision("redact", "data.matrix"))];
    assert_eq!(changes(&observing, Measure::Full, &records).1, 0);
    let (groups, ..) = changes(&observing, Measure::Acting, &records);
    let observed = group(Direction::Prompt, Verdict::Redact, Verdict::Allow, "data.matrix");
    assert_eq!(groups, [(observed, vec!["a".to_owned()])]);
}

#[test]
fn what_records_do_not_hold_is_counted() {
    let asking = policy(&[
        (
            "rollout: {default: enforce}",
            "rollout: {default: enforce, AU-1: observe}",
        ),
        (
            "acceptable_use: {statement: How.}",
            "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: A., owner: ciso, rule: {when: {principal: [ada@example.com]}, then: block}}",
        ),
        (
            "  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]",
            "  tools: {unlisted: block, list: [{tool: mail, args: {to: \"*@example.com\"}}]}\n  clauses: [{id: AC-2, statement: Whose., enforced_by: access}, {id: AC-3, statement: Tools., enforced_by: access.tools}]",
        ),
    ]);
    let mut old = request("intent", "a", false, &decision("allow", ""));
    old["detectors"]["iban"] = 0.into();
    old["detectors"].as_object_mut().expect("detectors").remove("us-ssn");
    let mut called = outcome("a", false, &decision("allow", ""));
    called["content"]["tools"] = json!([{"name": "mail", "met": ["to: *@elsewhere.example"]}]);
    let (groups, _, unknown) = changes(&asking, Measure::Acting, &[old, called]);
    assert_eq!((unknown.unnamed, unknown.untried), (1, 1));
    assert_eq!(
        unknown.unlooked,
        [("iban".to_owned(), 1), ("us-ssn".to_owned(), 1)].into()
    );
    let blocked = group(Direction::Answer, Verdict::Allow, Verdict::Block, "access.tools");
    assert_eq!(groups, [(blocked, vec!["a".to_owned()])]);
}

#[test]
fn what_nobody_could_read_stays_blocked_and_what_could_not_be_masked_too() {
    let mild = policy(&[(
        "  default: internal\n",
        "  default: internal\n  uninspectable: allow\n  unavailable: allow\n",
    )]);
    let mut unread = request("refusal", "a", false, &decision("block", ""));
    unread["to"] = json!({"app": ""});
    let mut unspliced = request("refusal", "b", true, &decision("block", "data.matrix"));
    unspliced["failed"] = json!(["splice"]);
    assert_eq!(changes(&mild, Measure::Acting, &[unread, unspliced.clone()]).1, 0);
    // Where nothing is to be masked, nothing can fail to be.
    let milder = policy(&[("restricted: {sanctioned: redact", "restricted: {sanctioned: coach")]);
    let (groups, ..) = changes(&milder, Measure::Acting, &[unspliced]);
    let coached = group(Direction::Prompt, Verdict::Block, Verdict::Coach, "data.matrix");
    assert_eq!(groups, [(coached, vec!["b".to_owned()])]);
}

#[test]
fn what_cannot_be_read_back_is_counted_and_answers_of_earlier_exchanges_are_passed_over() {
    let policy = policy(&[]);
    let mut changes = Changes::new(&policy, Measure::Acting);
    let good = request("intent", "a", false, &decision("allow", ""));
    let mut newer = good.clone();
    newer["v"] = 2.into();
    let mut odd = good.clone();
    odd["content"]["sources"] = json!(["ether"]);
    let mut no_list = good.clone();
    no_list["content"]["tools"] = "mail".into();
    for record in [
        newer,
        odd,
        no_list,
        json!({"v": 1}),
        outcome("earlier", false, &decision("allow", "")),
        good,
    ] {
        changes.add(record);
    }
    assert_eq!((changes.seen().exchanges, changes.seen().unreadable), (1, 4));
    assert_eq!(changes.seen().first_ms, Some(1_796_904_000_000));
}

#[test]
fn a_clause_is_promoted_on_reviews_of_its_own_matches() {
    let observing = policy(&[(
        "rollout: {default: enforce}",
        "rollout: {default: enforce, data.matrix: observe}",
    )]);
    let mut promotion = Promotion::new(&observing);
    let mut reviews = Reviews::new();
    for number in 0..62 {
        let id = format!("{number:03}");
        promotion.add(request("intent", &id, number != 61, &decision("allow", "")));
        // The last two, one of which did not match, are left.
        if number < 60 {
            reviews.insert((id.clone(), "data.matrix".to_owned()), true);
        }
        reviews.insert((id, "AU-1".to_owned()), false);
    }
    let candidates = promotion.candidates(&reviews);
    let [matrix] = candidates.as_slice() else {
        panic!("{candidates:?}")
    };
    assert_eq!((matrix.id.as_str(), matrix.mode), ("data.matrix", Mode::Observe));
    assert_eq!((matrix.matches, matrix.reviewed, matrix.wrong), (61, 60, 0));
    assert_eq!(matrix.would, [(Verdict::Redact, 61)].into());
    assert_eq!(matrix.next, ["060"]);
    assert!(matrix.is_ready() && matrix.bound() < 0.05);
    reviews.insert(("000".to_owned(), "data.matrix".to_owned()), false);
    let [again] = &promotion.candidates(&reviews)[..] else {
        panic!()
    };
    assert!(!again.is_ready() && again.missing() == 33, "{again:?}");
}
