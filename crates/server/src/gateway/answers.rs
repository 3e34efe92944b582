//! The heads of an upstream's answers, read more strictly than HTTP allows (threats B6 and B16).
//!
//! hyper drops a length that stands beside chunks, takes any coding before `chunked`, and hears out informational answers
//! without end. This reader looks at the bytes before hyper does and breaks the connection instead. It accepts nothing by
//! itself. Read [`Heads::follow`] first.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

/// A connector whose connections are read like that.
#[derive(Debug, Clone)]
pub(crate) struct Careful<C>(pub(super) C);

impl<C> Service<Uri> for Careful<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
{
    type Response = TokioIo<Checked<TokioIo<C::Response>>>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connected = self.0.call(to);
        Box::pin(async move {
            let connection = TokioIo::new(connected.await?);
            Ok(TokioIo::new(Checked {
                connection,
                heads: Heads::default(),
            }))
        })
    }
}

/// A connection to an upstream.
#[derive(Debug)]
pub(crate) struct Checked<C> {
    connection: C,
    heads: Heads,
}

impl<C: Connection> Connection for Checked<TokioIo<C>> {
    fn connected(&self) -> Connected {
        self.connection.inner().connected()
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Checked<C> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        ready!(Pin::new(&mut self.connection).poll_read(context, to))?;
        let new = to.filled().get(before..).unwrap_or_default();
        Poll::Ready(
            self.heads
                .follow(new)
                .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why)),
        )
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Checked<C> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.heads.asked();
        Pin::new(&mut self.connection).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.heads.asked();
        Pin::new(&mut self.connection).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }
}

/// Follows the heads of answers. What comes after a head is a body until the next request is written.
#[derive(Debug, Default)]
struct Heads {
    /// Whether a head is being read.
    reading: bool,
    /// The line that has begun, as much of it as matters.
    line: Vec<u8>,
    begun: bool,
    informational: bool,
    length: bool,
    coded: bool,
    /// Informational answers to this request.
    heard: u32,
}

/// What matters of a line: a name with a short value.
const LONGEST: usize = 256;

/// Informational answers to one request; they mean nothing here.
const MOST_INFORMATIONAL: u32 = 16;

impl Heads {
    /// A request is being written. An answer may come before all of it is: then the rest of its body is looked at as if it
    /// were a head, which at worst refuses it.
    fn asked(&mut self) {
        if !self.reading {
            *self = Self {
                reading: true,
                line: std::mem::take(&mut self.line),
                ..Self::default()
            };
            self.line.clear();
        }
    }

    /// Looks at more bytes; an error is why they cannot be an answer.
    fn follow(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        let mut rest = bytes;
        while self.reading && !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest);
            let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
            let room = LONGEST.saturating_sub(self.line.len());
            self.line.extend_from_slice(piece.get(..room).unwrap_or(piece));
            rest = after.get(1..).unwrap_or_default();
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                self.end_line(line.trim_ascii())?;
                self.line = line;
                self.line.clear();
            }
        }
        Ok(())
    }

    fn end_line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        if !self.begun {
            // `HTTP/1.1 103 Early Hints`: the status is what counts.
            self.begun = !line.is_empty();
            let status = line.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
            self.informational = status.starts_with(b"1") && status != b"101";
            return Ok(());
        }
        if line.is_empty() {
            self.begun = false;
            self.length = false;
            self.coded = false;
            self.reading = self.informational;
            self.heard += 1;
            if self.heard > MOST_INFORMATIONAL {
                return Err("informational answers without end");
            }
            return Ok(());
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return Ok(());
        };
        let (name, value) = line.split_at(colon);
        let (name, value) = (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii());
        self.length |= name.eq_ignore_ascii_case(b"content-length");
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.coded || !value.eq_ignore_ascii_case(b"chunked") {
                return Err("a coding other than `chunked`");
            }
            self.coded = true;
        }
        if self.length && self.coded {
            return Err("a length beside chunks");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the answers of one connection are taken, however they are cut.
    fn taken(answers: &[&str]) -> bool {
        let whole = cut(answers, usize::MAX);
        for size in [1, 7] {
            assert_eq!(cut(answers, size), whole, "{answers:?} in pieces of {size}");
        }
        whole
    }

    fn cut(answers: &[&str], size: usize) -> bool {
        let mut heads = Heads::default();
        answers.iter().all(|answer| {
            heads.asked();
            answer.as_bytes().chunks(size).all(|piece| heads.follow(piece).is_ok())
        })
    }

    const SIZED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

    #[test]
    fn honest_answers_are_taken_one_after_the_other() {
        let hinted = format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n{SIZED}");
        assert!(taken(&[SIZED, CHUNKED, &hinted, SIZED]));
    }

    #[test]
    fn a_body_is_no_head() {
        let told = "HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\ntransfer-encoding: gzip\r\ncontent-length: 5\r\n";
        assert!(taken(&[told, SIZED]));
    }

    #[test]
    fn what_two_clients_read_differently_is_not_taken() {
        for lines in [
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\nContent-Length : 5\r\n",
            "transfer-encoding: gzip, chunked\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: identity\n",
        ] {
            let answer = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
            assert!(!taken(&[SIZED, &answer]), "{lines:?}");
        }
    }

    #[test]
    fn informational_answers_are_counted_for_each_request() {
        let hints = "HTTP/1.1 103 Early Hints\r\n\r\n";
        let some = hints.repeat(10) + SIZED;
        assert!(taken(&[&some, &some, &some]));
        assert!(!taken(&[&hints.repeat(17)]));
    }
}
