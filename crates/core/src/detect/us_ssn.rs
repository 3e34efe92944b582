//! US social security numbers.
//!
//! **Finds** `AAA-GG-SSSS` with hyphens or single spaces. Nine digits in one run count only next to a word that says what
//! they are: `ssn` or `social security` within the 24 bytes before.
//!
//! **Matters** because the number never changes, opens accounts and credit, and its leak must be notified in every state.
//!
//! **Deliberately does not find** numbers that were never given out (area 000, 666 or 900 to 999, group 00, serial 0000),
//! the two that became famous in advertisements (078-05-1120 and 219-09-9999), mixed separators, and numbers with more
//! groups before or after. Individual taxpayer numbers (9xx) are another thing and not looked for.
//!
//! **Tune** by pairing: a rule that also asks for `person-name` or `date-of-birth` passes part numbers of the same shape.

use super::walk::{Probe, digit, next_number, walk};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "us-ssn";

/// The detector of US social security numbers.
#[derive(Debug, Clone, Copy)]
pub struct UsSsn;

impl Detector for UsSsn {
    fn id(&self) -> &str {
        ID
    }

    fn version(&self) -> u32 {
        1
    }

    fn entities(&self) -> Vec<EntityId> {
        vec![EntityId::from(ID)]
    }

    fn horizon(&self) -> Horizon {
        Horizon::Bounded(14)
    }

    fn shortest(&self) -> usize {
        9
    }

    fn fewest_digits(&self) -> usize {
        9
    }

    fn starts(&self) -> ByteSet {
        ByteSet::DIGITS
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        Ok(walk(window, ID, matches, next_number, judge, |bytes, _| bytes.len()))
    }
}

fn judge(probe: &Probe<'_>, start: usize) -> Option<usize> {
    if probe.is_fraction(start) {
        return None;
    }
    match probe.run(start, 10, digit) {
        3 => judge_delimited(probe, start),
        9 => {
            let end = start + 9;
            (named(probe.behind(start, REACH + 1)) && given_out(probe.known(start, end)) && probe.ends_token(end))
                .then_some(end)
        }
        _ => None,
    }
}

fn judge_delimited(probe: &Probe<'_>, start: usize) -> Option<usize> {
    let separator = probe.at(start + 3).filter(|&byte| matches!(byte, b'-' | b' '))?;
    let preceded = probe.before(start, 1) == Some(separator) && probe.before(start, 2).is_some_and(digit);
    if preceded || probe.run(start + 4, 3, digit) != 2 || probe.at(start + 6) != Some(separator) {
        return None;
    }
    let end = start + 11;
    if probe.run(start + 7, 5, digit) != 4 || !given_out(probe.known(start, end)) {
        return None;
    }
    (probe.ends_token(end) && !probe.goes_on(end, &[separator])).then_some(end)
}

/// Whether the administration could have given out this number.
fn given_out(number: &[u8]) -> bool {
    let value = number
        .iter()
        .filter(|&&byte| digit(byte))
        .fold(0_u32, |value, &byte| value * 10 + u32::from(byte - b'0'));
    let (area, group, serial) = (value / 1_000_000, value / 10_000 % 100, value % 10_000);
    let excluded = matches!(area, 0 | 666 | 900..) || group == 0 || serial == 0;
    !excluded && value != 78_051_120 && value != 219_099_999
}

/// Whether the text before a number says that it is one. Its first byte is only there to tell where a word begins.
fn named(before: &[u8]) -> bool {
    let full = before.len() > REACH;
    (usize::from(full)..before.len()).any(|index| {
        let begins = index
            .checked_sub(1)
            .and_then(|at| before.get(at))
            .is_none_or(|byte| !byte.is_ascii_alphanumeric());
        begins && before.get(index..).is_some_and(begins_with_name)
    })
}

fn begins_with_name(text: &[u8]) -> bool {
    let after = |text: &[u8], word: &[u8]| -> Option<usize> {
        text.get(..word.len())
            .filter(|head| head.eq_ignore_ascii_case(word))
            .map(<[u8]>::len)
    };
    let plain = after(text, b"ssn").or_else(|| {
        let social = after(text, b"social")?;
        let gap = text
            .get(social..)?
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'_' | b'-'))
            .count();
        let security = after(text.get(social + gap..)?, b"security")?;
        Some(social + gap + security)
    });
    // `ssnMap` and `SSNs` are no labels of the number that follows.
    plain.is_some_and(|length| text.get(length).is_none_or(|byte| !byte.is_ascii_alphabetic()))
}

/// How far before the number its name may stand.
const REACH: usize = 24;

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "«123-45-6789»",
    "ssn: «536-90-4399».",
    "SSN-«536-90-4399»",
    "the number «536 90 4399» is his",
    "row 42 «536-90-4399»",
    "ssn «536904399» is «536904399»",
    "SSN=«536904399»",
    r#"{"user_ssn": "«536904399»"}"#,
    "Social Security number: «536904399»",
    "social_security_no=«536904399»",
    "«001-01-0001», «899-99-9999»",
    "号码«536-90-4399»。",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "000-12-3456",
    "666-12-3456",
    "900-12-3456",
    "123-00-4567",
    "123-45-0000",
    "078-05-1120",
    "219-09-9999",
    "123-45 6789",
    "123--45-6789",
    "1234-45-6789",
    "123-45-67890",
    "1-123-45-6789",
    "123-45-6789-1",
    "1 123 45 6789",
    "part 536904399",
    "className 536904399",
    "an ssn is a number of nine digits such as 536904399",
    "A123-45-6789",
];
