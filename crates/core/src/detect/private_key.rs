//! Private keys in text form.
//!
//! **Finds** blocks from `-----BEGIN … PRIVATE KEY…-----` to the `-----END …-----` of the same kind: PKCS#1, PKCS#8
//! (encrypted as well), SEC 1, OpenSSH and OpenPGP. Line breaks may be real, spaces, or the two characters `\n` of a
//! quoted string. A block without its end is taken to the end of the text, or for 16 KiB if the text is longer: half a key
//! is still not for others.
//!
//! **Matters** because the key is the identity: whoever has it signs, logs in and decrypts in its owner's name.
//!
//! **Deliberately does not find** public keys and certificates, a `BEGIN` line that no key material follows (as in prose
//! about keys, or with dots in place of the key), and keys without the armour: PuTTY files, JSON web keys, bare base64.
//!
//! **Tune** nothing; there is no good reason to send one.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::walk::{Probe, open_prefix, walk};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "private-key";

/// The detector of private keys.
#[derive(Debug, Clone, Copy)]
pub struct PrivateKey;

impl Detector for PrivateKey {
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
        Horizon::Bounded(LONGEST)
    }

    fn shortest(&self) -> usize {
        27
    }

    fn starts(&self) -> ByteSet {
        ByteSet::of(b"-")
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        let next = |bytes: &[u8], from| FIND_BEGIN.find(bytes.get(from..)?).map(|index| from + index);
        let open = |bytes: &[u8], from| open_prefix(bytes, from, &std::iter::once(BEGIN), BEGIN.len());
        Ok(walk(window, ID, matches, next, judge, open))
    }
}

fn judge(probe: &Probe<'_>, start: usize) -> Option<usize> {
    let label_start = start + BEGIN.len();
    let label_end = label_start
        + probe.run(label_start, LONGEST_LABEL, |byte| {
            byte.is_ascii_uppercase() || byte == b' '
        });
    if !probe.starts_with(label_end, DASHES) {
        return None;
    }
    let label = probe.known(label_start, label_end);
    FIND_PRIVATE_KEY.find(label)?;
    let body = label_end + DASHES.len();
    if !has_material(probe, body) {
        return None;
    }
    let limit = start + LONGEST;
    let mut from = body;
    while let Some(found) = probe.find(&FIND_END, from, limit) {
        let label_end = found + END.len() + label.len();
        if probe.starts_with(found + END.len(), label) && probe.starts_with(label_end, DASHES) {
            return Some(label_end + DASHES.len());
        }
        from = found + END.len();
    }
    Some(probe.cut(limit))
}

/// Whether base64 or an armour header follows, behind whatever stands for a line break.
fn has_material(probe: &Probe<'_>, body: usize) -> bool {
    let mut start = body;
    while start < body + WIDEST_BREAK {
        let escape = probe.is(start, |byte| byte == b'\\') && probe.is(start + 1, |byte| matches!(byte, b'n' | b'r'));
        let blank =
            |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'\\' | b'"' | b'\'' | b'+' | b',' | b'>' | b'|');
        start += match (escape, probe.is(start, blank)) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => break,
        };
    }
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    probe.run(start, FEWEST_BASE64, base64) == FEWEST_BASE64
        || HEADERS.iter().any(|name| probe.starts_with(start, name))
}

static FIND_BEGIN: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(BEGIN));
static FIND_END: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(END));
static FIND_PRIVATE_KEY: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"PRIVATE KEY"));

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// More than an RSA key of 16,384 bits takes.
const LONGEST: usize = 16 * 1024;
const LONGEST_LABEL: usize = 40;
const WIDEST_BREAK: usize = 64;
const FEWEST_BASE64: usize = 16;
/// RFC 1421 and RFC 4880.
const HEADERS: &[&[u8]] = &[
    b"Proc-Type:",
    b"DEK-Info:",
    b"Version:",
    b"Comment:",
    b"Hash:",
    b"Charset:",
    b"MessageID:",
];

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "«-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nqhkiG9w0\n-----END PRIVATE KEY-----»\n",
    "key: «-----BEGIN RSA PRIVATE KEY-----\r\nMIIEpAIBAAKCAQEA\r\n-----END RSA PRIVATE KEY-----» and so on",
    r#"{"private_key": "«-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----»\n"}"#,
    "«-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXktdjEAAAAABG5vbmU= -----END OPENSSH PRIVATE KEY-----»",
    "«-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtL\nand it was cut off »",
    "«-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nabc\n-----END PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----»",
    "«-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\nlQVYBF\n-----END PGP PRIVATE KEY BLOCK-----»",
    "«-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFHDBOBgkqhkiG9w0BBQ0w\n-----END ENCRYPTED PRIVATE KEY-----»",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkq\n-----END CERTIFICATE-----",
    "a file that begins with -----BEGIN RSA PRIVATE KEY----- is a key",
    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY",
    "---- BEGIN PRIVATE KEY ----",
    "-----END PRIVATE KEY-----",
];
