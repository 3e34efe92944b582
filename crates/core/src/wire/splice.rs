//! Edits, put into the very bytes that were inspected.
//!
//! Nothing is parsed and written again: an edit changes the bytes of its token and no others, so what was judged is what
//! is sent. Read [`splice`] first.

use std::collections::BTreeMap;
use std::ops::Range;

use super::json::text::{Cursor, escape, quote};
use crate::exchange::{Edit, Half, Part, Place};

/// Why edits cannot be put in. Whoever asked for them must not send the bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// There is no such part.
    #[error("there is no part {0}")]
    NoPart(usize),
    /// The part cannot be changed without changing what the body means.
    #[error("the text at `{0}` cannot be edited")]
    Fixed(String),
    /// The range is not one of the part's text.
    #[error("an edit at `{0}` does not lie on the text")]
    Range(String),
    /// Two edits change the same text.
    #[error("edits overlap at byte {0}")]
    Overlap(usize),
    /// The half was not read from these bytes.
    #[error("the text at `{0}` is not where it was read")]
    Place(String),
}

/// Puts `edits` into `body`, from which `half` was read, and `null` in place of each range of `null`. Edits within such a
/// range are dropped. Everything else stays as it is, byte for byte.
///
/// # Errors
///
/// [`SpliceError`] if an edit cannot be placed, with nothing changed.
pub fn splice(body: &[u8], half: &Half, edits: &[Edit], null: &[Range<usize>]) -> Result<Vec<u8>, SpliceError> {
    let mut outer: BTreeMap<usize, Vec<Change>> = BTreeMap::new();
    let mut inner: BTreeMap<usize, Vec<Change>> = BTreeMap::new();
    for edit in edits {
        let part = half.parts.get(edit.part).ok_or(SpliceError::NoPart(edit.part))?;
        if part.fixed.is_some() || part.inner {
            return Err(SpliceError::Fixed(part.pointer.clone()));
        }
        if part.text.get(edit.range.clone()).is_none() {
            return Err(SpliceError::Range(part.pointer.clone()));
        }
        let by_part = if matches!(part.place, Place::Within { .. }) {
            &mut inner
        } else {
            &mut outer
        };
        by_part
            .entry(edit.part)
            .or_default()
            .push((edit.range.clone(), edit.replacement.clone()));
    }
    // An edit of inner text is an edit of the text around it, whose replacement is escaped once already.
    for (index, changes) in inner {
        let part = half.parts.get(index).ok_or(SpliceError::NoPart(index))?;
        let Place::Within { outer: around, token } = &part.place else {
            continue;
        };
        let around_part = half.parts.get(*around).ok_or(SpliceError::NoPart(*around))?;
        let raw = around_part
            .text
            .get(token.clone())
            .ok_or_else(|| SpliceError::Place(part.pointer.clone()))?;
        let moved = token_changes(part, raw, token.start, changes)?;
        outer.entry(*around).or_default().extend(moved);
    }
    let mut changes = Vec::new();
    for (index, of_part) in outer {
        let part = half.parts.get(index).ok_or(SpliceError::NoPart(index))?;
        let lost = || SpliceError::Place(part.pointer.clone());
        let Place::Body(token) = &part.place else {
            return Err(lost());
        };
        let raw = body
            .get(token.clone())
            .and_then(|raw| str::from_utf8(raw).ok())
            .ok_or_else(lost)?;
        changes.extend(token_changes(part, raw, token.start, of_part)?);
    }
    replace(body, changes, null)
}

/// Puts new texts in place of whole JSON tokens of an event's data, `null` in place of each range of `null`, and a number in
/// place of the event's own.
///
/// # Errors
///
/// [`SpliceError`] if a token cannot be placed.
pub fn splice_event(
    data: &str,
    replacements: &[(Range<usize>, String)],
    null: &[Range<usize>],
    number: Option<(Range<usize>, u64)>,
) -> Result<String, SpliceError> {
    let texts = replacements.iter().map(|(token, text)| (token.clone(), quote(text)));
    let number = number.map(|(token, number)| (token, number.to_string()));
    let bytes = replace(data.as_bytes(), texts.chain(number).collect(), null)?;
    String::from_utf8(bytes).map_err(|error| SpliceError::Overlap(error.utf8_error().valid_up_to()))
}

/// What is to stand in place of a byte range.
type Change = (Range<usize>, String);

/// Turns changes of a part's text into changes of the bytes around it: `raw` is the part's token and stands at `start`.
fn token_changes(part: &Part, raw: &str, start: usize, mut changes: Vec<Change>) -> Result<Vec<Change>, SpliceError> {
    sort(&mut changes)?;
    if !raw.starts_with('"') {
        // A number, whose text may be longer than its token: it becomes a string as a whole.
        let text = replace(part.text.as_bytes(), changes, &[])?;
        let text = String::from_utf8(text).map_err(|_| SpliceError::Range(part.pointer.clone()))?;
        return Ok(vec![(start..start + raw.len(), quote(&text))]);
    }
    let mut cursor = Cursor::new(raw);
    let mut place = |target| {
        cursor
            .advance(target)
            .ok_or_else(|| SpliceError::Place(part.pointer.clone()))
    };
    changes
        .into_iter()
        .map(|(range, text)| Ok((start + place(range.start)?..start + place(range.end)?, escape(&text))))
        .collect()
}

/// Orders changes by place.
fn sort(changes: &mut [Change]) -> Result<(), SpliceError> {
    changes.sort_by_key(|(range, _)| (range.start, range.end));
    match changes.array_windows().find(|[one, two]| two.0.start < one.0.end) {
        Some([_, two]) => Err(SpliceError::Overlap(two.0.start)),
        None => Ok(()),
    }
}

fn replace(bytes: &[u8], mut changes: Vec<Change>, null: &[Range<usize>]) -> Result<Vec<u8>, SpliceError> {
    if !null.is_empty() {
        let mut null: Vec<&Range<usize>> = null.iter().collect();
        // Outer ranges first, so that inner ones are seen to be covered.
        null.sort_by_key(|range| (range.start, usize::MAX - range.end));
        let mut kept: Vec<Range<usize>> = Vec::with_capacity(null.len());
        for range in null {
            if kept.last().is_none_or(|last| range.end > last.end) {
                kept.push(range.clone());
            }
        }
        changes.retain(|(range, _)| {
            let before = kept.partition_point(|covering| covering.start <= range.start);
            before
                .checked_sub(1)
                .and_then(|at| kept.get(at))
                .is_none_or(|covering| range.end > covering.end)
        });
        changes.extend(kept.into_iter().map(|range| (range, "null".to_owned())));
    }
    sort(&mut changes)?;
    let mut out = Vec::with_capacity(bytes.len() + changes.iter().map(|(_, text)| text.len()).sum::<usize>());
    let mut done = 0;
    for (range, text) in changes {
        let beyond = SpliceError::Overlap(range.start);
        if range.end < range.start || range.end > bytes.len() {
            return Err(beyond);
        }
        out.extend_from_slice(bytes.get(done..range.start).ok_or(beyond)?);
        out.extend_from_slice(text.as_bytes());
        done = range.end;
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
    Ok(out)
}

#[cfg(test)]
mod tests;
