use proptest::prelude::*;
use serde_json::{Value, json};

use super::OpenaiSpeech;
use crate::exchange::{Fixed, Half, Opaque};
use crate::wire::Wire as _;

fn request(body: &Value) -> Half {
    OpenaiSpeech
        .read_request(body.to_string().as_bytes(), None)
        .expect("is a request")
}

#[test]
fn a_planted_value_shows_up_wherever_it_stands() {
    let half = request(
        &json!({"model": "plant0", "input": "plant1", "instructions": "plant2", "voice": {"id": "plant3"},
        "invented": {"plant4": "plant5"}, "stream_format": "sse"}),
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
    assert!(half.uninspectable.is_empty());
    assert!(OpenaiSpeech.talk().is_none());
    let half = request(&json!({"model": "m", "input": [1, 2], "sample_url": "https://voices.example/1.wav"}));
    let mut found: Vec<_> = half.uninspectable.iter().map(|one| one.what.as_str()).collect();
    found.sort_unstable();
    assert_eq!(found, ["remote-reference", "unrecognized"]);
}

#[test]
fn a_request_without_the_basic_shape_is_malformed() {
    for body in [
        json!([]),
        json!({"input": "x"}),
        json!({"model": "m"}),
        json!({"model": "m", "input": null}),
    ] {
        assert!(
            OpenaiSpeech.read_request(body.to_string().as_bytes(), None).is_err(),
            "{body}"
        );
    }
}

#[test]
fn sound_is_uninspectable_whatever_it_comes_in() {
    for body in [
        &b"ID3\x04\x00\x00\xff\xfb"[..],
        b"",
        b"data: {\"type\":\"speech.audio.delta\",\"audio\":\"AAAA\"}\n\n",
        br#"{"audio":"AAAA"}"#,
        br#"{"error":null}"#,
    ] {
        let half = OpenaiSpeech.read_answer(body).expect("is an answer");
        assert!(half.parts.is_empty());
        assert_eq!(half.uninspectable.len(), 1);
        assert_eq!(half.uninspectable[0].what, Opaque::Audio);
    }
    let half = OpenaiSpeech
        .read_answer(br#"{"error":{"message":"leak"}}"#)
        .expect("is an answer");
    assert!(half.uninspectable.is_empty() && half.parts.iter().any(|part| part.text == "leak"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = OpenaiSpeech.read_request(&bytes, None);
        prop_assert!(OpenaiSpeech.read_answer(&bytes).is_ok());
    }
}
