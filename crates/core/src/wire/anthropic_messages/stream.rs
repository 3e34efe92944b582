//! Events of a streamed answer: a message of blocks that begin, grow and stop, one after another.

use crate::wire::fragments::{Channels, read_name};
use crate::wire::json::{self, Document, Kind, Limits, Node};
use crate::wire::lookup::{index_in, says_only};
use crate::wire::reading::Marks;
use crate::wire::sse::Event;
use crate::wire::{CallBegun, EventReading, Falsified, Flow, Malformed};

use super::{called_tool, mark_block, mark_message};

const KNOWN: &[&str] = &[
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
];

pub(super) fn read_event(event: &Event) -> Result<EventReading, Malformed> {
    let mut reading = EventReading::default();
    read_name(event, KNOWN, &mut reading);
    if event.data.trim().is_empty() {
        return Ok(reading);
    }
    let doc = json::parse(event.data.as_bytes(), &Limits::default())?;
    let root = doc.root();
    let kind = doc
        .member_text(root, "type")
        .or(event.event.as_deref().map(Into::into))
        .unwrap_or_default();
    // Some SDKs go by one, some by the other.
    if event.event.as_deref().is_some_and(|name| name != kind) {
        return Err(Malformed {
            offset: 0,
            reason: "the event's name and its type differ",
        });
    }
    let mut marks = Marks::new(&doc);
    let mut channels = Channels::default();
    match kind.as_ref() {
        "message_start" => {
            if let Some(message) = doc.get(root, "message") {
                mark_message(&mut marks, message);
                super::mark_content(&mut marks, doc.given(message, "content"));
            }
        }
        "content_block_start" => {
            let group = group_of(&doc)?;
            channels.group(root, format!("{group}still"));
            if let Some(block) = doc.get(root, "content_block") {
                mark_block(&mut marks, block);
                let kind = doc.member_text(block, "type").unwrap_or_default();
                // Of a tool of the provider's, too, what it is given comes in pieces.
                if kind.ends_with("tool_use") {
                    reading.calls.push(group.clone());
                }
                if let Some(mut call) = called_tool(&doc, block) {
                    // Usually `{}`, and the pieces follow.
                    let input = doc.get(block, "input");
                    call.arguments
                        .take_if(|_| input.is_some_and(|input| doc.children(input).next().is_none()));
                    let channel = group.clone();
                    reading.tools.push(CallBegun { channel, call });
                }
                let thinking = format!("{group}thinking");
                name(&doc, block, "text", format!("{group}text"), Flow::Text, &mut channels);
                name(&doc, block, "thinking", thinking.clone(), Flow::Text, &mut channels);
                let signature = doc
                    .given(block, "signature")
                    .filter(|&signature| doc.raw(signature) != "\"\"");
                let value = signature.map(|signature| doc.span(signature));
                reading.falsified.extend(value.map(|value| Falsified {
                    channel: thinking,
                    value,
                    so_far: false,
                }));
            }
        }
        "content_block_delta" => {
            let group = group_of(&doc)?;
            channels.group(root, format!("{group}still"));
            if let Some(delta) = doc.get(root, "delta") {
                reading.vouches_for = read_delta(&doc, delta, &group, &mut channels);
                if doc.member_text(delta, "type").as_deref() == Some("input_json_delta") {
                    reading.only_arguments = says_only(&doc, root, &["type", "index", "delta"])
                        && says_only(&doc, delta, &["type", "partial_json"]);
                    reading.calls.push(group);
                }
            }
        }
        "content_block_stop" => reading.ends.push(group_of(&doc)?),
        "message_delta" => {
            if let Some(delta) = doc.get(root, "delta") {
                mark_message(&mut marks, delta);
            }
        }
        "message_stop" | "error" => reading.terminal = true,
        _ => {}
    }
    channels.read(&marks, &mut reading)?;
    Ok(reading)
}

/// Names the channels of a delta, and says for which one it only vouches.
fn read_delta(doc: &Document<'_>, delta: Node, group: &str, channels: &mut Channels) -> Option<String> {
    let kind = doc.member_text(delta, "type").unwrap_or_default();
    match kind.as_ref() {
        "text_delta" => name(doc, delta, "text", format!("{group}text"), Flow::Text, channels),
        "thinking_delta" => name(doc, delta, "thinking", format!("{group}thinking"), Flow::Text, channels),
        "input_json_delta" => {
            name(
                doc,
                delta,
                "partial_json",
                format!("{group}arguments"),
                Flow::Arguments,
                channels,
            );
        }
        "signature_delta" => return Some(format!("{group}thinking")),
        "citations_delta" => {}
        _ => {
            // A delta of a kind that came later. It is there to make something grow.
            for (member, value) in doc.members(delta) {
                if member != "type" && doc.kind(value) == Kind::String {
                    channels.name(value, format!("{group}delta.{member}"), Flow::Text);
                }
            }
        }
    }
    None
}

fn name(doc: &Document<'_>, object: Node, member: &str, channel: String, flow: Flow, channels: &mut Channels) {
    channels.name(
        doc.get(object, member).filter(|&value| doc.kind(value) == Kind::String),
        channel,
        flow,
    );
}

fn group_of(doc: &Document<'_>) -> Result<String, Malformed> {
    Ok(format!("block/{}/", index_in(doc, doc.root(), 0)?))
}
