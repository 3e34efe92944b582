//! Tokens: made on the way out, put back on the way in, for nobody but their exchange.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::world::{
    CARD, DIALECTS, Dialect, Dice, MAIL, Outcome, POLICY, WITH_TOOLS, candidate, chunk, line, masking, named,
    named_request, of_text, output_text, response, run,
};
use crate::inspect::{Ending, Fate, Inspection, Request, Rules};
use crate::record;
use crate::verdict::Verdict;

const OTHER: &str = "bo@partner.example";

/// Addresses and cards are masked on the way out. On the way back, cards are masked, and addresses are as `answers` says.
fn rules(tokens: &str, answers: &str) -> Arc<Rules> {
    let text = POLICY
        .replace("MODE", "enforce")
        .replace("UNAVAILABLE", "block")
        .replace("classes: [internal, restricted]", "classes: [internal, guarded, restricted]")
        .replace("email-address: restricted}", "email-address: guarded}")
        .replace("    restricted: {sanctioned: THEN", "    guarded: {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}\n    restricted: {sanctioned: redact")
        .replace("answers: {restricted: THEN}", &format!("answers: {answers}"))
        .replace("  unavailable:", &format!("  tokens: {tokens}\n  unavailable:"))
        .replace(
            "  clauses: [{id: AC-2,",
            "  tools:\n    list:\n      - {tool: clock}\n      - {tool: mail, args: {to: \"*@northwind.example\"}}\n      - {tool: say}\n  clauses: [{id: AC-3, statement: Tools., enforced_by: access.tools}, {id: AC-2,",
        );
    of_text(&text)
}

/// Answers say nothing on addresses.
fn reversible() -> Arc<Rules> {
    rules(
        "{email-address: reversible, payment-card: restore}",
        "{guarded: allow, restricted: redact}",
    )
}

fn asked_with(rules: &Arc<Rules>, dialect: Dialect, text: &str, more: &Value) -> Request {
    let mut body = match dialect {
        Dialect::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
        Dialect::Completions => json!({"model": "m", "prompt": text}),
        Dialect::Responses => json!({"model": "m", "input": text}),
        _ => json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": text}]}),
    };
    let members = body.as_object_mut().expect("an object");
    members.extend(more.as_object().cloned().unwrap_or_default());
    named_request(rules, dialect.wire(), &body.to_string(), dialect.named())
}

fn asked(rules: &Arc<Rules>, dialect: Dialect, text: &str) -> Request {
    asked_with(rules, dialect, text, &json!({}))
}

fn after(rules: &Arc<Rules>, dialect: Dialect, text: &str) -> Inspection {
    asked(rules, dialect, text).inspection
}

fn sent(asked: &Request) -> Value {
    match &asked.fate {
        Fate::Forward(Some(bytes)) => serde_json::from_slice(bytes).expect("is JSON"),
        other => panic!("{other:?}: {:?}", asked.judged.decision),
    }
}

fn whole(dialect: Dialect, text: &str) -> Value {
    match dialect {
        Dialect::OpenAi => json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}),
        Dialect::Completions => json!({"choices": [{"index": 0, "text": text}]}),
        Dialect::Anthropic => json!({"type": "message", "content": [{"type": "text", "text": text}]}),
        Dialect::Gemini => json!({"candidates": [{"index": 0, "content": {"parts": [{"text": text}]}}]}),
        Dialect::Ollama => json!({"message": {"role": "assistant", "content": text}, "done": true}),
        Dialect::Responses => {
            response(&json!([{"type": "message", "role": "assistant", "content": [output_text(text)]}]))
        }
    }
}

/// What a whole answer is to the client; `None` if it is stopped.
fn answered(inspection: &Inspection, answer: &Value) -> Option<Value> {
    match inspection.answer(answer.to_string().as_bytes()).1 {
        Fate::Forward(Some(bytes)) => Some(serde_json::from_slice(&bytes).expect("is JSON")),
        Fate::Forward(None) => Some(answer.clone()),
        Fate::Wait(..) | Fate::Stop => None,
    }
}

fn streamed(inspection: Inspection, stream: &str) -> Outcome {
    run(inspection, [stream.as_bytes()])
}

fn restored(counts: &[(&str, u32)]) -> BTreeMap<String, u32> {
    counts
        .iter()
        .map(|(entity, count)| ((*entity).to_owned(), *count))
        .collect()
}

fn counts(judged: &crate::inspect::Judged) -> BTreeMap<String, u32> {
    judged
        .restored
        .iter()
        .map(|(entity, count)| (entity.to_string(), *count))
        .collect()
}

#[test]
fn the_same_value_has_the_same_token_and_numbers_go_by_appearance() {
    let text = format!("{MAIL}, {OTHER}, {MAIL}; card {CARD}");
    let masked = "[email-address-1], [email-address-2], [email-address-1]; card [payment-card-1]";
    for dialect in DIALECTS {
        let asked = asked(&reversible(), dialect, &text);
        let sent = sent(&asked).to_string();
        assert!(sent.contains(masked), "{dialect:?} {sent}");
        assert_eq!(asked.judged.masked.values().sum::<u32>(), 4);
        assert!(!format!("{:?}", asked.inspection).contains("ana@"), "not even in a log");
    }
}

#[test]
fn a_conversation_that_grows_keeps_its_tokens() {
    let turn = |role: &str, text: &str| json!({"role": role, "content": text});
    let first = [
        turn("system", &format!("Help {OTHER}.")),
        turn("user", &format!("Write to {MAIL}.")),
    ];
    let mut second = first.to_vec();
    second.push(turn("assistant", &format!("To {MAIL}: Hello, {OTHER} asks.")));
    second.push(turn("user", "Now to eve@elsewhere.example."));
    let sent_of = |messages: &[Value]| {
        let asked = asked_with(&reversible(), Dialect::OpenAi, "", &json!({"messages": messages}));
        sent(&asked)["messages"].clone()
    };
    let (before, then) = (sent_of(&first), sent_of(&second));
    assert_eq!(before[0]["content"], "Help [email-address-1].");
    assert_eq!(before[1]["content"], "Write to [email-address-2].");
    assert_eq!((&then[0], &then[1]), (&before[0], &before[1]));
    assert_eq!(
        then[2]["content"],
        "To [email-address-2]: Hello, [email-address-1] asks."
    );
    assert_eq!(then[3]["content"], "Now to [email-address-3].");
}

/// What the caller wrote in the form of a token is the caller's, before and after.
#[test]
fn a_token_that_the_caller_wrote_is_never_taken_for_ours() {
    let text = format!("What are [email-address-1], [email-address-03] and [email-address-x]? Ask {MAIL} or {OTHER}.");
    for dialect in DIALECTS {
        let asked = asked(&reversible(), dialect, &text);
        let sent = sent(&asked).to_string();
        assert!(sent.contains("Ask [email-address-2] or [email-address-4]."), "{sent}");
        let says = "[email-address-1] [email-address-2] [email-address-3] [email-address-4] [email-address-44]";
        let means = format!("[email-address-1] {MAIL} [email-address-3] {OTHER} [email-address-44]");
        let answer = answered(&asked.inspection, &whole(dialect, says)).expect("it passes");
        assert_eq!(answer, whole(dialect, &means));
        let done = streamed(asked.inspection, &dialect.stream(&[says]));
        assert_eq!(done.said(), means);
    }
}

#[test]
fn values_come_back_whole_and_streamed_however_text_and_bytes_are_cut() {
    let text = format!("{MAIL} {OTHER} {CARD}");
    let says = "[[email-address-1]] and [email-address-2], [email-address-1; [payment-card-1] [payment-card-2] [email";
    let means = format!("[{MAIL}] and {OTHER}, [email-address-1; {CARD} [payment-card-2] [email");
    let rules = reversible();
    let mut dice = Dice(5);
    for dialect in DIALECTS {
        let inspection = after(&rules, dialect, &text);
        let (judged, _) = inspection.answer(whole(dialect, says).to_string().as_bytes());
        assert_eq!(
            answered(&inspection, &whole(dialect, says)),
            Some(whole(dialect, &means))
        );
        assert_eq!(counts(&judged), restored(&[("email-address", 2), ("payment-card", 1)]));
        for most in [1, 3, 9, 200] {
            let stream = dialect.stream(&dice.cut(says, most));
            let first = streamed(inspection.clone(), &stream);
            assert_eq!(
                (first.ending, first.said()),
                (Ending::Complete, means.clone()),
                "{dialect:?} {most}"
            );
            assert_eq!(counts(&first.judged), counts(&judged), "{dialect:?}");
            assert_eq!(first.judged.facts.content, judged.facts.content, "{dialect:?}");
            let cut = run(inspection.clone(), dice.cut_bytes(stream.as_bytes(), most));
            assert_eq!(cut.bytes, first.bytes);
        }
    }
}

/// Held back is only what a token begins with.
#[test]
fn a_bracket_that_begins_no_token_waits_for_nothing() {
    for dialect in DIALECTS {
        let mut stream = after(&reversible(), dialect, MAIL).stream().expect("it streams");
        let begun = dialect.start() + &dialect.piece("see [1], [email-box and [emaX then [email-address-1");
        let out: Vec<u8> = stream
            .push(begun.as_bytes())
            .into_iter()
            .flat_map(|step| match step {
                crate::inspect::Step::Forward(bytes) | crate::inspect::Step::End(_, bytes) => bytes,
            })
            .collect();
        let out = String::from_utf8(out).expect("text");
        assert!(
            out.contains("[emaX then") && !out.contains("[email-address-1"),
            "{dialect:?} {out}"
        );
    }
}

/// `reversible` is judged as what it stands for: masked, it stays a token; blocked, the answer stops. `restore` is not.
#[test]
fn what_comes_back_is_judged_as_the_policy_says() {
    let says = "Ask [email-address-1].";
    for (tokens, answers, means) in [
        (
            "{email-address: reversible}",
            "{guarded: allow}",
            Some(format!("Ask {MAIL}.")),
        ),
        (
            "{email-address: reversible}",
            "{guarded: redact, restricted: block}",
            Some(says.to_owned()),
        ),
        (
            "{email-address: reversible}",
            "{guarded: block, restricted: block}",
            None,
        ),
        (
            "{email-address: restore}",
            "{guarded: redact, restricted: block}",
            Some(format!("Ask {MAIL}.")),
        ),
        (
            "{email-address: restore}",
            "{guarded: block, restricted: block}",
            Some(format!("Ask {MAIL}.")),
        ),
    ] {
        let rules = rules(tokens, answers);
        for dialect in DIALECTS {
            let inspection = after(&rules, dialect, MAIL);
            let expected = means.as_ref().map(|text| whole(dialect, text));
            assert_eq!(
                answered(&inspection, &whole(dialect, says)),
                expected,
                "{dialect:?} {tokens} {answers}"
            );
            let done = streamed(inspection, &dialect.stream(&["Ask [email-", "address-1]", "."]));
            match &means {
                Some(means) => assert_eq!(done.said(), *means, "{dialect:?} {tokens} {answers}"),
                None => assert_eq!(done.ending, Ending::Stopped, "{dialect:?} {tokens} {answers}"),
            }
            assert_eq!(
                done.text().contains(MAIL),
                means.as_ref().is_some_and(|means| means.contains(MAIL))
            );
        }
    }
    // What the model finds out by itself is masked as ever.
    let rules = rules("{email-address: restore}", "{guarded: redact, restricted: redact}");
    for dialect in DIALECTS {
        let inspection = after(&rules, dialect, MAIL);
        let both = format!("[email-address-1] or {OTHER}");
        let means = format!("{MAIL} or [email-address]");
        assert_eq!(
            answered(&inspection, &whole(dialect, &both)),
            Some(whole(dialect, &means))
        );
        assert_eq!(streamed(inspection, &dialect.stream(&[&both])).said(), means);
    }
}

/// A stream with one call, in pieces where the dialect has them.
fn calling(dialect: Dialect, tool: &str, arguments: &str) -> String {
    let value: Value = serde_json::from_str(arguments).expect("arguments");
    let (head, tail) = arguments.split_at(arguments.len() / 2);
    let events = match dialect {
        Dialect::OpenAi => {
            let call = |part: Value| chunk(0, &json!({"tool_calls": [part]}), None);
            call(json!({"index": 0, "id": "c", "type": "function", "function": {"name": tool, "arguments": head}}))
                + &call(json!({"index": 0, "function": {"arguments": tail}}))
        }
        Dialect::Anthropic => {
            let delta = |text: &str| {
                named(
                    &json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": text}}),
                )
            };
            named(
                &json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": tool, "input": {}}}),
            ) + &delta(head)
                + &delta(tail)
                + &named(&json!({"type": "content_block_stop", "index": 1}))
        }
        Dialect::Gemini => candidate(
            0,
            &json!([{"functionCall": {"name": tool, "args": value}, "thoughtSignature": "c2ln"}]),
            None,
        ),
        Dialect::Ollama => line(
            &json!({"role": "assistant", "content": "", "tool_calls": [{"function": {"name": tool, "arguments": value}}]}),
        ),
        Dialect::Responses => {
            let item = |text: &str| json!({"type": "function_call", "id": "f", "call_id": "c", "name": tool, "arguments": text});
            let told = |kind: &str, more: Value| {
                let mut data = json!({"type": format!("response.{kind}"), "output_index": 1});
                data.as_object_mut()
                    .expect("an object")
                    .extend(more.as_object().cloned().unwrap_or_default());
                named(&data)
            };
            told("output_item.added", json!({"item": item("")}))
                + &told("function_call_arguments.delta", json!({"delta": head}))
                + &told("function_call_arguments.delta", json!({"delta": tail}))
                + &told("function_call_arguments.done", json!({"arguments": arguments}))
                + &told("output_item.done", json!({"item": item(arguments)}))
        }
        Dialect::Completions => unreachable!("it has no tools"),
    };
    dialect.start() + &events + &dialect.end("")
}

/// The arguments that a client gets of a stream with one call.
fn arguments(dialect: Dialect, done: &Outcome) -> Value {
    let events = done.events();
    let found = |pointer: &str| {
        events
            .iter()
            .find_map(|event| event.pointer(pointer))
            .expect("a call")
            .clone()
    };
    match dialect {
        Dialect::Gemini => found("/candidates/0/content/parts/0/functionCall/args"),
        Dialect::Ollama => found("/message/tool_calls/0/function/arguments"),
        Dialect::OpenAi => serde_json::from_str(&done.channels()["0/0"]).expect("JSON"),
        _ => serde_json::from_str(&done.channels()["1"]).expect("JSON"),
    }
}

#[test]
fn arguments_get_their_values_escaped_and_are_judged_by_them() {
    let rules = reversible();
    for dialect in WITH_TOOLS {
        let given = json!({"to": "[email-address-1]", "text": "Dear \"[email-address-2]\",\n[email-address-9]"});
        let meant = json!({"to": MAIL, "text": format!("Dear \"{OTHER}\",\n[email-address-9]")});
        for (first, second, verdict) in [(MAIL, OTHER, Verdict::Allow), (OTHER, MAIL, Verdict::Block)] {
            let inspection = after(&rules, dialect, &format!("{first} {second}"));
            let done = streamed(inspection, &calling(dialect, "mail", &given.to_string()));
            assert_eq!(done.judged.decision.verdict, verdict, "{dialect:?} {first}");
            if verdict == Verdict::Allow {
                assert_eq!(arguments(dialect, &done), meant, "{dialect:?}");
                assert_eq!(counts(&done.judged), restored(&[("email-address", 2)]), "{dialect:?}");
            } else {
                assert!(!done.text().contains(OTHER), "{dialect:?}");
            }
        }
    }
    // Gemini's signature speaks of the call as the model made it, which is what comes back to it.
    let call = calling(Dialect::Gemini, "say", r#"{"x": "[email-address-1]"}"#);
    let done = streamed(after(&rules, Dialect::Gemini, MAIL), &call);
    assert!(done.text().contains("c2ln") && done.text().contains(MAIL));
    // Whole, and with what needs escapes at both levels.
    let key =
        "-----BEGIN PRIVATE KEY-----\nMIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEA\n-----END PRIVATE KEY-----";
    let rules = self::rules("{secret: restore}", "{restricted: redact}");
    let inspection = after(&rules, Dialect::OpenAi, key);
    let call = |text: &str| {
        let function = json!({"name": "say", "arguments": json!({"x": text}).to_string()});
        json!({"choices": [{"index": 0, "message": {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": function}]}}]})
    };
    assert_eq!(answered(&inspection, &call("[private-key-1]")), Some(call(key)));
}

/// What has a form is JSON, whose strings values must not break.
#[test]
fn values_in_structured_answers_keep_them_whole() {
    let key =
        "-----BEGIN PRIVATE KEY-----\nMIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEA\n-----END PRIVATE KEY-----";
    let rules = rules("{secret: restore}", "{restricted: redact}");
    let format = json!({"response_format": {"type": "json_object"}});
    let inspection = asked_with(&rules, Dialect::OpenAi, key, &format).inspection;
    let says = r#"{"key": "[private-key-1]"}"#;
    let answer = answered(&inspection, &whole(Dialect::OpenAi, says)).expect("it passes");
    let said = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("a text")
        .to_owned();
    for said in [said, streamed(inspection, &Dialect::OpenAi.stream(&[says])).said()] {
        let parsed: Value = serde_json::from_str(&said).expect("is JSON still");
        assert_eq!(parsed["key"], key);
    }
}

/// Who goes by another telling of the same text reads the same.
#[test]
fn responses_put_values_back_wherever_the_text_is_told() {
    let stream = Dialect::Responses.stream(&["Ask [email-addr", "ess-1]!"]);
    let done = streamed(after(&reversible(), Dialect::Responses, MAIL), &stream);
    let means = format!("Ask {MAIL}!");
    let events = done.events();
    let of = |kind: &str| events.iter().find(|event| event["type"] == kind).expect("is there");
    assert_eq!(done.said(), means);
    assert_eq!(of("response.output_text.done")["text"], means);
    assert_eq!(
        of("response.completed")["response"]["output"][0]["content"][0]["text"],
        means
    );
    assert_eq!(counts(&done.judged), restored(&[("email-address", 1)]));
}

#[test]
fn another_exchange_knows_nothing_and_records_know_no_value() {
    let rules = reversible();
    let says = "Ask [email-address-1].";
    for dialect in DIALECTS {
        let stranger = after(&rules, dialect, "Hi.");
        assert_eq!(answered(&stranger, &whole(dialect, says)), Some(whole(dialect, says)));
        assert_eq!(streamed(stranger, &dialect.stream(&[says])).said(), says);
        let asked = asked(&rules, dialect, MAIL);
        let (judged, _) = asked.inspection.answer(whole(dialect, says).to_string().as_bytes());
        let header = record::Header {
            id: "2",
            at_ms: 0,
            subject: "s",
            on_behalf_of: None,
        };
        let outcome = record::outcome(&header, "1", record::Result::Completed, 200, 9, &rules, Some(&judged));
        let outcome = serde_json::to_value(outcome).expect("JSON");
        assert_eq!(outcome["restored"], json!({"email-address": 1}));
        assert_eq!(outcome["content"]["entities"]["email-address"]["distinct"], 1);
        let kept = format!("{outcome}{judged:?}");
        assert!(!kept.contains("ana@"), "{kept}");
    }
    // And without the key, there are labels as ever.
    let plain = asked(&masking(), Dialect::OpenAi, MAIL);
    assert_eq!(sent(&plain)["messages"][0]["content"], "[email-address]");
    assert_eq!(plain.judged.restored.len(), 0);
}

/// A program that shows the answer would fetch from there, and take the value along (threat E4).
#[test]
fn no_value_goes_into_an_address() {
    let says = "![x](https://a.example/?q=[email-address-1]) [email-address-1] <//a.example/ [email-address-1]> [email-address-1]";
    let means = format!("![x](https://a.example/?q=[email-address-1]) {MAIL} <//a.example/ [email-address-1]> {MAIL}");
    let mut dice = Dice(2);
    for dialect in DIALECTS {
        let inspection = after(&reversible(), dialect, MAIL);
        assert_eq!(
            answered(&inspection, &whole(dialect, says)),
            Some(whole(dialect, &means))
        );
        for most in [1, 4, 30] {
            let done = streamed(inspection.clone(), &dialect.stream(&dice.cut(says, most)));
            assert_eq!(done.said(), means, "{dialect:?} {most}");
        }
    }
    for dialect in WITH_TOOLS {
        let given = json!({"to": "https://a.example/[email-address-1]", "text": "[email-address-1]"});
        let done = streamed(
            after(&reversible(), dialect, MAIL),
            &calling(dialect, "say", &given.to_string()),
        );
        let meant = json!({"to": "https://a.example/[email-address-1]", "text": MAIL});
        assert_eq!(arguments(dialect, &done), meant, "{dialect:?}");
    }
}
