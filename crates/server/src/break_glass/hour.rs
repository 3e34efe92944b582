//! How much of the time is gone. Moments are arguments.
//!
//! While a process runs, the time that it has run counts, which no change of the clock touches; between two processes the
//! clock of the wall is all there is. INVARIANT: of the two, the one that leaves less time counts, and what is gone never
//! comes back: a clock that is set back lengthens nothing.

use std::time::Duration;

/// A moment, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By the clock of the wall, in milliseconds since 1970.
    pub wall_ms: i64,
    /// How long this process has run, or anything else that only grows.
    pub running: Duration,
}

/// What is kept of an hour for the next process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    /// When it began, by the wall.
    pub(super) begun_ms: i64,
    /// The latest moment that was seen, by the wall.
    pub(super) latest_ms: i64,
    /// What was gone by then.
    pub(super) spent_ms: i64,
}

/// More than any time that is allowed, and a number that canonical JSON can say.
const ALL: i64 = 1 << 50;

/// An hour that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hour {
    kept: Kept,
    /// What this process began to count with, and when.
    since: (i64, Duration),
}

impl Hour {
    /// Begins now.
    pub(super) const fn begin(now: Moment) -> Self {
        Self {
            kept: Kept {
                begun_ms: now.wall_ms,
                latest_ms: now.wall_ms,
                spent_ms: 0,
            },
            since: (0, now.running),
        }
    }

    /// Goes on in another process. Where the clock is behind what was seen before, nobody can say how long nothing ran, and
    /// all of the time is gone.
    pub(super) fn resume(kept: Kept, now: Moment) -> Self {
        let spent_ms = if now.wall_ms < kept.latest_ms {
            ALL
        } else {
            let between = now.wall_ms.saturating_sub(kept.latest_ms);
            kept.spent_ms.saturating_add(between).min(ALL)
        };
        Self {
            kept: Kept { spent_ms, ..kept },
            since: (spent_ms, now.running),
        }
    }

    /// How many milliseconds of it are gone.
    pub(super) fn spent(&mut self, now: Moment) -> i64 {
        let (at_first, since) = self.since;
        let running = now.running.saturating_sub(since).as_millis();
        let running = at_first.saturating_add(i64::try_from(running).unwrap_or(i64::MAX));
        let wall = now.wall_ms.saturating_sub(self.kept.begun_ms);
        self.kept.spent_ms = self.kept.spent_ms.max(running).max(wall).min(ALL);
        self.kept.latest_ms = self.kept.latest_ms.max(now.wall_ms);
        self.kept.spent_ms
    }

    /// How many milliseconds are left of so many minutes.
    pub(super) fn left(&mut self, minutes: u32, now: Moment) -> i64 {
        (i64::from(minutes) * 60_000).saturating_sub(self.spent(now)).max(0)
    }

    /// What the next process has to know.
    pub(super) const fn kept(&self) -> Kept {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn at(wall_minutes: i64, running_minutes: u64) -> Moment {
        Moment {
            wall_ms: 1_796_000_000_000 + wall_minutes * MINUTE,
            running: Duration::from_secs(running_minutes * 60),
        }
    }

    #[test]
    fn the_clock_that_leaves_less_time_counts() {
        for (name, now, left) in [
            ("at once", at(0, 100), 60),
            ("both agree", at(59, 159), 1),
            ("set back", at(-600, 159), 1),
            ("set forward", at(59, 101), 1),
            ("asleep meanwhile", at(60, 100), 0),
            ("over", at(61, 161), 0),
        ] {
            let mut hour = Hour::begin(at(0, 100));
            assert_eq!(hour.left(60, now), left * MINUTE, "{name}");
        }
    }

    #[test]
    fn what_is_gone_never_comes_back() {
        let mut hour = Hour::begin(at(0, 0));
        assert_eq!(hour.left(60, at(40, 1)), 20 * MINUTE);
        assert_eq!(hour.left(60, at(0, 2)), 20 * MINUTE, "the clock was set right again");
        assert_eq!(hour.left(30, at(0, 2)), 0, "the policy has become stricter");
    }

    #[test]
    fn another_process_goes_on_with_it() {
        let mut first = Hour::begin(at(0, 0));
        assert_eq!(first.left(60, at(10, 10)), 50 * MINUTE);
        let resumed = |kept, now, later| Hour::resume(kept, now).left(60, later);
        assert_eq!(resumed(first.kept(), at(15, 0), at(20, 5)), 40 * MINUTE);
        assert_eq!(
            resumed(first.kept(), at(15, 500), at(10, 505)),
            40 * MINUTE,
            "set back after the start"
        );
        assert_eq!(
            resumed(first.kept(), at(9, 0), at(9, 0)),
            0,
            "set back while nothing ran"
        );
        // The time that ran under a clock that had been set back is kept too.
        let mut slow = Hour::begin(at(0, 0));
        assert_eq!(slow.left(60, at(-100, 30)), 30 * MINUTE);
        assert_eq!(resumed(slow.kept(), at(5, 0), at(5, 0)), 25 * MINUTE);
    }
}
