//! The order of an object's members: by the UTF-16 code units of their names (RFC 8785 §3.2.3).

use std::cmp::Ordering;

/// Compares two names as they stand between their quotes in canonical JSON.
pub(super) fn compare(one: &[u8], other: &[u8]) -> Ordering {
    for (a, b) in one.iter().zip(other) {
        if !is_plain(*a) || !is_plain(*b) {
            return units(one).cmp(units(other));
        }
        if a != b {
            return a.cmp(b);
        }
    }
    one.len().cmp(&other.len())
}

/// Whether a byte of a name sorts as its code unit does: ASCII, and no escape.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii() && byte != b'\\'
}

/// The code units that a name stands for. The order of UTF-8 bytes differs from theirs above U+FFFF.
fn units(name: &[u8]) -> impl Iterator<Item = u16> {
    // INVARIANT: names were written by `write_string`, from text and with its few escapes.
    let text = std::str::from_utf8(name).unwrap_or_default();
    let mut characters = text.chars();
    let decoded = std::iter::from_fn(move || match characters.next()? {
        '\\' => Some(match characters.next()? {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            'u' => {
                let digits: String = characters.by_ref().take(4).collect();
                u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)?
            }
            other => other,
        }),
        other => Some(other),
    });
    decoded.flat_map(|character| {
        let mut units = [0; 2];
        let count = character.encode_utf16(&mut units).len();
        units.into_iter().take(count)
    })
}
