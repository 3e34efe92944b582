//! Where a note to an answer goes, and where none may.

use std::ops::Range;

use crate::wire::json::{self, Document, Limits};
use crate::wire::lookup::items;
use crate::wire::openai_chat::is_asked;
use crate::wire::sse::Event;
use crate::wire::{EventReading, Flow};

use super::tools;

/// Whether the answer has a form that words behind it would break.
pub(super) fn is_exact(doc: &Document<'_>) -> bool {
    let root = doc.root();
    let format = doc.given(root, "text").and_then(|text| doc.given(text, "format"));
    let formed = format.is_some_and(|format| doc.member_text(format, "type").as_deref() != Some("text"));
    let mut included = items(doc, doc.get(root, "include"));
    formed
        || is_asked(doc, doc.given(root, "top_logprobs"))
        || included.any(|item| doc.text(item).is_some_and(|item| item.ends_with("logprobs")))
}

/// The end of the first text of the first message, as in a stream.
pub(super) fn last_words(body: &[u8]) -> Option<Range<usize>> {
    let doc = json::parse(body, &Limits::default()).ok()?;
    let output: Vec<_> = items(&doc, doc.get(doc.root(), "output")).collect();
    if output.iter().any(|&item| tools::called(&doc, item).is_some()) {
        return None;
    }
    let is = |node, kind: &str| doc.member_text(node, "type").as_deref() == Some(kind);
    let mut messages = output.iter().filter(|&&item| is(item, "message"));
    let part =
        messages.find_map(|&item| items(&doc, doc.get(item, "content")).find(|&part| is(part, "output_text")))?;
    let text = doc.get(part, "text")?;
    doc.text(text).filter(|text| !text.is_empty())?;
    Some(doc.span(text))
}

/// The text that an event has a piece of; a reasoning grows in events of other names.
pub(super) fn speaks<'r>(event: &Event, reading: &'r EventReading) -> Option<&'r str> {
    const DELTA: &str = "response.output_text.delta";
    let named = match &event.event {
        Some(name) => name == DELTA,
        None => event.data.contains(DELTA),
    };
    let mut pieces = reading.fragments.iter().filter(|piece| piece.flow == Flow::Text);
    pieces.next().filter(|_| named).map(|piece| piece.channel.as_str())
}
