//! Runs a set of detectors over parts, whole or as they grow.
//!
//! A detector that panics or fails is a fact of the scan, never "found nothing" (threat D5). Read [`Scanner`] first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{ByteSet, CONTEXT, Detector, DetectorFailure, Horizon, Match, Trouble, Window};
use crate::exchange::Part;

/// A set of detectors.
#[derive(Debug, Clone)]
pub struct Scanner {
    detectors: Arc<[Known]>,
    /// In a text that is shorter, no detector finds anything.
    shortest: usize,
}

/// A detector with what it says of itself, asked once.
#[derive(Debug)]
struct Known {
    detector: Arc<dyn Detector>,
    horizon: Horizon,
    shortest: usize,
    fewest_digits: usize,
    starts: ByteSet,
}

impl From<Arc<dyn Detector>> for Known {
    fn from(detector: Arc<dyn Detector>) -> Self {
        Self {
            horizon: detector.horizon(),
            shortest: detector.shortest(),
            fewest_digits: detector.fewest_digits(),
            starts: detector.starts(),
            detector,
        }
    }
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
        let detectors: Arc<[Known]> = detectors.into_iter().map(Known::from).collect();
        Self {
            shortest: detectors.iter().map(|known| known.shortest).min().unwrap_or_default(),
            detectors,
        }
    }

    /// The detectors.
    pub fn detectors(&self) -> impl Iterator<Item = &dyn Detector> {
        self.detectors.iter().map(|known| &*known.detector)
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
            self.look(&part.text, &mut found, &mut scan.failures);
            scan.matches.extend(found.drain(..).map(|one| (index, one)));
        }
        scan
    }

    /// Looks through one whole text; matches and failures (each detector's once) are added.
    pub fn look(&self, text: &str, found: &mut Vec<Match>, failures: &mut Vec<DetectorFailure>) {
        if text.len() < self.shortest {
            return;
        }
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let may_find = |known: &&Known| text.len() >= known.shortest && digits >= known.fewest_digits;
        for Known { detector, .. } in self.detectors.iter().filter(may_find) {
            let window = Window {
                text,
                from: 0,
                complete: true,
            };
            if let Err(failure) = run(&**detector, window, found)
                && !failures.iter().any(|known| known.detector == failure.detector)
            {
                failures.push(failure);
            }
        }
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
    let failed = |trouble: Trouble, reason: &str| DetectorFailure {
        detector: detector.id().to_owned(),
        trouble,
        reason: reason.to_owned(),
    };
    let settled = match outcome {
        Ok(result) => result?,
        Err(_) => {
            found.truncate(before);
            return Err(failed(Trouble::Panicked, "no more is known"));
        }
    };
    let valid = |one: &Match| {
        one.span.start >= window.from && one.span.start < one.span.end && window.text.get(one.span.clone()).is_some()
    };
    if !found.iter().skip(before).all(valid) || settled > window.text.len() || !window.text.is_char_boundary(settled) {
        found.truncate(before);
        return Err(failed(Trouble::WrongSpan, "it reported a span that is not in the text"));
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
        let before = self.base + self.text.len();
        self.text.push_str(more);
        let mut release = Release::default();
        let end = self.base + self.text.len();
        let mut safe = end;
        let mut found = Vec::new();
        let fresh = ByteSet::of(more.as_bytes());
        for (known, settled) in scanner.detectors.iter().zip(&mut self.settled) {
            if known.horizon == Horizon::WholeText && !complete {
                safe = safe.min(*settled);
                continue;
            }
            if *settled == before && !known.starts.meets(&fresh) {
                // Nothing was open, and nothing begins.
                *settled = end;
                continue;
            }
            let window = Window {
                text: &self.text,
                from: settled.saturating_sub(self.base),
                complete,
            };
            match run(&*known.detector, window, &mut found) {
                Ok(now) => *settled = (*settled).max(self.base + now),
                Err(failure) => {
                    release.failures.push(failure);
                    *settled = end;
                }
            }
            if let Horizon::Bounded(most) = known.horizon {
                release.overlong |= end - *settled > most + 4;
            }
            safe = safe.min(*settled);
        }
        if found.is_empty() && self.pending.is_empty() {
            self.release(safe, &mut release);
            return release;
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
        self.release(safe, &mut release);
        release
    }

    /// Releases the text up to an offset, unless that has been released already.
    fn release(&mut self, safe: usize, release: &mut Release) {
        let (from, safe) = (self.released, safe.max(self.released));
        let text = self.text.get(from - self.base..safe - self.base);
        text.unwrap_or_default().clone_into(&mut release.text);
        self.released = safe;
        self.let_go();
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{EntityId, Keywords, Pattern};
    use super::*;
    use crate::exchange::Place;
    use crate::verdict::Source;

    /// Needs the whole text: finds its last word.
    #[derive(Debug)]
    struct LastWord;

    impl Detector for LastWord {
        fn id(&self) -> &str {
            "last-word"
        }

        fn version(&self) -> u32 {
            1
        }

        fn entities(&self) -> Vec<EntityId> {
            vec![EntityId::from("last-word")]
        }

        fn horizon(&self) -> Horizon {
            Horizon::WholeText
        }

        fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
            assert!(window.complete, "it is only asked at the end");
            let start = window.text.rfind(' ').map_or(0, |space| space + 1).max(window.from);
            if start < window.text.len() {
                matches.push(Match {
                    entity: EntityId::from("last-word"),
                    span: start..window.text.len(),
                });
            }
            Ok(window.text.len())
        }
    }

    /// Breaks its contract in one way or another.
    #[derive(Debug)]
    enum Wrong {
        Panics,
        BeforeFrom,
        PastTheEnd,
        WithinACharacter,
    }

    impl Detector for Wrong {
        fn id(&self) -> &str {
            "wrong"
        }

        fn version(&self) -> u32 {
            1
        }

        fn entities(&self) -> Vec<EntityId> {
            Vec::new()
        }

        fn horizon(&self) -> Horizon {
            Horizon::Bounded(8)
        }

        fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
            let end = window.text.len();
            let span = match self {
                Self::Panics => panic!("on purpose"),
                Self::BeforeFrom if window.from == 0 => return Ok(end),
                Self::BeforeFrom => window.from - 1..end,
                Self::PastTheEnd => window.from..end + 1,
                Self::WithinACharacter => end - 1..end,
            };
            matches.push(Match {
                entity: EntityId::from("wrong"),
                span,
            });
            Ok(end)
        }
    }

    fn part(text: &str) -> Part {
        Part {
            pointer: String::new(),
            text: text.to_owned(),
            source: Source::User,
            fixed: None,
            inner: false,
            place: Place::Body(0..0),
        }
    }

    fn own() -> Vec<Arc<dyn Detector>> {
        let words = ["Project Falcon".to_owned(), "1111 is".to_owned(), "ana".to_owned()];
        let keywords = Keywords::new(EntityId::from("project"), &words).expect("keywords");
        let pattern = Pattern::new(EntityId::from("employee"), r"\bEMP-[0-9]{4,6}\b").expect("a pattern");
        vec![Arc::new(keywords), Arc::new(pattern)]
    }

    /// What following a text found, by place in the whole text; and that what was released is the text.
    fn followed(scanner: &Scanner, pieces: &[&str]) -> Vec<(usize, usize, String)> {
        let whole = pieces.concat();
        let mut growing = scanner.follow();
        let mut released = String::new();
        let mut found = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            let release = growing.push(scanner, piece, index + 1 == pieces.len());
            assert!(release.failures.is_empty());
            for one in release.matches {
                assert!(one.span.end <= release.text.len(), "a match is released whole");
                let (start, end) = (released.len() + one.span.start, released.len() + one.span.end);
                found.push((start, end, one.entity.to_string()));
            }
            released += &release.text;
            assert!(whole.starts_with(&released));
            let so_far: usize = pieces.iter().take(index + 1).map(|piece| piece.len()).sum();
            assert_eq!(growing.held(), so_far - released.len());
        }
        assert_eq!(released, whole);
        found.sort();
        found
    }

    fn scanned(scanner: &Scanner, text: &str) -> Vec<(usize, usize, String)> {
        let scan = scanner.scan(&[part(text)]);
        let mut found: Vec<(usize, usize, String)> = scan
            .matches
            .into_iter()
            .map(|(_, one)| (one.span.start, one.span.end, one.entity.to_string()))
            .collect();
        found.sort();
        found
    }

    /// Values, look-alikes and what may stand between them.
    fn snippet() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "4111 1111 1111 1111",
            "4111-1111",
            "378282246310005",
            "ana@northwind.example",
            "ana.b+c@",
            "DE89 3704 0044 0532 0130 00",
            "sk-ant-api03-Qm3xT9vKc2LpWz8RbN5yhG7dSfAe4UoXi1Jk6VtM-AA",
            "sk-proj-",
            "AKIAIOSFODNN7EXAMPLE",
            "219-09-9999",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n",
            "-----END RSA PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----",
            "Project Falcon",
            "Project Fal",
            "EMP-123456",
            "EMP-1",
            "1111 is",
            " ",
            " ",
            ", ",
            "\n",
            "é",
            "😀",
            "x",
            "7",
            "-",
            "@",
            ".",
        ])
    }

    /// A text, and where to cut it.
    fn cut_text() -> impl Strategy<Value = (String, Vec<prop::sample::Index>)> {
        let text = prop::collection::vec(snippet(), 1..40).prop_map(|snippets| snippets.concat());
        (text, prop::collection::vec(any::<prop::sample::Index>(), 0..30))
    }

    fn pieces<'t>(text: &'t str, cuts: &[prop::sample::Index]) -> Vec<&'t str> {
        let mut offsets: Vec<usize> = cuts
            .iter()
            .map(|cut| text.floor_char_boundary(cut.index(text.len() + 1)))
            .collect();
        offsets.extend([0, text.len()]);
        offsets.sort_unstable();
        let between = offsets.array_windows().filter_map(|[from, to]| text.get(*from..*to));
        between.collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// However a text grows, the same is found in the same places, with all detectors at once.
        #[test]
        fn growing_finds_what_a_scan_of_the_whole_finds((text, cuts) in cut_text()) {
            let scanner = Scanner::new(&own());
            prop_assert_eq!(followed(&scanner, &pieces(&text, &cuts)), scanned(&scanner, &text));
        }

        /// A detector that needs the whole text holds everything back and changes nothing else.
        #[test]
        fn a_detector_of_the_whole_text_is_asked_at_the_end((text, cuts) in cut_text()) {
            let mut more = own();
            more.push(Arc::new(LastWord));
            let scanner = Scanner::new(&more);
            prop_assert_eq!(followed(&scanner, &pieces(&text, &cuts)), scanned(&scanner, &text));
        }
    }

    #[test]
    fn a_long_text_is_let_go_and_found_in_all_the_same() {
        let scanner = Scanner::new(&own());
        let text = "Nothing here, 4111 1111 1111 1111 but this and Project Falcon é. ".repeat(200);
        let characters: Vec<&str> = text.split_inclusive(|_| true).collect();
        assert_eq!(followed(&scanner, &characters), scanned(&scanner, &text));
        let mut growing = scanner.follow();
        for piece in characters {
            growing.push(&scanner, piece, false);
            assert!(growing.text.len() < 2_000, "what is settled is not kept");
        }
    }

    #[test]
    fn a_detector_that_breaks_its_contract_has_failed_and_the_others_have_not() {
        for (wrong, whole_fails) in [
            (Wrong::Panics, true),
            (Wrong::BeforeFrom, false),
            (Wrong::PastTheEnd, true),
            (Wrong::WithinACharacter, true),
        ] {
            let scanner = Scanner::of(vec![Arc::new(wrong), Arc::new(super::super::PaymentCard)]);
            let text = "4111 1111 1111 1111 é";
            let scan = scanner.scan(&[part(text), part(text)]);
            assert_eq!(scan.matches.len(), 2);
            let failed: Vec<&str> = scan.failures.iter().map(|failure| failure.detector.as_str()).collect();
            assert_eq!(failed, if whole_fails { vec!["wrong"] } else { Vec::new() });
            let mut growing = scanner.follow();
            let mut failures = 0;
            let mut matches = 0;
            for (piece, complete) in [("4111 1111 é", false), (" 4111 1111 1111 1111 é", true)] {
                let release = growing.push(&scanner, piece, complete);
                failures += release.failures.len();
                matches += release.matches.len();
            }
            assert!(failures > 0 && matches == 1);
        }
    }

    #[test]
    fn parts_that_are_inspected_through_others_are_passed_over() {
        let mut outer = part("4111 1111 1111 1111");
        outer.inner = true;
        let scan = Scanner::new(&[]).scan(&[outer, part(""), part("4111 1111 1111 1111")]);
        assert_eq!(scan.matches.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [2]);
    }
}
