use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Ollama, OllamaEmbed};
use crate::exchange::{Fixed, Half, Opaque};
use crate::verdict::Source;
use crate::wire::fixture::{flows, part, uninspectable};
use crate::wire::framing::{Framing, Parser};
use crate::wire::sse::{Event, Item};
use crate::wire::{Dialect, EventReading, Malformed, Refusal, Seen, Talk as _, Wire};

const ALL: [&dyn Wire; 3] = [&Ollama::Chat, &Ollama::Generate, &OllamaEmbed];
const BOTH: [Ollama; 2] = [Ollama::Chat, Ollama::Generate];

fn read(wire: &dyn Wire, body: &Value) -> Result<Half, Malformed> {
    wire.read_request(body.to_string().as_bytes(), None)
}

fn request(wire: &dyn Wire, body: &Value) -> Half {
    read(wire, body).expect("is a request")
}

fn event(wire: Ollama, data: &Value) -> EventReading {
    wire.read_event(&Event::data(data.to_string())).expect("is an event")
}

/// Each text `plantN` stands once, where it is said to stand.
fn assert_planted(half: &Half, expected: &[(&str, Source, Option<Fixed>)]) {
    for (plant, &(pointer, source, fixed)) in expected.iter().enumerate() {
        let text = format!("plant{plant}");
        let found: Vec<_> = half.parts.iter().filter(|part| part.text == text).collect();
        assert_eq!(found.len(), 1, "{text} at {pointer}");
        assert_eq!(
            (found[0].pointer.as_str(), found[0].source, found[0].fixed),
            (pointer, source, fixed),
            "{text}"
        );
    }
}

#[test]
fn a_planted_value_shows_up_wherever_it_stands_in_a_chat() {
    let body = json!({
        "model": "plant0",
        "messages": [
            {"role": "system", "content": "plant1"},
            {"role": "user", "content": "plant2", "plant3": {"deep": ["plant4"]}},
            {"role": "assistant", "content": "plant5", "thinking": "plant6", "tool_calls": [{"id": "plant7",
                "function": {"name": "plant8", "arguments": {"plant9": ["plant10", {"id": "plant11"}], "n": 123_456_789_012_u64}}}]},
            {"role": "tool", "tool_name": "plant12", "tool_call_id": "plant13", "content": "plant14"},
        ],
        "tools": [{"type": "function", "function": {"name": "plant15", "description": "plant16", "parameters":
            {"type": "object", "properties": {"plant17": {"type": "string", "enum": ["plant18"], "description": "plant19"}}}}}],
        "format": {"type": "object", "properties": {"a": {"const": "plant20", "title": "plant21"}}},
        "options": {"temperature": 0, "stop": ["plant22"], "plant23": "plant24"},
        "keep_alive": "plant25",
        "think": "plant26",
        "x_invented": {"plant27": "plant28", "number": 4_111_111_111_111_111_u64},
    });
    let half = request(&Ollama::Chat, &body);
    let (key, name) = (Some(Fixed::Key), Some(Fixed::Name));
    let (user, system, model, tool) = (Source::User, Source::System, Source::Model, Source::Tool);
    assert_planted(
        &half,
        &[
            ("/model", user, name),
            ("/messages/0/content", system, None),
            ("/messages/1/content", user, None),
            ("/messages/1/plant3", user, key),
            ("/messages/1/plant3/deep/0", user, None),
            ("/messages/2/content", model, None),
            ("/messages/2/thinking", model, None),
            ("/messages/2/tool_calls/0/id", model, name),
            ("/messages/2/tool_calls/0/function/name", model, name),
            ("/messages/2/tool_calls/0/function/arguments/plant9", model, key),
            ("/messages/2/tool_calls/0/function/arguments/plant9/0", model, None),
            ("/messages/2/tool_calls/0/function/arguments/plant9/1/id", model, None),
            ("/messages/3/tool_name", tool, name),
            ("/messages/3/tool_call_id", tool, name),
            ("/messages/3/content", tool, None),
            ("/tools/0/function/name", system, name),
            ("/tools/0/function/description", system, None),
            ("/tools/0/function/parameters/properties/plant17", system, key),
            ("/tools/0/function/parameters/properties/plant17/enum/0", system, name),
            (
                "/tools/0/function/parameters/properties/plant17/description",
                system,
                None,
            ),
            ("/format/properties/a/const", system, name),
            ("/format/properties/a/title", system, None),
            ("/options/stop/0", user, None),
            ("/options/plant23", user, key),
            ("/options/plant23", user, None),
            ("/keep_alive", user, name),
            ("/think", user, name),
            ("/x_invented/plant27", user, key),
            ("/x_invented/plant27", user, None),
        ],
    );
    let arguments = "/messages/2/tool_calls/0/function/arguments";
    assert_eq!(part(&half, &format!("{arguments}/n")).text, "123456789012");
    assert_eq!(part(&half, "/x_invented/number").text, "4111111111111111");
    assert_eq!(half.model.as_deref(), Some("plant0"));
    assert_eq!(uninspectable(&half), []);
}

#[test]
fn a_planted_value_shows_up_wherever_it_stands_in_a_prompt() {
    let body = json!({"model": "plant0", "prompt": "plant1", "suffix": "plant2", "system": "plant3", "template": "plant4",
        "format": "plant5", "options": {"stop": "plant6"}, "x_invented": ["plant7"], "raw": true});
    let half = request(&Ollama::Generate, &body);
    let name = Some(Fixed::Name);
    assert_planted(
        &half,
        &[
            ("/model", Source::User, name),
            ("/prompt", Source::User, None),
            ("/suffix", Source::User, None),
            ("/system", Source::System, None),
            ("/template", Source::System, None),
            ("/format", Source::System, name),
            ("/options/stop", Source::User, None),
            ("/x_invented/0", Source::User, None),
        ],
    );
    let body = json!({"model": "plant0", "input": ["plant1", "plant2"], "prompt": "plant3", "x_invented": "plant4"});
    let half = request(&OllamaEmbed, &body);
    assert_planted(
        &half,
        &[
            ("/model", Source::User, name),
            ("/input/0", Source::User, None),
            ("/input/1", Source::User, None),
            ("/prompt", Source::User, None),
            ("/x_invented", Source::User, None),
        ],
    );
    assert_eq!(
        part(&request(&OllamaEmbed, &json!({"model": "m", "input": "x"})), "/input").text,
        "x"
    );
}

#[test]
fn a_request_streams_unless_it_says_otherwise() {
    for wire in [Ollama::Chat, Ollama::Generate] {
        for (stream, streams) in [(json!(null), true), (json!(true), true), (json!(false), false)] {
            assert_eq!(request(&wire, &json!({"model": "m", "stream": stream})).stream, streams);
        }
        assert!(request(&wire, &json!({"model": "m"})).stream);
        assert!(read(&wire, &json!({"model": "m", "stream": "false"})).is_err());
    }
    assert!(!request(&OllamaEmbed, &json!({"model": "m", "input": "x"})).stream);
}

#[test]
fn models_are_named_with_tags_and_owners() {
    for wire in ALL {
        for model in ["llama3.2:3b", "user/model:tag", "hf.co/owner/Model-GGUF:Q4_K_M"] {
            assert_eq!(request(wire, &json!({"model": model})).model.as_deref(), Some(model));
        }
        for body in [
            json!([]),
            json!({}),
            json!({"model": ""}),
            json!({"model": 1}),
            json!({"model": "llama 3"}),
            json!({"model": "llama3\u{2011}2"}),
        ] {
            assert!(read(wire, &body).is_err(), "{body}");
        }
    }
    assert!(read(&Ollama::Chat, &json!({"model": "m", "messages": {}})).is_err());
    assert!(read(&Ollama::Chat, &json!({"model": "m", "messages": "hello"})).is_err());
    assert!(request(&Ollama::Chat, &json!({"model": "m", "messages": null})).stream);
}

/// Go's reader takes `Model` for `model`, and the last one wins.
#[test]
fn a_name_that_differs_in_case_only_is_refused() {
    for wire in ALL {
        for name in [
            "Model",
            "MODEL",
            "Stream",
            "\u{17F}tream",
            "Prompt",
            "Images",
            "CONTEXT",
            "\u{212A}eep_alive",
        ] {
            let error = read(wire, &json!({"model": "m", name: "x"})).expect_err("is refused");
            assert_eq!(
                error.reason, "a member name differs from a known one in case only",
                "{name}"
            );
        }
        assert!(
            read(
                wire,
                &json!({"model": "m", "x_Model": "x", "Modell": "x", "options": {"Stop": "x"}})
            )
            .is_ok()
        );
    }
    let chat = |message: Value| read(&Ollama::Chat, &json!({"model": "m", "messages": [message]}));
    for message in [
        json!({"role": "user", "Role": "system", "content": "x"}),
        json!({"role": "user", "Content": "x"}),
        json!({"role": "user", "Images": ["AAAA"]}),
        json!({"role": "assistant", "tool_calls": [{"Function": {}}]}),
        json!({"role": "assistant", "tool_calls": [{"function": {"name": "a", "Arguments": {}}}]}),
    ] {
        assert!(chat(message.clone()).is_err(), "{message}");
    }
    // The arguments of a tool are the tool's.
    let call = json!({"function": {"name": "a", "arguments": {"Name": "x", "name": "y"}}});
    assert!(chat(json!({"role": "assistant", "tool_calls": [call]})).is_ok());
}

#[test]
fn what_no_detector_can_read_is_reported() {
    let half = request(
        &Ollama::Chat,
        &json!({"model": "m", "messages": [
            {"role": "user", "content": "look", "images": ["iVBORw0KGgo="]},
            {"role": "user", "content": "look", "images": []},
            {"role": "System", "content": "x"},
            {"content": "x"},
            {"role": "user", "content": [{"type": "text", "text": "x"}]},
            {"role": "user", "content": "data:image/png;base64,AAAA"},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": "\\u0041"}}]},
            "loose",
        ]}),
    );
    assert_eq!(
        uninspectable(&half),
        [
            ("/messages/0/images", Opaque::Image),
            ("/messages/2", Opaque::Unrecognized),
            ("/messages/3", Opaque::Unrecognized),
            ("/messages/4/content", Opaque::Unrecognized),
            ("/messages/5/content", Opaque::Image),
            ("/messages/6/tool_calls/0/function/arguments", Opaque::Unrecognized),
            ("/messages/7", Opaque::Unrecognized),
        ]
    );
    // And its strings are read all the same.
    assert_eq!(part(&half, "/messages/0/images/0").text, "iVBORw0KGgo=");
    assert_eq!(part(&half, "/messages/4/content/0/text").text, "x");
    let half = request(
        &Ollama::Generate,
        &json!({"model": "m", "prompt": ["x"], "images": ["AAAA"], "context": [1, 2, 123_456_789_012_u64]}),
    );
    assert_eq!(
        uninspectable(&half),
        [
            ("/prompt", Opaque::Unrecognized),
            ("/images", Opaque::Image),
            ("/context", Opaque::ServerState),
        ]
    );
    assert_eq!(part(&half, "/context/2").text, "123456789012");
    let none = json!({"model": "m", "prompt": "", "context": [], "images": null});
    assert_eq!(uninspectable(&request(&Ollama::Generate, &none)), []);
    let half = request(
        &OllamaEmbed,
        &json!({"model": "m", "input": ["x", [1, 2]], "prompt": 1}),
    );
    assert_eq!(
        uninspectable(&half),
        [("/input", Opaque::Unrecognized), ("/prompt", Opaque::Unrecognized)]
    );
    let half = request(&OllamaEmbed, &json!({"model": "m", "input": {"a": "x"}}));
    assert_eq!(uninspectable(&half), [("/input", Opaque::Unrecognized)]);
}

const TIMES: &str = r#""total_duration":4111111111111111,"load_duration":123456789012,"prompt_eval_count":26,"prompt_eval_duration":130079000000,"eval_count":259,"eval_duration":4232710000000"#;

#[test]
fn an_answer_is_read_whole() {
    let body = format!(
        r#"{{"model":"m","created_at":"2026-11-20T12:00:00.123456789Z","message":{{"role":"assistant","content":"said","thinking":"thought","novel":{{"deep":"new"}},
        "tool_calls":[{{"function":{{"name":"pay","arguments":{{"card":"arg"}}}}}},{{"function":{{"name":"old","arguments":"{{\"a\":\"b\"}}"}}}}]}},
        "done":true,"done_reason":"stop","logprobs":[{{"token":"sa","logprob":-0.41111111111111}}],{TIMES},"x_new":4111111111111111}}"#
    );
    let half = Ollama::Chat.read_answer(body.as_bytes()).expect("is an answer");
    for (way, text) in [
        ("content", "said"),
        ("thinking", "thought"),
        ("novel/deep", "new"),
        ("tool_calls/0/function/arguments/card", "arg"),
        ("tool_calls/1/function/arguments#/a", "b"),
    ] {
        let found = part(&half, &format!("/message/{way}"));
        assert_eq!(
            (found.text.as_str(), found.source, found.fixed),
            (text, Source::Model, None)
        );
    }
    assert_eq!(part(&half, "/created_at").fixed, Some(Fixed::Name));
    assert_eq!(part(&half, "/done_reason").fixed, Some(Fixed::Name));
    assert_eq!(part(&half, "/logprobs/0/token").text, "sa");
    let digits = half
        .parts
        .iter()
        .filter(|part| part.text.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(digits.map(|part| part.pointer.as_str()).collect::<Vec<_>>(), ["/x_new"]);
    let tools: Vec<(&str, Option<&str>)> = half
        .tools
        .iter()
        .map(|call| (call.tool.as_str(), call.arguments.as_deref()))
        .collect();
    assert_eq!(
        tools,
        [("pay", Some(r#"{"card":"arg"}"#)), ("old", Some(r#"{"a":"b"}"#))]
    );
    assert_eq!(half.model.as_deref(), Some("m"));

    let body = format!(r#"{{"model":"m","response":"said","thinking":"thought","done":true,"context":[1,2],{TIMES}}}"#);
    let half = Ollama::Generate.read_answer(body.as_bytes()).expect("is an answer");
    assert_eq!(
        (part(&half, "/response").text.as_str(), uninspectable(&half)),
        ("said", vec![])
    );
    let drawn = Ollama::Generate.read_answer(br#"{"image":"iVBORw0KGgo=","done":true}"#);
    assert_eq!(
        uninspectable(&drawn.expect("is an answer")),
        [("/image", Opaque::Image)]
    );

    let body = r#"{"model":"m","embeddings":[[0.010071029,-0.0017594862]],"embedding":[-0.4111111111111111],"total_duration":14143917000}"#;
    let half = OllamaEmbed.read_answer(body.as_bytes()).expect("is an answer");
    assert!(half.parts.iter().all(|part| part.fixed.is_some()), "{:?}", half.parts);
    for wire in ALL {
        assert!(wire.read_answer(b"[]").is_err());
        assert!(wire.read_answer(br#"{"error":"model 'm' not found"}"#).is_ok());
    }
}

#[test]
fn what_repeats_a_text_falls_with_it() {
    let body = r#"{"response":"a","logprobs":[1],"context":[2],"x":{"context":[3]}}"#;
    let half = Ollama::Generate.read_answer(body.as_bytes()).expect("is an answer");
    let falsified = |parts: &[usize]| -> Vec<&str> {
        let ranges = Ollama::Generate.falsified(body.as_bytes(), &half, parts);
        ranges
            .into_iter()
            .map(|range| body.get(range).expect("is in the body"))
            .collect()
    };
    assert_eq!(falsified(&[1]), ["[1]", "[2]"]);
    assert_eq!(falsified(&[]), [""; 0]);
}

#[test]
fn pieces_of_a_stream_belong_to_channels() {
    let reading = event(
        Ollama::Chat,
        &json!({"model": "m", "created_at": "2026-11-20T12:00:00Z", "done": false, "message": {"role": "assistant",
            "content": "a", "thinking": "b", "novel": {"x": "c", "id": "d"}, "tool_calls": [
                {"id": "call_1", "function": {"name": "pay", "arguments": {"to": ["e", 123_456_789], "n": 1}}},
                {"function": {"index": 7, "name": "old", "arguments": "{\"f\":1}"}}]}, "logprobs": []}),
    );
    let mut found = flows(&reading);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("text/content", "a"),
            ("text/novel.x", "c"),
            ("text/thinking", "b"),
            ("tool/0/whole", "123456789"),
            ("tool/0/whole", "e"),
            ("tool/7/arguments", "{\"f\":1}"),
        ]
    );
    let begun: Vec<(&str, &str, Option<&str>)> = reading
        .tools
        .iter()
        .map(|one| {
            (
                one.channel.as_str(),
                one.call.tool.as_str(),
                one.call.arguments.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        begun,
        [
            ("tool/0/", "pay", Some(r#"{"to":["e",123456789],"n":1}"#)),
            ("tool/7/", "old", None)
        ]
    );
    assert_eq!(reading.ends, ["tool/0/", "tool/7/"]);
    assert_eq!((reading.falsified.len(), reading.once.len()), (1, 1));
    assert!(!reading.terminal && !reading.falsified.iter().any(|one| one.so_far));

    let reading = event(
        Ollama::Generate,
        &json!({"model": "m", "response": "a", "thinking": "b", "novel": "c", "done_reason": "d", "context": [1], "done": false}),
    );
    let mut found = flows(&reading);
    found.sort_unstable();
    assert_eq!(
        found,
        [("text/novel", "c"), ("text/response", "a"), ("text/thinking", "b")]
    );
    assert!(reading.falsified.len() == 1 && reading.falsified.iter().all(|one| one.so_far));
}

#[test]
fn a_fragment_knows_its_token() {
    let data = r#"{"message":{"content":"a\u0062c","tool_calls":[{"function":{"name":"f","arguments":{"k":"v"}}}]},"x":[{"y":"z"}]}"#;
    let reading = Ollama::Chat
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
    assert_eq!(texts, ["abc", "f", "k", "v", "x", "y", "z"]);
}

#[test]
fn a_stream_ends_with_done_or_an_error() {
    for wire in BOTH {
        let terminal = |data: &str| {
            wire.read_event(&Event::data(data.to_owned()))
                .expect("is an event")
                .terminal
        };
        assert!(terminal(r#"{"done":true}"#));
        assert!(terminal(r#"{"error":"leak"}"#));
        assert!(!terminal(r#"{"done":false}"#));
        assert!(!terminal(r#"{"done":null,"error":null}"#));
        assert!(!terminal(""));
        assert!(wire.read_event(&Event::data("not json".to_owned())).is_err());
    }
    let index = r#"{"message":{"tool_calls":[{"function":{"index":"0/arguments"}}]}}"#;
    assert!(Ollama::Chat.read_event(&Event::data(index.to_owned())).is_err());
}

#[test]
fn long_names_do_not_multiply() {
    let (name, many) = ("n".repeat(1_000_000), vec!["x"; 100_000]);
    let call = json!([{"function": {"arguments": {&name: &many}}}]);
    for (wire, data, read) in [
        (Ollama::Generate, json!({&name: &many}), false),
        // What is whole in its line needs no name of its own.
        (Ollama::Chat, json!({"message": {"tool_calls": call}}), true),
    ] {
        assert_eq!(wire.read_event(&Event::data(data.to_string())).is_ok(), read);
    }
}

const REFUSAL: Refusal<'_> = Refusal {
    message: "No \"cards\",\nplease.",
    model: "m",
    record: "r1",
    at: 1_700_000_000,
};

fn lines(bytes: &[u8]) -> Vec<Value> {
    let mut parser = Parser::new(Framing::Lines);
    let items = parser.push(bytes).expect("is a stream");
    assert_eq!(parser.finish(), Ok(None), "is whole");
    items
        .into_iter()
        .map(|item| match item {
            Item::Event(event) => serde_json::from_str(&event.data).expect("is JSON"),
            Item::Comment => unreachable!("lines have no comments"),
        })
        .collect()
}

fn text(wire: Ollama, value: &Value) -> &str {
    let way = if wire == Ollama::Chat {
        "/message/content"
    } else {
        "/response"
    };
    value.pointer(way).and_then(Value::as_str).expect("is a text")
}

#[test]
fn its_own_words_are_read_as_its_own() {
    for wire in BOTH {
        let whole = wire.refusal(&REFUSAL);
        let half = wire.read_answer(&whole).expect("is an answer");
        assert_eq!(part(&half, "/done_reason").text, "content_filter");
        assert_eq!(part(&half, "/created_at").text, "2023-11-14T22:13:20Z");
        assert_eq!(half.model.as_deref(), Some("m"));
        let value: Value = serde_json::from_slice(&whole).expect("is JSON");
        assert_eq!((text(wire, &value), &value["done"]), (REFUSAL.message, &json!(true)));

        let stream = lines(&wire.refusal_stream(&REFUSAL));
        let readings: Vec<EventReading> = stream.iter().map(|line| event(wire, line)).collect();
        let said: String = readings
            .iter()
            .flat_map(flows)
            .map(|(channel, text)| if channel == wire.spoken() { text } else { "?" })
            .collect();
        assert_eq!(said, REFUSAL.message);
        assert_eq!(
            readings.iter().map(|reading| reading.terminal).collect::<Vec<_>>(),
            [false, true]
        );
        let broken = lines(&wire.broken_stream("gone"));
        assert_eq!(broken, [json!({"error": "gone"})]);
        assert!(event(wire, &broken[0]).terminal);
    }
    let error: Value = serde_json::from_slice(&Dialect::Ollama.error(401, "who?")).expect("is JSON");
    assert_eq!(error, json!({"error": "who?"}));
}

#[test]
fn a_stopped_stream_ends_well() {
    for wire in BOTH {
        assert_eq!(
            wire.stop_stream(&Seen::default(), &REFUSAL),
            wire.refusal_stream(&REFUSAL)
        );
        let seen = |channel: &str| Seen {
            begun: true,
            open: vec![channel.to_owned()],
            channels: vec!["still/model".to_owned(), channel.to_owned()],
            last: Some(r#"{"model":"llama3.2:3b","done":false}"#.to_owned()),
            ..Seen::default()
        };
        let stopped = lines(&wire.stop_stream(&seen(wire.spoken()), &REFUSAL));
        assert_eq!(text(wire, &stopped[0]), format!("\n\n{}", REFUSAL.message));
        assert_eq!(stopped[0]["model"], "llama3.2:3b");
        assert_eq!(
            (&stopped[0]["done"], &stopped[1]["done"]),
            (&json!(false), &json!(true))
        );
        assert_eq!((stopped.len(), text(wire, &stopped[1])), (2, ""));
        let thought = lines(&wire.stop_stream(&seen("text/thinking"), &REFUSAL));
        assert_eq!(text(wire, &thought[0]), REFUSAL.message);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        for wire in ALL {
            let _ = wire.read_request(&bytes, None);
            let _ = wire.read_answer(&bytes);
            if let Some(talk) = wire.talk() {
                let _ = talk.read_event(&Event::data(String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
    }

    #[test]
    fn odd_shapes_never_panic(names in proptest::collection::vec(prop::sample::select(&NAMES[..]), 1..9), leaf in prop::sample::select(&LEAVES[..]), list in any::<u16>()) {
        let mut value: Value = serde_json::from_str(leaf).expect("is JSON");
        for (depth, name) in names.iter().enumerate() {
            value = if list >> depth & 1 == 1 { json!([value]) } else { json!({*name: value}) };
        }
        let mut body = json!({"model": "m", "messages": [value], "message": value, "prompt": value});
        body["tools"] = value;
        let body = body.to_string();
        let strings = body.matches('"').count();
        for wire in ALL {
            let half = wire.read_request(body.as_bytes(), None).expect("is a request");
            prop_assert!(half.parts.len() <= strings);
            let half = wire.read_answer(body.as_bytes()).expect("is an answer");
            let all: Vec<usize> = (0..half.parts.len()).collect();
            wire.falsified(body.as_bytes(), &half, &all);
            if let Some(talk) = wire.talk() {
                let _ = talk.read_event(&Event::data(body.clone()));
            }
        }
    }
}

const NAMES: [&str; 14] = [
    "role",
    "content",
    "tool_calls",
    "function",
    "arguments",
    "thinking",
    "images",
    "logprobs",
    "context",
    "index",
    "input",
    "name",
    "embeddings",
    "options",
];
const LEAVES: [&str; 7] = ["null", "\"x\"", "1", "true", "[]", "{}", "\"{\\\"a\\\":1}\""];
