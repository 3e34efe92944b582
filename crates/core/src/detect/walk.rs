//! How the fixed detectors walk a text so that chunking cannot change what they find.
//!
//! A detector names the places where a match could start (`next`), judges one of them (`judge`) and says from where the
//! end of an open text could still grow into such a place (`open`). [`walk`] does the rest. The judge reads through a
//! [`Probe`], which notices every look past the end of the text: a judgement that looked there is not final while more
//! text may follow, any other one is. The judge may look back at most [`CONTEXT`](super::CONTEXT) bytes.

use std::cell::Cell;

use memchr::memmem::Finder;

use super::{EntityId, Match, Window};

/// Walks the candidates of a window from left to right and returns the settled offset.
///
/// INVARIANT: the only state is the position, and the position is what a later call begins at. So a run over pieces
/// makes the same steps as one over the whole text, as long as `next` needs nothing but the bytes before its answer's
/// anchor and `open` never answers beyond a start that further text could make a candidate.
pub(super) fn walk<'t>(
    window: Window<'t>,
    entity: &str,
    matches: &mut Vec<Match>,
    mut next: impl FnMut(&'t [u8], usize) -> Option<usize>,
    judge: impl Fn(&Probe<'t>, usize) -> Option<usize>,
    open: impl Fn(&'t [u8], usize) -> usize,
) -> usize {
    let bytes = window.text.as_bytes();
    let probe = Probe::new(bytes);
    let mut position = window.from;
    while let Some(start) = next(bytes, position) {
        probe.forget();
        let end = judge(&probe, start);
        if probe.starved() && !window.complete {
            return start;
        }
        // Every candidate starts with an ASCII byte, so the offset after it is a character boundary.
        position = end.unwrap_or(start + 1);
        if let Some(end) = end {
            matches.push(Match {
                entity: EntityId::from(entity),
                span: start..end,
            });
        }
    }
    if window.complete {
        bytes.len()
    } else {
        open(bytes, position).max(position)
    }
}

/// The bytes of a window, read with a memory of having looked past their end.
#[derive(Debug)]
pub(super) struct Probe<'t> {
    bytes: &'t [u8],
    starved: Cell<bool>,
}

impl<'t> Probe<'t> {
    pub(super) const fn new(bytes: &'t [u8]) -> Self {
        Self {
            bytes,
            starved: Cell::new(false),
        }
    }

    /// Whether something past the end was looked for since the last [`Self::forget`].
    pub(super) fn starved(&self) -> bool {
        self.starved.get()
    }

    pub(super) fn forget(&self) {
        self.starved.set(false);
    }

    /// The byte at an offset; nothing past the end, which is remembered.
    pub(super) fn at(&self, offset: usize) -> Option<u8> {
        let byte = self.bytes.get(offset).copied();
        if byte.is_none() {
            self.starved.set(true);
        }
        byte
    }

    /// The byte `distance` bytes before an offset.
    pub(super) fn before(&self, offset: usize, distance: usize) -> Option<u8> {
        self.bytes.get(offset.checked_sub(distance)?).copied()
    }

    /// Up to `distance` bytes that end at an offset.
    pub(super) fn behind(&self, offset: usize, distance: usize) -> &'t [u8] {
        self.bytes
            .get(offset.saturating_sub(distance)..offset)
            .unwrap_or_default()
    }

    /// Whether the byte at an offset exists and is in a class.
    pub(super) fn is(&self, offset: usize, class: impl Fn(u8) -> bool) -> bool {
        self.at(offset).is_some_and(class)
    }

    /// How many bytes from an offset on are in a class, counted up to `most`.
    pub(super) fn run(&self, offset: usize, most: usize, class: impl Fn(u8) -> bool) -> usize {
        let count = self
            .known(offset, offset + most)
            .iter()
            .take_while(|&&byte| class(byte))
            .count();
        if count < most && offset + count >= self.bytes.len() {
            self.starved.set(true);
        }
        count
    }

    /// The bytes between two offsets as far as they are there, without remembering when they are not.
    pub(super) fn known(&self, start: usize, end: usize) -> &'t [u8] {
        self.bytes.get(start..end.min(self.bytes.len())).unwrap_or_default()
    }

    /// Whether the text at an offset begins with some bytes.
    pub(super) fn starts_with(&self, offset: usize, prefix: &[u8]) -> bool {
        prefix
            .iter()
            .enumerate()
            .all(|(index, &byte)| self.at(offset + index) == Some(byte))
    }

    /// Where some bytes first occur whole between two offsets.
    pub(super) fn find(&self, finder: &Finder<'_>, start: usize, end: usize) -> Option<usize> {
        let found = finder.find(self.known(start, end)).map(|index| start + index);
        if found.is_none() && end > self.bytes.len() {
            self.starved.set(true);
        }
        found
    }

    /// An offset that is `limit` or the end of the text, moved back to where a character begins.
    pub(super) fn cut(&self, limit: usize) -> usize {
        let mut end = limit.min(self.bytes.len());
        while self.bytes.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) {
            end -= 1;
        }
        end
    }

    /// Whether a token could begin at an offset: what stands before is no [`word`] byte.
    ///
    /// The escapes `\n`, `\r` and `\t` are whitespace that nobody decoded, as in JSON within JSON, not letters.
    pub(super) fn begins_token(&self, offset: usize) -> bool {
        let escaped = |byte| matches!(byte, b'n' | b'r' | b't') && self.before(offset, 2) == Some(b'\\');
        self.before(offset, 1).is_none_or(|byte| !word(byte) || escaped(byte))
    }

    /// Whether a token could end at an offset: what follows is no [`word`] byte.
    pub(super) fn ends_token(&self, offset: usize) -> bool {
        self.at(offset).is_none_or(|byte| !word(byte))
    }

    /// Whether the digits that start at an offset are the fraction of a decimal number.
    pub(super) fn is_fraction(&self, offset: usize) -> bool {
        self.before(offset, 1) == Some(b'.') && self.before(offset, 2).is_some_and(|byte| byte.is_ascii_digit())
    }

    /// Whether digits that end at an offset go on behind a separator.
    pub(super) fn goes_on(&self, offset: usize, separator: &[u8]) -> bool {
        self.starts_with(offset, separator) && self.is(offset + separator.len(), digit)
    }
}

/// ASCII letters, digits and the underscore. Letters of other scripts are left out on purpose: in Chinese or Japanese
/// text a number follows a word without a space.
pub(super) fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The ten ASCII digits.
pub(super) fn digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// Where the next ASCII digit is.
pub(super) fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let (blocks, tail) = rest.as_chunks::<64>();
    let mut offset = from;
    for block in blocks {
        // Without a branch per byte, the compiler makes this a few vector instructions.
        if block.iter().fold(false, |any, &byte| any | digit(byte)) {
            return block.iter().position(|&byte| digit(byte)).map(|index| offset + index);
        }
        offset += block.len();
    }
    tail.iter().position(|&byte| digit(byte)).map(|index| offset + index)
}

/// Where the next run of digits begins whose first digit could begin a token.
pub(super) fn next_number(bytes: &[u8], from: usize) -> Option<usize> {
    let mut offset = from;
    loop {
        let start = next_digit(bytes, offset)?;
        let probe = Probe::new(bytes);
        if probe.begins_token(start) {
            return Some(start);
        }
        offset = start + probe.run(start, usize::MAX - start, digit);
    }
}

/// Where the end of the text begins to spell one of some prefixes without having finished it; else the end.
pub(super) fn open_prefix<'p>(
    bytes: &[u8],
    from: usize,
    prefixes: &(impl Iterator<Item = &'p [u8]> + Clone),
    longest: usize,
) -> usize {
    let earliest = (bytes.len() + 1).saturating_sub(longest).max(from);
    (earliest..bytes.len())
        .find(|&start| {
            let end = bytes.get(start..).unwrap_or_default();
            prefixes
                .clone()
                .any(|prefix| prefix.len() > end.len() && prefix.starts_with(end))
        })
        .unwrap_or(bytes.len())
}
