//! Texts that a stream says again whole: whichever of them a client goes by, it reads the same masked text.

use serde_json::{Value, json};

use super::world::{
    CARD, Dialect, Dice, KEY, MAIL, Outcome, admitted, blocking, chunk, masking, named, output_text, response, run,
    run_whole, tools,
};
use crate::inspect::{Ending, Fate};
use crate::verdict::Verdict;

/// The events of a stream, numbered.
fn numbered(events: &[Value]) -> String {
    let number = |(number, event): (usize, &Value)| {
        let mut event = event.clone();
        event["sequence_number"] = number.into();
        named(&event)
    };
    events.iter().enumerate().map(number).collect()
}

fn message(text: &str) -> Value {
    json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [output_text(text)]})
}

fn reasoning(text: &str, encrypted: &Value) -> Value {
    json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": text}], "encrypted_content": encrypted})
}

fn created() -> Value {
    json!({"type": "response.created", "response": response(&json!([]))})
}

fn added(item: &Value) -> Value {
    json!({"type": "response.output_item.added", "output_index": 0, "item": item})
}

fn done(item: &Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": 0, "item": item})
}

fn completed(item: &Value) -> Value {
    json!({"type": "response.completed", "response": response(&json!([item]))})
}

fn about(kind: &str, more: &Value) -> Value {
    let mut event =
        json!({"type": format!("response.{kind}"), "item_id": "msg_1", "output_index": 0, "content_index": 0});
    for (name, value) in more.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    event
}

/// A whole stream: `pieces` as they grow, and what is said again at each place.
fn told(pieces: &[&str], again: [&str; 4]) -> String {
    let [text, part, item, last] = again;
    let mut events = vec![
        created(),
        added(&json!({"type": "message", "id": "msg_1", "role": "assistant", "content": []})),
        about("content_part.added", &json!({"part": output_text("")})),
    ];
    events.extend(
        pieces
            .iter()
            .map(|piece| about("output_text.delta", &json!({"delta": piece}))),
    );
    events.push(about("output_text.done", &json!({"text": text})));
    events.push(about("content_part.done", &json!({"part": output_text(part)})));
    events.push(done(&message(item)));
    events.push(completed(&message(last)));
    numbered(&events)
}

fn event<'e>(events: &'e [Value], kind: &str) -> &'e Value {
    let mut of_kind = events.iter().filter(|event| event["type"] == kind);
    let found = of_kind.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(of_kind.next().is_none(), "{kind} comes once");
    found
}

/// What a stream says of its first message, wherever it says it whole.
fn repeats(done: &Outcome) -> Vec<String> {
    let events = done.events();
    let at = |kind: &str, pointer: &str| {
        let text = event(&events, kind).pointer(pointer).and_then(Value::as_str);
        text.expect("a text").to_owned()
    };
    vec![
        at("response.output_text.done", "/text"),
        at("response.content_part.done", "/part/text"),
        at("response.output_item.done", "/item/content/0/text"),
        at("response.completed", "/response/output/0/content/0/text"),
    ]
}

fn numbers(done: &Outcome) -> Vec<u64> {
    let number = |event: &Value| event["sequence_number"].as_u64().expect("a number");
    done.events().iter().map(number).collect()
}

#[test]
fn what_is_said_again_is_what_has_grown() {
    let rules = masking();
    let mut dice = Dice(21);
    let text = format!("Pay {CARD} to <{MAIL}>, é\u{1F600} {CARD}.");
    let expected = "Pay [payment-card] to <[email-address]>, é\u{1F600} [payment-card].";
    for most in [1, 3, 8, 100] {
        let stream = told(&dice.cut(&text, most), [&text; 4]);
        let done = run_whole(&rules, Dialect::Responses, &stream);
        assert_eq!((done.said().as_str(), done.ending), (expected, Ending::Complete));
        assert_eq!(repeats(&done), [expected; 4]);
        // Each value was masked where it grew and in four places more, and counts once.
        let masked: Vec<(&str, u32)> = done
            .judged
            .masked
            .iter()
            .map(|(entity, count)| (entity.as_str(), *count))
            .collect();
        assert_eq!(masked, [("email-address", 1), ("payment-card", 2)]);
    }
    // And it is what a whole answer would have said.
    let mut whole = response(&json!([message(&text)]));
    whole["status"] = "completed".into();
    let Fate::Forward(Some(bytes)) = admitted(&rules, Dialect::Responses)
        .answer(whole.to_string().as_bytes())
        .1
    else {
        panic!("it is masked");
    };
    let whole: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(whole["output"][0]["content"][0]["text"], expected);
}

#[test]
fn a_text_that_is_not_what_has_grown_leaks_no_more() {
    let decoy = format!("Write to {MAIL}.");
    for place in 0..4 {
        let mut again = ["Hello there. "; 4];
        again[place] = &decoy;
        let stream = told(&["Hello ", "there. "], again);
        let masked = run_whole(&masking(), Dialect::Responses, &stream);
        assert_eq!(masked.ending, Ending::Complete);
        assert_eq!(repeats(&masked)[place], "Write to [email-address].");
        let stopped = run_whole(&blocking(), Dialect::Responses, &stream);
        assert_eq!(
            (stopped.ending, stopped.judged.decision.verdict),
            (Ending::Stopped, Verdict::Block)
        );
        for done in [masked, stopped] {
            assert!(!done.text().contains("northwind"), "{}", done.text());
            assert_eq!(done.said().split("Blocked").next(), Some("Hello there. "));
        }
    }
    // The other way round: what has grown was masked, and is not what is said again.
    let done = run_whole(
        &masking(),
        Dialect::Responses,
        &told(&["Card 4111 1111", " 1111 1111."], ["Nothing. "; 4]),
    );
    assert_eq!(done.said(), "Card [payment-card].");
    assert!(!done.text().contains("4111"));
}

#[test]
fn events_count_on_over_those_that_carry_what_was_held() {
    let harmless = told(&["Hello ", "there. "], ["Hello there. "; 4]);
    let done = run_whole(&masking(), Dialect::Responses, &harmless);
    assert_eq!(done.text(), harmless);
    // What is held at the end goes out in an event more.
    let text = "Write to ana@northwind";
    let whole = run_whole(
        &masking(),
        Dialect::Responses,
        &told(&["Write to ", "ana@northwind"], [text; 4]),
    );
    assert_eq!((whole.said().as_str(), whole.ending), (text, Ending::Complete));
    assert_eq!(numbers(&whole), (0..=9).collect::<Vec<u64>>());
    // So do the events that end a stopped stream.
    for cut in [1, 4, 6] {
        let text = format!("{text}, {KEY}");
        let stream = told(&["Write to ana@northwind", &format!(", {KEY}")], [&text; 4]);
        let stream: String = stream.split_inclusive("\n\n").take(cut).collect();
        let stopped = run_whole(
            &blocking(),
            Dialect::Responses,
            &(stream + &numbered(&[done_with(KEY)])),
        );
        assert_eq!(stopped.ending, Ending::Stopped);
        let numbers = numbers(&stopped);
        assert!(
            numbers.array_windows().all(|[one, two]| two == &(one + 1)),
            "{numbers:?}"
        );
        let last = stopped.events();
        let last = last.last().expect("an event");
        assert_eq!(
            (&last["type"], &last["response"]["id"]),
            (&json!("response.incomplete"), &json!("resp_1"))
        );
        assert!(!stopped.text().contains("sk-proj"));
    }
    // Numbers that cannot be counted on stay as they are.
    let odd = named(&created()).replace(
        "\"type\":\"response.created\"",
        "\"sequence_number\":-1,\"type\":\"response.created\"",
    );
    assert!(run_whole(&masking(), Dialect::Responses, &odd).text().starts_with(&odd));
}

fn done_with(text: &str) -> Value {
    done(&message(text))
}

/// A client puts the pieces behind the text that an item or a part came with.
#[test]
fn a_text_that_something_is_added_with_is_a_piece() {
    let rules = masking();
    let open =
        |text: &str| json!({"type": "message", "id": "msg_1", "role": "assistant", "content": [output_text(text)]});
    let empty = json!({"type": "message", "id": "msg_1", "role": "assistant", "content": []});
    let piece = |text: &str| about("output_text.delta", &json!({"delta": text}));
    for (rest, expected) in [(" 1111 1111", "[payment-card]"), ("", "4111 1111")] {
        let whole = format!("4111 1111{rest}");
        for begin in [
            vec![created(), added(&open("4111 1111"))],
            vec![
                created(),
                added(&empty),
                about("content_part.added", &json!({"part": output_text("4111 1111")})),
            ],
            vec![json!({"type": "response.created", "response": response(&json!([open("4111 1111")]))})],
        ] {
            let mut events = begin;
            events.extend([piece(rest), done(&message(&whole)), completed(&message(&whole))]);
            let done = run_whole(&rules, Dialect::Responses, &numbered(&events));
            assert_eq!((done.said().as_str(), done.ending), (expected, Ending::Complete));
            let count = |kind: &str| done.events().iter().filter(|event| event["type"] == kind).count();
            assert!(count("response.output_item.added") <= 1 && count("response.content_part.added") <= 1);
            assert!(!done.text().contains("1111 1111 1111"));
        }
    }
    // Without any piece, an event of the right kind is made for the rest.
    for (item, kind, index) in [
        (open("4111 1111"), "response.output_text.delta", "content_index"),
        (
            reasoning("4111 1111", &Value::Null),
            "response.reasoning_summary_text.delta",
            "summary_index",
        ),
        (
            json!({"type": "mcp_call", "id": "msg_1", "name": "f", "arguments": "{}"}),
            "response.mcp_call_arguments.delta",
            "output_index",
        ),
        (
            json!({"type": "code_interpreter_call", "id": "msg_1", "code": "4111 1111"}),
            "response.code_interpreter_call_code.delta",
            "output_index",
        ),
        (
            json!({"type": "shell_call", "id": "msg_1", "action": {"commands": ["4111 1111"]}}),
            "response.shell_call_command.delta",
            "command_index",
        ),
    ] {
        let events = [created(), added(&item), done(&item), completed(&item)];
        let done = run_whole(&rules, Dialect::Responses, &numbered(&events));
        let all = done.events();
        let made = event(&all, kind);
        assert_eq!(
            (&made["output_index"], &made[index], &made["sequence_number"]),
            (&json!(0), &json!(0), &json!(2))
        );
        assert!(["4111 1111", "{}"].contains(&made["delta"].as_str().expect("a text")));
        assert_eq!(numbers(&done), [0, 1, 2, 3, 4]);
    }
}

fn called(kind: &str, member: &str, pieces: &[&str], told: &str) -> String {
    let item = |text: &str| {
        let mut item = json!({"type": kind, "id": "fc_1", "call_id": "c", "name": "pay"});
        item[member] = text.into();
        item
    };
    let stem = match kind {
        "custom_tool_call" => "custom_tool_call_input",
        "mcp_call" => "mcp_call_arguments",
        _ => "function_call_arguments",
    };
    let mut events = vec![created(), added(&item(""))];
    events.extend(
        pieces
            .iter()
            .map(|piece| about(&format!("{stem}.delta"), &json!({"delta": piece}))),
    );
    events.push(about(&format!("{stem}.done"), &json!({member: told})));
    events.extend([done(&item(told)), completed(&item(told))]);
    numbered(&events)
}

#[test]
fn arguments_that_are_said_again_are_masked_by_what_they_mean() {
    let rules = masking();
    let mut dice = Dice(22);
    let escaped = r#"{"card":"\u003411111111111111\u0031","to":["ana\u0040northwind.example"]}"#;
    let masked = r#"{"card":"[payment-card]","to":["[email-address]"]}"#;
    for (kind, member) in [
        ("function_call", "arguments"),
        ("mcp_call", "arguments"),
        ("custom_tool_call", "input"),
    ] {
        for most in [2, 9, 100] {
            let done = run_whole(
                &rules,
                Dialect::Responses,
                &called(kind, member, &dice.cut(escaped, most), escaped),
            );
            assert_eq!((done.said().as_str(), done.ending), (masked, Ending::Complete));
            let events = done.events();
            assert_eq!(event(&events, "response.output_item.done")["item"][member], masked);
            assert_eq!(
                event(&events, "response.completed")["response"]["output"][0][member],
                masked
            );
            assert_eq!(tools(&done.judged), ["pay"]);
            assert_eq!(done.judged.masked.values().copied().collect::<Vec<_>>(), [1, 1]);
        }
        // A decoy.
        let done = run_whole(&rules, Dialect::Responses, &called(kind, member, &["{}"], escaped));
        assert!(!done.text().contains("111111") && !done.text().contains("northwind"));
    }
}

/// By contract what a custom tool takes is free text, and a backslash in it hides nothing.
#[test]
fn a_backslash_is_no_fault_in_free_text() {
    let text = r"grep '\d' notes";
    let done = run_whole(
        &masking(),
        Dialect::Responses,
        &called("custom_tool_call", "input", &[text], text),
    );
    assert_eq!((done.said().as_str(), done.ending), (text, Ending::Complete));
    let call = json!({"index": 0, "id": "c", "type": "custom", "custom": {"name": "sh", "input": text}});
    let stream = chunk(0, &json!({"tool_calls": [call]}), None) + &Dialect::OpenAi.end("");
    let done = run_whole(&masking(), Dialect::OpenAi, &stream);
    assert_eq!(done.ending, Ending::Complete);
    assert!(done.text().contains(r"grep '\\d' notes"));
    let done = run_whole(
        &masking(),
        Dialect::Responses,
        &called("function_call", "arguments", &[text], text),
    );
    assert_eq!(done.ending, Ending::Stopped);
}

#[test]
fn what_vouches_for_an_edited_text_goes_wherever_it_is_said() {
    let logprobs = json!([{"token": "4111", "logprob": -0.1, "bytes": [], "top_logprobs": []}]);
    let part = |text: &str| json!({"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs});
    let item = |text: &str| json!({"type": "message", "id": "msg_1", "role": "assistant", "content": [part(text)]});
    let said = |pieces: [&str; 2], text: &str| {
        let mut events = vec![
            created(),
            added(&json!({"type": "message", "id": "msg_1", "role": "assistant", "content": []})),
        ];
        events.extend(pieces.map(|piece| about("output_text.delta", &json!({"delta": piece, "logprobs": logprobs}))));
        events.push(about("output_text.done", &json!({"text": text, "logprobs": logprobs})));
        events.push(about("content_part.done", &json!({"part": part(text)})));
        events.extend([done(&item(text)), completed(&item(text))]);
        numbered(&events)
    };
    // Where a decoy is said again, what vouches for it still speaks of the pieces.
    for again in ["Card 4111 1111 1111 1111.", "Nothing. "] {
        let edited = said(["Card 4111 1111 ", "1111 1111."], again);
        let edited = run_whole(&masking(), Dialect::Responses, &edited);
        assert!(!edited.text().contains("\"token\""), "{}", edited.text());
    }
    let kept = run_whole(
        &masking(),
        Dialect::Responses,
        &said(["Hello ", "there. "], "Hello there. "),
    );
    assert_eq!(kept.text().matches("\"token\"").count(), 6);

    for (text, kept) in [
        (format!("They pay with {CARD}"), false),
        ("They pay cash. ".to_owned(), true),
    ] {
        let item = reasoning(&text, &"gAAAA".into());
        let delta = about(
            "reasoning_summary_text.delta",
            &json!({"delta": text, "summary_index": 0}),
        );
        let stream = numbered(&[created(), delta, done(&item), completed(&item)]);
        // Encrypted reasoning cannot be looked at, which this policy takes note of.
        let rules = super::world::of_text(
            &super::world::POLICY
                .replace("THEN", "redact")
                .replace("MODE", "enforce")
                .replace("UNAVAILABLE", "block")
                .replace("uninspectable: block", "uninspectable: allow"),
        );
        let done = run_whole(&rules, Dialect::Responses, &stream);
        assert_eq!(done.ending, Ending::Complete);
        assert_eq!(done.text().matches("gAAAA").count(), if kept { 2 } else { 0 });
        assert!(done.judged.facts.content.uninspectable);
        let (_, fate) = admitted(&rules, Dialect::Responses).answer(response(&json!([item])).to_string().as_bytes());
        assert_eq!(fate == Fate::Forward(None), kept);
        if let Fate::Forward(Some(bytes)) = fate {
            assert!(!String::from_utf8_lossy(&bytes).contains("gAAAA"));
        }
    }
}

/// Places of the last event in guillemets; `!` marks those that cannot be edited.
const COMPLETED: &str = r#"{"type":"response.completed","sequence_number":1,"response":{"id":"«!resp-»","model":"«!m-»","status":"completed",
 "instructions":"«be »","metadata":{"id":"«free »"},"tools":[{"type":"function","name":"«!f-»","description":"«does »","parameters":{"properties":{"a":{"enum":["«!e-»"],"description":"«how »"}}}}],
 "output":[{"type":"message","id":"«!msg-»","role":"assistant","content":[
   {"type":"output_text","text":"«said »","annotations":[{"type":"url_citation","url":"https://a.example/«»","title":"«page »","start_index":0,"end_index":1}]},
   {"type":"refusal","refusal":"«no »"},{"type":"output_text","text":"x","x_new":["«y »"]}]},
  {"type":"function_call","id":"fc","call_id":"«!call-»","name":"«!pay-»","arguments":"{ \"to\\u0021\":\"«you »\"}"},
  {"type":"mcp_call","id":"mcp","name":"g","server_label":"«!s-»","arguments":"{\"a\":\"«b »\"}","output":"«result »","error":"«bad »"},
  {"type":"custom_tool_call","id":"ct","call_id":"c","name":"h","input":"«free text »"},
  {"type":"web_search_call","id":"ws","status":"completed","action":{"type":"search","query":"«q »","sources":[{"type":"url","url":"«»"}]}},
  {"type":"file_search_call","id":"fs","queries":["«q »"],"results":[{"filename":"«name »","text":"«found »","attributes":{"id":"«z »"}}]},
  {"type":"code_interpreter_call","id":"ci","container_id":"«!cntr-»","code":"«print »","outputs":[{"type":"logs","logs":"«out »"}]},
  {"type":"shell_call","id":"sh","action":{"commands":["«ls »"]}},
  {"type":"reasoning","id":"rs","summary":[{"type":"summary_text","text":"«why »"}],"content":[{"type":"reasoning_text","text":"«so »"}]}],
 "error":{"code":"«x »","message":"«went wrong »"},"x_new":"«vendor »"}}"#;

#[test]
fn a_card_in_every_place_of_a_told_response_is_masked_there_or_stops_the_stream() {
    let rules = masking();
    let template = COMPLETED.replace('\n', "");
    let planted = |place: usize, value: &str| {
        let mut out = String::new();
        let mut editable = true;
        for (index, piece) in template.split('«').enumerate() {
            let (text, after) = piece.split_once('»').unwrap_or(("", piece));
            out.push_str(text.trim_start_matches('!'));
            if index == place + 1 {
                editable = !text.starts_with('!');
                out.push_str(value);
            }
            out.push_str(after);
        }
        (out, editable)
    };
    let start = named(&created());
    let stream = |data: &str| format!("{start}event: response.completed\ndata: {data}\n\n");
    assert_eq!(
        run_whole(&rules, Dialect::Responses, &stream(&planted(usize::MAX - 1, "").0)).ending,
        Ending::Complete
    );
    for place in 0..template.matches('«').count() {
        let (data, editable) = planted(place, "4111111111111111");
        let done = run_whole(&rules, Dialect::Responses, &stream(&data));
        assert!(!done.text().contains("4111"), "{}", done.text());
        if editable {
            assert_eq!(done.text(), stream(&planted(place, "[payment-card]").0));
        }
        assert_eq!(
            done.ending,
            if editable { Ending::Complete } else { Ending::Stopped },
            "{data}"
        );
    }
}

#[test]
fn cutting_the_bytes_changes_nothing_that_is_said_again() {
    let mut dice = Dice(23);
    let text = format!("To {MAIL}, {CARD}, \"\\\n4");
    let stream = told(&dice.cut(&text, 5), [&text; 4]);
    for rules in [masking(), blocking()] {
        let whole = run_whole(&rules, Dialect::Responses, &stream);
        for most in [1, 7, 400] {
            let cut = run(
                admitted(&rules, Dialect::Responses),
                dice.cut_bytes(stream.as_bytes(), most),
            );
            assert_eq!((cut.text(), cut.ending), (whole.text(), whole.ending));
            assert_eq!(cut.judged.masked, whole.judged.masked);
        }
    }
}
