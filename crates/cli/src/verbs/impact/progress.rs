//! How far a look at the records has come: on a terminal, and only once it takes a while.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use ordain_server::store::sqlite::SqliteStore;
use ordain_server::store::{Filter, Order, Store as _};

/// What takes less is over before anybody wonders.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that shows itself late. It writes to standard error, and to nothing else than a terminal.
pub(super) struct Progress {
    begun: Instant,
    first: Option<u64>,
    last: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For all records from now on to the newest in a store.
    pub(super) fn new(store: &SqliteStore) -> anyhow::Result<Self> {
        let newest = Filter {
            limit: Some(1),
            order: Order::NewestFirst,
            ..Filter::default()
        };
        let mut last = 0;
        store.scan(&newest, &mut |record| {
            last = record.sequence;
            std::ops::ControlFlow::Break(())
        })?;
        Ok(Self {
            begun: Instant::now(),
            first: None,
            last,
            bar: None,
        })
    }

    /// Says which record is next.
    pub(super) fn at(&mut self, sequence: u64) {
        let first = *self.first.get_or_insert(sequence);
        // A look at the clock now and then is enough.
        if !sequence.is_multiple_of(256) {
            return;
        }
        if self.bar.is_none() && self.begun.elapsed() > PATIENCE {
            let bar = ProgressBar::new(self.last.saturating_sub(first) + 1);
            if let Ok(style) = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} records, {eta} left") {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(sequence - first);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
