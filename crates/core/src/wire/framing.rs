//! How a streamed answer is cut into events: server-sent events, or a line each.
//!
//! What an event means is for the wire ([`Talk::read_event`](super::Talk::read_event)); here are only its borders. Read
//! [`Framing`] first.

use memchr::memchr;

use super::sse::{DEFAULT_BOUND, Event, Item, SseError, SseParser};

/// How the events of a streamed answer are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events (WHATWG HTML standard).
    Sse,
    /// One JSON value a line, which is the data of an event (`application/x-ndjson`).
    Lines,
}

impl Framing {
    /// The media type of a body that is framed so.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::Lines => "application/x-ndjson",
        }
    }

    /// What means nothing and says that the stream is alive.
    #[must_use]
    pub const fn sign_of_life(self) -> &'static [u8] {
        match self {
            Self::Sse => b":\n\n",
            Self::Lines => b"",
        }
    }

    /// An event as it goes over the network, always the same bytes for the same event.
    #[must_use]
    pub fn encode(self, event: &Event) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(event, &mut out);
        out
    }

    /// Appends what [`Self::encode`] makes.
    pub fn encode_into(self, event: &Event, out: &mut Vec<u8>) {
        match self {
            Self::Sse => event.encode_into(out),
            // The data was read from one line, and edits escape line breaks.
            Self::Lines => {
                out.extend_from_slice(event.data.as_bytes());
                out.push(b'\n');
            }
        }
    }
}

/// Reads a stream piece by piece. However the bytes are cut, the items are the same.
#[derive(Debug)]
pub enum Parser {
    /// Server-sent events.
    Sse(SseParser),
    /// Lines.
    Lines(LineParser),
}

impl Parser {
    /// A parser with the usual bound on an event.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Self::Sse(SseParser::default()),
            Framing::Lines => Self::Lines(LineParser::new(DEFAULT_BOUND)),
        }
    }

    /// Reads on, and hands out what is complete.
    ///
    /// # Errors
    ///
    /// As [`SseParser::push`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Item>, SseError> {
        match self {
            Self::Sse(parser) => parser.push(bytes),
            Self::Lines(parser) => parser.push(bytes),
        }
    }

    /// Tells whether the stream may end here, and hands out a last event that the end completes.
    ///
    /// # Errors
    ///
    /// As [`SseParser::finish`].
    pub fn finish(&mut self) -> Result<Option<Event>, SseError> {
        match self {
            Self::Sse(parser) => parser.finish().map(|()| None),
            Self::Lines(parser) => parser.finish(),
        }
    }
}

/// Reads lines that are an event each. Empty lines mean nothing; a carriage return before the line feed belongs to the end.
#[derive(Debug)]
pub struct LineParser {
    bound: usize,
    line: Vec<u8>,
    failed: Option<SseError>,
}

impl LineParser {
    /// A parser that refuses lines over `bound` bytes.
    #[must_use]
    pub const fn new(bound: usize) -> Self {
        Self {
            bound,
            line: Vec::new(),
            failed: None,
        }
    }

    fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<Item>, SseError> {
        let mut items = Vec::new();
        while self.failed.is_none() {
            let end = memchr(b'\n', bytes);
            let (more, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            self.line.extend_from_slice(more);
            if self.line.len() > self.bound {
                self.failed = Some(SseError::TooLarge);
            } else if end.is_some() {
                bytes = rest.get(1..).unwrap_or_default();
                match self.take() {
                    Ok(event) => items.extend(event.map(Item::Event)),
                    Err(error) => self.failed = Some(error),
                }
            } else {
                return Ok(items);
            }
        }
        match self.failed {
            // What was complete before the offence still comes out; the next call tells.
            Some(error) if items.is_empty() => Err(error),
            _ => Ok(items),
        }
    }

    fn take(&mut self) -> Result<Option<Event>, SseError> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8(line).map_err(|_| SseError::NotUtf8)?;
        let line = line.strip_suffix('\r').unwrap_or(&line);
        Ok((!line.trim().is_empty()).then(|| Event::data(line.to_owned())))
    }

    /// The end of the stream ends a line too.
    fn finish(&mut self) -> Result<Option<Event>, SseError> {
        match self.failed {
            Some(error) => Err(error),
            None => self.take(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> (Vec<String>, Result<(), SseError>) {
        let mut parser = Parser::new(Framing::Lines);
        let mut events = Vec::new();
        let mut ended = Ok(());
        for piece in pieces {
            match parser.push(piece) {
                Ok(items) => events.extend(items),
                Err(error) => ended = Err(error),
            }
        }
        match parser.finish() {
            Ok(last) => events.extend(last.map(Item::Event)),
            Err(error) => ended = Err(error),
        }
        let data = |item| match item {
            Item::Event(event) => event.data,
            Item::Comment => unreachable!("lines have no comments"),
        };
        (events.into_iter().map(data).collect(), ended)
    }

    #[test]
    fn lines_are_events_however_they_are_cut() {
        let text = "{\"a\":1}\r\n\n{\"b\":\"\u{e9}\"}\n{\"c\":3}".as_bytes();
        let expected = vec![
            "{\"a\":1}".to_owned(),
            "{\"b\":\"\u{e9}\"}".to_owned(),
            "{\"c\":3}".to_owned(),
        ];
        for cut in 0..text.len() {
            let (before, after) = text.split_at(cut);
            assert_eq!(read(&[before, after]), (expected.clone(), Ok(())), "{cut}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_ends_the_stream_after_what_was_whole() {
        for bad in [b"\xff\n".to_vec(), vec![b'x'; DEFAULT_BOUND + 1]] {
            let whole = [b"{}\n".as_slice(), &bad].concat();
            let (events, ended) = read(&[&whole, b"{}\n"]);
            assert_eq!(events, ["{}"]);
            assert!(ended.is_err());
            assert_eq!(read(&[b"{}\n", &bad, b"{}\n"]), (events, ended));
        }
    }

    #[test]
    fn a_line_is_written_as_it_is_read() {
        assert_eq!(Framing::Lines.encode(&Event::data("{}".to_owned())), b"{}\n");
        assert_eq!(Framing::Sse.encode(&Event::data("{}".to_owned())), b"data: {}\n\n");
    }
}
