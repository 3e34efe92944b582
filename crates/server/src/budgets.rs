//! Budgets: what may be spent in a period of time, and the arithmetic that keeps to it.
//!
//! A call reserves before it is sent: one request, the most tokens that its input can be and its answer may be, and what they
//! cost. It settles when its outcome is known. INVARIANT: at no moment do spending and reservations together exceed a limit, but
//! for calls of which the provider states more than they reserved. However many calls race for one budget, they meet under one
//! lock, and the last one that does not fit is turned away.
//!
//! Moments are arguments. Counters live here and are written with the records ([`crate::store::spending`]); a restart begins with
//! what is stored, where a call that was cut off counts with all that it reserved. Read [`Budgets::reserve`] first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::store::{Amount, Holder, Limit, Period, Spend, Spent};

/// What everybody has spent and holds, in the periods that are running.
#[derive(Debug)]
pub struct Budgets {
    counters: Mutex<Counters>,
}

#[derive(Debug)]
struct Counters {
    known: HashMap<(Holder, Period), Counter>,
    /// At this many, those whose period is over are dropped.
    tidy_at: usize,
}

/// One holder's spending in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counter {
    start_ms: i64,
    /// What is settled.
    spent: Amount,
    /// What is reserved and not settled.
    held: Amount,
}

/// A limit that a call does not fit into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// Whose limit.
    pub holder: Holder,
    /// Which.
    pub limit: Limit,
    /// When it is worth another try, in milliseconds from the moment of asking.
    pub wait_ms: i64,
    /// Whether the call alone is more than the limit: then it never fits.
    pub alone: bool,
}

/// What a call holds until it is settled. Dropped without that, it gives everything back: nothing was sent.
#[derive(Debug)]
pub struct Reservation {
    budgets: Arc<Budgets>,
    asked: Amount,
    accounts: Vec<(Holder, Period, i64)>,
}

impl Budgets {
    /// Begins with what was spent before.
    #[must_use]
    pub fn new(spent: impl IntoIterator<Item = Spent>) -> Arc<Self> {
        let counter = |one: Spent| {
            let counter = Counter {
                start_ms: one.start_ms,
                spent: one.amount,
                held: Amount::default(),
            };
            ((one.holder, one.period), counter)
        };
        let known: HashMap<_, _> = spent.into_iter().map(counter).collect();
        Arc::new(Self {
            counters: Mutex::new(Counters {
                tidy_at: TIDY_AT.max(2 * known.len()),
                known,
            }),
        })
    }

    /// Reserves `ask` under every one of `limits`, or nothing. Days and months are those of `zone`.
    ///
    /// # Errors
    ///
    /// [`Over`]: of the limits that it does not fit into, the one that takes longest to pass.
    pub fn reserve(
        self: &Arc<Self>,
        limits: &[(Holder, Limit)],
        ask: Amount,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<Reservation, Over> {
        let mut accounts: Vec<(Holder, Period, i64)> = Vec::with_capacity(limits.len());
        let mut counters = self.lock();
        counters.tidy(now);
        let mut over: Option<Over> = None;
        for (holder, limit) in limits {
            let start = start_of(limit.period, now, zone);
            let counter = counters.at(holder, limit.period, start);
            if let Some(wait_ms) = counter.wait(*limit, ask, now, zone) {
                let alone = ask.of(limit.measure) > limit.most;
                let later = over.as_ref().is_none_or(|known| known.wait_ms < wait_ms);
                if later {
                    let (holder, limit) = (holder.clone(), *limit);
                    over = Some(Over {
                        holder,
                        limit,
                        wait_ms,
                        alone,
                    });
                }
            }
            let (start, period) = (counter.start_ms, limit.period);
            if !accounts.iter().any(|known| known.0 == *holder && known.1 == period) {
                accounts.push((holder.clone(), period, start));
            }
        }
        if let Some(over) = over {
            return Err(over);
        }
        for (holder, period, start) in &accounts {
            let counter = counters.at(holder, *period, *start);
            counter.held = counter.held.plus(ask);
        }
        drop(counters);
        Ok(Reservation {
            budgets: Arc::clone(self),
            asked: ask,
            accounts,
        })
    }

    fn settle(&self, accounts: &[(Holder, Period, i64)], asked: Amount, used: Amount) {
        let mut counters = self.lock();
        for (holder, period, start) in accounts {
            let counter = counters.known.get_mut(&(holder.clone(), *period));
            // What was reserved in a period that is over has gone with it.
            if let Some(counter) = counter.filter(|counter| counter.start_ms == *start) {
                counter.held = counter.held.minus(asked);
                counter.spent = counter.spent.plus(used);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        // Counters are numbers, whole after each statement: a panic elsewhere leaves nothing to distrust.
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counters {
    /// The counter for a period that began at `start`. A clock that was set back goes on in the later period.
    fn at(&mut self, holder: &Holder, period: Period, start: i64) -> &mut Counter {
        let counter = self
            .known
            .entry((holder.clone(), period))
            .or_insert(Counter::new(start));
        if counter.start_ms < start {
            *counter = Counter::new(start);
        }
        counter
    }

    /// Drops counters whose period is surely over, once there are many: principals come and go.
    fn tidy(&mut self, now: Timestamp) {
        if self.known.len() < self.tidy_at {
            return;
        }
        let now_ms = now.as_millisecond();
        self.known
            .retain(|(_, period), counter| counter.start_ms.saturating_add(longest(*period)) > now_ms);
        self.tidy_at = TIDY_AT.max(2 * self.known.len());
    }
}

impl Counter {
    const fn new(start_ms: i64) -> Self {
        const NOTHING: Amount = Amount {
            requests: 0,
            tokens: 0,
            cost: 0,
        };
        Self {
            start_ms,
            spent: NOTHING,
            held: NOTHING,
        }
    }

    /// How long `ask` has to wait for a limit, in milliseconds; not at all if there is none.
    fn wait(&self, limit: Limit, ask: Amount, now: Timestamp, zone: &TimeZone) -> Option<i64> {
        let fits = |taken: Amount| taken.plus(ask).of(limit.measure) <= limit.most;
        if fits(self.spent.plus(self.held)) {
            return None;
        }
        // Others may settle for less than they hold.
        if fits(self.spent) {
            return Some(SOON_MS);
        }
        let end = end_of(limit.period, self.start_ms, zone);
        Some((end - now.as_millisecond()).max(SOON_MS))
    }
}

impl Reservation {
    /// What the record that opens the exchange adds to the counters: all that is held, so that a crash from here on costs no less.
    #[must_use]
    pub fn opening(&self) -> Vec<Spend> {
        self.spends(self.asked, Amount::default())
    }

    /// Settles for what was used, and returns what the record that closes the exchange changes in the counters.
    #[must_use]
    pub fn settle(mut self, used: Amount) -> Vec<Spend> {
        let spends = self.spends(used, self.asked);
        self.budgets.settle(&self.accounts, self.asked, used);
        self.accounts.clear();
        spends
    }

    fn spends(&self, adds: Amount, takes: Amount) -> Vec<Spend> {
        let spend = |(holder, period, start_ms): &(Holder, Period, i64)| Spend {
            holder: holder.clone(),
            period: *period,
            start_ms: *start_ms,
            adds,
            takes,
        };
        self.accounts.iter().map(spend).collect()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.accounts.is_empty() {
            self.budgets.settle(&self.accounts, self.asked, Amount::default());
        }
    }
}

/// When the period of a moment began, in milliseconds since 1970. Minutes and hours are those of UTC.
#[must_use]
pub fn start_of(period: Period, now: Timestamp, zone: &TimeZone) -> i64 {
    let now_ms = now.as_millisecond();
    let whole = |length: i64| now_ms - now_ms.rem_euclid(length);
    let zoned = |day: jiff::Zoned| {
        day.start_of_day()
            .map_or(whole(DAY_MS), |day| day.timestamp().as_millisecond())
    };
    match period {
        Period::Minute => whole(MINUTE_MS),
        Period::Hour => whole(HOUR_MS),
        Period::Day => zoned(now.to_zoned(zone.clone())),
        Period::Month => now
            .to_zoned(zone.clone())
            .first_of_month()
            .map_or_else(|_| whole(DAY_MS), zoned),
    }
}

/// When the period that began at `start_ms` ends.
fn end_of(period: Period, start_ms: i64, zone: &TimeZone) -> i64 {
    let later = |span: jiff::Span| {
        let start = Timestamp::from_millisecond(start_ms).ok()?.to_zoned(zone.clone());
        let end = start.checked_add(span).ok()?;
        // Where a day begins later than at midnight, the next one need not.
        Some(end.start_of_day().ok()?.timestamp().as_millisecond())
    };
    let end = match period {
        Period::Minute => Some(start_ms + MINUTE_MS),
        Period::Hour => Some(start_ms + HOUR_MS),
        Period::Day => later(1.day()),
        Period::Month => later(1.month()),
    };
    end.unwrap_or(start_ms + longest(period))
}

/// No period of this kind is longer, whatever clocks are set to in its zone.
const fn longest(period: Period) -> i64 {
    match period {
        Period::Minute => MINUTE_MS,
        Period::Hour => HOUR_MS,
        Period::Day => 2 * DAY_MS,
        Period::Month => 32 * DAY_MS,
    }
}

/// No counter that began so long before a moment is of a period that still runs.
pub const LONGEST_MS: i64 = longest(Period::Month);

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// After how long to try again where others hold what they may give back.
const SOON_MS: i64 = 1_000;

/// How many counters are kept before anybody looks which of them are over.
const TIDY_AT: usize = 4_096;

#[cfg(test)]
mod tests;
