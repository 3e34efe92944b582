//! The answer as it streams: event by event, channel by channel.
//!
//! Text is released as soon as no later text can turn it into a match; tool-call arguments when they are whole. Held text
//! goes out with a later event of its channel, or with a copy of the last one. What an event carries beside that goes out
//! with it, unchanged. Cutting the same bytes differently gives the same bytes; framing the same text in other events
//! gives the same text in every channel (threats A14 to A17).

mod calls;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range};

use super::content::{self, Tally};
use super::request::stops;
use super::{Inspection, Judged};
use crate::decide::{Decision, decide};
use crate::detect::scanner::{Growing, Release};
use crate::detect::{DetectorFailure, Match};
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
    /// Channels in which the client's text differs from the upstream's.
    edited: BTreeSet<String>,
    /// Calls that have begun, in the order of the facts about them.
    calls: Vec<CallBegun>,
    tally: Tally,
    seen: Seen,
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
}

#[derive(Debug, Clone)]
struct Template {
    event: Event,
    token: Range<usize>,
    /// The tokens of the event's other pieces, which the copy leaves empty.
    others: Vec<Range<usize>>,
    /// Values that the copy leaves out.
    left_out: Vec<Range<usize>>,
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
            edited: BTreeSet::new(),
            calls: Vec::new(),
            tally,
            seen: Seen::default(),
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
            if self.edited.contains(channel) {
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
            .filter(|one| {
                let differs = if one.so_far {
                    self.edited(&one.channel)
                } else {
                    altered.iter().any(|channel| channel.starts_with(&one.channel))
                };
                differs || self.holds(&one.channel)
            })
            .map(|one| one.value.clone())
            .collect();
        let event = if replacements.is_empty() && falsified.is_empty() {
            event
        } else {
            Event {
                data: splice_event(&event.data, &replacements, &falsified).map_err(|_| Stop)?,
                event: event.event,
            }
        };
        self.send(&event);
        self.may_end = reading.may_end.unwrap_or(self.may_end);
        self.follow(&event, &reading);
        Ok(reading.terminal)
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
        let own = |name: &str| reading.fragments.iter().any(|fragment| fragment.channel == name);
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
            let data = splice_event(&template.event.data, &replacements, &template.left_out).map_err(|_| Stop)?;
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
            Flow::Whole => {
                self.tally.source(fragment.source);
                let text = self.whole(&fragment.text, fragment.source)?;
                self.mark_edited(&fragment.channel, text != fragment.text)?;
                return Ok(text);
            }
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
            let text = self.arguments(&whole, source)?;
            self.mark_edited(name, text != whole)?;
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
            self.count_masked(&release.matches, source);
            self.mark_edited(name, true)?;
        }
        Ok(text)
    }

    fn mark_edited(&mut self, name: &str, edited: bool) -> Result<(), Stop> {
        if edited && !self.edited.contains(name) {
            if self.edited.len() >= MOST_CHANNELS {
                self.cannot_look("/", "too-many-channels");
                return Err(Stop);
            }
            self.edited.insert(name.to_owned());
        }
        Ok(())
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

    fn count_masked(&mut self, matches: &[Match], source: Source) {
        for found in matches
            .iter()
            .filter(|found| self.judged.decision.masks_entity(&found.entity, source))
        {
            *self.judged.masked.entry(found.entity.clone()).or_default() += 1;
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
    fn arguments(&mut self, whole: &str, source: Source) -> Result<String, Stop> {
        if whole.is_empty() {
            return Ok(String::new());
        }
        let Ok(half) = read_arguments(whole, "/arguments", source) else {
            return self.plain_arguments(whole, source);
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
        self.count_masked(&matches, source);
        let bytes = splice(whole.as_bytes(), &half, &edits, &[]).map_err(|_| Stop)?;
        String::from_utf8(bytes).map_err(|_| Stop)
    }

    /// Judges arguments that are no JSON as the text that they are. With escapes in it, nobody can say what they mean.
    fn plain_arguments(&mut self, whole: &str, source: Source) -> Result<String, Stop> {
        if whole.contains('\\') {
            self.cannot_look("/arguments", "unrecognized");
        }
        self.whole(whole, source)
    }

    /// Judges a text to which nothing is added, and returns what may go out.
    fn whole(&mut self, text: &str, source: Source) -> Result<String, Stop> {
        let scanner = &self.inspection.rules.scanner;
        let release = scanner.follow().push(scanner, text, true);
        self.count(&release, source);
        if stops(&self.judged.decision) {
            return Err(Stop);
        }
        self.count_masked(&release.matches, source);
        Ok(masked(&release.text, &release.matches, &self.judged.decision, source))
    }

    /// Keeps the event as the shape of what may have to be sent for the channel later.
    fn remember(&mut self, event: &Event, reading: &EventReading, fragment: &Fragment) {
        let Some(channel) = self.channels.get_mut(&fragment.channel) else {
            return;
        };
        if !grows(fragment) || !channel.holds() {
            return;
        }
        let falsified = reading.falsified.iter().map(|one| &one.value);
        let others = reading
            .fragments
            .iter()
            .filter(|other| grows(other) && other.token != fragment.token);
        channel.template = Some(Template {
            event: event.clone(),
            token: fragment.token.clone(),
            others: others.map(|other| other.token.clone()).collect(),
            left_out: falsified.chain(&reading.once).cloned().collect(),
        });
    }

    /// Whether text of some channel of a group is held back.
    fn holds(&self, group: &str) -> bool {
        self.channels
            .iter()
            .any(|(name, channel)| name.starts_with(group) && channel.holds())
    }

    /// Whether the client's text of some channel of a group differs from the upstream's.
    fn edited(&self, group: &str) -> bool {
        let mut following = self.edited.range::<str, _>((Bound::Included(group), Bound::Unbounded));
        following.next().is_some_and(|name| name.starts_with(group))
    }

    /// Keeps track of what the client has seen.
    fn follow(&mut self, event: &Event, reading: &EventReading) {
        self.seen.begun = true;
        for fragment in &reading.fragments {
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

/// Whether a piece belongs to a text that grows.
const fn grows(fragment: &Fragment) -> bool {
    matches!(fragment.flow, Flow::Text | Flow::Arguments)
}

/// A released text with its matches masked as the decision asks.
fn masked(text: &str, matches: &[Match], decision: &Decision, source: Source) -> String {
    let wanted = matches
        .iter()
        .filter(|found| decision.masks_entity(&found.entity, source));
    content::masked(text, wanted)
}
