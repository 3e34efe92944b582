//! What the client has seen, as far as it matters for ending a stream well.

use super::names::Beginnings;
use super::{MOST_CHANNELS, StreamInspection};
use crate::wire::sse::Event;
use crate::wire::{EventReading, Flow};

/// More names of values that do not grow are not kept: one is enough to know that a choice or block has begun.
pub(in crate::inspect) const MOST_STILL: usize = 4 * MOST_CHANNELS;

impl StreamInspection {
    /// Keeps track of what the client has seen.
    pub(super) fn follow(&mut self, event: Event, reading: &EventReading) {
        self.seen.begun = true;
        self.seen.first.get_or_insert_with(|| event.data.clone());
        for fragment in &reading.fragments {
            let name = &fragment.channel;
            // What is told whole leaves nothing open.
            if matches!(fragment.flow, Flow::Told | Flow::ToldArguments) {
                continue;
            }
            if let Some(open) = self.begun.get_mut(name) {
                if !std::mem::replace(open, true) {
                    self.seen.open.push(name.clone());
                }
            } else if fragment.flow.grows() || self.begun.len() < MOST_STILL {
                self.begun.insert(name.clone(), true);
                self.seen.open.push(name.clone());
                self.seen.channels.push(name.clone());
            }
        }
        if !reading.ends.is_empty() {
            let ended = Beginnings::ended(reading);
            let begun = &mut self.begun;
            self.seen.open.retain(|name| {
                let ends = ended.cover(name);
                if ends && let Some(open) = begun.get_mut(name) {
                    *open = false;
                }
                !ends
            });
        }
        if !reading.terminal {
            self.seen.last = Some(event.data);
        }
    }
}
