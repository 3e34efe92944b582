use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SpliceError, splice, splice_event};
use crate::exchange::{Edit, Half, Place};
use crate::wire::Wire as _;
use crate::wire::openai_chat::OpenaiChat;

fn edit(half: &Half, pointer: &str, find: &str, replacement: &str) -> Edit {
    let is_it = |part: &crate::exchange::Part| part.pointer == pointer && part.fixed.is_none() && !part.inner;
    let part = half.parts.iter().position(is_it).expect("is a part");
    let start = half.parts[part].text.find(find).expect("is in the text");
    Edit {
        part,
        range: start..start + find.len(),
        replacement: replacement.to_owned(),
    }
}

const BODY: &str = r#"{ "model":"m", "messages":[
  {"role":"user","content":"my \u0063ard 4111\u00201111 \ud83d\ude00 ok"},
  {"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"pay",
    "arguments":"{\"to\": \"B\\u0065n \\\"x\\\"\", \"card\":4111111111111111, \"note\":\"a\\nb\"}"}}]}],
  "account": 1234567890123 }"#;

#[test]
fn edits_change_their_bytes_and_no_others() {
    let half = OpenaiChat.read_request(BODY.as_bytes(), None).expect("is a request");
    let arguments = "/messages/1/tool_calls/0/function/arguments#";
    let edits = [
        edit(&half, "/messages/0/content", "card", "[\"word\"]"),
        edit(&half, "/messages/0/content", "4111 1111 😀", "[card]"),
        edit(&half, &format!("{arguments}/to"), "Ben \"x\"", "[\"a\\b\"]"),
        edit(&half, &format!("{arguments}/card"), "4111111111111111", "[card]"),
        edit(&half, &format!("{arguments}/note"), "\nb", "\n!"),
        edit(&half, "/account", "4567890", "*"),
    ];
    let out = splice(BODY.as_bytes(), &half, &edits, &[]).expect("fits");
    let out = String::from_utf8(out).expect("is UTF-8");
    let expected = r#"{ "model":"m", "messages":[
  {"role":"user","content":"my [\"word\"] [card] ok"},
  {"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"pay",
    "arguments":"{\"to\": \"[\\\"a\\\\b\\\"]\", \"card\":\"[card]\", \"note\":\"a\\n!\"}"}}]}],
  "account": "123*123" }"#;
    assert_eq!(out, expected);
    let value: Value = serde_json::from_str(&out).expect("is JSON");
    let inner = value["messages"][1]["tool_calls"][0]["function"]["arguments"]
        .as_str()
        .expect("is text");
    let inner: Value = serde_json::from_str(inner).expect("is JSON");
    assert_eq!(inner, json!({"to": "[\"a\\b\"]", "card": "[card]", "note": "a\n!"}));
}

#[test]
fn a_number_in_scientific_notation_becomes_its_edited_text() {
    let body = br#"{"model":"m","messages":[],"x":4.111111111111111e15}"#;
    let half = OpenaiChat.read_request(body, None).expect("is a request");
    let out = splice(body, &half, &[edit(&half, "/x", "4111111111111111", "[card]")], &[]).expect("fits");
    assert_eq!(out, br#"{"model":"m","messages":[],"x":"[card]"}"#);
}

#[test]
fn what_cannot_be_placed_is_an_error() {
    let half = OpenaiChat.read_request(BODY.as_bytes(), None).expect("is a request");
    let attempt = |edits: &[Edit]| splice(BODY.as_bytes(), &half, edits, &[]);
    let at = |part, range| Edit {
        part,
        range,
        replacement: String::new(),
    };
    assert_eq!(attempt(&[at(9999, 0..0)]), Err(SpliceError::NoPart(9999)));
    assert_eq!(attempt(&[at(0, 0..1)]), Err(SpliceError::Fixed("/model".to_owned())));
    let outer = half.parts.iter().position(|part| part.inner).expect("has arguments");
    assert!(matches!(attempt(&[at(outer, 0..1)]), Err(SpliceError::Fixed(_))));
    let content = edit(&half, "/messages/0/content", "my", "").part;
    assert!(matches!(attempt(&[at(content, 0..999)]), Err(SpliceError::Range(_))));
    let smile = edit(&half, "/messages/0/content", "😀", "").range.start;
    assert!(matches!(
        attempt(&[at(content, smile..smile + 1)]),
        Err(SpliceError::Range(_))
    ));
    assert!(matches!(
        attempt(&[at(content, 0..4), at(content, 3..6)]),
        Err(SpliceError::Overlap(_))
    ));
    assert!(matches!(
        splice(b"{}", &half, &[at(content, 0..4)], &[]),
        Err(SpliceError::Place(_))
    ));
}

#[test]
fn nulled_values_take_their_edits_with_them() {
    let body = br#"{"choices":[{"message":{"content":"a secret"},"logprobs":{"content":[{"token":"secret"}]}}]}"#;
    let half = OpenaiChat.read_answer(body).expect("is an answer");
    let edits = [
        edit(&half, "/choices/0/message/content", "secret", "[x]"),
        edit(&half, "/choices/0/logprobs/content/0/token", "secret", "[x]"),
    ];
    let parts: Vec<usize> = edits.iter().map(|edit| edit.part).collect();
    let null = OpenaiChat.falsified(body, &half, &parts);
    let out = splice(body, &half, &edits, &null).expect("fits");
    assert_eq!(out, br#"{"choices":[{"message":{"content":"a [x]"},"logprobs":null}]}"#);
    let twice = [null[0].clone(), null[0].start + 1..null[0].end - 1, null[0].clone()];
    assert_eq!(splice(body, &half, &edits, &twice).expect("fits"), out);
}

#[test]
fn tokens_of_an_event_are_replaced() {
    let data = r#"{"a":"x","b":123456789,"c":{"d":1}}"#;
    let null = 27..34;
    let texts = [(13..22, "[\"n\"]".to_owned()), (5..8, String::new())];
    let out = splice_event(data, &texts, std::slice::from_ref(&null), None);
    assert_eq!(out.expect("fits"), r#"{"a":"","b":"[\"n\"]","c":null}"#);
    let out = splice_event(data, &texts[1..], &[null], Some((13..22, 7)));
    assert_eq!(out.expect("fits"), r#"{"a":"","b":7,"c":null}"#);
    assert!(splice_event(data, &[(5..8, String::new()), (6..9, String::new())], &[], None).is_err());
    assert!(splice_event(data, &[(5..99, String::new())], &[], None).is_err());
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z\"\\\\\n\u{e9}\u{1f600}]{0,12}"]
}

/// Writes `text` as a JSON string with some characters escaped that need not be.
fn write_oddly(text: &str, seed: u64) -> String {
    let mut out = String::from("\"");
    for (at, character) in text.chars().enumerate() {
        if seed >> (at % 64) & 1 == 1 || character < ' ' || matches!(character, '"' | '\\') {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04X}"));
            }
        } else {
            out.push(character);
        }
    }
    out.push('"');
    out
}

proptest! {
    #[test]
    fn edited_texts_come_back_and_all_else_stays(
        texts in proptest::collection::vec(text(), 1..4),
        inner in proptest::collection::vec(text(), 1..4),
        seed in any::<u64>(),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), text()), 1..6),
    ) {
        let outer: Vec<String> = texts.iter().map(|text| write_oddly(text, seed)).collect();
        let within: Vec<String> = inner.iter().map(|text| write_oddly(text, !seed)).collect();
        let arguments = write_oddly(&format!("[ {} ]", within.join(" ,")), seed.rotate_left(7));
        let body = format!(
            "{{\"model\":\"m\",\"messages\":[{{\"role\":\"assistant\",\"function_call\":{{\"arguments\":{arguments} }}}}],\"x\": [{}]}}",
            outer.join(" , ")
        );
        let half = OpenaiChat.read_request(body.as_bytes(), None).expect("is a request");
        let editable: Vec<usize> =
            (0..half.parts.len()).filter(|&at| half.parts[at].fixed.is_none() && !half.parts[at].inner).filter(|&at| half.parts[at].pointer != "/messages/0/role").collect();
        // One edit a part, of any range on character boundaries.
        let mut edits: Vec<Edit> = Vec::new();
        for (part, one, two, replacement) in cuts {
            let part = editable[part.index(editable.len())];
            let ends: Vec<usize> = half.parts[part].text.char_indices().map(|(at, _)| at).chain([half.parts[part].text.len()]).collect();
            let (one, two) = (ends[one.index(ends.len())], ends[two.index(ends.len())]);
            if edits.iter().all(|edit| edit.part != part) {
                edits.push(Edit { part, range: one.min(two)..one.max(two), replacement });
            }
        }
        let out = splice(body.as_bytes(), &half, &edits, &[]).expect("fits");
        let again = OpenaiChat.read_request(&out, None).expect("is a request");
        prop_assert_eq!(again.parts.len(), half.parts.len());
        for (at, (before, after)) in half.parts.iter().zip(&again.parts).enumerate() {
            if before.inner {
                continue;
            }
            let mut text = before.text.clone();
            let edit = edits.iter().find(|edit| edit.part == at);
            if let Some(edit) = edit {
                text.replace_range(edit.range.clone(), &edit.replacement);
            } else if let (Place::Body(one), Place::Body(two)) = (&before.place, &after.place) {
                prop_assert_eq!(body.get(one.clone()).map(str::as_bytes), out.get(two.clone()));
            }
            prop_assert_eq!(&after.text, &text);
            prop_assert_eq!(&after.pointer, &before.pointer);
        }
        // Taking the edits back gives the body again, so nothing between the tokens moved.
        let skeleton = |bytes: &[u8], half: &Half| {
            let mut left = Vec::new();
            let mut done = 0;
            for part in &half.parts {
                if let Place::Body(token) = &part.place {
                    left.extend_from_slice(&bytes[done..token.start]);
                    done = token.end;
                }
            }
            left.extend_from_slice(&bytes[done..]);
            left
        };
        prop_assert_eq!(skeleton(body.as_bytes(), &half), skeleton(&out, &again));
        prop_assert_eq!(splice(body.as_bytes(), &half, &[], &[]).expect("fits"), body.as_bytes());
    }
}
