//! Text that is held back, and how it goes out: with a copy of the last event that carried a piece of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::names::Beginnings;
use super::waiting::Ready;
use super::{Stop, StreamInspection};
use crate::verdict::Source;
use crate::wire::sse::Event;
use crate::wire::{Carrier, EventReading, Flow, Fragment};

/// How what is held of a channel can be sent.
#[derive(Debug, Clone)]
pub(super) struct Template {
    shape: Arc<Shape>,
    /// Where the text goes.
    token: Range<usize>,
    /// The event itself, for as long as it has not gone out; none if its text goes out in an event of its own.
    own: Option<Own>,
}

/// A piece in an event that may still be waiting.
#[derive(Debug, Clone)]
struct Own {
    /// The event's place in the stream.
    place: u64,
    /// What it says at the token.
    said: String,
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
    /// Its number.
    number: Option<Range<usize>>,
}

impl StreamInspection {
    /// Keeps the event as the shape of what may have to be sent later for the channels that have a piece in it. `replaced` is
    /// what went out in place of its tokens.
    pub(super) fn remember(&mut self, event: &Event, reading: &EventReading, replaced: &[(Range<usize>, String)]) {
        let awaits = |fragment: &&Fragment| {
            let channel = self.channels.get(&fragment.channel);
            let waits = channel.is_some_and(|channel| channel.holds() || !channel.unrestored.is_empty());
            let notes = self.note.as_ref().is_some_and(|note| note.awaits(&fragment.channel));
            fragment.flow.grows() && channel.is_some() && (waits || notes)
        };
        let awaiting: Vec<&Fragment> = reading.fragments.iter().filter(awaits).collect();
        if awaiting.is_empty() {
            return;
        }
        let carriers: BTreeMap<&str, &Carrier> =
            reading.carriers.iter().map(|one| (one.channel.as_str(), one)).collect();
        let replaced_at: BTreeMap<usize, &String> = replaced.iter().map(|(token, said)| (token.start, said)).collect();
        let mut kept = None;
        for fragment in awaiting {
            let Some(channel) = self.channels.get_mut(&fragment.channel) else {
                continue;
            };
            channel.template = Some(if let Some(carrier) = carriers.get(fragment.channel.as_str()) {
                Template {
                    shape: Arc::new(Shape::of_carrier(carrier)),
                    token: carrier.token.clone(),
                    own: None,
                }
            } else {
                let shape = kept.get_or_insert_with(|| Arc::new(Shape::new(event, reading, replaced)));
                let said = replaced_at.get(&fragment.token.start).copied();
                Template {
                    shape: Arc::clone(shape),
                    token: fragment.token.clone(),
                    own: Some(Own {
                        place: self.waiting.next,
                        said: said.unwrap_or(&fragment.text).clone(),
                    }),
                }
            });
        }
    }

    /// Sends what is held for channels that end without a piece of their own in this event.
    pub(super) fn flush(&mut self, reading: &EventReading) -> Result<(), Stop> {
        if reading.ends.is_empty() && !reading.terminal {
            return Ok(());
        }
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
            let mut rest = self.restored_rest(&name, rest, true)?;
            self.add_note(&name, flow, true, &mut rest);
            if rest.is_empty() {
                continue;
            }
            // What still waits takes it in. A copy would say again what else is in the event, such as the name of a call.
            if let Some(own) = &template.own
                && self.waiting.add(own.place, &template.token, &own.said, &rest)
            {
                continue;
            }
            let shape = template.shape;
            let others = shape.pieces.iter().filter(|token| **token != template.token);
            let mut replacements = shape.edits.clone();
            replacements.extend(others.map(|token| (token.clone(), String::new())));
            replacements.push((template.token, rest));
            let last = self.number;
            let number = shape.number.clone().zip(last.and_then(|last| last.checked_add(1)));
            self.number = number.as_ref().map(|(_, number)| *number).or(last);
            self.more += 1;
            let said = Fragment {
                channel: name,
                flow,
                text: String::new(),
                source: Source::Model,
                token: 0..0,
            };
            self.dispatch(Ready {
                event: shape.event.clone(),
                reading: EventReading {
                    fragments: vec![said],
                    ..EventReading::default()
                },
                texts: replacements,
                left_out: shape.left_out.clone(),
                number,
                counted_anew: true,
            })?;
        }
        Ok(())
    }

    /// The number with which an event goes out, and where it stands: the upstream's, counted on over what was sent beside
    /// and what was left out.
    pub(super) fn number(&self, event: &Event, reading: &EventReading) -> Option<(Range<usize>, u64)> {
        let token = reading.number.clone()?;
        let number: u64 = event.data.get(token.clone())?.parse().ok()?;
        Some((token, number.checked_add_signed(self.more)?))
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
            number: reading.number.clone(),
        }
    }

    fn of_carrier(carrier: &Carrier) -> Self {
        Self {
            event: carrier.event.clone(),
            pieces: Vec::new(),
            edits: Vec::new(),
            left_out: Vec::new(),
            number: carrier.number.clone(),
        }
    }
}
