//! The body of a streamed answer: pulled from the upstream at the client's pace, inspected on the way.
//!
//! Pulling keeps memory bounded (threat G4), and dropping the body drops the upstream with it (threat I10). The bytes that
//! end the stream wait until the outcome is durable.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};
use ordain_core::inspect::{Ending, Step, StreamInspection};
use ordain_core::record::Result as Ended;
use tokio::time::timeout;

use super::account::{Account, NotRecorded};
use super::exchange::Unread;
use crate::config::Limits;
use crate::metrics::Metrics;

/// Pieces of the answer, in order; nothing more after `None`.
type Pieces = Pin<Box<dyn Future<Output = (Result<Option<Bytes>, BrokenOff>, Option<From>)>>>;

/// An answer that nobody reads ended before its end; its client has to see that, and sees the connection close.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
pub(super) struct BrokenOff;

/// Where further pieces come from.
enum From {
    /// An answer that is inspected on the way.
    Inspected(Box<Pump>),
    /// One that nobody reads.
    Unread(Box<Unread>),
}

impl From {
    fn next(self) -> Pieces {
        match self {
            Self::Inspected(pump) => Box::pin(async move {
                let (piece, pump) = pump.next().await;
                (Ok(piece), pump.map(Self::Inspected))
            }),
            Self::Unread(unread) => Box::pin(async move {
                let (piece, unread) = unread.next().await;
                (piece, unread.map(Self::Unread))
            }),
        }
    }
}

/// The body.
pub(super) struct StreamBody {
    next: Option<Pieces>,
}

impl fmt::Debug for StreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamBody(…)")
    }
}

/// What turns the upstream's bytes into the client's.
struct Pump {
    upstream: Incoming,
    inspection: StreamInspection,
    account: Account,
    metrics: Arc<Metrics>,
    idle: Duration,
    /// When it must have come to its end.
    until: Instant,
    /// When its first byte came, until one is released.
    begun: Option<Instant>,
}

impl StreamBody {
    /// The answer of `upstream`, inspected.
    pub(super) fn new(
        upstream: Incoming,
        inspection: StreamInspection,
        account: Account,
        metrics: Arc<Metrics>,
        limits: &Limits,
    ) -> Self {
        let pump = Pump {
            upstream,
            inspection,
            account,
            metrics,
            idle: limits.idle,
            until: Instant::now() + limits.answer,
            begun: None,
        };
        Self {
            next: Some(From::Inspected(Box::new(pump)).next()),
        }
    }

    /// An answer that nobody reads, as it comes.
    pub(super) fn unread(unread: Unread) -> Self {
        Self {
            next: Some(From::Unread(Box::new(unread)).next()),
        }
    }
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(next) = self.next.as_mut() else {
            return Poll::Ready(None);
        };
        let (piece, pump) = std::task::ready!(next.as_mut().poll(context));
        self.next = pump.map(From::next);
        Poll::Ready(piece.transpose().map(|piece| piece.map(Frame::data)))
    }
}

impl Pump {
    /// The next piece for the client, and the pump if there may be more.
    async fn next(mut self: Box<Self>) -> (Option<Bytes>, Option<Box<Self>>) {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            let frame = async {
                // What is there already would be taken without a look at the clock.
                if left.is_zero() {
                    None
                } else {
                    self.upstream.frame().await
                }
            };
            let steps = match timeout(self.idle.min(left), frame).await {
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        if self.account.delivered == 0 {
                            self.begun.get_or_insert_with(Instant::now);
                        }
                        self.inspection.push(&data)
                    }
                    // Trailers are not passed on (threat B3).
                    Err(_) => continue,
                },
                // The end, an error, or silence: in each case nothing more comes.
                Ok(Some(Err(_)) | None) | Err(_) => self.inspection.finish(),
            };
            let mut out = Vec::new();
            for step in steps {
                match step {
                    Step::Forward(bytes) => out.extend(bytes),
                    Step::End(ending, last) => return (self.end(ending, out, last).await, None),
                }
            }
            if !out.is_empty() {
                if let Some(begun) = self.begun.take() {
                    self.metrics.held(begun.elapsed());
                }
                self.account.delivered += out.len() as u64;
                return (Some(out.into()), Some(self));
            }
        }
    }

    /// The last piece, once the outcome is durable. If it cannot be, the client sees the stream break off before its end.
    async fn end(mut self: Box<Self>, ending: Ending, mut out: Vec<u8>, last: Vec<u8>) -> Option<Bytes> {
        let ended = match ending {
            Ending::Complete => Ended::Completed,
            Ending::Stopped => Ended::Stopped,
            Ending::Broken => Ended::UpstreamFailed,
        };
        out.extend(last);
        self.account.delivered += out.len() as u64;
        self.account.answer = Some(self.inspection.judged().clone());
        match self.account.outcome(ended).await {
            Ok(()) => Some(out.into()),
            Err(NotRecorded) => None,
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        // The account, dropped next, writes what was judged so far.
        if self.account.answer.is_none() {
            self.account.answer = Some(self.inspection.judged().clone());
        }
    }
}
