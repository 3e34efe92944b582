//! Files of cases.

use super::{Key, Object, Shape, Words};

/// A file of cases.
pub(super) const CASES: Object = Object::new(
    "file-of-cases",
    "The tests of a policy: requests, and what it must say to them under full enforcement.",
    &[
        Key::new(
            "now",
            Shape::Moment,
            "The local moment of the cases that name none; noon of the policy's effective date when absent.",
        )
        .example("\"2026-12-01T09:30\""),
        Key::new("cases", Shape::Maps(&CASE), "The cases."),
    ],
);

const CASE: Object = Object::new(
    "case",
    "A request and what must be decided.",
    &[
        Key::new("name", Shape::Text, "What it shows.").required(),
        Key::new("request", Shape::Map(&REQUEST), "One half of an exchange.").required(),
        Key::new("expect", Shape::Map(&EXPECT), "What the policy must say.").required(),
    ],
);

const REQUEST: Object = Object::new(
    "request",
    "One half of an exchange.",
    &[
        Key::new("group", Shape::Texts, "The principal's groups.").example("staff"),
        Key::new("groups", Shape::Texts, "The same as `group`."),
        Key::new("principal", Shape::Text, "Who asks."),
        Key::new("client", Shape::Text, "The calling software."),
        Key::new("training", Shape::Own(&Shape::Date), "Completed courses and when.")
            .example("{ai-basics: 2026-11-01}"),
        Key::new(
            "signed_in",
            Shape::Minutes,
            "How long ago the principal signed in; not at all when absent.",
        )
        .example("5 minutes"),
        Key::new("since", Shape::Date, "Since when the principal is known."),
        Key::new(
            "direction",
            Shape::Word(Words::Direction),
            "Which half; a prompt when absent.",
        ),
        Key::new(
            "source",
            Shape::Word(Words::Source),
            "Who wrote `text`; the user of a prompt, the model of an answer.",
        ),
        Key::new("text", Shape::Texts, "The texts."),
        Key::new("parts", Shape::Maps(&PART), "Texts with who wrote each."),
        Key::new("app", Shape::Text, "Where it goes.")
            .required()
            .example("openai-api"),
        Key::new(
            "attributes",
            Shape::Own(&Shape::Text),
            "What is configured about the route.",
        )
        .example("{region: eu}"),
        Key::new("model", Shape::Text, "The model.").example("gpt-5-mini"),
        Key::new("use", Shape::Text, "What it says that it is for.").example("coding"),
        Key::new(
            "sources",
            Shape::SomeWords(Words::Source),
            "Who else wrote a part, where the text of it does not matter.",
        )
        .example("[retrieved]"),
        Key::new(
            "data",
            Shape::NamesOrMaps(&ASSUMED),
            "Entities taken as found: names, or how often and where.",
        )
        .example("[person-name, {entity: email-address, distinct: 20}]"),
        Key::new(
            "findings",
            Shape::NamesOrMaps(&FINDING),
            "Findings taken as made: names, or in what.",
        )
        .example("[{finding: prompt-injection, source: retrieved}]"),
        Key::new(
            "uninspectable",
            Shape::Flag,
            "Whether something could not be read as text.",
        ),
        Key::new(
            "endpoint",
            Shape::Text,
            "The endpoint, where nobody reads its bodies: `access.endpoints` says what becomes of it.",
        )
        .example("openai POST /v1/files"),
        Key::new("failed", Shape::Flag, "Whether a detector failed."),
        Key::new(
            "tools",
            Shape::NamesOrMaps(&CALL),
            "Tools that an answer calls: names, or with what.",
        )
        .example("[calendar.list, {name: mail.send, args: {to: office@example.com}}]"),
        Key::new("now", Shape::Moment, "The local moment; that of the file when absent.")
            .example("\"2026-12-01T09:30\""),
    ],
);

const ASSUMED: Object = Object::new(
    "assumed-entity",
    "An entity that is taken as found.",
    &[
        Key::new("entity", Shape::Text, "Which.")
            .required()
            .example("email-address"),
        Key::new("distinct", Shape::Number, "How many different values; one when absent.").example("20"),
        Key::new(
            "source",
            Shape::SomeWords(Words::Source),
            "In parts of which sources; of all that the request has when absent.",
        ),
        Key::new(
            "fixed",
            Shape::SomeWords(Words::Source),
            "In which sources it stands where nothing can be edited.",
        ),
    ],
);

const FINDING: Object = Object::new(
    "assumed-finding",
    "A finding that is taken as made.",
    &[
        Key::new("finding", Shape::Text, "Which.")
            .required()
            .example("prompt-injection"),
        Key::new(
            "source",
            Shape::SomeWords(Words::Source),
            "About parts of which sources; of all that the request has when absent.",
        ),
    ],
);

const CALL: Object = Object::new(
    "call",
    "A call of a tool.",
    &[
        Key::new("name", Shape::Text, "The tool.")
            .required()
            .example("mail.send"),
        Key::new("args", Shape::AnyMap, "Its arguments, as the model wrote them.").example("{to: office@example.com}"),
    ],
);

const PART: Object = Object::new(
    "part",
    "A text with who wrote it.",
    &[
        Key::new("source", Shape::Word(Words::Source), "Who wrote it.").required(),
        Key::new("text", Shape::Text, "The text.").required(),
    ],
);

const EXPECT: Object = Object::new(
    "expectation",
    "What the policy must say.",
    &[
        Key::new(
            "verdict",
            Shape::Word(Words::Verdict),
            "The verdict under full enforcement.",
        )
        .required(),
        Key::new("clauses", Shape::Texts, "Exactly what has a say.").example("[data.matrix]"),
        Key::new("text", Shape::Texts, "The texts as they go on."),
    ],
);
