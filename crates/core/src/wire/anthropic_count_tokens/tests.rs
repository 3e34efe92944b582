use proptest::prelude::*;
use serde_json::json;

use super::AnthropicCountTokens;
use crate::exchange::Fixed;
use crate::wire::Wire as _;
use crate::wire::anthropic_messages::AnthropicMessages;

#[test]
fn a_request_is_read_like_one_for_a_message() {
    let body = json!({"model": "m", "system": "plant0", "messages": [
        {"role": "user", "content": [
            {"type": "text", "text": "plant1"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        ]},
    ], "tools": [{"name": "plant2", "description": "plant3", "input_schema": {}}], "invented": "plant4"})
    .to_string();
    let half = AnthropicCountTokens
        .read_request(body.as_bytes(), None)
        .expect("is a request");
    let same = AnthropicMessages
        .read_request(body.as_bytes(), None)
        .expect("is a request");
    assert_eq!((&half.parts, &half.uninspectable), (&same.parts, &same.uninspectable));
    assert_eq!(half.uninspectable.len(), 1);
    for plant in 0..5 {
        assert!(half.parts.iter().any(|part| part.text == format!("plant{plant}")));
    }
    assert!(AnthropicCountTokens.read_request(br#"{"model":"m"}"#, None).is_err());
    assert!(AnthropicCountTokens.talk().is_none());
}

#[test]
fn an_answer_is_a_number() {
    let body = br#"{"input_tokens":123456789,"context_management":{"original_input_tokens":5},"novel":"leak"}"#;
    let half = AnthropicCountTokens.read_answer(body).expect("is an answer");
    let found: Vec<_> = half.parts.iter().map(|part| (part.text.as_str(), part.fixed)).collect();
    assert!(found.contains(&("123456789", Some(Fixed::Name))) && found.contains(&("leak", None)));
    assert!(half.uninspectable.is_empty());
    assert!(AnthropicCountTokens.read_answer(b"14").is_err());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = AnthropicCountTokens.read_request(&bytes, None);
        let _ = AnthropicCountTokens.read_answer(&bytes);
    }
}
