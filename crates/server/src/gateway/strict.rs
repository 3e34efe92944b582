//! A connection from a client, read more strictly than HTTP allows.
//!
//! Two programs must never see different requests in the same bytes (threat B1). hyper is lenient where many are (a newline
//! alone ends a line, a length beside chunks is dropped, anything may stand before `chunked`), so this reader goes before
//! it: it follows the framing of each request (RFC 9112) and, at the first byte that could be read in two ways, gives hyper
//! bytes that are never right. hyper then answers 400 and closes. The reader refuses; it accepts nothing by itself.
//!
//! Writing has a deadline: a client that leaves an answer unread is dropped (threat B8). Read [`Strict`] first, then
//! [`Framing::feed`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use memchr::memchr2;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A connection.
#[derive(Debug)]
pub(super) struct Strict<C> {
    connection: C,
    framing: Framing,
    refused: Refused,
    /// How long nothing may be taken of what is to be written.
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

/// How far a refusal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    No,
    /// hyper has everything before the offence.
    Due,
    /// The head is too large: hyper is given more of it than it takes.
    TooLarge,
    /// hyper has the bytes that are never right.
    Done,
}

/// No line of HTTP/1.1 may have the first byte, and nothing follows a return but a newline. The rest is what hyper waits
/// for before it looks at a head again.
const NEVER_RIGHT: &[u8] = b"\0\r\n\r\n";

/// In a chunk's extension hyper takes any byte but this one, unless a return came before it.
const NEVER_RIGHT_IN_A_SIZE: &[u8] = b"\n";

impl<C> Strict<C> {
    pub(super) fn new(connection: C, patience: Duration) -> Self {
        Self {
            connection,
            framing: Framing::default(),
            refused: Refused::No,
            patience,
            waiting: None,
        }
    }

    /// Holds a write to its deadline.
    fn in_time<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Strict<C> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.refused == Refused::No {
            let before = to.filled().len();
            ready!(Pin::new(&mut self.connection).poll_read(context, to))?;
            let new = to.filled().get(before..).unwrap_or_default();
            let Err(good) = self.framing.feed(new) else {
                return Poll::Ready(Ok(()));
            };
            to.set_filled(before + good);
            self.refused = if self.framing.too_large {
                Refused::TooLarge
            } else {
                Refused::Due
            };
            if good > 0 {
                return Poll::Ready(Ok(()));
            }
        }
        if self.refused == Refused::TooLarge {
            // hyper has as much of a head as it takes, without its end, and answers 431; this only wakes it.
            let filler = [b'x'; 64];
            to.put_slice(filler.get(..to.remaining()).unwrap_or(&filler));
            return Poll::Ready(Ok(()));
        }
        if self.refused == Refused::Due && to.remaining() >= NEVER_RIGHT.len() {
            to.put_slice(self.framing.never_right());
            self.refused = Refused::Done;
        }
        // After that, the end.
        Poll::Ready(Ok(()))
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Strict<C> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write_vectored(context, pieces);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.connection).poll_flush(context);
        self.in_time(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.connection).poll_shutdown(context);
        self.in_time(context, ended)
    }
}

/// Where in the framing of requests a connection is.
#[derive(Debug, Default)]
struct Framing {
    at: At,
    /// The line that has begun, without its end.
    line: Vec<u8>,
    /// Whether the last byte was a return.
    returned: bool,
    head: Head,
    /// Bytes of the head so far.
    head_bytes: usize,
    /// Whether they were too many.
    too_large: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum At {
    /// In the head of a request, or before it.
    #[default]
    Head,
    /// This many bytes of a body are to come.
    Body(u64),
    /// In the line with a chunk's size.
    Size,
    /// This many bytes of a chunk are to come.
    Chunk(u64),
    /// In the empty line after a chunk.
    ChunkEnd,
    /// In the lines after the last chunk.
    Trailer,
}

/// What the head has said so far.
#[derive(Debug, Clone, Copy, Default)]
struct Head {
    blanks: u32,
    begun: bool,
    is_old: bool,
    hosts: u32,
    lengths: u32,
    length: u64,
    chunked: bool,
}

/// Something could be read in two ways.
#[derive(Debug)]
struct Ambiguous;

/// A line over this is hyper's to refuse, as part of a head that is too large. Nothing that counts here is as long.
const LONGEST_LINE: usize = 64 * 1024;

/// Bytes of a head: what hyper's buffer holds, which one read could otherwise fill with more than that (threat B7).
pub(super) const LARGEST_HEAD: usize = 64 * 1024;

/// Empty lines before a request.
const MOST_BLANKS: u32 = 8;

/// The line with a chunk's size, with its extensions, for which hyper has a bound of 16 KiB (threat B3).
const LONGEST_SIZE: usize = 16 * 1024 + 32;

impl Framing {
    /// Follows more bytes; an error is how many of them may be passed on.
    fn feed(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let good = bytes.len() - rest.len();
            rest = match self.at {
                At::Body(left) | At::Chunk(left) => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    self.pass(taken as u64);
                    rest.get(taken..).unwrap_or_default()
                }
                At::Head | At::Size | At::ChunkEnd | At::Trailer if self.returned => {
                    let Some(rest) = rest.strip_prefix(b"\n") else {
                        // A return that no newline follows.
                        return Err(good);
                    };
                    self.spend(1).map_err(|room| good + room)?;
                    self.end_line().map_err(|_| good)?;
                    self.returned = false;
                    rest
                }
                At::Head | At::Size | At::ChunkEnd | At::Trailer => {
                    let end = memchr2(b'\r', b'\n', rest);
                    let (more, after) = rest.split_at(end.unwrap_or(rest.len()));
                    let too_long = self.at == At::Size && self.line.len() + more.len() > LONGEST_SIZE;
                    if too_long || (self.at == At::ChunkEnd && !more.is_empty()) {
                        return Err(good);
                    }
                    self.spend(more.len() + usize::from(after.first() == Some(&b'\r')))
                        .map_err(|room| good + room)?;
                    self.grow(more);
                    match after.split_first() {
                        Some((b'\r', after)) => {
                            self.returned = true;
                            after
                        }
                        // A newline alone.
                        Some(_) => return Err(good + more.len()),
                        None => return Ok(()),
                    }
                }
            };
        }
        Ok(())
    }

    /// What hyper refuses where the last byte that it was given stands.
    const fn never_right(&self) -> &'static [u8] {
        match self.at {
            At::Size if !self.returned => NEVER_RIGHT_IN_A_SIZE,
            _ => NEVER_RIGHT,
        }
    }

    /// Counts bytes of a head; an error is how many of them there was room for.
    fn spend(&mut self, bytes: usize) -> Result<(), usize> {
        if self.at != At::Head {
            return Ok(());
        }
        let room = LARGEST_HEAD - self.head_bytes;
        if bytes > room {
            self.too_large = true;
            return Err(room);
        }
        self.head_bytes += bytes;
        Ok(())
    }

    fn grow(&mut self, more: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.line.len());
        self.line.extend_from_slice(more.get(..room).unwrap_or(more));
    }

    /// Takes bytes of a body or chunk.
    fn pass(&mut self, taken: u64) {
        self.at = match self.at {
            At::Body(left) if left > taken => At::Body(left - taken),
            At::Body(_) => At::Head,
            At::Chunk(left) if left > taken => At::Chunk(left - taken),
            At::Chunk(_) => At::ChunkEnd,
            other => other,
        };
    }

    fn end_line(&mut self) -> Result<(), Ambiguous> {
        let line = std::mem::take(&mut self.line);
        let ended = match self.at {
            At::Head => self.head_line(&line),
            At::Size => self.size(&line),
            At::ChunkEnd if line.is_empty() => {
                self.at = At::Size;
                Ok(())
            }
            At::Trailer => {
                if line.is_empty() {
                    self.at = At::Head;
                }
                Ok(())
            }
            At::ChunkEnd | At::Body(_) | At::Chunk(_) => Err(Ambiguous),
        };
        // The room is used again.
        self.line = line;
        self.line.clear();
        ended
    }

    fn head_line(&mut self, line: &[u8]) -> Result<(), Ambiguous> {
        let head = &mut self.head;
        if line.is_empty() {
            if head.begun {
                self.at = head.body()?;
                self.head = Head::default();
                self.head_bytes = 0;
                return Ok(());
            }
            // Some empty lines before a request are passed over (RFC 9112 §2.2).
            head.blanks += 1;
            return if head.blanks > MOST_BLANKS {
                Err(Ambiguous)
            } else {
                Ok(())
            };
        }
        if !head.begun {
            head.begun = true;
            head.is_old = line.ends_with(b" HTTP/1.0");
            // hyper takes it for an address with a host.
            let target = line.split(|&byte| byte == b' ').nth(1);
            let nameless = target.is_some_and(|target| target.starts_with(b"://"));
            return if nameless { Err(Ambiguous) } else { Ok(()) };
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            // hyper refuses it.
            return Ok(());
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"host") {
            head.hosts += 1;
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:[]%".contains(byte);
            if !value.iter().all(plain) {
                return Err(Ambiguous);
            }
        } else if name.eq_ignore_ascii_case(b"content-length") {
            head.lengths += 1;
            // What is no number hyper refuses.
            head.length = str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse().ok())
                .unwrap_or_default();
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if head.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Ambiguous);
            }
            head.chunked = true;
        }
        Ok(())
    }

    /// The line before a chunk: hexadecimal digits, and extensions that mean nothing (RFC 9112 §7.1).
    fn size(&mut self, line: &[u8]) -> Result<(), Ambiguous> {
        let digits = match line.iter().position(|&byte| byte == b';') {
            Some(end) => line.get(..end).unwrap_or_default().trim_ascii_end(),
            None => line,
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(Ambiguous);
        }
        let text = str::from_utf8(digits).map_err(|_| Ambiguous)?;
        self.at = match u64::from_str_radix(text, 16).map_err(|_| Ambiguous)? {
            0 => At::Trailer,
            size => At::Chunk(size),
        };
        Ok(())
    }
}

impl Head {
    /// What follows the head: a body of a known length, chunks, or the next request.
    fn body(self) -> Result<At, Ambiguous> {
        let one_host = self.hosts == 1 || (self.is_old && self.hosts == 0);
        let one_framing = self.lengths + u32::from(self.chunked) <= 1;
        if !one_host || !one_framing || (self.chunked && self.is_old) {
            return Err(Ambiguous);
        }
        Ok(match (self.chunked, self.length) {
            (true, _) => At::Size,
            (false, 0) => At::Head,
            (false, length) => At::Body(length),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "POST /v1/messages HTTP/1.1\r\nHost: gateway\r\n";

    /// How much of a text is passed on, however it is cut.
    fn passed(text: &str) -> usize {
        let whole = Framing::default().feed(text.as_bytes());
        let whole = whole.map_or_else(|good| good, |()| text.len());
        for size in [1, 3, 7] {
            let mut framing = Framing::default();
            let mut good = 0;
            for piece in text.as_bytes().chunks(size) {
                match framing.feed(piece) {
                    Ok(()) => good += piece.len(),
                    Err(some) => {
                        good += some;
                        break;
                    }
                }
            }
            // A return is only known to be alone with the byte after it, which may come later.
            assert!(
                good.abs_diff(whole) <= 1,
                "{text:?} in pieces of {size}: {good}, whole: {whole}"
            );
        }
        whole
    }

    fn is_passed(text: &str) -> bool {
        passed(text) == text.len()
    }

    #[test]
    fn honest_requests_are_passed_one_after_the_other() {
        let sized = format!("{HEAD}content-length:\t005\t\r\n\r\nhello");
        let chunked = format!(
            "{HEAD}TRANSFER-ENCODING: Chunked\r\n\r\n0005;a=\"b\" \r\nhello\r\nA ;x\r\n0123456789\r\n00\r\nx: y\r\n\r\n"
        );
        let none = "GET /healthz HTTP/1.0\r\n\r\n";
        assert!(is_passed(&format!("\r\n{sized}{chunked}{none}{sized}\r\n{chunked}")));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_passed() {
        for lines in [
            "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
            "content-length: 5\r\ncontent-length: 5\r\n\r\n",
            "transfer-encoding: gzip, chunked\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding:\r\n",
            "host: other\r\n\r\n",
            "x: a\ncontent-length: 5\r\n",
            "x: a\rcontent-length: 5\r\n",
            "x: a\r\r\n",
            "\n",
            "transfer-encoding: chunked\r\n\r\n5 \r\nhello\r\n",
            "transfer-encoding: chunked\r\n\r\n5;a\nxhello\r\n",
            "transfer-encoding: chunked\r\n\r\n5\r\nhelloXX",
            "transfer-encoding: chunked\r\n\r\n5\r\nhello\n",
            "transfer-encoding: chunked\r\n\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\n0\r\nx: y\n",
            "transfer-encoding: chunked\r\n\r\n10000000000000000\r\n",
        ] {
            assert!(!is_passed(&format!("{HEAD}{lines}x")), "{lines:?}");
        }
        for head in [
            "POST / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: a@b\r\n",
            "POST / HTTP/1.1\r\nhost: a, b\r\n",
            "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n",
            "POST ://a/b HTTP/1.1\r\n",
        ] {
            assert!(!is_passed(&format!("{head}x")), "{head:?}");
        }
    }

    #[test]
    fn a_head_has_its_bound_and_the_next_one_too() {
        let padded = |size: usize| {
            let padding = size - HEAD.len() - "x: \r\n\r\n".len();
            format!("{HEAD}x: {}\r\n\r\n", "y".repeat(padding))
        };
        let largest = padded(LARGEST_HEAD);
        assert!(is_passed(&format!("{largest}{largest}")));
        for more in 1..6 {
            assert_eq!(passed(&padded(LARGEST_HEAD + more)), LARGEST_HEAD, "{more} more");
        }
        let (second, whole) = (padded(LARGEST_HEAD + 1), largest.len());
        assert_eq!(passed(&format!("{largest}{second}")), whole + LARGEST_HEAD);
    }

    #[test]
    fn everything_before_the_offence_is_passed() {
        let text = format!("{HEAD}x: a\nb");
        assert_eq!(passed(&text), text.len() - 2);
    }

    #[test]
    fn a_refused_connection_ends_with_what_is_never_right() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            use tokio::io::AsyncReadExt as _;
            let bytes = format!("{HEAD}x: a\nb: c\r\n\r\n");
            let mut strict = Strict::new(bytes.as_bytes(), Duration::from_secs(1));
            let mut read = Vec::new();
            strict.read_to_end(&mut read).await.expect("read");
            assert_eq!(read, format!("{HEAD}x: a\0\r\n\r\n").into_bytes());
        });
    }
}
