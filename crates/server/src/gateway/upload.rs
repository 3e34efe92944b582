//! Bodies of requests on their way upstream: whole ones that were judged, and those that pass unread at the pace of whoever
//! takes them.
//!
//! Of a body that passes, only the piece that moves is held. It has bounds of its own on size and on each wait for the
//! client (threats B4 and I9), and what was sent of it is told to the record.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep};

/// The body of a request that goes upstream.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// One that was read whole and judged.
    Whole(Full<Bytes>),
    /// One that nobody reads.
    Passing(Upload),
}

impl From<Full<Bytes>> for Outgoing {
    fn from(body: Full<Bytes>) -> Self {
        Self::Whole(body)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body)
                .poll_frame(context)
                .map(|frame| frame.map(|frame| frame.map_err(|never| match never {}))),
            Self::Passing(upload) => upload.poll_piece(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Passing(upload) => upload.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Passing(upload) => upload.body.size_hint(),
        }
    }
}

/// Why a body that passes ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    /// It is larger than it may be.
    #[error("the body is larger than it may be")]
    TooLarge,
    /// Nothing came for too long.
    #[error("the body took too long to arrive")]
    Slow,
    /// The client broke it off.
    #[error("the body broke off")]
    Broken,
    /// Its exchange is over.
    #[error("the exchange is over")]
    Over,
}

/// How far a body has come: written by it, read by its exchange.
#[derive(Debug, Default)]
pub(super) struct Progress {
    bytes: AtomicU64,
    /// Why it was cut, or 0.
    cut: AtomicU8,
    /// Whether all of it has gone.
    whole: AtomicBool,
    /// Told when that is so.
    ended: Notify,
}

impl Progress {
    /// Bytes that went upstream.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// Whether all of it has gone.
    pub(super) fn is_whole(&self) -> bool {
        self.whole.load(Ordering::Acquire)
    }

    /// Waits until all of it has gone; once for each body.
    pub(super) async fn ended(&self) {
        self.ended.notified().await;
    }

    fn note_end(&self) {
        if !self.whole.swap(true, Ordering::AcqRel) {
            self.ended.notify_one();
        }
    }

    /// Why it was cut, if it was.
    pub(super) fn cut(&self) -> Option<Cut> {
        let all = [Cut::TooLarge, Cut::Slow, Cut::Broken, Cut::Over];
        let code = self.cut.load(Ordering::Acquire);
        all.into_iter().find(|cut| code == Self::code(*cut))
    }

    /// Lets nothing more go, and says how many bytes went.
    pub(super) fn end(&self) -> u64 {
        self.note(Cut::Over);
        self.bytes()
    }

    /// The first reason counts.
    fn note(&self, cut: Cut) {
        let _ = self
            .cut
            .compare_exchange(0, Self::code(cut), Ordering::AcqRel, Ordering::Acquire);
    }

    const fn code(cut: Cut) -> u8 {
        match cut {
            Cut::TooLarge => 1,
            Cut::Slow => 2,
            Cut::Broken => 3,
            Cut::Over => 4,
        }
    }
}

/// A client's body, piece by piece.
pub(crate) struct Upload {
    body: Incoming,
    /// Bytes that it may have.
    most: u64,
    /// How long the client may let wait for each [`STRETCH`].
    pace: Duration,
    /// What is left of that for the one that comes.
    left: Duration,
    /// Since when nothing has come, and until when that is fine.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    progress: Arc<Progress>,
}

/// Bytes for which the clock starts anew, so that a body is neither held to one time, whatever its size, nor endless.
const STRETCH: u64 = 1024 * 1024;

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upload(…)")
    }
}

impl Upload {
    /// A body of at most so many bytes, each mebibyte of which the client sends within `pace`.
    pub(super) fn new(body: Incoming, most: u64, pace: Duration) -> (Self, Arc<Progress>) {
        let progress = Arc::new(Progress {
            whole: body.is_end_stream().into(),
            ..Progress::default()
        });
        let upload = Self {
            body,
            most,
            pace,
            left: pace,
            waiting: None,
            progress: Arc::clone(&progress),
        };
        (upload, progress)
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(cut) = self.progress.cut() {
            return Poll::Ready(Some(Err(cut)));
        }
        loop {
            let frame = match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    let left = self.left;
                    let (_, over) = self
                        .waiting
                        .get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
                    ready!(over.as_mut().poll(context));
                    return self.cut(Cut::Slow);
                }
            };
            if let Some((since, _)) = self.waiting.take() {
                self.left = self.left.saturating_sub(since.elapsed());
            }
            let data = match frame {
                None => {
                    self.progress.note_end();
                    return Poll::Ready(None);
                }
                Some(Err(_)) => return self.cut(Cut::Broken),
                // Trailers are not passed on (threat B3).
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    Err(_) => continue,
                },
            };
            let before = self.progress.bytes();
            let after = before + data.len() as u64;
            if after > self.most {
                return self.cut(Cut::TooLarge);
            }
            if before / STRETCH != after / STRETCH {
                self.left = self.pace;
            }
            self.progress.bytes.store(after, Ordering::Release);
            // Whoever knows the size does not ask again.
            if self.body.is_end_stream() {
                self.progress.note_end();
            }
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
    }

    fn cut(&self, cut: Cut) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.progress.note(cut);
        Poll::Ready(Some(Err(cut)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_counts_and_after_it_nothing_goes() {
        let progress = Progress::default();
        assert_eq!((progress.cut(), progress.bytes()), (None, 0));
        for cut in [Cut::TooLarge, Cut::Slow, Cut::Broken, Cut::Over] {
            let progress = Progress::default();
            progress.note(cut);
            assert_eq!(progress.end(), 0);
            assert_eq!(progress.cut(), Some(cut));
        }
        progress.bytes.store(7, Ordering::Release);
        assert_eq!((progress.end(), progress.cut()), (7, Some(Cut::Over)));
    }
}
