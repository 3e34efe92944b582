//! Texts that are whole where they stand: values, arguments, and what is told again after it has grown.

use std::collections::BTreeMap;

use super::{MOST_CHANNELS, Stop, StreamInspection, masked};
use crate::detect::{EntityId, Match};
use crate::inspect::content;
use crate::inspect::tokens::meant;
use crate::verdict::Source;
use crate::wire::reading::read_arguments;
use crate::wire::splice::splice;
use crate::wire::{Flow, Fragment};

/// How many values are known to be clean: as many as an event has that stand for themselves, and some more.
const MOST_CLEAN: usize = 16;

/// Longer values are looked at each time.
const LONGEST_CLEAN: usize = 256;

/// Whether a text is said for the first time, or may be one that was said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    First,
    Again,
}

impl StreamInspection {
    /// Judges a value that stands for itself; what would have to be masked there stops the stream.
    pub(super) fn still(&mut self, fragment: &Fragment) -> Result<(), Stop> {
        // Looking at the same text again finds nothing again.
        if self.clean.contains(&fragment.text) {
            return Ok(());
        }
        let release = self
            .inspection
            .rules
            .scanner
            .follow()
            .push(&self.inspection.rules.scanner, &fragment.text, true);
        if release.matches.is_empty() && release.failures.is_empty() {
            if fragment.text.len() <= LONGEST_CLEAN {
                self.clean.push_back(fragment.text.clone());
                if self.clean.len() > MOST_CLEAN {
                    self.clean.pop_front();
                }
            }
            return Ok(());
        }
        for found in &release.matches {
            let value = release.text.get(found.span.clone()).unwrap_or_default();
            self.tally.count(&found.entity, value, fragment.source, true);
        }
        self.note_failures(&release.failures);
        self.judge();
        if self.stops() { Err(Stop) } else { Ok(()) }
    }

    /// Judges whole tool-call arguments: JSON in a text, or plain text if it is none.
    pub(super) fn arguments(
        &mut self,
        channel: &str,
        whole: &str,
        source: Source,
        telling: Telling,
    ) -> Result<String, Stop> {
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
        if self.stops() {
            return Err(Stop);
        }
        let edits = content::edits(&half.parts, &scan, &self.judged.decision.masks);
        if edits.is_empty() {
            return Ok(whole.to_owned());
        }
        let matches: Vec<Match> = scan.matches.into_iter().map(|(_, found)| found).collect();
        self.count_masked(channel, &matches, source, telling)?;
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

    /// Judges a text that is whole in its event, and returns what may go out.
    pub(super) fn whole(&mut self, fragment: &Fragment) -> Result<String, Stop> {
        let (channel, text, source) = (&fragment.channel, &fragment.text, fragment.source);
        self.tally.source(source);
        match fragment.flow {
            Flow::ToldArguments => {
                if !text.is_empty() {
                    let values = self.inspection.kept.tokens.clone();
                    self.complete_calls(channel, &meant(values.as_deref(), text));
                }
                self.arguments(channel, text, source, Telling::Again)
            }
            Flow::Told => self.plain(channel, text, source, Telling::Again),
            Flow::Text | Flow::Arguments | Flow::Whole | Flow::Still => {
                self.plain(channel, text, source, Telling::First)
            }
        }
    }

    /// Judges a whole text that is no JSON, and returns what may go out.
    fn plain(&mut self, channel: &str, text: &str, source: Source, telling: Telling) -> Result<String, Stop> {
        let scanner = &self.inspection.rules.scanner;
        let release = scanner.follow().push(scanner, text, true);
        self.count(&release, source);
        if self.stops() {
            return Err(Stop);
        }
        self.count_masked(channel, &release.matches, source, telling)?;
        Ok(masked(&release.text, &release.matches, &self.judged.decision, source))
    }

    /// Counts what is masked in a piece of a channel's text, or in the whole of it.
    pub(super) fn count_masked(
        &mut self,
        channel: &str,
        matches: &[Match],
        source: Source,
        telling: Telling,
    ) -> Result<(), Stop> {
        let mut masked: BTreeMap<&EntityId, u32> = BTreeMap::new();
        for found in matches
            .iter()
            .filter(|found| self.judged.decision.masks_entity(&found.entity, source))
        {
            *masked.entry(&found.entity).or_default() += 1;
        }
        if masked.is_empty() {
            return Ok(());
        }
        if self.masked.len() >= MOST_CHANNELS && !self.masked.contains_key(channel) {
            self.cannot_look("/", "too-many-channels");
            return Err(Stop);
        }
        let known = self.masked.entry(channel.to_owned()).or_default();
        for (entity, count) in masked {
            let before = known.entry(entity.clone()).or_default();
            let more = match telling {
                Telling::First => count,
                Telling::Again => count.saturating_sub(*before),
            };
            *before += more;
            *self.judged.masked.entry(entity.clone()).or_default() += more;
        }
        Ok(())
    }
}
