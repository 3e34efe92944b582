//! `data`: classes, entities, and the tables that say where what may go.

use super::header::{CLAUSES, STATEMENT};
use super::{Key, Object, Shape, Words};

/// `data`.
pub(super) const DATA: Object = Object::new(
    "data",
    "What is sensitive, and where it may go.",
    &[
        STATEMENT,
        Key::new("classes", Shape::Texts, "The data classes, least sensitive first.").example("[public, internal, confidential, restricted]"),
        Key::new("default", Shape::Text, "The class of text in which nothing was found. A policy that extends another one may leave it out.").required_alone().example("internal"),
        Key::new("entities", Shape::OwnEntities(&Shape::Text), "What detectors find, and its class: entities, families, and names of your own from `keywords` and `patterns`.").example("{payment-card: restricted, secret: restricted}"),
        Key::new("keywords", Shape::Own(&Shape::Texts), "Your own words by the entity that they mean, found whatever their case.").example("{project-name: [project heron]}"),
        Key::new("patterns", Shape::Own(&Shape::Text), "Your own regular expressions by the entity that they mean.").example("{ticket: \"TICKET-[0-9]{6}\"}"),
        Key::new("tokens", Shape::OwnEntities(&Shape::Word(Words::Tokens)), "Entities and families whose masked values are put back into the answer, for whoever sent them: `reversible` where the answer's rules let them pass, `restore` whatever these say.").example("{email-address: restore}"),
        Key::new("escalate", Shape::Maps(&ESCALATION), "What raises the class of entities."),
        Key::new("matrix", Shape::Own(&Shape::Map(&ROW)), "Prompts: data class, then app class, then verdict. Every cell must be there.").example("{internal: {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}}"),
        Key::new("answers", Shape::Own(&Shape::Word(Words::Verdict)), "What comes back, by data class; classes that are not named pass.").example("{restricted: redact}"),
        Key::new("retention", Shape::Own(&Shape::Days), "How long things are kept.").example("{content: 14 days, records: 2 years}"),
        Key::new("uninspectable", Shape::Word(Words::Verdict), "For what cannot be read as text; `block` when absent."),
        Key::new("unseen", Shape::Maps(&UNSEEN), "Endpoints that stay open although some clause cannot see there what it needs."),
        Key::new("unavailable", Shape::Word(Words::Verdict), "For when a detector did not run; `block` when absent."),
        CLAUSES,
    ],
);

const ESCALATION: Object = Object {
    one_of: &["entity", "all"],
    ..Object::new(
        "escalation",
        "Raises the class of what it names: `entity`, `at_least` so many different ones; or `all` of a list found together.",
        &[
            Key::new("entity", Shape::Text, "An entity or family.").example("email-address"),
            Key::new("at_least", Shape::Number, "From so many different values on.").example("20"),
            Key::new("all", Shape::SomeTexts, "Entities or families that must all be found.")
                .example("[person-name, medical-term]"),
            Key::new("to", Shape::Text, "The class that they then have.")
                .required()
                .example("confidential"),
        ],
    )
};

const UNSEEN: Object = Object::new(
    "unseen",
    "An endpoint that stays open although some clause cannot see there what it needs.",
    &[
        Key::new(
            "endpoint",
            Shape::Text,
            "Method and path, as in docs/reference/endpoints.md.",
        )
        .required()
        .example("openai POST /v1/completions"),
        Key::new("reason", Shape::Text, "Why.").required(),
        Key::new("until", Shape::Date, "The last day.").required(),
    ],
);

const ROW: Object = Object::new(
    "row",
    "A row of the matrix: a verdict for each class of app.",
    &[
        Key::new(
            "sanctioned",
            Shape::Word(Words::Verdict),
            "Towards apps approved for work.",
        ),
        Key::new(
            "tolerated",
            Shape::Word(Words::Verdict),
            "Towards apps that are put up with.",
        ),
        Key::new(
            "unknown",
            Shape::Word(Words::Verdict),
            "Towards apps that nobody classified.",
        ),
        Key::new(
            "unsanctioned",
            Shape::Word(Words::Verdict),
            "Towards apps that are not wanted.",
        ),
    ],
);
