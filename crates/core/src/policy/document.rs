//! The policy document as its author wrote it: shape and places, no meaning yet.
//!
//! Each field mirrors a key of the document and remembers where it stands, so that checks can point at it. Whether names
//! exist and sentences agree is the business of [`super::check`]. Read [`Document`] first.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use super::PolicyDigest;
use super::node::Place;
use crate::verdict::{AppClass, Direction, Mode, Source, Verdict};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// Values by a name of the author's.
pub type Named<T> = Vec<(Text, At<T>)>;

/// A word or sentence of the author.
pub type Text = At<String>;

impl<T> At<T> {
    /// `value` at `place`.
    pub const fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }
}

impl Text {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.value
    }
}

/// The fourteen sections, in the order of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the sections' own")]
pub enum Section {
    Purpose,
    Scope,
    Roles,
    Applications,
    AcceptableUse,
    Access,
    Data,
    ShadowAi,
    Transparency,
    Risk,
    Compliance,
    Monitoring,
    Education,
    Consequences,
}

impl Section {
    /// Every section, in order.
    pub const ALL: [Self; 14] = [
        Self::Purpose,
        Self::Scope,
        Self::Roles,
        Self::Applications,
        Self::AcceptableUse,
        Self::Access,
        Self::Data,
        Self::ShadowAi,
        Self::Transparency,
        Self::Risk,
        Self::Compliance,
        Self::Monitoring,
        Self::Education,
        Self::Consequences,
    ];

    /// Its key in the document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Purpose => "purpose",
            Self::Scope => "scope",
            Self::Roles => "roles",
            Self::Applications => "applications",
            Self::AcceptableUse => "acceptable_use",
            Self::Access => "access",
            Self::Data => "data",
            Self::ShadowAi => "shadow_ai",
            Self::Transparency => "transparency",
            Self::Risk => "risk",
            Self::Compliance => "compliance",
            Self::Monitoring => "monitoring",
            Self::Education => "education",
            Self::Consequences => "consequences",
        }
    }
}

/// A whole policy.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Digest over the document's files.
    pub digest: PolicyDigest,
    /// Paths of the policy folder's files, by index.
    pub paths: Vec<String>,
    /// The policy that it extends, and that all of it was laid over.
    pub parent: Option<Box<Self>>,
    /// Where that is, in the author's words.
    pub extends: Option<Text>,
    /// What a policy that extends this one may change as it likes.
    pub delegated: Vec<Text>,
    /// Its folder below the caller's files; empty for the one that was asked for.
    pub base: String,
    /// Whose policy it is.
    pub organization: Option<Text>,
    /// Its version, as the organisation counts.
    pub version: Option<Text>,
    /// The zone in which its dates are read; UTC when absent.
    pub timezone: Option<At<TimeZone>>,
    /// Profiles it was made from.
    pub profiles: Vec<Text>,
    /// Approval.
    pub approved: Option<Approved>,
    /// When it is to be read again.
    pub review: Option<Review>,
    /// How each part acts now.
    pub rollout: Rollout,
    /// Sections that are there, with the place of their key and their prose.
    pub sections: Vec<SectionHead>,
    /// What the organisation wants.
    pub objectives: Vec<Objective>,
    /// `scope`.
    pub scope: Scope,
    /// `roles`.
    pub roles: Roles,
    /// `applications`.
    pub apps: Vec<App>,
    /// `access`.
    pub access: Access,
    /// `data`.
    pub data: Data,
    /// `acceptable_use.outputs`.
    pub outputs: Option<Outputs>,
    /// `monitoring.break_glass`.
    pub break_glass: Option<BreakGlass>,
    /// `education`.
    pub education: Education,
    /// `consequences`.
    pub consequences: Option<Consequences>,
    /// The clauses of all sections, in document order.
    pub clauses: Vec<Clause>,
    /// Granted departures.
    pub exceptions: Vec<Exception>,
    /// Clauses that no exception may name.
    pub never_excepted: Vec<Text>,
}

impl Document {
    /// The head of a section, if it is there.
    #[must_use]
    pub fn section(&self, section: Section) -> Option<&SectionHead> {
        self.sections.iter().find(|head| head.section == section)
    }

    /// Where to point when something of a section is missing.
    #[must_use]
    pub fn section_place(&self, section: Section) -> Place {
        self.section(section).map_or_else(Place::default, |head| head.place)
    }

    /// The zone in which dates are read.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        self.timezone.as_ref().map_or(TimeZone::UTC, |zone| zone.value.clone())
    }

    /// The date of a moment in the policy's zone.
    #[must_use]
    pub fn date_of(&self, now: jiff::Timestamp) -> Date {
        now.to_zoned(self.zone()).date()
    }
}

/// A section's key and prose.
#[derive(Debug, Clone)]
pub struct SectionHead {
    /// Which.
    pub section: Section,
    /// Where its key stands.
    pub place: Place,
    /// What it says in plain words.
    pub statement: Option<Text>,
}

/// Who approved the policy, and when.
#[derive(Debug, Clone)]
pub struct Approved {
    /// Person or board.
    pub by: Option<Text>,
    /// When.
    pub on: Option<At<Date>>,
    /// From when it applies.
    pub effective: Option<At<Date>>,
}

/// When the policy is to be read again.
#[derive(Debug, Clone)]
pub struct Review {
    /// At most so many days apart.
    pub every: Option<At<u32>>,
    /// And after these events.
    pub also: Vec<Text>,
}

/// How each part of the policy acts now.
#[derive(Debug, Clone, Default)]
pub struct Rollout {
    /// For what is not named.
    pub default: Option<At<Mode>>,
    /// By citation.
    pub entries: Vec<(Text, At<Mode>)>,
}

/// A goal with the metric that tells whether it is met.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the keys of the document")]
pub struct Objective {
    pub id: Option<Text>,
    pub statement: Option<Text>,
    pub metric: Option<Text>,
    pub target: Option<Text>,
    pub owner: Option<Text>,
    pub place: Place,
}

/// `scope`.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Groups of the directory that the policy knows, with the claim that marks each.
    pub groups: Vec<Group>,
    /// Whether `groups` is there.
    pub groups_place: Option<Place>,
    /// For a principal with no group that the policy knows.
    pub unmapped: Option<At<Verdict>>,
    /// What requests may be for.
    pub uses: Vec<Use>,
    /// Where `uses` stands.
    pub uses_place: Option<Place>,
    /// For a use that is not listed.
    pub outside: Option<At<Verdict>>,
    /// Groups left out until a date.
    pub exclude: Vec<Exclude>,
    /// Where `exclude` stands.
    pub exclude_place: Option<Place>,
}

/// A group of people.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name in the policy.
    pub name: Text,
    /// The directory claim that means it; its own name when absent.
    pub claim: Option<Text>,
}

/// A use case.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the keys of the document")]
pub struct Use {
    pub id: Text,
    pub statement: Option<Text>,
    pub owner: Option<Text>,
    pub groups: Vec<Text>,
    pub ceiling: Option<Text>,
    pub tier: Option<Text>,
}

/// A group left out of the policy.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the keys of the document")]
pub struct Exclude {
    pub group: Option<Text>,
    pub reason: Option<Text>,
    pub until: Option<At<Date>>,
    pub place: Place,
}

/// `roles`.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    /// Role and person.
    pub people: Vec<(Text, Text)>,
    /// Who is accountable for the policy.
    pub accountable: Option<Text>,
    /// Who acts when the owner cannot.
    pub deputy: Option<Text>,
    /// The governance board.
    pub board: Option<Board>,
    /// Who does what.
    pub raci: Vec<Raci>,
    /// Where `raci` stands.
    pub raci_place: Option<Place>,
}

/// Several people who decide together.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the keys of the document")]
pub struct Board {
    pub members: Vec<Text>,
    pub quorum: Option<At<u32>>,
    pub place: Place,
}

/// One line of the responsibility table.
#[derive(Debug, Clone)]
pub struct Raci {
    /// Sections or clauses.
    pub subjects: Vec<Text>,
    /// The one who answers for it.
    pub accountable: Option<Text>,
    /// Further ones, of whom there should be none.
    pub more_accountable: Vec<Text>,
    /// Those who do it.
    pub responsible: Vec<Text>,
    /// Those who are asked before.
    pub consulted: Vec<Text>,
    /// Those who are told.
    pub informed: Vec<Text>,
    /// Those who have to agree.
    pub consent: Vec<Text>,
    /// Where it stands.
    pub place: Place,
}

/// A classified app.
#[derive(Debug, Clone)]
pub struct App {
    /// Its id in the catalogue.
    pub id: Text,
    /// The list it stands in.
    pub class: AppClass,
    /// Who owns it, if sanctioned.
    pub owner: Option<Text>,
    /// Why it is classified so.
    pub reason: Option<Text>,
    /// What to use instead.
    pub instead: Option<Text>,
    /// Patterns of the models that may be used; no limit when `None`.
    pub models: Option<Vec<Text>>,
    /// What its route must be like.
    pub require: Vec<(Text, Text)>,
    /// Its own row of the matrix.
    pub cells: Vec<(Text, At<Verdict>)>,
    /// Whom it is sanctioned for.
    pub only_for: Option<At<Vec<Selector>>>,
    /// When the vendor's terms were last checked.
    pub terms_checked: Option<At<Date>>,
    /// What else is noted of the vendor's terms.
    pub terms: Vec<(Text, Text)>,
    /// When the classification ends, and what follows.
    pub expires: Option<Expires>,
}

/// The end of a classification.
#[derive(Debug, Clone)]
pub struct Expires {
    /// Its last day.
    pub on: At<Date>,
    /// The class after it.
    pub then: At<AppClass>,
}

/// `access`.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Who may reach what.
    pub grants: Vec<Grant>,
    /// Where `grants` stands.
    pub grants_place: Option<Place>,
    /// Tools that models may call.
    pub tools: Option<Tools>,
    /// Endpoints that pass though nobody reads their bodies.
    pub endpoints: Vec<Pass>,
    /// Where `endpoints` stands.
    pub endpoints_place: Option<Place>,
}

/// A line of `access.endpoints`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the keys of the document")]
pub struct Pass {
    pub id: Text,
    pub endpoints: Vec<Text>,
    pub groups: Vec<Text>,
    pub then: At<Verdict>,
    pub reason: Option<Text>,
    pub until: Option<At<Date>>,
}

/// A line of `access.grants`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the keys of the document")]
pub struct Grant {
    pub id: Text,
    pub groups: Vec<Text>,
    pub apps: Option<Vec<AppSelector>>,
    pub uses: Option<Vec<Text>>,
    pub models: Option<Vec<Text>>,
}

/// `access.tools`.
#[derive(Debug, Clone)]
pub struct Tools {
    /// For a tool that is not listed.
    pub unlisted: Option<At<Verdict>>,
    /// The listed ones.
    pub list: Vec<Tool>,
    /// Where it stands.
    pub place: Place,
}

/// A tool that a model may call.
#[derive(Debug, Clone)]
pub struct Tool {
    /// Its name, or a pattern.
    pub tool: Text,
    /// What it does: `read`, `write` or `irreversible`.
    pub kind: Option<Text>,
    /// Whose models may call it.
    pub groups: Vec<Text>,
    /// What happens when it is called.
    pub then: Option<At<Verdict>>,
    /// Conditions on its arguments: a name, a dotted path or a JSON pointer, and patterns of which one must match.
    pub args: Vec<(Text, Vec<Text>)>,
}

/// `data`.
#[derive(Debug, Clone, Default)]
pub struct Data {
    /// The classes, least sensitive first.
    pub classes: Vec<Text>,
    /// The class of text in which nothing was found.
    pub default: Option<Text>,
    /// Entity or family, and its class.
    pub entities: Vec<(Text, Text)>,
    /// What raises a class.
    pub escalate: Vec<Escalation>,
    /// Data class, app class, verdict.
    pub matrix: Option<Matrix>,
    /// Verdict by class for answers.
    pub answers: Option<At<Named<Verdict>>>,
    /// How long things are kept.
    pub retention: Option<At<Named<u32>>>,
    /// For content that cannot be read as text.
    pub uninspectable: Option<At<Verdict>>,
    /// For a detector that failed.
    pub unavailable: Option<At<Verdict>>,
    /// The organisation's own words, by entity.
    pub keywords: Vec<(Text, Vec<Text>)>,
    /// The organisation's own patterns, by entity.
    pub patterns: Vec<(Text, Text)>,
    /// Entity or family, and how its values come back in place of tokens.
    pub tokens: Vec<(Text, Text)>,
    /// Endpoints on which clauses may stay without what they need.
    pub unseen: Vec<Unseen>,
}

/// An endpoint on which clauses may stay without what they need to see.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the keys of the document")]
pub struct Unseen {
    pub endpoint: Option<Text>,
    pub reason: Option<Text>,
    pub until: Option<At<Date>>,
    pub place: Place,
}

/// The matrix of data class x app class.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// Where it stands.
    pub place: Place,
    /// Its rows by data class.
    pub rows: Vec<MatrixRow>,
}

/// A row of the matrix.
#[derive(Debug, Clone)]
pub struct MatrixRow {
    /// The data class.
    pub class: Text,
    /// App class and verdict.
    pub cells: Vec<(At<AppClass>, At<Verdict>)>,
}

/// What raises the class of entities.
#[derive(Debug, Clone)]
pub struct Escalation {
    /// The entities or families.
    pub entities: Vec<Text>,
    /// From how many distinct values on; `None` when all listed entities must occur together.
    pub at_least: Option<u32>,
    /// The class they then have.
    pub to: Text,
}

/// How values come back in place of tokens: judged as part of the answer, or whatever is said of answers.
pub const TOKENS: [&str; 2] = ["reversible", "restore"];

/// The word for an answer that takes the label of its most sensitive input.
pub const INHERIT_HIGHEST: &str = "highest-input";

/// How answers may be reused, freest first.
pub const REUSE: [&str; 3] = ["free", "human-review", "none"];

/// `acceptable_use.outputs`.
#[derive(Debug, Clone)]
pub struct Outputs {
    /// Which label an answer takes.
    pub inherit: Option<Text>,
    /// Where an answer goes, and what that needs.
    pub reuse: Vec<(Text, Text)>,
    /// Where it stands.
    pub place: Place,
}

/// `monitoring.break_glass`: what may go on for a while when the ledger takes no records.
#[derive(Debug, Clone)]
pub struct BreakGlass {
    /// Why that is better than to stop.
    pub statement: Option<Text>,
    /// The one use that it is for.
    pub use_: Option<Text>,
    /// Whose requests.
    pub groups: Vec<Text>,
    /// For how long at most, in minutes.
    pub lasts: Option<At<u32>>,
    /// The role that looks afterwards at what was done.
    pub reviewer: Option<Text>,
    /// Where it stands.
    pub place: Place,
}

impl BreakGlass {
    /// The longest that it may last, in minutes.
    pub const MOST_MINUTES: u32 = 60;
}

/// `education`.
#[derive(Debug, Clone, Default)]
pub struct Education {
    /// The courses.
    pub courses: Vec<Course>,
    /// What happens without them.
    pub gates: Vec<Gate>,
    /// Where `gates` stands.
    pub gates_place: Option<Place>,
}

/// A course.
#[derive(Debug, Clone)]
pub struct Course {
    /// Its id.
    pub id: Text,
    /// For how many days a completion counts.
    pub valid: Option<At<u32>>,
    /// Where completions are recorded.
    pub records: Option<Text>,
}

/// What happens without a course.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Its id.
    pub id: Text,
    /// The course.
    pub without: Text,
    /// Days that a newcomer has.
    pub grace: Option<At<u32>>,
    /// What happens.
    pub then: At<Verdict>,
    /// What the person is told.
    pub tell: Option<Text>,
}

/// `consequences`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the keys of the document")]
pub struct Consequences {
    pub ladder: Vec<Text>,
    pub window: Option<At<u32>>,
    pub start: Vec<(Text, Text)>,
    pub two_people_from: Option<Text>,
    pub appeal: Option<At<u32>>,
    pub place: Place,
}

/// The smallest citable statement of the policy.
#[derive(Debug, Clone)]
pub struct Clause {
    /// Where it stands in the document's order.
    pub section: Section,
    /// Its id.
    pub id: Text,
    /// What it says.
    pub statement: Option<Text>,
    /// Who owns it.
    pub owner: Option<Text>,
    /// The rule that holds it up.
    pub rule: Option<Rule>,
    /// The section data that holds it up.
    pub enforced_by: Option<Text>,
    /// The evidence that holds it up.
    pub evidence: Option<Evidence>,
    /// Items of frameworks, by pack.
    pub frameworks: Vec<(Text, Vec<Text>)>,
}

/// The executable form of a clause.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it is about; one of the selectors must match.
    pub when: Vec<Selector>,
    /// What it is not about.
    pub unless: Vec<Selector>,
    /// A condition in CEL.
    pub condition: Option<Text>,
    /// What happens.
    pub then: At<Verdict>,
    /// What the person is told.
    pub tell: Option<Text>,
    /// Where it stands.
    pub place: Place,
}

/// What a person or a register has to show for a clause.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The kind: task, attestation, training or ledger.
    pub kind: Text,
    /// What exactly.
    pub what: Text,
    /// How often, in days.
    pub every: Option<At<u32>>,
    /// Who does it.
    pub by: Option<Text>,
    /// When it was last shown.
    pub last: Option<At<Date>>,
    /// Where it stands.
    pub place: Place,
}

/// Keys that must all match.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are the keys of the document")]
pub struct Selector {
    pub place: Place,
    pub principal: Option<Vec<Text>>,
    pub group: Option<Vec<Text>>,
    pub client: Option<Vec<Text>>,
    pub app: Option<Vec<AppSelector>>,
    pub model: Option<Vec<Text>>,
    pub tool: Option<Vec<Text>>,
    pub use_: Option<Vec<Text>>,
    pub direction: Option<Vec<At<Direction>>>,
    pub data: Option<Vec<Text>>,
    pub source: Option<Vec<At<Source>>>,
    pub finding: Option<Vec<Text>>,
    pub training: Option<Vec<Text>>,
    /// In minutes.
    pub signed_in: Option<At<u32>>,
    pub time: Option<TimeSelector>,
}

/// Apps by id, class and category; all given keys.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are the keys of the document")]
pub struct AppSelector {
    pub id: Option<Vec<Text>>,
    pub class: Option<Vec<At<AppClass>>>,
    pub category: Option<Vec<Text>>,
}

/// Moments in the policy's zone; all given keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TimeSelector {
    /// Days of the week.
    pub days: Option<Vec<Weekday>>,
    /// From, to (not included); over midnight when the second is smaller.
    pub hours: Option<(Time, Time)>,
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
}

/// A granted, scoped, expiring departure from a clause.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the keys of the document")]
pub struct Exception {
    pub id: Text,
    pub clause: Text,
    pub who: Vec<Selector>,
    pub then: Option<At<Verdict>>,
    pub reason: Option<Text>,
    pub compensating: Option<Text>,
    pub requested: Option<Text>,
    pub approved: Vec<Text>,
    pub granted: Option<At<Date>>,
    pub expires: Option<At<Date>>,
    /// Whether it says when it ends, in words that cannot be read.
    pub unread_end: bool,
    pub place: Place,
}
