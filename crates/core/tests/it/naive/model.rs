//! The plain model of what decides in a policy, of the facts about a half of an exchange, and of the answer. Selectors'
//! keys keep the names that the page gives them, but for `for` ([`App::serves`]) and `use` (`uses`), which Rust reserves.

use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The families of entities that the two sides must agree on.
pub(crate) const FAMILIES: [(&str, &[&str]); 5] = [
    (
        "secret",
        &[
            "private-key",
            "ai-provider-key",
            "aws-key",
            "database-url",
            "github-token",
            "password",
            "api-key",
            "ci-token",
            "cloud-key",
            "database-token",
            "json-web-token",
            "messaging-token",
            "payment-key",
            "registry-token",
            "source-control-token",
            "url-credentials",
        ],
    ),
    ("financial", &["payment-card", "iban", "salary", "crypto-wallet"]),
    ("health", &["health-record", "medical-term"]),
    ("contact", &["email-address", "phone-number", "postal-address"]),
    ("government-id", &["us-ssn", "passport-number", "national-id"]),
];

/// Days of the week as selectors write them, from Monday.
pub(crate) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Allow,
    Coach,
    Justify,
    Redact,
    Hold,
    Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Observe,
    Coach,
    Enforce,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AppClass {
    Sanctioned,
    Tolerated,
    Unknown,
    Unsanctioned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Prompt,
    Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    User,
    System,
    Tool,
    Retrieved,
    Model,
}

/// An entity or statement in the parts of one source: what a mask is for.
pub(crate) type Spot = (String, Source);

/// A key of a selector with the values of which one must match; `None` when the key is absent.
pub(crate) type OneOf<T> = Option<Vec<T>>;

/// Everything in a policy document that decides.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Policy {
    pub(crate) timezone: String,
    pub(crate) rollout_default: Option<Mode>,
    pub(crate) rollout: BTreeMap<String, Mode>,
    pub(crate) scope: Scope,
    pub(crate) apps: Vec<App>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) tools: Option<Tools>,
    /// Endpoints that pass though nobody reads them.
    pub(crate) passes: Vec<Pass>,
    pub(crate) data: Data,
    /// How many days each course stays valid.
    pub(crate) courses: BTreeMap<String, i32>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) exceptions: Vec<Exception>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scope {
    pub(crate) groups: Vec<String>,
    pub(crate) unmapped: Option<Verdict>,
    pub(crate) uses: Vec<Use>,
    pub(crate) outside: Option<Verdict>,
    /// Groups that are excluded, each until a date.
    pub(crate) exclude: Vec<(String, Date)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Use {
    pub(crate) id: String,
    pub(crate) groups: Vec<String>,
    pub(crate) ceiling: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct App {
    pub(crate) id: String,
    /// The list in which it stands; never `Unknown`.
    pub(crate) listed: AppClass,
    pub(crate) models: OneOf<String>,
    pub(crate) require: BTreeMap<String, String>,
    pub(crate) cells: BTreeMap<String, Verdict>,
    /// The `for` selector. It cannot test `app`: the class of the app depends on it.
    pub(crate) serves: Option<Vec<Selector>>,
    pub(crate) expires: Option<(Date, AppClass)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grant {
    pub(crate) groups: Vec<String>,
    pub(crate) apps: OneOf<AppSelector>,
    pub(crate) uses: OneOf<String>,
    pub(crate) models: OneOf<String>,
}

/// A line of `access.endpoints`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pass {
    pub(crate) endpoints: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) then: Verdict,
    pub(crate) until: Option<Date>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tools {
    pub(crate) unlisted: Verdict,
    pub(crate) list: Vec<ToolEntry>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ToolEntry {
    pub(crate) tool: String,
    pub(crate) groups: OneOf<String>,
    pub(crate) then: Option<Verdict>,
    /// What each argument must be like, by name, dotted path or JSON pointer.
    pub(crate) args: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Data {
    /// From the lowest to the highest.
    pub(crate) classes: Vec<String>,
    pub(crate) default: String,
    /// Entities and families with their class.
    pub(crate) entities: BTreeMap<String, String>,
    pub(crate) escalate: Vec<Escalation>,
    pub(crate) matrix: BTreeMap<String, BTreeMap<AppClass, Verdict>>,
    pub(crate) answers: BTreeMap<String, Verdict>,
    pub(crate) uninspectable: Option<Verdict>,
    pub(crate) unavailable: Option<Verdict>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Escalation {
    AtLeast { entity: String, at_least: u32, to: String },
    All { all: Vec<String>, to: String },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gate {
    pub(crate) id: String,
    pub(crate) without: String,
    /// Days.
    pub(crate) grace: i32,
    pub(crate) then: Verdict,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) when: Vec<Selector>,
    pub(crate) unless: Option<Vec<Selector>>,
    pub(crate) then: Verdict,
    pub(crate) tell: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exception {
    pub(crate) id: String,
    pub(crate) clause: String,
    pub(crate) who: Option<Vec<Selector>>,
    pub(crate) then: Verdict,
    pub(crate) expires: Date,
}

/// One map of a selector.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Selector {
    pub(crate) principal: OneOf<String>,
    pub(crate) client: OneOf<String>,
    pub(crate) uses: OneOf<String>,
    pub(crate) group: OneOf<String>,
    pub(crate) app: OneOf<AppSelector>,
    pub(crate) model: OneOf<String>,
    pub(crate) tool: OneOf<String>,
    pub(crate) direction: Option<Direction>,
    pub(crate) source: OneOf<Source>,
    /// Entities, families and classes.
    pub(crate) data: OneOf<String>,
    pub(crate) finding: OneOf<String>,
    pub(crate) training: OneOf<String>,
    /// Minutes.
    pub(crate) signed_in: Option<i64>,
    pub(crate) time: Option<Period>,
}

/// An app by its name (`id` alone) or by a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AppSelector {
    pub(crate) id: OneOf<String>,
    pub(crate) class: OneOf<AppClass>,
    pub(crate) category: OneOf<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Period {
    pub(crate) days: OneOf<String>,
    /// Minutes since midnight: the first that counts, and the first that no longer does.
    pub(crate) hours: Option<(i32, i32)>,
    pub(crate) from: Option<Date>,
    pub(crate) until: Option<Date>,
}

/// What is known about one half of an exchange.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) now: Timestamp,
    pub(crate) direction: Direction,
    pub(crate) principal: String,
    /// Without `everyone`, which is always one of them.
    pub(crate) groups: BTreeSet<String>,
    pub(crate) client: Option<String>,
    pub(crate) app: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) categories: BTreeSet<String>,
    pub(crate) model: Option<String>,
    pub(crate) uses: Option<String>,
    pub(crate) tools: Vec<Call>,
    pub(crate) training: BTreeMap<String, Date>,
    pub(crate) since: Option<Date>,
    pub(crate) signed_in: Option<Timestamp>,
    pub(crate) entities: BTreeMap<String, Found>,
    pub(crate) findings: BTreeMap<String, BTreeSet<Source>>,
    pub(crate) sources: BTreeSet<Source>,
    pub(crate) uninspectable: bool,
    /// Where nobody reads the bodies of the endpoint.
    pub(crate) endpoint: Option<String>,
    pub(crate) failed: bool,
}

/// A call of a tool in an answer.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) tool: String,
    pub(crate) args: BTreeMap<String, Value>,
}

/// A value of an argument.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    /// In tenths, so that it has one spelling.
    Number(i32),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) distinct: u32,
    pub(crate) sources: BTreeSet<Source>,
    pub(crate) fixed: BTreeSet<Source>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What happens.
    pub(crate) verdict: Verdict,
    /// What would happen if every mode were `enforce`.
    pub(crate) full: Verdict,
    /// What contributes to the full decision, after exceptions.
    pub(crate) cited: BTreeSet<String>,
    /// The masks that act; none when the acting verdict is `block`.
    pub(crate) masks: BTreeSet<Spot>,
    pub(crate) app_class: AppClass,
    pub(crate) data_class: String,
}
