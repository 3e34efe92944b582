//! The budget of second tries: at most one request in ten, so that a failing upstream never gets more than a tenth on top
//! (threat G7).

use std::sync::atomic::{AtomicU32, Ordering};

/// Second tries that are left, in tenths. Shared by all workers.
#[derive(Debug)]
pub(super) struct Budget(AtomicU32);

/// What a second try costs, in tenths.
const COST: u32 = 10;

/// The most that is saved up: ten tries, for a failure after a quiet hour.
const MOST: u32 = 10 * COST;

impl Default for Budget {
    /// One try, so that a gateway that has just started can help itself.
    fn default() -> Self {
        Self(AtomicU32::new(COST))
    }
}

impl Budget {
    /// Notes a request that is sent for the first time.
    pub(super) fn earn(&self) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            (left < MOST).then_some(left + 1)
        });
    }

    /// Takes a second try out of the budget; false if there is none left.
    pub(super) fn spend(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(COST))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_tries_are_a_tenth_of_the_first_ones_and_ten_at_a_time() {
        let budget = Budget::default();
        let mut tried = 0;
        for _ in 0..1000 {
            budget.earn();
            tried += u32::from(budget.spend());
        }
        assert_eq!(tried, 101);
        for _ in 0..1000 {
            budget.earn();
        }
        let saved = (0..100).filter(|_| budget.spend()).count();
        assert_eq!(saved, 10);
    }
}
