//! Runs a set of detectors over parts, whole or as they grow.
//!
//! A detector that panics or fails is a fact of the scan, never "found nothing" (threat D5). Read [`Scanner`] first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{CONTEXT, Detector, DetectorFailure, Horizon, Match, Window};
use crate::exchange::Part;

/// A set of detectors.
#[derive(Debug, Clone)]
pub struct Scanner {
    detectors: Arc<[Arc<dyn Detector>]>,
}

/// What a scan found.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// The matches with the index of their part, in order of parts.
    pub matches: Vec<(usize, Match)>,
    /// Detectors that could not do their work.
    pub failures: Vec<DetectorFailure>,
}

impl Scanner {
    /// The built-in detectors and `own` ones of a policy.
    #[must_use]
    pub fn new(own: &[Arc<dyn Detector>]) -> Self {
        Self::of(super::all().into_iter().chain(own.iter().cloned()).collect())
    }

    /// Exactly these detectors.
    #[must_use]
    pub fn of(detectors: Vec<Arc<dyn Detector>>) -> Self {
        Self {
            detectors: detectors.into(),
        }
    }

    /// The detectors.
    pub fn detectors(&self) -> impl Iterator<Item = &dyn Detector> {
        self.detectors.iter().map(|detector| &**detector)
    }

    /// Looks through whole parts. Parts whose text is inspected through inner parts are passed over.
    #[must_use]
    pub fn scan(&self, parts: &[Part]) -> Scan {
        let mut scan = Scan::default();
        let mut found = Vec::new();
        for (index, part) in parts
            .iter()
            .enumerate()
            .filter(|(_, part)| !part.inner && !part.text.is_empty())
        {
            for detector in self.detectors.iter() {
                let window = Window {
                    text: &part.text,
                    from: 0,
                    complete: true,
                };
                if let Err(failure) = run(&**detector, window, &mut found)
                    && !scan.failures.iter().any(|known| known.detector == failure.detector)
                {
                    scan.failures.push(failure);
                }
                scan.matches.extend(found.drain(..).map(|one| (index, one)));
            }
        }
        scan
    }

    /// Begins to follow a text that grows.
    #[must_use]
    pub fn follow(&self) -> Growing {
        Growing {
            settled: vec![0; self.detectors.len()],
            text: String::new(),
            base: 0,
            released: 0,
            pending: Vec::new(),
        }
    }
}

/// Runs one detector; a panic is a failure of it.
fn run(detector: &dyn Detector, window: Window<'_>, found: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
    let before = found.len();
    let outcome = catch_unwind(AssertUnwindSafe(|| detector.detect(window, found)));
    let failed = |reason: &str| DetectorFailure {
        detector: detector.id().to_owned(),
        reason: reason.to_owned(),
    };
    let settled = match outcome {
        Ok(result) => result?,
        Err(_) => {
            found.truncate(before);
            return Err(failed("it panicked"));
        }
    };
    let valid = |one: &Match| one.span.start < one.span.end && window.text.get(one.span.clone()).is_some();
    if !found.iter().skip(before).all(valid) || settled > window.text.len() || !window.text.is_char_boundary(settled) {
        found.truncate(before);
        return Err(failed("it reported a span that is not in the text"));
    }
    Ok(settled)
}

/// A text that grows, followed by every detector of a scanner.
#[derive(Debug)]
pub struct Growing {
    /// How far each detector's word is final, from the text's beginning.
    settled: Vec<usize>,
    /// The text from `base` on.
    text: String,
    /// How much of the beginning has been let go.
    base: usize,
    /// How much has been released.
    released: usize,
    /// Final matches that end after what was released.
    pending: Vec<Match>,
}

/// What may go on after some growth.
#[derive(Debug, Default)]
pub struct Release {
    /// The text that may go, with spans of matches relative to it.
    pub text: String,
    /// The final matches inside it.
    pub matches: Vec<Match>,
    /// Detectors that could not do their work.
    pub failures: Vec<DetectorFailure>,
    /// Whether a detector stayed undecided for longer than its horizon.
    pub overlong: bool,
}

impl Growing {
    /// How much is held back, in bytes.
    #[must_use]
    pub fn held(&self) -> usize {
        self.base + self.text.len() - self.released
    }

    /// Adds text and releases what no later text can turn into a match. With `complete`, everything is released.
    pub fn push(&mut self, scanner: &Scanner, more: &str, complete: bool) -> Release {
        self.text.push_str(more);
        let mut release = Release::default();
        let end = self.base + self.text.len();
        let mut safe = end;
        let mut found = Vec::new();
        for (detector, settled) in scanner.detectors.iter().zip(&mut self.settled) {
            if detector.horizon() == Horizon::WholeText && !complete {
                safe = safe.min(*settled);
                continue;
            }
            let window = Window {
                text: &self.text,
                from: settled.saturating_sub(self.base),
                complete,
            };
            match run(&**detector, window, &mut found) {
                Ok(now) => *settled = (*settled).max(self.base + now),
                Err(failure) => {
                    release.failures.push(failure);
                    *settled = end;
                }
            }
            if let Horizon::Bounded(most) = detector.horizon() {
                release.overlong |= end - *settled > most + 4;
            }
            safe = safe.min(*settled);
        }
        self.pending.extend(found.into_iter().map(|one| Match {
            span: one.span.start + self.base..one.span.end + self.base,
            ..one
        }));
        // A match is released whole.
        let mut moved = true;
        while moved {
            let cut = self
                .pending
                .iter()
                .filter(|one| one.span.start < safe && one.span.end > safe)
                .map(|one| one.span.start)
                .min();
            moved = cut.is_some_and(|cut| cut < safe);
            safe = cut.unwrap_or(safe).min(safe);
        }
        let safe = safe.max(self.released);
        let from = self.released;
        release.text = self
            .text
            .get(from - self.base..safe - self.base)
            .unwrap_or_default()
            .to_owned();
        let (done, pending): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|one| one.span.end <= safe);
        release.matches = done
            .into_iter()
            .map(|one| Match {
                span: one.span.start - from..one.span.end - from,
                ..one
            })
            .collect();
        self.pending = pending;
        self.released = safe;
        self.let_go();
        release
    }

    /// Forgets what neither a detector nor the release needs any more, all but the context.
    fn let_go(&mut self) {
        let needed = self
            .settled
            .iter()
            .copied()
            .min()
            .unwrap_or(self.released)
            .min(self.released);
        let mut keep = needed.saturating_sub(self.base).saturating_sub(CONTEXT);
        while !self.text.is_char_boundary(keep) {
            keep -= 1;
        }
        // Moving text costs; wait until it is worth it.
        if keep > 4 * CONTEXT {
            self.text.drain(..keep);
            self.base += keep;
        }
    }
}
