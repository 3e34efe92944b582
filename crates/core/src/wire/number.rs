//! Numbers as text: account and card numbers travel as JSON numbers too, and `4.1e15` says as much as its digits.

use std::borrow::Cow;

/// From how many significant digits on a number is worth a look.
const LONG: usize = 9;

/// Up to how many digits a number is written in full.
const LONGEST: usize = 40;

/// The text of a number that is long enough to mean something: as it was written, or in full if it was written as a
/// whole number with a fraction or an exponent (`4.1e10`).
pub(super) fn long_number(raw: &str) -> Option<Cow<'_, str>> {
    if raw.len() < LONG && raw.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (sign, unsigned) = raw.strip_prefix('-').map_or(("", raw), |unsigned| ("-", unsigned));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let digits = digits.trim_start_matches('0');
    if mantissa.len() < unsigned.len() || !fraction.is_empty() {
        let full = in_full(digits, fraction.len(), exponent);
        if let Some(full) = full.filter(|full| (LONG..=LONGEST).contains(&full.len())) {
            return Some(Cow::Owned(format!("{sign}{full}")));
        }
    }
    (digits.len() >= LONG).then_some(Cow::Borrowed(raw))
}

/// Whether a number is below a hundred million for certain, as it is written. The digits of one that measures something are
/// its precision then, and never an account.
pub(super) fn is_small(raw: &str) -> bool {
    let unsigned = raw.strip_prefix('-').unwrap_or(raw);
    let whole = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let exponent = unsigned.split_once(['e', 'E']).map(|(_, exponent)| exponent);
    whole < LONG && exponent.is_none_or(|exponent| exponent.starts_with('-'))
}

/// Writes `digits`, of which the last `fraction` stand behind the point, times ten to the `exponent` as a whole number.
/// `None` if it is none, or zero, or much too long.
fn in_full(digits: &str, fraction: usize, exponent: &str) -> Option<String> {
    if digits.is_empty() {
        return None;
    }
    let scale = exponent
        .parse::<i64>()
        .ok()?
        .checked_sub(i64::try_from(fraction).ok()?)?;
    let shift = usize::try_from(scale.unsigned_abs()).ok()?;
    if scale >= 0 {
        return (shift <= LONGEST).then(|| [digits, &"0".repeat(shift)].concat());
    }
    let (full, rest) = digits.split_at_checked(digits.len().checked_sub(shift)?)?;
    rest.bytes().all(|digit| digit == b'0').then(|| full.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{is_small, long_number};

    #[test]
    fn short_numbers_say_nothing() {
        for raw in [
            "0",
            "-0",
            "12345678",
            "1.5",
            "1e3",
            "0e99999",
            "0.0000000000",
            "1.2e-30",
            "1e40",
            "1e999",
        ] {
            assert_eq!(long_number(raw), None, "{raw}");
        }
    }

    #[test]
    fn what_may_be_large_is_not_small() {
        for raw in ["0", "-0.4111111111111111", "12345678.9", "4.1e-7", "-99999999e-30"] {
            assert!(is_small(raw), "{raw}");
        }
        for raw in [
            "123456789",
            "-123456789.5",
            "4.111111111111111e15",
            "411111111111111100e-2",
            "1e+00",
        ] {
            assert!(!is_small(raw), "{raw}");
        }
    }

    #[test]
    fn long_numbers_are_text_in_full() {
        for (raw, text) in [
            ("123456789", "123456789"),
            ("-4111111111111111", "-4111111111111111"),
            ("4.111111111111111e15", "4111111111111111"),
            ("4.111111111111111E+15", "4111111111111111"),
            ("-4111111111111111.000", "-4111111111111111"),
            ("411111111111111100e-2", "4111111111111111"),
            ("0.0004111111111111111e19", "4111111111111111"),
            ("1e15", "1000000000000000"),
            ("0.4111111111111111", "0.4111111111111111"),
            ("4111111111111111.5", "4111111111111111.5"),
            (
                "4111111111111111e99999999999999999999",
                "4111111111111111e99999999999999999999",
            ),
        ] {
            assert_eq!(long_number(raw).as_deref(), Some(text), "{raw}");
        }
    }
}
