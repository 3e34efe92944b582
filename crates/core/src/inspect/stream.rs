//! The answer as it streams: event by event, channel by channel.
//!
//! Text is released as soon as no later text can turn it into a match; tool-call arguments when they are whole. Held text
//! goes out with a later event of its channel, or with a copy of the last one. A text that is whole in an event is judged
//! there for itself, even if it only says again what has grown before: nobody knows which of the two a client goes by. What
//! an event carries beside that goes out with it, unchanged; events that are numbered count on over the copies. Cutting the same bytes differently gives the same bytes; framing the same text in other events
//! gives the same text in every channel (threats A14 to A17).

mod calls;

use std::collections::BTreeMap;
use std::ops::Range;

use super::content::{self, Tally};
use super::request::stops;
use super::{Inspection, Judged};
use crate::decide::{Decision, decide};
use crate::detect::scanner::{Growing, Release};
use crate::detect::{DetectorFailure, EntityId, Match};
use crate::verdict::{Direction, Source};
use crate::wire::framing::Parser;
use crate::wire::reading::read_arguments;
use crate::wire::splice::{splice, splice_event};
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
    /// How often what was masked in each channel, so that a text that is said again counts once.
    masked: BTreeMap<String, BTreeMap<EntityId, u32>>,
    seen: Seen,
    /// How many events went out that the upstream did not send.
    copies: u64,
    judged: Judged,
    out: Vec<u8>,
    /// Whether the last event was one that a stream may end with.
    may_end: bool,
    ended: bool,
}

/// One flow of text.
#[derive(Debug)]
struct Channel {
    flow: Flow,
    source: Source,
    growing: Growing,
    /// Arguments so far.
    arguments: String,
    /// The last event that carried a piece, to copy for what is left at the end.
    template: Option<Template>,
    /// Whether the client's text differs from the upstream's.
    edited: bool,
}

#[derive(Debug, Clone)]
struct Template {
    event: Event,
    token: Range<usize>,
    /// The tokens of the event's other pieces, which the copy leaves empty.
    others: Vec<Range<usize>>,
    /// Values that the copy leaves out.
    falsified: Vec<Range<usize>>,
    /// The event's number.
    number: Option<Range<usize>>,
}

impl Channel {
    /// Whether text of it is held back.
    fn holds(&self) -> bool {
        self.growing.held() > 0 || !self.arguments.is_empty()
    }
}

/// The policy, or the inability to look, ends the stream.
struct Stop;

/// Whether a text is said for the first time, or may be one that was said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    First,
    Again,
}

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
            masked: BTreeMap::new(),
            failed: Vec::new(),
            uninspectable: Vec::new(),
        };
        Some(StreamInspection {
            inspection: self,
            talk,
            parser: Parser::new(talk.framing()),
            channels: BTreeMap::new(),
            order: Vec::new(),
            calls: Vec::new(),
            tally,
            masked: BTreeMap::new(),
            seen: Seen::default(),
            copies: 0,
            judged,
            out: Vec::new(),
            may_end: false,
            ended: false,
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
        if stops(&self.judged.decision) {
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
            Ok(Some(event)) => match self.event(event) {
                Ok(false) => {}
                Ok(true) => return self.end(Ending::Complete),
                Err(Stop) => return self.stop(),
            },
            Ok(None) => {}
            Err(SseError::CutOff) => self.may_end = false,
            Err(SseError::TooLarge | SseError::NotUtf8) => return self.unreadable(),
        }
        let everything = EventReading {
            ends: vec![String::new()],
            ..EventReading::default()
        };
        if self.flush(&everything).and_then(|()| self.settle(&everything)).is_err() {
            return self.stop();
        }
        if self.may_end {
            return self.end(Ending::Complete);
        }
        self.out
            .extend(self.talk.broken_stream("the upstream closed the stream before its end"));
        self.end(Ending::Broken)
    }

    fn end(&mut self, ending: Ending) -> Vec<Step> {
        self.ended = true;
        vec![Step::End(ending, std::mem::take(&mut self.out))]
    }

    /// Ends the stream in the words of its dialect. Nothing that was held goes out.
    fn stop(&mut self) -> Vec<Step> {
        let message = crate::decide::explain::refusal(
            &self.inspection.rules.policy,
            &self.judged.decision,
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
        if stops(&self.judged.decision) {
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
        let Ok(reading) = self.talk.read_event(&event) else {
            self.cannot_look("/", "unrecognized");
            return if stops(&self.judged.decision) {
                Err(Stop)
            } else {
                Ok(false)
            };
        };
        self.note(&reading)?;
        if let Some(channel) = &reading.vouches_for {
            // Text that is vouched for is whole.
            let ends = EventReading {
                ends: vec![channel.clone()],
                ..EventReading::default()
            };
            self.flush(&ends)?;
            if self.channels.get(channel).is_some_and(|channel| channel.edited) {
                return Ok(false);
            }
        }
        self.flush(&reading)?;
        let mut replacements: Vec<(Range<usize>, String)> = Vec::new();
        let mut altered: Vec<&str> = Vec::new();
        for fragment in &reading.fragments {
            let ends = reading
                .ends
                .iter()
                .any(|end| fragment.channel.starts_with(end.as_str()))
                || reading.terminal;
            let text = self.fragment(fragment, ends)?;
            if text != fragment.text {
                altered.push(&fragment.channel);
                replacements.push((fragment.token.clone(), text));
            }
            self.remember(&event, &reading, fragment);
        }
        self.settle(&reading)?;
        let falsified: Vec<Range<usize>> = reading
            .falsified
            .iter()
            .filter(|one| altered.iter().any(|channel| channel.starts_with(&one.channel)) || self.holds(&one.channel))
            .chain(reading.repeats.iter().filter(|one| self.differs(&one.channel)))
            .map(|one| one.value.clone())
            .collect();
        let number = self.number(&event, &reading);
        self.seen.number = number.as_ref().map(|(_, number)| *number).or(self.seen.number);
        let number = number.filter(|_| self.copies > 0);
        let event = if replacements.is_empty() && falsified.is_empty() && number.is_none() {
            event
        } else {
            Event {
                data: splice_event(&event.data, &replacements, &falsified, number).map_err(|_| Stop)?,
                event: event.event,
            }
        };
        self.send(&event);
        self.may_end = reading.may_end;
        self.follow(&event, &reading);
        Ok(reading.terminal)
    }

    /// The number with which an event goes out, and where it stands: the upstream's, counted on over what was sent beside.
    fn number(&self, event: &Event, reading: &EventReading) -> Option<(Range<usize>, u64)> {
        let token = reading.number.clone()?;
        let number: u64 = event.data.get(token.clone())?.parse().ok()?;
        Some((token, number.checked_add(self.copies)?))
    }

    fn send(&mut self, event: &Event) {
        self.out.extend(self.talk.framing().encode(event));
    }

    /// Facts that an event states beside its text.
    fn note(&mut self, reading: &EventReading) -> Result<(), Stop> {
        if reading.tools.is_empty() && reading.uninspectable.is_empty() {
            return Ok(());
        }
        for begun in &reading.tools {
            self.begin_call(begun);
        }
        if self.judged.facts.content.tools.len() > MOST_CHANNELS {
            self.cannot_look("/", "too-many-tools");
            return Err(Stop);
        }
        for one in &reading.uninspectable {
            self.judged.facts.content.uninspectable = true;
            self.judged.uninspectable.push((one.pointer.clone(), one.what.as_str()));
        }
        self.judge();
        if stops(&self.judged.decision) {
            Err(Stop)
        } else {
            Ok(())
        }
    }

    /// Sends what is held for channels that end without a piece of their own in this event.
    fn flush(&mut self, reading: &EventReading) -> Result<(), Stop> {
        let ending = |name: &str| reading.terminal || reading.ends.iter().any(|end| name.starts_with(end.as_str()));
        let own = |name: &str| {
            let mut growing = reading.fragments.iter().filter(|fragment| fragment.flow.grows());
            growing.any(|fragment| fragment.channel == name)
        };
        let names: Vec<String> = self
            .order
            .iter()
            .filter(|name| ending(name) && !own(name))
            .cloned()
            .collect();
        for name in names {
            let Some(template) = self.channels.get(&name).and_then(|channel| channel.template.clone()) else {
                continue;
            };
            let flow = self.channels.get(&name).map_or(Flow::Still, |channel| channel.flow);
            let rest = self.grow(&name, flow, "", true)?;
            if rest.is_empty() {
                continue;
            }
            let mut replacements = vec![(template.token.clone(), rest)];
            replacements.extend(template.others.into_iter().map(|token| (token, String::new())));
            let number = template
                .number
                .zip(self.seen.number.and_then(|last| last.checked_add(1)));
            self.seen.number = number.as_ref().map(|(_, number)| *number).or(self.seen.number);
            self.copies += 1;
            let data =
                splice_event(&template.event.data, &replacements, &template.falsified, number).map_err(|_| Stop)?;
            self.send(&Event {
                data,
                event: template.event.event,
            });
        }
        Ok(())
    }

    /// What goes out in place of a piece of text.
    fn fragment(&mut self, fragment: &Fragment, ends: bool) -> Result<String, Stop> {
        match fragment.flow {
            Flow::Still => {
                self.still(fragment)?;
                return Ok(fragment.text.clone());
            }
            Flow::Whole | Flow::WholeArguments => return self.whole(fragment),
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
                template: None,
                edited: false,
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
            if channel.arguments.len() > MOST_ARGUMENTS {
                self.cannot_look("/arguments", "too-long");
                return Err(Stop);
            }
            if !complete {
                return Ok(String::new());
            }
            let whole = std::mem::take(&mut channel.arguments);
            if !whole.is_empty() {
                self.complete_calls(name, &whole);
            }
            let text = self.arguments(name, &whole, source, Telling::First)?;
            self.mark_edited(name, text != whole);
            return Ok(text);
        }
        let release = channel.growing.push(&self.inspection.rules.scanner, more, complete);
        self.count(&release, source);
        if release.overlong {
            self.cannot_look("/", "longer-than-horizon");
            return Err(Stop);
        }
        if stops(&self.judged.decision) {
            return Err(Stop);
        }
        let text = masked(&release.text, &release.matches, &self.judged.decision, source);
        if text != release.text {
            self.count_masked(name, &release.matches, source, Telling::First);
            self.mark_edited(name, true);
        }
        Ok(text)
    }

    /// Judges a text that is whole in its event, and returns what may go out.
    fn whole(&mut self, fragment: &Fragment) -> Result<String, Stop> {
        let Fragment {
            channel, text, source, ..
        } = fragment;
        self.tally.source(*source);
        let edited = if fragment.flow == Flow::WholeArguments {
            if !text.is_empty() {
                self.complete_calls(channel, text);
            }
            self.arguments(channel, text, *source, Telling::Again)?
        } else {
            self.plain(channel, text, *source, Telling::Again)?
        };
        self.mark_edited(channel, edited != *text);
        Ok(edited)
    }

    /// Judges a whole text that is no JSON, and returns what may go out.
    fn plain(&mut self, channel: &str, text: &str, source: Source, telling: Telling) -> Result<String, Stop> {
        let scanner = &self.inspection.rules.scanner;
        let release = scanner.follow().push(scanner, text, true);
        self.count(&release, source);
        if stops(&self.judged.decision) {
            return Err(Stop);
        }
        self.count_masked(channel, &release.matches, source, telling);
        Ok(masked(&release.text, &release.matches, &self.judged.decision, source))
    }

    fn mark_edited(&mut self, name: &str, edited: bool) {
        if let Some(channel) = self.channels.get_mut(name) {
            channel.edited |= edited;
        }
    }

    /// Notes which detectors could not do their work, each once.
    fn note_failures(&mut self, failures: &[DetectorFailure]) {
        for failure in failures {
            self.judged.facts.content.failed = true;
            if !self.judged.failed.contains(&failure.detector) {
                self.judged.failed.push(failure.detector.clone());
            }
        }
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

    /// Counts what is masked in a piece of a channel's text, or in the whole of it.
    fn count_masked(&mut self, channel: &str, matches: &[Match], source: Source, telling: Telling) {
        let mut masked: BTreeMap<&EntityId, u32> = BTreeMap::new();
        for found in matches
            .iter()
            .filter(|found| self.judged.decision.masks_entity(&found.entity, source))
        {
            *masked.entry(&found.entity).or_default() += 1;
        }
        if masked.is_empty() {
            return;
        }
        let remembers = self.masked.len() < MOST_CHANNELS || self.masked.contains_key(channel);
        let mut forgotten = BTreeMap::new();
        let known = if remembers {
            self.masked.entry(channel.to_owned()).or_default()
        } else {
            &mut forgotten
        };
        for (entity, count) in masked {
            let before = known.entry(entity.clone()).or_default();
            let more = match telling {
                Telling::First => count,
                Telling::Again => count.saturating_sub(*before),
            };
            *before += more;
            *self.judged.masked.entry(entity.clone()).or_default() += more;
        }
    }

    /// Judges a value that stands for itself; what would have to be masked there stops the stream.
    fn still(&mut self, fragment: &Fragment) -> Result<(), Stop> {
        let release = self
            .inspection
            .rules
            .scanner
            .follow()
            .push(&self.inspection.rules.scanner, &fragment.text, true);
        if release.matches.is_empty() && release.failures.is_empty() {
            return Ok(());
        }
        for found in &release.matches {
            let value = release.text.get(found.span.clone()).unwrap_or_default();
            self.tally.count(&found.entity, value, fragment.source, true);
        }
        self.note_failures(&release.failures);
        self.judge();
        if stops(&self.judged.decision) {
            Err(Stop)
        } else {
            Ok(())
        }
    }

    /// Judges whole tool-call arguments: JSON in a text, or plain text if it is none.
    fn arguments(&mut self, channel: &str, whole: &str, source: Source, telling: Telling) -> Result<String, Stop> {
        if whole.is_empty() {
            return Ok(String::new());
        }
        let Ok(half) = read_arguments(whole, "/arguments", source) else {
            return self.plain_arguments(channel, whole, source, telling);
        };
        let scan = self.inspection.rules.scanner.scan(&half.parts);
        for (index, found) in &scan.matches {
            if let Some(part) = half.parts.get(*index) {
                let value = part.text.get(found.span.clone()).unwrap_or_default();
                self.tally.count(&found.entity, value, source, part.fixed.is_some());
            }
        }
        for one in &half.uninspectable {
            self.judged.facts.content.uninspectable = true;
            self.judged.uninspectable.push((one.pointer.clone(), one.what.as_str()));
        }
        self.note_failures(&scan.failures);
        self.judge();
        if stops(&self.judged.decision) {
            return Err(Stop);
        }
        let edits = content::edits(&half.parts, &scan, &self.judged.decision.masks);
        if edits.is_empty() {
            return Ok(whole.to_owned());
        }
        let matches: Vec<Match> = scan.matches.into_iter().map(|(_, found)| found).collect();
        self.count_masked(channel, &matches, source, telling);
        let bytes = splice(whole.as_bytes(), &half, &edits, &[]).map_err(|_| Stop)?;
        String::from_utf8(bytes).map_err(|_| Stop)
    }

    /// Judges arguments that are no JSON as the text that they are. With escapes in it, nobody can say what they mean; but
    /// what a custom tool takes is free text by contract, in which a backslash means nothing.
    fn plain_arguments(
        &mut self,
        channel: &str,
        whole: &str,
        source: Source,
        telling: Telling,
    ) -> Result<String, Stop> {
        if whole.contains('\\') && channel.ends_with("arguments") {
            self.cannot_look("/arguments", "unrecognized");
        }
        self.plain(channel, whole, source, telling)
    }

    /// Keeps the event as the shape of what may have to be sent for the channel later.
    fn remember(&mut self, event: &Event, reading: &EventReading, fragment: &Fragment) {
        let Some(channel) = self.channels.get_mut(&fragment.channel) else {
            return;
        };
        if !fragment.flow.grows() || !channel.holds() {
            return;
        }
        if let Some(carrier) = reading.carriers.iter().find(|one| one.channel == fragment.channel) {
            channel.template = Some(Template {
                event: carrier.event.clone(),
                token: carrier.token.clone(),
                others: Vec::new(),
                falsified: Vec::new(),
                number: carrier.number.clone(),
            });
            return;
        }
        let others = reading
            .fragments
            .iter()
            .filter(|other| other.flow != Flow::Still && other.token != fragment.token);
        let falsified = reading.falsified.iter().chain(&reading.repeats);
        channel.template = Some(Template {
            event: event.clone(),
            token: fragment.token.clone(),
            others: others.map(|other| other.token.clone()).collect(),
            falsified: falsified.map(|one| one.value.clone()).collect(),
            number: reading.number.clone(),
        });
    }

    /// Whether the client's text of some channel of a group is not, or not yet, the upstream's.
    fn differs(&self, group: &str) -> bool {
        let mut channels = self.channels.iter().filter(|(name, _)| name.starts_with(group));
        channels.any(|(_, channel)| channel.edited || channel.holds())
    }

    /// Whether text of some channel of a group is held back.
    fn holds(&self, group: &str) -> bool {
        self.channels
            .iter()
            .any(|(name, channel)| name.starts_with(group) && channel.holds())
    }

    /// Keeps track of what the client has seen.
    fn follow(&mut self, event: &Event, reading: &EventReading) {
        self.seen.begun = true;
        self.seen.first.get_or_insert_with(|| event.data.clone());
        // What is whole leaves nothing open, and there may be much of it.
        let unfinished = |fragment: &&Fragment| fragment.flow.grows() || fragment.flow == Flow::Still;
        for fragment in reading.fragments.iter().filter(unfinished) {
            for list in [&mut self.seen.open, &mut self.seen.channels] {
                if !list.contains(&fragment.channel) {
                    list.push(fragment.channel.clone());
                }
            }
        }
        self.seen
            .open
            .retain(|name| !reading.ends.iter().any(|end| name.starts_with(end.as_str())));
        if !reading.terminal {
            self.seen.last = Some(event.data.clone());
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
