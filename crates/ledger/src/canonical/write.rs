//! What `serde` calls to write a value: one buffer, and the members of the objects that are open.

use std::fmt::{self, Display};

use serde::ser::{self, Impossible, Serialize};

use super::order::compare;
use super::{CanonicalError, MAX_DEPTH, MAX_SAFE_INTEGER};

/// Writes one value.
pub(super) struct Writer {
    out: Vec<u8>,
    /// The members of all open objects, inner ones last.
    members: Vec<Member>,
    depth: usize,
}

/// Where a member begins, with its key in quotes, and where that key ends.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    key_end: usize,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            out: Vec::with_capacity(1024),
            members: Vec::with_capacity(32),
            depth: 0,
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn open(&mut self, bracket: u8) -> Result<Open<'_>, Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::new(Cause::TooDeep));
        }
        self.depth += 1;
        self.out.push(bracket);
        Ok(Open {
            begin: self.out.len(),
            from: self.members.len(),
            count: 0,
            writer: self,
        })
    }

    fn integer(&mut self, magnitude: u64, negative: bool) -> Result<(), Fault> {
        if magnitude > MAX_SAFE_INTEGER {
            return Err(Fault::new(Cause::OutOfRange));
        }
        if negative {
            self.out.push(b'-');
        }
        self.out
            .extend_from_slice(itoa::Buffer::new().format(magnitude).as_bytes());
        Ok(())
    }
}

/// What went wrong, with the way back to the root collected while unwinding: the good path pays nothing for it.
#[derive(Debug)]
pub(super) struct Fault {
    cause: Cause,
    /// Pointer segments, innermost first.
    way: Vec<String>,
}

#[derive(Debug)]
enum Cause {
    Float,
    OutOfRange,
    TooDeep,
    Twice,
    Unwritable(String),
}

impl Fault {
    const fn new(cause: Cause) -> Self {
        Self { cause, way: Vec::new() }
    }

    fn under(mut self, segment: String) -> Self {
        self.way.push(segment);
        self
    }

    pub(super) fn into_error(self) -> CanonicalError {
        let mut pointer = String::new();
        for segment in self.way.iter().rev() {
            pointer.push('/');
            pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
        }
        match self.cause {
            Cause::Float => CanonicalError::Float { pointer },
            Cause::OutOfRange => CanonicalError::OutOfRange { pointer },
            Cause::TooDeep => CanonicalError::TooDeep { pointer },
            Cause::Twice => CanonicalError::Twice { pointer },
            Cause::Unwritable(why) => CanonicalError::Unwritable { pointer, why },
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.cause)
    }
}

impl std::error::Error for Fault {}

impl ser::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(Cause::Unwritable(message.to_string()))
    }
}

/// An array or object whose end is not written yet.
pub(super) struct Open<'w> {
    writer: &'w mut Writer,
    /// Where its content begins.
    begin: usize,
    /// Where its members begin among all that are open.
    from: usize,
    count: usize,
}

impl Open<'_> {
    fn separate(&mut self) {
        if self.count > 0 {
            self.writer.out.push(b',');
        }
        self.count += 1;
    }

    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Fault> {
        self.separate();
        let index = self.count - 1;
        item.serialize(&mut *self.writer)
            .map_err(|fault| fault.under(index.to_string()))
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.separate();
        let start = self.writer.out.len();
        key.serialize(&mut *self.writer)?;
        if self.writer.out.get(start) != Some(&b'"') {
            return Err(ser::Error::custom("a member whose name is not text"));
        }
        let key_end = self.writer.out.len();
        self.writer.members.push(Member { start, key_end });
        self.writer.out.push(b':');
        Ok(())
    }

    /// The value of the member whose key was written last.
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let key = self.writer.members.last().copied();
        value.serialize(&mut *self.writer).map_err(|fault| {
            let key = key.and_then(|key| self.writer.out.get(key.start..key.key_end));
            // What was just written as a JSON string reads back as one.
            fault.under(key.and_then(|key| serde_json::from_slice(key).ok()).unwrap_or_default())
        })
    }

    fn close_array(self) {
        self.writer.out.push(b']');
        self.writer.depth -= 1;
    }

    /// Ends an object; its members are put in order if they did not come so.
    fn close_object(self) -> Result<(), Fault> {
        let Writer { out, members, depth } = self.writer;
        let own = members.get(self.from..).unwrap_or_default();
        let key = |member: &Member| out.get(member.start + 1..member.key_end - 1).unwrap_or_default();
        let mut pairs = own.iter().zip(own.iter().skip(1));
        if !pairs.all(|(one, next)| compare(key(one), key(next)).is_lt()) {
            let ends = own.iter().skip(1).map(|next| next.start - 1).chain([out.len()]);
            let mut sorted: Vec<(Member, usize)> = own.iter().copied().zip(ends).collect();
            sorted.sort_by(|(one, _), (other, _)| compare(key(one), key(other)));
            let mut pairs = sorted.iter().zip(sorted.iter().skip(1));
            if pairs.any(|((one, _), (next, _))| key(one) == key(next)) {
                return Err(Fault::new(Cause::Twice));
            }
            let texts = sorted
                .iter()
                .map(|(member, end)| out.get(member.start..*end).unwrap_or_default());
            let ordered = texts.collect::<Vec<_>>().join(&b',');
            out.truncate(self.begin);
            out.extend_from_slice(&ordered);
        }
        members.truncate(self.from);
        out.push(b'}');
        *depth -= 1;
        Ok(())
    }
}

/// RFC 8785 §3.2.2.2: only what JSON demands is escaped, with the short form where there is one.
fn write_string(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    // There is seldom anything to escape.
    if !has_escaped(rest) {
        out.extend_from_slice(rest);
        out.push(b'"');
        return;
    }
    while let Some(at) = rest.iter().position(|&byte| is_escaped(byte)) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (byte, after) = from.split_first().unwrap_or((&0, &[]));
        match byte {
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            control @ 0..0x20 => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
            other => out.extend_from_slice(&[b'\\', *other]),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Whether anything in a text is escaped. Texts are short here, so they are looked at in steps of eight bytes.
fn has_escaped(text: &[u8]) -> bool {
    match text.last_chunk::<8>() {
        // The last step may cover bytes of the one before.
        Some(last) => text
            .as_chunks::<8>()
            .0
            .iter()
            .chain([last])
            .any(|step| any_escaped(*step)),
        None => text.iter().any(|&byte| is_escaped(byte)),
    }
}

/// The same for eight bytes at once. The sum of a byte below 0x80 and 0x60 has the top bit from 0x20 on; two equal bytes
/// differ in no bit, and only of zero, less one, does the borrow reach the top bit.
const fn any_escaped(step: [u8; 8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const TOP: u64 = 0x80 * EACH;
    const fn zero(word: u64) -> u64 {
        word.wrapping_sub(EACH) & !word & TOP
    }
    let word = u64::from_le_bytes(step);
    let control = !((word & !TOP) + 0x60 * EACH) & !word & TOP;
    control | zero(word ^ (b'"' as u64 * EACH)) | zero(word ^ (b'\\' as u64 * EACH)) != 0
}

const fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

impl<'w> ser::Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Open<'w>;
    type SerializeTuple = Open<'w>;
    type SerializeTupleStruct = Open<'w>;
    type SerializeTupleVariant = Impossible<(), Fault>;
    type SerializeMap = Open<'w>;
    type SerializeStruct = Open<'w>;
    type SerializeStructVariant = Impossible<(), Fault>;

    fn serialize_bool(self, value: bool) -> Result<(), Fault> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Fault> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Fault> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Fault> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Fault> {
        self.integer(value.unsigned_abs(), value < 0)
    }

    fn serialize_u8(self, value: u8) -> Result<(), Fault> {
        self.integer(value.into(), false)
    }

    fn serialize_u16(self, value: u16) -> Result<(), Fault> {
        self.integer(value.into(), false)
    }

    fn serialize_u32(self, value: u32) -> Result<(), Fault> {
        self.integer(value.into(), false)
    }

    fn serialize_u64(self, value: u64) -> Result<(), Fault> {
        self.integer(value, false)
    }

    fn serialize_f32(self, _: f32) -> Result<(), Fault> {
        Err(Fault::new(Cause::Float))
    }

    fn serialize_f64(self, _: f64) -> Result<(), Fault> {
        Err(Fault::new(Cause::Float))
    }

    fn serialize_char(self, value: char) -> Result<(), Fault> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Fault> {
        write_string(value, &mut self.out);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Fault> {
        Err(ser::Error::custom("bytes"))
    }

    fn serialize_none(self) -> Result<(), Fault> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Fault> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Fault> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Fault> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Fault> {
        Err(ser::Error::custom(VARIANT))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'w>, Fault> {
        self.open(b'[')
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'w>, Fault> {
        self.open(b'[')
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Open<'w>, Fault> {
        self.open(b'[')
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Fault> {
        Err(ser::Error::custom(VARIANT))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'w>, Fault> {
        self.open(b'{')
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'w>, Fault> {
        self.open(b'{')
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Fault> {
        Err(ser::Error::custom(VARIANT))
    }
}

/// JSON has several ways to write one, so that none of them is canonical.
const VARIANT: &str = "an enum with content";

impl ser::SerializeSeq for Open<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Fault> {
        self.item(item)
    }

    fn end(self) -> Result<(), Fault> {
        self.close_array();
        Ok(())
    }
}

impl ser::SerializeTuple for Open<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Fault> {
        self.item(item)
    }

    fn end(self) -> Result<(), Fault> {
        self.close_array();
        Ok(())
    }
}

impl ser::SerializeTupleStruct for Open<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Fault> {
        self.item(item)
    }

    fn end(self) -> Result<(), Fault> {
        self.close_array();
        Ok(())
    }
}

impl ser::SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.value(value)
    }

    fn end(self) -> Result<(), Fault> {
        self.close_object()
    }
}

impl ser::SerializeStruct for Open<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
        self.key(key)?;
        self.value(value)
    }

    fn end(self) -> Result<(), Fault> {
        self.close_object()
    }
}
