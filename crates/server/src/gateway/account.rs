//! The records of one exchange: an intent, then exactly one outcome, whatever happens to the client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::header::HeaderMap;
use ordain_core::inspect::{Judged, Rules};
use ordain_core::record::steps::Steps;
use ordain_core::record::{self, Bounded, Header, Record, Result as Ended, Route, Try};
use ordain_core::verdict::Verdict;
use uuid::Uuid;

use super::Gateway;
use super::aside::{Aside, Followed, Set};
use super::bill::Bill;
use super::live::Live;
use super::upload::Progress;
use crate::metrics::{End, Metrics, Stage};
use crate::recorder::{RecordError, RecorderHandle};
use crate::store::tickets::Beside;
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
    pub(super) subject: SubjectId,
    subject_name: String,
    /// On whose behalf it is done.
    pub(super) on_behalf_of: Option<SubjectId>,
    /// The same as text.
    on_behalf_of_name: Option<String>,
    /// The wire and the verdict on the prompt, under which it is counted.
    wire: &'static str,
    verdict: Verdict,
    /// The id of the exchange, which is that of its first record.
    pub(super) id: Uuid,
    /// The same as text.
    pub(super) name: String,
    /// What was done about the request beside sending it, or is still to be done.
    pub(super) second: Option<Box<Second>>,
    /// Its intent was rejected: another request was faster to use the ticket.
    pub(super) outrun: bool,
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
    /// Where its records go if the ledger does not take them.
    pub(super) aside: Aside,
    /// What it is charged.
    pub(super) bill: Bill,
    /// How much of the request's body went upstream, where nobody has read it.
    pub(super) sent: Option<Arc<Progress>>,
    /// What turned it away beside the policy.
    pub(super) bounded: Option<Bounded>,
    /// Where the request was sent, if to more than one place.
    pub(super) tries: Vec<Try>,
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
            on_behalf_of: None,
            on_behalf_of_name: None,
            id,
            name,
            second: None,
            outrun: false,
            traced: None,
            owes: None,
            status: 0,
            delivered: 0,
            answer: None,
            aside: Aside::new(gateway.glass.as_ref()),
            bill: Bill::default(),
            sent: None,
            bounded: None,
            tries: Vec::new(),
        }
    }

    /// Notes on whose behalf it is done.
    pub(super) fn done_for(&mut self, subject: SubjectId) {
        self.on_behalf_of_name = Some(subject.to_string());
        self.on_behalf_of = Some(subject);
    }

    /// Records what is about to go upstream. Only after this may a byte leave.
    pub(super) async fn intent(&mut self, route: &Route<'_>, judged: &Judged) -> Result<(), NotRecorded> {
        let at_ms = now_ms();
        self.verdict = judged.decision.verdict;
        self.aside.entitle(&self.rules.policy, &judged.facts);
        self.note_failures(judged);
        if let Some(traced) = &mut self.traced {
            traced.judged(judged);
        }
        let second = self.second.take();
        let uses = second.as_ref().is_some_and(|second| second.beside.ticket.is_some());
        let record = record::intent(&self.header(&self.name, at_ms), route, &self.rules, judged);
        let record = bytes(&record.with_steps(second.as_ref().and_then(|second| second.steps.as_ref())))?;
        let new = NewRecord::intent(self.id, at_ms, self.subject, record)
            .with_spends(self.bill.opening())
            .with(second.map(|second| Box::new(second.beside)));
        // From here on it may be written, whether or not anybody waits for it: then nothing was sent.
        self.owes = Some(Ended::NotSent);
        match self.write(new).await {
            Written::Durable => {
                self.owes = Some(Ended::ClientGone);
                Ok(())
            }
            Written::Rejected => {
                (self.owes, self.outrun) = (None, uses);
                Err(NotRecorded)
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
        self.aside.entitle(&self.rules.policy, &judged.facts);
        self.status = status;
        if let Some(traced) = &mut self.traced {
            traced.judged(judged);
        }
    }

    /// The record of a request that is turned away with `status`.
    pub(super) fn refusal(&self, route: &Route<'_>, judged: &Judged, status: u16) -> Result<NewRecord, NotRecorded> {
        let at_ms = now_ms();
        self.note_failures(judged);
        self.metrics.ended(self.wire, judged.decision.verdict, End::Refused);
        let second = self.second.as_deref();
        let record = record::refusal(&self.header(&self.name, at_ms), route, &self.rules, judged, status);
        let record = record
            .with_bounded(self.bounded.as_ref())
            .with_ticket(second.and_then(|second| second.waits.as_deref()));
        Ok(NewRecord::refusal(self.id, at_ms, self.subject, bytes(&record)?)
            .with(second.map(|second| Box::new(second.beside.clone()))))
    }

    /// Records a request that is turned away.
    pub(super) async fn refuse(&mut self, refusal: NewRecord) -> Result<(), NotRecorded> {
        self.write(refusal).await.into_result()
    }

    /// Records how the exchange ended. Only after this may the last byte go to the client.
    pub(super) async fn outcome(&mut self, ended: Ended) -> Result<(), NotRecorded> {
        let new = self.closing(ended)?;
        self.owes = None;
        self.trace_end(ended);
        self.write(new).await.into_result()
    }

    fn closing(&mut self, ended: Ended) -> Result<NewRecord, NotRecorded> {
        let answered = self.answer.as_ref();
        if let Some(judged) = answered {
            self.note_failures(judged);
        }
        let verdict = answered.map_or(Verdict::Allow, |judged| judged.decision.verdict);
        self.metrics
            .ended(self.wire, verdict.max(self.verdict), End::Outcome(ended));
        let (used, spends) = self.bill.close(self.answer.as_ref().map(|judged| judged.said), ended);
        if let Some(used) = &used {
            self.metrics.used(
                used.input,
                used.output,
                used.estimated,
                used.cost.as_ref().map(|(cost, _)| *cost),
            );
        }
        let used = used.as_ref().map(|used| record::Used {
            input: used.input,
            output: used.output,
            estimated: used.estimated,
            cost: used.cost.as_ref().map(|(cost, currency)| (*cost, &**currency)),
        });
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
        )
        .with_usage(used)
        .with_sent(self.sent.as_ref().map(|sent| sent.end()))
        .with_tries(&self.tries);
        Ok(NewRecord::outcome(id, self.id, at_ms, self.subject, bytes(&value)?).with_spends(spends))
    }

    /// Who asks, as records have it.
    pub(super) const fn subject(&self) -> SubjectId {
        self.subject
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
        for (place, one) in judged.failed.iter().enumerate() {
            // A body counts once under each trouble.
            let earlier = judged.failed.iter().take(place);
            if !earlier.clone().any(|known| known.trouble == one.trouble) {
                self.metrics.failed_detection(one.trouble);
            }
        }
    }

    async fn write(&mut self, new: NewRecord) -> Written {
        let begun = Instant::now();
        // The futures of what hardly ever happens are not part of every exchange's own.
        let new = if self.aside.is_open() {
            match Box::pin(self.aside.follow(new, self.patience)).await {
                Followed::Elsewhere(new) => new,
                Followed::Spooled => return Written::Durable,
                Followed::Failed => {
                    self.metrics.not_recorded();
                    return Written::Failed;
                }
            }
        } else {
            new
        };
        let copy = self.aside.copy(&new);
        let written = tokio::time::timeout(self.patience, self.recorder.record(new)).await;
        self.metrics.took(Stage::Record, begun.elapsed());
        if let Some(copy) = copy
            && !matches!(written, Ok(Ok(_)))
        {
            let error = written.as_ref().ok().and_then(|written| written.as_ref().err());
            match Box::pin(self.aside.spool(copy, error, &self.recorder, self.patience)).await {
                Set::Spooled => return Written::Durable,
                Set::Refused => {}
                Set::Late => {
                    self.metrics.not_recorded();
                    tracing::error!(record = %self.name, "a record took too long to be spooled");
                    return Written::Late;
                }
            }
        }
        match written {
            Ok(Ok(_)) => Written::Durable,
            // The record is at fault and not the store; the recorder has said so.
            Ok(Err(RecordError::Rejected(_))) => Written::Rejected,
            Ok(Err(error)) => {
                self.metrics.not_recorded();
                tracing::error!(%error, record = %self.name, "a record could not be written");
                Written::Failed
            }
            Err(_) => {
                self.metrics.not_recorded();
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
            on_behalf_of: self.on_behalf_of_name.as_deref(),
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.metrics.open.dec();
        if let Some(ended) = self.owes.take() {
            self.trace_end(ended);
            if let Ok(new) = self.closing(ended)
                && let Some(new) = self.aside.leave(new)
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

/// What the record of a request says beside the decision, and what is written with it.
#[derive(Debug, Clone)]
pub(super) struct Second {
    /// The steps that were taken.
    pub(super) steps: Option<Steps>,
    /// The ticket under which it waits.
    pub(super) waits: Option<String>,
    pub(super) beside: Beside,
}

/// What became of a record.
enum Written {
    Durable,
    Rejected,
    Failed,
    Late,
}

impl Written {
    const fn into_result(self) -> Result<(), NotRecorded> {
        match self {
            Self::Durable => Ok(()),
            Self::Rejected | Self::Failed | Self::Late => Err(NotRecorded),
        }
    }
}

/// The canonical bytes of a record. Facts are integers and text, so that they always have some.
fn bytes(record: &Record<'_>) -> Result<Vec<u8>, NotRecorded> {
    ordain_ledger::canonical(record).map_err(|error| {
        tracing::error!(%error, "a record has no canonical form");
        NotRecorded
    })
}
