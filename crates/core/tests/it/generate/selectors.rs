//! Random selectors, from what a policy names.

use super::{
    APP_CLASSES, CATEGORIES, CLIENTS, ENTITIES, FAMILY_NAMES, FINDINGS, MODEL_PATTERNS, PRINCIPALS, Rng, SOURCES,
    TOOL_PATTERNS,
};
use crate::naive::model::{AppSelector, DAYS, Direction, Period, Policy, Selector};
use std::collections::BTreeSet;

/// Minutes for which a sign-in counts.
pub(super) const SIGN_INS: [i64; 3] = [15, 60, 1440];

/// Whether text to which this name in `data` applies always has something to mask.
pub(super) fn has_span(policy: &Policy, name: &str) -> bool {
    let rank = |class: &str| policy.data.classes.iter().position(|it| it == class);
    rank(name).is_none_or(|rank_of_name| Some(rank_of_name) > rank(&policy.data.default))
}

/// A selector for one of its places: `when`, `unless`, `who` or `for`; a list of two maps at the given chance.
pub(super) fn selectors(rng: &mut Rng, policy: &Policy, place: &str, two: usize) -> Vec<Selector> {
    let count = if rng.percent(two) { 2 } else { 1 };
    (0..count).map(|_| selector(rng, policy, place)).collect()
}

fn selector(rng: &mut Rng, policy: &Policy, place: &str) -> Selector {
    let mut keys = vec![
        "principal",
        "client",
        "use",
        "group",
        "model",
        "tool",
        "direction",
        "source",
        "training",
        "signed_in",
        "time",
    ];
    if place != "for" {
        keys.extend(["app", "app", "app"]);
    }
    if place == "when" {
        keys.extend([
            "data",
            "data",
            "data",
            "data",
            "finding",
            "finding",
            "group",
            "direction",
        ]);
    }
    let courses: Vec<String> = policy.courses.keys().cloned().collect();
    let groups = &policy.scope.groups;
    let mut map = Selector::default();
    for key in rng.some(&keys, 1, 3) {
        match key {
            "principal" => map.principal = Some(rng.names(&PRINCIPALS, 1, 2)),
            "client" => map.client = Some(rng.names(&CLIENTS, 1, 2)),
            "use" if policy.scope.uses.is_empty() => map.group = Some(rng.some(groups, 1, 2)),
            "use" => map.uses = Some(vec![rng.pick(&policy.scope.uses).id]),
            "group" => map.group = Some(rng.some(groups, 1, 2)),
            "app" => map.app = Some(app_selectors(rng, policy)),
            "model" => map.model = Some(rng.names(&MODEL_PATTERNS, 1, 2)),
            "tool" => map.tool = Some(rng.names(&TOOL_PATTERNS, 1, 2)),
            "direction" => map.direction = Some(rng.pick(&[Direction::Prompt, Direction::Answer])),
            "source" => map.source = Some(rng.some(&SOURCES, 1, 3)),
            "data" => map.data = Some(data_names(rng, policy, false)),
            "finding" => map.finding = Some(rng.names(&FINDINGS, 1, 2)),
            "training" => map.training = Some(rng.some(&courses, 1, 2)),
            "signed_in" => map.signed_in = Some(rng.pick(&SIGN_INS)),
            _ => map.time = Some(period(rng)),
        }
    }
    // What the two mean together is worth more than chance would give it.
    if (map.data.is_some() || map.finding.is_some()) && rng.percent(30) {
        map.source = Some(rng.some(&SOURCES, 1, 3));
    }
    map
}

pub(super) fn app_selectors(rng: &mut Rng, policy: &Policy) -> Vec<AppSelector> {
    let listed: Vec<String> = policy.apps.iter().map(|app| app.id.clone()).collect();
    // Ids come first: they are also what is left when a policy lists no app yet.
    if rng.percent(35) {
        let ids = rng.some(&listed, 1, 2);
        return ids
            .into_iter()
            .map(|id| AppSelector {
                id: Some(vec![id]),
                ..AppSelector::default()
            })
            .collect();
    }
    let count = if rng.percent(20) { 2 } else { 1 };
    let mut all = Vec::new();
    for _ in 0..count {
        let shape = rng.below(6);
        all.push(AppSelector {
            id: (shape == 0).then(|| rng.some(&listed, 1, 2)),
            class: matches!(shape, 0..4).then(|| rng.some(&APP_CLASSES, 1, 2)),
            category: matches!(shape, 3..6).then(|| rng.names(&CATEGORIES, 1, 2)),
        });
    }
    all
}

pub(super) fn data_names(rng: &mut Rng, policy: &Policy, redact: bool) -> Vec<String> {
    let classes = policy
        .data
        .classes
        .iter()
        .filter(|class| !redact || has_span(policy, class));
    let classes: Vec<String> = classes.cloned().collect();
    let mut names = BTreeSet::new();
    for _ in 0..=rng.below(2) {
        names.insert(match rng.below(3) {
            0 => rng.pick(&ENTITIES).to_owned(),
            1 => rng.pick(&FAMILY_NAMES).to_owned(),
            _ => rng.pick(&classes),
        });
    }
    names.into_iter().collect()
}

fn period(rng: &mut Rng) -> Period {
    let shape = rng.below(6);
    let mut days = [rng.day(), rng.day()];
    days.sort();
    Period {
        days: matches!(shape, 0 | 1).then(|| rng.names(&DAYS, 2, 5)),
        hours: matches!(shape, 1 | 2).then(|| rng.pick(&[(480, 1080), (1320, 360), (0, 721), (765, 766)])),
        from: matches!(shape, 3 | 5).then_some(days[0]),
        until: matches!(shape, 4 | 5).then_some(days[1]),
    }
}
