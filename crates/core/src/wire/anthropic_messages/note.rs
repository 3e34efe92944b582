//! Where a note to an answer goes, and where none may.
//!
//! In a stream a text ends before it is known whether a call of a tool follows, so a note is a block of its own behind all
//! others.

use std::ops::Range;

use serde_json::{Value, json};

use super::answers::{blocks, event as named};
use super::called_tool;
use crate::wire::Seen;
use crate::wire::json::{self, Document, Limits};
use crate::wire::lookup::items;
use crate::wire::sse::Event;

/// Whether the answer has a form that words behind it would break.
pub(super) fn is_exact(doc: &Document<'_>) -> bool {
    let root = doc.root();
    let config = doc.given(root, "output_config");
    let format = config.and_then(|config| doc.given(config, "format"));
    doc.given(root, "output_format").or(format).is_some()
}

pub(super) fn last_words(body: &[u8]) -> Option<Range<usize>> {
    let doc = json::parse(body, &Limits::default()).ok()?;
    let content: Vec<_> = items(&doc, doc.get(doc.root(), "content")).collect();
    if content.iter().any(|&block| called_tool(&doc, block).is_some()) {
        return None;
    }
    let texts = content
        .iter()
        .rev()
        .filter(|&&block| doc.member_text(block, "type").as_deref() == Some("text"));
    let mut texts = texts.filter_map(|&block| doc.get(block, "text"));
    let text = texts.find(|&text| doc.text(text).is_some_and(|text| !text.is_empty()))?;
    Some(doc.span(text))
}

/// A block with the text, before the event that says why the message ends.
pub(super) fn postscript(event: &Event, seen: &Seen, text: &str) -> Option<Vec<u8>> {
    let data: Value = serde_json::from_str(&event.data).ok()?;
    let stop = data.get("delta")?.get("stop_reason")?.as_str()?;
    let says = |channel: &String| channel.starts_with("block/") && channel.ends_with("/text");
    if !matches!(stop, "end_turn" | "max_tokens" | "stop_sequence") || !seen.channels.iter().any(says) {
        return None;
    }
    let index = blocks(&seen.channels).last().map_or(0, |last| last.saturating_add(1));
    let block = json!({"type": "text", "text": ""});
    let delta = json!({"type": "text_delta", "text": text});
    let mut out = Vec::new();
    for (name, mut data) in [
        ("content_block_start", json!({"index": index, "content_block": block})),
        ("content_block_delta", json!({"index": index, "delta": delta})),
        ("content_block_stop", json!({"index": index})),
    ] {
        if let Some(members) = data.as_object_mut() {
            members.insert("type".to_owned(), name.into());
        }
        out.extend(named(name, &data));
    }
    Some(out)
}
