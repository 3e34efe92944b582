//! Values in place of their tokens, as the text grows.
//!
//! What may yet become a token is held back, which is never more than the longest one; arguments are whole already. It comes
//! after masks, so what is masked is masked first.

use std::ops::Range;

use super::{Stop, StreamInspection};
use crate::inspect::tokens::{Links, Token};
use crate::verdict::Source;
use crate::wire::reading::read_arguments;
use crate::wire::splice::splice;
use crate::wire::{Flow, Fragment};

impl StreamInspection {
    /// Puts values into what is to go out of a fragment.
    pub(super) fn restored(&mut self, fragment: &Fragment, text: String, ends: bool) -> Result<String, Stop> {
        if self.inspection.kept.tokens.is_none() {
            return Ok(text);
        }
        match fragment.flow {
            Flow::Still => Ok(text),
            Flow::Text | Flow::Arguments => self.restored_rest(&fragment.channel, text, ends),
            Flow::Whole | Flow::Told => self.restored_whole(text, fragment.source, fragment.flow == Flow::Whole),
            Flow::ToldArguments => self.restored_arguments(text, fragment.source, false),
        }
    }

    /// Puts values into what is to go out of a growing channel.
    pub(super) fn restored_rest(&mut self, name: &str, text: String, ends: bool) -> Result<String, Stop> {
        let Some(tokens) = self.inspection.kept.tokens.clone() else {
            return Ok(text);
        };
        let Some(channel) = self.channels.get_mut(name) else {
            return Ok(text);
        };
        let source = channel.source;
        if channel.flow == Flow::Arguments {
            return self.restored_arguments(text, source, true);
        }
        let mut text = std::mem::take(&mut channel.unrestored) + &text;
        let (found, settled) = tokens.find(&text, ends, &mut channel.links);
        channel.unrestored = text.split_off(settled);
        self.put_back(text, found, source, true)
    }

    /// Puts values into a text that is whole.
    fn restored_whole(&mut self, text: String, source: Source, counts: bool) -> Result<String, Stop> {
        let Some(tokens) = self.inspection.kept.tokens.clone() else {
            return Ok(text);
        };
        let (found, _) = tokens.find(&text, true, &mut Links::default());
        self.put_back(text, found, source, counts)
    }

    /// Puts values in place of the tokens that were found in a text.
    fn put_back(
        &mut self,
        text: String,
        found: Vec<(Range<usize>, &Token)>,
        source: Source,
        counts: bool,
    ) -> Result<String, Stop> {
        if found.is_empty() {
            return Ok(text);
        }
        self.admit(found.iter().map(|(_, token)| *token), source)?;
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for (range, token) in found {
            if token.is_kept(&self.judged.decision, source) {
                continue;
            }
            out.push_str(text.get(from..range.start).unwrap_or_default());
            out.push_str(&token.written(self.inspection.kept.exact));
            from = range.end;
            if counts {
                *self.judged.restored.entry(token.entity.clone()).or_default() += 1;
            }
        }
        out.push_str(text.get(from..).unwrap_or_default());
        Ok(out)
    }

    /// Puts values into whole arguments: JSON in a text, or a plain text.
    fn restored_arguments(&mut self, text: String, source: Source, counts: bool) -> Result<String, Stop> {
        let Some(tokens) = self.inspection.kept.tokens.clone().filter(|_| !text.is_empty()) else {
            return Ok(text);
        };
        let Ok(half) = read_arguments(&text, "/arguments", source) else {
            return self.restored_whole(text, source, counts);
        };
        let found = tokens.in_parts(&half.parts);
        self.admit(found.into_iter().map(|(_, _, token)| token), source)?;
        let (edits, entities) = tokens.put_back(&half.parts, &self.judged.decision, false);
        if edits.is_empty() {
            return Ok(text);
        }
        let bytes = splice(text.as_bytes(), &half, &edits, &[]).map_err(|_| Stop)?;
        for entity in entities.into_iter().filter(|_| counts) {
            *self.judged.restored.entry(entity).or_default() += 1;
        }
        String::from_utf8(bytes).map_err(|_| Stop)
    }

    /// Judges what tokens stand for, as part of the answer.
    fn admit<'t>(&mut self, found: impl Iterator<Item = &'t Token>, source: Source) -> Result<(), Stop> {
        found.for_each(|token| token.count(source, &mut self.tally));
        self.judge();
        if self.stops() { Err(Stop) } else { Ok(()) }
    }
}
