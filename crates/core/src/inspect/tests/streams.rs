//! Streams: however the bytes are cut and the text is framed, the client reads the same masked text, and never the value.

use std::sync::Arc;

use serde_json::{Value, json};

use super::world::{
    CARD, DIALECTS, Dialect, Dice, Hesitates, KEY, MAIL, admitted, blocking, chunk, detecting, masking, named, rules,
    run, run_whole, tools,
};
use crate::inspect::{Ending, Fate, Rules};
use crate::verdict::Verdict;

/// Texts with a value each, or several.
fn texts() -> Vec<String> {
    vec![
        format!("Pay with {CARD}, please."),
        format!("The key is {KEY}"),
        format!("Write to <{MAIL}> or to no one."),
        format!("{CARD}{MAIL} é😀 {KEY} 4111 1111 1111 1112"),
    ]
}

/// What masking makes of a whole answer with this text.
fn batch(rules: &Arc<Rules>, text: &str) -> String {
    let body =
        json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]})
            .to_string();
    let bytes = match admitted(rules, Dialect::OpenAi).answer(body.as_bytes()).1 {
        Fate::Forward(Some(bytes)) => bytes,
        Fate::Forward(None) => body.into_bytes(),
        Fate::Stop | Fate::Wait(..) => panic!("it is masked"),
    };
    let body: Value = serde_json::from_slice(&bytes).expect("JSON");
    body["choices"][0]["message"]["content"]
        .as_str()
        .expect("text")
        .to_owned()
}

#[test]
fn any_two_cuts_of_a_text_give_the_text_of_the_whole() {
    let rules = masking();
    for text in texts() {
        let expected = batch(&rules, &text);
        assert!(expected.contains('[') && ![CARD, KEY, MAIL].iter().any(|value| expected.contains(value)));
        let offsets: Vec<usize> = text.char_indices().map(|(offset, _)| offset).collect();
        for &one in &offsets {
            for &two in offsets.iter().filter(|&&two| two >= one) {
                let (before, last) = text.split_at(two);
                let (first, middle) = before.split_at(one);
                let pieces = [first, middle, last];
                let dialect = DIALECTS[two % DIALECTS.len()];
                let done = run_whole(&rules, dialect, &dialect.stream(&pieces));
                assert_eq!(done.said(), expected, "{pieces:?}");
                assert_eq!(done.ending, Ending::Complete);
                assert!(![CARD, KEY, MAIL].iter().any(|value| done.text().contains(value)));
            }
        }
    }
}

/// Some servers say that there is no reason to end in other words than `null`.
#[test]
fn an_empty_reason_ends_nothing() {
    let (first, last) = CARD.split_at(8);
    let chunk = |text: &str, reason: &str| chunk(0, &json!({"content": text}), Some(reason));
    let stream = chunk(first, "") + &chunk(last, "") + &chunk(".", "stop") + "data: [DONE]\n\n";
    let done = run_whole(&masking(), Dialect::OpenAi, &stream);
    assert_eq!(
        (done.said().as_str(), done.ending),
        ("[payment-card].", Ending::Complete)
    );
}

#[test]
fn character_by_character_and_at_random_too() {
    let rules = masking();
    let mut dice = Dice(14);
    for text in texts() {
        let expected = batch(&rules, &text);
        for dialect in DIALECTS {
            for most in [1, 1, 2, 3, 5, 9, 9, 20, 40] {
                let pieces = dice.cut(&text, most);
                let done = run_whole(&rules, dialect, &dialect.stream(&pieces));
                assert_eq!(done.said(), expected, "{pieces:?}");
                let events = done.events();
                // Whatever the client had put together at any moment, the value was not in it.
                for count in 0..events.len() {
                    let said = super::world::channels(&events[..count]);
                    assert!(said.values().all(|text| expected.starts_with(text.as_str())));
                }
            }
        }
    }
}

#[test]
fn the_same_bytes_cut_anywhere_give_the_same_bytes() {
    let mut dice = Dice(15);
    for rules in [masking(), blocking(), rules("redact", "observe", "block")] {
        for dialect in DIALECTS {
            for text in texts() {
                let pieces = dice.cut(&text, 8);
                for broken in [false, true] {
                    let mut bytes = dialect.stream(&pieces).into_bytes();
                    bytes.extend_from_slice(b": a comment\n\n");
                    if broken {
                        // Bytes that are no text, in the middle.
                        let middle = bytes.len() / 2;
                        bytes.splice(middle..middle, [b'\n', b'\n', 0xFF, b'\n', b'\n']);
                    }
                    let whole = run(admitted(&rules, dialect), [bytes.as_slice()]);
                    for most in [1, 2, 7, 64, 500] {
                        let cut = run(admitted(&rules, dialect), dice.cut_bytes(&bytes, most));
                        assert_eq!(
                            (cut.text(), cut.ending),
                            (whole.text(), whole.ending),
                            "pieces of up to {most}"
                        );
                        assert_eq!(cut.judged.facts.content, whole.judged.facts.content);
                        assert_eq!(cut.judged.decision, whole.judged.decision);
                    }
                }
            }
        }
    }
}

#[test]
fn interleaved_choices_are_texts_of_their_own() {
    let rules = masking();
    let mut dice = Dice(16);
    // Only wrongly joined, the first two would be a card.
    let texts = [
        "4111 1111 or so, ".to_owned(),
        "1111 1111 is no card. ".to_owned(),
        format!("But {CARD} is, and {MAIL} is a mail"),
    ];
    for most in [1, 3, 6] {
        let mut queues: Vec<Vec<&str>> = texts.iter().map(|text| dice.cut(text, most)).collect();
        queues.iter_mut().for_each(|queue| queue.reverse());
        let mut stream = String::new();
        while queues.iter().any(|queue| !queue.is_empty()) {
            let choice = dice.below(3);
            if let Some(piece) = queues[choice].pop() {
                stream += &chunk(choice as u64, &json!({"content": piece}), None);
            }
        }
        for choice in [2, 0, 1] {
            stream += &chunk(choice, &json!({}), Some("stop"));
        }
        stream += "data: [DONE]\n\n";
        let done = run_whole(&rules, Dialect::OpenAi, &stream);
        let channels = done.channels();
        assert_eq!(channels["0"], texts[0]);
        assert_eq!(channels["1"], texts[1]);
        assert_eq!(channels["2"], "But [payment-card] is, and [email-address] is a mail");
    }
}

#[test]
fn choices_in_one_event_are_kept_apart() {
    let data = |one: &str, two: &str| {
        let choice =
            |index: u64, text: &str| json!({"index": index, "delta": {"content": text}, "finish_reason": null});
        format!(
            "data: {}\n\n",
            json!({"id": "c", "choices": [choice(0, one), choice(1, two)]})
        )
    };
    let stream = data("a@example", "4111 1111 ") + &data(".com x", "1111 1111") + &data("", "") + "data: [DONE]\n\n";
    let done = run_whole(&masking(), Dialect::OpenAi, &stream);
    let channels = done.channels();
    assert_eq!(
        (channels["0"].as_str(), channels["1"].as_str()),
        ("[email-address] x", "[payment-card]")
    );
    assert_eq!(done.ending, Ending::Complete);
}

#[test]
fn held_text_comes_out_at_the_end() {
    for dialect in DIALECTS {
        // Each could still have become a match.
        for text in [
            "Write to ana@northwind",
            "Card 4111 1111 1111 111",
            "The key sk-proj-Qm3x",
            "4",
            "-----BEGIN RSA PRIVATE KEY-----\n",
        ] {
            let whole = dialect.stream(&[text]);
            let done = run_whole(&masking(), dialect, &whole);
            assert_eq!((done.said().as_str(), done.ending), (text, Ending::Complete));
            // The upstream broke off: what it said is not lost.
            let cut = dialect.start() + &dialect.piece(text);
            let done = run_whole(&masking(), dialect, &cut);
            assert_eq!((done.said().as_str(), done.ending), (text, Ending::Broken));
        }
    }
}

fn called(pieces: &[&str]) -> String {
    let call = |arguments: &str, first: bool| {
        let mut call = json!({"index": 0, "function": {"arguments": arguments}});
        if first {
            call["id"] = "call_1".into();
            call["type"] = "function".into();
            call["function"]["name"] = "pay".into();
        }
        chunk(0, &json!({"tool_calls": [call]}), None)
    };
    let pieces: String = pieces.iter().map(|piece| call(piece, false)).collect();
    call("", true) + &pieces + &chunk(0, &json!({}), Some("tool_calls")) + "data: [DONE]\n\n"
}

fn used(pieces: &[&str]) -> String {
    let block = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "pay", "input": {}}});
    let piece = |text: &&str| {
        named(
            &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": text}}),
        )
    };
    let pieces: String = pieces.iter().map(piece).collect();
    named(&block) + &pieces + &Dialect::Anthropic.end("")
}

#[test]
fn arguments_are_masked_whole_whatever_escapes_they_are_written_with() {
    let rules = masking();
    let mut dice = Dice(17);
    let plain = r#"{"card":"4111111111111111","to":["é","ana@northwind.example"],"n":1}"#;
    let escaped = r#"{"card":"\u003411111111111111\u0031","to":["é","ana\u0040northwind.example"],"n":1}"#;
    let masked = r#"{"card":"[payment-card]","to":["é","[email-address]"],"n":1}"#;
    for text in [plain, escaped] {
        for most in [1, 4, 11, 80] {
            let pieces = dice.cut(text, most);
            let done = run_whole(&rules, Dialect::OpenAi, &called(&pieces));
            assert_eq!(
                (done.channels()["0/0"].as_str(), done.ending),
                (masked, Ending::Complete)
            );
            assert_eq!(tools(&done.judged), ["pay"]);
            let done = run_whole(&rules, Dialect::Anthropic, &used(&pieces));
            assert_eq!((done.channels()["0"].as_str(), done.ending), (masked, Ending::Complete));
        }
    }
    // Harmless ones come out as they were written.
    let harmless = r#"{ "a" : "\u0061", "b":1e2 }"#;
    assert_eq!(
        run_whole(&rules, Dialect::OpenAi, &called(&dice.cut(harmless, 3))).channels()["0/0"],
        harmless
    );
}

#[test]
fn arguments_that_are_no_json_are_text_and_with_escapes_unreadable() {
    let done = run_whole(
        &masking(),
        Dialect::OpenAi,
        &called(&["pay 4111 1111", " 1111 1111 now"]),
    );
    assert_eq!(done.channels()["0/0"], "pay [payment-card] now");
    let done = run_whole(&masking(), Dialect::OpenAi, &called(&[r#"{"card":"\u00341111"#]));
    assert_eq!(done.ending, Ending::Stopped);
    assert!(done.judged.facts.content.uninspectable);
}

#[test]
fn a_blocked_stream_ends_well_formed_without_what_was_held() {
    for text in texts().iter().take(3) {
        for dialect in DIALECTS {
            let mut dice = Dice(18);
            for most in [1, 5, 100] {
                let done = run_whole(&blocking(), dialect, &dialect.stream(&dice.cut(text, most)));
                assert_eq!(
                    (done.ending, done.judged.decision.verdict),
                    (Ending::Stopped, Verdict::Block)
                );
                let events = done.events();
                let (last, before) = events.split_last().expect("events");
                match dialect {
                    Dialect::OpenAi | Dialect::Completions => {
                        assert_eq!(*last, "[DONE]");
                        assert_eq!(
                            before.last().expect("one")["choices"][0]["finish_reason"],
                            "content_filter"
                        );
                    }
                    Dialect::Anthropic => {
                        assert_eq!(last["type"], "message_stop");
                        assert_eq!(before.last().expect("one")["delta"]["stop_reason"], "refusal");
                        let count = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
                        assert_eq!(
                            count("content_block_start"),
                            count("content_block_stop"),
                            "every block is closed"
                        );
                        assert_eq!(count("message_start"), 1);
                    }
                    Dialect::Gemini => {
                        assert_eq!(last["candidates"][0]["finishReason"], "PROHIBITED_CONTENT");
                    }
                    Dialect::Ollama => {
                        assert_eq!(
                            (&last["done"], &last["done_reason"]),
                            (&json!(true), &json!("content_filter"))
                        );
                        assert!(before.iter().all(|event| event["done"] == false));
                    }
                    Dialect::Responses => {
                        assert_eq!(last["type"], "response.incomplete");
                        assert_eq!(last["response"]["id"], "resp_1");
                        assert_eq!(last["response"]["incomplete_details"]["reason"], "content_filter");
                        assert_eq!(last["response"]["output"][0], before.last().expect("one")["item"]);
                    }
                }
                let said: String = done.channels().into_values().collect();
                assert!(
                    said.contains("Blocked by data.answers") && said.contains("0190-rec"),
                    "{said}"
                );
                for value in ["4111", "sk-proj", "northwind", "ana@"] {
                    assert!(!done.text().contains(value), "{}", done.text());
                }
            }
        }
    }
}

#[test]
fn a_value_where_nothing_can_be_edited_stops_the_stream() {
    let stream = Dialect::OpenAi.start()
        + "data: {\"id\":\"c\",\"x_trace\":\"4111111111111111\",\"choices\":[]}\n\n"
        + &Dialect::OpenAi.end("");
    let done = run_whole(&masking(), Dialect::OpenAi, &stream);
    assert_eq!(
        (done.ending, done.judged.decision.verdict),
        (Ending::Stopped, Verdict::Block)
    );
    assert!(!done.text().contains("4111"));
}

#[test]
fn a_stream_without_its_end_is_broken_in_the_words_of_its_dialect() {
    for dialect in DIALECTS {
        let stream = dialect.start() + &dialect.piece("Hello there ");
        let done = run_whole(&masking(), dialect, &stream);
        assert_eq!(done.ending, Ending::Broken);
        assert_eq!(done.said(), "Hello there ");
        let events = done.events();
        let last = events.last().expect("an event");
        let error = if dialect == Dialect::Ollama {
            &last["error"]
        } else {
            &last["error"]["message"]
        };
        assert!(
            error.as_str().is_some_and(|message| message.contains("before its end")),
            "{last}"
        );
        let has_type = matches!(dialect, Dialect::Anthropic | Dialect::Responses);
        assert_eq!(last["type"] == "error", has_type);
        // Cut off within an event, the rest of it does not count.
        let more = dialect.piece("more");
        let cut = stream + more.split_at(20).0;
        assert_eq!(run_whole(&masking(), dialect, &cut).text(), done.text());
    }
}

#[test]
fn nothing_is_taken_after_the_end() {
    for dialect in DIALECTS.into_iter().filter(|dialect| dialect.has_last_word()) {
        let stream = dialect.stream(&["Hello "]);
        let more = stream.clone() + &dialect.piece(CARD);
        let done = run(
            admitted(&masking(), dialect),
            [more.as_bytes(), dialect.piece("more").as_bytes()],
        );
        assert_eq!((done.text(), done.ending), (stream.as_str(), Ending::Complete));
    }
}

#[test]
fn log_probabilities_go_when_their_text_changes_and_stay_otherwise() {
    let event = |text: &str, logprobs: &Value| {
        format!(
            "data: {}\n\n",
            json!({"id": "c", "choices": [{"index": 0, "delta": {"content": text}, "logprobs": logprobs, "finish_reason": null}]})
        )
    };
    let logprobs =
        |token: &str| json!({"content": [{"token": token, "logprob": -0.25, "bytes": null, "top_logprobs": []}]});
    let stream = event("Pay with ", &logprobs("Pay with "))
        + &event("4111 1111 1111 ", &logprobs("4111"))
        + &event("1111 now. ", &logprobs("1111 now. "))
        + &event("Yes. ", &logprobs("Yes. "))
        + &Dialect::OpenAi.end("");
    let done = run_whole(&masking(), Dialect::OpenAi, &stream);
    assert_eq!(done.said(), "Pay with [payment-card] now. Yes. ");
    let kept: Vec<bool> = done
        .events()
        .iter()
        .filter(|event| event["choices"][0]["delta"]["content"].is_string())
        .map(|event| !event["choices"][0]["logprobs"].is_null())
        .collect();
    assert_eq!(kept, [true, false, false, true]);
    assert!(!done.text().contains("4111"));
}

#[test]
fn those_of_a_completion_too() {
    let event = |text: &str| {
        let logprobs =
            json!({"tokens": [text], "token_logprobs": [-0.25], "top_logprobs": [{text: -0.25}], "text_offset": [0]});
        let choice = json!({"text": text, "index": 0, "logprobs": logprobs, "finish_reason": null});
        format!("data: {}\n\n", json!({"id": "cmpl-1", "choices": [choice]}))
    };
    let pieces = ["Pay with ", "4111 1111 1111 ", "1111 now. ", "Yes. "];
    let stream = pieces.map(event).concat() + &Dialect::Completions.end("");
    let done = run_whole(&masking(), Dialect::Completions, &stream);
    assert_eq!(done.said(), "Pay with [payment-card] now. Yes. ");
    let events = done.events();
    let with_text = events.iter().filter(|event| {
        event["choices"][0]["text"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    });
    let kept: Vec<bool> = with_text
        .map(|event| !event["choices"][0]["logprobs"].is_null())
        .collect();
    assert_eq!(kept.first(), Some(&true));
    assert_eq!(kept.last(), Some(&true));
    assert!(!done.text().contains("4111"));
}

#[test]
fn the_signature_of_edited_thinking_is_dropped() {
    let think = |texts: &[&str]| {
        let start = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}});
        let piece = |text: &&str| {
            named(
                &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": text}}),
            )
        };
        let signature = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "EqQBCkYIBRgC"}});
        named(&start) + &texts.iter().map(piece).collect::<String>() + &named(&signature) + &Dialect::Anthropic.end("")
    };
    let done = run_whole(
        &masking(),
        Dialect::Anthropic,
        &think(&["They pay with 4111 1111", " 1111 1111"]),
    );
    assert_eq!(done.said(), "They pay with [payment-card]");
    assert!(!done.text().contains("EqQB"));
    let harmless = think(&["They pay ", "cash"]);
    let done = run_whole(&masking(), Dialect::Anthropic, &harmless);
    assert_eq!(done.said(), "They pay cash");
    assert!(done.text().contains("EqQB"));
}

#[test]
fn what_stays_undecided_for_longer_than_its_horizon_stops_the_stream() {
    let rules = detecting(&masking(), vec![Arc::new(Hesitates)]);
    for dialect in DIALECTS {
        let stream = dialect.stream(&["Hello ", "there, ", "all of you."]);
        let done = run_whole(&rules, dialect, &stream);
        assert_eq!(done.ending, Ending::Stopped);
        assert!(
            done.judged
                .uninspectable
                .iter()
                .any(|(_, what)| *what == "longer-than-horizon")
        );
        assert!(!done.text().contains("Hello"));
    }
}

/// Forty kilobytes of a private key, without its end.
#[test]
fn nothing_of_an_endless_private_key_passes_a_policy_that_blocks_it() {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n";
    let body = line.repeat(40 * 1024 / line.len());
    let lines: Vec<&str> = body.split_inclusive('\n').collect();
    for dialect in DIALECTS {
        let mut pieces = vec!["Here: -----BEGIN PRIVATE", " KEY-----\n"];
        pieces.extend(&lines);
        let done = run_whole(&blocking(), dialect, &dialect.stream(&pieces));
        assert_eq!(done.ending, Ending::Stopped);
        assert!(!done.text().contains("MIIEvQ") && !done.text().contains("BEGIN"));
    }
}
