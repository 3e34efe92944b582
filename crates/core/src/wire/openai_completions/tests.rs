use proptest::prelude::*;
use serde_json::{Value, json};

use super::OpenaiCompletions;
use crate::exchange::{Fixed, Half, Opaque, Part};
use crate::verdict::Source;
use crate::wire::fixture::{flows, part};
use crate::wire::sse::{Event, Item, SseParser};
use crate::wire::{EventReading, Flow, Refusal, Seen, Talk as _, Wire as _};

fn request(body: &Value) -> Half {
    OpenaiCompletions
        .read_request(body.to_string().as_bytes(), None)
        .expect("is a request")
}

fn answer(body: &Value) -> Half {
    OpenaiCompletions
        .read_answer(body.to_string().as_bytes())
        .expect("is an answer")
}

fn event(data: &Value) -> EventReading {
    OpenaiCompletions
        .read_event(&Event::data(data.to_string()))
        .expect("is an event")
}

#[test]
fn a_planted_value_shows_up_wherever_it_stands() {
    let half = request(&json!({
        "model": "plant0",
        "prompt": ["plant1", "plant2"],
        "suffix": "plant3",
        "stop": ["plant4"],
        "user": "plant5",
        "logit_bias": {"plant6": 1},
        "metadata": {"plant7": "plant8", "user_id": "plant9"},
        "x_invented": {"plant10": ["plant11"], "number": 4111111111111111u64},
        "stream_options": {"plant12": "plant13"},
    }));
    let (key, name) = (Some(Fixed::Key), Some(Fixed::Name));
    let expected = [
        ("/model", name),
        ("/prompt/0", None),
        ("/prompt/1", None),
        ("/suffix", None),
        ("/stop/0", None),
        ("/user", None),
        ("/logit_bias/plant6", key),
        ("/metadata/plant7", key),
        ("/metadata/plant7", None),
        ("/metadata/user_id", None),
        ("/x_invented/plant10", key),
        ("/x_invented/plant10/0", None),
        ("/stream_options/plant12", key),
        ("/stream_options/plant12", name),
    ];
    for (plant, (pointer, fixed)) in expected.into_iter().enumerate() {
        let text = format!("plant{plant}");
        let found: Vec<_> = half.parts.iter().filter(|part| part.text == text).collect();
        assert_eq!(found.len(), 1, "{text} at {pointer}");
        assert_eq!(
            (found[0].pointer.as_str(), found[0].source, found[0].fixed),
            (pointer, Source::User, fixed),
            "{text}"
        );
    }
    assert_eq!(part(&half, "/x_invented/number").text, "4111111111111111");
    assert_eq!((half.model.as_deref(), half.stream), (Some("plant0"), false));
    assert_eq!(half.uninspectable, []);
}

#[test]
fn a_prompt_that_is_no_text_is_reported() {
    let reported = |prompt: Value| {
        let half = request(&json!({"model": "m", "prompt": prompt}));
        let found: Vec<_> = half
            .uninspectable
            .iter()
            .map(|one| (one.pointer.as_str(), one.what))
            .collect();
        assert!(
            found.is_empty() || found == [("/prompt", Opaque::Unrecognized)],
            "{found:?}"
        );
        !found.is_empty()
    };
    for prompt in [json!(null), json!("Once"), json!([]), json!(["Once", "upon"])] {
        assert!(!reported(prompt.clone()), "{prompt}");
    }
    for prompt in [
        json!([1212, 318]),
        json!([[1212, 318], [5]]),
        json!(["Once", 5]),
        json!([{"text": "Once"}]),
        json!({"prompt_string": "Once"}),
        json!(7),
        json!(true),
    ] {
        assert!(reported(prompt.clone()), "{prompt}");
    }
    // And its strings are read all the same.
    let half = request(&json!({"model": "m", "prompt": [{"text": "Once"}], "prompt_embeds": "AAAA"}));
    assert_eq!(part(&half, "/prompt/0/text").text, "Once");
    assert_eq!(half.uninspectable.len(), 2);
    let half = request(&json!({"model": "m", "prompt": ["x", "data:image/png;base64,AAAA"]}));
    assert_eq!(half.uninspectable[0].what, Opaque::Image);
}

#[test]
fn a_request_without_the_basic_shape_is_malformed() {
    for body in [
        json!([]),
        json!({"prompt": "x"}),
        json!({"model": "gpt 4", "prompt": "x"}),
        json!({"model": "m", "prompt": "x", "stream": "true"}),
    ] {
        assert!(
            OpenaiCompletions
                .read_request(body.to_string().as_bytes(), None)
                .is_err(),
            "{body}"
        );
    }
    let twice = br#"{"model":"m","prompt":"a","prompt":"b"}"#;
    assert!(OpenaiCompletions.read_request(twice, None).is_err());
    assert!(request(&json!({"model": "m", "stream": true})).stream);
}

#[test]
fn a_deployment_in_the_path_is_the_model_and_the_body_agrees() {
    let read = |body: Value, named| OpenaiCompletions.read_request(body.to_string().as_bytes(), named);
    let half = read(json!({"prompt": "x"}), Some("my-gpt_35.turbo")).expect("is a request");
    assert_eq!(half.model.as_deref(), Some("my-gpt_35.turbo"));
    assert!(read(json!({"model": "d", "prompt": "x"}), Some("d")).is_ok());
    assert!(read(json!({"model": "e", "prompt": "x"}), Some("d")).is_err());
}

#[test]
fn an_answer_is_read_in_every_choice() {
    let logprobs =
        json!({"tokens": ["tok"], "token_logprobs": [-0.5], "top_logprobs": [{"top": -0.5}], "text_offset": [0]});
    let body = json!({"id": "cmpl-1", "object": "text_completion", "created": 1_700_000_000, "model": "m-1", "choices": [
        {"text": "text0", "index": 0, "logprobs": logprobs, "finish_reason": "stop"},
        {"text": "text1", "index": 1, "logprobs": null, "finish_reason": "length", "invented": {"deep": "new1"}},
    ], "usage": {"total_tokens": 3}});
    let half = answer(&body);
    for (pointer, text, fixed) in [
        ("/choices/0/text", "text0", None),
        ("/choices/1/text", "text1", None),
        ("/choices/1/invented/deep", "new1", None),
        ("/choices/0/logprobs/tokens/0", "tok", None),
        ("/choices/0/finish_reason", "stop", Some(Fixed::Name)),
        ("/id", "cmpl-1", Some(Fixed::Name)),
        ("/created", "1700000000", Some(Fixed::Name)),
    ] {
        let found = part(&half, pointer);
        assert_eq!(
            (found.text.as_str(), found.source, found.fixed),
            (text, Source::Model, fixed),
            "{pointer}"
        );
    }
    assert!(
        half.parts
            .iter()
            .any(|part| part.text == "top" && part.fixed == Some(Fixed::Key))
    );
    assert_eq!(half.model.as_deref(), Some("m-1"));
    assert!(half.tools.is_empty() && half.uninspectable.is_empty());
    assert!(OpenaiCompletions.read_answer(b"[]").is_err());
    assert!(OpenaiCompletions.read_answer(br#"{"error":{"message":"m"}}"#).is_ok());

    // Log probabilities fall with their own choice only.
    let body = body.to_string();
    let falsified = |pointer: &str| {
        let is_text = |part: &Part| part.pointer == pointer && part.fixed.is_none();
        let at = half.parts.iter().position(is_text).expect("is a part");
        OpenaiCompletions.falsified(body.as_bytes(), &half, &[at])
    };
    let fallen = falsified("/choices/0/text");
    assert_eq!(fallen.len(), 1);
    let fallen: Value = serde_json::from_str(body.get(fallen[0].clone()).expect("is in the body")).expect("is JSON");
    assert_eq!(fallen, logprobs);
    assert!(falsified("/choices/1/text").is_empty());
}

#[test]
fn pieces_of_a_stream_belong_to_channels() {
    let reading = event(
        &json!({"id": "cmpl-1", "object": "text_completion", "created": 1_700_000_000, "model": "m", "choices": [
            {"text": "a", "index": 1, "logprobs": {"tokens": ["a"], "token_logprobs": [-0.123456789], "text_offset": [0]}, "finish_reason": null,
             "novel": "b", "nested": [{"text": "c", "id": "d"}]},
            {"text": "e", "finish_reason": "stop", "content_filter_results": {"hate": {"severity": "safe"}}},
        ]}),
    );
    assert_eq!(
        flows(&reading),
        [
            ("1/text", "a"),
            ("1/novel", "b"),
            ("1/nested.0.text", "c"),
            ("0/text", "e")
        ]
    );
    assert_eq!(reading.ends, ["0/"]);
    assert_eq!(reading.falsified.len(), 1);
    assert_eq!(reading.falsified[0].channel, "1/");
    assert!(!reading.terminal);
    let still = |text: &str| {
        let found = reading
            .fragments
            .iter()
            .find(|fragment| fragment.text == text && fragment.flow == Flow::Still);
        found.map(|fragment| fragment.channel.as_str())
    };
    assert_eq!(still("d"), Some("1/still/choices/0/nested/0/id"));
    assert_eq!(still("stop"), Some("0/still/choices/1/finish_reason"));
    assert_eq!(
        still("safe"),
        Some("0/still/choices/1/content_filter_results/hate/severity")
    );
    assert_eq!(still("1700000000"), Some("still/created"));
    assert_eq!(
        still("-0.123456789"),
        Some("1/still/choices/0/logprobs/token_logprobs/0")
    );
    assert_eq!(still("tokens"), None);
}

#[test]
fn a_stream_ends_with_done_or_an_error() {
    let read = |data: &str| OpenaiCompletions.read_event(&Event::data(data.to_owned()));
    assert!(read("[DONE]").expect("is an event").terminal);
    let error = read(r#"{"error":{"message":"leak"}}"#).expect("is an event");
    assert!(error.terminal && error.fragments.iter().any(|fragment| fragment.text == "leak"));
    assert!(read("not json").is_err());
    assert!(read(r#"{"choices":[{"index":"0/text"}]}"#).is_err());
    assert!(read("").is_ok());
    let named = Event {
        event: Some("leak".to_owned()),
        data: "{}".to_owned(),
    };
    assert_eq!(
        OpenaiCompletions.read_event(&named).expect("is an event").fragments[0].text,
        "leak"
    );
    let usage = read(r#"{"id":"cmpl-1","choices":[],"usage":{"total_tokens":3}}"#).expect("is an event");
    assert!(!usage.terminal && usage.ends.is_empty());
}

#[test]
fn long_names_do_not_multiply() {
    let (name, many) = ("n".repeat(1_000_000), vec!["x"; 100_000]);
    let data = json!({"choices": [{&name: &many}]}).to_string();
    assert!(OpenaiCompletions.read_event(&Event::data(data)).is_err());
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
    let event = |item| match item {
        Item::Event(event) => Some(event),
        Item::Comment => None,
    };
    items.into_iter().filter_map(event).collect()
}

#[test]
fn its_own_words_are_read_as_its_own() {
    let half = OpenaiCompletions
        .read_answer(&OpenaiCompletions.refusal(&REFUSAL))
        .expect("is an answer");
    assert_eq!(part(&half, "/choices/0/text").text, REFUSAL.message);
    assert_eq!(part(&half, "/choices/0/finish_reason").text, "content_filter");
    let readings: Vec<EventReading> = events(&OpenaiCompletions.refusal_stream(&REFUSAL))
        .iter()
        .map(|event| OpenaiCompletions.read_event(event).expect("is an event"))
        .collect();
    assert_eq!(
        readings.iter().flat_map(flows).collect::<Vec<_>>(),
        [("0/text", REFUSAL.message), ("0/text", "")]
    );
    assert_eq!(
        readings.iter().flat_map(|reading| &reading.ends).collect::<Vec<_>>(),
        ["0/"]
    );
    assert_eq!(
        readings.iter().map(|reading| reading.terminal).collect::<Vec<_>>(),
        [false, false, true]
    );
    let broken = events(&OpenaiCompletions.broken_stream("gone"));
    assert!(OpenaiCompletions.read_event(&broken[0]).expect("is an event").terminal);
}

#[test]
fn a_stopped_stream_ends_well() {
    assert_eq!(
        OpenaiCompletions.stop_stream(&Seen::default(), &REFUSAL),
        OpenaiCompletions.refusal_stream(&REFUSAL)
    );
    let strings = |list: &[&str]| list.iter().map(|&it| it.to_owned()).collect::<Vec<String>>();
    let seen = Seen {
        begun: true,
        open: strings(&["2/text", "0/text"]),
        channels: strings(&["still/id", "0/text", "1/text", "2/text"]),
        last: Some(r#"{"id":"cmpl-7","created":5,"model":"m-2024"}"#.to_owned()),
        ..Seen::default()
    };
    let stopped = events(&OpenaiCompletions.stop_stream(&seen, &REFUSAL));
    assert_eq!(stopped.len(), 3);
    let chunk = |at: usize| serde_json::from_str::<Value>(&stopped[at].data).expect("is JSON");
    assert_eq!(
        chunk(0),
        json!({"id": "cmpl-7", "object": "text_completion", "created": 5, "model": "m-2024", "choices": [
            {"text": format!("\n\n{}", REFUSAL.message), "index": 0, "logprobs": null, "finish_reason": "content_filter"}]})
    );
    assert_eq!(
        chunk(1)["choices"],
        json!([{"text": "", "index": 2, "logprobs": null, "finish_reason": "content_filter"}])
    );
    assert_eq!(stopped[2].data, "[DONE]");
    let quiet = Seen {
        begun: true,
        ..Seen::default()
    };
    let said = String::from_utf8(OpenaiCompletions.stop_stream(&quiet, &REFUSAL)).expect("is UTF-8");
    assert!(said.contains("please.") && !said.contains("\\n\\n"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = OpenaiCompletions.read_request(&bytes, None);
        let _ = OpenaiCompletions.read_answer(&bytes);
        let _ = OpenaiCompletions.read_event(&Event::data(String::from_utf8_lossy(&bytes).into_owned()));
    }

    #[test]
    fn odd_shapes_never_panic(names in proptest::collection::vec(prop::sample::select(&NAMES[..]), 1..7), leaf in prop::sample::select(&LEAVES[..]), list in any::<u16>()) {
        let mut value: Value = serde_json::from_str(leaf).expect("is JSON");
        for (depth, name) in names.iter().enumerate() {
            value = if list >> depth & 1 == 1 { json!([value]) } else { json!({*name: value}) };
        }
        let body = json!({"model": "m", "prompt": value, "choices": [value], "suffix": value}).to_string();
        let half = OpenaiCompletions.read_request(body.as_bytes(), None).expect("is a request");
        let all: Vec<usize> = (0..half.parts.len()).collect();
        OpenaiCompletions.falsified(body.as_bytes(), &half, &all);
        prop_assert!(half.parts.len() <= body.matches('"').count());
        let _ = OpenaiCompletions.read_answer(body.as_bytes());
        let _ = OpenaiCompletions.read_event(&Event::data(body));
    }
}

const NAMES: [&str; 7] = [
    "prompt",
    "text",
    "index",
    "logprobs",
    "tokens",
    "finish_reason",
    "choices",
];
const LEAVES: [&str; 6] = ["null", "\"x\"", "1", "true", "[]", "{}"];
