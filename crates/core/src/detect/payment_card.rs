//! Payment card numbers.
//!
//! **Finds** numbers of 13 to 19 digits that pass the Luhn check and begin like a card of Visa, Mastercard, American
//! Express, Discover, JCB, Diners Club, UnionPay, Maestro or Mir with a length that this issuer uses. The digits stand in
//! one run, or in groups as they are printed (`4-4-4-4`, `4-6-5`, `4-6-4`, `4-4-4-4-3`, …) with the same separator between
//! all groups: space, no-break space, hyphen or dot. Published test numbers are found as well, so that a policy can be
//! tried out with them.
//!
//! **Matters** because a card number is money to whoever reads it, and because PCI DSS makes every system that stores one
//! part of an audit; prompts and answers are stored in more places than one thinks.
//!
//! **Deliberately does not find** numbers inside a longer run of digits or an alphanumeric token, fractions of decimal
//! numbers, hyphenated or dotted numbers with further groups, one digit repeated, digits with other or mixed separators,
//! numbers of private issuers, and numbers that fail the check digit (one in ten random numbers passes it: order numbers
//! of the right shape are the usual false match). Expiry dates and security codes on their own are not looked for.
//!
//! **Tune** by asking for more than one: in a classification, `at_least: 2` passes a single unlucky order number.

use super::checks::luhn_sum;
use super::walk::{Probe, digit, next_number, walk};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "payment-card";

/// The detector of payment card numbers.
#[derive(Debug, Clone, Copy)]
pub struct PaymentCard;

impl Detector for PaymentCard {
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
        // Five groups of at most 14 digits each, separators of two bytes, and what must not follow.
        Horizon::Bounded(96)
    }

    fn shortest(&self) -> usize {
        13
    }

    fn fewest_digits(&self) -> usize {
        13
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
    match probe.run(start, LONGEST + 1, digit) {
        length @ SHORTEST..=LONGEST => {
            let end = start + length;
            (is_card(probe.known(start, end).iter().copied()) && ends(probe, end)).then_some(end)
        }
        4 | 6 => judge_groups(probe, start),
        _ => None,
    }
}

fn judge_groups(probe: &Probe<'_>, start: usize) -> Option<usize> {
    let first = probe.run(start, LONGEST, digit);
    let separator = *SEPARATORS
        .iter()
        .find(|separator| probe.starts_with(start + first, separator))?;
    // In prose a space also separates the card from the number before it and from the security code after it. Hyphens
    // and dots bind closer: there, one group more makes it another kind of number.
    let loose = separator == SPACE || separator == NO_BREAK_SPACE;
    let preceded = probe.behind(start, separator.len()) == separator
        && probe.before(start, separator.len() + 1).is_some_and(digit);
    if preceded && !loose {
        return None;
    }
    SHAPES
        .iter()
        .filter(|shape| shape.first() == Some(&first))
        .find_map(|shape| {
            let mut end = start;
            for (index, &length) in shape.iter().enumerate() {
                if index > 0 {
                    if !probe.starts_with(end, separator) {
                        return None;
                    }
                    end += separator.len();
                }
                if probe.run(end, length + 1, digit) != length {
                    return None;
                }
                end += length;
            }
            let digits = probe.known(start, end).iter().copied().filter(|&byte| digit(byte));
            let fits = is_card(digits) && ends(probe, end) && (loose || !probe.goes_on(end, separator));
            fits.then_some(end)
        })
}

fn ends(probe: &Probe<'_>, end: usize) -> bool {
    probe.ends_token(end) && !probe.goes_on(end, b".")
}

fn is_card(digits: impl DoubleEndedIterator<Item = u8> + Clone) -> bool {
    let length = digits.clone().count();
    let first_four = digits
        .clone()
        .take(4)
        .fold(0, |number, byte| number * 10 + u32::from(byte - b'0'));
    let repeated = digits.clone().zip(digits.clone().skip(1)).all(|(one, two)| one == two);
    issued(first_four, length) && !repeated && luhn_sum(digits).is_multiple_of(10)
}

/// Whether an issuer with these first four digits uses numbers of this length.
fn issued(first_four: u32, length: usize) -> bool {
    match first_four {
        // Mir, Mastercard.
        2200..=2204 => matches!(length, 16..=19),
        2221..=2720 | 5100..=5599 => length == 16,
        // Diners Club.
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => matches!(length, 14 | 16..=19),
        // American Express.
        3400..=3499 | 3700..=3799 => length == 15,
        // JCB.
        3528..=3589 => matches!(length, 16..=19),
        // Visa.
        4000..=4999 => matches!(length, 13 | 16 | 19),
        // Maestro.
        5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 => matches!(length, 13..=19),
        // Discover, UnionPay.
        6011 | 6200..=6299 | 6440..=6599 | 8100..=8171 => matches!(length, 16..=19),
        _ => false,
    }
}

const SHORTEST: usize = 13;
const LONGEST: usize = 19;
const SPACE: &[u8] = b" ";
const NO_BREAK_SPACE: &[u8] = "\u{a0}".as_bytes();
const SEPARATORS: &[&[u8]] = &[SPACE, b"-", b".", NO_BREAK_SPACE];

/// How the digits are grouped on cards and in forms, the longest number first.
const SHAPES: &[&[usize]] = &[
    &[4, 4, 4, 4, 3],
    &[6, 13],
    &[4, 4, 4, 4],
    &[4, 4, 4, 3],
    &[4, 6, 5],
    &[4, 4, 4, 2],
    &[4, 6, 4],
    &[4, 4, 4, 1],
];

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "«4111111111111111»",
    "my card is «4111 1111 1111 1111», thanks",
    "«4111-1111-1111-1111»",
    "«4111.1111.1111.1111».",
    "«4111\u{a0}1111\u{a0}1111\u{a0}1111»",
    "«4222222222222» is a short Visa",
    "(«5555555555554444»)",
    "«2221000000000009» and «2720990000000007»",
    "amex «3782 822463 10005» or «378282246310005»",
    "«6011111111111117»",
    "«3530111333300000»",
    "«30569309025904» and «3056 930902 5904»",
    "«6200000000000005»",
    "«6759649826438453»",
    "card «4111 1111 1111 1111» 123",
    "row 12 «4111 1111 1111 1111»",
    "卡号«4111111111111111»有效",
    r#"{"note": "a\n«4111111111111111»\n"}"#,
    "«4111111111111111»-«5555555555554444»",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "4111111111111112",
    "41111111111111111",
    "14111111111111111",
    "order_4111111111111111",
    "A4111111111111111",
    "4111111111111111Z",
    "0.4111111111111111",
    "4111111111111111.25",
    "4444444444444444",
    "4111-1111 1111-1111",
    "4111  1111  1111  1111",
    "4111-1111-1111-1111-1111",
    "9999-4111-1111-1111-1111",
    "1234567812345670",
    "1732334072123",
    "41 11 11 11 11 11 11 11",
    "550e8400-e29b-41d4-a716-446655440000",
];
