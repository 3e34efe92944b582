//! A policy as Cedar, for systems that speak Cedar and as a second opinion on our own decisions.
//!
//! A Cedar policy set answers yes or no, so a verdict becomes five questions, one action for each threshold: may this go
//! *unblocked*, *unheld*, *unredacted*, *unjustified*, *uncoached*? Everything is permitted, and each contribution to a
//! decision forbids what it is stricter than. The answer is what full enforcement would say; modes are left out. Which
//! class the app and the text have is worked out here and handed over as context; everything from "The order" of
//! `docs/reference/deciding.md` on is Cedar's. What the context holds is in `docs/reference/cedar.md`.
//!
//! Read [`policies`] for the rules and [`Bridge::questions`] for how facts become requests.

mod contributions;
mod policies;
mod question;
mod schema;
mod selectors;
mod text;

pub use policies::policies;
pub use question::{Bridge, Question};
pub use schema::schema;

use crate::verdict::Verdict;

/// The actions: what may be asked, and the verdict that all weaker ones stay below.
pub const ACTIONS: [(&str, Verdict); 5] = [
    ("unblocked", Verdict::Block),
    ("unheld", Verdict::Hold),
    ("unredacted", Verdict::Redact),
    ("unjustified", Verdict::Justify),
    ("uncoached", Verdict::Coach),
];

/// The action that a verdict forbids, with all that are below it; `None` for `allow`.
fn action(verdict: Verdict) -> Option<&'static str> {
    ACTIONS
        .iter()
        .find(|(_, threshold)| *threshold == verdict)
        .map(|(action, _)| *action)
}
