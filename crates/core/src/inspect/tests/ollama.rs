//! What only Ollama has: lines, token ids of the conversation, tool calls that are whole, times that look like numbers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::world::{
    CARD, Dialect, Dice, Outcome, admitted, blocking, line, masking, request, rules, run, run_whole, tools,
};
use crate::inspect::{Ending, Fate, Inspection, Rules};
use crate::verdict::Verdict;
use crate::wire::ollama::{Ollama, OllamaEmbed};

/// The inspection after a harmless prompt.
fn prompted(rules: &Arc<Rules>) -> Inspection {
    request(rules, &Ollama::Generate, r#"{"model":"m","prompt":"why?"}"#).inspection
}

fn response(text: &str) -> String {
    format!("{}\n", json!({"model": "m", "response": text, "done": false}))
}

fn last(text: &str) -> String {
    let data =
        json!({"model": "m", "response": text, "done": true, "done_reason": "stop", "context": [105, 2364, 107]});
    format!("{data}\n")
}

fn ran(rules: &Arc<Rules>, stream: &str) -> Outcome {
    run(prompted(rules), [stream.as_bytes()])
}

#[test]
fn a_response_is_the_same_however_its_text_is_framed() {
    let rules = masking();
    let mut dice = Dice(21);
    let text = format!("{CARD}, é😀 ana@northwind.example and 4111 1111 1111 1112");
    let expected = "[payment-card], é😀 [email-address] and 4111 1111 1111 1112";
    for most in [1, 1, 2, 3, 5, 9, 20, 80] {
        let pieces: String = dice.cut(&text, most).into_iter().map(response).collect();
        for end in ["", "."] {
            let stream = pieces.clone() + &last(end);
            let done = ran(&rules, &stream);
            assert_eq!(
                (done.said(), done.ending),
                (format!("{expected}{end}"), Ending::Complete)
            );
            for most in [1, 7, 60] {
                let cut = run(prompted(&rules), dice.cut_bytes(stream.as_bytes(), most));
                assert_eq!(cut.bytes, done.bytes);
            }
        }
    }
}

/// They say again what the model said, masked or not.
#[test]
fn token_ids_go_with_the_text_that_they_repeat() {
    let masked = response("Card 4111 1111") + &response(" 1111 1111") + &response(" is yours. ");
    let held = response("Card 4111 1111 1111");
    for (rules, stream, kept) in [
        (masking(), masked.clone() + &last(""), false),
        (masking(), held.clone() + &last(" 1111"), false),
        (masking(), held + &last(""), true),
        (masking(), response("All is well. ") + &last(""), true),
        (rules("redact", "observe", "block"), masked + &last(""), true),
    ] {
        let done = ran(&rules, &stream);
        assert_eq!(done.ending, Ending::Complete);
        let events = done.events();
        let context = &events.last().expect("a line")["context"];
        assert_eq!(context.is_array(), kept, "{}", done.text());
        assert!(kept || context.is_null());
    }
    // Of what stands in arguments they speak too.
    for (value, kept) in [(CARD, false), ("cash", true)] {
        let end = json!({"model": "m", "message": {"role": "assistant", "content": ""}, "done": true, "context": [105, 2364]});
        let done = run_whole(
            &masking(),
            Dialect::Ollama,
            &format!("{}{end}\n", calling(&json!({"with": value}))),
        );
        let events = done.events();
        assert_eq!(
            events.last().expect("a line")["context"].is_array(),
            kept,
            "{}",
            done.text()
        );
    }
    let answer = |text: &str, context: &str| format!(r#"{{"response":"{text}","done":true,"context":{context}}}"#);
    let inspection = prompted(&masking());
    assert_eq!(
        inspection.answer(answer(CARD, "[105,2364]").as_bytes()).1,
        Fate::Forward(Some(answer("[payment-card]", "null").into_bytes()))
    );
    assert_eq!(
        inspection.answer(answer("All is well.", "[105,2364]").as_bytes()).1,
        Fate::Forward(None)
    );
}

fn calling(arguments: &Value) -> String {
    let call = json!({"function": {"name": "pay", "arguments": arguments}});
    line(&json!({"role": "assistant", "content": "", "tool_calls": [call]}))
}

#[test]
fn arguments_are_masked_in_their_line() {
    let arguments = json!({"card": CARD, "again": [4_111_111_111_111_111_u64, "no"], "n": 1.5});
    let masked = json!({"card": "[payment-card]", "again": ["[payment-card]", "no"], "n": 1.5});
    let end = Dialect::Ollama.end("");
    let done = run_whole(&masking(), Dialect::Ollama, &(calling(&arguments) + &end));
    assert_eq!(done.text(), calling(&masked) + &end);
    assert_eq!(tools(&done.judged), ["pay"]);
    assert_eq!(done.judged.masked.values().copied().collect::<Vec<_>>(), [2]);
    let harmless = calling(&json!({"to": "home"})) + &end;
    assert_eq!(run_whole(&masking(), Dialect::Ollama, &harmless).text(), harmless);
    // A text where an object should be is read as the JSON that it is.
    let text = json!(arguments.to_string());
    let done = run_whole(&masking(), Dialect::Ollama, &(calling(&text) + &end));
    assert_eq!(done.text(), calling(&json!(masked.to_string())) + &end);
    // A name cannot be masked, and nothing passes a policy that blocks.
    let named = json!({CARD: "x"});
    for (rules, arguments) in [(masking(), &named), (blocking(), &arguments)] {
        let done = run_whole(&rules, Dialect::Ollama, &(calling(arguments) + &end));
        assert_eq!(
            (done.ending, done.judged.decision.verdict),
            (Ending::Stopped, Verdict::Block)
        );
        assert!(!done.text().contains("4111"));
    }
}

/// A client would carry out what it is told twice.
#[test]
fn held_text_does_not_bring_a_tool_call_along_again() {
    let stream = Dialect::Ollama.piece("Card 4111 1111") + &calling(&json!({"to": "home"}));
    let done = run_whole(&masking(), Dialect::Ollama, &stream);
    assert_eq!((done.said().as_str(), done.ending), ("Card 4111 1111", Ending::Broken));
    assert_eq!(done.text().matches("\"pay\"").count(), 1, "{}", done.text());
}

#[test]
fn what_is_thought_and_what_is_said_are_two_texts() {
    let think = |text: &str| line(&json!({"role": "assistant", "content": "", "thinking": text}));
    let stream = think("It is 4111 1111 ") + &Dialect::Ollama.piece("1111 1111, ") + &think("1111 1111. ");
    let done = run_whole(&masking(), Dialect::Ollama, &(stream + &Dialect::Ollama.end("")));
    let thought: String = done
        .events()
        .iter()
        .filter_map(|event| event["message"]["thinking"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(
        (thought.as_str(), done.said().as_str()),
        ("It is [payment-card]. ", "1111 1111, ")
    );
}

/// A run of an hour has as many nanoseconds as a card number has digits.
#[test]
fn what_the_server_counts_is_never_a_card_number() {
    let rules = blocking();
    let timed = |name: &str| {
        let number = json!({"done": true, name: 4_111_111_111_111_111_u64, "message": {"role": "assistant"}});
        format!("{number}\n")
    };
    for name in [
        "total_duration",
        "load_duration",
        "prompt_eval_duration",
        "eval_duration",
    ] {
        let inspection = admitted(&rules, Dialect::Ollama);
        assert_eq!(
            inspection.answer(timed(name).as_bytes()).1,
            Fate::Forward(None),
            "{name}"
        );
        assert_eq!(run_whole(&rules, Dialect::Ollama, &timed(name)).text(), timed(name));
    }
    let inspection = admitted(&rules, Dialect::Ollama);
    assert_eq!(inspection.answer(timed("x_account").as_bytes()).1, Fate::Stop);
    assert_eq!(
        run_whole(&rules, Dialect::Ollama, &timed("x_account")).ending,
        Ending::Stopped
    );

    let embed = || request(&rules, &OllamaEmbed, r#"{"model":"m","input":["why?"]}"#).inspection;
    let vectors = r#"{"model":"m","embeddings":[[0.4111111111111111,-1.5e-9]],"embedding":[4.111111111111111]}"#;
    assert_eq!(embed().answer(vectors.as_bytes()).1, Fate::Forward(None));
    // What is as large as an account is no measurement.
    for odd in ["\"4111111111111111\"", "4111111111111111"] {
        let vectors = format!(r#"{{"model":"m","embeddings":[[{odd}]]}}"#);
        assert_eq!(embed().answer(vectors.as_bytes()).1, Fate::Stop);
    }
    assert!(embed().stream().is_none());
}

#[test]
fn an_error_ends_a_stream_and_is_looked_at() {
    let error = |text: &str| format!("{}\n", json!({"error": text}));
    let stream = Dialect::Ollama.piece("Hello ") + &error("out of memory");
    let done = run_whole(
        &masking(),
        Dialect::Ollama,
        &(stream.clone() + &Dialect::Ollama.end("")),
    );
    assert_eq!((done.text(), done.ending), (stream.as_str(), Ending::Complete));
    let done = run_whole(&masking(), Dialect::Ollama, &error(CARD));
    assert_eq!(done.ending, Ending::Stopped);
    assert!(!done.text().contains("4111"));
}

/// The end of a stream ends its last line too; a piece of a line is none.
#[test]
fn a_line_that_is_cut_off_is_lost_with_the_connection() {
    let said = Dialect::Ollama.piece("Hello ");
    let end = Dialect::Ollama.end("");
    let done = run_whole(&masking(), Dialect::Ollama, &(said.clone() + end.trim_end()));
    assert_eq!(
        (done.text(), done.ending),
        ((said.clone() + &end).as_str(), Ending::Complete)
    );
    for cut in 1..end.trim_end().len() {
        let done = run_whole(&masking(), Dialect::Ollama, &(said.clone() + end.split_at(cut).0));
        assert_eq!((done.said().as_str(), done.ending), ("Hello ", Ending::Broken), "{cut}");
        assert!(!done.judged.facts.content.uninspectable);
    }
}
