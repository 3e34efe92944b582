//! Events that wait: a client hears of a call when it is whole and judged, and not before (`docs/decisions/0015`).
//!
//! From the first event that has a part of such a call, everything waits in its order, whatever it is about: no event
//! overtakes another, so what an SDK puts together is what it would have put together. Meanwhile comments tell the client
//! that the stream is alive. At a stop, what waits is thrown away.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::names::Beginnings;
use super::{MOST_CHANNELS, Stop, StreamInspection};
use crate::wire::splice::splice_event;
use crate::wire::sse::Event;
use crate::wire::{EventReading, Fragment};

/// More bytes than this do not wait; the stream stops. Pieces of arguments that are held count too.
pub(in crate::inspect) const MOST_WAITING: usize = 8 * 1024 * 1024;

/// An event that was judged, with what is to be changed in it.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) event: Event,
    pub(super) reading: EventReading,
    /// Texts in place of its tokens.
    pub(super) texts: Vec<(Range<usize>, String)>,
    /// Values that are left out.
    pub(super) left_out: Vec<Range<usize>>,
    /// Its number, in dialects that count.
    pub(super) number: Option<(Range<usize>, u64)>,
    /// Whether that is another one than it came with.
    pub(super) counted_anew: bool,
}

impl Ready {
    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        let fragment = |one: &Fragment| size_of::<Fragment>() + one.channel.len() + one.text.len();
        let fragments: usize = self.reading.fragments.iter().map(fragment).sum();
        let texts: usize = self.texts.iter().map(|(_, text)| text.len()).sum();
        size_of::<Self>() + self.event.data.len() + fragments + texts
    }
}

/// What waits, and for what.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// In their order, each with its place among all events of the stream.
    events: VecDeque<(u64, Ready)>,
    /// About how much memory they take.
    bytes: usize,
    /// Calls that have begun and not ended, by what their channels begin with, and the place of the first event of each.
    calls: BTreeMap<String, u64>,
    /// The place of the next event.
    pub(super) next: u64,
}

impl Waiting {
    /// Adds to what an event says at a token, if it still waits. `said` is what it says there so far.
    pub(super) fn add(&mut self, place: u64, token: &Range<usize>, said: &str, more: &str) -> bool {
        let Ok(found) = self.events.binary_search_by_key(&place, |(place, _)| *place) else {
            return false;
        };
        let Some((_, ready)) = self.events.get_mut(found) else {
            return false;
        };
        self.bytes += more.len();
        if let Some((_, text)) = ready.texts.iter_mut().find(|(known, _)| known == token) {
            text.push_str(more);
        } else {
            ready.texts.push((token.clone(), [said, more].concat()));
        }
        true
    }
}

impl StreamInspection {
    /// Sends an event, or lets it wait for the calls that it or an earlier one has a part of.
    pub(super) fn dispatch(&mut self, ready: Ready) -> Result<(), Stop> {
        let waiting = &mut self.waiting;
        let place = waiting.next;
        waiting.next += 1;
        if waiting.calls.is_empty() && waiting.events.is_empty() && ready.reading.calls.is_empty() {
            return self.deliver(ready);
        }
        let ended = Beginnings::ended(&ready.reading);
        waiting.calls.retain(|call, _| !ended.cover(call));
        for call in ready.reading.calls.iter().filter(|call| !ended.cover(call)) {
            if !waiting.calls.contains_key(call) {
                waiting.calls.insert(call.clone(), place);
            }
        }
        if waiting.calls.is_empty() && waiting.events.is_empty() {
            return self.deliver(ready);
        }
        waiting.bytes += ready.bytes();
        waiting.events.push_back((place, ready));
        let too_many = waiting.calls.len() > MOST_CHANNELS;
        if too_many || waiting.bytes + self.arguments > MOST_WAITING {
            self.cannot_look("/", if too_many { "too-many-tools" } else { "too-long" });
            return Err(Stop);
        }
        self.release()?;
        if !self.waiting.events.is_empty() {
            self.keep_alive();
        }
        Ok(())
    }

    /// Sends what has waited for calls that are whole by now.
    pub(super) fn release(&mut self) -> Result<(), Stop> {
        let until = self.waiting.calls.values().min().copied().unwrap_or(u64::MAX);
        while self.waiting.events.front().is_some_and(|(place, _)| *place < until) {
            let Some((_, ready)) = self.waiting.events.pop_front() else {
                break;
            };
            self.waiting.bytes = self.waiting.bytes.saturating_sub(ready.bytes());
            self.deliver(ready)?;
        }
        Ok(())
    }

    /// Sends all that waits: no call becomes more whole than it is.
    pub(super) fn release_all(&mut self) -> Result<(), Stop> {
        self.waiting.calls.clear();
        self.release()
    }

    /// Tells the client that there is something, of which it does not hear yet.
    pub(super) fn keep_alive(&mut self) {
        self.out.extend_from_slice(self.talk.framing().sign_of_life());
    }

    /// Sends an event.
    fn deliver(&mut self, ready: Ready) -> Result<(), Stop> {
        let Ready {
            mut event,
            reading,
            texts,
            left_out,
            number,
            counted_anew,
        } = ready;
        self.seen.number = number.as_ref().map(|(_, number)| *number).or(self.seen.number);
        let number = number.filter(|_| counted_anew);
        if !(texts.is_empty() && left_out.is_empty() && number.is_none()) {
            event.data = splice_event(&event.data, &texts, &left_out, number).map_err(|_| Stop)?;
        }
        self.add_postscript(&event);
        self.talk.framing().encode_into(&event, &mut self.out);
        self.follow(event, &reading);
        Ok(())
    }
}
