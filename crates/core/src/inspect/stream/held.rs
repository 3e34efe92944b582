//! Text that is held back, and how it goes out: with a copy of the last event that carried a piece of it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::names::Beginnings;
use super::{Stop, StreamInspection};
use crate::wire::splice::splice_event;
use crate::wire::sse::Event;
use crate::wire::{EventReading, Flow};

/// How what is held of a channel can be sent.
#[derive(Debug, Clone)]
pub(super) struct Template {
    shape: Arc<Shape>,
    /// Where the text goes.
    token: Range<usize>,
}

/// An event that can be sent again with other texts. One that carried pieces of many channels is kept once.
#[derive(Debug)]
struct Shape {
    event: Event,
    /// The tokens of its pieces, which a copy leaves empty but for one.
    pieces: Vec<Range<usize>>,
    /// What was edited in it beside its pieces.
    edits: Vec<(Range<usize>, String)>,
    /// Values that a copy leaves out.
    left_out: Vec<Range<usize>>,
}

impl StreamInspection {
    /// Keeps the event as the shape of what may have to be sent later for the channels that have a piece in it. `replaced` is
    /// what went out in place of its tokens.
    pub(super) fn remember(&mut self, event: &Event, reading: &EventReading, replaced: &[(Range<usize>, String)]) {
        let mut kept = None;
        for fragment in reading.fragments.iter().filter(|fragment| fragment.flow.grows()) {
            let Some(channel) = self.channels.get_mut(&fragment.channel) else {
                continue;
            };
            if !channel.holds() {
                continue;
            }
            let shape = kept.get_or_insert_with(|| Arc::new(Shape::new(event, reading, replaced)));
            channel.template = Some(Template {
                shape: Arc::clone(shape),
                token: fragment.token.clone(),
            });
        }
    }

    /// Sends what is held for channels that end without a piece of their own in this event.
    pub(super) fn flush(&mut self, reading: &EventReading) -> Result<(), Stop> {
        let ended = Beginnings::ended(reading);
        let pieces = reading.fragments.iter().filter(|fragment| fragment.flow.grows());
        let own: BTreeSet<&str> = pieces.map(|fragment| fragment.channel.as_str()).collect();
        let names: Vec<String> = self
            .order
            .iter()
            .filter(|name| ended.cover(name) && !own.contains(name.as_str()))
            .cloned()
            .collect();
        for name in names {
            let channel = self.channels.get(&name);
            let Some(template) = channel.and_then(|channel| channel.template.clone()) else {
                continue;
            };
            let flow = channel.map_or(Flow::Still, |channel| channel.flow);
            let rest = self.grow(&name, flow, "", true)?;
            if rest.is_empty() {
                continue;
            }
            let shape = template.shape;
            let others = shape.pieces.iter().filter(|token| **token != template.token);
            let mut replacements = shape.edits.clone();
            replacements.extend(others.map(|token| (token.clone(), String::new())));
            replacements.push((template.token, rest));
            let data = splice_event(&shape.event.data, &replacements, &shape.left_out).map_err(|_| Stop)?;
            self.send(&Event {
                data,
                event: shape.event.event.clone(),
            });
        }
        Ok(())
    }
}

impl Shape {
    fn new(event: &Event, reading: &EventReading, replaced: &[(Range<usize>, String)]) -> Self {
        let pieces = reading.fragments.iter().filter(|fragment| fragment.flow.grows());
        let pieces: Vec<Range<usize>> = pieces.map(|fragment| fragment.token.clone()).collect();
        let starts: BTreeSet<usize> = pieces.iter().map(|token| token.start).collect();
        let edits = replaced.iter().filter(|(token, _)| !starts.contains(&token.start));
        let falsified = reading.falsified.iter().map(|one| &one.value);
        Self {
            event: event.clone(),
            edits: edits.cloned().collect(),
            pieces,
            left_out: falsified.chain(&reading.once).cloned().collect(),
        }
    }
}
