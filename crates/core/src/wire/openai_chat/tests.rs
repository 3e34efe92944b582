use proptest::prelude::*;
use serde_json::{Value, json};

use super::OpenaiChat;
use crate::exchange::{Fixed, Half, Opaque};
use crate::verdict::Source;
use crate::wire::fixture::{flows, part, uninspectable};
use crate::wire::sse::{Event, Item, SseParser};
use crate::wire::{Dialect, EventReading, Refusal, Seen, Talk as _, Wire as _};

fn request(body: &Value) -> Half {
    OpenaiChat
        .read_request(body.to_string().as_bytes(), None)
        .expect("is a request")
}

fn event(data: &Value) -> EventReading {
    OpenaiChat
        .read_event(&Event::data(data.to_string()))
        .expect("is an event")
}

#[test]
fn a_planted_value_shows_up_wherever_it_stands() {
    let schema = json!({"type": "object", "required": ["plant17"], "properties": {
        "plant18": {"type": "string", "enum": ["plant19"], "description": "plant20", "default": "plant21", "pattern": "plant22"},
        "enum": {"const": "plant23", "title": "plant24"},
    }});
    let body = json!({
        "model": "plant0",
        "messages": [
            {"role": "system", "content": "plant1"},
            {"role": "developer", "content": [{"type": "text", "text": "plant2"}]},
            {"role": "user", "name": "plant3", "content": [{"type": "text", "text": "plant4", "plant5": {"deep": ["plant6"]}}]},
            {"role": "assistant", "content": null, "refusal": "plant7", "reasoning_content": "plant8",
             "tool_calls": [{"id": "plant9", "type": "function", "function": {"name": "plant10",
                 "arguments": "{\"plant11\": [\"plant12\", {\"id\": \"plant13\"}], \"n\": 123456789012}"}}]},
            {"role": "tool", "tool_call_id": "plant14", "content": "plant15"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "description": "plant16", "parameters": schema}}],
        "metadata": {"plant25": "plant26", "user_id": "plant27"},
        "user": "plant28",
        "stop": ["plant29"],
        "logit_bias": {"plant30": 1},
        "tool_choice": {"type": "function", "function": {"name": "plant31"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "plant32", "schema": {"description": "plant33"}}},
        "x_invented": {"plant34": "plant35", "number": 4111111111111111u64},
        "prediction": {"type": "content", "content": "plant36"},
    });
    let half = request(&body);
    let call = "/messages/3/tool_calls/0";
    let arguments = format!("{call}/function/arguments#");
    let schema = "/tools/0/function/parameters";
    let (key, name) = (Some(Fixed::Key), Some(Fixed::Name));
    let expected = [
        ("/model".to_owned(), Source::User, name),
        ("/messages/0/content".to_owned(), Source::System, None),
        ("/messages/1/content/0/text".to_owned(), Source::System, None),
        ("/messages/2/name".to_owned(), Source::User, name),
        ("/messages/2/content/0/text".to_owned(), Source::User, None),
        ("/messages/2/content/0/plant5".to_owned(), Source::User, key),
        ("/messages/2/content/0/plant5/deep/0".to_owned(), Source::User, None),
        ("/messages/3/refusal".to_owned(), Source::Model, None),
        ("/messages/3/reasoning_content".to_owned(), Source::Model, None),
        (format!("{call}/id"), Source::Model, name),
        (format!("{call}/function/name"), Source::Model, name),
        (format!("{arguments}/plant11"), Source::Model, key),
        (format!("{arguments}/plant11/0"), Source::Model, None),
        (format!("{arguments}/plant11/1/id"), Source::Model, None),
        ("/messages/4/tool_call_id".to_owned(), Source::Tool, name),
        ("/messages/4/content".to_owned(), Source::Tool, None),
        ("/tools/0/function/description".to_owned(), Source::System, None),
        (format!("{schema}/required/0"), Source::System, name),
        (format!("{schema}/properties/plant18"), Source::System, key),
        (format!("{schema}/properties/plant18/enum/0"), Source::System, name),
        (format!("{schema}/properties/plant18/description"), Source::System, None),
        (format!("{schema}/properties/plant18/default"), Source::System, None),
        (format!("{schema}/properties/plant18/pattern"), Source::System, name),
        (format!("{schema}/properties/enum/const"), Source::System, name),
        (format!("{schema}/properties/enum/title"), Source::System, None),
        ("/metadata/plant25".to_owned(), Source::User, key),
        ("/metadata/plant25".to_owned(), Source::User, None),
        ("/metadata/user_id".to_owned(), Source::User, None),
        ("/user".to_owned(), Source::User, None),
        ("/stop/0".to_owned(), Source::User, None),
        ("/logit_bias/plant30".to_owned(), Source::User, key),
        ("/tool_choice/function/name".to_owned(), Source::User, name),
        ("/response_format/json_schema/name".to_owned(), Source::System, name),
        (
            "/response_format/json_schema/schema/description".to_owned(),
            Source::System,
            None,
        ),
        ("/x_invented/plant34".to_owned(), Source::User, key),
        ("/x_invented/plant34".to_owned(), Source::User, None),
        ("/prediction/content".to_owned(), Source::User, None),
    ];
    for (plant, (pointer, source, fixed)) in expected.into_iter().enumerate() {
        let text = format!("plant{plant}");
        let found: Vec<_> = half.parts.iter().filter(|part| part.text == text).collect();
        assert_eq!(found.len(), 1, "{text} at {pointer}");
        assert_eq!(
            (&found[0].pointer, found[0].source, found[0].fixed),
            (&pointer, source, fixed),
            "{text}"
        );
    }
    assert_eq!(part(&half, &format!("{arguments}/n")).text, "123456789012");
    assert_eq!(part(&half, "/x_invented/number").text, "4111111111111111");
    assert!(part(&half, &format!("{call}/function/arguments")).inner);
    assert_eq!(half.parts.iter().filter(|part| part.inner).count(), 1);
    assert_eq!(half.model.as_deref(), Some("plant0"));
    assert!(!half.stream);
    assert_eq!(uninspectable(&half), []);
}

#[test]
fn an_answer_is_read_in_every_choice() {
    let choice = |index: usize| {
        json!({"index": index, "finish_reason": "stop", "logprobs": null, "message": {
            "role": "assistant", "content": format!("text{index}"), "refusal": format!("no{index}"),
            "reasoning_content": format!("why{index}"), "invented": {"deep": format!("new{index}")},
            "tool_calls": [{"id": "c", "type": "function",
                "function": {"name": format!("tool{index}"), "arguments": format!("{{\"card\":\"arg{index}\"}}")}}],
        }})
    };
    let body = json!({"id": "x", "object": "chat.completion", "created": 1_700_000_000, "model": "m-1",
        "choices": [choice(0), choice(1), choice(2)], "usage": {"total_tokens": 3}});
    let half = OpenaiChat
        .read_answer(body.to_string().as_bytes())
        .expect("is an answer");
    for index in 0..3 {
        let message = format!("/choices/{index}/message");
        for (way, text) in [
            ("content", "text"),
            ("refusal", "no"),
            ("reasoning_content", "why"),
            ("invented/deep", "new"),
            ("tool_calls/0/function/arguments#/card", "arg"),
        ] {
            let found = part(&half, &format!("{message}/{way}"));
            assert_eq!(found.text, format!("{text}{index}"));
            assert_eq!((found.source, found.fixed), (Source::Model, None));
        }
    }
    assert_eq!(part(&half, "/created").fixed, Some(Fixed::Name));
    let tools: Vec<&str> = half.tools.iter().map(|call| call.tool.as_str()).collect();
    assert_eq!(tools, ["tool0", "tool1", "tool2"]);
    assert_eq!(half.model.as_deref(), Some("m-1"));
    assert!(OpenaiChat.read_answer(b"[]").is_err());
    assert!(OpenaiChat.read_answer(br#"{"error":{"message":"m"}}"#).is_ok());
}

#[test]
fn log_probabilities_fall_with_their_own_choice_only() {
    let body = json!({"choices": [
        {"message": {"content": "a"}, "logprobs": {"content": []}},
        {"message": {"function_call": {"arguments": "{\"a\":\"b\"}"}}, "logprobs": {"content": [1]}},
        {"message": {"reasoning_details": [{"text": "t", "signature": "s"}]}, "logprobs": null},
    ]})
    .to_string();
    let half = OpenaiChat.read_answer(body.as_bytes()).expect("is an answer");
    let falsified = |pointer: &str| -> Vec<&str> {
        let at = half
            .parts
            .iter()
            .position(|part| part.pointer == pointer && part.fixed.is_none())
            .expect("is a part");
        let ranges = OpenaiChat.falsified(body.as_bytes(), &half, &[at]);
        ranges
            .into_iter()
            .map(|range| body.get(range).expect("is in the body"))
            .collect()
    };
    assert_eq!(falsified("/choices/0/message/content"), [r#"{"content":[]}"#]);
    assert_eq!(
        falsified("/choices/1/message/function_call/arguments#/a"),
        [r#"{"content":[1]}"#]
    );
    assert_eq!(falsified("/choices/2/message/reasoning_details/0/text"), [r#""s""#]);
}

#[test]
fn a_request_without_the_basic_shape_is_malformed() {
    for body in [
        json!([]),
        json!({}),
        json!({"model": "m"}),
        json!({"model": "m", "messages": {}}),
        json!({"messages": []}),
        json!({"model": 1, "messages": []}),
        json!({"model": "", "messages": []}),
        json!({"model": "gpt 4", "messages": []}),
        json!({"model": "gpt-4o ", "messages": []}),
        json!({"model": "gpt\u{2011}4", "messages": []}),
        json!({"model": "m".repeat(257), "messages": []}),
        json!({"model": "m", "messages": [], "stream": "true"}),
        json!({"model": "m", "messages": [], "stream": 1}),
    ] {
        assert!(
            OpenaiChat.read_request(body.to_string().as_bytes(), None).is_err(),
            "{body}"
        );
    }
    assert!(request(&json!({"model": "m", "messages": [], "stream": true})).stream);
    assert!(!request(&json!({"model": "m", "messages": [], "stream": null})).stream);
}

#[test]
fn what_no_detector_can_read_is_reported() {
    let content = json!([
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://pictures.example/1.png"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "f"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "hologram", "beam": "x"},
        {"type": "text", "text": "hidden", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"no": "type"},
        7,
    ]);
    let half = request(&json!({"model": "m", "messages": [
        {"role": "user", "content": content},
        {"role": "System", "content": "x"},
        {"content": "x"},
        {"role": "user", "content": {"a": 1}},
        {"role": "assistant", "audio": {"id": "audio_1"}},
        {"role": "user", "content": " DATA:image/png;charset=x;Base64,AAAA"},
        "loose",
    ], "x_file": {"deep": ["data:application/zip;base64,AAAA"]}, "previous_response_id": "resp_1",
       "data_sources": [{"endpoint": "x"}], "tools": [{"type": "mcp", "server_url": "x"}]}));
    let expected = [
        ("/messages/0/content/1", Opaque::Image),
        ("/messages/0/content/2", Opaque::Image),
        ("/messages/0/content/2/image_url/url", Opaque::RemoteReference),
        ("/messages/0/content/3", Opaque::Audio),
        ("/messages/0/content/4", Opaque::File),
        ("/messages/0/content/5/file/file_id", Opaque::ServerState),
        ("/messages/0/content/6", Opaque::Unrecognized),
        ("/messages/0/content/7", Opaque::Image),
        ("/messages/0/content/8", Opaque::Unrecognized),
        ("/messages/0/content/9", Opaque::Unrecognized),
        ("/messages/1", Opaque::Unrecognized),
        ("/messages/2", Opaque::Unrecognized),
        ("/messages/3/content", Opaque::Unrecognized),
        ("/messages/4/audio", Opaque::ServerState),
        ("/messages/5/content", Opaque::Image),
        ("/messages/6", Opaque::Unrecognized),
        ("/x_file/deep/0", Opaque::File),
        ("/previous_response_id", Opaque::ServerState),
        ("/data_sources", Opaque::RemoteReference),
        ("/tools/0/server_url", Opaque::RemoteReference),
    ];
    assert_eq!(uninspectable(&half), expected);
    // And its strings are read all the same.
    assert_eq!(part(&half, "/messages/0/content/6/beam").text, "x");
    assert_eq!(
        part(&half, "/messages/0/content/2/image_url/url").text,
        "https://pictures.example/1.png"
    );
}

#[test]
fn arguments_that_are_no_json_are_text() {
    let read = |arguments: &str| {
        request(
            &json!({"model": "m", "messages": [{"role": "assistant", "function_call": {"name": "f", "arguments": arguments}}]}),
        )
    };
    let pointer = "/messages/0/function_call/arguments";
    for (arguments, reported) in [
        ("", false),
        ("plain", false),
        ("{\"a\":1,}", false),
        ("{\"a\":\"\\u0041\",}", true),
        ("{\"a\":1,\"a\":\"\\n\"}", true),
    ] {
        let half = read(arguments);
        let found = part(&half, pointer);
        assert_eq!(
            (found.text.as_str(), found.inner, found.fixed),
            (arguments, false, None)
        );
        assert_eq!(!half.uninspectable.is_empty(), reported, "{arguments}");
    }
    assert_eq!(part(&read("\"abc\""), &format!("{pointer}#")).text, "abc");
    let custom = |input: &str| {
        let call = json!({"id": "c", "type": "custom", "custom": {"name": "sh", "input": input}});
        request(&json!({"model": "m", "messages": [{"role": "assistant", "tool_calls": [call]}]}))
    };
    let pointer = "/messages/0/tool_calls/0/custom/input";
    assert!(custom("grep '\\d'").uninspectable.is_empty());
    assert!(!part(&custom("\"abc\""), pointer).inner);
    assert_eq!(part(&custom("[\"a\\u0062c\"]"), &format!("{pointer}#/0")).text, "abc");
}

#[test]
fn pieces_of_a_stream_belong_to_channels() {
    let chunk = |choices: Value| json!({"id": "c", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "m", "choices": choices});
    let reading = event(&chunk(json!([
        {"index": 1, "delta": {"role": "assistant", "content": "a", "refusal": "b", "reasoning_content": "c", "novel": "d",
            "reasoning_details": [{"type": "reasoning.text", "text": "e", "format": "f", "index": 0}]}},
        {"index": 0, "delta": {"tool_calls": [
            {"index": 2, "id": "call_1", "type": "function", "function": {"name": "pay", "arguments": "{\"ca"}},
            {"index": 3, "function": {"arguments": "rd"}}],
            "function_call": {"name": "old", "arguments": "{"}}, "logprobs": {"content": []}, "finish_reason": null},
        {"delta": {}, "finish_reason": "stop"},
    ])));
    assert_eq!(
        flows(&reading),
        [
            ("1/content", "a"),
            ("1/refusal", "b"),
            ("1/reasoning_content", "c"),
            ("1/novel", "d"),
            ("1/reasoning_details.0.text", "e"),
            ("0/tool/2/arguments", "{\"ca"),
            ("0/tool/3/arguments", "rd"),
            ("0/function_call/arguments", "{"),
        ]
    );
    assert_eq!(reading.ends, ["0/"]);
    let begun: Vec<(&str, &str)> = reading
        .tools
        .iter()
        .map(|one| (one.channel.as_str(), one.call.tool.as_str()))
        .collect();
    assert_eq!(begun, [("0/tool/2/", "pay"), ("0/function_call/", "old")]);
    assert_eq!(reading.falsified.len(), 1);
    assert_eq!(reading.falsified[0].channel, "0/");
    assert!(!reading.terminal);
    let still = |text: &str| {
        reading
            .fragments
            .iter()
            .find(|fragment| fragment.text == text)
            .map(|fragment| fragment.channel.as_str())
    };
    assert_eq!(still("call_1"), Some("0/still/choices/1/delta/tool_calls/0/id"));
    assert_eq!(still("1700000000"), Some("still/created"));
    assert_eq!(still("novel"), Some("1/still/choices/0/delta/novel"));
    assert_eq!(still("content"), None);
}

/// A chunk that says nothing else need not be sent without its piece.
#[test]
fn a_chunk_says_which_calls_it_has_a_part_of_and_whether_that_is_all() {
    let of = |delta: Value| json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 2, "delta": delta, "finish_reason": null, "logprobs": null, "content_filter_results": {}}]});
    let piece = json!({"index": 1, "id": null, "type": "function", "function": {"name": "", "arguments": "{"}});
    let custom = json!({"index": 0, "custom": {"input": "ls"}});
    let (tool, two, former) = (
        &["2/tool/1/"][..],
        &["2/tool/1/", "2/tool/0/"][..],
        &["2/function_call/"][..],
    );
    for (delta, calls, only) in [
        (json!({"tool_calls": [piece]}), tool, true),
        (
            json!({"role": "assistant", "content": "", "tool_calls": [piece, custom]}),
            two,
            true,
        ),
        (json!({"function_call": {"arguments": "{"}}), former, true),
        (
            json!({"tool_calls": [{"index": 1, "id": "c", "function": {"arguments": ""}}]}),
            tool,
            false,
        ),
        (
            json!({"tool_calls": [{"index": 1, "function": {"name": "f", "arguments": "{}"}}]}),
            tool,
            false,
        ),
        (json!({"tool_calls": [{"index": 1}]}), tool, true),
        (json!({"function_call": {"name": "f", "arguments": ""}}), former, false),
        (json!({"content": "so", "tool_calls": [piece]}), tool, false),
        (json!({"tool_calls": [piece], "x": 1}), tool, false),
        (json!({"role": "assistant", "content": ""}), &[], false),
        (json!({"tool_calls": [], "function_call": null}), &[], false),
    ] {
        let reading = event(&of(delta.clone()));
        assert_eq!(reading.calls, calls, "{delta}");
        assert_eq!(reading.only_arguments, only, "{delta}");
    }
    let chunk = of(json!({"tool_calls": [piece]}));
    for (pointer, value, only) in [
        ("/usage", json!({"total_tokens": 1}), false),
        ("/usage", json!(null), true),
        ("/obfuscation", json!("aX3"), true),
        ("/choices/0/finish_reason", json!("tool_calls"), false),
        ("/choices/0/logprobs", json!({"content": [1]}), false),
        ("/choices/1", json!({"index": 0, "delta": {"content": ""}}), false),
    ] {
        let mut chunk = chunk.clone();
        let (way, name) = pointer.rsplit_once('/').expect("a way");
        match chunk.pointer_mut(way).expect("a place") {
            Value::Array(list) => list.push(value.clone()),
            object => object[name] = value.clone(),
        }
        assert_eq!(event(&chunk).only_arguments, only, "{pointer} {value}");
    }
}

/// A client would put the name that a copy says again behind the first.
#[test]
fn a_copy_of_a_chunk_leaves_out_ids_names_and_ends() {
    let data = json!({"id": "chunk", "choices": [
        {"index": 0, "delta": {"content": "so"}, "finish_reason": null},
        {"index": 1, "delta": {"tool_calls": [{"index": 0, "id": "call", "function": {"name": "f", "arguments": ""}}]}, "finish_reason": "stop"},
    ]});
    let text = data.to_string();
    let once = event(&data).once;
    let mut left_out: Vec<&str> = once.iter().filter_map(|range| text.get(range.clone())).collect();
    left_out.sort_unstable();
    assert_eq!(left_out, ["\"call\"", "\"f\"", "\"stop\""]);
}

#[test]
fn a_fragment_knows_its_token() {
    let data = r#"{"choices":[{"index":0,"delta":{"content":"a\u0062c"},"finish_reason":"stop"}],"x":[{"y":"z"}]}"#;
    let reading = OpenaiChat
        .read_event(&Event::data(data.to_owned()))
        .expect("is an event");
    for fragment in &reading.fragments {
        let token = data.get(fragment.token.clone()).expect("is in the data");
        assert_eq!(
            serde_json::from_str::<String>(token).ok().as_deref(),
            Some(fragment.text.as_str())
        );
    }
    let texts: Vec<&str> = reading
        .fragments
        .iter()
        .map(|fragment| fragment.text.as_str())
        .collect();
    assert_eq!(texts, ["abc", "stop", "x", "y", "z"]);
}

#[test]
fn long_names_do_not_multiply() {
    let (name, many) = ("n".repeat(1_000_000), vec!["x"; 100_000]);
    for data in [
        json!({"choices": [{"delta": {&name: &many}}]}),
        json!({"x": {&name: &many}}),
    ] {
        assert!(OpenaiChat.read_event(&Event::data(data.to_string())).is_err());
    }
    let body = json!({"model": "m", "messages": [], "x": {&name: &many}}).to_string();
    assert!(OpenaiChat.read_request(body.as_bytes(), None).is_err());
}

#[test]
fn a_stream_ends_with_done_or_an_error() {
    let read = |data: &str| OpenaiChat.read_event(&Event::data(data.to_owned()));
    assert!(read("[DONE]").expect("is an event").terminal);
    let error = read(r#"{"error":{"message":"leak"}}"#).expect("is an event");
    assert!(error.terminal);
    assert_eq!(
        error
            .fragments
            .iter()
            .map(|fragment| fragment.text.as_str())
            .collect::<Vec<_>>(),
        ["leak"]
    );
    assert!(read("not json").is_err());
    assert!(read(r#"{"choices":[{"index":"0/content"}]}"#).is_err());
    assert!(read("").is_ok());
    let named = OpenaiChat
        .read_event(&Event {
            event: Some("leak".to_owned()),
            data: "{}".to_owned(),
        })
        .expect("is an event");
    assert_eq!(named.fragments[0].text, "leak");
}

const REFUSAL: Refusal<'_> = Refusal {
    message: "No \"cards\",\nplease.",
    model: "m",
    record: "r1",
    at: 1_700_000_000,
};

fn events(bytes: &[u8]) -> Vec<Event> {
    let mut parser = SseParser::default();
    let items = parser.push(bytes).expect("is a stream");
    parser.finish().expect("is whole");
    items
        .into_iter()
        .map(|item| {
            if let Item::Event(event) = item {
                event
            } else {
                Event::default()
            }
        })
        .collect()
}

#[test]
fn its_own_words_are_read_as_its_own() {
    let half = OpenaiChat
        .read_answer(&OpenaiChat.refusal(&REFUSAL))
        .expect("is an answer");
    assert_eq!(part(&half, "/choices/0/message/content").text, REFUSAL.message);
    assert_eq!(part(&half, "/choices/0/finish_reason").text, "content_filter");
    let stream = events(&OpenaiChat.refusal_stream(&REFUSAL));
    let readings: Vec<EventReading> = stream
        .iter()
        .map(|event| OpenaiChat.read_event(event).expect("is an event"))
        .collect();
    let text: String = readings
        .iter()
        .flat_map(flows)
        .map(|(channel, text)| if channel == "0/content" { text } else { "?" })
        .collect();
    assert_eq!(text, REFUSAL.message);
    assert_eq!(
        readings.iter().flat_map(|reading| &reading.ends).collect::<Vec<_>>(),
        ["0/"]
    );
    assert_eq!(
        readings.iter().map(|reading| reading.terminal).collect::<Vec<_>>(),
        [false, false, false, true]
    );
    assert!(
        OpenaiChat
            .read_event(&events(&OpenaiChat.broken_stream("gone"))[0])
            .expect("is an event")
            .terminal
    );
    let error: Value = serde_json::from_slice(&Dialect::Openai.error(401, "who?")).expect("is JSON");
    assert_eq!(
        error,
        json!({"error": {"message": "who?", "type": "invalid_request_error", "param": null, "code": "invalid_api_key"}})
    );
}

#[test]
fn a_stopped_stream_ends_well() {
    assert_eq!(
        OpenaiChat.stop_stream(&Seen::default(), &REFUSAL),
        OpenaiChat.refusal_stream(&REFUSAL)
    );
    let strings = |list: &[&str]| list.iter().map(|&it| it.to_owned()).collect::<Vec<String>>();
    let seen = Seen {
        begun: true,
        open: strings(&["2/content", "0/content", "0/tool/1/arguments"]),
        channels: strings(&["still/id", "0/content", "1/content", "2/content", "0/tool/1/arguments"]),
        last: Some(r#"{"id":"chatcmpl-7","created":5,"model":"m-2024"}"#.to_owned()),
        ..Seen::default()
    };
    let events = events(&OpenaiChat.stop_stream(&seen, &REFUSAL));
    assert_eq!(events.len(), 3);
    let chunks: Vec<Value> = events[..2]
        .iter()
        .map(|event| serde_json::from_str(&event.data).expect("is JSON"))
        .collect();
    assert_eq!(chunks[0]["id"], "chatcmpl-7");
    assert_eq!(chunks[0]["model"], "m-2024");
    assert_eq!(
        chunks[0]["choices"][0]["delta"]["content"],
        format!("\n\n{}", REFUSAL.message)
    );
    assert_eq!(
        (&chunks[0]["choices"][0]["index"], &chunks[1]["choices"][0]["index"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(chunks[1]["choices"][0]["finish_reason"], "content_filter");
    assert_eq!(events[2].data, "[DONE]");
    let quiet = Seen {
        begun: true,
        ..Seen::default()
    };
    assert!(
        String::from_utf8(OpenaiChat.stop_stream(&quiet, &REFUSAL))
            .expect("is UTF-8")
            .contains("please.")
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = OpenaiChat.read_request(&bytes, None);
        let _ = OpenaiChat.read_answer(&bytes);
        let _ = OpenaiChat.read_event(&Event::data(String::from_utf8_lossy(&bytes).into_owned()));
    }

    #[test]
    fn odd_shapes_never_panic(names in proptest::collection::vec(prop::sample::select(&NAMES[..]), 1..9), leaf in prop::sample::select(&LEAVES[..]), list in any::<u16>()) {
        let mut value: Value = serde_json::from_str(leaf).expect("is JSON");
        for (depth, name) in names.iter().enumerate() {
            value = if list >> depth & 1 == 1 { json!([value]) } else { json!({*name: value}) };
        }
        let mut body = json!({"model": "m", "messages": [value], "choices": [value]});
        body["tools"] = value;
        let body = body.to_string();
        let half = OpenaiChat.read_request(body.as_bytes(), None).expect("is a request");
        let all: Vec<usize> = (0..half.parts.len()).collect();
        OpenaiChat.falsified(body.as_bytes(), &half, &all);
        let strings = body.matches('"').count();
        prop_assert!(half.parts.len() <= strings);
        let _ = OpenaiChat.read_answer(body.as_bytes());
        let _ = OpenaiChat.read_event(&Event::data(body));
    }
}

const NAMES: [&str; 14] = [
    "role",
    "content",
    "tool_calls",
    "function",
    "arguments",
    "message",
    "delta",
    "logprobs",
    "audio",
    "custom",
    "input",
    "name",
    "reasoning_details",
    "index",
];
const LEAVES: [&str; 7] = ["null", "\"x\"", "1", "true", "[]", "{}", "\"{\\\"a\\\":1}\""];
