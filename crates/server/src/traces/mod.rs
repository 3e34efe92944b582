//! Spans of exchanges, for whoever watches many services: sent to an OTLP collector by a thread of their own.
//!
//! Two spans an exchange: one for the request that the gateway serves, and below it one for the call upstream, with the
//! attributes of OpenTelemetry's conventions for generative AI. A span says which decision was made and which record has
//! the rest, never content and never a name of a person (threat F14). Nothing waits for a span: what the collector does not
//! take in time is counted and dropped. Read [`Tracer`] first.

mod context;
mod export;

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::SystemTime;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use ordain_core::verdict::Verdict;
use ordain_core::wire::Dialect;
use prometheus_client::metrics::counter::Counter;
use rand::Rng as _;
use thiserror::Error;

use crate::config::Traces;
use context::Parent;

/// Begins spans and hands ended ones on.
#[derive(Debug)]
pub struct Tracer {
    sample: f64,
    queue: SyncSender<Box<Trace>>,
    dropped: Counter,
}

/// Why traces cannot be sent.
#[derive(Debug, Error)]
pub enum TracesError {
    /// The headers in the environment are none.
    #[error("the headers for the collector, in the environment variable `{0}`, are no `name=value,name=value`")]
    Headers(String),
    /// No thread could be started.
    #[error("the thread that sends traces could not be started")]
    Thread(#[source] std::io::Error),
}

/// Spans that may wait for the collector.
const QUEUE: usize = 2048;

impl Tracer {
    /// Starts the thread that sends. `dropped` counts spans that were not sent.
    ///
    /// # Errors
    ///
    /// [`TracesError`].
    pub fn start(traces: &Traces, dropped: Counter) -> Result<Self, TracesError> {
        let headers = match traces.headers_env.as_deref() {
            Some(name) => {
                let text = std::env::var(name).unwrap_or_default();
                export::headers(&text).ok_or_else(|| TracesError::Headers(name.to_owned()))?
            }
            None => HeaderMap::new(),
        };
        let (queue, waiting) = sync_channel(QUEUE);
        let exporter = export::Exporter::new(traces.endpoint.clone(), headers, dropped.clone());
        std::thread::Builder::new()
            .name("traces".to_owned())
            .spawn(move || exporter.run(&waiting))
            .map_err(TracesError::Thread)?;
        Ok(Self {
            sample: traces.sample,
            queue,
            dropped,
        })
    }

    /// The trace of an exchange that begins, if it is one of those that are sampled. A client that traces decides for its
    /// own requests.
    pub(crate) fn begin(&self, headers: &HeaderMap) -> Option<Box<Trace>> {
        let parent = Parent::of(headers);
        let mut random = rand::rng();
        let sampled = parent.map_or_else(|| random.random_bool(self.sample), |parent| parent.sampled);
        // What is not sampled is passed on all the same, so that the other side knows.
        (sampled || parent.is_some()).then(|| {
            Box::new(Trace {
                sampled,
                id: parent.map_or_else(|| id(&mut random), |parent| parent.trace),
                parent: parent.map(|parent| parent.span),
                served: id(&mut random),
                called: id(&mut random),
                began: SystemTime::now(),
                sent: None,
                ended: None,
                dialect: Dialect::Openai,
                wire: "",
                endpoint: String::new(),
                model: None,
                record: String::new(),
                verdict: Verdict::Allow,
                result: "refused",
                status: 0,
            })
        })
    }

    /// Hands on what has ended. Never waits.
    pub(crate) fn end(&self, mut trace: Box<Trace>) {
        if !trace.sampled {
            return;
        }
        trace.ended = Some(SystemTime::now());
        if self.queue.try_send(trace).is_err() {
            self.dropped.inc();
        }
    }
}

/// A random id that is not all zeros, as the format asks for.
fn id<const N: usize>(random: &mut impl rand::RngCore) -> [u8; N] {
    loop {
        let mut id = [0; N];
        random.fill_bytes(&mut id);
        if id != [0; N] {
            return id;
        }
    }
}

/// What the spans of one exchange say.
#[derive(Debug)]
pub(crate) struct Trace {
    /// Whether it is sent at its end, or only passed on.
    sampled: bool,
    id: [u8; 16],
    parent: Option<[u8; 8]>,
    /// The span of the request that is served.
    served: [u8; 8],
    /// The span of the call upstream.
    called: [u8; 8],
    began: SystemTime,
    sent: Option<SystemTime>,
    ended: Option<SystemTime>,
    pub(crate) dialect: Dialect,
    pub(crate) wire: &'static str,
    /// Method and path, as the table of endpoints has them.
    pub(crate) endpoint: String,
    /// The model as the record has it.
    pub(crate) model: Option<String>,
    /// The id of the exchange's first record.
    pub(crate) record: String,
    pub(crate) verdict: Verdict,
    /// How it ended, in the words of records; `refused` if it was turned away.
    pub(crate) result: &'static str,
    pub(crate) status: u16,
}

impl Trace {
    /// Marks that the request goes upstream now, and tells the other side where it belongs. `tracestate` is not passed on:
    /// it is text of somebody's own.
    pub(crate) fn send(&mut self, headers: &mut HeaderMap) {
        self.sent = Some(SystemTime::now());
        let text = context::traceparent(&self.id, &self.called, self.sampled);
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(TRACEPARENT, value);
        }
    }
}

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
