//! Vectors as text: many providers pack the numbers of an embedding into base64, four bytes each.
//!
//! Such a string is noise to every detector, and a chance match in it would break the vector. But only what holds small
//! numbers throughout is taken for one. Of bytes at random, four in ten groups are no small number, and of words in base64
//! every group that ends with a lower-case letter is none, so keys, pictures and prose are not mistaken for vectors.

/// From how many numbers on a string can be told to be a vector.
const FEWEST: usize = 32;

/// What the numbers of a vector are below in size (see [`is_small`](super::number::is_small)).
const LARGE: f32 = 1e8;

/// Whether a text is base64 (RFC 4648, with padding) of single-precision numbers, little end first, that are all small.
pub(super) fn is_vector(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let bytes = digits.len() * 3 / 4;
    if !text.len().is_multiple_of(4) || padding > 2 || !bytes.is_multiple_of(4) || bytes / 4 < FEWEST {
        return false;
    }
    let (mut held, mut count) = (0_u64, 0);
    for digit in digits.bytes() {
        let Some(value) = value(digit) else { return false };
        held = held << 6 | u64::from(value);
        count += 6;
        if count >= 32 {
            count -= 32;
            let number = f32::from_bits(((held >> count) as u32).swap_bytes());
            held &= (1 << count) - 1;
            // Also false for what is no number.
            if number.abs() < LARGE {
                continue;
            }
            return false;
        }
    }
    // Bits behind the last byte are zero where nobody hides anything.
    held == 0
}

/// What a digit of base64 stands for.
const fn value(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Packs numbers, for tests.
#[cfg(test)]
pub(super) fn pack(numbers: &[f32]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let group = |three: &[u8]| {
        let held = (0..3).fold(0_usize, |held, at| {
            held << 8 | usize::from(three.get(at).copied().unwrap_or_default())
        });
        (0..4)
            .map(|at| {
                if at <= three.len() {
                    char::from(DIGITS[held >> (18 - 6 * at) & 63])
                } else {
                    '='
                }
            })
            .collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::{is_vector, pack};

    #[test]
    fn small_numbers_are_a_vector() {
        for count in [32, 33, 34, 1536] {
            let numbers: Vec<f32> = (0..count).map(|at| (at as f32 - 700.0) / 1e4).collect();
            assert!(is_vector(&pack(&numbers)), "{count}");
        }
    }

    #[test]
    fn everything_else_is_text() {
        let numbers = [0.25_f32; 40];
        for odd in [f32::NAN, f32::INFINITY, -3e8] {
            let mut numbers = numbers;
            numbers[17] = odd;
            assert!(!is_vector(&pack(&numbers)), "{odd}");
        }
        let words: Vec<f32> = "Send it to no one but me. "
            .repeat(8)
            .as_bytes()
            .as_chunks()
            .0
            .iter()
            .map(|&four| f32::from_le_bytes(four))
            .collect();
        let good = pack(&numbers);
        for text in [
            String::new(),
            pack(&numbers[..31]),
            good.replace("AA", "A A"),
            good.replace('A', "-"),
            format!("{good}=="),
            format!("{good}AAA"),
            good.trim_end_matches('=').to_owned(),
            pack(&words),
            "4111111111111111".repeat(12),
            "QUtJQUlPU0ZPRE5ON0VYQU1QTEU".repeat(16),
        ] {
            assert!(!is_vector(&text), "{text}");
        }
    }
}
