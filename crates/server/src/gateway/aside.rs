//! Where the records of one exchange go when the ledger does not take them: nowhere, or under a break-glass to the spool.
//!
//! An exchange that the policy entitles keeps a copy of each record until the recorder has answered. Only a store that fails
//! opens the glass: a full queue, or a store that is slow, does not. Read [`Aside`] first.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ordain_core::decide::Facts;
use ordain_core::policy::compile::Policy;
use tokio::time::timeout;

use crate::break_glass::{Entitled, Glass};
use crate::recorder::{RecordError, RecorderHandle};
use crate::store::NewRecord;

/// What one exchange has of the break-glass; most have nothing of it.
#[derive(Debug, Default)]
pub(super) struct Aside {
    glass: Option<Arc<Glass>>,
    entitled: Option<Box<Entitled>>,
    /// Whether a record of it is in the spool.
    pub(super) used: bool,
    /// Whether its first one is, so that what follows goes there too.
    opened: bool,
}

impl Aside {
    pub(super) fn new(glass: Option<&Arc<Glass>>) -> Self {
        Self {
            glass: glass.cloned(),
            ..Self::default()
        }
    }

    /// Notes whether the policy entitles the exchange.
    pub(super) fn entitle(&mut self, policy: &Policy, facts: &Facts) {
        if self.glass.is_some() && policy.breaks_glass(facts) {
            self.entitled = Entitled::by(policy).map(Box::new);
        }
    }

    /// A copy to be spooled, if it may be. What is written beside a record needs the store: a ticket is used once, and words
    /// of people can be erased there.
    pub(super) fn copy(&self, record: &NewRecord) -> Option<Box<NewRecord>> {
        let alone = || {
            let beside = record.beside.as_deref();
            beside.is_none_or(|beside| beside.reason.is_none() && beside.ticket.is_none())
        };
        (self.entitled.is_some() && alone()).then(|| Box::new(record.clone()))
    }

    /// Spools a record that the ledger did not take. `written` is how the recorder answered, or
    /// that it did not in time.
    pub(super) async fn spool(
        &mut self,
        copy: Box<NewRecord>,
        written: Option<&RecordError>,
        recorder: &RecorderHandle,
        patience: Duration,
    ) -> Set {
        let (Some(glass), Some(entitled)) = (&self.glass, &self.entitled) else {
            return Set::Refused;
        };
        if !opens(written, recorder.healthy()) {
            return Set::Refused;
        }
        let (id, exchange) = (copy.id, copy.exchange);
        let spooled = within(patience, glass.spool(*copy, Entitled::clone(entitled))).await;
        // What comes too late may be there after all: then what follows has to go there too.
        self.opened |= !matches!(spooled, Some(Err(_))) && id == exchange;
        match spooled {
            Some(Ok(())) => {
                self.used = true;
                Set::Spooled
            }
            Some(Err(_)) => Set::Refused,
            None => Set::Late,
        }
    }

    /// Whether its first record is in the spool, so that what follows goes there too.
    pub(super) const fn is_open(&self) -> bool {
        self.opened
    }

    /// Spools the outcome of an exchange that began in the spool. Gives it back if it is for the recorder.
    pub(super) async fn follow(&mut self, record: NewRecord, patience: Duration) -> Followed {
        let Some(glass) = &self.glass else {
            return Followed::Elsewhere(record);
        };
        match within(patience, glass.follow(record)).await {
            Some(Ok(None)) => {
                self.used = true;
                Followed::Spooled
            }
            Some(Ok(Some(record))) => Followed::Elsewhere(record),
            Some(Err(_)) | None => Followed::Failed,
        }
    }

    /// The same for a record that nobody waits for.
    pub(super) fn leave(&self, record: NewRecord) -> Option<NewRecord> {
        match self.glass.as_ref().filter(|_| self.opened) {
            Some(glass) => {
                glass.leave(record);
                None
            }
            None => Some(record),
        }
    }
}

/// What became of a record that the ledger did not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    Spooled,
    Refused,
    /// The spool's disk takes too long: it may be there or not.
    Late,
}

/// What became of an outcome.
#[derive(Debug)]
pub(super) enum Followed {
    Spooled,
    Elsewhere(NewRecord),
    Failed,
}

/// Whether a record that has no ack opens the glass: only where the store fails. `written` is how the recorder answered, or
/// that it did not in time; then the store fails if the recorder says so. One that is only slow, or has too much to do, does not.
fn opens(written: Option<&RecordError>, healthy: bool) -> bool {
    match written {
        Some(RecordError::Failed(_)) => true,
        Some(RecordError::Full | RecordError::Rejected(_) | RecordError::Stopped) => false,
        None => !healthy,
    }
}

async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    timeout(patience, work).await.ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::store::SubjectId;
    use crate::store::tickets::{Beside, TicketStep};

    #[test]
    fn only_a_store_that_fails_opens_the_glass() {
        let failed = RecordError::Failed("no space".into());
        let rejected = RecordError::Rejected("twice".into());
        for (written, healthy, expected) in [
            (Some(&failed), true, true),
            (Some(&failed), false, true),
            (Some(&RecordError::Full), true, false),
            (Some(&RecordError::Full), false, false),
            (Some(&rejected), false, false),
            (Some(&RecordError::Stopped), false, false),
            // Too late: for a store that is known to fail, and for one that is slow.
            (None, false, true),
            (None, true, false),
        ] {
            assert_eq!(opens(written, healthy), expected, "{written:?} {healthy}");
        }
    }

    #[test]
    fn what_is_written_beside_a_record_needs_the_store() {
        let record = || NewRecord::intent(Uuid::now_v7(), 1, SubjectId::NOBODY, b"{}".to_vec());
        let mut aside = Aside::default();
        assert!(aside.copy(&record()).is_none(), "not entitled");
        aside.entitled = Some(Box::new(Entitled {
            use_: "letters".to_owned(),
            minutes: 30,
        }));
        assert!(aside.copy(&record()).is_some());
        let ticket = TicketStep::Use {
            ticket: "T-0000-0000-0001".to_owned(),
            binding: [0; 32],
        };
        for beside in [
            Beside {
                reason: Some("It is urgent.".to_owned()),
                ticket: None,
            },
            Beside {
                reason: None,
                ticket: Some(ticket),
            },
        ] {
            assert!(aside.copy(&record().with(Some(Box::new(beside)))).is_none());
        }
        assert!(aside.copy(&record().with(Some(Box::default()))).is_some());
    }
}
