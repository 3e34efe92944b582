//! A note behind the text of the first choice: the policy's own words, which are neither judged nor counted as the model's.
//!
//! It goes out as the last piece of that text, or as a block behind all texts where a dialect has them end before it is known
//! what follows. Where the text is told again, the note is told with it. An answer that calls a tool gets none.

use super::StreamInspection;
use crate::wire::sse::Event;
use crate::wire::{EventReading, Flow};

/// What is to be said, and where.
#[derive(Debug)]
pub(super) struct Note {
    text: String,
    /// The channel of the first choice's text, once it has begun.
    channel: Option<String>,
    said: bool,
}

impl Note {
    pub(super) const fn new(text: String) -> Self {
        Self {
            text,
            channel: None,
            said: false,
        }
    }

    /// Whether it is to go out with the last piece of this channel.
    pub(super) fn awaits(&self, channel: &str) -> bool {
        !self.said && self.channel.as_deref() == Some(channel)
    }
}

impl StreamInspection {
    /// Finds out where the note goes.
    pub(super) fn place_note(&mut self, event: &Event, reading: &EventReading) {
        if let Some(note) = self.note.as_mut().filter(|note| note.channel.is_none()) {
            note.channel = self.talk.speaks(event, reading).map(str::to_owned);
        }
    }

    /// Adds the note to a text that ends here, or to one that tells again what ended with it.
    pub(super) fn add_note(&mut self, channel: &str, flow: Flow, ends: bool, text: &mut String) {
        let calls = !self.calls.is_empty();
        let Some(note) = &mut self.note else { return };
        match flow {
            Flow::Text if ends && !calls && note.awaits(channel) => {
                text.push_str(&note.text);
                note.said = true;
            }
            Flow::Told if note.said && note.channel.as_deref() == Some(channel) => text.push_str(&note.text),
            _ => {}
        }
    }

    /// Says the note behind all texts, if this is the event behind them.
    pub(super) fn add_postscript(&mut self, event: &Event) {
        let calls = !self.calls.is_empty();
        let Some(note) = self.note.as_mut().filter(|note| !note.said && !calls) else {
            return;
        };
        if let Some(events) = self.talk.postscript(event, &self.seen, &note.text) {
            self.out.extend(events);
            note.said = true;
        }
    }
}
