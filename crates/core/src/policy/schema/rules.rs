//! Clauses, rules, selectors, evidence and exceptions.

use super::{Key, Object, Shape, Words};

/// A clause.
pub(super) const CLAUSE: Object = Object::new(
    "clause",
    "The smallest statement that can be cited, held up by one of `rule`, `enforced_by` and `evidence`.",
    &[
        Key::new(
            "id",
            Shape::Text,
            "Its id, which decisions and records cite; never used again for something else.",
        )
        .required()
        .example("AU-3"),
        Key::new(
            "statement",
            Shape::Text,
            "What it says to a person. Only a clause that the extended policy has too may leave it out.",
        )
        .required_alone(),
        Key::new("owner", Shape::Text, "The role that owns it.").example("ciso"),
        Key::new(
            "rule",
            Shape::Map(&RULE),
            "What the gateway does when it meets something.",
        ),
        Key::new(
            "enforced_by",
            Shape::Text,
            "The table of this document that holds it up.",
        )
        .example("data.matrix"),
        Key::new("evidence", Shape::Map(&EVIDENCE), "What people have to show for it."),
        Key::new(
            "frameworks",
            Shape::Own(&Shape::Texts),
            "Items of laws and standards that it serves, by pack.",
        )
        .example("{owasp-llm-2026: [LLM02]}"),
    ],
);

const RULE: Object = Object::new(
    "rule",
    "What the gateway does: `when` a selector matches, and `unless` another does, `then` a verdict.",
    &[
        Key::new(
            "when",
            Shape::SomeMaps(&SELECTOR),
            "What it is about; of a list, one must match. Only a rule that the extended policy has too may leave it out.",
        )
        .required_alone()
        .example("{data: [secret], direction: prompt}"),
        Key::new(
            "unless",
            Shape::SomeMaps(&SELECTOR),
            "What it is not about. May not test `data` or `finding`: more found never loosens.",
        )
        .example("{group: engineering}"),
        Key::new(
            "condition",
            Shape::Text,
            "What selectors cannot say, as a CEL expression that is true or false.",
        )
        .example("\"hour < 6\""),
        Key::new("then", Shape::Word(Words::Verdict), "What happens.").required(),
        Key::new(
            "tell",
            Shape::Text,
            "What the person reads: what happened, and the safe way on, in at most 25 words.",
        ),
    ],
);

/// Keys that must all match.
pub(super) const SELECTOR: Object = Object {
    may_be_empty: false,
    either: &[["group", "groups"], ["use", "uses"]],
    ..Object::new(
        "selector",
        "What must match: every key, and of each list one value.",
        &[
            Key::new("principal", Shape::Texts, "Who asks, by name."),
            Key::new("group", Shape::Texts, "A group that the principal is in.").example("engineering"),
            Key::new("groups", Shape::Texts, "The same as `group`."),
            Key::new("client", Shape::Texts, "The calling software, which its key names."),
            Key::new("app", Shape::NamesOrMaps(&APP), "Where the request goes.").example("{class: sanctioned}"),
            Key::new(
                "model",
                Shape::Texts,
                "The model; `*` stands for any run of characters.",
            )
            .example("gpt-5*"),
            Key::new(
                "tool",
                Shape::Texts,
                "A tool that an answer calls; `*` stands for any run of characters.",
            )
            .example("mail.*"),
            Key::new("use", Shape::Texts, "What the request says that it is for.").example("coding"),
            Key::new("uses", Shape::Texts, "The same as `use`."),
            Key::new(
                "direction",
                Shape::SomeWords(Words::Direction),
                "Which half; both when absent.",
            ),
            Key::new(
                "data",
                Shape::Texts,
                "What was found: entities, families or classes; a class means that class or above.",
            )
            .example("[payment-card, restricted]"),
            Key::new(
                "source",
                Shape::SomeWords(Words::Source),
                "Who wrote a part; with `data` or `finding`, in parts of these sources alone.",
            ),
            Key::new("finding", Shape::Texts, "A statement of a detector about the text.").example("prompt-injection"),
            Key::new("training", Shape::Texts, "A course that the principal holds."),
            Key::new(
                "signed_in",
                Shape::Minutes,
                "The principal signed in at most so long ago; never so of a key or a certificate.",
            )
            .example("15 minutes"),
            Key::new("time", Shape::Map(&TIME), "When."),
        ],
    )
};

/// Apps by what they are.
pub(super) const APP: Object = Object::new(
    "app-selector",
    "Apps by id, class and category: every key, and of each list one value.",
    &[
        Key::new("id", Shape::Texts, "The app's id in the catalogue.").example("openai-api"),
        Key::new(
            "class",
            Shape::SomeWords(Words::AppClass),
            "What the organisation thinks of it.",
        ),
        Key::new("category", Shape::Texts, "What it is for, by the catalogue.").example("coding"),
    ],
);

const TIME: Object = Object::new(
    "time",
    "Moments in the policy's time zone: all given keys.",
    &[
        Key::new("days", Shape::SomeWords(Words::Day), "Days of the week.").example("[sat, sun]"),
        Key::new(
            "hours",
            Shape::Hours,
            "From and to, the end not included; `22:00-06:00` runs over midnight.",
        )
        .example("\"08:00-18:00\""),
        Key::new("from", Shape::Date, "The first day."),
        Key::new("until", Shape::Date, "The last day."),
    ],
);

const EVIDENCE: Object = Object {
    one_of: &["task", "attestation", "training", "ledger"],
    ..Object::new(
        "evidence",
        "What a person or a register has to show, and how often. One of `task`, `attestation`, `training` and `ledger`.",
        &[
            Key::new("task", Shape::Text, "Something to be done.").example("review of the policy"),
            Key::new("attestation", Shape::Text, "Something that somebody confirms to be so."),
            Key::new("training", Shape::Text, "A course whose records show it.").example("ai-basics"),
            Key::new("ledger", Shape::Text, "A question that the records answer.").example("verify"),
            Key::new("every", Shape::Days, "At least so often.").example("180 days"),
            Key::new(
                "by",
                Shape::Text,
                "The role that shows it; `owner` for the clause's own.",
            )
            .example("owner"),
            Key::new("last", Shape::Date, "When it was last shown."),
        ],
    )
};

/// A granted departure.
pub(super) const EXCEPTION: Object = Object::new(
    "exception",
    "A granted, dated departure from one clause, gate or table: in its place, `then` counts.",
    &[
        Key::new("id", Shape::Text, "Its id.").required().example("EX-4"),
        Key::new("clause", Shape::Text, "The clause, gate or table that it departs from.")
            .required()
            .example("AU-3"),
        Key::new(
            "who",
            Shape::SomeMaps(&SELECTOR),
            "For whom and what; may not test `data` or `finding`.",
        )
        .required()
        .example("{group: radiology}"),
        Key::new("then", Shape::Word(Words::Verdict), "What happens instead.").required(),
        Key::new("reason", Shape::Text, "Why.").required(),
        Key::new("compensating", Shape::Text, "What is done to make up for it."),
        Key::new("requested", Shape::Text, "The role that asked for it."),
        Key::new("approved", Shape::Texts, "The roles that agreed.").example("[ciso, dpo]"),
        Key::new(
            "granted",
            Shape::Date,
            "When it was granted; at most 90 days before it ends.",
        ),
        Key::new("expires", Shape::Date, "Its last day."),
    ],
);
