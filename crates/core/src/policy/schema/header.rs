//! The top of a policy, and what every section has.

use super::rules::{CLAUSE, EXCEPTION};
use super::{Key, Object, Shape, Words, data, monitoring, people, subject};

/// A key of every section.
pub(super) const STATEMENT: Key = Key::new("statement", Shape::Text, "What this section says, in plain words.");
/// A key of every section.
pub(super) const CLAUSES: Key = Key::new(
    "clauses",
    Shape::Maps(&CLAUSE),
    "The section's clauses. Each is held up by a rule, by a table of this document or by evidence.",
);

const PROSE: Object = Object::new("section", "A section of prose and clauses.", &[STATEMENT, CLAUSES]);

const APPROVED: Object = Object::new(
    "approved",
    "Who approved the policy, and when.",
    &[
        Key::new("by", Shape::Text, "A role or the board.").example("board"),
        Key::new("on", Shape::Date, "The day of approval.").example("2026-11-20"),
        Key::new("effective", Shape::Date, "The first day on which it holds.").example("2026-12-01"),
    ],
);

const REVIEW: Object = Object::new(
    "review",
    "When the policy is read again.",
    &[
        Key::new("every", Shape::Days, "At most so far apart.").example("180 days"),
        Key::new("also", Shape::SomeWords(Words::Event), "And after these events.").example("[incident, law-change]"),
    ],
);

const ROLLOUT: Object = Object {
    own: Some(Shape::Word(Words::Mode)),
    ..Object::new(
        "rollout",
        "How each part acts now, by the name that decisions cite: a clause with a rule, a gate, or section data such as `data.matrix`.",
        &[Key::new(
            "default",
            Shape::Word(Words::Mode),
            "For everything that is not named; `enforce` when absent.",
        )],
    )
};

/// A policy.
pub(super) const POLICY: Object = Object::new(
    "policy",
    "One document that people read and machines enforce: a few keys, then fourteen sections.",
    &[
        Key::new("ordain", Shape::Format, "The format of this document.")
            .required()
            .example("1"),
        Key::new(
            "extends",
            Shape::Text,
            "The folder of the policy that this one extends, as seen from its own. All of that one holds here too; this one tightens it.",
        )
        .example("../group"),
        Key::new(
            "delegated",
            Shape::Texts,
            "What a policy that extends this one may change as it likes, as paths of this document.",
        )
        .example("[roles.people, data.matrix.internal.tolerated]"),
        Key::new(
            "organization",
            Shape::Text,
            "Whose policy it is. One that extends another may leave it out.",
        )
            .required_alone()
            .example("Northwind Health"),
        Key::new("version", Shape::Text, "Its version, as you count; in quotes.")
            .required()
            .example("\"2026.12\""),
        Key::new(
            "timezone",
            Shape::Text,
            "The IANA time zone in which dates are read; UTC when absent.",
        )
        .example("Europe/Berlin"),
        Key::new("profiles", Shape::Texts, "Profiles that it was made from.").example("[regulated]"),
        Key::new("approved", Shape::Map(&APPROVED), "Who approved it, and when."),
        Key::new("review", Shape::Map(&REVIEW), "When it is read again."),
        Key::new(
            "rollout",
            Shape::Map(&ROLLOUT),
            "How each part acts now; promoted on evidence.",
        )
        .example("{default: observe, data.matrix: enforce}"),
        Key::new(
            "include",
            Shape::Texts,
            "Further files of the policy folder, each a map of sections.",
        )
        .example("[data.yaml]"),
        Key::new(
            "purpose",
            Shape::Map(&subject::PURPOSE),
            "What the organisation wants from generative AI, and how it will know.",
        ),
        Key::new(
            "scope",
            Shape::Map(&subject::SCOPE),
            "Whom the policy is for, and what AI is used for.",
        ),
        Key::new("roles", Shape::Map(&people::ROLES), "Who answers for what."),
        Key::new(
            "applications",
            Shape::Map(&subject::APPLICATIONS),
            "Which apps are fine, put up with, or not wanted. All others are unknown.",
        ),
        Key::new(
            "acceptable_use",
            Shape::Map(&people::ACCEPTABLE_USE),
            "What people may and may not do.",
        ),
        Key::new(
            "access",
            Shape::Map(&subject::ACCESS),
            "Who may reach which apps at all, and which tools models may call.",
        ),
        Key::new(
            "data",
            Shape::Map(&data::DATA),
            "What is sensitive, and where it may go.",
        ),
        Key::new(
            "shadow_ai",
            Shape::Map(&PROSE),
            "AI that is used without anybody having agreed to it.",
        ),
        Key::new(
            "transparency",
            Shape::Map(&PROSE),
            "What others are told about the use of AI.",
        ),
        Key::new(
            "risk",
            Shape::Map(&PROSE),
            "What could go wrong, and who has thought about it.",
        ),
        Key::new(
            "compliance",
            Shape::Map(&PROSE),
            "Which laws, contracts and standards bind the use of AI.",
        ),
        Key::new(
            "monitoring",
            Shape::Map(&monitoring::MONITORING),
            "What is recorded, and who looks at it.",
        ),
        Key::new("education", Shape::Map(&people::EDUCATION), "What people need to know."),
        Key::new(
            "consequences",
            Shape::Map(&people::CONSEQUENCES),
            "What follows from a breach.",
        ),
        Key::new(
            "exceptions",
            Shape::Maps(&EXCEPTION),
            "Granted departures from a clause, each with an end.",
        ),
        Key::new("never_excepted", Shape::Texts, "Clauses that no exception may name.").example("[DA-3]"),
    ],
);
