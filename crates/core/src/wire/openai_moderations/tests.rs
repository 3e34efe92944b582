use proptest::prelude::*;
use serde_json::{Value, json};

use super::OpenaiModerations;
use crate::exchange::{Fixed, Half, Opaque};
use crate::wire::Wire as _;

fn request(body: &Value) -> Half {
    OpenaiModerations
        .read_request(body.to_string().as_bytes(), None)
        .expect("is a request")
}

#[test]
fn a_planted_value_shows_up_wherever_it_stands() {
    for (input, texts) in [
        (json!("plant0"), vec!["plant0"]),
        (json!(["plant0", "plant1"]), vec!["plant0", "plant1"]),
        (
            json!([{"type": "text", "text": "plant0"}, {"type": "text", "text": "plant1", "plant2": "plant3"}]),
            vec!["plant0", "plant1", "plant2", "plant3"],
        ),
    ] {
        let half = request(&json!({"model": "m", "input": input, "invented": ["plant9"]}));
        for text in texts.into_iter().chain(["plant9"]) {
            let found: Vec<_> = half.parts.iter().filter(|part| part.text == text).collect();
            assert_eq!(found.len(), 1, "{text} in {input}");
            assert_eq!(found[0].fixed == Some(Fixed::Key), text == "plant2");
        }
        assert_eq!(half.uninspectable, []);
    }
    assert!(OpenaiModerations.talk().is_none());
}

#[test]
fn pictures_and_unknown_shapes_are_reported() {
    let half = request(&json!({"input": [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://pictures.example/1.png"}},
        {"type": "hologram"},
        7,
    ]}));
    let found: Vec<_> = half
        .uninspectable
        .iter()
        .map(|one| (one.pointer.as_str(), one.what))
        .collect();
    let expected = [
        ("/input/1", Opaque::Image),
        ("/input/2", Opaque::Image),
        ("/input/2/image_url/url", Opaque::RemoteReference),
        ("/input/3", Opaque::Unrecognized),
        ("/input/4", Opaque::Unrecognized),
    ];
    assert_eq!(found, expected);
    let half = request(&json!({"input": {"text": "x"}}));
    assert_eq!(half.uninspectable[0].what, Opaque::Unrecognized);
}

#[test]
fn a_request_that_names_no_model_is_for_the_usual_one() {
    assert_eq!(
        request(&json!({"input": "x"})).model.as_deref(),
        Some("omni-moderation-latest")
    );
    assert_eq!(
        request(&json!({"model": "m", "input": "x"})).model.as_deref(),
        Some("m")
    );
    for body in [
        json!({"model": null, "input": "x"}),
        json!({"model": "omni moderation", "input": "x"}),
        json!({"model": "m"}),
        json!([]),
    ] {
        assert!(
            OpenaiModerations
                .read_request(body.to_string().as_bytes(), None)
                .is_err(),
            "{body}"
        );
    }
}

#[test]
fn an_answer_has_names_and_measures() {
    let body = json!({"id": "modr-1", "model": "m-1", "results": [{
        "flagged": true,
        "categories": {"self-harm/intent": false, "novel": "leak1"},
        "category_scores": {"self-harm/intent": 0.411_111_111_111_111_1, "novel": 4_111_111_111_111_111_u64},
        "category_applied_input_types": {"self-harm/intent": ["text"]},
        "note": "leak2",
    }]});
    let half = OpenaiModerations
        .read_answer(body.to_string().as_bytes())
        .expect("is an answer");
    let found: Vec<_> = half.parts.iter().map(|part| (part.text.as_str(), part.fixed)).collect();
    for part in [
        ("self-harm/intent", Some(Fixed::Key)),
        ("leak1", Some(Fixed::Name)),
        ("text", Some(Fixed::Name)),
        ("leak2", None),
        ("4111111111111111", None),
    ] {
        assert!(found.contains(&part), "{part:?} in {found:?}");
    }
    assert!(
        !found.iter().any(|(text, _)| text.starts_with("0.4")),
        "a score says nothing"
    );
    assert_eq!(half.model.as_deref(), Some("m-1"));
    assert!(OpenaiModerations.read_answer(b"[]").is_err());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = OpenaiModerations.read_request(&bytes, None);
        let _ = OpenaiModerations.read_answer(&bytes);
    }

    #[test]
    fn odd_shapes_never_panic(names in proptest::collection::vec(prop::sample::select(&NAMES[..]), 1..7), leaf in prop::sample::select(&LEAVES[..]), list in any::<u16>()) {
        let mut value: Value = serde_json::from_str(leaf).expect("is JSON");
        for (depth, name) in names.iter().enumerate() {
            value = if list >> depth & 1 == 1 { json!([value]) } else { json!({*name: value}) };
        }
        let body = json!({"model": "m", "input": [value], "results": [value]}).to_string();
        let half = OpenaiModerations.read_request(body.as_bytes(), None).expect("is a request");
        prop_assert!(half.parts.len() <= body.matches('"').count());
        let _ = OpenaiModerations.read_answer(body.as_bytes());
    }
}

const NAMES: [&str; 6] = ["type", "text", "image_url", "url", "categories", "category_scores"];
const LEAVES: [&str; 6] = ["null", "\"x\"", "0.123456789", "true", "[]", "{}"];
