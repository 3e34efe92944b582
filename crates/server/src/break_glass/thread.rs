//! The thread that owns the keeper: it takes records as they come, looks twice a second whether the ledger works again,
//! and raises the alarm.
//!
//! Writing to a disk blocks, and a disk may hang; no worker of the gateway waits for one.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::keeper::{Keeper, Standing};
use super::review::{self, Given, Incident, NotCounted, Posted, ReviewError};
use super::{BATCH, Clock, Entitled, Moment, Refused, Shared};
use crate::metrics::Metrics;
use crate::recorder::RecorderHandle;
use crate::store::NewRecord;

/// Who waits for a record to be spooled.
type Spooled = oneshot::Sender<Result<(), Refused>>;
/// Who waits for an outcome to be spooled, or to come back.
type Followed = oneshot::Sender<Result<Option<NewRecord>, Refused>>;

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Job {
    /// To spool a record to which the break-glass is open.
    Spool(NewRecord, Entitled, Spooled),
    /// To spool the outcome of an exchange that began in the spool. It comes back if the ledger has its intent by now.
    Follow(NewRecord, Followed),
    /// The same, with nobody who waits: then it goes to the recorder.
    Leave(NewRecord),
    /// To look at once.
    #[cfg(test)]
    Look(oneshot::Sender<()>),
    /// To end, when all before it is done.
    End(std::sync::mpsc::Sender<()>),
}

/// How often it looks whether the ledger works again.
const LOOK: Duration = Duration::from_millis(500);
/// How often the alarm is repeated, and what is left of the time is kept.
const ALARM_MS: u128 = 60_000;

/// The thread's own state.
pub(super) struct Worker {
    pub(super) keeper: Keeper,
    pub(super) recorder: RecorderHandle,
    pub(super) metrics: Arc<Metrics>,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    /// When the alarm was last raised.
    pub(super) alarmed: Option<Duration>,
    /// When it was last said that the ledger cannot take the spool although it takes records.
    pub(super) untaken: Option<Duration>,
    /// Whether the time ran when it was last looked at.
    pub(super) ran: bool,
}

impl Worker {
    pub(super) async fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                count = jobs.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    let end = self.take(&mut batch);
                    self.tell();
                    if let Some(end) = end {
                        // Whoever asked may have gone.
                        let _ = end.send(());
                        return;
                    }
                }
                _ = tick.tick() => self.look(),
            }
        }
    }

    /// Does what came in together. Records of one kind that come together are written with one sync.
    fn take(&mut self, batch: &mut Vec<Job>) -> Option<std::sync::mpsc::Sender<()>> {
        let now = (self.clock)();
        let (mut records, mut callers, mut of) = (Vec::new(), Vec::new(), None);
        let (mut outcomes, mut owners) = (Vec::new(), Vec::new());
        let mut end = None;
        for job in batch.drain(..) {
            match job {
                Job::Spool(record, entitled, caller) => {
                    self.shared.queued.fetch_sub(1, Ordering::Relaxed);
                    if of.as_ref().is_some_and(|of| *of != entitled) {
                        // Another version of the policy is in force since the last one came.
                        self.spool(
                            &std::mem::take(&mut records),
                            std::mem::take(&mut callers),
                            of.take(),
                            now,
                        );
                    }
                    of = Some(entitled);
                    records.push(record);
                    callers.push(caller);
                }
                Job::Follow(record, caller) => {
                    outcomes.push(record);
                    owners.push(Some(caller));
                }
                Job::Leave(record) => {
                    outcomes.push(record);
                    owners.push(None);
                }
                #[cfg(test)]
                Job::Look(done) => {
                    self.look();
                    let _ = done.send(());
                }
                Job::End(done) => end = Some(done),
            }
        }
        self.spool(&records, callers, of, now);
        self.follow(outcomes, owners, now);
        end
    }

    fn spool(&mut self, records: &[NewRecord], callers: Vec<Spooled>, of: Option<Entitled>, now: Moment) {
        let Some(of) = of else { return };
        let count = records.len() as u64;
        let written = self.keeper.spool(records, &of, now);
        self.metrics.break_glass_records(written.is_ok(), count);
        let broken = matches!(written, Err(Refused::Full | Refused::Unwritable));
        self.shared.broken.store(broken, Ordering::Relaxed);
        for caller in callers {
            // Whoever gave up waiting has something to close: it comes as an outcome.
            let _ = caller.send(written);
        }
    }

    fn follow(&mut self, outcomes: Vec<NewRecord>, owners: Vec<Option<Followed>>, now: Moment) {
        if outcomes.is_empty() {
            return;
        }
        let ids: Vec<_> = outcomes.iter().map(|record| record.id).collect();
        let (written, elsewhere) = self.keeper.follow(outcomes, now);
        let here = (ids.len() - elsewhere.len()) as u64;
        self.metrics.break_glass_records(written.is_ok(), here);
        let mut elsewhere = elsewhere.into_iter().peekable();
        for (id, owner) in ids.into_iter().zip(owners) {
            let back = elsewhere.next_if(|record| record.id == id);
            match (owner, back) {
                (Some(owner), Some(record)) => drop(owner.send(Ok(Some(record)))),
                (Some(owner), None) => drop(owner.send(written.map(|()| None))),
                (None, Some(record)) => {
                    if let Err(error) = self.recorder.record_detached(record) {
                        tracing::error!(%error, "an outcome could not be handed over");
                    }
                }
                // What could not be written is closed as unknown, once the ledger has taken the intent.
                (None, None) => {}
            }
        }
    }

    /// Looks whether the ledger works again, whether somebody has reviewed, and how the time stands.
    fn look(&mut self) {
        let now = (self.clock)();
        let Some(standing) = self.keeper.standing(now) else {
            self.tell();
            return;
        };
        if standing.waiting > 0 && self.recorder.healthy() {
            match self.keeper.settle(&mut &self.recorder, now.wall_ms) {
                Ok(records) => self.metrics.break_glass_taken(records),
                Err(error) if Self::due(self.untaken, now) => {
                    self.untaken = Some(now.running);
                    tracing::error!(%error, "the ledger has not taken what was spooled; it is tried again");
                }
                Err(_) => {}
            }
        }
        if standing.waiting == 0 {
            self.review(now);
        }
        self.tell();
        self.alarm(now);
    }

    /// Says once a minute that it goes on, and when the time is over.
    fn alarm(&mut self, now: Moment) {
        let Some(Standing {
            incident,
            left_ms,
            waiting,
        }) = self.keeper.standing(now)
        else {
            (self.alarmed, self.ran) = (None, false);
            return;
        };
        if std::mem::replace(&mut self.ran, left_ms > 0) && left_ms == 0 {
            tracing::error!(%incident, records = waiting, "the time of the break-glass is over: what cannot be recorded does not happen any more");
        }
        if Self::due(self.alarmed, now) && (waiting > 0 || left_ms > 0) {
            self.alarmed = Some(now.running);
            self.keeper.note(now);
            if waiting > 0 {
                let seconds_left = left_ms / 1000;
                tracing::error!(%incident, records = waiting, seconds_left, "records are spooled under the break-glass, since the ledger takes none");
            }
        }
    }

    /// Whether something that was last said then may be said again.
    fn due(last: Option<Duration>, now: Moment) -> bool {
        last.is_none_or(|last| now.running.saturating_sub(last).as_millis() >= ALARM_MS)
    }

    /// Takes in the review that somebody left.
    fn review(&mut self, now: Moment) {
        let posted = match Posted::take(self.keeper.paths()) {
            Ok(None) => return,
            Ok(Some(posted)) => posted,
            Err(error) => {
                tracing::warn!(%error, "a review could not be read");
                return;
            }
        };
        let (why, ended) = match self.write_review(&posted, now) {
            Ok(()) => (None, true),
            Err(ReviewError::NotCounted(why)) => (Some(why), false),
            Err(error) => {
                tracing::warn!(%error, "a review could not be written; it stays until it can");
                return;
            }
        };
        let incident = self.keeper.standing(now).map(|standing| standing.incident);
        let answered = Posted::answer(self.keeper.paths(), why.as_ref());
        let answered = answered.and_then(|()| if ended { self.keeper.end() } else { Ok(()) });
        match answered {
            Ok(()) if ended => tracing::warn!(?incident, "the break-glass was reviewed and closed"),
            Ok(()) => {}
            Err(error) => tracing::error!(%error, "the folder of the break-glass cannot be written"),
        }
    }

    fn write_review(&mut self, posted: &Posted, now: Moment) -> Result<(), ReviewError> {
        let (state, path) = self.keeper.reviewable().ok_or(NotCounted::Nothing)?;
        let incident = Incident::read(state, &path, self.keeper.seal())?;
        let rules = self.shared.rules.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let posted = posted.clone();
        let written = super::ledger::Ledger::with(&mut &self.recorder, move |store| {
            let given = Given {
                by: &posted.by,
                reason: &posted.reason,
                at_ms: now.wall_ms,
            };
            review::review(&incident, store, &rules, &given)
        });
        match written {
            Ok(written) => written.map(drop),
            Err(_) => Err(ReviewError::Late),
        }
    }

    /// Makes known how it stands.
    fn tell(&mut self) {
        let now = (self.clock)();
        let standing = self.keeper.standing(now);
        self.metrics.break_glass(
            standing.is_some_and(|standing| standing.waiting > 0),
            standing.is_some(),
        );
        *self.shared.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}
