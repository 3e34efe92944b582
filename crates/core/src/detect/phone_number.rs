//! Phone numbers.
//!
//! **Finds** international numbers (`+49 30 1234567`, `0044 20 7946 0958`) in the lengths that their country uses, numbers of
//! the North American plan with hyphens, dots or a bracketed area code, and numbers with a leading zero in separate groups,
//! as in Europe, India, Australia and Japan, with an extension where one follows. Other groupings, and digits in one run, count
//! only beside a word that says what they are (`phone`, `Tel.`, `móvil`, `携帯`, …), at most 40 bytes before the number, or, with
//! a leading zero, in the column after an email address.
//!
//! **Matters** because it reaches a person anywhere, and because a mobile number is what most accounts are recovered with.
//!
//! **Deliberately does not find** digits that nothing names, dates, times, versions, prices and addresses of the internet,
//! short and emergency numbers, and anything that is part of a longer number or token.
//!
//! **Tune** by excepting your own switchboard: it stands under every letter.

use super::label::{REACH, named_nearest};
use super::walk::{Probe, digit, next_digit, walk, word};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "phone-number";

/// The detector of phone numbers.
#[derive(Debug, Clone, Copy)]
pub struct PhoneNumber;

impl Detector for PhoneNumber {
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
        // The groups, separators of up to three bytes, and an extension.
        Horizon::Bounded(MOST_DIGITS + MOST_GROUPS * 4 + 16)
    }

    fn shortest(&self) -> usize {
        7
    }

    fn fewest_digits(&self) -> usize {
        7
    }

    fn starts(&self) -> ByteSet {
        ByteSet::of(b"+(0123456789")
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        Ok(walk(window, ID, matches, next, judge, open))
    }
}

/// The next digit that begins a run, from where a bracket and a plus before it begin.
fn next(bytes: &[u8], from: usize) -> Option<usize> {
    let mut offset = from;
    loop {
        let found = next_digit(bytes, offset)?;
        let before = bytes.get(from..found).unwrap_or_default();
        let signs = before
            .iter()
            .rev()
            .take(2)
            .take_while(|byte| matches!(byte, b'(' | b'+'))
            .count();
        if bytes
            .get(..found)
            .and_then(<[u8]>::last)
            .is_none_or(|byte| !word(*byte) || byte.is_ascii_alphabetic())
        {
            return Some(found - signs);
        }
        offset = found + 1 + bytes.get(found + 1..)?.iter().take_while(|&&byte| digit(byte)).count();
    }
}

/// A plus or a bracket at the end may be the beginning.
fn open(bytes: &[u8], from: usize) -> usize {
    let signs = bytes
        .iter()
        .rev()
        .take(2)
        .take_while(|byte| matches!(byte, b'(' | b'+'))
        .count();
    (bytes.len() - signs).max(from)
}

fn judge(probe: &Probe<'_>, start: usize) -> Option<usize> {
    if !begins(probe, start) {
        return None;
    }
    let written = Written::read(probe, start)?;
    let beside = named_nearest(probe, start, WORDS, REACH);
    // Of longer rows of digits, no part is taken for a number that only its neighbourhood makes one.
    let overlong = written.groups.get(written.count - 1)?.total > 15;
    let beside = (beside || is_contact(probe, start)) && !overlong;
    (1..=written.count).rev().find_map(|count| {
        let number = written.first(count)?;
        let end = number.end()?;
        let fits = number.is_international() || number.is_national(probe, start) || (beside && number.is_plain());
        let extended = extension(probe, end);
        (fits && ends(probe, end, extended, count < written.count, beside)).then_some(extended)
    })
}

/// Whether a number with a leading zero stands in the column after an email address: such rows are lists of contacts.
fn is_contact(probe: &Probe<'_>, start: usize) -> bool {
    let Some((b',' | b';' | b'\t' | b'|', before)) = probe.behind(start, REACH).split_last() else {
        return false;
    };
    let host = before
        .iter()
        .rev()
        .take_while(|&&byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'-'))
        .count();
    let zero = probe.known(start, start + 2);
    host > 3 && before.iter().rev().nth(host) == Some(&b'@') && matches!(zero, [b'0', b'1'..=b'9'])
}

/// Whether a number could begin here: not in a token, nor as a later part of a number, an address or a price.
fn begins(probe: &Probe<'_>, start: usize) -> bool {
    if !probe.begins_token(start) {
        return false;
    }
    match probe.before(start, 1) {
        Some(b'-' | b'/' | b'.' | b':') => !probe.before(start, 2).is_some_and(digit),
        Some(b'+' | b'$' | b'#' | b'%' | b'@' | b'(' | b'*' | b'^') => false,
        // The last byte of the signs of pound and yen, and of euro.
        Some(0xA3 | 0xA5) if probe.before(start, 2) == Some(0xC2) => false,
        Some(0xAC) if probe.before(start, 2) == Some(0x82) => false,
        _ => true,
    }
}

/// Whether a number ends here, and is not the beginning of a longer one.
fn ends(probe: &Probe<'_>, end: usize, extended: usize, more: bool, beside: bool) -> bool {
    if !probe.ends_token(extended) {
        return false;
    }
    // What was read as another group is tied to the number unless a space stands between.
    let tied = [b"-", b".", b"/", b":", b","]
        .iter()
        .any(|tie| probe.goes_on(end, *tie));
    !tied && (!more || beside) && !probe.starts_with(end, b"%")
}

/// Where an extension ends that begins at an offset; the offset if there is none.
fn extension(probe: &Probe<'_>, end: usize) -> usize {
    const MARKS: [&[u8]; 6] = [b"x", b" x", b" ext. ", b" ext ", b" ext.", b" x "];
    MARKS
        .iter()
        .filter(|mark| probe.starts_with(end, mark))
        .map(|mark| (end + mark.len(), probe.run(end + mark.len(), 6, digit)))
        .find(|&(_, digits)| (1..=5).contains(&digits))
        .map_or(end, |(start, digits)| start + digits)
}

/// Digits in groups.
#[derive(Debug, Clone, Copy)]
struct Written {
    plus: bool,
    digits: [u8; MOST_DIGITS],
    groups: [Group; MOST_GROUPS],
    /// How many groups there are.
    count: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Group {
    /// How many digits it has.
    length: usize,
    /// How many digits there are up to its end.
    total: usize,
    /// Where it ends in the text, with its bracket.
    end: usize,
    bracketed: bool,
    /// What stands before it: a separator, or 0 for none.
    tie: u8,
}

impl Written {
    /// Reads what stands at an offset as far as it can be one number.
    fn read(probe: &Probe<'_>, start: usize) -> Option<Self> {
        let mut written = Self {
            plus: false,
            digits: [0; MOST_DIGITS],
            groups: [Group::default(); MOST_GROUPS],
            count: 0,
        };
        let mut offset = start;
        let mut tie = 0;
        let mut total = 0;
        while written.count < MOST_GROUPS {
            let bracketed = probe.at(offset) == Some(b'(');
            let mut from = offset + usize::from(bracketed);
            if written.count == 0 && probe.at(from) == Some(b'+') {
                written.plus = true;
                from += 1;
            }
            let length = probe.run(from, MOST_DIGITS - total + 1, digit);
            let closed = !bracketed || probe.at(from + length) == Some(b')');
            if length == 0 || total + length > MOST_DIGITS || !closed {
                break;
            }
            for (slot, &byte) in written
                .digits
                .iter_mut()
                .skip(total)
                .zip(probe.known(from, from + length))
            {
                *slot = byte;
            }
            total += length;
            let end = from + length + usize::from(bracketed);
            *written.groups.get_mut(written.count)? = Group {
                length,
                total,
                end,
                bracketed,
                tie,
            };
            written.count += 1;
            (tie, offset) = match probe.at(end) {
                Some(b'-' | b'.' | b'/') if !bracketed => (probe.at(end)?, end + 1),
                Some(b'-') => (b'-', end + 1),
                Some(b' ') => (b' ', end + 1),
                Some(0xC2) if probe.at(end + 1) == Some(0xA0) => (b' ', end + 2),
                Some(byte) if byte.is_ascii_digit() && bracketed => (b')', end),
                Some(b'(') => (b')', end),
                _ => break,
            };
        }
        (written.count > 0).then_some(written)
    }

    fn first(&self, count: usize) -> Option<Number<'_>> {
        let groups = self.groups.get(..count)?;
        Some(Number {
            plus: self.plus,
            digits: self.digits.get(..groups.last()?.total)?,
            groups,
        })
    }
}

/// The first groups of what was read.
#[derive(Debug, Clone, Copy)]
struct Number<'w> {
    plus: bool,
    digits: &'w [u8],
    groups: &'w [Group],
}

impl Number<'_> {
    fn end(&self) -> Option<usize> {
        self.groups.last().map(|group| group.end)
    }

    /// A plus or two zeros, the code of a country, and as many digits as it uses.
    fn is_international(&self) -> bool {
        let zeros = !self.plus && self.digits.starts_with(b"00") && self.groups.len() > 1 && !self.is_blocks();
        let digits = match (self.plus, zeros) {
            (true, _) => self.digits,
            (_, true) => self.digits.get(2..).unwrap_or_default(),
            _ => return false,
        };
        // The zero in brackets is dialled only inside the country.
        let optional = usize::from(self.groups.iter().any(|group| group.bracketed && group.length == 1));
        let Some((code, least, most)) = COUNTRIES.iter().find(|(code, ..)| digits.starts_with(code.as_bytes())) else {
            return false;
        };
        let rest = digits.get(code.len()..).unwrap_or_default();
        let american = *code != "1" || rest.first().is_some_and(|&byte| byte > b'1');
        let zero = rest.starts_with(b"00");
        let whole = self
            .groups
            .iter()
            .all(|group| !group.bracketed || group.tie != 0 || self.plus);
        whole && american && !zero && (*least..=*most + optional).contains(&rest.len())
    }

    /// Groups of four, as cards and accounts are written.
    fn is_blocks(&self) -> bool {
        match self.groups {
            [all @ .., last] => all.len() > 1 && last.length <= 4 && all.iter().all(|group| group.length == 4),
            [] => false,
        }
    }

    /// The North American plan, and numbers with a trunk zero, in groups that tell.
    fn is_national(&self, probe: &Probe<'_>, start: usize) -> bool {
        if self.plus {
            return false;
        }
        let loose = self.groups.iter().skip(1).all(|group| group.tie == b' ');
        let follows = probe.before(start, 1) == Some(b' ') && probe.before(start, 2).is_some_and(digit);
        // `ABNA 0417 1643 00` goes on with an account number.
        let account = matches!(
            probe.behind(start, 6),
            [b' ', code @ .., b' '] if code.iter().all(|byte| byte.is_ascii_uppercase() || digit(*byte))
        );
        if loose && (follows || account) && !self.groups.iter().any(|group| group.bracketed) {
            return false;
        }
        self.is_american() || self.is_brazilian() || self.has_trunk_zero()
    }

    fn is_american(&self) -> bool {
        let groups = match self.groups {
            [first, rest @ ..] if first.length == 1 && self.digits.first() == Some(&b'1') => rest,
            all => all,
        };
        let [area, exchange, line] = groups else {
            return false;
        };
        let digits = self
            .digits
            .get(self.digits.len().saturating_sub(10)..)
            .unwrap_or_default();
        let above_one = |index: usize| digits.get(index).is_some_and(|&byte| byte > b'1');
        let tight = area.bracketed || matches!(exchange.tie, b'-' | b'.');
        let uniform = area.bracketed || exchange.tie == line.tie;
        (area.length, exchange.length, line.length) == (3, 3, 4)
            && tight
            && uniform
            && line.tie != b'/'
            && above_one(0)
            && above_one(3)
    }

    /// `(11) 98456-5666`.
    fn is_brazilian(&self) -> bool {
        let [area, first, second] = self.groups else {
            return false;
        };
        area.bracketed
            && matches!((area.length, first.length, second.length), (2, 4 | 5, 4))
            && matches!(second.tie, b'-' | b' ')
            && self.digits.first() != Some(&b'0')
    }

    /// A zero and an area code, then the rest.
    fn has_trunk_zero(&self) -> bool {
        let ([first, rest @ ..], [b'0', b'1'..=b'9', ..]) = (self.groups, self.digits) else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return false;
        };
        // All ties are the same; behind the area code there may be another one, and only there a slash.
        let inner = rest.get(1..).unwrap_or_default();
        let uniform = inner
            .iter()
            .all(|group| group.tie == last.tie && group.tie != b'/' && !group.bracketed);
        // Four groups of up to three digits between dots are an address of the internet.
        let address = last.tie == b'.' && self.groups.len() == 4 && self.groups.iter().all(|group| group.length < 4);
        let between = middle.iter().all(|group| (2..=4).contains(&group.length));
        // 3-3-4 with spaces is how health services write.
        let patient = self.has_lengths(&[3, 3, 4]) && !first.bracketed && last.tie == b' ';
        let area = (2..=5).contains(&first.length);
        let sizes = match self.groups.len() {
            2 => area && (4..=8).contains(&last.length),
            3 if self.has_lengths(&[5, 2, 2]) || self.has_lengths(&[1, 3, 7]) => true,
            3 => area && between && (3..=4).contains(&last.length) && self.digits.len() > 9 && !patient,
            4 => (area && between && (2..=4).contains(&last.length)) || self.has_lengths(&[1, 3, 3, 4]),
            5 => self.has_lengths(&[2, 2, 2, 2, 2]) || self.has_lengths(&[1, 3, 3, 2, 2]),
            _ => false,
        };
        (9..=12).contains(&self.digits.len()) && uniform && sizes && !address && !self.is_blocks()
    }

    /// Whether the groups have these lengths.
    fn has_lengths(&self, expected: &[usize]) -> bool {
        self.groups.len() == expected.len()
            && self
                .groups
                .iter()
                .zip(expected)
                .all(|(group, length)| group.length == *length)
    }

    /// Seven digits or more that are no date, address or amount: beside a word, that is enough.
    fn is_plain(&self) -> bool {
        let most = if self.digits.starts_with(b"00") { 15 } else { 13 };
        let century = self.digits.starts_with(b"19") || self.digits.starts_with(b"20");
        let date = (self.has_lengths(&[4, 2, 2]) && century)
            || self.has_lengths(&[2, 2, 4])
            || (self.has_lengths(&[8]) && century);
        let later = self.groups.get(1..).unwrap_or_default();
        let amount = !later.is_empty() && later.iter().all(|group| group.tie == b'.' && group.length == 3);
        let decimal = later.len() == 1 && later.iter().all(|group| group.tie == b'.');
        let short = later.iter().any(|group| group.length < 2 && !group.bracketed);
        let repeated = self
            .digits
            .iter()
            .zip(self.digits.iter().skip(1))
            .all(|(one, two)| one == two);
        // What follows a long group with a space is the next thing in the sentence.
        let appended = matches!(self.groups, [.., long, last] if last.length < 3 && long.length > 4);
        let slashed = later.iter().skip(1).any(|group| group.tie == b'/');
        (7..=most).contains(&self.digits.len())
            && !date
            && !amount
            && !decimal
            && !short
            && !repeated
            && !slashed
            && !appended
    }
}

const MOST_DIGITS: usize = 17;
const MOST_GROUPS: usize = 8;

const WORDS: &[&str] = &[
    "phone",
    "phones",
    "phone number",
    "phonenumber",
    "phoneno",
    "telephone",
    "tel",
    "tele",
    "tel no",
    "mobile",
    "mob",
    "cell",
    "cellphone",
    "call",
    "fax",
    "whatsapp",
    "sms",
    "dial",
    "telefon",
    "telefonnummer",
    "telefonnr",
    "rufnummer",
    "handy",
    "handynummer",
    "mobil",
    "mobilnummer",
    "mobiltelefon",
    "téléphone",
    "téléphones",
    "portable",
    "mobilfunk",
    "teléfono",
    "telefono",
    "telepono",
    "móvil",
    "movil",
    "celular",
    "cellulare",
    "cell.",
    "telefone",
    "telemóvel",
    "telefoon",
    "telefoonnummer",
    "gsm",
    "mobiel",
    "komórka",
    "tlf",
    "puhelin",
    "telefonu",
    "cep",
    "contact number",
    "phone_number",
    "телефон",
    "тел",
    "电话",
    "電話",
    "手机",
    "手機",
    "携帯",
    "전화",
    "연락처",
    "휴대폰",
    "טלפון",
    "هاتف",
];

/// Codes of countries, and how many digits follow them (ITU-T E.164 and national plans); the longest code first.
const COUNTRIES: &[(&str, usize, usize)] = &[
    ("351", 9, 9),
    ("352", 5, 11),
    ("353", 7, 9),
    ("354", 7, 9),
    ("355", 8, 9),
    ("356", 8, 8),
    ("357", 8, 8),
    ("358", 6, 11),
    ("359", 7, 9),
    ("370", 8, 8),
    ("371", 8, 8),
    ("372", 7, 8),
    ("380", 9, 9),
    ("385", 8, 9),
    ("386", 8, 8),
    ("420", 9, 9),
    ("421", 9, 9),
    ("852", 8, 8),
    ("886", 8, 9),
    ("966", 8, 9),
    ("971", 8, 9),
    ("972", 8, 9),
    ("20", 8, 10),
    ("27", 9, 9),
    ("30", 10, 10),
    ("31", 9, 10),
    ("32", 8, 9),
    ("33", 9, 10),
    ("34", 9, 9),
    ("36", 8, 9),
    ("39", 6, 11),
    ("40", 9, 9),
    ("41", 9, 9),
    ("43", 7, 13),
    ("44", 9, 11),
    ("45", 8, 8),
    ("46", 7, 10),
    ("47", 8, 8),
    ("48", 9, 9),
    ("49", 6, 12),
    ("51", 8, 9),
    ("52", 10, 11),
    ("54", 10, 11),
    ("55", 10, 11),
    ("56", 9, 9),
    ("57", 8, 10),
    ("58", 10, 10),
    ("60", 8, 10),
    ("61", 9, 10),
    ("62", 8, 12),
    ("63", 8, 10),
    ("64", 8, 10),
    ("65", 8, 8),
    ("66", 8, 9),
    ("81", 9, 10),
    ("82", 8, 10),
    ("84", 9, 10),
    ("86", 10, 11),
    ("90", 10, 10),
    ("91", 10, 10),
    ("92", 9, 10),
    ("93", 9, 9),
    ("94", 9, 9),
    ("95", 7, 10),
    ("98", 10, 10),
    // Codes of three digits that are not listed above.
    ("2", 9, 12),
    ("3", 9, 12),
    ("4", 9, 12),
    ("5", 9, 12),
    ("6", 8, 12),
    ("8", 9, 12),
    ("9", 9, 12),
    ("1", 10, 10),
    ("7", 10, 10),
];

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "«+49 30 1234567», «+14155550132»",
    "«+44 (0)20 7946 0958» or «0044 20 7946 0958»",
    "«(+33) 4 79 25 87 83»",
    "«+1-362-754-2121x1238».",
    "US: «415-555-0132» and «(415) 555-0132» and «(415)555-0132»",
    "«1-800-555-0199», «800.555.0199»",
    "telefone «03 57 46 01 61»",
    "reach us: «03.57.46.01.61»",
    "back on «(0118) 4960675» after 3pm",
    "«020 7946 0958», «07700 900123»",
    "«030/1234567», «0171-1234567»",
    "«03-1234-5678», «090-1234-5678»",
    "«044 668 18 00»",
    "«(11) 98456-5666»",
    "call «5551234» now",
    "Tel. «612 345 678»",
    "móvil: «612345678»",
    r#"{"phone": "«09926399904»"}"#,
    "携帯«09012345678»。",
    "mobile: «333 1234567» 12 May",
    "A B,a.b@example.com,«09926399904»",
    "«0 532 123 45 67», «0-532-123-45-67», «0 (917) 123 4567»",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "09926399904",
    "612 345 678",
    "2026-11-27 22:13:22",
    "27.11.2026 22:13",
    "27/11/2026",
    "call 2026-11-27",
    "call on 27/11/2026",
    "call at 12:30:45",
    "phone costs $1000000",
    "phone 1.000.000",
    "192.168.100.200",
    "010.123.123.123",
    "1.2.3.4.5",
    "v2.10.3456",
    "943 476 5870",
    "401-023-2137",
    "123-45-6789",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "550e8400-e29b-41d4-a716-446655440000",
    "ORD-415-555-0132-7",
    "A415-555-0132",
    "order 4155550132",
    "0.4155550132",
    "+0100",
    "1+1234567",
    "call 0000000",
    "recall5551234",
    "phoneless 5551234",
    "phone 4111 1111 1111 1111",
    "Tel. 5, SSN 123-45-6789",
    "IBAN NL91 ABNA 0417 1643 00",
    "HR12 1001 0051 8630 0016 0",
    "078-05-1120",
    "NHS 088 747 2281",
    "0081508150001",
    "A B,a.b@example.com,1234567890",
];
