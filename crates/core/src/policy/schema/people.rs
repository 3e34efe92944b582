//! The sections about people: roles, outputs, courses, consequences.

use super::header::{CLAUSES, STATEMENT};
use super::{Key, Object, Shape, Words};

/// `roles`.
pub(super) const ROLES: Object = Object::new(
    "roles",
    "Who answers for what. Clauses name roles, so that people change here alone.",
    &[
        STATEMENT,
        Key::new("people", Shape::Own(&Shape::Text), "Role and person.").example("{ciso: ciso@example.com}"),
        Key::new("owner", Shape::Map(&OWNER), "Who answers for the policy as a whole."),
        Key::new("board", Shape::Map(&BOARD), "Several people who decide together."),
        Key::new("raci", Shape::Maps(&RACI), "Who does what."),
        CLAUSES,
    ],
);

const OWNER: Object = Object::new(
    "policy-owner",
    "Who answers for the policy.",
    &[
        Key::new("accountable", Shape::Text, "The role that does.").example("ciso"),
        Key::new("deputy", Shape::Text, "Who acts when the owner cannot.").example("cto"),
    ],
);

const BOARD: Object = Object::new(
    "board",
    "The governance board.",
    &[
        Key::new("members", Shape::Texts, "Its roles.").example("[ciso, dpo, legal]"),
        Key::new("quorum", Shape::Number, "How many must agree.").example("2"),
    ],
);

const RACI: Object = Object::new(
    "raci-line",
    "A line of the table of responsibilities.",
    &[
        Key::new("for", Shape::Texts, "Sections or clauses.").example("[monitoring]"),
        Key::new(
            "accountable",
            Shape::Texts,
            "The role that answers for it; there should be one.",
        )
        .required(),
        Key::new("responsible", Shape::Texts, "Who does it."),
        Key::new("consulted", Shape::Texts, "Who is asked before."),
        Key::new("informed", Shape::Texts, "Who is told after."),
        Key::new("consent", Shape::Texts, "Who must agree, such as a works council."),
    ],
);

/// `acceptable_use`.
pub(super) const ACCEPTABLE_USE: Object = Object::new(
    "acceptable-use",
    "What people may and may not do.",
    &[
        STATEMENT,
        Key::new("outputs", Shape::Map(&OUTPUTS), "What may be done with answers."),
        CLAUSES,
    ],
);

const OUTPUTS: Object = Object::new(
    "outputs",
    "What may be done with answers.",
    &[
        Key::new("inherit", Shape::Word(Words::Inherit), "Which label an answer takes.").example("highest-input"),
        Key::new(
            "reuse",
            Shape::Map(&REUSE),
            "Where an answer goes, and what that needs.",
        )
        .example("{internal: free, external: human-review}"),
    ],
);

const REUSE: Object = Object::new(
    "reuse",
    "Where an answer goes, and what that needs.",
    &[
        Key::new("internal", Shape::Word(Words::Reuse), "To colleagues."),
        Key::new(
            "external",
            Shape::Word(Words::Reuse),
            "To people outside, such as customers.",
        ),
        Key::new("public", Shape::Word(Words::Reuse), "To everybody."),
    ],
);

/// `education`.
pub(super) const EDUCATION: Object = Object::new(
    "education",
    "What people need to know.",
    &[
        STATEMENT,
        Key::new("courses", Shape::Own(&Shape::Map(&COURSE)), "The courses, by id.")
            .example("{ai-basics: {valid: 365 days}}"),
        Key::new("gates", Shape::Maps(&GATE), "What happens without a course."),
        CLAUSES,
    ],
);

const COURSE: Object = Object::new(
    "course",
    "A course.",
    &[
        Key::new(
            "valid",
            Shape::Days,
            "How long a completion counts; for good when absent.",
        )
        .example("365 days"),
        Key::new(
            "records",
            Shape::Records,
            "The file of completions, beside `ordain.yaml`. It names people, so it is no part of the policy.",
        )
        .example("training.csv"),
    ],
);

const GATE: Object = Object::new(
    "gate",
    "What happens to prompts of a principal who does not hold a course.",
    &[
        Key::new("id", Shape::Text, "Its id, which decisions cite.")
            .required()
            .example("ED-3"),
        Key::new("without", Shape::Text, "The course.")
            .required()
            .example("ai-basics"),
        Key::new("grace", Shape::Days, "How long a newcomer has.").example("30 days"),
        Key::new("then", Shape::Word(Words::Verdict), "What happens.").required(),
        Key::new("tell", Shape::Text, "What the person reads."),
    ],
);

/// `consequences`.
pub(super) const CONSEQUENCES: Object = Object::new(
    "consequences",
    "What follows from a breach. People decide it, never the gateway.",
    &[
        STATEMENT,
        Key::new("ladder", Shape::Texts, "The steps, mildest first.").example("[coach, manager, hr-review]"),
        Key::new("window", Shape::Days, "How long a breach counts.").example("90 days"),
        Key::new("start", Shape::Map(&START), "The first step, by the kind of breach.")
            .example("{mistake: coach, evasion: manager}"),
        Key::new("two_people_from", Shape::Text, "The step from which two people decide.").example("manager"),
        Key::new("appeal", Shape::Days, "How long one may appeal.").example("14 days"),
        CLAUSES,
    ],
);

const START: Object = Object::new(
    "start",
    "The first step of the ladder, by the kind of breach.",
    &[
        Key::new("mistake", Shape::Text, "For somebody who did not know better.").example("coach"),
        Key::new("repeat", Shape::Text, "For somebody who was told before."),
        Key::new("evasion", Shape::Text, "For somebody who went around the policy.").example("manager"),
        Key::new("intent", Shape::Text, "For somebody who meant harm."),
    ],
);
