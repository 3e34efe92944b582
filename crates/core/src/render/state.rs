//! Whether a clause acts now: computed from the rollout, from evidence and from what the gateway can do, never typed.
//!
//! Read [`State`] first.

use jiff::civil::Date;

use super::{Given, words};
use crate::policy::document::{Clause, Evidence, INHERIT_HIGHEST, Rule};
use crate::policy::node::Place;
use crate::policy::problem::Problem;
use crate::verdict::Mode;

/// The code of the check that says what the gateway cannot act on yet.
const AWAITS: &str = "awaits";

/// Whether a clause acts now, and what is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Which.
    pub kind: Kind,
    /// What a reader should know of it: a sentence without a full stop, or nothing.
    pub detail: String,
}

/// The states of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The gateway carries it out.
    RunsNow,
    /// The gateway tells people and records; it stops nothing.
    Coaches,
    /// The gateway records what it would have done.
    Observes,
    /// Evidence was shown, and the next is not due.
    EvidenceShown,
    /// No evidence was shown yet.
    EvidenceAwaited,
    /// Evidence was shown once, and the next is late.
    EvidenceOverdue,
    /// Nothing carries it out yet.
    NotYet,
}

impl Kind {
    /// Every kind, in the order of the key to a page.
    pub const ALL: [Self; 7] = [
        Self::RunsNow,
        Self::Coaches,
        Self::Observes,
        Self::EvidenceShown,
        Self::EvidenceAwaited,
        Self::EvidenceOverdue,
        Self::NotYet,
    ];

    /// What stands beside a clause.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::RunsNow => "runs now",
            Self::Coaches => "observes: tells, stops nothing",
            Self::Observes => "observes: records only",
            Self::EvidenceShown => "evidence shown",
            Self::EvidenceAwaited => "evidence awaited",
            Self::EvidenceOverdue => "evidence overdue",
            Self::NotYet => "not yet",
        }
    }

    /// What that means.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::RunsNow => "The gateway carries the clause out on every request and answer.",
            Self::Coaches => "Mode coach: the gateway tells people and records, but stops and masks nothing.",
            Self::Observes => "Mode observe: the gateway records what it would have done, and does nothing.",
            Self::EvidenceShown => "People hold this clause up. Evidence was shown, and the next is not due yet.",
            Self::EvidenceAwaited => "People hold this clause up. No evidence has been shown yet.",
            Self::EvidenceOverdue => "People hold this clause up. The evidence that was due has not been shown.",
            Self::NotYet => "Written and agreed, but nothing carries it out or can carry it out yet.",
        }
    }
}

/// The state of every clause, in document order.
pub(super) fn all<'g>(given: &Given<'g>) -> Vec<(&'g Clause, State)> {
    let clauses = &given.document.clauses;
    clauses.iter().map(|clause| (clause, of(given, clause))).collect()
}

fn of(given: &Given<'_>, clause: &Clause) -> State {
    if let Some(rule) = &clause.rule {
        of_rule(given, clause, rule)
    } else if let Some(path) = &clause.enforced_by {
        of_data(given, path.as_str())
    } else if let Some(evidence) = &clause.evidence {
        of_evidence(evidence, given.today)
    } else {
        State {
            kind: Kind::NotYet,
            detail: "nothing holds this clause up".to_owned(),
        }
    }
}

fn of_rule(given: &Given<'_>, clause: &Clause, rule: &Rule) -> State {
    let says = |place: Place| awaited(given, place);
    if let Some(message) = says(rule.then.place) {
        return State {
            kind: Kind::NotYet,
            detail: message,
        };
    }
    // Each map of `when` that only names what nothing finds can never match.
    let mut missing: Vec<String> = Vec::new();
    let mut whole = true;
    for selector in &rule.when {
        let data = selector.data.as_deref().unwrap_or_default();
        let findings = selector.finding.as_deref().unwrap_or_default();
        let mut able = data.is_empty() && findings.is_empty();
        for name in data.iter().chain(findings) {
            match says(name.place) {
                Some(message) => missing.push(message),
                None => able = true,
            }
        }
        whole &= !able;
    }
    if whole && !missing.is_empty() {
        return State {
            kind: Kind::NotYet,
            detail: together(&missing),
        };
    }
    State {
        kind: of_mode(mode(given, clause.id.as_str())),
        detail: in_part(&missing),
    }
}

/// Section data: what decides has a mode; what cannot be softened always runs; the rest waits for its part of the product.
fn of_data(given: &Given<'_>, path: &str) -> State {
    let document = given.document;
    let least = |paths: &[&str]| {
        let modes = paths.iter().map(|path| mode(given, path));
        of_mode(modes.min().unwrap_or(Mode::Enforce))
    };
    let matrix = || {
        let cells = document.data.matrix.iter().flat_map(|matrix| &matrix.rows);
        let cells = cells.flat_map(|row| row.cells.iter().map(|(_, verdict)| verdict.place));
        let own = document.apps.iter().flat_map(|app| &app.cells);
        cells.chain(own.map(|(_, verdict)| verdict.place)).collect::<Vec<_>>()
    };
    let found = || document.data.entities.iter().map(|(name, _)| name.place);
    let (kind, places): (Kind, Vec<Place>) = match path {
        "data.matrix" => (least(&[path]), matrix().into_iter().chain(found()).collect()),
        "data.answers" => {
            let cells = document.data.answers.iter().flat_map(|answers| &answers.value);
            (
                least(&[path]),
                cells.map(|(_, verdict)| verdict.place).chain(found()).collect(),
            )
        }
        "access.tools" => {
            let tools = document.access.tools.iter();
            let places = tools.flat_map(|tools| {
                let listed = tools.list.iter().flat_map(|tool| {
                    let then = tool.then.as_ref().map(|verdict| verdict.place);
                    then.into_iter()
                });
                listed.chain(tools.unlisted.as_ref().map(|verdict| verdict.place))
            });
            (least(&[path]), places.collect())
        }
        "education.gates" => {
            let gates = &document.education.gates;
            let ids: Vec<&str> = gates.iter().map(|gate| gate.id.as_str()).collect();
            (least(&ids), gates.iter().map(|gate| gate.then.place).collect())
        }
        "access" | "scope.groups" | "scope.uses" | "scope.outside" => (least(&[path]), Vec::new()),
        // A class acts through what reads it.
        "applications" => (least(&["access", "data.matrix"]), Vec::new()),
        // What is said of reuse waits; the label does not.
        "acceptable_use.outputs" if labels(given) => (
            Kind::RunsNow,
            document.outputs.iter().map(|outputs| outputs.place).collect(),
        ),
        "access.endpoints" | "scope.exclude" | "data.uninspectable" | "data.unavailable" => (Kind::RunsNow, Vec::new()),
        _ => {
            let detail = "the gateway does not act on this table yet; people do".to_owned();
            return State {
                kind: Kind::NotYet,
                detail,
            };
        }
    };
    let missing: Vec<String> = places.into_iter().filter_map(|place| awaited(given, place)).collect();
    State {
        kind,
        detail: in_part(&missing),
    }
}

/// Whether answers carry the label of their input.
fn labels(given: &Given<'_>) -> bool {
    let outputs = given.document.outputs.iter();
    let mut inherited = outputs.filter_map(|outputs| outputs.inherit.as_ref());
    inherited.any(|inherit| inherit.value == INHERIT_HIGHEST)
}

fn of_evidence(evidence: &Evidence, today: Date) -> State {
    let every = evidence.every.as_ref().map(|every| every.value);
    let last = evidence.last.as_ref().map(|last| last.value);
    let by = evidence.by.as_ref().map_or_else(String::new, |by| match by.as_str() {
        "owner" => ", by the owner".to_owned(),
        role => format!(", by {role}"),
    });
    let rhythm = every.map_or_else(|| "once".to_owned(), |every| format!("every {}", words::days(every)));
    let Some(last) = last else {
        return State {
            kind: Kind::EvidenceAwaited,
            detail: format!("due {rhythm}{by}; none shown yet"),
        };
    };
    let due = every.and_then(|every| last.checked_add(jiff::Span::new().days(i64::from(every))).ok());
    match due {
        Some(due) if today > due => State {
            kind: Kind::EvidenceOverdue,
            detail: format!("was due on {due}{by}; last shown on {last}"),
        },
        Some(due) => State {
            kind: Kind::EvidenceShown,
            detail: format!("last shown on {last}; next due on {due}{by}"),
        },
        None => State {
            kind: Kind::EvidenceShown,
            detail: format!("shown on {last}{by}"),
        },
    }
}

const fn of_mode(mode: Mode) -> Kind {
    match mode {
        Mode::Observe => Kind::Observes,
        Mode::Coach => Kind::Coaches,
        Mode::Enforce => Kind::RunsNow,
    }
}

/// How a citation acts now.
pub(super) fn mode(given: &Given<'_>, id: &str) -> Mode {
    let mut citations = given.policy.citations();
    citations
        .find(|citation| citation.id == id)
        .map_or(Mode::Enforce, |citation| citation.mode)
}

/// What `check` says that the gateway cannot do yet at a place.
fn awaited(given: &Given<'_>, place: Place) -> Option<String> {
    let mut problems = given.problems.iter();
    let at = |problem: &&Problem| problem.code == AWAITS && problem.place == place;
    problems.find(at).map(|problem| problem.message.replace('`', ""))
}

fn in_part(missing: &[String]) -> String {
    if missing.is_empty() {
        String::new()
    } else {
        format!("in part: {}", together(missing))
    }
}

/// What awaits, each thing once; what nothing finds is one list.
fn together(missing: &[String]) -> String {
    let (mut unfound, mut others): (Vec<String>, Vec<&str>) = (Vec::new(), Vec::new());
    for message in missing {
        let name = message
            .strip_prefix("nothing finds ")
            .and_then(|rest| rest.split_once(" yet"));
        match name {
            Some((name, _)) if !unfound.iter().any(|known| known == name) => unfound.push(name.to_owned()),
            None if !others.contains(&message.as_str()) => others.push(message),
            _ => {}
        }
    }
    let unfound = (!unfound.is_empty()).then(|| {
        let list = words::list(&unfound, "and");
        format!("nothing finds {list} yet, so what depends on that does nothing")
    });
    let mut parts: Vec<&str> = unfound.as_deref().into_iter().collect();
    parts.append(&mut others);
    parts.join("; ")
}
