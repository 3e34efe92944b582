//! A value behind a name: what may stand between the two, and how the value ends.
//!
//! The name is part of some identifier (`HEROKU_API_KEY`), then comes what assigns in one language or another: `=`, `:`, `:=`,
//! `=>`, the comma of a call, the end of a tag. Around it stand spaces and quotes.

use super::super::walk::{Probe, word};

/// Whether a name could begin at an offset: behind no letter or digit, or where an identifier changes case (`myHeroku`).
pub(in crate::detect) fn begins(probe: &Probe<'_>, start: usize) -> bool {
    let upper = probe.at(start).is_some_and(|byte| byte.is_ascii_uppercase());
    probe
        .before(start, 1)
        .is_none_or(|before| !before.is_ascii_alphanumeric() || (upper && before.is_ascii_lowercase()))
}

/// Whether a name that ends at an offset is no part of another word: in `sumObserved` there is no `sumo`.
pub(in crate::detect) fn is_whole(probe: &Probe<'_>, end: usize) -> bool {
    let upper = probe.before(end, 1).is_some_and(|byte| byte.is_ascii_uppercase());
    let after_lower = probe.before(end, 2).is_some_and(|byte| byte.is_ascii_lowercase());
    !(upper && after_lower && probe.is(end, |byte| byte.is_ascii_lowercase()))
}

/// Where the value begins that is assigned to a name which ends at an offset.
pub(in crate::detect) fn value(probe: &Probe<'_>, name_end: usize) -> Option<usize> {
    let mut at = name_end;
    let rest = probe.run(at, REST + 1, |byte| {
        word(byte) || matches!(byte, b'.' | b'-' | b' ' | b'\t')
    });
    (rest <= REST).then_some(())?;
    at += rest;
    at += probe.run(at, QUOTES, |byte| matches!(byte, b'"' | b'\'' | b'`' | b']' | b')'));
    at += probe.run(at, SPACES, |byte| matches!(byte, b' ' | b'\t'));
    let operator = probe.run(at, OPERATOR, |byte| {
        matches!(byte, b'=' | b':' | b'>' | b'?' | b'|' | b',')
    });
    (operator > 0).then_some(())?;
    at += operator;
    let opening = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'=' | b'(' | b'[');
    at += probe.run(at, OPENING, opening);
    Some(at)
}

/// Whether a value that ends at an offset ends there: a quote, a space, a bracket, or what sets values apart.
pub(in crate::detect) fn ends(probe: &Probe<'_>, end: usize) -> bool {
    probe.at(end).is_none_or(|byte| {
        byte.is_ascii_whitespace()
            || matches!(
                byte,
                b'"' | b'\''
                    | b'`'
                    | b';'
                    | b','
                    | b')'
                    | b']'
                    | b'}'
                    | b'<'
                    | b'\\'
                    | b'&'
                    | b'|'
                    | b'.'
                    | b'!'
                    | b'?'
            )
    })
}

/// How much of an identifier may follow the name, with spaces.
const REST: usize = 32;
const QUOTES: usize = 3;
const SPACES: usize = 4;
/// `::=` is the longest.
const OPERATOR: usize = 3;
/// A line break with its indentation, and a quote.
const OPENING: usize = 10;
