//! How long keys live, as people write it.

use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Reads a length of time: `90d`, `12h` or `30m`, in milliseconds.
#[must_use]
pub fn milliseconds(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "d" => DAY_MS,
        "h" => 3_600_000,
        "m" => 60_000,
        _ => return None,
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = digits.then(|| number.parse().ok()).flatten()?;
    number.checked_mul(unit).filter(|length| *length <= LONGEST_MS)
}

/// Reads when something ends, in milliseconds since 1970: after a length of time from `now_ms` on (`90d`), or with a day
/// (`2027-01-31`, the last on which it holds, in UTC).
#[must_use]
pub fn end_of(text: &str, now_ms: i64) -> Option<i64> {
    if let Some(length) = milliseconds(text) {
        return now_ms.checked_add(length);
    }
    let date: Date = text.parse().ok()?;
    let after = date.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(after.timestamp().as_millisecond())
}

/// The day of a moment, in days since 1970 (UTC).
#[must_use]
pub const fn day(ms: i64) -> i64 {
    ms.div_euclid(DAY_MS)
}

const DAY_MS: i64 = 86_400_000;
/// A thousand years: more is a slip.
const LONGEST_MS: i64 = 366_000 * DAY_MS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_days_are_read() {
        let now = 1_796_083_200_000; // 2026-12-01T00:00:00Z
        for (text, end) in [
            ("90d", Some(now + 90 * DAY_MS)),
            ("12h", Some(now + DAY_MS / 2)),
            ("0m", Some(now)),
            ("2026-12-01", Some(now + DAY_MS)),
            ("2026-11-30", Some(now)),
            ("2026-02-29", None),
            ("90", None),
            ("d", None),
            ("", None),
            ("-1d", None),
            ("+1d", None),
            ("1.5d", None),
            ("9999999999d", None),
            ("99999999999999999999d", None),
            ("1ü", None),
        ] {
            assert_eq!(end_of(text, now), end, "{text}");
        }
        assert_eq!((day(now), day(now - 1)), (20_788, 20_787));
    }
}
