//! The spool of a gateway as those see it who do not run the gateway. Read [`Desk`] first.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use ordain_core::inspect::{Rules, content};
use uuid::Uuid;

use super::review::{Given, Incident, NotCounted, Posted, ReviewError};
use super::seal::Seal;
use super::spool;
use super::state::{Paths, State};
use crate::config::BreakGlass;
use crate::keys::KeyHasher;
use crate::store::SubjectId;

/// An incident as people look at it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its id.
    pub incident: Uuid,
    /// The use that it was for.
    pub use_: String,
    /// For how long the policy allowed it, in minutes.
    pub minutes: u32,
    /// When it began, in milliseconds since 1970.
    pub begun_ms: i64,
    /// Records that were spooled.
    pub records: u64,
    /// Of these, those that the ledger has taken.
    pub taken: u64,
    /// The gap records that say so.
    pub gaps: Vec<Uuid>,
    /// Who used it.
    pub users: BTreeSet<SubjectId>,
    /// Why the last review did not count, if one did not.
    pub turned_down: Option<String>,
}

/// The spool of a gateway as those see it who do not run the gateway.
#[derive(Debug)]
pub struct Desk {
    paths: Paths,
    seal: Seal,
}

impl Desk {
    /// That of a folder.
    #[must_use]
    pub fn new(folder: &Path, config: &BreakGlass, hasher: &KeyHasher) -> Self {
        Self {
            paths: Paths::new(folder.join(&config.spool)),
            seal: Seal::new(hasher),
        }
    }

    fn incident(&self) -> io::Result<Option<Incident>> {
        let state = State::load(&self.paths, &self.seal)?;
        let Some(state) = state.filter(|state| !state.reviewed) else {
            return Ok(None);
        };
        let path = self.paths.spool(state.incident);
        Incident::read(state, &path, &self.seal).map(Some)
    }

    /// The incident that runs, or waits for its review.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn look(&self) -> io::Result<Option<Seen>> {
        let Some(Incident { state, len, users }) = self.incident()? else {
            return Ok(None);
        };
        let mut records = 0;
        let path = self.paths.spool(state.incident);
        spool::read::<io::Error>(&path, (state.incident, &self.seal), (0, len), |_, _| {
            records += 1;
            Ok(())
        })?;
        Ok(Some(Seen {
            incident: state.incident,
            use_: state.use_,
            minutes: state.minutes,
            begun_ms: state.hour.begun_ms,
            records,
            taken: state.taken.1,
            gaps: state.gaps,
            users,
            turned_down: std::fs::read_to_string(self.paths.turned_down()).ok(),
        }))
    }

    /// Leaves a review for the gateway that has the store.
    ///
    /// # Errors
    ///
    /// If there is nothing to review yet, or the folder cannot be written.
    pub fn post(&self, rules: &Rules, given: &Given<'_>) -> Result<(), ReviewError> {
        let incident = self.incident()?.ok_or(NotCounted::Nothing)?;
        if !incident.is_taken() {
            return Err(NotCounted::Running.into());
        }
        let posted = Posted {
            by: given.by.to_owned(),
            reason: content::words(&rules.scanner, given.reason).unwrap_or_default(),
        };
        Ok(posted.leave(&self.paths)?)
    }

    /// Whether the gateway has taken the review in.
    ///
    /// # Errors
    ///
    /// [`NotCounted::TurnedDown`] if it does not count.
    pub fn is_taken_in(&self) -> Result<bool, ReviewError> {
        if self.paths.posted().exists() {
            return Ok(false);
        }
        match std::fs::read_to_string(self.paths.turned_down()) {
            Ok(why) => Err(NotCounted::TurnedDown(why).into()),
            Err(_) => Ok(!self.paths.state().exists()),
        }
    }
}
