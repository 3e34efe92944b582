//! Chunks of a streamed answer.
//!
//! Whatever string a chunk's `delta` holds may be a piece of a growing text, so each has a channel by its name, known or
//! not; only ids, types and names stand for themselves. Everything outside of the deltas does too.

use crate::verdict::Source;
use crate::wire::fragments::{Channels, read_name};
use crate::wire::json::{self, Document, Limits, Node};
use crate::wire::lookup::{index_in, items};
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
    for choice in items(&doc, doc.get(root, "choices")) {
        let group = format!("{}/", index_in(&doc, choice, 0)?);
        if doc.given(choice, "finish_reason").is_some() {
            reading.ends.push(group.clone());
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
            reading.tools.extend(calls(&doc, delta, &group)?);
            find_channels(&doc, delta, &group, &mut channels)?;
        }
    }
    channels.read(&marks, &mut reading)?;
    Ok(reading)
}

/// The calls that a delta begins.
fn calls(doc: &Document<'_>, delta: Node, group: &str) -> Result<Vec<CallBegun>, Malformed> {
    let mut begun = Vec::new();
    let mut begin = |channel: String, call: Option<Node>| {
        let Some((node, mut call)) = call.and_then(|node| Some((node, called_tool(doc, node)?))) else {
            return;
        };
        // A text grows; its channel says when it is whole.
        call.arguments.take_if(|_| doc.member_text(node, "arguments").is_some());
        begun.push(CallBegun { channel, call });
    };
    for call in items(doc, doc.get(delta, "tool_calls")) {
        let index = index_in(doc, call, doc.position(call) as u64)?;
        for kind in ["function", "custom"] {
            begin(format!("{group}tool/{index}/"), doc.get(call, kind));
        }
    }
    begin(format!("{group}function_call/"), doc.get(delta, "function_call"));
    Ok(begun)
}

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
