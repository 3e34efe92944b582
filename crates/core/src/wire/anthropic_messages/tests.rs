use proptest::prelude::*;
use serde_json::{Value, json};

use super::AnthropicMessages;
use crate::exchange::{Fixed, Half, Opaque};
use crate::verdict::Source;
use crate::wire::fixture::{part, uninspectable};
use crate::wire::sse::{Event, Item, SseParser};
use crate::wire::{Dialect, EventReading, Flow, Refusal, Seen, Talk as _, Wire as _};

fn request(body: &Value) -> Half {
    AnthropicMessages
        .read_request(body.to_string().as_bytes(), None)
        .expect("is a request")
}

fn event(data: &Value) -> EventReading {
    let name = data["type"].as_str().map(str::to_owned);
    AnthropicMessages
        .read_event(&Event {
            event: name,
            data: data.to_string(),
        })
        .expect("is an event")
}

fn flows(reading: &EventReading) -> Vec<(&str, Flow, &str)> {
    let flowing = reading.fragments.iter().filter(|fragment| fragment.flow != Flow::Still);
    flowing
        .map(|fragment| (fragment.channel.as_str(), fragment.flow, fragment.text.as_str()))
        .collect()
}

#[test]
fn a_planted_value_shows_up_wherever_it_stands() {
    let body = json!({
        "model": "claude",
        "max_tokens": 5,
        "system": [{"type": "text", "text": "plant0", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "plant1"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "plant2", "signature": "plant3"},
                {"type": "text", "text": "plant4", "plant5": "plant6"},
                {"type": "tool_use", "id": "plant7", "name": "plant8", "input": {"plant9": {"id": "plant10", "n": 123456789}}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t", "content": [
                    {"type": "text", "text": "plant11"},
                    {"type": "search_result", "source": "plant12", "title": "plant13", "content": [{"type": "text", "text": "plant14"}]},
                ]},
                {"type": "document", "title": "plant15", "context": "plant16",
                 "source": {"type": "text", "media_type": "text/plain", "data": "plant17"}},
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "plant18"}]}},
                {"type": "tool_result", "tool_use_id": "u", "content": "plant19"},
            ]},
        ],
        "tools": [{"name": "plant20", "description": "plant21", "input_schema": {"properties": {"plant22": {"enum": ["plant23"]}}}}],
        "metadata": {"user_id": "plant24"},
        "stop_sequences": ["plant25"],
        "tool_choice": {"type": "tool", "name": "plant26"},
        "invented": {"plant27": ["plant28"]},
    });
    let half = request(&body);
    let (key, name) = (Some(Fixed::Key), Some(Fixed::Name));
    let expected = [
        ("/system/0/text", Source::System, None),
        ("/messages/0/content", Source::User, None),
        ("/messages/1/content/0/thinking", Source::Model, None),
        ("/messages/1/content/0/signature", Source::Model, name),
        ("/messages/1/content/1/text", Source::Model, None),
        ("/messages/1/content/1/plant5", Source::Model, key),
        ("/messages/1/content/1/plant5", Source::Model, None),
        ("/messages/1/content/2/id", Source::Model, name),
        ("/messages/1/content/2/name", Source::Model, name),
        ("/messages/1/content/2/input/plant9", Source::Model, key),
        ("/messages/1/content/2/input/plant9/id", Source::Model, None),
        ("/messages/2/content/0/content/0/text", Source::Tool, None),
        ("/messages/2/content/0/content/1/source", Source::Retrieved, None),
        ("/messages/2/content/0/content/1/title", Source::Retrieved, None),
        (
            "/messages/2/content/0/content/1/content/0/text",
            Source::Retrieved,
            None,
        ),
        ("/messages/2/content/1/title", Source::Retrieved, None),
        ("/messages/2/content/1/context", Source::Retrieved, None),
        ("/messages/2/content/1/source/data", Source::Retrieved, None),
        ("/messages/2/content/2/source/content/0/text", Source::Retrieved, None),
        ("/messages/2/content/3/content", Source::Tool, None),
        ("/tools/0/name", Source::System, name),
        ("/tools/0/description", Source::System, None),
        ("/tools/0/input_schema/properties/plant22", Source::System, key),
        ("/tools/0/input_schema/properties/plant22/enum/0", Source::System, name),
        ("/metadata/user_id", Source::User, None),
        ("/stop_sequences/0", Source::User, None),
        ("/tool_choice/name", Source::User, name),
        ("/invented/plant27", Source::User, key),
        ("/invented/plant27/0", Source::User, None),
    ];
    for (plant, (pointer, source, fixed)) in expected.into_iter().enumerate() {
        let text = format!("plant{plant}");
        let found: Vec<_> = half.parts.iter().filter(|part| part.text == text).collect();
        assert_eq!(found.len(), 1, "{text} at {pointer}");
        assert_eq!(
            (found[0].pointer.as_str(), found[0].source, found[0].fixed),
            (pointer, source, fixed),
            "{text}"
        );
    }
    assert_eq!(part(&half, "/messages/1/content/2/input/plant9/n").text, "123456789");
    assert_eq!(uninspectable(&half), []);
    assert_eq!(
        part(
            &request(&json!({"model": "m", "messages": [], "system": "s"})),
            "/system"
        )
        .source,
        Source::System
    );
}

#[test]
fn what_no_detector_can_read_is_reported() {
    let half = request(&json!({
        "model": "m",
        "messages": [
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {"type": "image", "source": {"type": "url", "url": "https://pictures.example/1.png"}},
                {"type": "document", "source": {"type": "base64", "data": "AAAA"}},
                {"type": "document", "source": {"type": "url", "url": "https://papers.example/1.pdf"}},
                {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
                {"type": "document", "source": {"type": "content", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}},
                {"type": "tool_result", "content": [{"type": "image", "source": {"type": "base64", "data": "AAAA"}}]},
                {"type": "container_upload", "file_id": "file_2"},
                {"type": "hologram"},
                {"type": "text", "text": "x", "source": {"type": "base64", "data": "AAAA"}},
                5,
            ]},
            {"role": "assistant", "content": [
                {"type": "redacted_thinking", "data": "AAAA"},
                {"type": "web_search_tool_result", "content": [{"type": "web_search_result", "title": "t", "encrypted_content": "AAAA"}]},
                {"type": "code_execution_tool_result", "content": {"type": "code_execution_result", "stdout": "s",
                    "content": [{"type": "code_execution_output", "file_id": "file_3"}]}},
            ]},
            {"role": "system", "content": "x"},
        ],
        "mcp_servers": [{"url": "https://tools.example"}],
        "container": "c_1",
    }));
    let expected = [
        ("/messages/0/content/0", Opaque::Image),
        ("/messages/0/content/1", Opaque::Image),
        ("/messages/0/content/1/source/url", Opaque::RemoteReference),
        ("/messages/0/content/2", Opaque::File),
        ("/messages/0/content/3", Opaque::RemoteReference),
        ("/messages/0/content/4", Opaque::ServerState),
        ("/messages/0/content/5/source/content/0", Opaque::Image),
        (
            "/messages/0/content/5/source/content/0/source/file_id",
            Opaque::ServerState,
        ),
        ("/messages/0/content/6/content/0", Opaque::Image),
        ("/messages/0/content/7", Opaque::ServerState),
        ("/messages/0/content/8", Opaque::Unrecognized),
        ("/messages/0/content/9/source", Opaque::Unrecognized),
        ("/messages/0/content/10", Opaque::Unrecognized),
        ("/messages/1/content/0", Opaque::EncryptedReasoning),
        ("/messages/1/content/1/content/0/encrypted_content", Opaque::ServerState),
        ("/messages/1/content/2/content/content/0/file_id", Opaque::ServerState),
        ("/messages/2", Opaque::Unrecognized),
        ("/mcp_servers", Opaque::RemoteReference),
        ("/container", Opaque::ServerState),
    ];
    assert_eq!(uninspectable(&half), expected);
    assert_eq!(
        part(&half, "/messages/1/content/1/content/0/title").source,
        Source::Retrieved
    );
    assert_eq!(part(&half, "/messages/1/content/2/content/stdout").source, Source::Tool);
    assert_eq!(part(&half, "/messages/2/content").source, Source::System);
}

#[test]
fn an_answer_is_read_block_by_block() {
    let body = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": [
        {"type": "thinking", "thinking": "why", "signature": "sig"},
        {"type": "text", "text": "what", "citations": [{"type": "char_location", "cited_text": "cited"}]},
        {"type": "tool_use", "id": "t", "name": "pay", "input": {"card": "4111"}},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "content": [{"type": "web_search_result", "title": "found"}]},
    ], "stop_reason": "tool_use", "usage": {"output_tokens": 123456789}})
    .to_string();
    let half = AnthropicMessages.read_answer(body.as_bytes()).expect("is an answer");
    for (pointer, text, source, fixed) in [
        ("/content/0/thinking", "why", Source::Model, None),
        ("/content/1/text", "what", Source::Model, None),
        ("/content/1/citations/0/cited_text", "cited", Source::Model, None),
        ("/content/2/input/card", "4111", Source::Model, None),
        ("/content/3/input/query", "q", Source::Model, None),
        ("/content/4/content/0/title", "found", Source::Retrieved, None),
        ("/stop_reason", "tool_use", Source::Model, Some(Fixed::Name)),
        ("/usage/output_tokens", "123456789", Source::Model, Some(Fixed::Name)),
    ] {
        let found = part(&half, pointer);
        assert_eq!(
            (found.text.as_str(), found.source, found.fixed),
            (text, source, fixed),
            "{pointer}"
        );
    }
    let tools: Vec<&str> = half.tools.iter().map(|call| call.tool.as_str()).collect();
    assert_eq!(tools, ["pay", "web_search"]);
    assert_eq!(half.model.as_deref(), Some("claude-x"));
    let falsified = |pointer: &str| {
        let at = half
            .parts
            .iter()
            .position(|part| part.pointer == pointer && part.fixed.is_none())
            .expect("is a part");
        AnthropicMessages.falsified(body.as_bytes(), &half, &[at])
    };
    assert_eq!(
        falsified("/content/0/thinking")
            .iter()
            .filter_map(|range| body.get(range.clone()))
            .collect::<Vec<_>>(),
        ["\"sig\""]
    );
    assert!(falsified("/content/1/text").is_empty());
}

#[test]
fn events_of_a_stream_belong_to_blocks() {
    let start = event(
        &json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "model": "m", "content": [], "usage": {}}}),
    );
    assert_eq!(flows(&start), []);
    assert!(
        start
            .fragments
            .iter()
            .any(|fragment| fragment.channel == "still/message/id" && fragment.text == "msg_1")
    );

    let block = event(
        &json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "pay", "input": {}}}),
    );
    assert_eq!(block.tools.len(), 1);
    assert_eq!(
        (block.tools[0].channel.as_str(), block.tools[0].call.tool.as_str()),
        ("block/1/", "pay")
    );
    assert_eq!(block.tools[0].call.arguments, None, "they come in pieces");
    assert!(
        block
            .fragments
            .iter()
            .all(|fragment| fragment.channel.starts_with("block/1/still/"))
    );
    let block = event(
        &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "a", "signature": "s"}}),
    );
    assert_eq!(flows(&block), [("block/0/thinking", Flow::Text, "a")]);
    assert_eq!(
        block.falsified.iter().map(|it| it.channel.as_str()).collect::<Vec<_>>(),
        ["block/0/thinking"]
    );

    let delta = |delta: Value| event(&json!({"type": "content_block_delta", "index": 2, "delta": delta}));
    for (data, expected) in [
        (
            json!({"type": "text_delta", "text": "a"}),
            ("block/2/text", Flow::Text, "a"),
        ),
        (
            json!({"type": "thinking_delta", "thinking": "b"}),
            ("block/2/thinking", Flow::Text, "b"),
        ),
        (
            json!({"type": "input_json_delta", "partial_json": "{\"c"}),
            ("block/2/arguments", Flow::Arguments, "{\"c"),
        ),
        (
            json!({"type": "novel_delta", "novel": "d"}),
            ("block/2/delta.novel", Flow::Text, "d"),
        ),
    ] {
        let reading = delta(data);
        assert_eq!(flows(&reading), [expected]);
        assert_eq!(reading.vouches_for, None);
    }
    let signature = delta(json!({"type": "signature_delta", "signature": "sig"}));
    assert_eq!(signature.vouches_for.as_deref(), Some("block/2/thinking"));
    assert!(signature.fragments.iter().any(|fragment| fragment.text == "sig"));
    let citation = delta(json!({"type": "citations_delta", "citation": {"cited_text": "cited"}}));
    assert!(
        citation
            .fragments
            .iter()
            .any(|fragment| fragment.text == "cited" && fragment.flow == Flow::Still)
    );

    assert_eq!(
        event(&json!({"type": "content_block_stop", "index": 2})).ends,
        ["block/2/"]
    );
    let end =
        event(&json!({"type": "message_delta", "delta": {"stop_reason": "stop_sequence", "stop_sequence": "leak"}}));
    assert!(end.fragments.iter().any(|fragment| fragment.text == "leak"));
    assert!(event(&json!({"type": "message_stop"})).terminal);
    assert!(event(&json!({"type": "error", "error": {"type": "overloaded_error", "message": "m"}})).terminal);
    assert!(!event(&json!({"type": "ping"})).terminal);
    let redacted = event(
        &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "AA"}}),
    );
    assert_eq!(redacted.uninspectable[0].what, Opaque::EncryptedReasoning);
    let search = event(&json!({"type": "content_block_start", "index": 0, "content_block":
        {"type": "web_search_tool_result", "content": [{"type": "web_search_result", "title": "found"}]}}));
    assert!(
        search
            .fragments
            .iter()
            .any(|fragment| fragment.text == "found" && fragment.source == Source::Retrieved)
    );
}

#[test]
fn an_event_says_which_call_it_has_a_part_of_and_whether_that_is_all() {
    let start = |block: Value| json!({"type": "content_block_start", "index": 3, "content_block": block});
    let delta = |delta: Value| json!({"type": "content_block_delta", "index": 3, "delta": delta});
    let piece = delta(json!({"type": "input_json_delta", "partial_json": "{"}));
    let mut more = piece.clone();
    more["delta"]["x"] = 1.into();
    for (data, calls, only) in [
        (
            start(json!({"type": "tool_use", "id": "t", "name": "f", "input": {}})),
            &["block/3/"][..],
            false,
        ),
        (
            start(json!({"type": "server_tool_use", "id": "t", "name": "", "input": {}})),
            &["block/3/"],
            false,
        ),
        (start(json!({"type": "text", "text": ""})), &[], false),
        (piece, &["block/3/"], true),
        (more, &["block/3/"], false),
        (delta(json!({"type": "text_delta", "text": ""})), &[], false),
    ] {
        let reading = event(&data);
        assert_eq!(
            (&*reading.calls, reading.only_arguments),
            (&*calls.iter().map(|call| (*call).to_owned()).collect::<Vec<_>>(), only),
            "{data}"
        );
    }
}

#[test]
fn an_event_that_sdks_could_take_for_two_is_refused() {
    let read = |name: Option<&str>, data: &str| {
        AnthropicMessages.read_event(&Event {
            event: name.map(str::to_owned),
            data: data.to_owned(),
        })
    };
    assert!(read(Some("ping"), r#"{"type":"message_stop"}"#).is_err());
    assert!(read(Some("ping"), r#"{"type":"ping","type":"ping"}"#).is_err());
    assert!(read(None, r#"{"type":"message_stop"}"#).is_ok_and(|reading| reading.terminal));
    assert!(read(Some("message_stop"), "{}").is_ok_and(|reading| reading.terminal));
    assert!(read(Some("ping"), r#"{"type":"content_block_stop","index":-1}"#).is_err());
    assert!(read(Some("leak"), "").is_ok_and(|reading| reading.fragments[0].text == "leak"));
}

const REFUSAL: Refusal<'_> = Refusal {
    message: "No \"cards\",\nplease.",
    model: "m",
    record: "r1",
    at: 1_700_000_000,
};

fn read_all(bytes: &[u8]) -> Vec<EventReading> {
    let mut parser = SseParser::default();
    let items = parser.push(bytes).expect("is a stream");
    parser.finish().expect("is whole");
    let read = |item| match item {
        Item::Event(event) => AnthropicMessages.read_event(&event).expect("is an event"),
        Item::Comment => EventReading::default(),
    };
    items.into_iter().map(read).collect()
}

#[test]
fn its_own_words_are_read_as_its_own() {
    let half = AnthropicMessages
        .read_answer(&AnthropicMessages.refusal(&REFUSAL))
        .expect("is an answer");
    assert_eq!(part(&half, "/content/0/text").text, REFUSAL.message);
    assert_eq!(part(&half, "/stop_reason").text, "refusal");
    let readings = read_all(&AnthropicMessages.refusal_stream(&REFUSAL));
    assert_eq!(readings.len(), 6);
    assert_eq!(
        readings
            .iter()
            .flat_map(flows)
            .map(|(_, _, text)| text)
            .collect::<String>(),
        REFUSAL.message
    );
    assert_eq!(
        readings.iter().flat_map(|reading| &reading.ends).collect::<Vec<_>>(),
        ["block/0/"]
    );
    assert!(readings.last().is_some_and(|last| last.terminal));
    assert!(read_all(&AnthropicMessages.broken_stream("gone"))[0].terminal);
    let error: Value = serde_json::from_slice(&Dialect::Anthropic.error(403, "no")).expect("is JSON");
    assert_eq!(
        error,
        json!({"type": "error", "error": {"type": "permission_error", "message": "no"}})
    );
}

#[test]
fn a_stopped_stream_ends_well() {
    assert_eq!(
        AnthropicMessages.stop_stream(&Seen::default(), &REFUSAL),
        AnthropicMessages.refusal_stream(&REFUSAL)
    );
    let strings = |list: &[&str]| list.iter().map(|&it| it.to_owned()).collect::<Vec<String>>();
    let seen = Seen {
        begun: true,
        open: strings(&["block/1/still/content_block/id", "block/1/arguments"]),
        channels: strings(&[
            "still/message/id",
            "block/0/text",
            "block/1/still/content_block/id",
            "block/1/arguments",
        ]),
        last: None,
        ..Seen::default()
    };
    let readings = read_all(&AnthropicMessages.stop_stream(&seen, &REFUSAL));
    assert_eq!(
        readings.iter().flat_map(|reading| &reading.ends).collect::<Vec<_>>(),
        ["block/1/", "block/2/"]
    );
    assert_eq!(
        readings.iter().flat_map(flows).collect::<Vec<_>>(),
        [
            ("block/2/text", Flow::Text, ""),
            ("block/2/text", Flow::Text, REFUSAL.message),
        ]
    );
    assert!(readings.last().is_some_and(|last| last.terminal));
}

proptest! {
    #[test]
    fn odd_shapes_never_panic(names in proptest::collection::vec(prop::sample::select(&NAMES[..]), 1..9), kind in prop::sample::select(&KINDS[..]), list in any::<u16>()) {
        let mut value = json!({"type": kind, "text": "x"});
        for (depth, name) in names.iter().enumerate() {
            value = if list >> depth & 1 == 1 { json!([value]) } else { json!({"type": kind, *name: value}) };
        }
        let body = json!({"model": "m", "messages": [{"role": "user", "content": value}], "content": value,
            "system": value, "tools": value, "content_block": value, "delta": value, "type": kind}).to_string();
        let half = AnthropicMessages.read_request(body.as_bytes(), None).expect("is a request");
        let all: Vec<usize> = (0..half.parts.len()).collect();
        AnthropicMessages.falsified(body.as_bytes(), &half, &all);
        let _ = AnthropicMessages.read_answer(body.as_bytes());
        let _ = AnthropicMessages.read_event(&Event::data(body));
    }
}

const NAMES: [&str; 9] = [
    "content",
    "source",
    "input",
    "signature",
    "content_block",
    "delta",
    "name",
    "thinking",
    "index",
];
const KINDS: [&str; 9] = [
    "text",
    "document",
    "content",
    "tool_result",
    "search_result",
    "content_block_start",
    "content_block_delta",
    "message_start",
    "web_fetch_result",
];
