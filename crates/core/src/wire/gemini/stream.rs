//! Events of a streamed answer: each is an answer with the next piece.
//!
//! Texts and thoughts of a candidate grow from event to event, however many parts they come in. Everything else comes
//! whole, calls with their arguments too. No event ends a stream; it may end when every candidate has a reason to.

use super::content::{Coming, called_tool, comes_in_pieces};
use super::response::{candidates, is_told_once, log_probabilities, mark_response, parts, places, speech};
use super::spelling::{check, field, fields};
use crate::wire::fragments::{Channels, read_name};
use crate::wire::json::{self, Document, Kind, Limits, Node};
use crate::wire::reading::{Marks, POINTER_BYTES, is_fixed_name, spend};
use crate::wire::sse::Event;
use crate::wire::{CallBegun, EventReading, Falsified, Flow, Malformed};

pub(super) fn read_event(event: &Event) -> Result<EventReading, Malformed> {
    let mut reading = EventReading::default();
    read_name(event, &["message", "error"], &mut reading);
    if event.data.trim().is_empty() {
        return Ok(reading);
    }
    let doc = json::parse(event.data.as_bytes(), &Limits::default())?;
    let root = doc.root();
    if doc.kind(root) != Kind::Object {
        return Err(Malformed {
            offset: 0,
            reason: "not an object",
        });
    }
    let mut marks = Marks::new(&doc);
    mark_response(&mut marks, root);
    check(&marks)?;
    let mut channels = Channels::of_whole_values(Flow::Whole);
    reading.terminal = field(&doc, root, "error").is_some();
    let blocked = field(&doc, root, "promptFeedback").and_then(|feedback| field(&doc, feedback, "blockReason"));
    reading.may_end = blocked.map(|_| true);
    tell_once(&doc, root, &mut reading);
    for (index, candidate) in candidates(&doc, root)? {
        let group = format!("{index}/");
        let finished = field(&doc, candidate, "finishReason").is_some();
        reading.may_end = Some(finished && reading.may_end.unwrap_or(true));
        if finished {
            reading.ends.push(group.clone());
        }
        tell_once(&doc, candidate, &mut reading);
        let probabilities = log_probabilities(&doc, candidate).map(|value| (group.clone(), value));
        let places = places(&doc, candidate).into_iter();
        let about = places.map(|value| (format!("{group}text"), value));
        reading.falsified.extend(
            probabilities
                .into_iter()
                .chain(about)
                .map(|(channel, value)| Falsified {
                    channel,
                    value: doc.span(value),
                    so_far: true,
                }),
        );
        channels.group(candidate, format!("{group}still"));
        let mut pointers = POINTER_BYTES;
        for (place, part) in parts(&doc, candidate).enumerate() {
            if let Some(call) = called_tool(&doc, part) {
                let channel = format!("{group}call/{place}/");
                reading.ends.push(channel.clone());
                reading.tools.push(CallBegun { channel, call });
            }
            if comes_in_pieces(&doc, part) {
                reading.calls.push(format!("{group}more/"));
            }
            read_part(&doc, part, &group, &mut channels, &mut reading, &mut pointers)?;
        }
    }
    channels.read(&marks, &mut reading)?;
    Ok(reading)
}

/// Names the channels of a part, and says what falls with its text.
fn read_part(
    doc: &Document<'_>,
    part: Node,
    group: &str,
    channels: &mut Channels,
    reading: &mut EventReading,
    pointers: &mut usize,
) -> Result<(), Malformed> {
    let pointer = doc.pointer(part);
    spend(pointers, &pointer, doc, part)?;
    let mut vouched = format!("{group}still{pointer}/");
    let speech = speech(doc, part);
    if let Some((kind, text)) = speech {
        vouched = format!("{group}{kind}");
        channels.name(text, vouched.clone(), Flow::Text);
    }
    if let Some(signature) = field(doc, part, "thoughtSignature") {
        reading.falsified.push(Falsified {
            channel: vouched,
            value: doc.span(signature),
            so_far: speech.is_some(),
        });
    }
    let depth = pointer.len() + 1;
    for (name, value) in fields(doc, part).filter(|(name, _)| name != "text") {
        match Coming::of(&name) {
            Coming::Whole => reading.once.push(doc.span(value)),
            Coming::Setting => {}
            Coming::Growing => {
                // As in other dialects: points rather than slashes, so that no name can look like another channel.
                for node in doc.within(value).filter(|&node| doc.kind(node) == Kind::String) {
                    if node != value && doc.key(node).is_some_and(|key| is_fixed_name(&key)) {
                        continue;
                    }
                    let pointer = doc.pointer(node);
                    spend(pointers, &pointer, doc, node)?;
                    let way = pointer.get(depth..).unwrap_or_default().replace('/', ".");
                    channels.name(node, format!("{group}part.{way}"), Flow::Text);
                }
            }
        }
    }
    Ok(())
}

/// Notes the members that a copy of the event would tell again.
fn tell_once(doc: &Document<'_>, object: Node, reading: &mut EventReading) {
    let told = doc.members(object).filter(|(name, _)| is_told_once(name.clone()));
    reading.once.extend(told.map(|(_, value)| doc.span(value)));
}
