//! Events that are answers of their own: what comes whole in them is masked there, once, and nothing is told twice.

use std::sync::Arc;

use serde_json::{Value, json};

use super::world::{
    CARD, Dialect, Dice, MAIL, Outcome, admitted, blocking, candidate, masking, rules, run, run_whole, tools,
};
use crate::inspect::stream::MOST_STILL;
use crate::inspect::{Ending, Fate, Rules};
use crate::verdict::{Source, Verdict};

fn stream(rules: &Arc<Rules>, events: &[Value]) -> Outcome {
    let events: String = events.iter().map(|parts| candidate(0, parts, None)).collect();
    run_whole(rules, Dialect::Gemini, &(events + &Dialect::Gemini.end("")))
}

/// What parts of all events have under a name, `null` left out.
fn given(done: &Outcome, name: &str) -> Vec<Value> {
    let events = done.events();
    let parts = events.iter().flat_map(|event| {
        event["candidates"][0]["content"]["parts"]
            .as_array()
            .into_iter()
            .flatten()
    });
    parts
        .map(|part| part[name].clone())
        .filter(|value| !value.is_null())
        .collect()
}

#[test]
fn arguments_that_are_an_object_are_masked_in_place() {
    let rules = masking();
    let call = |arguments: &str| {
        format!(
            r#"data: {{"candidates":[{{"content":{{"parts":[{{"functionCall":{{"name":"pay","args":{arguments}}}}}]}},"index":0}}]}}{}"#,
            "\n\n"
        )
    };
    let end = Dialect::Gemini.end("");
    let before = call(
        r#"{ "card":"\u003411111111111111\u0031", "to":["é",{"x":"<ana@northwind.example>"}], "n":4111111111111111, "m":1e2 }"#,
    );
    let after =
        call(r#"{ "card":"[payment-card]", "to":["é",{"x":"<[email-address]>"}], "n":"[payment-card]", "m":1e2 }"#);
    let done = run_whole(&rules, Dialect::Gemini, &(before.clone() + &end));
    assert_eq!((done.text(), done.ending), (&*(after + &end), Ending::Complete));
    assert_eq!(done.judged.decision.verdict, Verdict::Redact);
    assert_eq!(done.judged.masked.values().sum::<u32>(), 3);
    assert_eq!(tools(&done.judged), ["pay"]);
    // Names cannot be edited, and a blocked value goes nowhere.
    for (rules, event) in [
        (masking(), call(r#"{"4111111111111111":1}"#)),
        (blocking(), before.clone()),
    ] {
        let done = run_whole(&rules, Dialect::Gemini, &(event + &end));
        assert_eq!(done.ending, Ending::Stopped);
        assert!(!done.text().contains("4111") && !done.text().contains("northwind"));
    }
    // Who only looks on sees the same and changes nothing.
    let observed = run_whole(
        &self::rules("redact", "observe", "block"),
        Dialect::Gemini,
        &(before.clone() + &end),
    );
    assert_eq!(
        (observed.text(), observed.ending),
        (&*(before + &end), Ending::Complete)
    );
}

#[test]
fn two_values_that_come_whole_are_never_one() {
    let half = |code: &str| json!([{"executableCode": {"language": "PYTHON", "code": code}}]);
    let done = stream(&masking(), &[half("4111 1111 "), half("1111 1111"), half(CARD)]);
    let codes: Vec<Value> = given(&done, "executableCode")
        .iter()
        .map(|code| code["code"].clone())
        .collect();
    assert_eq!(codes, ["4111 1111 ", "1111 1111", "[payment-card]"]);
}

#[test]
fn text_that_was_held_comes_without_what_stood_beside_it() {
    let call = json!({"name": "mail", "args": {"to": MAIL}});
    let events = [
        json!([{"text": "Write to ana@north"}, {"functionCall": call, "thoughtSignature": "c2ln"}, {"text": "wi"}]),
        json!([{"text": "hm 4111", "thought": true}]),
    ];
    let done = stream(&masking(), &events);
    let said = given(&done, "text");
    let said: String = said.iter().filter_map(Value::as_str).collect();
    assert!(
        said.contains("Write to ") && said.contains("ana@northwi") && said.contains("4111"),
        "{said}"
    );
    assert_eq!(
        given(&done, "functionCall"),
        [json!({"name": "mail", "args": {"to": "[email-address]"}})]
    );
    assert!(given(&done, "thoughtSignature").is_empty(), "its call was masked");
    assert!(!done.text().contains(MAIL));
    let usage = done
        .events()
        .iter()
        .filter(|event| event["usageMetadata"].is_object())
        .count();
    assert_eq!(usage, 4, "one for each event of the upstream");
    assert_eq!(tools(&done.judged), ["mail"]);
}

#[test]
fn a_signature_falls_with_what_it_vouches_for() {
    let signed = |texts: &[&str]| {
        let mut events: Vec<Value> = texts.iter().map(|text| json!([{"text": text}])).collect();
        events.push(json!([{"text": "", "thoughtSignature": "dGV4dA=="}]));
        for name in ["pay", "wait"] {
            let arguments = json!({"card": if name == "pay" { texts.concat() } else { "none".to_owned() }});
            events.push(json!([{"functionCall": {"name": name, "args": arguments}, "thoughtSignature": name}]));
        }
        stream(&masking(), &events)
    };
    let done = signed(&["Pay with 4111 1111", " 1111 1111 now. ", "Thanks. "]);
    assert_eq!(done.said(), "Pay with [payment-card] now. Thanks. ");
    assert_eq!(given(&done, "thoughtSignature"), ["wait"]);
    let done = signed(&["Pay with cash. ", "Thanks. "]);
    assert_eq!(given(&done, "thoughtSignature"), ["dGV4dA==", "pay", "wait"]);
}

#[test]
fn places_in_a_text_fall_when_it_was_changed_before() {
    let grounded = |text: &str| {
        let metadata = json!({"groundingChunks": [{"web": {"title": format!("Of {MAIL}")}}],
            "groundingSupports": [{"segment": {"startIndex": 9, "endIndex": 20, "text": text}}]});
        let last = json!({"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP",
            "groundingMetadata": metadata, "logprobsResult": {"chosenCandidates": [{"token": "4111"}]}}]});
        let stream = candidate(0, &json!([{"text": text}]), None) + &format!("data: {last}\n\n");
        run_whole(&masking(), Dialect::Gemini, &stream)
    };
    let done = grounded(&format!("Pay with {CARD}. "));
    let last = done.events().pop().expect("an event");
    assert_eq!(
        (done.said().as_str(), done.ending),
        ("Pay with [payment-card]. ", Ending::Complete)
    );
    assert!(last["candidates"][0]["groundingMetadata"]["groundingSupports"].is_null());
    assert!(last["candidates"][0]["logprobsResult"].is_null());
    assert_eq!(
        last["candidates"][0]["groundingMetadata"]["groundingChunks"][0]["web"]["title"],
        "Of [email-address]"
    );
    assert!(!done.text().contains("4111"));
    let done = grounded("Pay with cash. ");
    let last = done.events().pop().expect("an event");
    assert_eq!(
        last["candidates"][0]["groundingMetadata"]["groundingSupports"][0]["segment"]["startIndex"],
        9
    );
    assert!(
        last["candidates"][0]["logprobsResult"].is_null(),
        "something of the candidate was changed"
    );
    let found = &done.judged.facts.content.entities;
    assert_eq!(found[0].sources, [Source::Retrieved].into_iter().collect());
}

#[test]
fn what_comes_after_the_reason_to_end_is_looked_at_all_the_same() {
    let more = candidate(0, &json!([{"text": CARD}]), Some("STOP"));
    let usage = "data: {\"usageMetadata\":{\"totalTokenCount\":9}}\n\n";
    let whole = Dialect::Gemini.stream(&["Hello. "]) + &more + usage;
    let done = run_whole(&masking(), Dialect::Gemini, &whole);
    assert_eq!(
        (done.said().as_str(), done.ending),
        ("Hello. [payment-card]", Ending::Complete)
    );
    let mut dice = Dice(19);
    for most in [1, 9, 70] {
        let cut = run(
            admitted(&masking(), Dialect::Gemini),
            dice.cut_bytes(whole.as_bytes(), most),
        );
        assert_eq!((cut.bytes, cut.ending), (done.bytes.clone(), done.ending));
    }
    // An answer that goes on may not end there.
    let cut = Dialect::Gemini.stream(&["Hello. "]) + &candidate(0, &json!([{"text": "And "}]), None) + usage;
    assert_eq!(run_whole(&masking(), Dialect::Gemini, &cut).ending, Ending::Broken);
}

#[test]
fn an_array_of_pieces_is_masked_in_a_piece_and_stopped_across_them() {
    let inspection = admitted(&masking(), Dialect::Gemini);
    let array = |texts: &[&str]| {
        let pieces = texts
            .iter()
            .map(|text| json!({"candidates": [{"content": {"parts": [{"text": text}]}}]}));
        Value::Array(pieces.collect()).to_string()
    };
    let fate = |texts: &[&str]| inspection.answer(array(texts).as_bytes());
    assert_eq!(fate(&["Pay ", "cash. "]).1, Fate::Forward(None));
    let masked = array(&["Pay with [payment-card]. "]).into_bytes();
    assert_eq!(fate(&[&format!("Pay with {CARD}. ")]).1, Fate::Forward(Some(masked)));
    for texts in [&["Pay with 4111 1111 ", "1111 1111. "][..], &[CARD, " is it. "]] {
        let (judged, fate) = fate(texts);
        assert_eq!((judged.decision.verdict, fate), (Verdict::Block, Fate::Stop));
    }
}

#[test]
fn a_copy_that_carries_held_text_tells_nothing_that_was_masked() {
    let event = json!({"candidates": [{"content": {"parts": [{"text": "Call 4111 11"}]}, "index": 0}],
        "xNew": {"note": format!("Of {MAIL}")}});
    let done = run_whole(
        &masking(),
        Dialect::Gemini,
        &(format!("data: {event}\n\n") + &Dialect::Gemini.end("")),
    );
    assert_eq!((done.said().as_str(), done.ending), ("Call 4111 11", Ending::Complete));
    assert!(!done.text().contains(MAIL), "{}", done.text());
    assert_eq!(done.text().matches("Of [email-address]").count(), 2);
}

#[test]
fn a_candidate_ends_with_the_last_of_its_pieces() {
    let parts = json!([{"text": "Pay with 4111 1111 "}, {"text": "1111 1111"}, {"text": "."}]);
    let done = run_whole(&masking(), Dialect::Gemini, &candidate(0, &parts, Some("STOP")));
    assert_eq!(
        (done.said().as_str(), done.ending),
        ("Pay with [payment-card].", Ending::Complete)
    );
    assert!(!done.text().contains("1111"));
}

/// Names of values cost memory, and what is looked for among them time.
#[test]
fn of_values_that_stand_for_themselves_only_so_many_are_remembered() {
    let ids: Vec<Value> = (0..MOST_STILL + 9).map(|at| json!({"id": format!("v{at}")})).collect();
    let event = format!("data: {}\n\n", json!({"choices": [], "x_ids": ids}));
    let mut stream = admitted(&masking(), Dialect::OpenAi).stream().expect("it streams");
    stream.push(event.as_bytes());
    assert_eq!(stream.seen.channels.len(), MOST_STILL);
    // What grows is remembered all the same.
    let said = Dialect::OpenAi.piece("Hello. ");
    stream.push(said.as_bytes());
    assert_eq!(stream.seen.channels.last().map(String::as_str), Some("0/content"));
    assert!(stream.seen.open.contains(&"0/content".to_owned()));
    stream.push(Dialect::OpenAi.end("").as_bytes());
    assert!(stream.seen.open.iter().all(|name| name.starts_with("still")));
}
