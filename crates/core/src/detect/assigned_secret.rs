//! Passwords and keys of no known issuer, by the name that they are assigned to.
//!
//! **Finds** what stands behind `password`, `passwd`, `pwd`, `passphrase` (entity `password`) or `api_key`, `secret`, `token`,
//! `access_key`, `credential` and the like (entity `api-key`) and an assignment (`=`, `:`, `=>`, the comma of a call), if it looks drawn: a
//! password has eight characters and a digit or sign among letters, a key sixteen, with digits, and no word in it that is longer than
//! chance allows.
//!
//! **Matters** because most secrets have no published form, and people paste whole configurations.
//!
//! **Deliberately does not find** values that stand for one (`${TOKEN}`, `<password>`, `os.environ["KEY"]`, `changeme`, `xxxx`), calls and
//! members of programs, paths, and passwords in sentences without an assignment.
//!
//! **Tune** with `coach` before `block`: a name is weaker evidence than an issuer's form.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::secrets::{begins, named};
use super::walk::{Probe, word};
use super::{Detector, DetectorFailure, EntityId, Horizon, Match, Trouble, Window};

/// The detector of assigned passwords and keys.
#[derive(Debug, Clone, Copy)]
pub struct AssignedSecret;

const ID: &str = "assigned-secret";
const PASSWORD: &str = "password";
const KEY: &str = "api-key";

/// Names in lower case, and whether what they name is a password. Of two that begin alike the longer comes first.
const NAMES: &[(&str, bool)] = &[
    ("access_key", false),
    ("access-key", false),
    ("accesskey", false),
    ("api_key", false),
    ("api-key", false),
    ("api key", false),
    ("apikey", false),
    ("auth_key", false),
    ("authorization", false),
    ("authtoken", false),
    ("auth", false),
    ("client_secret", false),
    ("credential", false),
    ("encryption_key", false),
    ("passphrase", true),
    ("passwd", true),
    ("password", true),
    ("private_key", false),
    ("pwd", true),
    ("secret", false),
    ("signing_key", false),
    ("token", false),
];

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .ascii_case_insensitive(true)
        .build(NAMES.iter().map(|(name, _)| name))
        .ok()
});

impl Detector for AssignedSecret {
    fn id(&self) -> &str {
        ID
    }

    fn version(&self) -> u32 {
        1
    }

    fn entities(&self) -> Vec<EntityId> {
        vec![EntityId::from(KEY), EntityId::from(PASSWORD)]
    }

    fn horizon(&self) -> Horizon {
        Horizon::Bounded(512)
    }

    fn shortest(&self) -> usize {
        SHORTEST_PASSWORD
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        let Some(search) = &*SEARCH else {
            return Err(DetectorFailure {
                detector: ID.to_owned(),
                trouble: Trouble::Failed,
                reason: "its names cannot be searched for".to_owned(),
            });
        };
        let bytes = window.text.as_bytes();
        let probe = Probe::new(bytes);
        let open = |from| {
            if window.complete {
                bytes.len()
            } else {
                open_name(&probe, bytes.len(), from)
            }
        };
        let mut position = window.from;
        while let Some(hit) = search.find(Input::new(bytes).range(position..)) {
            let start = hit.start();
            if open(position) < start {
                break;
            }
            position = start + 1;
            if !begins(&probe, start) {
                continue;
            }
            probe.forget();
            let password = NAMES
                .get(hit.pattern().as_usize())
                .is_some_and(|&(_, password)| password);
            let found = judge(&probe, hit.end(), password);
            if probe.starved() && !window.complete {
                return Ok(start);
            }
            if let Some(span) = found {
                position = span.end;
                matches.push(Match {
                    entity: EntityId::from(if password { PASSWORD } else { KEY }),
                    span,
                });
            }
        }
        Ok(open(position).max(position))
    }
}

/// Where the end of a text begins to spell a name without having finished it, or with what could still be a longer one; else the end.
fn open_name(probe: &Probe<'_>, end: usize, from: usize) -> usize {
    const LONGEST: usize = 14;
    let unfinished = |start: usize| {
        let tail = probe.known(start, end);
        let spells = |name: &str| {
            let head = name.as_bytes().get(..tail.len());
            name.len() > tail.len() && head.is_some_and(|head| head.eq_ignore_ascii_case(tail))
        };
        begins(probe, start) && NAMES.iter().any(|(name, _)| spells(name))
    };
    ((end + 1).saturating_sub(LONGEST).max(from)..end)
        .find(|&start| unfinished(start))
        .unwrap_or(end)
}

/// The value that is assigned to a name which ends at an offset, if it looks like a secret.
fn judge(probe: &Probe<'_>, name_end: usize, password: bool) -> Option<std::ops::Range<usize>> {
    is_word(probe, name_end).then_some(())?;
    let start = named::value(probe, name_end)?;
    let (start, basic) = scheme(probe, start);
    let quoted = probe
        .before(start, 1)
        .is_some_and(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let in_password =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b',' | b';');
    let in_key = |byte: u8| word(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'=' | b'-');
    let shortest_key = if basic { SHORTEST_PASSWORD } else { SHORTEST_KEY };
    let (shortest, length) = if password {
        (SHORTEST_PASSWORD, probe.run(start, LONGEST + 1, in_password))
    } else {
        (shortest_key, probe.run(start, LONGEST + 1, in_key))
    };
    ((shortest..=LONGEST).contains(&length)).then_some(())?;
    let mut end = start + length;
    // The end of a sentence is no part of it.
    while !quoted && end > start && matches!(probe.before(end, 1), Some(b'.' | b')')) {
        end -= 1;
    }
    let value = probe.known(start, end);
    let looks = if password {
        is_password(value, quoted)
    } else {
        is_key(value) || (basic && is_basic(value))
    };
    (end - start >= shortest && looks && named::ends(probe, end)).then_some(start..end)
}

/// Whether a name that ends at an offset is a word of its own: `tokenizer` and `TOKENS` have letters of the same case behind it.
fn is_word(probe: &Probe<'_>, end: usize) -> bool {
    let lower = probe.before(end, 1).is_some_and(|byte| byte.is_ascii_lowercase());
    !probe.is(end, |byte| {
        if lower {
            byte.is_ascii_lowercase()
        } else {
            byte.is_ascii_alphabetic()
        }
    })
}

/// Steps over the scheme of an `Authorization` header (RFC 9110 §11.4), and says whether it is `Basic`.
fn scheme(probe: &Probe<'_>, start: usize) -> (usize, bool) {
    for scheme in ["bearer ", "basic ", "token ", "apikey "] {
        let end = start + scheme.len();
        if probe.known(start, end).eq_ignore_ascii_case(scheme.as_bytes()) {
            return (end, scheme == "basic ");
        }
    }
    // It may still become one.
    let _ = probe.run(start, 7, |byte| byte.is_ascii_alphabetic());
    (start, false)
}

/// Whether a value can be a user and a password in base64 (RFC 7617): letters of both cases, nothing else that base64 has not.
fn is_basic(value: &[u8]) -> bool {
    let any = |class: fn(&u8) -> bool| value.iter().any(class);
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    value.iter().all(base64)
        && any(u8::is_ascii_lowercase)
        && any(u8::is_ascii_uppercase)
        && value.len().is_multiple_of(4)
}

/// Whether a value can be a password, rather than a name of one or a piece of a program.
fn is_password(value: &[u8], quoted: bool) -> bool {
    let any = |class: fn(u8) -> bool| value.iter().any(|&byte| class(byte));
    let letters = any(|byte| byte.is_ascii_alphabetic());
    let digits = any(|byte| byte.is_ascii_digit());
    let signs = any(|byte| byte.is_ascii_punctuation() && !matches!(byte, b'_' | b'-' | b'.'));
    let program = |byte: u8| {
        matches!(
            byte,
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'$' | b'/' | b':' | b'='
        )
    };
    let of_program = value.iter().any(|&byte| program(byte));
    let drawn = letters && (digits || signs);
    drawn && is_varied(value) && !stands_for_one(value) && (!of_program || (quoted && digits && signs))
}

/// Whether a value can be a key: digits among its letters, more characters than a word has, no word in it.
fn is_key(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let dots = value.iter().filter(|&&byte| byte == b'.').count();
    let slashes = value.iter().filter(|&&byte| byte == b'/').count();
    let mut words = value.split(|byte| !byte.is_ascii_lowercase());
    let spelt = words.any(|word| word.len() > LONGEST_WORD);
    digits >= 2 && letters >= 4 && dots <= 2 && slashes <= 3 && !spelt && bits(value) >= BITS && !stands_for_one(value)
}

fn is_varied(value: &[u8]) -> bool {
    let seen: std::collections::BTreeSet<&u8> = value.iter().collect();
    seen.len() >= 5
}

/// Whether it says of itself that it is none.
fn stands_for_one(value: &[u8]) -> bool {
    let folded = value.to_ascii_lowercase();
    PLACEHOLDERS
        .iter()
        .any(|word| memchr::memmem::find(&folded, word.as_bytes()).is_some())
        || value
            .array_windows()
            .any(|[one, two, three, four]| one == two && two == three && three == four)
}

/// What is written in place of a secret.
const PLACEHOLDERS: &[&str] = &[
    "example",
    "changeme",
    "change_me",
    "change-me",
    "placeholder",
    "dummy",
    "redacted",
    "password",
    "passwd",
    "your_",
    "your-",
    "insert",
    "secret",
    "123456",
    "abcdef",
    "test",
    "sample",
    "environ",
    "getenv",
];

/// Shannon's entropy of the bytes of a value, in bits a byte.
fn bits(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in value {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let total = value.len() as f64;
    let of = |count: u32| {
        let share = f64::from(count) / total;
        -share * share.log2()
    };
    counts.into_iter().filter(|&count| count > 0).map(of).sum()
}

const SHORTEST_PASSWORD: usize = 8;
const SHORTEST_KEY: usize = 16;
const LONGEST: usize = 256;
/// In a value that is drawn, so many small letters seldom follow each other.
const LONGEST_WORD: usize = 9;
/// A drawn hexadecimal value of 16 bytes has some 3.2; words have less.
const BITS: f64 = 3.0;

#[cfg(test)]
pub(super) const HITS: &[&str] = &[
    "password = \"«hT7!kq2Lw»\"",
    "DB_PASSWORD=«correct7horse»\n",
    "My password: «hunter2!!».",
    "api_key: '«9f8Za71kQm2Xw04LrT6v»'",
    "\"access_token\": \"«k2J9-xP4q_Vw81nZ6tRb»\"",
    "set(\"CLIENT_SECRET\", \"«Zx81kQ09mLpR44vTna7W»\")",
];

#[cfg(test)]
pub(super) const MISSES: &[&str] = &[
    "password = os.environ[\"DB_PASSWORD\"]",
    "password: changeme123",
    "password = getPassword(user1)",
    "token = request.headers.authorization",
    "api_key = \"${API_KEY_2}\"",
    "secret: your_secret_key_0123456",
    "The password is on the note.",
    "tokenizer = \"bert-base-uncased-12layers\"",
    "pwd=/home/ada/project1",
    "passwordless1 login",
];
