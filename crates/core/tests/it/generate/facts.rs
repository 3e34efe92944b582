//! Random facts about a half of an exchange, aimed at a policy.

use super::{
    APPS, ATTRIBUTES, CATEGORIES, CLIENTS, ENDPOINTS, ENTITIES, FAMILY_NAMES, FINDINGS, GROUPS, MODELS, PRINCIPALS,
    Rng, SOURCES, TOOLS, USES, args, keys,
};
use crate::naive::model::{Direction, Escalation, Facts, Found, Policy, Source};
use jiff::civil::{Date, DateTime, Time, date, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use std::collections::{BTreeMap, BTreeSet};

/// Facts that are consistent in themselves: what is fixed is found there, and what is found has a part to be in.
pub(crate) fn facts(rng: &mut Rng, policy: &Policy) -> Facts {
    let direction = if rng.percent(65) {
        Direction::Prompt
    } else {
        Direction::Answer
    };
    let local = moment(rng, policy);
    let sources = match direction {
        Direction::Prompt => sources(
            rng,
            Source::User,
            &[Source::System, Source::Tool, Source::Retrieved, Source::Model],
        ),
        Direction::Answer => sources(rng, Source::Model, &[Source::Tool, Source::Retrieved]),
    };
    let listed: Vec<&str> = policy.apps.iter().map(|app| app.id.as_str()).collect();
    Facts {
        now: instant(policy, local),
        direction,
        principal: rng.pick(&PRINCIPALS).to_owned(),
        groups: groups(rng, policy),
        client: rng.maybe(60, |rng| rng.pick(&CLIENTS).to_owned()),
        app: if rng.percent(85) {
            rng.pick(&listed)
        } else {
            rng.pick(&APPS)
        }
        .to_owned(),
        attributes: attributes(rng),
        categories: rng.names(&CATEGORIES, 0, 2).into_iter().collect(),
        model: rng.maybe(90, |rng| rng.pick(&MODELS).to_owned()),
        uses: declared_use(rng, policy),
        tools: match direction {
            Direction::Prompt => Vec::new(),
            Direction::Answer => rng
                .names(&TOOLS, 0, 2)
                .into_iter()
                .map(|tool| args::call(rng, tool))
                .collect(),
        },
        training: training(rng, policy, local.date()),
        since: since(rng, policy, local.date()),
        signed_in: signed_in(rng, instant(policy, local)),
        entities: entities(rng, policy, &sources),
        findings: findings(rng, &sources),
        sources,
        uninspectable: rng.percent(4),
        endpoint: endpoint(rng, policy),
        failed: rng.percent(4),
    }
}

/// A local time, often at an edge: around midnight or an hour that a selector names, next to a date that is named.
fn moment(rng: &mut Rng, policy: &Policy) -> DateTime {
    let mut dates: Vec<Date> = policy.scope.exclude.iter().map(|(_, until)| *until).collect();
    dates.extend(policy.apps.iter().filter_map(|app| Some(app.expires?.0)));
    dates.extend(policy.exceptions.iter().map(|it| it.expires));
    dates.extend(policy.passes.iter().filter_map(|pass| pass.until));
    let mut minutes = Vec::new();
    for period in keys::selectors(policy).into_iter().filter_map(|map| map.time.as_ref()) {
        dates.extend(period.from);
        dates.extend(period.until);
        minutes.extend(period.hours.map(|(start, _)| start));
        minutes.extend(period.hours.map(|(_, end)| end));
    }
    let day = if !dates.is_empty() && rng.percent(50) {
        rng.pick(&dates) + rng.pick(&[-1, 0, 0, 1]).days()
    } else if rng.percent(70) {
        // Early, while exceptions and apps have not expired.
        date(2026, 12, 1) + rng.pick(&[0, 3, 8, 14, 20, 27]).days()
    } else {
        rng.day()
    };
    let minute = match rng.below(10) {
        0..4 if !minutes.is_empty() => rng.pick(&minutes) - rng.pick(&[0, 0, 1]),
        4 => 0,
        5 => 24 * 60 - 1,
        _ => i32::try_from(rng.below(24 * 60)).expect("small"),
    };
    let second = i8::try_from(rng.pick(&[0, 59])).expect("small");
    let minute = i8::try_from(minute.rem_euclid(60))
        .ok()
        .zip(i8::try_from(minute.rem_euclid(1440) / 60).ok());
    let at: Time = minute.map_or(Time::MIN, |(minute, hour)| time(hour, minute, second, 0));
    day.to_datetime(at)
}

fn instant(policy: &Policy, local: DateTime) -> Timestamp {
    let zone = TimeZone::get(&policy.timezone).expect("the zones are real");
    local.to_zoned(zone).expect("far from the ends of time").timestamp()
}

fn sources(rng: &mut Rng, main: Source, others: &[Source]) -> BTreeSet<Source> {
    let mut sources = BTreeSet::new();
    if rng.percent(92) {
        sources.insert(main);
    }
    sources.extend(rng.some(others, 0, 2));
    if sources.is_empty() {
        sources.insert(main);
    }
    sources
}

fn groups(rng: &mut Rng, policy: &Policy) -> BTreeSet<String> {
    match rng.below(20) {
        0 => BTreeSet::new(),
        1 => BTreeSet::from(["strangers".to_owned()]),
        2 => rng.names(&GROUPS, 0, 3).into_iter().collect(),
        _ => rng.some(&policy.scope.groups, 1, 2).into_iter().collect(),
    }
}

/// Nobody reads it: mostly one that the policy has a line about.
fn endpoint(rng: &mut Rng, policy: &Policy) -> Option<String> {
    let named: Vec<String> = policy.passes.iter().flat_map(|pass| pass.endpoints.clone()).collect();
    match rng.below(40) {
        0 => Some(rng.pick(&ENDPOINTS).to_owned()),
        1..6 if !named.is_empty() => Some(rng.pick(&named)),
        _ => None,
    }
}

/// Mostly as a `require` would have them.
fn attributes(rng: &mut Rng) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    for (key, right, wrong) in ATTRIBUTES {
        match rng.below(10) {
            0 => {}
            1 => drop(attributes.insert(key.to_owned(), wrong.to_owned())),
            _ => drop(attributes.insert(key.to_owned(), right.to_owned())),
        }
    }
    attributes
}

fn declared_use(rng: &mut Rng, policy: &Policy) -> Option<String> {
    match rng.below(10) {
        0..4 => None,
        4..9 if !policy.scope.uses.is_empty() => Some(rng.pick(&policy.scope.uses).id),
        9 => Some(rng.pick(&USES).to_owned()),
        _ => None,
    }
}

/// Completed courses: long ago, lately, or on the last day that counts and next to it.
fn training(rng: &mut Rng, policy: &Policy, today: Date) -> BTreeMap<String, Date> {
    let mut training = BTreeMap::new();
    for (course, valid) in &policy.courses {
        let edge = valid + rng.pick(&[-1, 0, 1]);
        let ago = rng.pick(&[1, 10, edge, 400]);
        if rng.percent(75) {
            training.insert(course.clone(), today - ago.days());
        }
    }
    training
}

/// A sign-in: none, now, in the future, or around a limit.
fn signed_in(rng: &mut Rng, now: Timestamp) -> Option<Timestamp> {
    let minutes = rng.pick(&super::selectors::SIGN_INS);
    let seconds = rng.pick(&[-1, 0, 0, 1, 60]);
    match rng.below(4) {
        0 => None,
        1 => Some(now - rng.pick(&[0, 30, -30]).seconds()),
        _ => Some(now - minutes.minutes() - i64::from(seconds).seconds()),
    }
}

fn since(rng: &mut Rng, policy: &Policy, today: Date) -> Option<Date> {
    let grace = policy.gates.first().map_or(30, |gate| gate.grace);
    let edge = grace + rng.pick(&[-1, 0, 1]);
    let ago = rng.pick(&[0, edge, 300, 300]);
    rng.maybe(70, |_| today - ago.days())
}

fn entities(rng: &mut Rng, policy: &Policy, sources: &BTreeSet<Source>) -> BTreeMap<String, Found> {
    let named: Vec<&str> = ENTITIES
        .into_iter()
        .filter(|it| policy.data.entities.contains_key(*it))
        .collect();
    let (most_of_all, most_of_named) = (rng.pick(&[0, 0, 1, 2]), rng.pick(&[0, 1, 2, 3]));
    let mut chosen = rng.some(&ENTITIES, 0, most_of_all);
    chosen.extend(rng.some(&named, 0, most_of_named));
    // Sometimes exactly what escalates.
    for escalation in &policy.data.escalate {
        let names: Vec<&str> = match escalation {
            Escalation::AtLeast { entity, .. } => vec![entity],
            Escalation::All { all, .. } => all.iter().map(String::as_str).collect(),
        };
        if rng.percent(25) {
            // Twice: of a family it may be two that are found.
            chosen.extend(names.repeat(2).into_iter().map(|name| an_entity(rng, name)));
        }
    }
    let sources: Vec<Source> = SOURCES.into_iter().filter(|source| sources.contains(source)).collect();
    let mut entities = BTreeMap::new();
    for entity in chosen {
        let places: BTreeSet<Source> = rng.some(&sources, 1, sources.len()).into_iter().collect();
        let fixed = places.iter().copied().filter(|_| rng.percent(6)).collect();
        let found = Found {
            distinct: rng.pick(&[1, 1, 1, 2, 3, 4, 5, 19, 20]),
            sources: places,
            fixed,
        };
        entities.insert(entity.to_owned(), found);
    }
    entities
}

/// The entity itself, or one of the family.
fn an_entity(rng: &mut Rng, name: &str) -> &'static str {
    let of_family: &[&'static str] = match FAMILY_NAMES.iter().position(|family| *family == name) {
        Some(0) => &["private-key", "ai-provider-key", "aws-key"],
        Some(1) => &["payment-card", "iban"],
        Some(2) => &["email-address"],
        Some(_) => &["us-ssn"],
        None => return ENTITIES.into_iter().find(|it| *it == name).unwrap_or(ENTITIES[0]),
    };
    rng.pick(of_family)
}

fn findings(rng: &mut Rng, sources: &BTreeSet<Source>) -> BTreeMap<String, BTreeSet<Source>> {
    let sources: Vec<Source> = sources.iter().copied().collect();
    let count = if rng.percent(35) { 2 } else { 0 };
    let ids = rng.names(&FINDINGS, 0, count);
    ids.into_iter()
        .map(|id| (id, rng.some(&sources, 1, 2).into_iter().collect()))
        .collect()
}
