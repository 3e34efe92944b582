use proptest::prelude::*;
use serde_json::{Value, json};

use super::OpenaiImages;
use crate::exchange::{Fixed, Half, Opaque};
use crate::wire::Wire as _;

fn request(body: &Value) -> Half {
    OpenaiImages
        .read_request(body.to_string().as_bytes(), None)
        .expect("is a request")
}

fn reported(half: &Half) -> Vec<(&str, Opaque)> {
    half.uninspectable
        .iter()
        .map(|one| (one.pointer.as_str(), one.what))
        .collect()
}

#[test]
fn a_planted_value_shows_up_wherever_it_stands() {
    let half = request(
        &json!({"model": "plant0", "prompt": "plant1", "user": "plant2", "size": "plant3", "n": 1,
        "invented": {"plant4": "plant5"}, "stream": false}),
    );
    let found: Vec<_> = half.parts.iter().map(|part| (part.text.as_str(), part.fixed)).collect();
    for part in [
        ("plant0", Some(Fixed::Name)),
        ("plant1", None),
        ("plant2", None),
        ("plant3", Some(Fixed::Name)),
        ("plant4", Some(Fixed::Key)),
        ("plant5", None),
    ] {
        assert!(found.contains(&part), "{part:?}");
    }
    assert_eq!((half.model.as_deref(), half.stream), (Some("plant0"), false));
    assert_eq!(reported(&half), []);
    assert!(OpenaiImages.talk().is_none());
}

#[test]
fn what_other_servers_begin_with_is_reported() {
    let half = request(
        &json!({"model": "m", "prompt": ["x", 1], "image": "AAAA", "mask": {"file_id": "file-1"},
        "style_url": "https://pictures.example/1.png"}),
    );
    let mut found = reported(&half);
    found.sort_by_key(|&(pointer, _)| pointer);
    let expected = [
        ("/image", Opaque::Image),
        ("/mask", Opaque::Image),
        ("/mask/file_id", Opaque::ServerState),
        ("/prompt", Opaque::Unrecognized),
        ("/style_url", Opaque::RemoteReference),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_request_without_the_basic_shape_or_for_a_stream_is_malformed() {
    for body in [
        json!([]),
        json!({"prompt": "x"}),
        json!({"model": "m"}),
        json!({"model": "m", "prompt": null}),
        json!({"model": "m", "prompt": "x", "stream": 1}),
        json!({"model": "m", "prompt": "x", "stream": true}),
    ] {
        assert!(
            OpenaiImages.read_request(body.to_string().as_bytes(), None).is_err(),
            "{body}"
        );
    }
}

#[test]
fn pictures_in_an_answer_are_reported_and_its_texts_read() {
    let body = json!({"created": 1_700_000_000, "data": [
        {"b64_json": "iVBORw0KGgo="},
        {"url": "https://pictures.example/1.png", "revised_prompt": "leak1"},
        {"novel": "leak2"},
    ], "output_format": "png", "usage": {"total_tokens": 3}});
    let half = OpenaiImages
        .read_answer(body.to_string().as_bytes())
        .expect("is an answer");
    assert_eq!(
        reported(&half),
        [
            ("/data/0/b64_json", Opaque::Image),
            ("/data/1/url", Opaque::RemoteReference)
        ]
    );
    let found: Vec<_> = half.parts.iter().map(|part| (part.text.as_str(), part.fixed)).collect();
    for part in [
        ("iVBORw0KGgo=", Some(Fixed::Name)),
        ("https://pictures.example/1.png", None),
        ("leak1", None),
        ("leak2", None),
        ("png", Some(Fixed::Name)),
    ] {
        assert!(found.contains(&part), "{part:?}");
    }
    // A stream that nobody asked for is unreadable, and the policy says what that means.
    assert!(OpenaiImages.read_answer(b"event: x\ndata: {}\n\n").is_err());
    assert!(OpenaiImages.read_answer(b"[]").is_err());
    assert!(
        OpenaiImages
            .read_answer(br#"{"error":{"message":"m"}}"#)
            .is_ok_and(|half| half.uninspectable.is_empty())
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = OpenaiImages.read_request(&bytes, None);
        let _ = OpenaiImages.read_answer(&bytes);
    }

    #[test]
    fn odd_shapes_never_panic(names in proptest::collection::vec(prop::sample::select(&NAMES[..]), 1..7), leaf in prop::sample::select(&LEAVES[..]), list in any::<u16>()) {
        let mut value: Value = serde_json::from_str(leaf).expect("is JSON");
        for (depth, name) in names.iter().enumerate() {
            value = if list >> depth & 1 == 1 { json!([value]) } else { json!({*name: value}) };
        }
        let body = json!({"model": "m", "prompt": [value], "data": [value]}).to_string();
        let half = OpenaiImages.read_request(body.as_bytes(), None).expect("is a request");
        prop_assert!(half.parts.len() <= body.matches('"').count());
        let _ = OpenaiImages.read_answer(body.as_bytes());
    }
}

const NAMES: [&str; 5] = ["prompt", "b64_json", "url", "image", "file_id"];
const LEAVES: [&str; 6] = ["null", "\"x\"", "1", "true", "[]", "{}"];
