//! International bank account numbers (ISO 13616).
//!
//! **Finds** a country code of the IBAN registry, two check digits and the rest of the account number in exactly the
//! length that the country uses, with a correct check (modulo 97): in one piece or in groups of four with the same
//! separator (space, no-break space or hyphen), in upper or lower case.
//!
//! **Matters** because it names a bank account, and mostly a person with it; it is enough for a fraudulent direct debit.
//!
//! **Deliberately does not find** account numbers in national notation, numbers with a failing check, unusual grouping,
//! and anything inside a longer token. One random token of the right shape in a hundred passes the check, and hardly any
//! has the shape.
//!
//! **Tune** by excepting your own accounts: they stand on every invoice, and a rule can count only from two on.

use super::walk::{Probe, next_digit, walk};
use super::{Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "iban";

/// The detector of international bank account numbers.
#[derive(Debug, Clone, Copy)]
pub struct Iban;

impl Detector for Iban {
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
        // 34 characters, separators of two bytes, and what must not follow.
        Horizon::Bounded(56)
    }

    fn shortest(&self) -> usize {
        15
    }

    fn fewest_digits(&self) -> usize {
        2
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        Ok(walk(window, ID, matches, next, judge, open))
    }
}

/// Two letters and a digit.
fn next(bytes: &[u8], from: usize) -> Option<usize> {
    let mut offset = from + 2;
    loop {
        let found = next_digit(bytes, offset)?;
        let start = found - 2;
        if bytes
            .get(start..found)
            .is_some_and(|code| code.iter().all(u8::is_ascii_alphabetic))
        {
            return Some(start);
        }
        offset = found + 1;
    }
}

fn judge(probe: &Probe<'_>, start: usize) -> Option<usize> {
    if !probe.begins_token(start) {
        return None;
    }
    let code = [
        probe.at(start)?.to_ascii_uppercase(),
        probe.at(start + 1)?.to_ascii_uppercase(),
    ];
    let at = COUNTRIES
        .binary_search_by_key(&code.as_slice(), |(country, _)| country.as_bytes())
        .ok()?;
    let (_, length) = *COUNTRIES.get(at)?;
    if probe.run(start + 2, 2, |byte| byte.is_ascii_digit()) != 2 {
        return None;
    }
    let separator: &[u8] = SEPARATORS
        .iter()
        .find(|separator| probe.starts_with(start + 4, separator))
        .copied()
        .unwrap_or_default();
    let mut end = start + 4;
    let mut left = length - 4;
    // The check is computed with the first four characters moved to the end.
    let mut remainder = 0;
    while left > 0 {
        if !probe.starts_with(end, separator) {
            return None;
        }
        end += separator.len();
        for _ in 0..left.min(4) {
            remainder = append(remainder, probe.at(end)?)?;
            end += 1;
        }
        left -= left.min(4);
    }
    for byte in probe.known(start, start + 4) {
        remainder = append(remainder, *byte)?;
    }
    (remainder == 1 && probe.ends_token(end)).then_some(end)
}

/// Two letters at the end, or one, may be the beginning.
fn open(bytes: &[u8], from: usize) -> usize {
    let letters = bytes
        .iter()
        .rev()
        .take(2)
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    (bytes.len() - letters).max(from)
}

/// The remainder modulo 97 after one more character; letters count as 10 to 35.
fn append(remainder: u32, byte: u8) -> Option<u32> {
    let value = char::from(byte).to_digit(36)?;
    Some((remainder * if value < 10 { 10 } else { 100 } + value) % 97)
}

const SEPARATORS: &[&[u8]] = &[b" ", "\u{a0}".as_bytes(), b"-"];

/// The countries of the IBAN registry and the length of their numbers.
const COUNTRIES: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HN", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "«GB82WEST12345698765432»",
    "pay to «GB82 WEST 1234 5698 7654 32» and tell me",
    "«DE89370400440532013000».",
    "«DE89 3704 0044 0532 0130 00»",
    "«DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00»",
    "«DE89-3704-0044-0532-0130-00»",
    "iban=«fr1420041010050500013m02606»",
    "«NO9386011117947», «CH9300762011623852957»",
    "«MT84MALT011000012345MTLCAST001S»",
    "«NL91ABNA0417164300»/«BE68539007547034»",
    "账户«AT611904300234573201»。",
    "«LC55HEMM000100010012001200023015»",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "GB82WEST12345698765433",
    "GB83 WEST 1234 5698 7654 32",
    "GB82WEST123456987654",
    "GB82WEST123456987654321",
    "XGB82WEST12345698765432",
    "ID_DE89370400440532013000",
    "ZZ82WEST12345698765432",
    "DE89 37 0400440532013000",
    "DE8937040044 0532013000",
    "DE89 3704-0044 0532-0130 00",
    "DE is the country code, 89 the check digits",
];
