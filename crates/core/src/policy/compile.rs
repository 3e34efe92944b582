//! From a checked document to the table that decisions run on.
//!
//! Names become numbers, dates become moments, sections become rows. A [`Policy`] holds nothing that could be invalid: it
//! is only made from a document without errors. Read [`Policy`] first; [`crate::decide`] is its one reader.

mod answerable;
mod break_glass;
mod compiler;
mod condition;
pub(super) mod names;

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use answerable::Answerable;
pub use break_glass::BreakGlass;
pub(crate) use compiler::compile;
pub(crate) use condition::Condition;
pub(crate) use names::{Names, Table};

use super::PolicyDigest;
use super::node::Place;
use crate::decide::Found;
use crate::decide::arguments::ArgumentTest;
use crate::decide::selector::{AppTest, Bits, Pattern, Selector};
use crate::detect::{Detector, EntityId};
use crate::verdict::{AppClass, Mode, Verdict};
use crate::wire::endpoints::{Endpoint, Handling};

/// A policy that can decide.
pub struct Policy {
    /// Its digest.
    pub digest: PolicyDigest,
    /// Whose it is.
    pub organization: String,
    /// Its version, as the organisation counts.
    pub version: String,
    pub(crate) zone: TimeZone,
    pub(crate) names: Names,
    pub(crate) default_class: u8,
    /// Class by entity index.
    pub(crate) entity_classes: Vec<u8>,
    pub(crate) escalations: Vec<Escalation>,
    /// Verdicts by data class, then app class.
    matrix: Vec<[Verdict; 4]>,
    pub(crate) answers: Vec<Verdict>,
    pub(crate) uninspectable: Verdict,
    pub(crate) unavailable: Verdict,
    /// By app index; `None` for apps that are only named in selectors.
    pub(crate) apps: Vec<Option<AppEntry>>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) tools: Option<Tools>,
    /// How values come back in place of tokens, by entity index; empty if none do.
    pub(crate) tokens: Vec<Option<Restoring>>,
    /// Whether answers carry a label.
    pub(crate) labels: bool,
    pub(crate) passes: Vec<Pass>,
    /// Endpoints on which clauses may stay without what they need.
    pub(crate) unseen: Vec<Unseen>,
    pub(crate) unmapped: Option<Verdict>,
    pub(crate) outside: Verdict,
    /// By use index.
    pub(crate) uses: Vec<Option<Use>>,
    pub(crate) excludes: Vec<Exclude>,
    courses: Vec<(String, Option<u32>)>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) citations: Citations,
    cited: Vec<Citation>,
    answerable: Answerable,
    break_glass: Option<BreakGlass>,
    own_detectors: Vec<std::sync::Arc<dyn Detector>>,
    paths: Vec<String>,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("organization", &self.organization)
            .field("version", &self.version)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// Something that a decision can name: a clause, a gate, or section data.
#[derive(Debug, Clone)]
pub struct Citation {
    /// Its id, such as `AU-3` or `data.matrix`.
    pub id: String,
    /// Where it stands in the document.
    pub place: Place,
    /// How it acts now.
    pub mode: Mode,
    /// What it says in the author's words: the clause's statement, or that of the clause it holds up.
    pub statement: Option<String>,
    /// The clause that section data holds up.
    pub clause: Option<String>,
    /// What the person is told.
    pub tell: Option<String>,
    /// The role that owns the clause.
    pub owner: Option<String>,
}

/// Number of a [`Citation`] in its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CitationId(u16);

/// The section data that decide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Citations {
    pub(crate) uninspectable: CitationId,
    pub(crate) detector_failure: CitationId,
    pub(crate) access: CitationId,
    pub(crate) groups: CitationId,
    pub(crate) outside: CitationId,
    pub(crate) uses: CitationId,
    pub(crate) matrix: CitationId,
    pub(crate) answers: CitationId,
    pub(crate) tools: CitationId,
    pub(crate) endpoints: CitationId,
}

/// A line that lets endpoints pass unread.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) endpoints: Vec<String>,
    pub(crate) groups: Bits,
    pub(crate) then: Verdict,
    /// From when on it no longer counts.
    pub(crate) until: Option<Timestamp>,
}

#[derive(Debug)]
pub(crate) struct AppEntry {
    /// The class of the list it stands in.
    pub(crate) class: AppClass,
    pub(crate) models: Option<Vec<Pattern>>,
    pub(crate) require: Vec<(String, String)>,
    pub(crate) cells: Vec<(u8, Verdict)>,
    pub(crate) only_for: Option<Vec<Selector>>,
    pub(crate) expires: Option<(Timestamp, AppClass)>,
}

/// How values come back in place of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restoring {
    /// Judged as part of the answer.
    Judged,
    /// Whatever the policy says of answers.
    Freely,
}

/// An endpoint on which clauses may stay without what they need.
#[derive(Debug)]
pub(crate) struct Unseen {
    /// Method and path.
    pub(crate) endpoint: String,
    /// The first moment at which it no longer holds.
    pub(crate) until: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) id: String,
    pub(crate) groups: Bits,
    pub(crate) apps: Option<Vec<AppTest>>,
    pub(crate) uses: Option<Bits>,
    pub(crate) models: Option<Vec<Pattern>>,
}

#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) unlisted: Verdict,
    pub(crate) list: Vec<Tool>,
}

#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) pattern: Pattern,
    pub(crate) groups: Option<Bits>,
    pub(crate) conditions: Vec<ArgumentTest>,
    pub(crate) then: Verdict,
}

impl Tool {
    /// Whether it speaks of a tool of this name, for somebody in these groups.
    pub(crate) fn is_for(&self, name: &str, of: &[u32]) -> bool {
        let granted = |groups: &Bits| of.iter().any(|&group| groups.contains(group));
        self.pattern.matches(name) && self.groups.as_ref().is_none_or(granted)
    }
}

#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) groups: Option<Bits>,
    pub(crate) ceiling: Option<u8>,
}

#[derive(Debug)]
pub(crate) struct Exclude {
    pub(crate) group: u32,
    /// The first moment at which it no longer holds.
    pub(crate) until: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) citation: CitationId,
    pub(crate) course: String,
    pub(crate) grace: u32,
    pub(crate) then: Verdict,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) citation: CitationId,
    pub(crate) when: Vec<Selector>,
    pub(crate) unless: Vec<Selector>,
    pub(crate) condition: Option<Condition>,
    pub(crate) then: Verdict,
}

#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) id: String,
    pub(crate) citation: CitationId,
    pub(crate) who: Vec<Selector>,
    pub(crate) then: Verdict,
    /// The first moment at which it no longer holds.
    pub(crate) until: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Escalation {
    /// Entity indices, one set for each entity or family named.
    pub(crate) groups: Vec<Bits>,
    pub(crate) at_least: Option<u32>,
    pub(crate) to: u8,
}

impl Escalation {
    pub(crate) fn names(&self, entity: u32) -> bool {
        self.groups.iter().any(|group| group.contains(entity))
    }

    pub(crate) fn applies(&self, found: &[Found<'_>]) -> bool {
        let of = |group: &Bits| -> u64 {
            let inside = found
                .iter()
                .filter(|one| one.index.is_some_and(|index| group.contains(index)));
            inside.map(|one| u64::from(one.seen.distinct)).sum()
        };
        match self.at_least {
            Some(number) => self.groups.iter().map(of).sum::<u64>() >= u64::from(number.max(1)),
            None => self.groups.iter().all(|group| of(group) > 0),
        }
    }
}

impl Policy {
    /// A citation by number.
    #[must_use]
    pub fn citation(&self, id: CitationId) -> &Citation {
        // INVARIANT: ids are made by `Compiler::cite` alone, with the index of what it pushed; `none` is never reached.
        static NONE: Citation = Citation {
            id: String::new(),
            place: Place {
                file: 0,
                line: 0,
                column: 0,
                length: 0,
            },
            mode: Mode::Enforce,
            statement: None,
            clause: None,
            tell: None,
            owner: None,
        };
        self.cited.get(usize::from(id.0)).unwrap_or(&NONE)
    }

    /// Every citation.
    pub fn citations(&self) -> impl Iterator<Item = &Citation> {
        self.cited.iter()
    }

    /// Whether a citation acts whatever the rollout says.
    #[must_use]
    pub fn always_acts(&self, citation: &Citation) -> bool {
        let always = [
            self.citations.uninspectable,
            self.citations.detector_failure,
            self.citations.endpoints,
        ];
        always.into_iter().any(|id| self.citation(id).id == citation.id)
    }

    /// The zone in which its dates are read.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// A place as people read it: `policy.yaml:14:9`.
    #[must_use]
    pub fn locate(&self, place: Place) -> String {
        let path = self
            .paths
            .get(usize::from(place.file))
            .map_or(super::ROOT, String::as_str);
        format!("{path}:{}:{}", place.line, place.column)
    }

    /// The id of an exception.
    #[must_use]
    pub fn exception(&self, index: u16) -> &str {
        self.exceptions
            .get(usize::from(index))
            .map_or("", |exception| &exception.id)
    }

    /// The id of a grant.
    #[must_use]
    pub fn grant(&self, index: u16) -> Option<&str> {
        self.grants.get(usize::from(index)).map(|grant| grant.id.as_str())
    }

    /// What may go on for a while when the ledger takes no records, if anything may.
    #[must_use]
    pub const fn break_glass(&self) -> Option<&BreakGlass> {
        self.break_glass.as_ref()
    }

    /// The name of a data class.
    #[must_use]
    pub fn class_name(&self, class: u8) -> &str {
        self.names.class_name(class)
    }

    /// The policy's own keywords and patterns, as detectors.
    #[must_use]
    pub fn own_detectors(&self) -> &[std::sync::Arc<dyn Detector>] {
        &self.own_detectors
    }

    /// Whether it says anything on tools.
    #[must_use]
    pub const fn lists_tools(&self) -> bool {
        self.tools.is_some()
    }

    /// Whether some values come back in place of tokens.
    #[must_use]
    pub const fn restores(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// How the values of an entity come back, if they do.
    #[must_use]
    pub fn restoring(&self, entity: &EntityId) -> Option<Restoring> {
        let index = self.names.entities.index(entity.as_str())?;
        self.tokens.get(index as usize).copied().flatten()
    }

    /// Whether an answer carries the highest class of its input as a label.
    #[must_use]
    pub const fn labels_answers(&self) -> bool {
        self.labels
    }

    /// Whether a use is one of the scope's.
    #[must_use]
    pub fn has_use(&self, name: &str) -> bool {
        self.names.uses.index(name).is_some()
    }

    /// Whether a line of `access.endpoints` is about an endpoint that may be passed, whomever it lets.
    #[must_use]
    pub fn passes_endpoint(&self, endpoint: &Endpoint) -> bool {
        if self.passes.is_empty() || !matches!(endpoint.handling, Handling::Passable) {
            return false;
        }
        let name = endpoint.name();
        self.passes.iter().any(|pass| pass.endpoints.contains(&name))
    }

    /// Whether a line of `access.endpoints` lets somebody use, at a moment, an endpoint that nobody reads.
    #[must_use]
    pub fn lets_pass(&self, endpoint: &Endpoint, now: Timestamp) -> bool {
        if self.passes.is_empty() || !matches!(endpoint.handling, Handling::Passable) {
            return false;
        }
        let name = endpoint.name();
        self.passes.iter().any(|pass| {
            // What needs a second step is refused there.
            let lets = matches!(pass.then, Verdict::Allow | Verdict::Coach);
            lets && pass.endpoints.contains(&name) && pass.until.is_none_or(|until| now < until)
        })
    }

    /// Whether a kind of data can be found or taken as found; a family or a class is none.
    #[must_use]
    pub fn has_entity(&self, name: &str) -> bool {
        self.names.entities.index(name).is_some()
    }

    /// Every kind of data that can be found or taken as found, in no order.
    pub fn entities(&self) -> impl Iterator<Item = &str> {
        self.names.entities.names()
    }

    /// Whether something in it depends on who exactly asks, beyond groups, client and courses.
    #[must_use]
    pub fn names_principals(&self) -> bool {
        let asks = |rule: &Rule| rule.condition.as_ref().is_some_and(|it| it.mentions("principal"));
        self.names.principals.len() > 0 || self.rules.iter().any(asks)
    }

    /// What entries of `access.tools` ask of the arguments of this tool.
    pub(crate) fn argument_tests<'p>(&'p self, tool: &'p str) -> impl Iterator<Item = &'p ArgumentTest> {
        let list = self.tools.iter().flat_map(|tools| &tools.list);
        list.filter(|entry| !entry.conditions.is_empty() && entry.pattern.matches(tool))
            .flat_map(|entry| &entry.conditions)
    }

    pub(crate) fn is_access(&self, citation: CitationId) -> bool {
        citation == self.citations.access
    }

    /// Whether a citation has neither mode nor exceptions.
    pub(crate) fn is_unconditional(&self, citation: CitationId) -> bool {
        citation == self.citations.uninspectable
            || citation == self.citations.detector_failure
            || citation == self.citations.endpoints
    }

    /// Whether a clause's rule asks which tools an answer calls.
    pub(crate) fn asks_about_tools(&self, citation: CitationId) -> bool {
        let asks = |rule: &Rule| {
            let selectors = rule.when.iter().chain(&rule.unless);
            let condition = rule.condition.as_ref();
            selectors.into_iter().any(Selector::asks_about_tools) || condition.is_some_and(|it| it.mentions("tools"))
        };
        citation == self.citations.tools || self.rules.iter().any(|rule| rule.citation == citation && asks(rule))
    }

    /// Whether the policy says that clauses may stay without what they need on an endpoint (`data.unseen`).
    pub(crate) fn lets_be_unseen(&self, endpoint: &str, now: Timestamp) -> bool {
        self.unseen
            .iter()
            .any(|one| one.endpoint == endpoint && now < one.until)
    }

    /// The matrix, by data class, then app class.
    pub(crate) fn matrix_rows(&self) -> &[[Verdict; 4]] {
        &self.matrix
    }

    pub(crate) fn cell(&self, data: u8, app: AppClass) -> Verdict {
        let row = self.matrix.get(usize::from(data));
        row.and_then(|row| row.get(app as usize))
            .copied()
            .unwrap_or(Verdict::Block)
    }

    pub(crate) fn course_days(&self, course: &str) -> Option<u32> {
        self.courses
            .iter()
            .find(|(id, _)| id == course)
            .and_then(|&(_, days)| days)
    }
}
