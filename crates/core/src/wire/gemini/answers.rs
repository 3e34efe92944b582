//! What Ordain itself says in this dialect: refusals, ends of streams, errors.
//!
//! The refusal is an ordinary text of the first candidate with `finishReason: PROHIBITED_CONTENT`. The official SDKs show
//! the text of a candidate whatever the reason is; their predecessors and many programs throw away a text whose reason
//! is `SAFETY`. A blocked prompt in the API's own words (`promptFeedback.blockReason`) has no text at all.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::wire::sse::Event;
use crate::wire::{Refusal, Seen};

/// Why a candidate of Ordain's ends.
const REASON: &str = "PROHIBITED_CONTENT";

pub(super) fn refusal(refusal: &Refusal<'_>) -> Value {
    Head::of(refusal).answer(0, refusal.message)
}

pub(super) fn refusal_stream(refusal: &Refusal<'_>) -> Vec<u8> {
    event(&self::refusal(refusal))
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
        let text = |names: [&str; 2]| {
            let value = names.into_iter().find_map(|name| last.get(name)?.as_str());
            value.map(str::to_owned)
        };
        head.id = text(["responseId", "response_id"]).unwrap_or(head.id);
        head.model = text(["modelVersion", "model_version"]).unwrap_or(head.model);
    }
    let index = |channel: &String| channel.split_once('/')?.0.parse().ok();
    let mut open: BTreeSet<u64> = seen.open.iter().filter_map(index).collect();
    if open.is_empty() {
        // Nobody has spoken yet, or all have done: the first candidate says why this is the end.
        open.insert(0);
    }
    let mut out = Vec::new();
    for (place, &candidate) in open.iter().enumerate() {
        // What was said so far does not run into the message.
        let spoken = seen.channels.contains(&format!("{candidate}/text"));
        let gap = if spoken { "\n\n" } else { "" };
        let text = if place == 0 {
            format!("{gap}{}", refusal.message)
        } else {
            String::new()
        };
        out.extend(event(&head.answer(candidate, &text)));
    }
    out
}

/// The error body for `status` (AIP-193), with the canonical code for it.
pub(in crate::wire) fn error_value(status: u16, message: &str) -> Value {
    let code = match status {
        400 | 413 | 415 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        429 => "RESOURCE_EXHAUSTED",
        502 | 503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    json!({"error": {"code": status, "message": message, "status": code}})
}

/// An event as this dialect sends them, without a name.
pub(super) fn event(data: &Value) -> Vec<u8> {
    Event::data(data.to_string()).encode()
}

/// What every piece of an answer repeats.
struct Head {
    id: String,
    model: String,
}

impl Head {
    fn of(refusal: &Refusal<'_>) -> Self {
        Self {
            id: refusal.record.to_owned(),
            model: refusal.model.to_owned(),
        }
    }

    fn answer(&self, index: u64, text: &str) -> Value {
        json!({
            "candidates": [{
                "content": {"parts": [{"text": text}], "role": "model"},
                "finishReason": REASON,
                "index": index,
            }],
            "usageMetadata": {"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0},
            "modelVersion": self.model,
            "responseId": self.id,
        })
    }
}
