//! Access keys of Amazon Web Services.
//!
//! **Finds** access key ids (`AKIA`, `ASIA`, `ABIA` or `ACCA` and 16 letters and digits of base32), and the secret of 40
//! characters when the words before it say what it is: `secret access key` or `aws secret key` in any of the usual
//! spellings, whose end is at most 40 bytes before the secret. The example keys of Amazon's documentation are found as
//! well, so that a policy can be tried out with them.
//!
//! **Matters** because with id and secret together somebody else works, and pays, as you; the id alone names the account.
//!
//! **Deliberately does not find** a secret that nothing announces (40 characters of base64 are also a Git hash, a
//! checksum, half an image), session tokens, and ids of users and roles (`AIDA`, `AROA`), which are no secrets.
//!
//! **Tune** nothing for the id; for secrets in files of a form of your own, add a detector with a pattern.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input};

use super::walk::{Probe, open_prefix, walk};
use super::{Detector, DetectorFailure, EntityId, Horizon, Match, Trouble, Window};

const ID: &str = "aws-key";

/// The detector of Amazon Web Services keys.
#[derive(Debug, Clone, Copy)]
pub struct AwsKey;

impl Detector for AwsKey {
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
        Horizon::Bounded(SECRET + 1)
    }

    fn shortest(&self) -> usize {
        20
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        let Some(prefixes) = FIND_PREFIX.as_ref() else {
            return Err(DetectorFailure {
                detector: ID.to_owned(),
                trouble: Trouble::Failed,
                reason: "its prefixes do not compile".to_owned(),
            });
        };
        // Both searches run ahead of the position; each result is kept until the position has passed it.
        let (mut id, mut secret) = (Ahead::Unknown, Ahead::Unknown);
        let next = |bytes: &[u8], from: usize| {
            let id = id.from(from, || {
                prefixes
                    .find(Input::new(bytes).range(from..))
                    .map(|found| found.start())
            });
            let secret = secret.from(from, || next_secret(bytes, from));
            match (id, secret) {
                (Some(id), Some(secret)) => Some(id.min(secret)),
                (id, secret) => id.or(secret),
            }
        };
        let open =
            |bytes: &[u8], from| open_prefix(bytes, from, &PREFIXES.iter().map(|prefix| prefix.as_bytes()), PREFIX);
        Ok(walk(window, ID, matches, next, judge, open))
    }
}

/// What one of two searches found ahead.
enum Ahead {
    Unknown,
    At(usize),
    Nowhere,
}

impl Ahead {
    fn from(&mut self, position: usize, find: impl FnOnce() -> Option<usize>) -> Option<usize> {
        let stale = match self {
            Self::Unknown => true,
            Self::At(found) => *found < position,
            Self::Nowhere => false,
        };
        if stale {
            *self = find().map_or(Self::Nowhere, Self::At);
        }
        match self {
            Self::At(found) => Some(*found),
            Self::Unknown | Self::Nowhere => None,
        }
    }
}

/// The next run of secret characters that has the length of a secret or reaches the end, where it may yet grow.
fn next_secret(bytes: &[u8], from: usize) -> Option<usize> {
    let in_class = |offset: usize| bytes.get(offset).is_some_and(|&byte| in_secret(byte));
    let mut start = from;
    if start.checked_sub(1).is_some_and(in_class) {
        start += bytes.get(from..)?.iter().take_while(|&&byte| in_secret(byte)).count();
    }
    // A run of 40 that starts within the next 40 bytes covers the last of them: one look decides over many bytes.
    loop {
        let last = (start + SECRET - 1).min(bytes.len().saturating_sub(1));
        let covered = bytes
            .get(start..=last)?
            .iter()
            .rev()
            .take_while(|&&byte| in_secret(byte))
            .count();
        let run = last + 1 - covered;
        if covered > 0 && (run == start || last + 1 == bytes.len()) {
            return Some(run);
        }
        start = run;
        if start >= bytes.len() {
            return None;
        }
    }
}

fn judge(probe: &Probe<'_>, start: usize) -> Option<usize> {
    judge_id(probe, start).or_else(|| judge_secret(probe, start))
}

fn judge_id(probe: &Probe<'_>, start: usize) -> Option<usize> {
    if !probe.begins_token(start)
        || !PREFIXES
            .iter()
            .any(|prefix| probe.starts_with(start, prefix.as_bytes()))
    {
        return None;
    }
    let base32 = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'7');
    let end = start + PREFIX + probe.run(start + PREFIX, ID_BODY + 1, base32);
    (end == start + PREFIX + ID_BODY && probe.ends_token(end)).then_some(end)
}

fn judge_secret(probe: &Probe<'_>, start: usize) -> Option<usize> {
    let begins = probe
        .before(start, 1)
        .is_none_or(|byte| !in_secret(byte) && byte != b'_');
    if !begins || !announced(probe.behind(start, LONGEST_NAME + REACH)) {
        return None;
    }
    let end = start + probe.run(start, SECRET + 1, in_secret);
    (end == start + SECRET && probe.ends_token(end)).then_some(end)
}

fn in_secret(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Whether the text before a secret names it, near enough to its end.
fn announced(before: &[u8]) -> bool {
    (0..before.len()).any(|index| {
        let name = before.get(index..).and_then(name_length);
        name.is_some_and(|length| before.len() - (index + length) <= REACH)
    })
}

/// `secret access key` or `aws secret key`, with at most one space, hyphen or underscore between the words.
fn name_length(text: &[u8]) -> Option<usize> {
    let words: &[&[u8]] = match text.first()? {
        b's' | b'S' => &[b"secret", b"access", b"key"],
        b'a' | b'A' => &[b"aws", b"secret", b"key"],
        _ => return None,
    };
    let mut length = 0;
    for (index, word) in words.iter().enumerate() {
        let gap = index > 0 && text.get(length).is_some_and(|byte| matches!(byte, b' ' | b'-' | b'_'));
        length += usize::from(gap);
        text.get(length..length + word.len())
            .filter(|part| part.eq_ignore_ascii_case(word))?;
        length += word.len();
    }
    Some(length)
}

static FIND_PREFIX: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(PREFIXES).ok());

const PREFIXES: &[&str] = &["AKIA", "ASIA", "ABIA", "ACCA"];
const PREFIX: usize = 4;
const ID_BODY: usize = 16;
const SECRET: usize = 40;
/// How far before the secret its name may end; with the name itself, this stays within the context.
const REACH: usize = 40;
const LONGEST_NAME: usize = 17;

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "«AKIAIOSFODNN7EXAMPLE»",
    "aws_access_key_id = «AKIAZQ3DRSTUVWXY2345».",
    "\"«ASIAZQ3DRSTUVWXY2345»\"",
    "«ABIAZQ3DRSTUVWXY2345»,«ACCAZQ3DRSTUVWXY2345»",
    "aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
    "AWS_SECRET_ACCESS_KEY=\"«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»\"",
    r#"{"secretAccessKey": "«wJalrXUtnFEMI+K7MDENG+bPxRfiCYEXAMPLEKEY»"}"#,
    "Secret access key for the test account is «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY», keep it",
    "aws-secret-key: «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
    "密钥«AKIAZQ3DRSTUVWXY2345»。",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "AKIAZQ3DRSTUVWXY234",
    "AKIAZQ3DRSTUVWXY23456",
    "AKIAZQ3DRSTUVWXY2341",
    "akiazq3drstuvwxy2345",
    "XAKIAZQ3DRSTUVWXY2345",
    "AIDAZQ3DRSTUVWXY2345",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEYS",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE",
    "secret_access_key is a thing that has forty characters, as in: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
];
