//! What is governed: purpose, scope, applications, access.

use super::header::{CLAUSES, STATEMENT};
use super::rules::{APP as APP_SELECTOR, SELECTOR};
use super::{Key, Object, Shape, Words};

/// `purpose`.
pub(super) const PURPOSE: Object = Object::new(
    "purpose",
    "What the organisation wants from generative AI.",
    &[
        STATEMENT,
        Key::new(
            "objectives",
            Shape::Maps(&OBJECTIVE),
            "Goals, each with a metric that tells whether it is met.",
        ),
        CLAUSES,
    ],
);

const OBJECTIVE: Object = Object::new(
    "objective",
    "A goal. A metric that nothing measures yet is shown as unmeasured.",
    &[
        Key::new("id", Shape::Text, "Its id.").required().example("protect"),
        Key::new("statement", Shape::Text, "The goal in words."),
        Key::new("metric", Shape::Text, "What is counted.").example("leaks-escaped"),
        Key::new("target", Shape::Raw, "The value to reach.").example("\">= 60%\""),
        Key::new("owner", Shape::Text, "The role that answers for it."),
    ],
);

/// `scope`.
pub(super) const SCOPE: Object = Object::new(
    "scope",
    "Whom the policy is for, and what AI is used for.",
    &[
        STATEMENT,
        Key::new(
            "groups",
            Shape::Map(&GROUPS),
            "Groups of your directory that the policy knows.",
        )
        .example("{staff: {}, unmapped: block}"),
        Key::new("uses", Shape::Maps(&USE), "Use cases: what a request may be for."),
        Key::new(
            "outside",
            Shape::Word(Words::Verdict),
            "For a declared use that is not listed; `block` when absent.",
        ),
        Key::new(
            "exclude",
            Shape::Maps(&EXCLUDE),
            "Groups that are left out of the policy until a date.",
        ),
        CLAUSES,
    ],
);

const GROUPS: Object = Object {
    own: Some(Shape::Map(&GROUP)),
    ..Object::new(
        "groups",
        "Groups by the name that this policy uses. `everyone` needs no line.",
        &[Key::new(
            "unmapped",
            Shape::Word(Words::Verdict),
            "For a principal in none of the groups.",
        )],
    )
};

const GROUP: Object = Object::new(
    "group",
    "A group of people or programs.",
    &[Key::new(
        "claim",
        Shape::Text,
        "What the directory calls it; its own name when absent.",
    )
    .example("med-staff")],
);

const USE: Object = Object::new(
    "use",
    "A use case.",
    &[
        Key::new("id", Shape::Text, "Its id, which requests declare.")
            .required()
            .example("coding"),
        Key::new("statement", Shape::Text, "What it is."),
        Key::new("owner", Shape::Text, "The role that owns it."),
        Key::new("groups", Shape::Texts, "Whom it is for; everyone when absent.").example("[engineering]"),
        Key::new(
            "ceiling",
            Shape::Text,
            "The highest data class for it; what is above blocks.",
        )
        .example("confidential"),
        Key::new("tier", Shape::Word(Words::Tier), "Its risk.").example("limited"),
    ],
);

const EXCLUDE: Object = Object::new(
    "exclusion",
    "A group that the policy does not hold for yet. Its requests pass, recorded.",
    &[
        Key::new("group", Shape::Text, "The group.").required(),
        Key::new("reason", Shape::Text, "Why.").required(),
        Key::new("until", Shape::Date, "The last day.").required(),
    ],
);

/// `applications`.
pub(super) const APPLICATIONS: Object = Object::new(
    "applications",
    "The apps that somebody has classified, by their ids in the catalogue.",
    &[
        STATEMENT,
        Key::new("sanctioned", Shape::Maps(&APP), "Approved for work.").example("[{app: openai-api, owner: cto}]"),
        Key::new("tolerated", Shape::Maps(&APP), "Put up with, for a while."),
        Key::new("unsanctioned", Shape::Maps(&APP), "Not wanted."),
        CLAUSES,
    ],
);

const APP: Object = Object::new(
    "app",
    "A classified app.",
    &[
        Key::new("app", Shape::Text, "Its id in the catalogue.")
            .required()
            .example("openai-api"),
        Key::new("owner", Shape::Text, "The role that owns it."),
        Key::new("reason", Shape::Text, "Why it stands in this list."),
        Key::new("instead", Shape::Text, "The app to use instead."),
        Key::new(
            "models",
            Shape::Texts,
            "The models that may be used; `*` stands for any run of characters. No limit when absent.",
        )
        .example("[gpt-5*]"),
        Key::new(
            "require",
            Shape::Own(&Shape::Text),
            "What its route must be like; else the app counts as unknown.",
        )
        .example("{region: eu}"),
        Key::new(
            "cells",
            Shape::Own(&Shape::Word(Words::Verdict)),
            "Its own row of the matrix, by data class.",
        )
        .example("{restricted: redact}"),
        Key::new(
            "for",
            Shape::SomeMaps(&SELECTOR),
            "Whom and what it is meant for; to all others it counts as unknown.",
        )
        .example("{uses: [letters, coding]}"),
        Key::new("terms", Shape::Map(&TERMS), "What is noted of the vendor's terms."),
        Key::new(
            "expires",
            Shape::Map(&EXPIRES),
            "When the classification ends, and what follows.",
        ),
    ],
);

const TERMS: Object = Object::new(
    "terms",
    "Notes on the vendor's terms.",
    &[
        Key::new("checked", Shape::Date, "When they were last read.").example("2026-10-01"),
        Key::new(
            "trains_on_input",
            Shape::QuotedFlag,
            "Whether the vendor trains models on what is sent.",
        )
        .example("false"),
        Key::new("retention", Shape::Days, "How long the vendor keeps what is sent.").example("30 days"),
        Key::new("region", Shape::Raw, "Where the vendor processes it.").example("eu"),
        Key::new("contract", Shape::Raw, "Which agreement it is under."),
    ],
);

const EXPIRES: Object = Object::new(
    "expiry",
    "The end of a classification.",
    &[
        Key::new("on", Shape::Date, "Its last day.").required(),
        Key::new("then", Shape::Word(Words::AppClass), "The class after it.").required(),
    ],
);

/// `access`.
pub(super) const ACCESS: Object = Object::new(
    "access",
    "Who may reach what. What no grant reaches is refused; a grant never loosens anything else.",
    &[
        STATEMENT,
        Key::new("grants", Shape::Maps(&GRANT), "Who may reach which apps.")
            .example("[{id: AC-1, groups: [everyone], apps: {class: sanctioned}}]"),
        Key::new(
            "tools",
            Shape::Map(&TOOLS),
            "Tools that models may call. Without it, the policy says nothing on tools.",
        ),
        Key::new(
            "endpoints",
            Shape::Maps(&PASS),
            "Endpoints that pass though nobody reads their bodies. What no line passes is refused.",
        ),
        CLAUSES,
    ],
);

const GRANT: Object = Object::new(
    "grant",
    "A line that lets some groups reach some apps.",
    &[
        Key::new("id", Shape::Text, "Its id.").required().example("AC-1"),
        Key::new("groups", Shape::Texts, "Whom it lets.")
            .required()
            .example("[everyone]"),
        Key::new(
            "apps",
            Shape::NamesOrMaps(&APP_SELECTOR),
            "Which apps; all when absent.",
        )
        .example("{class: sanctioned}"),
        Key::new(
            "uses",
            Shape::Texts,
            "For which declared uses; for any, or none, when absent.",
        ),
        Key::new(
            "models",
            Shape::Texts,
            "Which models; `*` stands for any run of characters.",
        ),
    ],
);

const PASS: Object = Object::new(
    "passed-endpoints",
    "A line that lets some groups use endpoints whose bodies nobody reads.",
    &[
        Key::new("id", Shape::Text, "Its id.").required().example("EP-1"),
        Key::new(
            "endpoints",
            Shape::Texts,
            "Which: dialect, method and path, as in the table of endpoints.",
        )
        .required()
        .example("[openai POST /v1/files]"),
        Key::new("groups", Shape::Texts, "Whose requests.")
            .required()
            .example("[engineering]"),
        Key::new(
            "then",
            Shape::Word(Words::Verdict),
            "What happens; `redact` is an error.",
        )
        .required(),
        Key::new("reason", Shape::Text, "Why this may go unread.").required(),
        Key::new("until", Shape::Date, "The last day; for good when absent.").example("2027-03-31"),
    ],
);

const TOOLS: Object = Object::new(
    "tools",
    "Tools that models may call.",
    &[
        Key::new(
            "unlisted",
            Shape::Word(Words::Verdict),
            "For a tool that no line matches; `block` when absent.",
        ),
        Key::new(
            "list",
            Shape::Maps(&TOOL),
            "The tools; the first line that matches a call counts.",
        ),
    ],
);

const TOOL: Object = Object::new(
    "tool",
    "A tool, or several by a pattern.",
    &[
        Key::new("tool", Shape::Text, "Its name; `*` stands for any run of characters.")
            .required()
            .example("mail.*"),
        Key::new("kind", Shape::Word(Words::ToolKind), "What it does.").example("read"),
        Key::new(
            "groups",
            Shape::Texts,
            "Whose models may call it; everyone's when absent.",
        ),
        Key::new(
            "then",
            Shape::Word(Words::Verdict),
            "What happens when it is called; `allow` when absent.",
        ),
        Key::new(
            "args",
            Shape::Arguments,
            "Conditions on its arguments, all of which must hold: a name, a path such as `order.id` or a JSON pointer, and a pattern, a bound such as `<= 500`, or a list of which one must fit.",
        )
        .example("{to: \"*@example.com\", amount: \"<= 500\"}"),
    ],
);
