//! Chunks of a streamed answer.
//!
//! Whatever string a chunk's `delta` holds may be a piece of a growing text, so each has a channel by its name, known or
//! not; only ids, types and names stand for themselves. Everything outside of the deltas does too.

use std::ops::Range;

use crate::verdict::Source;
use crate::wire::fragments::{Channels, read_name};
use crate::wire::json::{self, Document, Limits, Node};
use crate::wire::lookup::{finish_reason, index_in, items, says_only};
use crate::wire::reading::{Marks, POINTER_BYTES};
use crate::wire::sse::Event;
use crate::wire::{CallBegun, EventReading, Falsified, Flow, Malformed};

use super::{called_tool, mark_envelope, mark_message};

pub(super) fn read_event(event: &Event) -> Result<EventReading, Malformed> {
    let mut reading = EventReading::default();
    let mut channels = Channels::default();
    read_name(event, &["message", "error"], &mut reading);
    if event.data == "[DONE]" {
        reading.terminal = true;
        return Ok(reading);
    }
    if event.data.trim().is_empty() {
        return Ok(reading);
    }
    let doc = json::parse(event.data.as_bytes(), &Limits::default())?;
    let root = doc.root();
    let mut marks = Marks::new(&doc);
    mark_envelope(&mut marks, root);
    reading.terminal = doc.given(root, "error").is_some() || event.event.as_deref() == Some("error");
    reading.only_arguments = says_only_arguments(&doc);
    for choice in items(&doc, doc.get(root, "choices")) {
        let group = format!("{}/", index_in(&doc, choice, 0)?);
        if let Some(reason) = finish_reason(&doc, choice) {
            reading.ends.push(group.clone());
            reading.once.push(doc.span(reason));
        }
        if let Some(logprobs) = doc.given(choice, "logprobs") {
            reading.falsified.push(Falsified {
                channel: group.clone(),
                value: doc.span(logprobs),
                so_far: false,
            });
        }
        channels.group(choice, format!("{group}still"));
        if let Some(delta) = doc.given(choice, "delta") {
            mark_message(&mut marks, delta, Source::Model);
            calls(&doc, delta, &group, &mut reading)?;
            find_channels(&doc, delta, &group, &mut channels)?;
        }
    }
    channels.read(&marks, &mut reading)?;
    Ok(reading)
}

/// The calls that a delta has a part of, named or not, and those that it begins.
fn calls(doc: &Document<'_>, delta: Node, group: &str, reading: &mut EventReading) -> Result<(), Malformed> {
    let mut begin = |channel: String, kinds: &[Node], id: Option<Range<usize>>| {
        // Clients put the pieces of ids and names together too.
        reading.once.extend(id);
        for &node in kinds {
            reading.once.extend(doc.given(node, "name").map(|name| doc.span(name)));
            let Some(mut call) = called_tool(doc, node) else {
                continue;
            };
            // A text grows; its channel says when it is whole.
            call.arguments.take_if(|_| doc.member_text(node, "arguments").is_some());
            let channel = channel.clone();
            reading.tools.push(CallBegun { channel, call });
        }
        reading.calls.push(channel);
    };
    for call in items(doc, doc.get(delta, "tool_calls")) {
        let index = index_in(doc, call, doc.position(call) as u64)?;
        let id = doc.given(call, "id").map(|id| doc.span(id));
        let kinds = ["function", "custom"].map(|kind| doc.get(call, kind));
        let kinds: Vec<Node> = kinds.into_iter().flatten().collect();
        begin(format!("{group}tool/{index}/"), &kinds, id);
    }
    if let Some(call) = doc.given(delta, "function_call") {
        begin(format!("{group}function_call/"), &[call], None);
    }
    Ok(())
}

/// Whether a chunk says nothing but pieces of arguments, beside what every chunk repeats.
fn says_only_arguments(doc: &Document<'_>) -> bool {
    let is_piece = |call: Node| {
        let within = |kind, text| doc.given(call, kind).is_none_or(|call| says_only(doc, call, &[text]));
        says_only(doc, call, &["index", "type", "function", "custom"])
            && within("function", "arguments")
            && within("custom", "input")
    };
    let has_only_pieces = |choice: Node| {
        let Some(delta) = doc.given(choice, "delta") else {
            return false;
        };
        let mut calls = items(doc, doc.get(delta, "tool_calls")).peekable();
        let former = doc.given(delta, "function_call");
        says_only(doc, choice, &["index", "delta"])
            && says_only(doc, delta, &["role", "tool_calls", "function_call"])
            && (calls.peek().is_some() || former.is_some())
            && calls.all(is_piece)
            && former.is_none_or(|call| says_only(doc, call, &["arguments"]))
    };
    let mut choices = items(doc, doc.get(doc.root(), "choices")).peekable();
    choices.peek().is_some() && says_only(doc, doc.root(), REPEATED) && choices.all(has_only_pieces)
}

/// Members that every chunk of a stream repeats, or that only fill it up, and its choices.
const REPEATED: &[&str] = &[
    "choices",
    "created",
    "id",
    "model",
    "obfuscation",
    "object",
    "provider",
    "service_tier",
    "system_fingerprint",
];

/// Names the channels of the strings in a delta.
fn find_channels(doc: &Document<'_>, delta: Node, group: &str, channels: &mut Channels) -> Result<(), Malformed> {
    let mut pointers = POINTER_BYTES;
    for (name, member) in doc.members(delta) {
        match name.as_ref() {
            "role" | "name" => {}
            "tool_calls" => {
                for call in items(doc, Some(member)) {
                    let index = index_in(doc, call, doc.position(call) as u64)?;
                    let arguments = doc
                        .get(call, "function")
                        .and_then(|function| doc.get(function, "arguments"));
                    channels.name(arguments, format!("{group}tool/{index}/arguments"), Flow::Arguments);
                    let input = doc.get(call, "custom").and_then(|custom| doc.get(custom, "input"));
                    channels.name(input, format!("{group}tool/{index}/input"), Flow::Arguments);
                }
            }
            "function_call" => {
                let arguments = doc.get(member, "arguments");
                channels.name(arguments, format!("{group}function_call/arguments"), Flow::Arguments);
            }
            _ => channels.name_all(doc, member, group, &mut pointers)?,
        }
    }
    Ok(())
}
