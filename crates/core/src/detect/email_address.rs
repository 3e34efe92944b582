//! Email addresses.
//!
//! **Finds** addresses as people write them: a local part of up to 64 letters, digits and `._%+-`, an `@`, and a domain
//! of up to 253 bytes that ends in a top-level domain of letters (or its `xn--` form). Punctuation that ends the sentence
//! is not part of the match.
//!
//! **Matters** because an address names a person, and in numbers it is a customer list.
//!
//! **Deliberately does not find** quoted local parts, the rare signs that RFC 5322 also allows (of `o'brien@example.com`,
//! the part from `brien` on is found), internationalised addresses beyond ASCII, hosts without a dot, addresses with an IP
//! address for a domain, local parts or domains over their length, `git@` in repository addresses, and picture names such
//! as `logo@2x.png`. A password before the host in a URL looks like an address and is found as one.
//!
//! **Tune** by number: one address in a signature is ordinary, `at_least: 20` is a list.

use memchr::memchr;

use super::walk::{Probe, walk};
use super::{Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "email-address";

/// The detector of email addresses.
#[derive(Debug, Clone, Copy)]
pub struct EmailAddress;

impl Detector for EmailAddress {
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
        Horizon::Bounded(LONGEST_LOCAL + 1 + LONGEST_DOMAIN + 1)
    }

    fn shortest(&self) -> usize {
        6
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        Ok(walk(window, ID, matches, next, judge, open))
    }
}

/// Where the local part of the next address could start: the anchor is the `@`.
fn next(bytes: &[u8], from: usize) -> Option<usize> {
    let mut offset = from;
    loop {
        let at = offset + memchr(b'@', bytes.get(offset..)?)?;
        // A local part that began before `from` belongs to the match before it, or was too long already when the
        // search passed its beginning.
        if let Some(start) = local_start(bytes, at).filter(|&start| start >= from && start < at) {
            return Some(start);
        }
        offset = at + 1;
    }
}

/// Where the local part that ends at an offset starts; nothing if it is too long.
fn local_start(bytes: &[u8], end: usize) -> Option<usize> {
    let mut start = end;
    let mut after = None;
    while let Some(&byte) = start.checked_sub(1).and_then(|before| bytes.get(before)) {
        // Two dots in a row end any address: such are the leaders in a table of contents.
        if !in_local(byte) || (byte == b'.' && after == Some(b'.')) {
            break;
        }
        if end - start == LONGEST_LOCAL {
            return None;
        }
        after = Some(byte);
        start -= 1;
    }
    let lead = bytes
        .get(start..end)?
        .iter()
        .take_while(|&&byte| matches!(byte, b'.' | b'-' | b'%' | b'+'))
        .count();
    Some(start + lead)
}

fn judge(probe: &Probe<'_>, start: usize) -> Option<usize> {
    let length = probe.run(start, LONGEST_LOCAL + 1, in_local);
    let at = start + length;
    let local = probe.known(start, at);
    if local.ends_with(b".") || local.eq_ignore_ascii_case(b"git") {
        return None;
    }
    let domain = at + 1;
    if probe.run(domain, LONGEST_DOMAIN + 1, in_domain) > LONGEST_DOMAIN {
        return None;
    }
    let mut end = None;
    let mut label_start = domain;
    loop {
        let length = probe.run(label_start, LONGEST_LABEL + 1, |byte| byte != b'.' && in_domain(byte));
        let label = probe.known(label_start, label_start + length);
        let trimmed = trim_hyphens(label);
        if trimmed.is_empty() || length > LONGEST_LABEL || label.starts_with(b"-") {
            break;
        }
        if label_start > domain && is_top_level(trimmed) {
            end = Some(label_start + trimmed.len());
        }
        let is_picture = label_start == domain && (label == b"2x" || label == b"3x");
        if is_picture || trimmed.len() < length || probe.at(label_start + length) != Some(b'.') {
            break;
        }
        label_start += length + 1;
    }
    end
}

/// A local part at the end of the text may be waiting for its `@`.
fn open(bytes: &[u8], from: usize) -> usize {
    local_start(bytes, bytes.len())
        .filter(|&start| start >= from)
        .unwrap_or(bytes.len())
}

fn trim_hyphens(label: &[u8]) -> &[u8] {
    let hyphens = label.iter().rev().take_while(|&&byte| byte == b'-').count();
    label.get(..label.len() - hyphens).unwrap_or_default()
}

fn is_top_level(label: &[u8]) -> bool {
    let letters = label.iter().all(u8::is_ascii_alphabetic);
    label.len() >= 2 && (letters || label.get(..4).is_some_and(|mark| mark.eq_ignore_ascii_case(b"xn--")))
}

fn in_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

fn in_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
}

/// RFC 5321, section 4.5.3.1.
const LONGEST_LOCAL: usize = 64;
/// RFC 1035, section 2.3.4, without the length bytes.
const LONGEST_DOMAIN: usize = 253;
const LONGEST_LABEL: usize = 63;

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "«ada@example.com»",
    "write to «ada.lovelace+notes@mail.example.co.uk».",
    "<«ada@example.com»>, «bob_1@example.org»;",
    "mailto:«ada@example.com»?subject=hi",
    "email=«ada%40x@example.com»&x=1",
    "...«ada@example.com»...",
    "«ada@example.com»-",
    "«a@b.co»",
    "«ada@example.com».1",
    "«ada@xn--bcher-kva.xn--p1ai»",
    "contact........................................................................«ada@example.com»",
    "邮箱«zhang@example.cn»。",
    "«ada@example.com»@example.org",
    "o'«brien@example.com»",
    "«bot@EXAMPLE.COM»,«x@y.museum»",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "ada@example",
    "@example.com",
    "ada@",
    "ada@.com",
    "ada@example.c",
    "ada@example.123",
    "ada@127.0.0.1",
    "ada.@example.com",
    "ada @ example.com",
    "ada@-example.com",
    "git@github.com:org/repository.git",
    "logo@2x.png",
    "serde@1.0.200",
    "@types/node",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com",
    "a@bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.com",
];
