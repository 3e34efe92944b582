//! The records of one exchange: an intent, then exactly one outcome, whatever happens to the client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::header::HeaderMap;
use ordain_core::inspect::{Judged, Rules};
use ordain_core::record::{self, Header, Result as Ended, Route};
use ordain_core::verdict::Verdict;
use serde_json::Value;
use uuid::Uuid;

use super::Gateway;
use super::live::Live;
use crate::metrics::{End, Metrics, Stage};
use crate::recorder::RecorderHandle;
use crate::store::{NewRecord, SubjectId};
use crate::traces::{Trace, Tracer};

/// Nothing could be recorded: nothing may happen.
#[derive(Debug, Clone, Copy)]
pub(super) struct NotRecorded;

/// The account of one exchange. Once its intent is written it owes an outcome; if it is dropped before, because the client
/// went away, it writes that.
#[derive(Debug)]
pub(super) struct Account {
    recorder: RecorderHandle,
    metrics: Arc<Metrics>,
    patience: Duration,
    rules: Arc<Rules>,
    subject: SubjectId,
    subject_name: String,
    /// The wire and the verdict on the prompt, under which it is counted.
    wire: &'static str,
    verdict: Verdict,
    /// The id of the exchange, which is that of its first record.
    pub(super) id: Uuid,
    /// The same as text.
    pub(super) name: String,
    /// What is told of it to whoever follows traces.
    pub(super) traced: Option<Traced>,
    /// What to write when the account is dropped while it owes an outcome.
    owes: Option<Ended>,
    /// The status that the client got, if it got one.
    pub(super) status: u16,
    /// Bytes that went to the client.
    pub(super) delivered: u64,
    /// The answer as far as it was judged.
    pub(super) answer: Option<Judged>,
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

impl Account {
    pub(super) fn new(gateway: &Gateway, live: &Live, wire: &'static str, subject: SubjectId) -> Self {
        let id = Uuid::now_v7();
        gateway.metrics.open.inc();
        let (name, subject_name) = (id.to_string(), subject.to_string());
        Self {
            recorder: gateway.recorder.clone(),
            metrics: Arc::clone(&gateway.metrics),
            patience: live.limits.record,
            rules: Arc::clone(&live.rules),
            wire,
            verdict: Verdict::Allow,
            subject,
            subject_name,
            id,
            name,
            traced: None,
            owes: None,
            status: 0,
            delivered: 0,
            answer: None,
        }
    }

    /// Records what is about to go upstream. Only after this may a byte leave.
    pub(super) async fn intent(&mut self, route: &Route<'_>, judged: &Judged) -> Result<(), NotRecorded> {
        let at_ms = now_ms();
        self.verdict = judged.decision.verdict;
        self.note_failures(judged);
        if let Some(traced) = &mut self.traced {
            traced.judged(judged);
        }
        let value = record::intent(&self.header(&self.name, at_ms), route, &self.rules, judged);
        let new = NewRecord::intent(self.id, at_ms, self.subject, bytes(&value)?);
        // From here on it may be written, whether or not anybody waits for it: then nothing was sent.
        self.owes = Some(Ended::NotSent);
        match self.write(new).await {
            Written::Durable => {
                self.owes = Some(Ended::ClientGone);
                Ok(())
            }
            // At worst it was written after all, and the next start closes it.
            Written::Failed => {
                self.owes = None;
                Err(NotRecorded)
            }
            Written::Late => {
                self.status = 503;
                Err(NotRecorded)
            }
        }
    }

    /// Notes for the trace that a request is turned away with `status`.
    pub(super) fn turned_away(&mut self, judged: &Judged, status: u16) {
        self.status = status;
        if let Some(traced) = &mut self.traced {
            traced.judged(judged);
        }
    }

    /// Records a request that is turned away with `status`.
    pub(super) async fn refusal(&self, route: &Route<'_>, judged: &Judged, status: u16) -> Result<(), NotRecorded> {
        let at_ms = now_ms();
        self.note_failures(judged);
        self.metrics.ended(self.wire, judged.decision.verdict, End::Refused);
        let value = record::refusal(&self.header(&self.name, at_ms), route, &self.rules, judged, status);
        self.write(NewRecord::refusal(self.id, at_ms, self.subject, bytes(&value)?))
            .await
            .into_result()
    }

    /// Records how the exchange ended. Only after this may the last byte go to the client.
    pub(super) async fn outcome(&mut self, ended: Ended) -> Result<(), NotRecorded> {
        let new = self.closing(ended)?;
        self.owes = None;
        self.trace_end(ended);
        self.write(new).await.into_result()
    }

    fn closing(&self, ended: Ended) -> Result<NewRecord, NotRecorded> {
        let answered = self.answer.as_ref();
        if let Some(judged) = answered {
            self.note_failures(judged);
        }
        let verdict = answered.map_or(Verdict::Allow, |judged| judged.decision.verdict);
        self.metrics
            .ended(self.wire, verdict.max(self.verdict), End::Outcome(ended));
        let (id, at_ms) = (Uuid::now_v7(), now_ms());
        let text = id.to_string();
        let header = self.header(&text, at_ms);
        let value = record::outcome(
            &header,
            &self.name,
            ended,
            self.status,
            self.delivered,
            &self.rules,
            self.answer.as_ref(),
        );
        Ok(NewRecord::outcome(id, self.id, at_ms, self.subject, bytes(&value)?))
    }

    /// Notes for the trace how it ended.
    fn trace_end(&mut self, ended: Ended) {
        let answered = self.answer.as_ref().map(|judged| judged.decision.verdict);
        if let Some(Traced { trace, .. }) = &mut self.traced {
            trace.result = ended.as_str();
            trace.verdict = answered.map_or(trace.verdict, |verdict| verdict.max(trace.verdict));
        }
    }

    fn note_failures(&self, judged: &Judged) {
        if !judged.failed.is_empty() {
            self.metrics.failed_detection();
        }
    }

    async fn write(&self, new: NewRecord) -> Written {
        let begun = Instant::now();
        let written = tokio::time::timeout(self.patience, self.recorder.record(new)).await;
        self.metrics.took(Stage::Record, begun.elapsed());
        if !matches!(written, Ok(Ok(_))) {
            self.metrics.not_recorded();
        }
        match written {
            Ok(Ok(_)) => Written::Durable,
            Ok(Err(error)) => {
                tracing::error!(%error, record = %self.name, "a record could not be written");
                Written::Failed
            }
            Err(_) => {
                tracing::error!(record = %self.name, "a record took too long to become durable");
                Written::Late
            }
        }
    }

    fn header<'h>(&'h self, id: &'h str, at_ms: i64) -> Header<'h> {
        Header {
            id,
            at_ms,
            subject: &self.subject_name,
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.metrics.open.dec();
        if let Some(ended) = self.owes.take() {
            self.trace_end(ended);
            if let Ok(new) = self.closing(ended)
                && let Err(error) = self.recorder.record_detached(new)
            {
                // The next start closes the intent.
                tracing::error!(%error, record = %self.name, "an outcome could not be handed over");
            }
        }
        if let Some(Traced { tracer, mut trace }) = self.traced.take() {
            trace.status = self.status;
            tracer.end(trace);
        }
    }
}

/// The trace of an exchange, and where it goes at its end.
#[derive(Debug)]
pub(super) struct Traced {
    tracer: Arc<Tracer>,
    trace: Box<Trace>,
}

impl Traced {
    /// The trace of an exchange that begins, if there is to be one.
    pub(super) fn begin(
        tracer: Option<&Arc<Tracer>>,
        headers: &HeaderMap,
        about: impl FnOnce(&mut Trace),
    ) -> Option<Self> {
        let tracer = tracer?;
        let mut trace = tracer.begin(headers)?;
        about(&mut trace);
        Some(Self {
            tracer: Arc::clone(tracer),
            trace,
        })
    }

    /// Notes that the request goes upstream now.
    pub(super) fn send(&mut self, headers: &mut HeaderMap) {
        self.trace.send(headers);
    }

    fn judged(&mut self, judged: &Judged) {
        self.trace.verdict = judged.decision.verdict;
        self.trace.model.clone_from(&judged.facts.model);
    }
}

/// What became of a record.
enum Written {
    Durable,
    Failed,
    Late,
}

impl Written {
    const fn into_result(self) -> Result<(), NotRecorded> {
        match self {
            Self::Durable => Ok(()),
            Self::Failed | Self::Late => Err(NotRecorded),
        }
    }
}

/// The canonical bytes of a record. Facts are integers and text, so that they always have some.
fn bytes(value: &Value) -> Result<Vec<u8>, NotRecorded> {
    ordain_ledger::canonical(value).map_err(|error| {
        tracing::error!(%error, "a record has no canonical form");
        NotRecorded
    })
}
