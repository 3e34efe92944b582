//! What Ordain itself says in this dialect: refusals and ends of streams. Errors are those of Chat Completions.
//!
//! The refusal is an ordinary completion with `finish_reason: content_filter`.

use serde_json::{Value, json};

use crate::wire::openai_chat::{Head, done, open_choices};
use crate::wire::{Refusal, Seen};

pub(super) fn refusal(refusal: &Refusal<'_>) -> Vec<u8> {
    json!({
        "id": format!("{PREFIX}{}", refusal.record),
        "object": OBJECT,
        "created": refusal.at,
        "model": refusal.model,
        "choices": [choice(0, refusal.message, Some("content_filter"))],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    })
    .to_string()
    .into_bytes()
}

pub(super) fn refusal_stream(refusal: &Refusal<'_>) -> Vec<u8> {
    let head = Head::of(PREFIX, refusal);
    let mut out = head.chunk(OBJECT, &choice(0, refusal.message, None));
    out.extend(head.chunk(OBJECT, &choice(0, "", Some("content_filter"))));
    out.extend(done());
    out
}

pub(super) fn stop_stream(seen: &Seen, refusal: &Refusal<'_>) -> Vec<u8> {
    if !seen.begun {
        return refusal_stream(refusal);
    }
    let head = Head::after(PREFIX, seen, refusal);
    let mut out = Vec::new();
    for (place, index) in open_choices(seen).into_iter().enumerate() {
        let mut text = String::new();
        if place == 0 {
            // What was said so far does not run into the message.
            let spoken = seen.channels.contains(&format!("{index}/text"));
            let gap = if spoken { "\n\n" } else { "" };
            text = format!("{gap}{}", refusal.message);
        }
        out.extend(head.chunk(OBJECT, &choice(index, &text, Some("content_filter"))));
    }
    out.extend(done());
    out
}

/// What ids of this dialect begin with.
const PREFIX: &str = "cmpl-";
/// What answers and chunks say that they are.
const OBJECT: &str = "text_completion";

fn choice(index: u64, text: &str, finish_reason: Option<&str>) -> Value {
    json!({"text": text, "index": index, "logprobs": null, "finish_reason": finish_reason})
}
