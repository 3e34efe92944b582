//! The reader itself: one pass over validated UTF-8, with its own stack.

use std::borrow::Cow;

use memchr::memchr2;

use super::{Document, Kind, Limits, NOWHERE, Slot, TOO_MANY_VALUES, Vectors, text};
use crate::wire::Malformed;
use crate::wire::number::is_small;

/// Above this many members, names are sorted to find a duplicate rather than compared one with another.
const FEW_MEMBERS: usize = 12;

/// About how many bytes of an ordinary body there are for each value, and for how many values room is made at first.
const BYTES_OF_A_VALUE: usize = 16;
const MOST_AT_FIRST: usize = 1024;

pub(super) fn parse<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Document<'b>, Malformed> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(Malformed {
            offset: 0,
            reason: "byte order mark",
        });
    }
    if u32::try_from(bytes.len()).is_err() {
        return Err(Malformed {
            offset: 0,
            reason: "too large",
        });
    }
    let text = str::from_utf8(bytes).map_err(|error| Malformed {
        offset: error.valid_up_to(),
        reason: "invalid UTF-8",
    })?;
    let reader = Reader {
        text,
        bytes,
        at: 0,
        slots: Vec::with_capacity((bytes.len() / BYTES_OF_A_VALUE).min(MOST_AT_FIRST)),
        open: Vec::with_capacity(8),
        limits: *limits,
    };
    Ok(Document {
        text,
        slots: reader.document()?,
    })
}

/// The string token that `text` begins with: what it says, and how long it is.
pub(super) fn leading_string(text: &str) -> Option<(Cow<'_, str>, usize)> {
    if !text.starts_with('"') {
        return None;
    }
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        slots: Vec::new(),
        open: Vec::new(),
        limits: Limits::default(),
    };
    reader.string().ok()?;
    Some((text::decode(text.get(..reader.at)?), reader.at))
}

struct Reader<'b> {
    text: &'b str,
    bytes: &'b [u8],
    at: usize,
    slots: Vec<Slot>,
    /// The containers around the current place, with how many children each has so far.
    open: Vec<Open>,
    limits: Limits,
}

/// The member name of the value that comes next: its token, empty if it is no member.
#[derive(Clone, Copy, Default)]
struct Name {
    start: u32,
    end: u32,
    escaped: bool,
}

#[derive(Clone, Copy)]
struct Open {
    slot: u32,
    kind: Kind,
    children: u32,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    FirstItem,
    FirstName,
    Name,
    Delimiter,
}

impl Reader<'_> {
    fn document(mut self) -> Result<Vec<Slot>, Malformed> {
        let mut expect = Expect::Value;
        let mut name = Name::default();
        loop {
            self.skip_space();
            let Some(&byte) = self.bytes.get(self.at) else {
                return Err(self.fail("unexpected end"));
            };
            expect = match (expect, byte) {
                (Expect::FirstItem, b']') | (Expect::FirstName, b'}') => self.close()?,
                (Expect::Value | Expect::FirstItem, _) => self.value(byte, std::mem::take(&mut name))?,
                (Expect::FirstName | Expect::Name, b'"') => {
                    let start = self.at;
                    let escaped = self.string()?;
                    name = Name {
                        start: start as u32,
                        end: self.at as u32,
                        escaped,
                    };
                    self.skip_space();
                    if self.bytes.get(self.at) != Some(&b':') {
                        return Err(self.fail("expected a colon"));
                    }
                    self.at += 1;
                    Expect::Value
                }
                (Expect::FirstName | Expect::Name, _) => return Err(self.fail("expected a member name")),
                (Expect::Delimiter, _) => match (self.open.last().map(|open| open.kind), byte) {
                    (Some(Kind::Array), b',') => {
                        self.at += 1;
                        Expect::Value
                    }
                    (Some(Kind::Object), b',') => {
                        self.at += 1;
                        Expect::Name
                    }
                    (Some(Kind::Array), b']') | (Some(Kind::Object), b'}') => self.close()?,
                    _ => return Err(self.fail("expected a comma or a closing bracket")),
                },
            };
            if expect == Expect::Delimiter && self.open.is_empty() {
                self.skip_space();
                return if self.at == self.bytes.len() {
                    Ok(self.slots)
                } else {
                    Err(self.fail("trailing data"))
                };
            }
        }
    }

    /// Reads a scalar, or opens a container.
    fn value(&mut self, byte: u8, name: Name) -> Result<Expect, Malformed> {
        let start = self.at;
        let kind = match byte {
            b'"' => Kind::String,
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'-' | b'0'..=b'9' => Kind::Number,
            b't' | b'f' => Kind::Bool,
            b'n' => Kind::Null,
            _ => return Err(self.fail("expected a value")),
        };
        let mut escaped = false;
        match kind {
            Kind::String => escaped = self.string()?,
            Kind::Number => self.number()?,
            Kind::Bool if byte == b't' => self.literal(b"true")?,
            Kind::Bool => self.literal(b"false")?,
            Kind::Null => self.literal(b"null")?,
            Kind::Array | Kind::Object => self.at += 1,
        }
        if kind == Kind::Number && self.is_left_out(start) {
            if let Some(open) = self.open.last_mut() {
                open.children += 1;
            }
            return Ok(Expect::Delimiter);
        }
        if self.slots.len() >= self.limits.nodes {
            return Err(Malformed {
                offset: start,
                reason: TOO_MANY_VALUES,
            });
        }
        let index = self.slots.len() as u32;
        let (parent, position) = match self.open.last_mut() {
            Some(open) => {
                open.children += 1;
                (open.slot, open.children - 1)
            }
            None => (NOWHERE, 0),
        };
        // INVARIANT: the body is shorter than `u32::MAX`, so no offset is cut off.
        self.slots.push(Slot {
            kind,
            escaped,
            key_escaped: name.escaped,
            start: start as u32,
            end: self.at as u32,
            key_start: name.start,
            key_end: name.end,
            parent,
            position,
            next: index + 1,
        });
        if !matches!(kind, Kind::Array | Kind::Object) {
            return Ok(Expect::Delimiter);
        }
        if self.open.len() >= self.limits.depth {
            return Err(Malformed {
                offset: start,
                reason: "nested too deeply",
            });
        }
        self.open.push(Open {
            slot: index,
            kind,
            children: 0,
        });
        Ok(if kind == Kind::Array {
            Expect::FirstItem
        } else {
            Expect::FirstName
        })
    }

    /// Whether the number that was read from `start` is no value of the document.
    fn is_left_out(&self, start: usize) -> bool {
        self.limits.vectors == Vectors::Thinned
            && self.open.last().is_some_and(|open| open.kind == Kind::Array)
            && self.text.get(start..self.at).is_some_and(is_small)
    }

    fn close(&mut self) -> Result<Expect, Malformed> {
        self.at += 1;
        let next = self.slots.len() as u32;
        if let Some(open) = self.open.pop() {
            if let Some(slot) = self.slots.get_mut(open.slot as usize) {
                slot.end = self.at as u32;
                slot.next = next;
            }
            if open.kind == Kind::Object && open.children > 1 {
                self.refuse_duplicates(open)?;
            }
        }
        Ok(Expect::Delimiter)
    }

    fn refuse_duplicates(&self, object: Open) -> Result<(), Malformed> {
        let mut names: Vec<(Cow<'_, str>, u32)> = Vec::with_capacity(object.children as usize);
        let mut child = object.slot + 1;
        while let Some(slot) = self.slots.get(child as usize) {
            names.push((slot.name(self.text).unwrap_or_default(), slot.key_start));
            child = slot.next;
        }
        let duplicate = if names.len() <= FEW_MEMBERS {
            names
                .iter()
                .enumerate()
                .find(|(seen, (name, _))| names.iter().take(*seen).any(|(earlier, _)| earlier == name))
                .map(|(_, &(_, start))| start)
        } else {
            names.sort_unstable();
            names
                .array_windows()
                .filter(|[one, two]| one.0 == two.0)
                .map(|[_, two]| two.1)
                .min()
        };
        match duplicate {
            Some(start) => Err(Malformed {
                offset: start as usize,
                reason: "duplicate member name",
            }),
            None => Ok(()),
        }
    }

    /// Reads a string and says whether it has an escape in it.
    fn string(&mut self) -> Result<bool, Malformed> {
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(length) = memchr2(b'"', b'\\', rest) else {
                return Err(Malformed {
                    offset: start,
                    reason: "string without an end",
                });
            };
            let plain = rest.get(..length).unwrap_or_default();
            // Without an early exit the loop runs many bytes at a time.
            if plain.iter().fold(false, |found, &byte| found | (byte < b' ')) {
                let control = plain.iter().position(|&byte| byte < b' ').unwrap_or_default();
                return Err(Malformed {
                    offset: self.at + control,
                    reason: "control character in a string",
                });
            }
            self.at += length;
            if rest.get(length) == Some(&b'"') {
                self.at += 1;
                return Ok(escaped);
            }
            escaped = true;
            let escape = rest.get(length..).unwrap_or_default();
            let Some((_, length)) = text::unescape(escape) else {
                return Err(self.fail("bad escape or half a surrogate pair"));
            };
            self.at += length;
        }
    }

    fn number(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let whole = self.digits();
        let leading_zero = whole > 1 && self.bytes.get(self.at - whole) == Some(&b'0');
        let mut good = whole > 0 && !leading_zero;
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            good &= self.digits() > 0;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            good &= self.digits() > 0;
        }
        if good {
            Ok(())
        } else {
            Err(Malformed {
                offset: start,
                reason: "bad number",
            })
        }
    }

    /// Skips digits and says how many there were.
    fn digits(&mut self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Malformed> {
        if !self.bytes.get(self.at..).unwrap_or_default().starts_with(word) {
            return Err(self.fail("expected a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    const fn fail(&self, reason: &'static str) -> Malformed {
        Malformed {
            offset: self.at,
            reason,
        }
    }
}
