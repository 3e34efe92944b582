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
        "id": format!("{PREFIX}{}", refusal.record),
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
    let head = Head::of(PREFIX, refusal);
    let mut out = chunk(&head, 0, &json!({"role": "assistant", "content": ""}), None);
    out.extend(chunk(&head, 0, &json!({"content": refusal.message}), None));
    out.extend(chunk(&head, 0, &json!({}), Some("content_filter")));
    out.extend(done());
    out
}

pub(super) fn stop_stream(seen: &Seen, refusal: &Refusal<'_>) -> Vec<u8> {
    if !seen.begun {
        return refusal_stream(refusal);
    }
    let head = Head::after(PREFIX, seen, refusal);
    let mut out = Vec::new();
    for (place, choice) in open_choices(seen).into_iter().enumerate() {
        let mut delta = json!({});
        if place == 0 {
            // What was said so far does not run into the message.
            let spoken = seen.channels.contains(&format!("{choice}/content"));
            let gap = if spoken { "\n\n" } else { "" };
            delta = json!({"content": format!("{gap}{}", refusal.message)});
        }
        out.extend(chunk(&head, choice, &delta, Some("content_filter")));
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

/// What ids of this dialect begin with.
const PREFIX: &str = "chatcmpl-";

fn chunk(head: &Head, index: u64, delta: &Value, finish_reason: Option<&str>) -> Vec<u8> {
    let choice = json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": finish_reason});
    head.chunk("chat.completion.chunk", &choice)
}

/// What every chunk of a stream repeats.
pub(in crate::wire) struct Head {
    id: String,
    created: i64,
    model: String,
}

impl Head {
    /// That of a stream of our own.
    pub(in crate::wire) fn of(prefix: &str, refusal: &Refusal<'_>) -> Self {
        Self {
            id: format!("{prefix}{}", refusal.record),
            created: refusal.at,
            model: refusal.model.to_owned(),
        }
    }

    /// That of a stream that has begun.
    pub(in crate::wire) fn after(prefix: &str, seen: &Seen, refusal: &Refusal<'_>) -> Self {
        let mut head = Self::of(prefix, refusal);
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
        head
    }

    /// A chunk with one choice.
    pub(in crate::wire) fn chunk(&self, object: &str, choice: &Value) -> Vec<u8> {
        let data = json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
            "choices": [choice],
        });
        Event::data(data.to_string()).encode()
    }
}

/// The choices that a client still waits for; the first one if nobody has spoken yet.
pub(in crate::wire) fn open_choices(seen: &Seen) -> BTreeSet<u64> {
    let choices = |channels: &[String]| -> BTreeSet<u64> {
        channels
            .iter()
            .filter_map(|channel| channel.split_once('/')?.0.parse().ok())
            .collect()
    };
    let mut open = choices(&seen.open);
    if choices(&seen.channels).is_empty() {
        open.insert(0);
    }
    open
}

/// The event that ends a stream.
pub(in crate::wire) fn done() -> Vec<u8> {
    Event::data("[DONE]".to_owned()).encode()
}
