//! What Ordain itself says in this dialect: refusals, ends of streams, errors.
//!
//! The refusal is ordinary `content` with `finish_reason: content_filter`. Official SDKs show that text wherever they
//! show an answer; the `refusal` member, by contrast, is skipped by programs that only look at `content`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::wire::sse::Event;
use crate::wire::{Refusal, Seen};

pub(super) fn refusal(refusal: &Refusal<'_>) -> Vec<u8> {
    json!({
        "id": format!("chatcmpl-{}", refusal.record),
        "object": "chat.completion",
        "created": refusal.at,
        "model": refusal.model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": refusal.message, "refusal": null},
            "logprobs": null,
            "finish_reason": "content_filter",
        }],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    })
    .to_string()
    .into_bytes()
}

pub(super) fn refusal_stream(refusal: &Refusal<'_>) -> Vec<u8> {
    let head = Head::of(refusal);
    let mut out = head.chunk(0, &json!({"role": "assistant", "content": ""}), None);
    out.extend(head.chunk(0, &json!({"content": refusal.message}), None));
    out.extend(head.chunk(0, &json!({}), Some("content_filter")));
    out.extend(done());
    out
}

pub(super) fn stop_stream(seen: &Seen, refusal: &Refusal<'_>) -> Vec<u8> {
    if !seen.begun {
        return refusal_stream(refusal);
    }
    let mut head = Head::of(refusal);
    if let Some(last) = seen
        .last
        .as_deref()
        .and_then(|last| serde_json::from_str::<Value>(last).ok())
    {
        let text = |name: &str| last.get(name).and_then(Value::as_str).map(str::to_owned);
        head.id = text("id").unwrap_or(head.id);
        head.model = text("model").unwrap_or(head.model);
        head.created = last.get("created").and_then(Value::as_i64).unwrap_or(head.created);
    }
    let choices = |channels: &[String]| -> BTreeSet<u64> {
        channels
            .iter()
            .filter_map(|channel| channel.split_once('/')?.0.parse().ok())
            .collect()
    };
    let mut open = choices(&seen.open);
    if choices(&seen.channels).is_empty() {
        // Nobody has spoken yet, so the first choice does.
        open.insert(0);
    }
    let mut out = Vec::new();
    for (place, &choice) in open.iter().enumerate() {
        let mut delta = json!({});
        if place == 0 {
            // What was said so far does not run into the message.
            let spoken = seen.channels.contains(&format!("{choice}/content"));
            let gap = if spoken { "\n\n" } else { "" };
            delta = json!({"content": format!("{gap}{}", refusal.message)});
        }
        out.extend(head.chunk(choice, &delta, Some("content_filter")));
    }
    out.extend(done());
    out
}

/// The error body for `status`.
pub(in crate::wire) fn error_value(status: u16, message: &str) -> Value {
    let (kind, code) = match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        403 => ("permission_error", Some("permission_denied")),
        404 => ("invalid_request_error", Some("not_found")),
        413 => ("invalid_request_error", Some("request_too_large")),
        429 => ("rate_limit_error", Some("rate_limit_exceeded")),
        502 => ("server_error", Some("upstream_failed")),
        503 => ("server_error", Some("service_unavailable")),
        504 => ("server_error", Some("timeout")),
        500..=599 => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

/// What every chunk of a stream repeats.
struct Head {
    id: String,
    created: i64,
    model: String,
}

impl Head {
    fn of(refusal: &Refusal<'_>) -> Self {
        Self {
            id: format!("chatcmpl-{}", refusal.record),
            created: refusal.at,
            model: refusal.model.to_owned(),
        }
    }

    fn chunk(&self, index: u64, delta: &Value, finish_reason: Option<&str>) -> Vec<u8> {
        let data = json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": index, "delta": delta, "logprobs": null, "finish_reason": finish_reason}],
        });
        Event::data(data.to_string()).encode()
    }
}

fn done() -> Vec<u8> {
    Event::data("[DONE]".to_owned()).encode()
}
