//! The words beside a number that say what it is.

use super::walk::Probe;

/// Whether one of some words stands within [`REACH`] bytes before an offset.
///
/// A word counts in any ASCII case, on its own: `ssn` does not stand in `className`, nor in `SSNs`.
pub(super) fn named(probe: &Probe<'_>, offset: usize, words: &[&str]) -> bool {
    named_within(probe, offset, words, REACH)
}

/// As [`named`], within fewer bytes and with no other number between.
pub(super) fn named_nearest(probe: &Probe<'_>, offset: usize, words: &[&str], reach: usize) -> bool {
    let before = probe.behind(offset, reach);
    let between = before.iter().rev().take_while(|byte| !byte.is_ascii_digit()).count();
    named_within(probe, offset, words, between)
}

/// As [`named`], within fewer bytes.
pub(super) fn named_within(probe: &Probe<'_>, offset: usize, words: &[&str], reach: usize) -> bool {
    let full = probe.behind(offset, reach + 1);
    // The byte before the reach is only there to tell where a word begins.
    let first = usize::from(full.len() > reach);
    (first..full.len()).any(|index| {
        let begins = index
            .checked_sub(1)
            .and_then(|at| full.get(at))
            .is_none_or(|byte| !byte.is_ascii_alphanumeric() || escapes(full, index));
        begins
            && full
                .get(index..)
                .is_some_and(|text| words.iter().any(|word| is_at(text, word.as_bytes())))
    })
}

/// Whether the letter before an index belongs to an escape such as `\n`.
fn escapes(text: &[u8], index: usize) -> bool {
    let before = index.checked_sub(2).and_then(|at| text.get(at..index));
    matches!(before, Some([b'\\', b'n' | b'r' | b't']))
}

fn is_at(text: &[u8], word: &[u8]) -> bool {
    let same = text
        .get(..word.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(word));
    same && text.get(word.len()).is_none_or(|byte| !byte.is_ascii_alphabetic())
}

/// How far before a number the word that names it may begin.
pub(super) const REACH: usize = 40;
