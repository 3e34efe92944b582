//! Assurance: what a policy needs, held against what each route lets the gateway see and do.
//!
//! A clause that cannot act on some route looks like one that had nothing to say there. So the difference is computed when a
//! policy is loaded, for every wire, direction, form of answer and field ([`Assurance::of`]), to be printed and recorded; and
//! what a clause under enforcement can never see closes the route, unless the policy says otherwise
//! ([`Assurance::refuses`]). What the words mean is `docs/reference/assurance.md`. Left out here: what is found in a body
//! (that is `inspect`'s), and how records and pages look. Read [`Gap`] first.

mod gaps;
mod needs;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;

use crate::detect::scanner::Scanner;
use crate::policy::compile::Policy;
use crate::verdict::{Direction, words};
use crate::wire::endpoints::{self, Endpoint, Handling};
use crate::wire::sight::Field;
use crate::wire::{Dialect, Wire};

words! {
    /// In which form the half comes.
    Form {
        /// A request, or an answer in every form that it comes in.
        Any = "any",
        /// An answer in one piece.
        Whole = "whole",
        /// An answer that streams.
        Streamed = "streamed",
    }
}

words! {
    /// What a clause cannot do with a field.
    Kind {
        /// Every answer consists of what nobody can read, and the policy stops what nobody can read: the route is refused.
        Unanswerable = "unanswerable",
        /// The clause asks for text of certain authors, whom this route never tells apart: it can never act there.
        Undivided = "undivided",
        /// The same for some of the authors that it asks for.
        PartlyUndivided = "partly-undivided",
        /// Nobody can read it, and `data.uninspectable` lets it pass: the clause does not act on it.
        Unread = "unread",
        /// Nobody can read it, and `data.uninspectable` stops the half in which it occurs.
        Stopped = "stopped",
        /// It is read and cannot be edited: what was to be masked there stops the half.
        StopsInsteadOfMasks = "stops-instead-of-masks",
        /// The clause speaks when something has happened already: a call that the provider made, text that has gone out.
        Late = "late",
        /// Tokens that stand for masked values stay tokens there.
        NotRestored = "not-restored",
        /// The label says nothing of the answer's own text.
        InputOnly = "input-only",
    }
}

/// What some clauses cannot do with a field of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The wire of the route.
    pub wire: &'static str,
    /// Which half.
    pub direction: Direction,
    /// In which form it comes.
    pub form: Form,
    /// Which field of it.
    pub field: Field,
    /// What is amiss.
    pub kind: Kind,
    /// Whose say it concerns: citations, and section data by its path.
    pub clauses: Vec<String>,
    /// Those of them for which the route is refused.
    pub refusing: Vec<String>,
}

impl Gap {
    /// Whether the route is refused for it, unless the policy says otherwise.
    #[must_use]
    pub fn refuses(&self) -> bool {
        !self.refusing.is_empty()
    }

    /// Whether `data.unseen` may say otherwise.
    #[must_use]
    pub const fn may_be_allowed(&self) -> bool {
        // What is stopped anyway would be stopped behind the upstream.
        !matches!(self.kind, Kind::Unanswerable)
    }
}

/// Gaps that differ in their wires alone, to be shown and recorded together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of a gap")]
pub struct Group<'g> {
    pub direction: Direction,
    pub form: Form,
    pub field: Field,
    pub kind: Kind,
    pub clauses: &'g [String],
    /// The wires, in the order of [`crate::wire::all`].
    pub wires: Vec<&'static str>,
}

/// What a policy asks for and nobody states, on any route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What nobody states.
    pub what: Unstated,
    /// Which entity or finding.
    pub id: String,
    /// Whose say depends on it.
    pub clauses: Vec<String>,
}

words! {
    /// What no detector states.
    Unstated {
        /// An entity that none finds.
        Entity = "entity",
        /// A finding that none makes.
        Finding = "finding",
    }
}

/// What a policy cannot do on the routes of a gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assurance {
    /// Route by route.
    pub gaps: Vec<Gap>,
    /// On every route.
    pub missing: Vec<Missing>,
}

impl Assurance {
    /// Holds a policy against the wires of these dialects, and against the detectors that look.
    #[must_use]
    pub fn of(policy: &Policy, scanner: &Scanner, dialects: &[Dialect]) -> Self {
        let needs::Needs { needs, missing } = needs::of(policy, scanner);
        let gaps = wires(dialects)
            .into_iter()
            .flat_map(|wire| gaps::of(policy, &needs, wire));
        Self {
            gaps: gaps.collect(),
            missing,
        }
    }

    /// Why an endpoint that this wire reads is refused at a moment.
    #[must_use]
    pub fn refuses(&self, policy: &Policy, wire: &str, endpoint: &Endpoint, now: Timestamp) -> Option<&Gap> {
        let mut gaps = self.gaps.iter().filter(|gap| gap.wire == wire && gap.refuses());
        gaps.find(|gap| !(gap.may_be_allowed() && policy.lets_be_unseen(&endpoint.name(), now)))
    }

    /// What of it may close a route.
    #[must_use]
    pub fn closing(&self) -> Self {
        Self {
            gaps: self.gaps.iter().filter(|gap| gap.refuses()).cloned().collect(),
            missing: Vec::new(),
        }
    }

    /// The endpoints of these dialects that are refused at a moment, each with why.
    #[must_use]
    pub fn refused(&self, policy: &Policy, dialects: &[Dialect], now: Timestamp) -> Vec<(&'static Endpoint, &Gap)> {
        routes(dialects)
            .filter_map(|(endpoint, wire)| Some((endpoint, self.refuses(policy, wire.id(), endpoint, now)?)))
            .collect()
    }

    /// The endpoints of these dialects that would be refused at a moment, were it not for `data.unseen`, each with why.
    #[must_use]
    pub fn opened(&self, policy: &Policy, dialects: &[Dialect], now: Timestamp) -> Vec<(&'static Endpoint, &Gap)> {
        let opened = |(endpoint, wire): (&'static Endpoint, &'static dyn Wire)| {
            let closing = |gap: &&Gap| gap.wire == wire.id() && gap.refuses() && gap.may_be_allowed();
            let gap = self.gaps.iter().find(closing)?;
            self.refuses(policy, wire.id(), endpoint, now)
                .is_none()
                .then_some((endpoint, gap))
        };
        routes(dialects).filter_map(opened).collect()
    }

    /// The gaps by what is amiss, the graver kinds first.
    #[must_use]
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for gap in &self.gaps {
            let known = groups.iter_mut().find(|group| {
                (group.direction, group.form, group.field, group.kind) == (gap.direction, gap.form, gap.field, gap.kind)
                    && group.clauses == gap.clauses
            });
            match known {
                Some(group) => group.wires.push(gap.wire),
                None => groups.push(Group {
                    direction: gap.direction,
                    form: gap.form,
                    field: gap.field,
                    kind: gap.kind,
                    clauses: &gap.clauses,
                    wires: vec![gap.wire],
                }),
            }
        }
        groups.sort_by_key(|group| (group.kind, group.direction, group.field, group.form));
        groups
    }

    /// Whether nothing is amiss.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty() && self.missing.is_empty()
    }
}

/// The endpoints of dialects that somebody may use unread at a moment, by a line of `access.endpoints`: no clause about content
/// acts there.
#[must_use]
pub fn passed(policy: &Policy, dialects: &[Dialect], now: Timestamp) -> Vec<&'static Endpoint> {
    let of_dialects = endpoints::table()
        .iter()
        .filter(|endpoint| dialects.contains(&endpoint.dialect));
    of_dialects.filter(|endpoint| policy.lets_pass(endpoint, now)).collect()
}

/// The endpoints of dialects whose bodies are read.
pub fn routes(dialects: &[Dialect]) -> impl Iterator<Item = (&'static Endpoint, &'static dyn Wire)> {
    let inspected = |endpoint: &'static Endpoint| match endpoint.handling {
        Handling::Inspected(wire) => Some((endpoint, wire)),
        Handling::Models | Handling::Passable | Handling::Refused(_) => None,
    };
    let of_dialects = |endpoint: &&Endpoint| dialects.contains(&endpoint.dialect);
    endpoints::table().iter().filter(of_dialects).filter_map(inspected)
}

/// The wires of these routes, each once.
fn wires(dialects: &[Dialect]) -> Vec<&'static dyn Wire> {
    let spoken: BTreeSet<&str> = routes(dialects).map(|(_, wire)| wire.id()).collect();
    crate::wire::all()
        .into_iter()
        .filter(|wire| spoken.contains(wire.id()))
        .collect()
}
