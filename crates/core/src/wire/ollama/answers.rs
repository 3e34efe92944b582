//! What Ordain itself says in this dialect: refusals, ends of streams, errors.
//!
//! A refusal is an ordinary answer with `done_reason: content_filter`. A line with `error`, by contrast, makes clients
//! raise an exception, which a policy's words are not.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::wire::sse::Event;
use crate::wire::{Framing, Refusal, Seen};

use super::Ollama;

pub(super) fn refusal(wire: Ollama, refusal: &Refusal<'_>) -> Vec<u8> {
    ending(wire, refusal, refusal.message).to_string().into_bytes()
}

pub(super) fn refusal_stream(wire: Ollama, refusal: &Refusal<'_>) -> Vec<u8> {
    end_with(wire, refusal, refusal.message)
}

pub(super) fn stop_stream(wire: Ollama, seen: &Seen, refusal: &Refusal<'_>) -> Vec<u8> {
    let last: Option<Value> = seen.last.as_deref().and_then(|last| serde_json::from_str(last).ok());
    let model = last.as_ref().and_then(|last| last.get("model")?.as_str());
    let refusal = Refusal {
        model: model.unwrap_or(refusal.model),
        ..*refusal
    };
    // What was said so far does not run into the message.
    let spoken = seen.channels.iter().any(|channel| channel == wire.spoken());
    let gap = if spoken { "\n\n" } else { "" };
    end_with(wire, &refusal, &format!("{gap}{}", refusal.message))
}

pub(super) fn broken_stream(message: &str) -> Vec<u8> {
    line(&json!({"error": message}))
}

/// A line with the text, and the last one, in which servers say nothing.
fn end_with(wire: Ollama, refusal: &Refusal<'_>, text: &str) -> Vec<u8> {
    [line(&piece(wire, refusal, text)), line(&ending(wire, refusal, ""))].concat()
}

/// An answer or its last line.
fn ending(wire: Ollama, refusal: &Refusal<'_>, text: &str) -> Value {
    let mut value = piece(wire, refusal, text);
    if let Some(members) = value.as_object_mut() {
        members.insert("done".to_owned(), json!(true));
        members.insert("done_reason".to_owned(), json!("content_filter"));
        members.insert("prompt_eval_count".to_owned(), json!(0));
        members.insert("eval_count".to_owned(), json!(0));
    }
    value
}

/// A line that is not the last one.
fn piece(wire: Ollama, refusal: &Refusal<'_>, text: &str) -> Value {
    // Some clients insist on a moment in RFC 3339.
    let at = Timestamp::from_second(refusal.at).unwrap_or_default().to_string();
    match wire {
        Ollama::Chat => json!({
            "model": refusal.model,
            "created_at": at,
            "message": {"role": "assistant", "content": text},
            "done": false,
        }),
        Ollama::Generate => json!({
            "model": refusal.model,
            "created_at": at,
            "response": text,
            "done": false,
        }),
    }
}

fn line(value: &Value) -> Vec<u8> {
    Framing::Lines.encode(&Event::data(value.to_string()))
}
