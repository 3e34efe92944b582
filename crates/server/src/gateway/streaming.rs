//! The body of a streamed answer: pulled from the upstream at the client's pace, inspected on the way.
//!
//! Pulling keeps memory bounded (threat G4), and dropping the body drops the upstream with it (threat I10). The bytes that
//! end the stream wait until the outcome is durable.

use std::fmt;
use std::future::poll_fn;
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
use super::exchange::Passing;
use super::hidden::Hidden;
use super::turn::Turn;
use crate::config::Limits;
use crate::metrics::Metrics;

/// Pieces of the answer, in order; nothing more after `None`.
type Pieces = Pin<Box<dyn Future<Output = (Result<Option<Bytes>, BrokenOff>, Option<Source>)>>>;

/// An answer that nobody reads ended before its end; its client has to see that, and sees the connection close.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
pub(super) struct BrokenOff;

/// Where further pieces come from.
enum Source {
    /// An answer that is inspected on the way.
    Inspected(Box<Pump>),
    /// One that nobody reads.
    Passing(Box<Passing>),
}

impl Source {
    fn next(self) -> Pieces {
        match self {
            Self::Inspected(pump) => Box::pin(async move {
                let (piece, pump) = pump.next().await;
                (Ok(piece), pump.map(Self::Inspected))
            }),
            Self::Passing(passing) => Box::pin(async move {
                let (piece, passing) = passing.next().await;
                (piece, passing.map(Self::Passing))
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
    /// The key that must not come back.
    hidden: Option<Hidden>,
    inspection: StreamInspection,
    account: Account,
    metrics: Arc<Metrics>,
    idle: Duration,
    /// When it must have come to its end.
    until: Instant,
    /// When its first byte came, until one is released.
    begun: Option<Instant>,
}

/// What came of an answer.
enum Arrived {
    Data(Bytes),
    Trailers,
    /// The end, an error, or silence: in each case nothing more comes.
    Nothing,
}

impl From<Option<Result<Frame<Bytes>, hyper::Error>>> for Arrived {
    fn from(frame: Option<Result<Frame<Bytes>, hyper::Error>>) -> Self {
        match frame {
            Some(Ok(frame)) => frame.into_data().map_or(Self::Trailers, Self::Data),
            Some(Err(_)) | None => Self::Nothing,
        }
    }
}

/// Bytes that are released without looking for more.
const ENOUGH: usize = 16 * 1024;

impl StreamBody {
    /// The answer of `upstream`, inspected.
    pub(super) fn new(
        upstream: Incoming,
        hidden: Option<Hidden>,
        inspection: StreamInspection,
        account: Account,
        metrics: Arc<Metrics>,
        limits: &Limits,
    ) -> Self {
        let pump = Pump {
            upstream,
            hidden,
            inspection,
            account,
            metrics,
            idle: limits.idle,
            until: Instant::now() + limits.answer,
            begun: None,
        };
        Self {
            next: Some(Source::Inspected(Box::new(pump)).next()),
        }
    }

    /// An answer that nobody reads, as it comes.
    pub(super) fn passing(passing: Passing) -> Self {
        Self {
            next: Some(Source::Passing(Box::new(passing)).next()),
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
        self.next = pump.map(Source::next);
        Poll::Ready(piece.transpose().map(|piece| piece.map(Frame::data)))
    }
}

impl Pump {
    /// The next piece for the client, and the pump if there may be more. What has come by the time that something may go
    /// goes along with it: each write that is saved costs a system call and a packet less.
    async fn next(mut self: Box<Self>) -> (Option<Bytes>, Option<Box<Self>>) {
        let mut out = Vec::new();
        loop {
            let arrived = match out.len() {
                0 => self.arrival().await,
                1..ENOUGH => match self.arrived().await {
                    Some(arrived) => arrived,
                    None => return self.release(out),
                },
                _ => return self.release(out),
            };
            let steps = match arrived {
                Arrived::Data(data) => {
                    if self.account.delivered == 0 {
                        self.begun.get_or_insert_with(Instant::now);
                    }
                    let data = match &mut self.hidden {
                        Some(hidden) => hidden.push(data),
                        None => data,
                    };
                    self.inspection.push(&data)
                }
                // Trailers are not passed on (threat B3).
                Arrived::Trailers => continue,
                Arrived::Nothing => self.last(),
            };
            for step in steps {
                match step {
                    Step::Forward(bytes) => out.extend(bytes),
                    Step::End(ending, last) => return (self.end(ending, out, last).await, None),
                }
            }
        }
    }

    /// Nothing more comes: what waited for it is looked at, and what is held is settled.
    fn last(&mut self) -> Vec<Step> {
        let rest = self.hidden.as_mut().map(Hidden::finish).unwrap_or_default();
        let mut steps = if rest.is_empty() {
            Vec::new()
        } else {
            self.inspection.push(&rest)
        };
        if !steps.iter().any(|step| matches!(step, Step::End(..))) {
            steps.extend(self.inspection.finish());
        }
        steps
    }

    /// Waits for more of the answer.
    async fn arrival(&mut self) -> Arrived {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            // What is there already would be taken without a look at the clock.
            return Arrived::Nothing;
        }
        let frame = timeout(self.idle.min(left), self.upstream.frame()).await;
        frame.map_or(Arrived::Nothing, Arrived::from)
    }

    /// More of the answer, if it is there by the time that everything else on this thread has had a turn. What reads the
    /// upstream's socket is among that, and hands over a piece only when it has been asked for one.
    async fn arrived(&mut self) -> Option<Arrived> {
        let mut turn: Option<Turn> = None;
        let look = poll_fn(|context| {
            if let Poll::Ready(frame) = Pin::new(&mut self.upstream).poll_frame(context) {
                return Poll::Ready(Some(Arrived::from(frame)));
            }
            if turn.get_or_insert_with(|| Turn::give(context.waker())).is_over() {
                return Poll::Ready(None);
            }
            Poll::Pending
        });
        look.await
    }

    fn release(mut self: Box<Self>, out: Vec<u8>) -> (Option<Bytes>, Option<Box<Self>>) {
        if let Some(begun) = self.begun.take() {
            self.metrics.held(begun.elapsed());
        }
        self.account.delivered += out.len() as u64;
        (Some(out.into()), Some(self))
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
        self.account.bill.cut = ended != Ended::Completed;
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
            self.account.bill.cut = true;
            self.account.answer = Some(self.inspection.judged().clone());
        }
    }
}
