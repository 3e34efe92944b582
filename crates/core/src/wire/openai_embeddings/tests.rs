use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::OpenaiEmbeddings;
use crate::exchange::{Fixed, Half, Opaque};
use crate::wire::Wire as _;
use crate::wire::vector::pack;

fn request(body: &Value) -> Half {
    OpenaiEmbeddings
        .read_request(body.to_string().as_bytes(), None)
        .expect("is a request")
}

fn answer(embedding: &Value) -> Half {
    let body = json!({"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": embedding}],
        "model": "m-1", "usage": {"prompt_tokens": 8, "total_tokens": 8}});
    OpenaiEmbeddings
        .read_answer(body.to_string().as_bytes())
        .expect("is an answer")
}

/// The pointer and text of all that is not a member name.
fn texts(half: &Half) -> Vec<(&str, &str)> {
    let texts = half.parts.iter().filter(|part| part.fixed != Some(Fixed::Key));
    texts.map(|part| (part.pointer.as_str(), part.text.as_str())).collect()
}

#[test]
fn a_planted_value_shows_up_wherever_it_stands() {
    let half = request(
        &json!({"model": "plant0", "input": ["plant1", "plant2"], "user": "plant3",
        "encoding_format": "plant4", "invented": {"plant5": 4111111111111111u64}}),
    );
    let found: Vec<_> = half.parts.iter().map(|part| (part.text.as_str(), part.fixed)).collect();
    for (plant, fixed) in [
        ("plant0", Some(Fixed::Name)),
        ("plant1", None),
        ("plant2", None),
        ("plant3", None),
        ("plant4", Some(Fixed::Name)),
        ("plant5", Some(Fixed::Key)),
        ("4111111111111111", None),
    ] {
        assert!(found.contains(&(plant, fixed)), "{plant}");
    }
    assert_eq!((half.model.as_deref(), half.stream), (Some("plant0"), false));
    assert!(half.uninspectable.is_empty());
    assert!(OpenaiEmbeddings.talk().is_none());
}

#[test]
fn an_input_of_tokens_cannot_be_read() {
    for input in [
        json!([1212, 318]),
        json!([[1212], [318]]),
        json!(["a", 5]),
        json!({"text": "a"}),
        json!(5),
    ] {
        let half = request(&json!({"model": "m", "input": input}));
        let found: Vec<_> = half
            .uninspectable
            .iter()
            .map(|one| (one.pointer.as_str(), one.what))
            .collect();
        assert_eq!(found, [("/input", Opaque::Unrecognized)], "{input}");
    }
    for body in [
        json!({"model": "m"}),
        json!({"model": "m", "input": null}),
        json!({"input": "x"}),
        json!([]),
    ] {
        assert!(
            OpenaiEmbeddings
                .read_request(body.to_string().as_bytes(), None)
                .is_err(),
            "{body}"
        );
    }
}

#[test]
fn the_numbers_of_a_vector_say_nothing() {
    let numbers = json!([
        -0.006_929_283_495_992_422,
        0.411_111_111_111_111_1,
        1,
        -5.336_e-5,
        12_345_678.5
    ]);
    let envelope = [("/object", "list"), ("/data/0/object", "embedding"), ("/model", "m-1")];
    assert_eq!(texts(&answer(&numbers)), envelope);
    assert_eq!(texts(&answer(&json!([numbers, numbers]))), envelope);
    // What is no number of a vector is read, and its place is known.
    let odd = json!([0.25, 4_111_111_111_111_111_u64, 0.5, 4.111e15, "leak", {"leak": [4_111_111_111_111_111_u64]}]);
    let half = answer(&odd);
    let found = texts(&half);
    for part in [
        ("/data/0/embedding/1", "4111111111111111"),
        ("/data/0/embedding/3", "4111000000000000"),
        ("/data/0/embedding/4", "leak"),
        ("/data/0/embedding/5/leak/0", "4111111111111111"),
    ] {
        assert!(found.contains(&part), "{part:?} in {found:?}");
    }
    // Elsewhere a number is what it always is.
    let body = br#"{"data":[],"usage":{"total_tokens":0.4111111111111111}}"#;
    let half = OpenaiEmbeddings.read_answer(body).expect("is an answer");
    assert_eq!(texts(&half), [("/usage/total_tokens", "0.4111111111111111")]);
}

#[test]
fn a_vector_in_base64_is_no_text_and_everything_else_is() {
    let numbers: Vec<f32> = (0..1536).map(|at| (at as f32 - 700.0) / 1e5).collect();
    let vector = pack(&numbers);
    assert_eq!(texts(&answer(&json!(vector))).len(), 3);
    for text in [
        "pay 4111 1111 1111 1111",
        "AKIAIOSFODNN7EXAMPLE",
        vector.split_at(4).1,
        &vector.replace('A', "-"),
    ] {
        let half = answer(&json!(text));
        assert!(texts(&half).contains(&("/data/0/embedding", text)));
    }
    // Only where a vector belongs.
    let body = json!({"data": [{"note": vector}]}).to_string();
    let half = OpenaiEmbeddings.read_answer(body.as_bytes()).expect("is an answer");
    assert_eq!(texts(&half), [("/data/0/note", vector.as_str())]);
}

#[test]
fn an_error_is_read() {
    let half = OpenaiEmbeddings
        .read_answer(br#"{"error":{"message":"leak"}}"#)
        .expect("is an answer");
    assert_eq!(texts(&half), [("/error/message", "leak")]);
    assert!(OpenaiEmbeddings.read_answer(b"[]").is_err());
}

/// As many texts as a request may have, in the usual size: more than three million numbers.
#[test]
fn a_batch_of_the_largest_size_is_read() {
    let mut body = String::from(r#"{"object":"list","data":["#);
    for index in 0..2048 {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(body, r#"{comma}{{"object":"embedding","index":{index},"embedding":["#);
        body.push_str("-0.0069292834,0.0123456789,");
        body.push_str(&"0.023064255,-0.0093272,".repeat(766));
        body.push_str(r#"4.1e-5,0.5]}"#);
    }
    body.push_str(r#"],"model":"m-1"}"#);
    let half = OpenaiEmbeddings.read_answer(body.as_bytes()).expect("is an answer");
    assert_eq!(half.model.as_deref(), Some("m-1"));
    // Four names and one text for each vector.
    assert_eq!(half.parts.len(), 2048 * 4 + 5);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = OpenaiEmbeddings.read_request(&bytes, None);
        let _ = OpenaiEmbeddings.read_answer(&bytes);
    }

    #[test]
    fn odd_shapes_never_panic(names in proptest::collection::vec(prop::sample::select(&NAMES[..]), 1..7), leaf in prop::sample::select(&LEAVES[..]), list in any::<u16>()) {
        let mut value: Value = serde_json::from_str(leaf).expect("is JSON");
        for (depth, name) in names.iter().enumerate() {
            value = if list >> depth & 1 == 1 { json!([value]) } else { json!({*name: value}) };
        }
        let body = json!({"model": "m", "input": [value], "data": [value]}).to_string();
        let _ = OpenaiEmbeddings.read_request(body.as_bytes(), None).expect("is a request");
        let half = OpenaiEmbeddings.read_answer(body.as_bytes()).expect("is an answer");
        prop_assert!(half.parts.len() <= body.matches('"').count());
    }
}

const NAMES: [&str; 4] = ["data", "embedding", "input", "index"];
const LEAVES: [&str; 6] = ["null", "\"x\"", "0.123456789", "true", "[]", "{}"];
