//! `justify` and `hold`: what waits, what nothing helps with, what a step covers, and what people are told.

use std::sync::Arc;

use serde_json::json;

use super::world::{CARD, Dialect, POLICY, chunk, of_files, of_text, request};
use crate::decide::explain::{self, Held, Standing};
use crate::decide::{Asked, Covered};
use crate::inspect::{Ending, Fate, Request, Rules, Step};
use crate::policy::{File, Files};
use crate::record::{self, Header, Recorded, Route, steps};
use crate::verdict::Verdict;

const JUSTIFY: Asked = Asked {
    justify: true,
    hold: false,
};
const HOLD: Asked = Asked {
    justify: false,
    hold: true,
};

/// The usual policy with clauses of its own, each tried by some case; cards are masked.
fn with(clauses: &str) -> Arc<Rules> {
    let own = format!("acceptable_use:\n  statement: How.\n  clauses:\n{clauses}\n");
    let text = POLICY
        .replace("THEN", "redact")
        .replace("MODE", "enforce")
        .replace("UNAVAILABLE", "block")
        .replace(
            "consequences: {statement: Fair.}",
            "consequences: {statement: Fair., ladder: [talk], appeal: 14 days, clauses: [{id: CN-1, statement: Fair., enforced_by: consequences.ladder}]}",
        )
        .replace("acceptable_use: {statement: How.}\n", &own);
    let ids: Vec<&str> = ["AU-1", "AU-2", "AU-3"]
        .into_iter()
        .filter(|id| clauses.contains(id))
        .collect();
    let case = format!(
        "cases:\n  - name: all\n    request: {{app: openai-api, text: x}}\n    expect: {{verdict: block, clauses: [{}]}}\n",
        ids.join(", ")
    );
    let file = |path: &str, text| File {
        path: path.to_owned(),
        text,
    };
    of_files(&Files::new(vec![
        file("policy.yaml", text),
        file("cases/own.yaml", case),
    ]))
}

fn clause(id: &str, rule: &str) -> String {
    format!("    - {{id: {id}, statement: Mind {id}., owner: cto, rule: {{{rule}}}}}\n")
}

fn asked(rules: &Arc<Rules>, text: &str) -> Request {
    let body = json!({"model": "gpt-5", "messages": [{"role": "user", "content": text}]}).to_string();
    request(rules, Dialect::OpenAi.wire(), &body)
}

#[test]
fn what_waits_is_masked_already_and_what_blocks_waits_for_nobody() {
    let model = "when: {model: gpt-5, direction: prompt}, then: ";
    let justify = clause("AU-1", &format!("{model}justify"));
    let hold = clause("AU-2", &format!("{model}hold"));
    let block = clause("AU-3", &format!("{model}block"));
    let fate = |clauses: &[&str], text| asked(&with(&clauses.concat()), text).fate;
    assert_eq!(fate(&[&justify], "Hello"), Fate::Wait(JUSTIFY, None));
    assert_eq!(fate(&[&hold], "Hello"), Fate::Wait(HOLD, None));
    let both = Asked {
        justify: true,
        hold: true,
    };
    let Fate::Wait(found, Some(bytes)) = fate(&[&justify, &hold], CARD) else {
        panic!("it waits with its masks");
    };
    let bytes = String::from_utf8(bytes).expect("UTF-8");
    assert_eq!(found, both);
    assert!(bytes.contains("[payment-card]") && !bytes.contains(CARD), "{bytes}");
    assert_eq!(fate(&[&justify, &block], "Hello"), Fate::Stop);
    assert_eq!(fate(&[&hold, &block], CARD), Fate::Stop);
}

/// Nobody can vouch for what could not be inspected, however the policy words it.
#[test]
fn what_cannot_be_inspected_is_held_for_good() {
    for then in ["justify", "hold"] {
        let text = POLICY
            .replace("THEN", "redact")
            .replace("MODE", "enforce")
            .replace("UNAVAILABLE", "block")
            .replace("uninspectable: block", &format!("uninspectable: {then}"));
        let image = json!([{"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]);
        let body = json!({"model": "gpt-5", "messages": [{"role": "user", "content": image}]}).to_string();
        let asked = request(&of_text(&text), Dialect::OpenAi.wire(), &body);
        assert_eq!(asked.judged.decision.verdict.as_str(), then);
        assert_eq!(asked.fate, Fate::Stop);
    }
}

/// The words of an answer to a request of which everything that was asked for was done.
fn answered(rules: &Arc<Rules>, text: &str, tool: bool) -> (Fate, Ending) {
    let Request {
        judged, mut inspection, ..
    } = asked(rules, "Hello");
    inspection.cover(&judged.decision);
    let call = json!([{"id": "c", "type": "function", "function": {"name": "mail", "arguments": "{}"}}]);
    let mut message = json!({"role": "assistant", "content": text});
    if tool && let Some(members) = message.as_object_mut() {
        members.insert("tool_calls".to_owned(), call);
    }
    let body = json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).to_string();
    let whole = inspection.answer(body.as_bytes()).1;
    let mut stream = inspection.stream().expect("it streams");
    let mut bytes = chunk(0, &json!({"role": "assistant", "content": text}), None);
    if tool {
        let begun = json!({"index": 0, "id": "c", "type": "function", "function": {"name": "mail", "arguments": "{}"}});
        bytes += &chunk(0, &json!({"tool_calls": [begun]}), None);
    }
    bytes += &chunk(0, &json!({}), Some("stop"));
    bytes += "data: [DONE]\n\n";
    let mut steps = stream.push(bytes.as_bytes());
    steps.extend(stream.finish());
    let ending = steps.into_iter().find_map(|step| match step {
        Step::End(ending, _) => Some(ending),
        Step::Forward(_) => None,
    });
    (whole, ending.expect("an end"))
}

#[test]
fn a_step_covers_its_clause_in_the_answer_but_no_call_of_a_tool() {
    for then in ["justify", "hold"] {
        let both_ways = with(&clause("AU-1", &format!("when: {{model: gpt-5}}, then: {then}")));
        assert_eq!(
            answered(&both_ways, "Hi", false),
            (Fate::Forward(None), Ending::Complete)
        );
        assert_eq!(
            answered(&both_ways, "Hi", true),
            (Fate::Forward(None), Ending::Complete)
        );
        // Another clause was not asked about.
        let other = clause("AU-2", &format!("when: {{direction: answer}}, then: {then}"));
        let other = with(&(clause("AU-1", &format!("when: {{model: gpt-5}}, then: {then}")) + &other));
        assert_eq!(answered(&other, "Hi", false), (Fate::Stop, Ending::Stopped));
        // What a model will call, nobody has seen before.
        let tools = format!("when: [{{model: gpt-5, direction: prompt}}, {{tool: mail}}], then: {then}");
        let tools = with(&clause("AU-1", &tools));
        assert_eq!(answered(&tools, "Hi", false), (Fate::Forward(None), Ending::Complete));
        assert_eq!(answered(&tools, "Hi", true), (Fate::Stop, Ending::Stopped));
    }
}

/// A step that covers nothing leaves every answer as it was.
#[test]
fn without_a_step_an_answer_is_kept_back() {
    let rules = with(&clause("AU-1", "when: {model: gpt-5}, then: hold"));
    let inspection = asked(&rules, "Hello").inspection;
    let body = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}]}).to_string();
    assert_eq!(inspection.answer(body.as_bytes()).1, Fate::Stop);
}

#[test]
fn people_are_told_what_why_how_to_go_on_and_where_to_appeal() {
    let rules = with(
        &(clause(
            "AU-1",
            "when: {model: gpt-5, direction: prompt}, then: hold, tell: Think.",
        ) + &clause("AU-2", "when: {model: gpt-5, direction: prompt}, then: justify")),
    );
    let policy = &rules.policy;
    let decision = asked(&rules, "Hello").judged.decision;
    let hold = |standing| {
        let held = Held { standing, wrong: None };
        explain::hold(policy, &decision, &held, "r-1")
    };
    let refused = |rules: &Arc<Rules>, text| {
        explain::refusal(
            &rules.policy,
            &asked(rules, text).judged.decision,
            &Covered::default(),
            "r-1",
        )
    };
    let blocking = with(&clause("AU-1", "when: {model: gpt-5}, then: block, tell: Think."));
    let quiet = with(&clause("AU-1", "when: {model: gpt-5}, then: block"));
    let told = [
        (
            refused(&blocking, "Hello"),
            "Blocked by AU-1: Mind AU-1. Think. Appeal to cto within 14 days. [record r-1]",
        ),
        (
            refused(&quiet, "Hello"),
            "Blocked by AU-1: Mind AU-1. Ask without it. Appeal to cto within 14 days. [record r-1]",
        ),
        (
            explain::justify(policy, &decision, None, "r-1"),
            "Not sent: AU-2 asks for a reason: Mind AU-2. Send it again with the header `ordain-justification`: why you need it, 10 to 1,000 characters, percent-encoded UTF-8. [record r-1]",
        ),
        (
            hold(Standing::Waiting("T-1", 24)),
            "Held by AU-1: Mind AU-1. Think. Ask cto or ciso to approve ticket T-1 within 24 hours; then send exactly this again with the header `ordain-ticket: T-1`. [record r-1]",
        ),
        (
            hold(Standing::Agreed("T-1")),
            "Held by AU-1: Mind AU-1. Think. Ticket T-1 is approved: send exactly this again with the header `ordain-ticket: T-1`. [record r-1]",
        ),
        (
            hold(Standing::Refused("T-1")),
            "Held by AU-1: Mind AU-1. Think. Ticket T-1 was denied. Appeal to cto within 14 days. [record r-1]",
        ),
        (
            hold(Standing::TooMany),
            "Held by AU-1: Mind AU-1. Think. Too many of your requests wait already: have some answered, then send it again. [record r-1]",
        ),
    ];
    let names = ["AU-1", "AU-2", "T-1", "r-1", "Mind", "Think", "cto", "ciso", "[record"];
    for (said, expected) in told {
        assert_eq!(said, expected);
        let own = said
            .split_whitespace()
            .filter(|word| !names.iter().any(|name| word.contains(name)));
        assert!(own.clone().count() <= 25, "{} words: {said}", own.count());
    }
}

#[test]
fn the_owner_the_deputy_and_the_board_may_agree_and_nobody_else() {
    let rules = with(&clause("AU-1", "when: {model: gpt-5}, then: hold"));
    let policy = &rules.policy;
    assert!(policy.may_agree("cto@example.com", &["AU-1"]));
    assert!(policy.may_agree("CISO@example.com", &["AU-1"]));
    assert!(!policy.may_agree("cto", &["AU-1"]), "a role is no principal");
    assert!(!policy.may_agree("eve@example.com", &["AU-1"]));
    assert!(!policy.may_agree("cto@example.com", &[]));
    assert_eq!(policy.roles_that_agree(&["AU-1"]), ["cto", "ciso"]);

    let text = POLICY
        .replace("THEN", "hold")
        .replace("MODE", "enforce")
        .replace("UNAVAILABLE", "block")
        .replace(
            "cto: cto@example.com}",
            "cto: cto@example.com, dpo: dpo@example.com, hr: hr@example.com}",
        )
        .replace(
            "deputy: cto}",
            "deputy: cto}\n  board: {members: [hr, ciso], quorum: 1}",
        )
        .replace("id: DA-1, statement: What.,", "id: DA-1, statement: What., owner: dpo,");
    let rules = of_text(&text);
    // The owner of the clause that the matrix holds up.
    assert_eq!(
        rules.policy.roles_that_agree(&["data.matrix"]),
        ["dpo", "ciso", "cto", "hr"]
    );
    for (principal, ids, may) in [
        ("dpo@example.com", &["data.matrix"][..], true),
        ("dpo@example.com", &["data.matrix", "data.answers"], false),
        ("hr@example.com", &["data.matrix", "data.answers"], true),
    ] {
        assert_eq!(rules.policy.may_agree(principal, ids), may, "{principal} {ids:?}");
    }
}

/// An intent that says which steps were taken reads back; the same policy decides the same, and the answer counts.
#[test]
fn a_record_says_for_what_and_never_why() {
    let rules = with(&clause("AU-1", "when: {model: gpt-5}, then: justify"));
    let asked = asked(&rules, "Hello");
    let header = Header {
        id: "r-1",
        at_ms: 1_796_904_000_000,
        subject: "s",
        on_behalf_of: None,
    };
    let route = Route {
        alias: None,
        adapter: "gateway",
        wire: "openai-chat",
        endpoint: "POST /v1/chat/completions",
        bytes: 1,
        stream: false,
    };
    let taken = steps::Steps {
        justified: vec!["AU-1".to_owned()],
        ..steps::Steps::default()
    };
    let intent = record::intent(&header, &route, &rules, &asked.judged).with_steps(Some(&taken));
    let intent = serde_json::to_value(intent).expect("JSON");
    assert_eq!(intent.get("steps"), Some(&json!({"justified": ["AU-1"]})));
    let catalog = crate::catalog::Catalog::built_in();
    let read = Recorded::read(&intent, None, &catalog).expect("read").expect("a half");
    assert_eq!(
        (read.verdict, read.decide(&rules.policy).verdict),
        (Verdict::Justify, Verdict::Justify)
    );
    assert!(read.took("AU-1", Verdict::Justify) && !read.took("AU-1", Verdict::Hold));
    let answer = steps::Answer {
        agreed: true,
        ticket: "T-1",
        exchange: "r-1",
        policy: "sha256:00",
        clauses: &["AU-1"],
        reasoned: true,
    };
    let approval = steps::answer(&header, &answer);
    assert_eq!(approval.get("kind"), Some(&json!("approval")));
    assert!(Recorded::read(&approval, None, &catalog).expect("read").is_none());
}
