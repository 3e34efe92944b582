//! A client hears of a call of a tool when it is whole and judged, and of one that is stopped not at all.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::tools::{CLOCK, Called, ELSEWHERE, HOME, PARTNER, call_item, letters, stream};
use super::world::{
    CARD, Dialect, Dice, MAIL, Outcome, WITH_TOOLS, admitted, blocking, candidate, chunk, masking, named, response,
    run_whole, tools,
};
use crate::inspect::stream::MOST_WAITING;
use crate::inspect::{Ending, Step};

/// A call as a client puts it together: its name, and its arguments as the text that they are.
type Heard = (String, String);

/// The calls that a client puts together. Names grow as arguments do, as they do in SDKs: one that is told twice is another
/// one.
fn heard(events: &[Value]) -> Vec<Heard> {
    let mut calls: BTreeMap<(u64, u64), Heard> = BTreeMap::new();
    let mut add = |at: (u64, u64), name: &Value, arguments: &Value| {
        let call = calls.entry(at).or_default();
        call.0 += name.as_str().unwrap_or_default();
        call.1 += arguments.as_str().unwrap_or_default();
    };
    let index = |value: &Value| value.as_u64().unwrap_or_default();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for (number, event) in (0..).zip(events) {
        for choice in list(&event["choices"]) {
            for call in list(&choice["delta"]["tool_calls"]) {
                let function = &call["function"];
                let at = (index(&choice["index"]), index(&call["index"]));
                add(at, &function["name"], &function["arguments"]);
            }
        }
        for part in list(&event["candidates"][0]["content"]["parts"]) {
            if let Some(call) = part.get("functionCall") {
                add((number, 0), &call["name"], &call["args"].to_string().into());
            }
        }
        for call in list(&event["message"]["tool_calls"]) {
            let function = &call["function"];
            add(
                (number, 0),
                &function["name"],
                &function["arguments"].to_string().into(),
            );
        }
        match event["type"].as_str().unwrap_or_default() {
            "content_block_start" if event["content_block"]["type"] == "tool_use" => {
                add(
                    (0, index(&event["index"])),
                    &event["content_block"]["name"],
                    &Value::Null,
                );
            }
            "content_block_delta" if event["delta"]["type"] == "input_json_delta" => {
                add(
                    (0, index(&event["index"])),
                    &Value::Null,
                    &event["delta"]["partial_json"],
                );
            }
            "response.output_item.added" if event["item"]["type"] == "function_call" => {
                add((0, index(&event["output_index"])), &event["item"]["name"], &Value::Null);
            }
            "response.function_call_arguments.delta" => {
                add((0, index(&event["output_index"])), &Value::Null, &event["delta"]);
            }
            _ => {}
        }
    }
    calls.into_values().collect()
}

/// The calls as they were meant.
fn said(dialect: Dialect, calls: &[Called<'_>]) -> Vec<Heard> {
    let as_said = |(name, pieces): &Called<'_>| {
        let text = pieces.concat();
        let whole = matches!(dialect, Dialect::Gemini | Dialect::Ollama);
        let value = |text: &str| serde_json::from_str::<Value>(text).expect("JSON").to_string();
        ((*name).to_owned(), if whole { value(&text) } else { text })
    };
    calls.iter().map(as_said).collect()
}

/// Holds events against what the SDKs of their dialect insist on.
fn assert_in_order(dialect: Dialect, events: &[Value]) {
    match dialect {
        Dialect::Anthropic => {
            let (mut next, mut open) = (0, None);
            for event in events {
                let index = event["index"].as_u64();
                match event["type"].as_str().expect("a type") {
                    "content_block_start" => {
                        assert_eq!((index, open), (Some(next), None), "blocks come one after another");
                        (next, open) = (next + 1, index);
                    }
                    "content_block_delta" => assert_eq!(index, open, "{event}"),
                    "content_block_stop" => assert_eq!(index, open.take().map(Some).expect("an open block")),
                    _ => assert_eq!(open, None, "{event}"),
                }
            }
        }
        Dialect::Responses => {
            let mut added = Vec::new();
            for event in events.iter().filter(|event| event["output_index"].is_u64()) {
                if event["type"] == "response.output_item.added" {
                    assert!(!added.contains(&event["output_index"]), "an item is added once");
                    added.push(event["output_index"].clone());
                }
                assert!(added.contains(&event["output_index"]), "{event}");
            }
        }
        Dialect::OpenAi => {
            let mut named = Vec::new();
            for choice in events
                .iter()
                .flat_map(|event| event["choices"].as_array().into_iter().flatten())
            {
                for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
                    let at = (choice["index"].clone(), call["index"].clone());
                    if call["id"].is_string() {
                        assert!(!named.contains(&at), "a call begins once");
                        named.push(at);
                    } else {
                        assert!(named.contains(&at), "a call begins with its name: {call}");
                    }
                }
            }
        }
        Dialect::Completions | Dialect::Gemini | Dialect::Ollama => {}
    }
}

/// Runs a stream in which a call is stopped.
fn stopped(dialect: Dialect, stream: &str) -> Outcome {
    let done = run_whole(&letters(), dialect, stream);
    assert_eq!(done.ending, Ending::Stopped, "{dialect:?} {stream}");
    assert!(!done.text().contains("elsewhere"), "{}", done.text());
    let words: String = done.channels().into_values().collect();
    assert!(words.contains("access.tools"), "the end says why: {words}");
    assert_in_order(dialect, &done.events());
    done
}

#[test]
fn a_call_that_is_stopped_is_not_heard_of() {
    for dialect in WITH_TOOLS {
        for calls in [
            &[ELSEWHERE][..],
            &[("mail", &[])],
            &[("mail", &["{\"to\": \"eve@elsewhere.example\"}"])],
            &[("mail", &["{\"to\": \"ana@northwind.exam"])],
        ] {
            let done = stopped(dialect, &stream(dialect, calls));
            assert_eq!(heard(&done.events()), [], "{dialect:?} {calls:?}");
            assert!(!done.text().contains("\"mail\""), "{}", done.text());
        }
    }
    // So it is if a detector stops it, not its name.
    let text = format!("{{\"to\": \"{MAIL}\", \"n\": 1}}");
    for dialect in WITH_TOOLS {
        for most in [1, 9, 100] {
            let pieces = Dice(41).cut(&text, most);
            let done = run_whole(&blocking(), dialect, &stream(dialect, &[("clock", &pieces)]));
            assert_eq!(done.ending, Ending::Stopped);
            assert!(!done.text().contains("clock") && !done.text().contains("northwind"));
        }
    }
}

/// In Chat Completions no call is whole before its choice ends; elsewhere each is by itself.
#[test]
fn of_parallel_calls_only_those_before_the_stopped_one_may_be_heard_of() {
    for dialect in WITH_TOOLS {
        for (calls, before) in [
            (&[HOME, ELSEWHERE][..], 1),
            (&[ELSEWHERE, HOME], 0),
            (&[HOME, CLOCK, ELSEWHERE, PARTNER], 2),
        ] {
            let done = stopped(dialect, &stream(dialect, calls));
            let before = if dialect == Dialect::OpenAi { 0 } else { before };
            let expected = said(dialect, calls.get(..before).expect("some"));
            assert_eq!(heard(&done.events()), expected, "{dialect:?} {calls:?}");
        }
    }
}

#[test]
fn calls_that_are_allowed_are_heard_of_whole_and_once() {
    let mut dice = Dice(42);
    let text = HOME.1.concat();
    for dialect in WITH_TOOLS {
        for most in [1, 3, 20, 100] {
            let pieces = dice.cut(&text, most);
            let calls: [Called<'_>; 3] = [CLOCK, ("mail", &pieces), PARTNER];
            let done = run_whole(&letters(), dialect, &stream(dialect, &calls));
            assert_eq!(done.ending, Ending::Complete);
            assert_eq!(heard(&done.events()), said(dialect, &calls), "{dialect:?}");
            assert_in_order(dialect, &done.events());
            assert_eq!(tools(&done.judged), ["clock", "mail", "mail"]);
        }
        // Without arguments there is nothing to wait for but the end.
        let done = run_whole(&letters(), dialect, &stream(dialect, &[("clock", &[])]));
        let calls = heard(&done.events());
        assert_eq!((calls.len(), done.ending), (1, Ending::Complete));
        assert_eq!(calls[0].0, "clock");
        assert!(["", "{}", "null"].contains(&calls[0].1.as_str()), "{calls:?}");
    }
}

/// However little comes at a time, whatever a client has in its hands at any moment is whole.
#[test]
fn at_no_moment_is_there_half_a_call() {
    let calls = [HOME, CLOCK, PARTNER];
    for dialect in WITH_TOOLS {
        let input = stream(dialect, &calls);
        let whole = said(dialect, &calls);
        let mut inspection = admitted(&letters(), dialect).stream().expect("a wire that streams");
        let mut bytes = Vec::new();
        let mut most = 0;
        for byte in input.as_bytes() {
            for step in inspection.push(&[*byte]) {
                let (Step::Forward(more) | Step::End(_, more)) = step;
                bytes.extend(more);
                let now = heard(&super::world::events(
                    dialect.wire().talk().expect("it talks").framing(),
                    &bytes,
                ));
                assert_eq!(now, whole.get(..now.len()).expect("no more"), "{dialect:?}");
                most = most.max(now.len());
            }
        }
        assert_eq!(most, calls.len());
    }
}

/// Many servers send a call in one event. It goes out as it came, and its name is not said twice.
#[test]
fn a_call_in_one_event_stays_one_event() {
    let call = |text: &str| {
        let function = json!({"name": "pay", "arguments": text});
        let call = json!({"index": 0, "id": "c", "type": "function", "function": function});
        let former = json!({"function_call": {"name": "pay", "arguments": text}});
        [
            chunk(0, &json!({"role": "assistant", "tool_calls": [call]}), None),
            chunk(0, &former, None),
        ]
    };
    let end = chunk(0, &json!({}), Some("tool_calls")) + "data: [DONE]\n\n";
    let card = format!("{{\"card\":\"{CARD}\"}}");
    for (said, expected) in [
        ("{\"to\":\"you\"}", "{\"to\":\"you\"}"),
        (card.as_str(), "{\"card\":\"[payment-card]\"}"),
        ("", ""),
    ] {
        for (before, after) in call(said).into_iter().zip(call(expected)) {
            let done = run_whole(&masking(), Dialect::OpenAi, &(before + &end));
            let comment = ":\n\n";
            assert_eq!(done.text(), format!("{comment}{after}{end}"));
        }
    }
    // A text that is held in the same event does not bring the call along again either.
    let both = |text: &str| {
        let call = json!({"index": 0, "id": "c", "type": "function", "function": {"name": "pay", "arguments": "{}"}});
        chunk(0, &json!({"content": text, "tool_calls": [call]}), None)
    };
    for (more, expected) in [("", "Card 4111 1111"), (" 1111 1111", "Card [payment-card]")] {
        let stream = both("Card 4111 1111") + &Dialect::OpenAi.piece(more) + &end;
        let done = run_whole(&masking(), Dialect::OpenAi, &stream);
        assert_eq!((done.said().as_str(), done.ending), (expected, Ending::Complete));
        assert_eq!(heard(&done.events()), [("pay".to_owned(), "{}".to_owned())]);
    }
    // What comes whole in a block's start, and in an item as it is added.
    for (to, verdict) in [("ana@northwind.example", true), ("eve@elsewhere.example", false)] {
        let block = json!({"type": "tool_use", "id": "t", "name": "mail", "input": {"to": to}});
        let start = named(&json!({"type": "content_block_start", "index": 0, "content_block": block}));
        let item = call_item("mail", &json!({"to": to}).to_string());
        let added = named(&json!({"type": "response.output_item.added", "output_index": 0, "item": item}));
        let last = named(&json!({"type": "response.completed", "response": response(&json!([item]))}));
        for (dialect, stream) in [
            (Dialect::Anthropic, start + &Dialect::Anthropic.end("")),
            (Dialect::Responses, added + &last),
        ] {
            let done = run_whole(&letters(), dialect, &stream);
            assert_eq!(done.ending == Ending::Complete, verdict);
            assert_eq!(done.text().contains("\"mail\""), verdict, "{}", done.text());
            assert!(verdict || !done.text().contains("elsewhere"));
        }
    }
}

/// Choices whose texts and calls come in any order, several in one chunk: each gets what is its own, in order.
#[test]
fn interleaved_choices_and_calls_are_each_what_they_are_alone() {
    let rules = masking();
    let mut dice = Dice(43);
    let arguments = [
        format!("{{\"to\":\"{MAIL}\",\"n\":[1,\"4111\"]}}"),
        format!("{{\"card\":\"{}\"}}", CARD.replace('4', "\\u0034")),
    ];
    let expected = [
        "{\"to\":\"[email-address]\",\"n\":[1,\"4111\"]}",
        "{\"card\":\"[payment-card]\"}",
    ];
    let text = format!("I look: {MAIL}, 4111 1111 1111");
    for round in 0..40 {
        // Pieces of each choice, in its order but for the two calls, whose pieces mix.
        let mut choices: Vec<Vec<Value>> = Vec::new();
        for _ in 0..3 {
            let most = 1 + dice.below(12);
            let mut queues: Vec<Vec<Value>> = vec![
                dice.cut(&text, most)
                    .into_iter()
                    .map(|text| json!({"content": text}))
                    .collect(),
            ];
            for (index, arguments) in arguments.iter().enumerate() {
                let mut call = vec![
                    json!({"index": index, "id": "c", "type": "function", "function": {"name": "pay", "arguments": ""}}),
                ];
                let pieces = dice.cut(arguments, most).into_iter();
                call.extend(pieces.map(|text| json!({"index": index, "function": {"arguments": text}})));
                queues.push(call.into_iter().map(|call| json!({"tool_calls": [call]})).collect());
            }
            queues.iter_mut().for_each(|queue| queue.reverse());
            let mut deltas = vec![json!({"role": "assistant", "content": null})];
            while queues.iter().any(|queue| !queue.is_empty()) {
                let place = dice.below(queues.len());
                deltas.extend(queues[place].pop());
            }
            deltas.reverse();
            choices.push(deltas);
        }
        let mut stream = String::new();
        while choices.iter().any(|deltas| !deltas.is_empty()) {
            let mut chunk =
                json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []});
            for (index, deltas) in choices.iter_mut().enumerate() {
                if dice.below(3) > 0 {
                    continue;
                }
                let Some(delta) = deltas.pop() else { continue };
                let finish = deltas.is_empty().then_some("tool_calls");
                let list = chunk["choices"].as_array_mut().expect("a list");
                list.push(json!({"index": index, "delta": delta, "finish_reason": finish}));
            }
            stream += &format!("data: {chunk}\n\n");
        }
        stream += "data: [DONE]\n\n";
        let done = run_whole(&rules, Dialect::OpenAi, &stream);
        assert_eq!(done.ending, Ending::Complete, "{round}");
        let channels = done.channels();
        for choice in 0..3 {
            assert_eq!(channels[&choice.to_string()], "I look: [email-address], 4111 1111 1111");
            for (call, expected) in expected.iter().enumerate() {
                assert_eq!(channels[&format!("{choice}/{call}")], *expected, "{round} {stream}");
            }
        }
        assert!(heard(&done.events()).iter().all(|(name, _)| name == "pay"));
        assert_in_order(Dialect::OpenAi, &done.events());
        let ends = done.events().iter().filter(|event| **event == "[DONE]").count();
        assert_eq!(ends, 1);
        // A choice ends once, and says nothing more.
        let mut ended = [false; 3];
        for event in done.events() {
            for choice in event["choices"].as_array().into_iter().flatten() {
                let index: usize = choice["index"].to_string().parse().expect("an index");
                let says = choice.to_string().contains("pay")
                    || choice["delta"]["content"].as_str().is_some_and(|text| !text.is_empty());
                assert!(!ended[index] || !says && choice["finish_reason"].is_null(), "{choice}");
                ended[index] |= choice["finish_reason"].is_string();
            }
        }
    }
}

/// What comes behind a call waits for it, in its order, and is thrown away with it.
#[test]
fn what_follows_a_call_does_not_overtake_it() {
    let open = |arguments: &str| {
        let function = json!({"name": "mail", "arguments": arguments});
        chunk(
            0,
            &json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": function}]}),
            None,
        )
    };
    let text = |choice: u64, text: &str| chunk(choice, &json!({"content": text}), None);
    let end = |choice: u64| chunk(choice, &json!({}), Some("stop"));
    let with = |arguments: &str| {
        [
            text(0, "I write. "),
            open(arguments),
            text(0, "Soon. "),
            text(1, "And I? "),
            end(1),
            end(0),
        ]
    };
    let allowed = with("{\"to\": \"ana@northwind.example\"}");
    let done = run_whole(&letters(), Dialect::OpenAi, &(allowed.concat() + "data: [DONE]\n\n"));
    let comments = ":\n\n".repeat(4);
    let (first, rest) = allowed.split_first().expect("some");
    assert_eq!(
        done.text(),
        format!("{first}{comments}{}data: [DONE]\n\n", rest.concat())
    );
    let done = stopped(
        Dialect::OpenAi,
        &(with("{\"to\": \"eve@elsewhere.example\"}").concat() + "data: [DONE]\n\n"),
    );
    assert_eq!(heard(&done.events()), []);
    assert!(done.said().starts_with("I write. \n\n"));
    assert!(!done.text().contains("Soon") && !done.text().contains("And I?"));
}

/// Even one whose name is still to come.
#[test]
fn a_call_without_a_name_is_not_heard_of_either() {
    let begin = json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function"}]});
    let name = json!({"tool_calls": [{"index": 0, "function": {"name": "mail"}}]});
    let piece = |text: &str| json!({"tool_calls": [{"index": 0, "function": {"arguments": text}}]});
    for (to, ending) in [("ana@northwind", Ending::Complete), ("eve@elsewhere", Ending::Stopped)] {
        let deltas = [
            &begin,
            &name,
            &piece("{\"to\": \""),
            &piece(&format!("{to}.example\"}}")),
        ];
        let chunks: String = deltas.into_iter().map(|delta| chunk(0, delta, None)).collect();
        let done = run_whole(&letters(), Dialect::OpenAi, &(chunks + &Dialect::OpenAi.end("")));
        assert_eq!(done.ending, ending);
        assert_eq!(done.text().contains("call_1"), ending == Ending::Complete);
    }
    // Arguments of Gemini's that grow cannot be read; what announces them does not go out before that is known.
    let begin = candidate(
        0,
        &json!([{"functionCall": {"name": "clock", "willContinue": true}}]),
        None,
    );
    let piece = json!([{"functionCall": {"partialArgs": [{"jsonPath": "$.to", "stringValue": "you"}]}}]);
    let stream = begin + &candidate(0, &piece, None) + &Dialect::Gemini.end("");
    let done = run_whole(&letters(), Dialect::Gemini, &stream);
    assert_eq!(done.ending, Ending::Stopped);
    assert!(!done.text().contains("clock"));
}

/// Events are numbered without a gap, whether they go out or not, and so are those that end a stopped stream.
#[test]
fn numbers_count_over_what_need_not_go_out() {
    let numbered = |stream: &str| {
        let mut number = 0..;
        let lines = stream
            .split_inclusive('\n')
            .map(|line| match line.strip_prefix("data: {") {
                Some(rest) => format!(
                    "data: {{\"sequence_number\":{},{rest}",
                    number.next().expect("a number")
                ),
                None => line.to_owned(),
            });
        lines.collect::<String>()
    };
    for (calls, ending) in [
        (&[HOME, CLOCK, PARTNER][..], Ending::Complete),
        (&[HOME, ELSEWHERE], Ending::Stopped),
        (&[("mail", &[])], Ending::Stopped),
        (&[("clock", &[])], Ending::Complete),
    ] {
        let done = run_whole(
            &letters(),
            Dialect::Responses,
            &numbered(&stream(Dialect::Responses, calls)),
        );
        assert_eq!(done.ending, ending);
        let events = done.events();
        let numbers: Vec<u64> = events
            .iter()
            .map(|event| event["sequence_number"].as_u64().expect("a number"))
            .collect();
        assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "{numbers:?}");
        assert_in_order(Dialect::Responses, &events);
    }
}

/// What the provider does itself it shows as it goes; there is nothing left for a client to do.
#[test]
fn a_tool_that_the_provider_runs_is_shown_as_it_runs() {
    let told = |kind: &str, more: &Value| {
        let mut data = json!({"type": format!("response.{kind}"), "output_index": 0});
        for (name, value) in more.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        named(&data)
    };
    let item = |kind: &str| json!({"item": {"type": kind, "id": "i", "status": "in_progress"}});
    for (kind, shown) in [("code_interpreter_call", true), ("computer_call", false)] {
        let stream = named(&json!({"type": "response.created", "response": response(&json!([]))}))
            + &told("output_item.added", &item(kind));
        let mut inspection = admitted(&masking(), Dialect::Responses)
            .stream()
            .expect("a wire that streams");
        let steps = inspection.push(stream.as_bytes());
        let [Step::Forward(bytes)] = steps.as_slice() else {
            panic!("{steps:?}");
        };
        assert_eq!(String::from_utf8_lossy(bytes).contains(kind), shown);
    }
}

/// A stream that breaks off makes its calls as whole as they get. What the policy has nothing against goes out then, and the
/// error behind it.
#[test]
fn a_call_that_is_cut_off_goes_out_if_nothing_speaks_against_it() {
    for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Responses] {
        let call = |tool, pieces| {
            let whole = stream(dialect, &[(tool, pieces)]);
            let is_end = |event: &str| {
                ["\"finish_reason\":\"stop\"", "content_block_stop", "arguments.done"]
                    .iter()
                    .any(|end| event.contains(end))
            };
            let events = whole.split_inclusive("\n\n").take_while(|event| !is_end(event));
            events.collect::<String>()
        };
        let half: &[&str] = &["{\"at\": \"no", "on\", \"in\": "];
        let done = run_whole(&letters(), dialect, &call("clock", half));
        assert_eq!(done.ending, Ending::Broken, "{dialect:?}");
        assert_eq!(heard(&done.events()), [("clock".to_owned(), half.concat())]);
        let last = done.events().pop().expect("an event");
        assert!(last["error"].is_object(), "{last}");
        // Half of a letter's address meets no condition, and half an escape says nothing that could be read.
        for half in [&["{\"to\": \"ana@northwind.example"], &["{\"to\": \"ana\\u00"]] {
            assert_eq!(heard(&stopped(dialect, &call("mail", half)).events()), []);
        }
    }
}

#[test]
fn what_waits_is_bounded() {
    let begin = json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "clock", "arguments": ""}}]});
    let begin = chunk(0, &begin, None);
    let end = Dialect::OpenAi.end("");
    // Pieces of arguments weigh what they say, whatever they come in.
    let padding = "x".repeat(100 * 1024);
    let piece = json!({"id": "c", "model": "m", "obfuscation": padding, "choices":
        [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": " "}}]}, "finish_reason": null}]});
    let count = MOST_WAITING / padding.len() + 1;
    let pieces = format!("data: {piece}\n\n").repeat(count);
    let done = run_whole(&letters(), Dialect::OpenAi, &(begin.clone() + &pieces + &end));
    assert_eq!(done.ending, Ending::Complete);
    assert_eq!(heard(&done.events()), [("clock".to_owned(), " ".repeat(count))]);
    assert!(done.bytes.len() < 2 * padding.len());
    // Other events wait as they are, up to a bound.
    let other = chunk(1, &json!({"content": padding}), None);
    for (count, ending) in [(8, Ending::Complete), (count, Ending::Stopped)] {
        let stream = begin.clone() + &other.repeat(count) + &chunk(1, &json!({}), Some("stop")) + &end;
        let done = run_whole(&letters(), Dialect::OpenAi, &stream);
        assert_eq!(done.ending, ending);
        let too_long = done.judged.uninspectable.iter().any(|(_, what)| *what == "too-long");
        assert_eq!(too_long, ending == Ending::Stopped);
        assert_eq!(done.text().contains(&padding), ending == Ending::Complete);
    }
    // So do arguments, of however many calls, and calls.
    let text = "1".repeat(1000 * 1024);
    let call = |index: usize, text: &str| {
        let call =
            json!({"index": index, "id": "c", "type": "function", "function": {"name": "clock", "arguments": text}});
        chunk(0, &json!({"tool_calls": [call]}), None)
    };
    for (count, text, what) in [(9, text.as_str(), "too-long"), (1100, "", "too-many-tools")] {
        let stream: String = (0..count).map(|index| call(index, text)).collect();
        let done = run_whole(&letters(), Dialect::OpenAi, &(stream + &end));
        assert_eq!(done.ending, Ending::Stopped);
        assert!(done.judged.uninspectable.iter().any(|(_, one)| *one == what));
        assert!(!done.text().contains("clock"));
    }
}
