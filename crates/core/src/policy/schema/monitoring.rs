//! The section about what is recorded.

use super::header::{CLAUSES, STATEMENT};
use super::{Key, Object, Shape};

/// `monitoring`.
pub(super) const MONITORING: Object = Object::new(
    "monitoring",
    "What is recorded, and who looks at it.",
    &[
        STATEMENT,
        Key::new(
            "break_glass",
            Shape::Map(&BREAK_GLASS),
            "What may go on for a while when the ledger takes no records. Without it nothing does.",
        ),
        CLAUSES,
    ],
);

const BREAK_GLASS: Object = Object::new(
    "break-glass",
    "One use that may go on for an hour at most when the ledger takes no records: what happens is written to a disk of its own, raises an alarm, is taken into the ledger afterwards and reviewed by somebody else.",
    &[
        Key::new("statement", Shape::Text, "Why that is better than to stop.")
            .required_alone()
            .example("Letters to patients in an emergency cannot wait for a disk."),
        Key::new("use", Shape::Text, "The one use that it is for, of `scope.uses`.")
            .required_alone()
            .example("letters"),
        Key::new("groups", Shape::Texts, "Whose requests, as groups of `scope.groups`.")
            .required_alone()
            .example("[clinicians]"),
        Key::new("lasts", Shape::Minutes, "For how long at most: from 1 to 60 minutes.")
            .required_alone()
            .example("30 minutes"),
        Key::new(
            "reviewer",
            Shape::Text,
            "The role that looks afterwards at what was done; `owner` and `board` stand for who that is.",
        )
        .required_alone()
        .example("dpo"),
    ],
);
