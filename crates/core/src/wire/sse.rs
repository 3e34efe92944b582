//! Server-sent events: from bytes, cut anywhere, to events and back.
//!
//! The framing is that of the WHATWG standard (HTML, "Server-sent events"), with two differences that make nothing pass
//! unread: bytes that are not UTF-8 are an error, and so is an event that the end of the stream cuts off. Comments, ids
//! and retry times are dropped. Read [`SseParser`] first.

use std::mem;

use memchr::memchr2;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The name, if it has one.
    pub event: Option<String>,
    /// The data; its lines are joined with `\n`.
    pub data: String,
}

impl Event {
    /// An event without a name.
    #[must_use]
    pub const fn data(data: String) -> Self {
        Self { event: None, data }
    }

    /// The event as it goes over the network, always the same bytes for the same event.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.data.len() + 32);
        self.encode_into(&mut out);
        out
    }

    /// Appends what [`Self::encode`] makes.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        if let Some(name) = &self.event {
            out.extend_from_slice(b"event: ");
            // A name with a line break would end its line; events that were read have none.
            out.extend(name.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
            out.push(b'\n');
        }
        let mut rest = self.data.as_bytes();
        loop {
            let end = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            let (line, after) = rest.split_at(end);
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(line);
            out.push(b'\n');
            rest = match after {
                [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
                [] => break,
            };
        }
        out.push(b'\n');
    }
}

/// What a stream consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event.
    Event(Event),
    /// A comment, such as servers send to keep a connection open. Its content is dropped.
    Comment,
}

/// Why a stream cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// An event is longer than the bound.
    #[error("an event is too large")]
    TooLarge,
    /// A line is not UTF-8.
    #[error("a line is not UTF-8")]
    NotUtf8,
    /// The stream ended within an event.
    #[error("the stream ended within an event")]
    CutOff,
}

/// How long an event may be, in bytes, unless told otherwise.
pub const DEFAULT_BOUND: usize = 2 * 1024 * 1024;

/// Reads a stream piece by piece. However the bytes are cut, the items are the same.
#[derive(Debug, Clone)]
pub struct SseParser {
    bound: usize,
    /// The line that has begun.
    line: Vec<u8>,
    /// The fields of the event that has begun.
    name: Option<String>,
    data: Option<String>,
    /// Whether the last byte was a carriage return, to which a line feed may still belong.
    after_return: bool,
    /// Whether no line has ended yet.
    at_start: bool,
    failed: Option<SseError>,
}

impl Default for SseParser {
    fn default() -> Self {
        Self::new(DEFAULT_BOUND)
    }
}

impl SseParser {
    /// A parser that refuses events over `bound` bytes.
    #[must_use]
    pub const fn new(bound: usize) -> Self {
        Self {
            bound,
            line: Vec::new(),
            name: None,
            data: None,
            after_return: false,
            at_start: true,
            failed: None,
        }
    }

    /// Reads on, and hands out what is complete.
    ///
    /// # Errors
    ///
    /// [`SseError`]; every later call fails in the same way. Items that were complete before the offence still come out,
    /// and the next call tells: otherwise it would matter how the bytes were cut.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Item>, SseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut items = Vec::new();
        match self.read(bytes, &mut items) {
            Ok(()) => Ok(items),
            Err(error) => {
                *self = Self {
                    failed: Some(error),
                    ..Self::new(self.bound)
                };
                if items.is_empty() { Err(error) } else { Ok(items) }
            }
        }
    }

    /// Tells whether the stream may end here.
    ///
    /// # Errors
    ///
    /// [`SseError::CutOff`] if an event with data, or a line that is not a comment, has begun and not ended.
    pub fn finish(&self) -> Result<(), SseError> {
        match self.failed {
            Some(error) => Err(error),
            None if self.data.is_some() || self.line.first().is_some_and(|&byte| byte != b':') => Err(SseError::CutOff),
            None => Ok(()),
        }
    }

    fn read(&mut self, mut bytes: &[u8], items: &mut Vec<Item>) -> Result<(), SseError> {
        if self.after_return && !bytes.is_empty() {
            self.after_return = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = memchr2(b'\r', b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            self.grow(line)?;
            bytes = match rest {
                [b'\r', b'\n', rest @ ..] => rest,
                [b'\r'] => {
                    self.after_return = true;
                    &[]
                }
                _ => rest.get(1..).unwrap_or_default(),
            };
            let line = mem::take(&mut self.line);
            self.end_line(&line, items)?;
            // The room is used again.
            self.line = line;
            self.line.clear();
        }
        self.grow(bytes)
    }

    fn grow(&mut self, bytes: &[u8]) -> Result<(), SseError> {
        let data = self.data.as_ref().map_or(0, String::len);
        if data + self.line.len() + bytes.len() > self.bound {
            return Err(SseError::TooLarge);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, mut line: &[u8], items: &mut Vec<Item>) -> Result<(), SseError> {
        if mem::take(&mut self.at_start) {
            line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        }
        let line = str::from_utf8(line).map_err(|_| SseError::NotUtf8)?;
        if line.is_empty() {
            let name = self.name.take();
            if let Some(data) = self.data.take() {
                items.push(Item::Event(Event { event: name, data }));
            }
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => items.push(Item::Comment),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "event" => self.name = (!value.is_empty()).then(|| value.to_owned()),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
