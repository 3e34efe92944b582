//! The text of JSON strings: from a token to what it says, back, and where each byte of it stood.
//!
//! Tokens here were read before, so a broken escape cannot occur; if a caller hands one in all the same, it stands for
//! nothing and no edit can be placed on it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use memchr::memchr;

/// What a string token (with its quotes) says.
#[must_use]
pub fn decode(token: &str) -> Cow<'_, str> {
    let inner = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    if memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(escape) = memchr(b'\\', rest.as_bytes()) {
        text.push_str(rest.get(..escape).unwrap_or_default());
        rest = rest.get(escape..).unwrap_or_default();
        let Some((character, length)) = unescape(rest.as_bytes()) else {
            break;
        };
        text.push(character);
        rest = rest.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character that an escape at the start of `bytes` stands for, and how long the escape is.
pub(super) fn unescape(bytes: &[u8]) -> Option<(char, usize)> {
    let simple = match bytes.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = hex4(bytes.get(2..6)?)?;
            if let Some(character) = char::from_u32(unit) {
                return Some((character, 6));
            }
            // A high half; only its low half makes it a character.
            let low = hex4(bytes.get(6..12)?.strip_prefix(b"\\u")?)?;
            if !(0xD800..0xDC00).contains(&unit) || !(0xDC00..0xE000).contains(&low) {
                return None;
            }
            return char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
                .map(|character| (character, 12));
        }
        _ => return None,
    };
    Some((simple, 2))
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |value, &digit| Some(value * 16 + char::from(digit).to_digit(16)?))
}

/// Appends `text` as the inside of a JSON string.
pub fn escape_into(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
}

/// The inside of a JSON string that says `text`.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    escape_into(text, &mut out);
    out
}

/// A JSON string token that says `text`.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 10);
    out.push('"');
    escape_into(text, &mut out);
    out.push('"');
    out
}

/// Where the byte range `decoded` of what a string token says stands in the token. `None` if it does not lie on character
/// boundaries or goes beyond the text.
#[must_use]
pub fn raw_range(token: &str, decoded: Range<usize>) -> Option<Range<usize>> {
    let mut cursor = Cursor::new(token);
    let start = cursor.advance(decoded.start)?;
    let end = cursor.advance(decoded.end)?;
    Some(start..end)
}

/// Walks a string token once and tells where growing offsets of its text stand in it.
#[derive(Debug, Clone)]
pub struct Cursor<'t> {
    token: &'t str,
    /// Offset in the token, and the same place in the text.
    raw: usize,
    decoded: usize,
}

impl<'t> Cursor<'t> {
    /// Begins behind the opening quote.
    #[must_use]
    pub const fn new(token: &'t str) -> Self {
        Self {
            token,
            raw: 1,
            decoded: 0,
        }
    }

    /// The offset in the token of byte `target` of the text. `None` if it is behind an earlier target, inside a
    /// character or beyond the text; the cursor is spent then.
    pub fn advance(&mut self, target: usize) -> Option<usize> {
        let end = self.token.len().checked_sub(1)?;
        loop {
            let missing = target.checked_sub(self.decoded)?;
            if missing == 0 {
                return Some(self.raw);
            }
            let rest = self.token.as_bytes().get(self.raw..end)?;
            let plain = memchr(b'\\', rest.get(..missing).unwrap_or(rest))
                .unwrap_or(rest.len())
                .min(missing);
            if plain > 0 {
                self.raw += plain;
                self.decoded += plain;
                if !self.token.is_char_boundary(self.raw) {
                    return None;
                }
            } else {
                let (character, length) = unescape(rest)?;
                self.raw += length;
                self.decoded += character.len_utf8();
            }
        }
    }
}
