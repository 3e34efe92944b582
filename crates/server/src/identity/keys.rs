//! What is known of one issuer's keys: the last good set, how old it is, and when to ask again.
//!
//! A set is used until its stated age; after that nobody gets in by it (threat C4). When to ask is decided here and asked
//! elsewhere ([`super::fetch`]). Read [`IssuerKeys`] first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::jwk::{KeySet, KeySetError};
use crate::config::{Issuer, KeySource};

/// An issuer with its keys.
#[derive(Debug)]
pub struct IssuerKeys {
    issuer: Issuer,
    known: RwLock<Option<Arc<Known>>>,
    /// Whether somebody came with a key that is not known.
    wanted: AtomicBool,
    schedule: Mutex<Schedule>,
}

/// A set of keys that was fetched.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) set: KeySet,
    /// Grows when the keys are others.
    pub(super) generation: u64,
    /// When the set was last known to be the issuer's.
    pub(super) at: Timestamp,
    /// What it was read from.
    bytes: Vec<u8>,
}

/// Whether the keys of an issuer can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// They can.
    Usable,
    /// They could not be fetched yet.
    Missing,
    /// They could not be fetched again for longer than they may be used.
    TooOld,
}

/// When an issuer is asked.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    running: bool,
    began: Option<Instant>,
    failures: u32,
}

/// How often a set is fetched again.
const REFRESH: Duration = Duration::from_secs(15 * 60);

/// How often a file is read again: it costs next to nothing.
const REREAD: Duration = Duration::from_secs(5);

/// How soon a set is fetched again because of a key that is not known (threat C4), and at most after a failure.
const SOONEST: Duration = Duration::from_secs(30);

impl Schedule {
    /// Whether it is time, and from now on somebody asks.
    pub(super) fn take(&mut self, now: Instant, wanted: bool, usual: Duration) -> bool {
        let wait = match self.failures {
            0 if wanted => usual.min(SOONEST),
            0 => usual,
            failures => Duration::from_secs(1 << failures.min(5)).min(SOONEST),
        };
        let due = !self.running
            && self
                .began
                .is_none_or(|began| now.saturating_duration_since(began) >= wait);
        if due {
            self.running = true;
            self.began = Some(now);
        }
        due
    }

    /// How it went.
    pub(super) fn done(&mut self, good: bool) {
        self.running = false;
        self.failures = if good { 0 } else { self.failures.saturating_add(1) };
    }
}

impl IssuerKeys {
    /// An issuer of whose keys nothing is known.
    #[must_use]
    pub fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            known: RwLock::new(None),
            wanted: AtomicBool::new(false),
            schedule: Mutex::default(),
        }
    }

    /// Its configuration.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// When its keys were last fetched.
    #[must_use]
    pub fn fetched(&self) -> Option<Timestamp> {
        self.known().map(|known| known.at)
    }

    /// Whether its keys can be used.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        match (self.known(), self.current(now)) {
            (None, _) => State::Missing,
            (Some(_), None) => State::TooOld,
            (Some(_), Some(_)) => State::Usable,
        }
    }

    /// The keys, unless they are too old.
    pub(super) fn current(&self, now: Timestamp) -> Option<Arc<Known>> {
        let age = |known: &Known| now.as_second().saturating_sub(known.at.as_second());
        self.known()
            .filter(|known| age(known) <= self.issuer.max_age.as_secs() as i64)
    }

    /// Takes what the issuer publishes now. The same bytes are the same generation.
    ///
    /// # Errors
    ///
    /// [`KeySetError`]; the set before stays.
    pub fn take(&self, bytes: Vec<u8>, now: Timestamp) -> Result<(), KeySetError> {
        let set = KeySet::parse(&bytes, &self.issuer.algorithms)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = known
            .as_ref()
            .map_or((0, None), |known| (known.generation, Some(&known.bytes)));
        let generation = if before.1 == Some(&bytes) {
            before.0
        } else {
            before.0 + 1
        };
        *known = Some(Arc::new(Known {
            set,
            generation,
            at: now,
            bytes,
        }));
        Ok(())
    }

    /// Notes that somebody came with a key that is not known: it may be a new one.
    pub(super) fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Whether it is time to fetch its keys; whoever is told so does it and says how it went.
    pub(super) fn due(&self, now: Instant) -> bool {
        let usual = match &self.issuer.keys {
            KeySource::File(_) => REREAD,
            KeySource::Discovery(_) | KeySource::At(_) => REFRESH.min(self.issuer.max_age / 4),
        };
        let mut schedule = self.schedule.lock().unwrap_or_else(PoisonError::into_inner);
        let due = schedule.take(now, self.wanted.load(Ordering::Relaxed), usual);
        if due {
            self.wanted.store(false, Ordering::Relaxed);
        }
        due
    }

    pub(super) fn done(&self, good: bool) {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner).done(good);
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Duration = Duration::from_secs(900);

    #[test]
    fn a_flood_of_unknown_keys_makes_one_fetch_in_thirty_seconds() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        let mut fetched = Vec::new();
        // Two minutes of it, ten a second.
        for tick in 0..1200 {
            let now = start + Duration::from_millis(100 * tick);
            if schedule.take(now, true, USUAL) {
                fetched.push(tick / 10);
                schedule.done(true);
            }
        }
        assert_eq!(fetched, [0, 30, 60, 90]);
    }

    #[test]
    fn without_reason_it_is_asked_as_usual_and_after_failures_ever_later() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(schedule.take(at(0), false, USUAL));
        assert!(!schedule.take(at(5000), true, USUAL), "one at a time");
        schedule.done(true);
        let mut schedule = Schedule::default();
        let mut asked = Vec::new();
        for second in 0..130 {
            if schedule.take(at(second), second % 2 == 0, USUAL) {
                asked.push(second);
                schedule.done(false);
            }
        }
        assert_eq!(asked, [0, 2, 6, 14, 30, 60, 90, 120]);
        schedule.done(true);
        assert!(!schedule.take(at(1019), false, USUAL) && schedule.take(at(1020), false, USUAL));
    }
}
