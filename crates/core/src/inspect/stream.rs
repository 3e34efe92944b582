//! The answer as it streams: event by event, channel by channel.
//!
//! Text is released as soon as no later text can turn it into a match; tool-call arguments when they are whole. Held text
//! goes out with a later event of its channel, or with a copy of the last one ([`held`]). A text that is whole in an event is
//! judged there for itself ([`whole`]), even if it only says again what has grown before: nobody knows which of the two a
//! client goes by. What an event carries beside that goes out with it, unchanged; events that are numbered count on over the
//! copies. A call of a tool goes out when it is whole and judged, and what comes behind it waits for it ([`waiting`]); a stream
//! that breaks off makes it as whole as it gets. Cutting the same bytes differently gives the same bytes; framing the same text
//! in other events gives the same text in every channel (threats A14 to A17).

mod calls;
mod held;
mod model;
mod names;
mod note;
mod seen;
mod tokens;
mod waiting;
mod whole;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use self::held::Template;
use self::names::{Beginnings, any_begins};
use self::note::Note;
#[cfg(test)]
pub(super) use self::seen::MOST_STILL;
pub(super) use self::waiting::MOST_WAITING;
use self::waiting::{Ready, Waiting};
use self::whole::Telling;
use super::content::{self, Tally};
use super::tokens::{Links, meant, meant_call};
use super::{Failed, Inspection, Judged, Said};
use crate::decide::{Decision, decide};
use crate::detect::scanner::{Growing, Release};
use crate::detect::{DetectorFailure, EntityId, Match};
use crate::verdict::{Direction, Source};
use crate::wire::alike::Alike;
use crate::wire::framing::Parser;
use crate::wire::sse::{Event, Item, SseError};
use crate::wire::{CallBegun, EventReading, Flow, Fragment, Seen, Talk};

/// Arguments longer than this stop the stream.
const MOST_ARGUMENTS: usize = 1024 * 1024;

/// An answer with more flows than this stops.
const MOST_CHANNELS: usize = 1024;

/// What an adapter does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send these bytes.
    Forward(Vec<u8>),
    /// Record the outcome, then send these bytes and close.
    End(Ending, Vec<u8>),
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With its terminal event.
    Complete,
    /// By the policy.
    Stopped,
    /// Without its terminal event, or with something that is no event stream.
    Broken,
}

/// The inspection of one streamed answer.
#[derive(Debug)]
pub struct StreamInspection {
    inspection: Inspection,
    talk: &'static dyn Talk,
    parser: Parser,
    channels: BTreeMap<String, Channel>,
    /// Channels in the order in which they began.
    order: Vec<String>,
    /// Calls that have begun, in the order of the facts about them.
    calls: Vec<CallBegun>,
    tally: Tally,
    /// How many bytes of arguments are held, in all channels.
    arguments: usize,
    waiting: Waiting,
    /// How often what was masked in each channel: in these the client's text differs from the upstream's, and what is said
    /// again there counts once.
    masked: BTreeMap<String, BTreeMap<EntityId, u32>>,
    pub(super) seen: Seen,
    /// The channels of `seen`, and whether each is open.
    begun: BTreeMap<String, bool>,
    /// The number of the last event that was made ready, in dialects that count them.
    number: Option<u64>,
    /// How many events there are more than the upstream sent: copies, less those that need not go out.
    more: i64,
    /// What is to be said behind the text, if anything is.
    note: Option<Note>,
    judged: Judged,
    out: Vec<u8>,
    /// Whether the last event was one that a stream may end with.
    may_end: bool,
    ended: bool,
    /// In how many events the model was looked for that answers.
    asked_for_model: u8,
    /// The event that those to come may be like.
    alike: Option<Alike>,
    /// Values that stood for themselves in events and in which nothing was found, latest last: most events repeat them.
    clean: VecDeque<String>,
}

/// One flow of text.
#[derive(Debug)]
struct Channel {
    flow: Flow,
    source: Source,
    growing: Growing,
    /// Arguments so far.
    arguments: String,
    /// Text at the end that may yet become a token.
    unrestored: String,
    /// Whether what goes out next is within an address.
    links: Links,
    /// The last event that carried a piece, to copy for what is left at the end.
    template: Option<Template>,
}

impl Channel {
    /// Whether text of it is held back.
    fn holds(&self) -> bool {
        self.growing.held() > 0 || !self.arguments.is_empty()
    }
}

/// The policy, or the inability to look, ends the stream.
struct Stop;

impl Inspection {
    /// Begins the inspection of a streamed answer; `None` if nothing of this wire streams.
    #[must_use]
    pub fn stream(self) -> Option<StreamInspection> {
        let talk = self.wire.talk()?;
        let mut tally = Tally::default();
        tally.source(Source::Model);
        let facts = self.facts(Direction::Answer, tally.content());
        let decision = decide(&self.rules.policy, &facts);
        let judged = Judged {
            facts,
            decision,
            model: None,
            masked: BTreeMap::new(),
            restored: BTreeMap::new(),
            withheld: Vec::new(),
            label: self.label(None),
            failed: Vec::new(),
            uninspectable: Vec::new(),
            said: Said::default(),
        };
        Some(StreamInspection {
            note: self.note(None).map(Note::new),
            inspection: self,
            talk,
            parser: Parser::new(talk.framing()),
            channels: BTreeMap::new(),
            order: Vec::new(),
            calls: Vec::new(),
            tally,
            arguments: 0,
            waiting: Waiting::default(),
            masked: BTreeMap::new(),
            seen: Seen::default(),
            begun: BTreeMap::new(),
            number: None,
            more: 0,
            judged,
            out: Vec::new(),
            may_end: false,
            ended: false,
            asked_for_model: 0,
            alike: None,
            clean: VecDeque::new(),
        })
    }
}

impl StreamInspection {
    /// What was judged so far.
    #[must_use]
    pub fn judged(&self) -> &Judged {
        &self.judged
    }

    /// Takes bytes of the answer. After a [`Step::End`] nothing more is taken.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Step> {
        if self.ended {
            return Vec::new();
        }
        if self.stops() {
            return self.stop();
        }
        let Ok(items) = self.parser.push(bytes) else {
            return self.unreadable();
        };
        for item in items {
            match item {
                Item::Comment => self.out.extend_from_slice(b":\n\n"),
                Item::Event(event) => match self.event(event) {
                    Ok(false) => {}
                    Ok(true) => return self.end(Ending::Complete),
                    Err(Stop) => return self.stop(),
                },
            }
        }
        let out = std::mem::take(&mut self.out);
        if out.is_empty() {
            Vec::new()
        } else {
            vec![Step::Forward(out)]
        }
    }

    /// The upstream has closed.
    pub fn finish(&mut self) -> Vec<Step> {
        if self.ended {
            return Vec::new();
        }
        // The last piece may have been unreadable behind events that were not.
        match self.parser.finish() {
            // A line that the end cut off is no event.
            Ok(Some(event)) if self.talk.read_event(&event).is_err() => self.may_end = false,
            Ok(Some(event)) => match self.event(event) {
                Ok(false) => {}
                Ok(true) => return self.end(Ending::Complete),
                Err(Stop) => return self.stop(),
            },
            Ok(None) => {}
            Err(SseError::CutOff) => self.may_end = false,
            Err(SseError::TooLarge | SseError::NotUtf8) => return self.unreadable(),
        }
        // Nothing says that the text is at its end.
        self.note = None;
        let everything = EventReading {
            ends: vec![String::new()],
            ..EventReading::default()
        };
        let settled = self.flush(&everything).and_then(|()| self.settle(&everything));
        if settled.and_then(|()| self.release_all()).is_err() {
            return self.stop();
        }
        if self.may_end {
            return self.end(Ending::Complete);
        }
        self.out
            .extend(self.talk.broken_stream("the upstream closed the stream before its end"));
        self.end(Ending::Broken)
    }

    /// Ends the stream. What still waits is lost.
    fn end(&mut self, ending: Ending) -> Vec<Step> {
        self.ended = true;
        self.waiting = Waiting::default();
        vec![Step::End(ending, std::mem::take(&mut self.out))]
    }

    /// Whether the policy keeps back what is known by now.
    fn stops(&self) -> bool {
        self.judged.decision.stops_beyond(&self.inspection.covered)
    }

    /// Ends the stream in the words of its dialect. Nothing that was held goes out.
    fn stop(&mut self) -> Vec<Step> {
        let message = crate::decide::explain::refusal(
            &self.inspection.rules.policy,
            &self.judged.decision,
            &self.inspection.covered,
            &self.inspection.call.record,
        );
        let refusal = crate::wire::Refusal {
            message: &message,
            model: self.inspection.model(),
            record: &self.inspection.call.record,
            at: self.inspection.call.now.as_second(),
        };
        let last = self.talk.stop_stream(&self.seen, &refusal);
        self.out.extend(last);
        self.end(Ending::Stopped)
    }

    /// What came is no event stream of this dialect.
    fn unreadable(&mut self) -> Vec<Step> {
        self.cannot_look("/", "unrecognized");
        if self.stops() {
            return self.stop();
        }
        self.out.extend(
            self.talk
                .broken_stream("the upstream sent something that is not an event stream"),
        );
        self.end(Ending::Broken)
    }

    fn cannot_look(&mut self, pointer: &str, what: &'static str) {
        self.judged.uninspectable.push((pointer.to_owned(), what));
        self.judged.facts.content.uninspectable = true;
        self.judge();
    }

    /// Decides again on all that is known by now.
    fn judge(&mut self) {
        let known = &self.judged.facts.content;
        let mut content = self.tally.content();
        (content.uninspectable, content.failed) = (known.uninspectable, known.failed);
        content.tools.clone_from(&known.tools);
        self.judged.facts.content = content;
        self.judged.decision = decide(&self.inspection.rules.policy, &self.judged.facts);
    }

    /// Takes one event; true when it was the last one.
    fn event(&mut self, event: Event) -> Result<bool, Stop> {
        let Some(reading) = self.read(&event) else {
            self.cannot_look("/", "unrecognized");
            return if self.stops() { Err(Stop) } else { Ok(false) };
        };
        self.measure(&reading);
        self.note_model(&event);
        self.note(&reading)?;
        self.place_note(&event, &reading);
        if let Some(channel) = &reading.vouches_for {
            // Text that is vouched for is whole.
            let ends = EventReading {
                ends: vec![channel.clone()],
                ..EventReading::default()
            };
            self.flush(&ends)?;
            if self.masked.contains_key(channel) {
                return Ok(false);
            }
        }
        self.flush(&reading)?;
        let mut replacements: Vec<(Range<usize>, String)> = Vec::new();
        let mut altered: BTreeSet<&str> = BTreeSet::new();
        let ended = Beginnings::ended(&reading);
        // Without its pieces, some events say nothing.
        let mut says_nothing = reading.only_arguments;
        // A channel that ends here ends with its last piece.
        let pieces = reading.fragments.iter().enumerate();
        let pieces = pieces.filter(|(_, fragment)| fragment.flow.grows() && ended.cover(&fragment.channel));
        let last: BTreeMap<&str, usize> = pieces.map(|(place, one)| (one.channel.as_str(), place)).collect();
        for (place, fragment) in reading.fragments.iter().enumerate() {
            if fragment.flow == Flow::Still {
                self.still(fragment)?;
                continue;
            }
            let ends = last.get(fragment.channel.as_str()) == Some(&place);
            let text = self.fragment(fragment, ends)?;
            if text != fragment.text {
                altered.insert(&fragment.channel);
            }
            let mut text = self.restored(fragment, text, ends)?;
            self.add_note(&fragment.channel, fragment.flow, ends, &mut text);
            says_nothing &= text.is_empty() || !fragment.flow.grows();
            if text != fragment.text {
                replacements.push((fragment.token.clone(), text));
            }
        }
        self.remember(&event, &reading, &replacements);
        self.settle(&reading)?;
        self.may_end = reading.may_end.unwrap_or(self.may_end);
        if says_nothing {
            self.more -= 1;
            self.waiting.next += 1;
            self.keep_alive();
            return Ok(reading.terminal);
        }
        let left_out = self.falsified(&reading, &altered);
        let number = self.number(&event, &reading);
        self.number = number.as_ref().map(|(_, number)| *number).or(self.number);
        let is_last = reading.terminal;
        self.dispatch(Ready {
            event,
            reading,
            texts: replacements,
            left_out,
            number,
            counted_anew: self.more != 0,
        })?;
        Ok(is_last)
    }

    /// What an event says; none if it is no event of this dialect.
    fn read(&mut self, event: &Event) -> Option<EventReading> {
        if let Some(reading) = self.alike.as_ref().and_then(|alike| alike.read(event)) {
            return Some(reading);
        }
        let reading = self.talk.read_event(event).ok()?;
        // An event of another kind in between leaves the one that others are like.
        self.alike = Alike::of(event, &reading).or(self.alike.take());
        Some(reading)
    }

    /// The values of an event that its text, as it goes out, would belie.
    fn falsified(&self, reading: &EventReading, altered: &BTreeSet<&str>) -> Vec<Range<usize>> {
        if reading.falsified.is_empty() {
            return Vec::new();
        }
        let holding = self.channels.iter().filter(|(_, channel)| channel.holds());
        let holding: BTreeSet<&str> = holding.map(|(name, _)| name.as_str()).collect();
        let edited: BTreeSet<&str> = self.masked.keys().map(String::as_str).collect();
        let falsified = reading.falsified.iter().filter(|one| {
            let differs = if one.so_far { &edited } else { altered };
            any_begins(differs, &one.channel) || any_begins(&holding, &one.channel)
        });
        falsified.map(|one| one.value.clone()).collect()
    }

    /// How much was said with this event. What is told again does not count again.
    fn measure(&mut self, reading: &EventReading) {
        let said = &mut self.judged.said;
        said.usage = said.usage.or_more(reading.usage);
        let new = |one: &&Fragment| one.flow.grows() || one.flow == Flow::Whole;
        let new = reading.fragments.iter().filter(new);
        said.bytes += new.map(|one| one.text.len() as u64).sum::<u64>();
    }

    /// Facts that an event states beside its text.
    fn note(&mut self, reading: &EventReading) -> Result<(), Stop> {
        if reading.tools.is_empty() && reading.uninspectable.is_empty() {
            return Ok(());
        }
        let values = self.inspection.kept.tokens.clone();
        for begun in &reading.tools {
            self.begin_call(&meant_call(values.as_deref(), begun));
            if self.judged.facts.content.tools.len() > MOST_CHANNELS {
                self.cannot_look("/", "too-many-tools");
                return Err(Stop);
            }
        }
        for one in &reading.uninspectable {
            self.judged.facts.content.uninspectable = true;
            self.judged.uninspectable.push((one.pointer.clone(), one.what.as_str()));
        }
        self.judge();
        if self.stops() { Err(Stop) } else { Ok(()) }
    }

    /// What goes out in place of a piece of text, whole or growing.
    fn fragment(&mut self, fragment: &Fragment, ends: bool) -> Result<String, Stop> {
        match fragment.flow {
            Flow::Still | Flow::Whole | Flow::Told | Flow::ToldArguments => return self.whole(fragment),
            Flow::Text | Flow::Arguments => {}
        }
        if !self.channels.contains_key(&fragment.channel) {
            if self.order.len() >= MOST_CHANNELS {
                self.cannot_look("/", "too-many-channels");
                return Err(Stop);
            }
            self.order.push(fragment.channel.clone());
            let channel = Channel {
                flow: fragment.flow,
                source: fragment.source,
                growing: self.inspection.rules.scanner.follow(),
                arguments: String::new(),
                unrestored: String::new(),
                links: Links::default(),
                template: None,
            };
            self.channels.insert(fragment.channel.clone(), channel);
            self.tally.source(fragment.source);
        }
        self.grow(&fragment.channel, fragment.flow, &fragment.text, ends)
    }

    /// Adds text to a channel and returns what may go out.
    fn grow(&mut self, name: &str, flow: Flow, more: &str, complete: bool) -> Result<String, Stop> {
        let Some(channel) = self.channels.get_mut(name) else {
            return Ok(String::new());
        };
        let source = channel.source;
        if flow == Flow::Arguments {
            channel.arguments.push_str(more);
            self.arguments += more.len();
            if channel.arguments.len() > MOST_ARGUMENTS || self.arguments > MOST_WAITING {
                self.cannot_look("/arguments", "too-long");
                return Err(Stop);
            }
            if !complete {
                return Ok(String::new());
            }
            let whole = std::mem::take(&mut channel.arguments);
            self.arguments -= whole.len();
            if !whole.is_empty() {
                let values = self.inspection.kept.tokens.clone();
                self.complete_calls(name, &meant(values.as_deref(), &whole));
            }
            return self.arguments(name, &whole, source, Telling::First);
        }
        let release = channel.growing.push(&self.inspection.rules.scanner, more, complete);
        self.count(&release, source);
        if release.overlong {
            self.cannot_look("/", "longer-than-horizon");
            return Err(Stop);
        }
        if self.stops() {
            return Err(Stop);
        }
        let text = masked(&release.text, &release.matches, &self.judged.decision, source);
        if text != release.text {
            self.count_masked(name, &release.matches, source, Telling::First)?;
        }
        Ok(text)
    }

    /// Notes which detectors could not do their work, each once.
    fn note_failures(&mut self, failures: &[DetectorFailure]) {
        self.judged.facts.content.failed |= !failures.is_empty();
        Failed::note(&mut self.judged.failed, failures);
    }

    /// Adds what a release found to the facts, and decides again if there is anything new.
    fn count(&mut self, release: &Release, source: Source) {
        self.note_failures(&release.failures);
        for found in &release.matches {
            self.tally.count(
                &found.entity,
                release.text.get(found.span.clone()).unwrap_or_default(),
                source,
                false,
            );
        }
        if !release.matches.is_empty() || !release.failures.is_empty() {
            self.judge();
        }
    }
}

/// A released text with its matches masked as the decision asks.
fn masked(text: &str, matches: &[Match], decision: &Decision, source: Source) -> String {
    let wanted = matches
        .iter()
        .filter(|found| decision.masks_entity(&found.entity, source));
    content::masked(text, wanted)
}
