//! Chunks of a streamed answer.
//!
//! A chunk's choices have the text directly in them. Whatever other string a choice holds may be a piece of a growing text
//! too, so each has a channel by its name; only what the dialect knows stands for itself. So does everything outside of the
//! choices.

use crate::wire::fragments::{Channels, read_name};
use crate::wire::json::{self, Limits};
use crate::wire::lookup::{finish_reason, index_in, items};
use crate::wire::reading::{Marks, POINTER_BYTES};
use crate::wire::sse::Event;
use crate::wire::{EventReading, Falsified, Malformed};

use super::{STILL, mark_choice, mark_envelope};

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
    let mut pointers = POINTER_BYTES;
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
        mark_choice(&mut marks, choice);
        channels.group(choice, format!("{group}still"));
        for (name, member) in doc.members(choice) {
            if !STILL.contains(&name.as_ref()) && !STATED.contains(&name.as_ref()) {
                channels.name_all(&doc, member, &group, &mut pointers)?;
            }
        }
    }
    channels.read(&marks, &mut reading)?;
    Ok(reading)
}

/// Members of a choice that say something about its text, whole in each chunk.
const STATED: &[&str] = &["content_filter_results", "logprobs"];
