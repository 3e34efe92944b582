//! What Ordain itself says in this dialect: refusals, ends of streams, errors.
//!
//! The refusal is ordinary `output_text` of a message in a response that is `incomplete` by its `content_filter`. Official
//! SDKs show that text wherever they show an answer; a part of type `refusal` is skipped by programs that look at
//! `output_text`. A stream ends with `response.incomplete`, as it does when the provider's own filter ends it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::wire::sse::Event;
use crate::wire::{Refusal, Seen};

pub(super) fn refusal(refusal: &Refusal<'_>) -> Vec<u8> {
    finished(response(refusal), &item(refusal)).to_string().into_bytes()
}

pub(super) fn refusal_stream(refusal: &Refusal<'_>) -> Vec<u8> {
    let response = response(refusal);
    let mut events = Events::from(0);
    events.push(json!({"type": "response.created", "response": response}));
    events.push(json!({"type": "response.in_progress", "response": response}));
    end_with(0, response, refusal, &mut events);
    events.out
}

/// What was said so far stays unfinished, as it does in the provider's own streams that end early; the message is an item
/// of its own, and all that the last event repeats.
pub(super) fn stop_stream(seen: &Seen, refusal: &Refusal<'_>) -> Vec<u8> {
    if !seen.begun {
        return refusal_stream(refusal);
    }
    // Clients hold the response's id against that of the first event.
    let first = seen.first.as_deref().and_then(|first| serde_json::from_str(first).ok());
    let begun = first.and_then(|mut first: Value| first.get_mut("response").map(Value::take));
    let response = begun
        .filter(|response| response.is_object())
        .unwrap_or_else(|| response(refusal));
    let index = |channel: &String| channel.strip_prefix("output/")?.split_once('/')?.0.parse::<u64>().ok();
    let begun: BTreeSet<u64> = seen.channels.iter().filter_map(index).collect();
    let next = begun.last().map_or(0, |last| last.saturating_add(1));
    let mut events = Events::from(seen.number.map_or(0, |last| last.saturating_add(1)));
    end_with(next, response, refusal, &mut events);
    events.out
}

/// An error as the description of the API has it, and as most SDKs look for it: in a member of its own.
pub(super) fn broken_stream(error: &Value) -> Vec<u8> {
    let told = error.get("error").cloned().unwrap_or_default();
    event(&with(with(told, error.clone()), json!({"type": "error"})))
}

/// A response that has begun.
fn response(refusal: &Refusal<'_>) -> Value {
    json!({
        "id": format!("resp_{}", refusal.record),
        "object": "response",
        "created_at": refusal.at,
        "status": "in_progress",
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "max_output_tokens": null,
        "metadata": {},
        "model": refusal.model,
        "output": [],
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null},
        "store": false,
        "temperature": null,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": null,
        "truncation": "disabled",
        "usage": null,
    })
}

/// The message.
fn item(refusal: &Refusal<'_>) -> Value {
    json!({
        "id": format!("msg_{}", refusal.record),
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [text(refusal.message)],
    })
}

fn text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

/// A response that ends with the message.
fn finished(response: Value, item: &Value) -> Value {
    let end = json!({
        "status": "incomplete",
        "incomplete_details": {"reason": "content_filter"},
        "output": [item],
        "usage": {
            "input_tokens": 0,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 0,
        },
    });
    with(response, end)
}

/// An item with the message, and the end of the stream.
fn end_with(index: u64, response: Value, refusal: &Refusal<'_>, events: &mut Events) {
    let item = item(refusal);
    let message = refusal.message;
    let added = with(item.clone(), json!({"status": "in_progress", "content": []}));
    let of_item =
        |kind: &str, more: Value| with(json!({"type": format!("response.{kind}"), "output_index": index}), more);
    let of_part = |kind: &str, more: Value| {
        let part = json!({"item_id": item.get("id"), "content_index": 0});
        of_item(kind, with(part, more))
    };
    events.push(of_item("output_item.added", json!({"item": added})));
    events.push(of_part("content_part.added", json!({"part": text("")})));
    events.push(of_part("output_text.delta", json!({"delta": message, "logprobs": []})));
    events.push(of_part("output_text.done", json!({"text": message, "logprobs": []})));
    events.push(of_part("content_part.done", json!({"part": text(message)})));
    events.push(of_item("output_item.done", json!({"item": item})));
    events.push(json!({"type": "response.incomplete", "response": finished(response, &item)}));
}

/// An object with the members of another one, which win.
fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut object, more) {
        members.extend(more);
    }
    object
}

/// Events, counted.
struct Events {
    next: u64,
    out: Vec<u8>,
}

impl Events {
    const fn from(next: u64) -> Self {
        Self { next, out: Vec::new() }
    }

    fn push(&mut self, data: Value) {
        let data = with(data, json!({"sequence_number": self.next}));
        self.next = self.next.saturating_add(1);
        self.out.extend(event(&data));
    }
}

/// An event by the name that its data has, as this dialect sends them.
fn event(data: &Value) -> Vec<u8> {
    Event {
        event: data.get("type").and_then(Value::as_str).map(str::to_owned),
        data: data.to_string(),
    }
    .encode()
}
