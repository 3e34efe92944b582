//! The arithmetic of check digits and dates. Numbers are ASCII digits and capital letters without separators.

/// The sum of the first digits, each times its weight.
pub(super) fn weigh(number: &[u8], weights: &[u32]) -> u32 {
    number
        .iter()
        .zip(weights)
        .map(|(&byte, weight)| value(byte) * weight)
        .sum()
}

/// What a digit counts; letters count as in ISO 7064, A as 10 to Z as 35.
pub(super) fn value(byte: u8) -> u32 {
    char::from(byte).to_digit(36).unwrap_or(0)
}

/// The value of the character at an index.
pub(super) fn at(number: &[u8], index: usize) -> u32 {
    number.get(index).copied().map_or(0, value)
}

/// What the digits between two indices say; at most 18 of them.
pub(super) fn part(number: &[u8], from: usize, to: usize) -> u64 {
    let digits = number.get(from..to).unwrap_or_default();
    digits.iter().fold(0, |sum, &byte| sum * 10 + u64::from(value(byte)))
}

/// ISO/IEC 7812-1, annex B: from the right, every second digit counts double.
pub(super) fn luhn(number: &[u8]) -> bool {
    luhn_sum(number.iter().copied()).is_multiple_of(10)
}

/// The sum of the Luhn check.
pub(super) fn luhn_sum(number: impl DoubleEndedIterator<Item = u8>) -> u32 {
    number
        .rev()
        .enumerate()
        .map(|(index, byte)| {
            let weighted = value(byte) * if index % 2 == 1 { 2 } else { 1 };
            weighted / 10 + weighted % 10
        })
        .sum()
}

/// Verhoeff's check (1969): the digits are elements of the dihedral group of order ten.
pub(super) fn verhoeff(number: &[u8]) -> bool {
    let check = number.iter().rev().enumerate().fold(0, |check, (index, &byte)| {
        let permuted = (0..index % 8).fold(value(byte), |digit, _| {
            [1, 5, 7, 6, 2, 8, 3, 0, 9, 4].get(digit as usize).copied().unwrap_or(0)
        });
        dihedral(check, permuted)
    });
    check == 0
}

/// The product of two elements of the dihedral group: 0 to 4 are turns, 5 to 9 are reflections.
fn dihedral(one: u32, two: u32) -> u32 {
    match (one < 5, two < 5) {
        (true, true) => (one + two) % 5,
        (true, false) => 5 + (one + two - 5) % 5,
        (false, true) => 5 + (one - 5 + 5 - two) % 5,
        (false, false) => (one + 5 - two) % 5,
    }
}

/// ISO 7064, MOD 11,10.
pub(super) fn mod_11_10(number: &[u8]) -> bool {
    let Some((last, digits)) = number.split_last() else {
        return false;
    };
    let product = digits.iter().fold(10, |product, &byte| {
        let sum = (product + value(byte)) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (product + value(*last)) % 10 == 1
}

/// ISO 7064, MOD 11-2, where `X` counts ten.
pub(super) fn mod_11_2(number: &[u8]) -> bool {
    let sum = number.iter().fold(0, |sum, &byte| {
        let value = if byte == b'X' { 10 } else { value(byte) };
        (sum * 2 + value) % 11
    });
    sum == 1
}

/// The check digit of article numbers: from the right, every second digit counts three times.
pub(super) fn ean(number: &[u8]) -> bool {
    let sum: u32 = number
        .iter()
        .rev()
        .enumerate()
        .map(|(index, &byte)| value(byte) * if index % 2 == 1 { 3 } else { 1 })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether there is such a day. Of the year only the last two digits are needed; 1900 passes as a leap year.
pub(super) fn is_day(year: u64, month: u64, day: u64) -> bool {
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether six digits are a day, year first.
pub(super) fn is_yymmdd(number: &[u8]) -> bool {
    is_day(part(number, 0, 2), part(number, 2, 4), part(number, 4, 6))
}

/// Whether six digits are a day, year last.
pub(super) fn is_ddmmyy(number: &[u8]) -> bool {
    is_day(part(number, 4, 6), part(number, 2, 4), part(number, 0, 2))
}

/// Whether one digit is repeated all the way.
pub(super) fn is_uniform(number: &[u8]) -> bool {
    number.iter().zip(number.iter().skip(1)).all(|(one, two)| one == two)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No check digit but the right one passes.
    fn only(check: fn(&[u8]) -> bool, number: &str) {
        let (stem, _) = number.split_at(number.len() - 1);
        let passing: Vec<String> = (0..10)
            .map(|last| format!("{stem}{last}"))
            .filter(|one| check(one.as_bytes()))
            .collect();
        assert_eq!(passing, [number]);
    }

    #[test]
    fn checks_accept_published_numbers_and_no_other_check_digit() {
        // The examples of the standards and of Verhoeff's and Luhn's descriptions.
        only(luhn, "79927398713");
        only(verhoeff, "2363");
        only(verhoeff, "123451");
        only(mod_11_10, "07945");
        only(ean, "4006381333931");
        assert!(mod_11_2(b"079X") && !mod_11_2(b"0790"));
    }

    #[test]
    fn verhoeff_notices_every_swap_of_neighbours() {
        let number = b"2363";
        for index in 0..3 {
            let mut swapped = *number;
            swapped.swap(index, index + 1);
            assert!(!verhoeff(&swapped) || swapped == *number);
        }
    }

    #[test]
    fn days_exist() {
        assert!(is_yymmdd(b"000229") && is_yymmdd(b"991231") && is_ddmmyy(b"310199"));
        assert!(!is_yymmdd(b"010229") && !is_yymmdd(b"991301") && !is_ddmmyy(b"310499") && !is_ddmmyy(b"000199"));
    }
}
