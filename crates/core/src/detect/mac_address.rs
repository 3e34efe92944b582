//! Hardware addresses of network interfaces (MAC, EUI-48).
//!
//! **Finds** six pairs of hexadecimal digits between colons or hyphens, and three groups of four between dots, in either case.
//!
//! **Matters** because it stays with a device for life, and so with the person who carries it, through every network.
//!
//! **Deliberately does not find** the broadcast address and the one of zeros, longer rows of pairs (fingerprints of keys and
//! certificates, EUI-64), mixed separators, and pairs of decimal digits between hyphens, which are dates and part numbers.
//!
//! **Tune** by excepting the paths of network equipment.

use memchr::memchr3;

use super::walk::{Probe, walk};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "mac-address";

/// The detector of hardware addresses of network interfaces.
#[derive(Debug, Clone, Copy)]
pub struct MacAddress;

impl Detector for MacAddress {
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
        Horizon::Bounded(20)
    }

    fn shortest(&self) -> usize {
        14
    }

    fn fewest_digits(&self) -> usize {
        0
    }

    fn starts(&self) -> ByteSet {
        ByteSet::of(b"0123456789abcdefABCDEF")
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        Ok(walk(window, ID, matches, next, judge, open))
    }
}

/// Two or four hexadecimal digits before a separator.
fn next(bytes: &[u8], from: usize) -> Option<usize> {
    let mut offset = from;
    loop {
        let at = offset + memchr3(b':', b'-', b'.', bytes.get(offset..)?)?;
        let length = if bytes.get(at) == Some(&b'.') { 4 } else { 2 };
        let start = at.checked_sub(length).filter(|&start| start >= from);
        if let Some(start) = start
            && bytes.get(start..at)?.iter().all(u8::is_ascii_hexdigit)
        {
            return Some(start);
        }
        offset = at + 1;
    }
}

fn judge(probe: &Probe<'_>, start: usize) -> Option<usize> {
    if !probe.begins_token(start) {
        return None;
    }
    let (separator, groups, length) = match (probe.at(start + 2)?, probe.at(start + 4)) {
        (byte @ (b':' | b'-'), _) => (byte, 6, 2),
        (_, Some(b'.')) => (b'.', 3, 4),
        _ => return None,
    };
    let tied = probe.before(start, 1) == Some(separator)
        && probe
            .before(start, 2)
            .is_none_or(|byte| byte.is_ascii_hexdigit() || byte == separator);
    if tied {
        return None;
    }
    let mut end = start;
    for group in 0..groups {
        if group > 0 {
            if probe.at(end) != Some(separator) {
                return None;
            }
            end += 1;
        }
        for _ in 0..length {
            if !probe.is(end, |byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            end += 1;
        }
    }
    let digits = probe.known(start, end).iter().filter(|&&byte| byte != separator);
    let trivial =
        digits.clone().all(|byte| byte.eq_ignore_ascii_case(&b'f')) || digits.clone().all(|&byte| byte == b'0');
    let letters = digits.clone().any(u8::is_ascii_alphabetic);
    let longer =
        probe.at(end) == Some(separator) && probe.is(end + 1, |byte| byte.is_ascii_hexdigit() || byte == separator);
    (!trivial && (letters || separator == b':') && !longer && probe.ends_token(end)).then_some(end)
}

/// Hexadecimal digits at the end may be the first group.
fn open(bytes: &[u8], from: usize) -> usize {
    let digits = bytes
        .iter()
        .rev()
        .take(4)
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    (bytes.len() - digits).max(from)
}

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "Device «64:03:79:33:38:c7» with address",
    "MAC: «00-1A-2B-3C-4D-5E».",
    "«001a.2b3c.4d5e» on port 3",
    "mac=«0A:23:F5:67:89:AC», «a4:5e:60:c2:d1:7f»",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "FF:FF:FF:FF:FF:FF",
    "00:00:00:00:00:00",
    "00:1A:2B:3C:4D",
    "00:1A:2B:3C:4D:5E:6F:70",
    "SHA256 aa:bb:cc:dd:ee:ff:00:11:22:33",
    "00:1A-2B:3C-4D:5E",
    "20-24-11-05-12-30",
    "x00:1A:2B:3C:4D:5E",
    "00:1A:2B:3C:4D:5G",
    "ZZ:ZZ:ZZ:ZZ:ZZ:ZZ",
    "1234.5678.9012.3456",
    "1234.5678.9012",
    "fe80::aa:bb:cc:dd:ee:ff",
];
