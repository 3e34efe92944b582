//! What Ordain itself says in this dialect: refusals, ends of streams, errors.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::wire::sse::Event;
use crate::wire::{Refusal, Seen};

pub(super) fn refusal(refusal: &Refusal<'_>) -> Vec<u8> {
    let content = json!([{"type": "text", "text": refusal.message}]);
    message(refusal, &content, Some("refusal")).to_string().into_bytes()
}

pub(super) fn refusal_stream(refusal: &Refusal<'_>) -> Vec<u8> {
    let start = json!({"type": "message_start", "message": message(refusal, &json!([]), None)});
    let mut out = event("message_start", &start);
    end_with(0, refusal.message, &mut out);
    out
}

pub(super) fn stop_stream(seen: &Seen, refusal: &Refusal<'_>) -> Vec<u8> {
    if !seen.begun {
        return refusal_stream(refusal);
    }
    let mut out = Vec::new();
    for index in blocks(&seen.open) {
        out.extend(event(
            "content_block_stop",
            &json!({"type": "content_block_stop", "index": index}),
        ));
    }
    let next = blocks(&seen.channels).last().map_or(0, |last| last.saturating_add(1));
    end_with(next, refusal.message, &mut out);
    out
}

/// The numbers of the blocks that these channels are in.
pub(super) fn blocks(channels: &[String]) -> BTreeSet<u64> {
    let index = |channel: &String| channel.strip_prefix("block/")?.split_once('/')?.0.parse().ok();
    channels.iter().filter_map(index).collect()
}

/// The error body for `status`.
pub(in crate::wire) fn error_value(status: u16, message: &str) -> Value {
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        503 | 529 => "overloaded_error",
        500..=599 => "api_error",
        _ => "invalid_request_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": message}})
}

/// An event by its name, as this dialect sends them.
pub(super) fn event(name: &str, data: &Value) -> Vec<u8> {
    Event {
        event: Some(name.to_owned()),
        data: data.to_string(),
    }
    .encode()
}

fn message(refusal: &Refusal<'_>, content: &Value, stop_reason: Option<&str>) -> Value {
    json!({
        "id": format!("msg_{}", refusal.record),
        "type": "message",
        "role": "assistant",
        "model": refusal.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    })
}

/// A text block with the message, and the end of the stream.
fn end_with(index: u64, message: &str, out: &mut Vec<u8>) {
    for data in [
        json!({"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": message}}),
        json!({"type": "content_block_stop", "index": index}),
        json!({
            "type": "message_delta",
            "delta": {"stop_reason": "refusal", "stop_sequence": null},
            "usage": {"output_tokens": 0},
        }),
        json!({"type": "message_stop"}),
    ] {
        out.extend(event(
            data.get("type").and_then(Value::as_str).unwrap_or_default(),
            &data,
        ));
    }
}
