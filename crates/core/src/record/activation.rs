//! The record of a version of the policy that comes into force: what its clauses cannot do on which routes, and which routes
//! are closed for it. In closed words and the policy's own ids; nobody is named in it.

use serde::Serialize;

use super::{Header, OfPolicy, VERSION};
use crate::assurance::{Assurance, Gap, Group, Missing};
use crate::inspect::Rules;
use crate::wire::endpoints::Endpoint;

/// A version that comes into force, ready to be written. Members are in the order of their names, as in [`super::Record`].
#[derive(Debug, Serialize)]
pub struct Activation<'r> {
    at: i64,
    detectors: &'r std::collections::BTreeMap<String, u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<Lack<'r>>,
    id: &'r str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Unstated<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    opened: Vec<Route<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    passed: Vec<String>,
    policy: OfPolicy<'r>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Route<'r>>,
    subject: &'r str,
    v: u32,
}

/// Gaps that differ in their wires alone.
#[derive(Debug, Serialize)]
struct Lack<'r> {
    clauses: &'r [String],
    direction: &'static str,
    field: &'static str,
    form: &'static str,
    kind: &'static str,
    wires: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Unstated<'r> {
    clauses: &'r [String],
    id: &'r str,
    what: &'static str,
}

/// An endpoint on which clauses can never act.
#[derive(Debug, Serialize)]
struct Route<'r> {
    clauses: &'r [String],
    endpoint: String,
    field: &'static str,
    kind: &'static str,
}

/// What becomes of the endpoints on which clauses can never act, or that nobody reads, at a moment.
#[derive(Debug, Clone)]
pub struct Standing<'r> {
    /// Those that are refused.
    pub refused: Vec<(&'static Endpoint, &'r Gap)>,
    /// Those that the policy keeps open.
    pub opened: Vec<(&'static Endpoint, &'r Gap)>,
    /// Those that the policy lets somebody use unread.
    pub passed: Vec<&'static Endpoint>,
}

/// The record of a version that comes into force.
#[must_use]
pub fn activation<'r>(
    header: &Header<'r>,
    rules: &'r Rules,
    assurance: &'r Assurance,
    groups: &'r [Group<'r>],
    standing: &Standing<'r>,
) -> Activation<'r> {
    let route = |(endpoint, gap): &(&'static Endpoint, &'r Gap)| Route {
        clauses: &gap.refusing,
        endpoint: endpoint.name(),
        field: gap.field.as_str(),
        kind: gap.kind.as_str(),
    };
    let lack = |group: &'r Group<'r>| Lack {
        clauses: group.clauses,
        direction: group.direction.as_str(),
        field: group.field.as_str(),
        form: group.form.as_str(),
        kind: group.kind.as_str(),
        wires: group.wires.clone(),
    };
    let unstated = |missing: &'r Missing| Unstated {
        clauses: &missing.clauses,
        id: &missing.id,
        what: missing.what.as_str(),
    };
    Activation {
        at: header.at_ms,
        detectors: &rules.detectors,
        gaps: groups.iter().map(lack).collect(),
        id: header.id,
        kind: KIND,
        missing: assurance.missing.iter().map(unstated).collect(),
        opened: standing.opened.iter().map(route).collect(),
        passed: standing.passed.iter().map(|endpoint| endpoint.name()).collect(),
        policy: OfPolicy {
            digest: &rules.digest,
            version: &rules.policy.version,
        },
        refused: standing.refused.iter().map(route).collect(),
        subject: header.subject,
        v: VERSION,
    }
}

/// The kind of such a record.
pub(super) const KIND: &str = "activation";
