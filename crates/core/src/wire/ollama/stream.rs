//! Lines of a streamed answer.
//!
//! Whatever string a message holds may be a piece of a growing text, so each has a channel by its name, known or not; in
//! an answer to a prompt, so do the strings of the line itself. Only names and moments stand for themselves. A tool call
//! is whole in its line, and so are the texts in it.

use crate::verdict::Source;
use crate::wire::fragments::Channels;
use crate::wire::json::{self, Document, Kind, Limits, Node};
use crate::wire::lookup::index_in;
use crate::wire::reading::{Marks, POINTER_BYTES, is_fixed_name, spend};
use crate::wire::sse::Event;
use crate::wire::{CallBegun, EventReading, Falsified, Flow, Malformed};

use super::{ENVELOPE, Ollama, called_tool, calls, mark_envelope, mark_message};

/// What the names of channels of text begin with.
const TEXT: &str = "text/";

/// Members that are no pieces of text, beside those that the server writes.
const APART: &[&str] = &[
    "context",
    "error",
    "image",
    "images",
    "logprobs",
    "tool_calls",
    "tool_name",
];

impl Ollama {
    /// The channel of what the model says.
    pub(super) const fn spoken(self) -> &'static str {
        match self {
            Self::Chat => "text/content",
            Self::Generate => "text/response",
        }
    }
}

pub(super) fn read_event(wire: Ollama, event: &Event) -> Result<EventReading, Malformed> {
    let mut reading = EventReading::default();
    let mut channels = Channels::default();
    if event.data.trim().is_empty() {
        return Ok(reading);
    }
    let doc = json::parse(event.data.as_bytes(), &Limits::default())?;
    let root = doc.root();
    let mut marks = Marks::new(&doc);
    mark_envelope(&mut marks, root);
    let done = doc.get(root, "done").is_some_and(|done| doc.raw(done) == "true");
    reading.terminal = done || doc.given(root, "error").is_some();
    for (name, so_far) in [("logprobs", false), ("context", true)] {
        reading.falsified.extend(doc.given(root, name).map(|value| Falsified {
            channel: String::new(),
            value: doc.span(value),
            so_far,
        }));
    }
    let speaker = match wire {
        Ollama::Chat => doc.given(root, "message"),
        Ollama::Generate => Some(root),
    };
    if let Some(speaker) = speaker {
        if wire == Ollama::Chat {
            mark_message(&mut marks, speaker, Source::Model);
            read_calls(&doc, speaker, &mut channels, &mut reading)?;
        }
        for name in ["tool_calls", "image", "images"] {
            reading
                .once
                .extend(doc.given(speaker, name).map(|value| doc.span(value)));
        }
        name_texts(&doc, speaker, &mut channels)?;
    }
    channels.read(&marks, &mut reading)?;
    Ok(reading)
}

/// The calls in a message. They are whole, so they end where they begin.
fn read_calls(
    doc: &Document<'_>,
    message: Node,
    channels: &mut Channels,
    reading: &mut EventReading,
) -> Result<(), Malformed> {
    for (place, call) in calls(doc, message).enumerate() {
        let group = format!("tool/{}/", index_in(doc, call, place as u64)?);
        let arguments = doc.given(call, "arguments");
        let is_text = arguments.is_some_and(|arguments| doc.kind(arguments) == Kind::String);
        for node in arguments.into_iter().flat_map(|arguments| doc.within(arguments)) {
            match doc.kind(node) {
                Kind::String if is_text => channels.name(node, format!("{group}arguments"), Flow::Arguments),
                Kind::String | Kind::Number => channels.name(node, format!("{group}whole"), Flow::Whole),
                Kind::Null | Kind::Bool | Kind::Array | Kind::Object => {}
            }
        }
        if let Some(mut call) = called_tool(doc, call) {
            // Of a text, its channel says when it is whole.
            call.arguments.take_if(|_| is_text);
            let channel = group.clone();
            reading.tools.push(CallBegun { channel, call });
        }
        reading.ends.push(group);
    }
    Ok(())
}

/// Names the channels of the strings in a message, or in a line that is one.
fn name_texts(doc: &Document<'_>, speaker: Node, channels: &mut Channels) -> Result<(), Malformed> {
    let mut pointers = POINTER_BYTES;
    // Points rather than slashes: no invented name can look like another channel.
    let depth = doc.pointer(speaker).len() + 1;
    for (name, member) in doc.members(speaker) {
        if [ENVELOPE, APART].into_iter().flatten().any(|&apart| apart == name) || is_fixed_name(&name) {
            continue;
        }
        for node in doc.within(member) {
            let fixed = doc.key(node).is_some_and(|key| is_fixed_name(&key));
            if doc.kind(node) == Kind::String && !fixed {
                let pointer = doc.pointer(node);
                spend(&mut pointers, &pointer, doc, node)?;
                let way = pointer.get(depth..).unwrap_or_default().replace('/', ".");
                channels.name(node, format!("{TEXT}{way}"), Flow::Text);
            }
        }
    }
    Ok(())
}
