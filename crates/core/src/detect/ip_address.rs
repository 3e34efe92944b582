//! Internet addresses.
//!
//! **Finds** IPv4 addresses of four decimal numbers, and IPv6 addresses in full, compressed (`2001:db8::1`) or with an IPv4 end.
//! A port, a prefix length or a zone that follows is not part of the match.
//!
//! **Matters** because courts count an address that a person used as personal data, and because addresses of inner machines
//! tell an attacker where to go.
//!
//! **Deliberately does not find** the addresses of nobody and of the own machine (`0.0.0.0`, `127.0.0.1`, `::`, `::1`), masks such
//! as `255.255.255.0`, five or more dotted numbers, what a word or a sign before it makes a version or a section, numbers with leading zeros, and
//! four single digits unless a word such as `IP` or `DNS` names them.
//!
//! **Tune** by number: one address is in every error message.

use super::label::{named, named_within};
use super::walk::{Probe, digit, walk, word};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "ip-address";

/// The detector of internet addresses.
#[derive(Debug, Clone, Copy)]
pub struct IpAddress;

impl Detector for IpAddress {
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
        Horizon::Bounded(56)
    }

    fn shortest(&self) -> usize {
        6
    }

    fn fewest_digits(&self) -> usize {
        1
    }

    fn starts(&self) -> ByteSet {
        ByteSet::of(b"0123456789abcdefABCDEF:")
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        Ok(walk(window, ID, matches, next, judge, open))
    }
}

/// The next digit that could begin a token, or colon, from where hexadecimal digits before it begin.
fn next(bytes: &[u8], from: usize) -> Option<usize> {
    let mut offset = from;
    loop {
        let rest = bytes.get(offset..)?;
        let at = offset + rest.iter().position(|&byte| byte == b':' || digit(byte))?;
        let before = bytes.get(..at)?;
        if bytes.get(at) == Some(&b':') {
            let digits = before
                .iter()
                .rev()
                .take(5)
                .take_while(|byte| byte.is_ascii_hexdigit())
                .count();
            if digits < 5 && at - digits >= from {
                return Some(at - digits);
            }
        } else if before
            .last()
            .is_none_or(|&byte| !word(byte) || matches!(byte, b'n' | b'r' | b't'))
        {
            return Some(at);
        }
        offset = at + 1;
    }
}

fn judge(probe: &Probe<'_>, start: usize) -> Option<usize> {
    if !probe.begins_token(start) {
        return None;
    }
    version_6(probe, start).or_else(|| version_4(probe, start))
}

/// Hexadecimal digits at the end may be the beginning.
fn open(bytes: &[u8], from: usize) -> usize {
    let digits = bytes
        .iter()
        .rev()
        .take(4)
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    (bytes.len() - digits).max(from)
}

fn version_4(probe: &Probe<'_>, start: usize) -> Option<usize> {
    let (end, parts) = dotted(probe, start)?;
    let tied = matches!(probe.before(start, 1), Some(b'.' | b'-' | b'/' | b'+'))
        && probe.before(start, 2).is_some_and(|byte| word(byte) || byte == b'.');
    let other = matches!(parts, [0, ..] | [127, ..] | [255, 255, ..]);
    if tied || other || !probe.ends_token(end) || probe.goes_on(end, b".") || probe.goes_on(end, b"-") {
        return None;
    }
    let small = parts.iter().all(|&part| part < 10);
    let version = named_within(probe, start, VERSIONS, 12);
    (!version && (!small || named(probe, start, WORDS))).then_some(end)
}

/// Four decimal numbers between dots.
fn dotted(probe: &Probe<'_>, start: usize) -> Option<(usize, [u32; 4])> {
    let mut parts = [0; 4];
    let mut end = start;
    for (index, part) in parts.iter_mut().enumerate() {
        if index > 0 {
            if probe.at(end) != Some(b'.') {
                return None;
            }
            end += 1;
        }
        let length = probe.run(end, 4, digit);
        let digits = probe.known(end, end + length);
        if !(1..=3).contains(&length) || (length > 1 && digits.first() == Some(&b'0')) {
            return None;
        }
        *part = digits.iter().fold(0, |sum, &byte| sum * 10 + u32::from(byte - b'0'));
        if *part > 255 {
            return None;
        }
        end += length;
    }
    Some((end, parts))
}

/// RFC 4291, section 2.2.
fn version_6(probe: &Probe<'_>, start: usize) -> Option<usize> {
    let tied = probe.before(start, 1) == Some(b':')
        && probe
            .before(start, 2)
            .is_some_and(|byte| byte.is_ascii_hexdigit() || byte == b':');
    if tied {
        return None;
    }
    let mut groups = 0;
    let mut compressed = false;
    let mut end = start;
    loop {
        if probe.starts_with(end, b"::") {
            if compressed {
                return None;
            }
            compressed = true;
            end += 2;
        } else if groups > 0 {
            if probe.at(end) != Some(b':') {
                break;
            }
            if !probe.is(end + 1, |byte| byte.is_ascii_hexdigit()) {
                break;
            }
            end += 1;
        }
        let length = probe.run(end, 5, |byte| byte.is_ascii_hexdigit());
        if length > 4 || groups == 8 {
            return None;
        }
        if length == 0 {
            break;
        }
        if (compressed || groups == 6)
            && probe.at(end + length) == Some(b'.')
            && let Some((after, _)) = dotted(probe, end)
        {
            groups += 2;
            end = after;
            break;
        }
        groups += 1;
        end += length;
    }
    let text = probe.known(start, end);
    let whole = if compressed {
        (2..8).contains(&groups)
    } else {
        groups == 8
    };
    // Between two colons, programs name things: `a::b` is an address, and no one's.
    let telling = text.len() > 5 && text.iter().any(u8::is_ascii_digit);
    let colon = probe.at(end) == Some(b':') && probe.is(end + 1, |byte| byte == b':' || byte.is_ascii_hexdigit());
    (whole && telling && !colon && probe.ends_token(end) && !probe.goes_on(end, b".")).then_some(end)
}

const VERSIONS: &[&str] = &[
    "version", "versions", "ver", "v", "release", "rel", "build", "firmware", "section", "chapter", "clause", "figure",
    "table", "oid",
];
const WORDS: &[&str] = &[
    "ip",
    "ips",
    "ipv4",
    "ip address",
    "dns",
    "resolver",
    "nameserver",
    "host",
    "server",
    "ping",
    "gateway",
    "address",
];

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "Login from «56.160.23.66» by",
    "http://«192.168.0.1»:8080/x, «10.0.0.0»/8",
    "DNS «8.8.8.8» or «1.1.1.1»",
    "«2001:db8::1» and [«2001:0db8:0000:0000:0000:ff00:0042:8329»]:443",
    "«fe80::1ff:fe23:4567:890a»%eth0",
    "ip:«2400:c401::5054:ff:fe1b:b031»",
    "«::ffff:192.0.2.128»",
    "地址«203.0.113.9»。",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "1.2.3.4.5",
    "1.2.3.4 The section",
    "v1.2.3.40",
    "version 10.2.3.40",
    "Chrome/120.0.0.0",
    "package-10.2.3.4",
    "0.0.0.0",
    "127.0.0.1",
    "255.255.255.0",
    "256.1.1.10",
    "192.168.001.1",
    "192.168.0",
    "::1 ::",
    "12:30:45",
    "std::vec::Vec",
    "a::b",
    "f32::abs(1.0)",
    "684D:1111:222:3333:4444:5555:77",
    "1::2::3:4",
    "64:03:79:33:38:c7",
    "x192.168.0.1",
];
