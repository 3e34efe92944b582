//! Everything that a request can differ in, as far as some policies look at it.
//!
//! A policy asks finitely many things about a request: whether a group is among the principal's, which of its patterns the
//! model matches, whether a date has passed. So a request comes down to a choice of finitely many values, and each value
//! here stands for all that no policy at hand tells apart from it. What follows from the choice is in [`super::encode`],
//! how a choice becomes a request again in [`super::request`]. Read [`Space`] first.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::circuit::{Circuit, Lit};
use super::shapes::representatives;
use super::{calls, interest, moments};
use crate::catalog::Catalog;
use crate::detect::entities;
use crate::exchange::ToolCall;
use crate::policy::compile::Policy;
use crate::verdict::Source;

/// One value out of several, each with the literal that says so.
#[derive(Debug)]
pub(crate) struct Choice<T> {
    pub(crate) options: Vec<(T, Lit)>,
}

impl<T> Choice<T> {
    fn new(circuit: &mut Circuit, values: impl IntoIterator<Item = T>) -> Self {
        let options: Vec<(T, Lit)> = values.into_iter().map(|value| (value, circuit.variable())).collect();
        let lits: Vec<Lit> = options.iter().map(|&(_, lit)| lit).collect();
        circuit.exactly_one(&lits);
        Self { options }
    }

    /// That the value is one for which `test` holds.
    pub(crate) fn when(&self, circuit: &mut Circuit, test: impl Fn(&T) -> bool) -> Lit {
        let lits: Vec<Lit> = self
            .options
            .iter()
            .filter(|(value, _)| test(value))
            .map(|&(_, lit)| lit)
            .collect();
        if lits.len() == self.options.len() {
            return super::circuit::TRUE;
        }
        circuit.or(lits)
    }
}

/// An app as a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) categories: Vec<String>,
}

/// An entity that can be found, and what can be so of it.
#[derive(Debug)]
pub(crate) struct Entity {
    pub(crate) id: String,
    /// How many distinct values; none is 0.
    pub(crate) distinct: Choice<u32>,
    pub(crate) found: Lit,
    /// By index in [`Space::sources`].
    pub(crate) sources: Vec<Lit>,
    /// Whether it stands where nothing can be edited, by index in [`Space::sources`].
    pub(crate) fixed: Vec<Lit>,
}

/// The choices that make up a request.
#[derive(Debug)]
pub(crate) struct Space {
    pub(crate) circuit: Circuit,
    /// The zone in which days are counted: that of the first policy.
    pub(crate) zone: TimeZone,
    /// An answer; else a prompt.
    pub(crate) answer: Lit,
    pub(crate) claims: Vec<(String, Lit)>,
    /// The empty name is somebody whom no policy names.
    pub(crate) principal: Choice<String>,
    pub(crate) client: Choice<Option<String>>,
    pub(crate) use_: Choice<Option<String>>,
    pub(crate) app: Choice<App>,
    pub(crate) attributes: Vec<((String, String), Lit)>,
    pub(crate) model: Choice<Option<String>>,
    pub(crate) calls: Vec<(ToolCall, Lit)>,
    pub(crate) moment: Choice<Timestamp>,
    /// Days since a course was completed.
    pub(crate) courses: Vec<(String, Choice<Option<u32>>)>,
    /// Days since the principal became known.
    pub(crate) known: Choice<Option<u32>>,
    /// Minutes since the principal signed in.
    pub(crate) signed_in: Choice<Option<u32>>,
    pub(crate) entities: Vec<Entity>,
    pub(crate) sources: Vec<(Source, Lit)>,
    /// With the sources that each is about, by index in `sources`.
    pub(crate) findings: Vec<(String, Vec<Lit>)>,
    pub(crate) uninspectable: Lit,
    /// The endpoint, where nobody reads its bodies.
    pub(crate) endpoint: Choice<Option<String>>,
    pub(crate) failed: Lit,
    /// Conditions in CEL: nothing is known of when they hold.
    pub(crate) conditions: Vec<(String, Lit)>,
}

/// A use that no policy lists.
const OTHER_USE: &str = "something-else";
/// An app that no catalogue knows.
const OTHER_APP: &str = "some-other-app";
/// Apps that stand for those that no policy names, if one of them does.
const WELL_KNOWN: [&str; 4] = ["chatgpt", "gemini", "claude", "ms-copilot"];

impl Space {
    /// The space in which `policies` can differ, around a moment.
    pub(crate) fn new(policies: &[&Policy], catalog: &Catalog, now: Timestamp) -> Self {
        let interest = interest::of(policies);
        let mut circuit = Circuit::new();
        let sources = sources(&interest.sources)
            .into_iter()
            .map(|source| (source, circuit.variable()))
            .collect::<Vec<_>>();
        let present: Vec<Lit> = sources.iter().map(|&(_, lit)| lit).collect();
        circuit.require(&present);
        let none_or = |names: &BTreeSet<String>| {
            std::iter::once(None)
                .chain(names.iter().cloned().map(Some))
                .collect::<Vec<_>>()
        };
        let uses = none_or(&interest.uses)
            .into_iter()
            .chain([Some(unlike(OTHER_USE, &interest.uses))]);
        let models = std::iter::once(None).chain(representatives(&interest.models).into_iter().map(Some));
        let courses = interest
            .courses
            .iter()
            .map(|(course, days)| (course.clone(), ages(days)));
        let mut space = Self {
            zone: policies.first().map_or(TimeZone::UTC, |policy| policy.zone.clone()),
            answer: circuit.variable(),
            claims: interest
                .claims
                .iter()
                .map(|claim| (claim.clone(), circuit.variable()))
                .collect(),
            principal: Choice::new(
                &mut circuit,
                std::iter::once(String::new()).chain(interest.principals.iter().cloned()),
            ),
            client: Choice::new(&mut circuit, none_or(&interest.clients)),
            use_: Choice::new(&mut circuit, uses),
            app: Choice::new(&mut circuit, apps(&interest, catalog)),
            attributes: interest
                .attributes
                .iter()
                .map(|pair| (pair.clone(), circuit.variable()))
                .collect(),
            model: Choice::new(&mut circuit, models),
            calls: calls::calls(policies, &interest.tools)
                .into_iter()
                .map(|call| (call, circuit.variable()))
                .collect(),
            moment: Choice::new(&mut circuit, moments::moments(policies, now)),
            courses: courses
                .map(|(course, ages)| (course, Choice::new(&mut circuit, ages)))
                .collect(),
            known: Choice::new(&mut circuit, ages(&interest.graces)),
            signed_in: Choice::new(&mut circuit, ages(&interest.sign_ins)),
            entities: Vec::new(),
            findings: interest
                .findings
                .iter()
                .map(|id| (id.clone(), parts_of(&mut circuit, &present)))
                .collect(),
            uninspectable: circuit.variable(),
            endpoint: Choice::new(&mut circuit, none_or(&interest.endpoints)),
            failed: circuit.variable(),
            conditions: interest
                .conditions
                .iter()
                .map(|source| (source.clone(), circuit.variable()))
                .collect(),
            sources,
            circuit,
        };
        space.one_value_for_each_attribute();
        // Tools are called by answers.
        for (_, called) in space.calls.clone() {
            space.circuit.require(&[!called, space.answer]);
        }
        for (id, counts) in interest::entities(policies) {
            let entity = entity(&mut space.circuit, id, &counts, &present);
            space.entities.push(entity);
        }
        space
    }

    /// Whether nothing was found.
    pub(crate) fn nothing_found(&mut self) -> Lit {
        let found: Vec<Lit> = self.entities.iter().map(|entity| entity.found).collect();
        !self.circuit.or(found)
    }

    fn one_value_for_each_attribute(&mut self) {
        let mut by_key: BTreeMap<&str, Vec<Lit>> = BTreeMap::new();
        for ((key, _), lit) in &self.attributes {
            by_key.entry(key).or_default().push(*lit);
        }
        for lits in by_key.into_values() {
            self.circuit.at_most_one(&lits);
        }
    }
}

/// The sources that somebody asks about, and one that stands for the others.
fn sources(asked: &BTreeSet<Source>) -> Vec<Source> {
    let other = Source::ALL.iter().find(|source| !asked.contains(source));
    Source::ALL
        .iter()
        .copied()
        .filter(|source| asked.contains(source) || Some(source) == other)
        .collect()
}

fn entity(circuit: &mut Circuit, id: String, counts: &BTreeSet<u32>, present: &[Lit]) -> Entity {
    let distinct = Choice::new(circuit, std::iter::once(0).chain(counts.iter().copied()));
    let found = distinct.when(circuit, |&count| count > 0);
    let sources = parts_of(circuit, present);
    for &source in &sources {
        circuit.require(&[!source, found]);
    }
    let mut somewhere = sources.clone();
    somewhere.push(!found);
    circuit.require(&somewhere);
    let fixed = parts_of(circuit, &sources);
    Entity {
        id,
        distinct,
        found,
        sources,
        fixed,
    }
}

/// A variable for each of `wholes`, which it implies.
fn parts_of(circuit: &mut Circuit, wholes: &[Lit]) -> Vec<Lit> {
    let mut part = |&whole: &Lit| {
        let part = circuit.variable();
        circuit.require(&[!part, whole]);
        part
    };
    wholes.iter().map(&mut part).collect()
}

/// Never, now, and the days or minutes on either side of each limit.
fn ages(limits: &BTreeSet<u32>) -> Vec<Option<u32>> {
    let days: BTreeSet<u32> = limits
        .iter()
        .flat_map(|&days| [days, days.saturating_add(1)])
        .chain([0])
        .collect();
    std::iter::once(None).chain(days.into_iter().map(Some)).collect()
}

/// The apps that policies name, and one for each set of categories that they tell apart.
fn apps(interest: &interest::Interest, catalog: &Catalog) -> Vec<App> {
    let app = |id: &str| App {
        id: id.to_owned(),
        categories: catalog.categories(id),
    };
    let mut apps: Vec<App> = interest.apps.iter().map(|id| app(id)).collect();
    let tested = |app: &App| -> Vec<String> {
        app.categories
            .iter()
            .filter(|category| interest.categories.contains(*category))
            .cloned()
            .collect()
    };
    let mut others: Vec<App> = catalog
        .apps()
        .map(|row| app(row.id))
        .filter(|app| !interest.apps.contains(&app.id))
        .collect();
    others.sort_by_key(|app| {
        WELL_KNOWN
            .iter()
            .position(|id| *id == app.id)
            .unwrap_or(WELL_KNOWN.len())
    });
    others.push(app(&unlike(OTHER_APP, &interest.apps)));
    let mut seen: BTreeSet<Vec<String>> = BTreeSet::new();
    apps.extend(others.into_iter().filter(|app| seen.insert(tested(app))));
    apps
}

/// A name like `name` that is none of `taken`.
fn unlike(name: &str, taken: &BTreeSet<String>) -> String {
    let mut name = name.to_owned();
    while taken.contains(&name) {
        name.push_str("-2");
    }
    name
}

/// Detected entities make the better example.
pub(super) fn detected_first(id: &str) -> (bool, String) {
    (
        !entities::entity(id).is_some_and(|entity| entity.detected),
        id.to_owned(),
    )
}
