//! The answer in one piece.

use super::{Fate, Inspection, Judged};
use crate::exchange::{Half, Opaque, Uninspectable};
use crate::verdict::Direction;

impl Inspection {
    /// Judges a whole answer body. What cannot be read is uninspectable, and the policy says what that means.
    #[must_use]
    pub fn answer(&self, body: &[u8]) -> (Judged, Fate) {
        let (mut judged, fate) = match self.wire.read_answer(body) {
            Ok(half) => self.judge(Direction::Answer, body, &half),
            Err(_) => self.judge(Direction::Answer, body, &unreadable()),
        };
        let fate = self.restored(body, &mut judged, fate);
        let fate = self.finished(body, &mut judged, fate);
        (judged, fate)
    }
}

/// A body that no dialect could read.
pub(super) fn unreadable() -> Half {
    let uninspectable = vec![Uninspectable {
        pointer: String::new(),
        what: Opaque::Unrecognized,
    }];
    Half {
        uninspectable,
        ..Half::default()
    }
}
