//! The keys of selectors, and policies without one of them: what shows that a key decides something.

use crate::naive::model::{AppSelector, Policy, Selector};

/// Every key of a selector, every place of one that a policy may leave out (`when` cannot be), and the `args` of tools.
pub(crate) const SELECTOR_KEYS: [&str; 25] = [
    "principal",
    "client",
    "use",
    "group",
    "app.id",
    "app.class",
    "app.category",
    "model",
    "tool",
    "direction",
    "source",
    "data.entity",
    "data.family",
    "data.class",
    "finding",
    "training",
    "signed_in",
    "time.days",
    "time.hours",
    "time.from",
    "time.until",
    "unless",
    "for",
    "who",
    "args",
];

/// All selectors of a policy, for reading.
pub(crate) fn selectors(policy: &Policy) -> Vec<&Selector> {
    let rules = policy
        .rules
        .iter()
        .flat_map(|rule| rule.when.iter().chain(rule.unless.iter().flatten()));
    let exceptions = policy.exceptions.iter().flat_map(|it| it.who.iter().flatten());
    rules
        .chain(exceptions)
        .chain(policy.apps.iter().flat_map(|app| app.serves.iter().flatten()))
        .collect()
}

/// The policy without one of [`SELECTOR_KEYS`] in any of its selectors. It need not be valid any more.
pub(crate) fn without_key(policy: &Policy, key: &str) -> Policy {
    let mut policy = policy.clone();
    let classes = policy.data.classes.clone();
    for rule in &mut policy.rules {
        rule.when.iter_mut().for_each(|map| remove(map, key, &classes));
        rule.unless
            .iter_mut()
            .flatten()
            .for_each(|map| remove(map, key, &classes));
        rule.unless.take_if(|_| key == "unless");
    }
    for exception in &mut policy.exceptions {
        exception
            .who
            .iter_mut()
            .flatten()
            .for_each(|map| remove(map, key, &classes));
        exception.who.take_if(|_| key == "who");
    }
    for app in &mut policy.apps {
        app.serves
            .iter_mut()
            .flatten()
            .for_each(|map| remove(map, key, &classes));
        app.serves.take_if(|_| key == "for");
    }
    if key == "args" {
        let tools = policy.tools.iter_mut().flat_map(|tools| &mut tools.list);
        tools.for_each(|entry| entry.args.clear());
    }
    policy
}

fn remove(map: &mut Selector, key: &str, classes: &[String]) {
    match key {
        "principal" => map.principal = None,
        "client" => map.client = None,
        "use" => map.uses = None,
        "group" => map.group = None,
        "app.id" => from_apps(map, |app| app.id = None),
        "app.class" => from_apps(map, |app| app.class = None),
        "app.category" => from_apps(map, |app| app.category = None),
        "model" => map.model = None,
        "tool" => map.tool = None,
        "direction" => map.direction = None,
        "source" => map.source = None,
        "data.entity" => from_data(map, |name| kind_of(name, classes) == Kind::Entity),
        "data.family" => from_data(map, |name| kind_of(name, classes) == Kind::Family),
        "data.class" => from_data(map, |name| kind_of(name, classes) == Kind::Class),
        "finding" => map.finding = None,
        "training" => map.training = None,
        "signed_in" => map.signed_in = None,
        "time.days" => map.time.iter_mut().for_each(|time| time.days = None),
        "time.hours" => map.time.iter_mut().for_each(|time| time.hours = None),
        "time.from" => map.time.iter_mut().for_each(|time| time.from = None),
        "time.until" => map.time.iter_mut().for_each(|time| time.until = None),
        // The places are removed where they are.
        _ => assert!(["unless", "for", "who", "args"].contains(&key), "no key called `{key}`"),
    }
}

fn from_apps(map: &mut Selector, remove: impl Fn(&mut AppSelector)) {
    map.app.iter_mut().flatten().for_each(remove);
}

fn from_data(map: &mut Selector, is_removed: impl Fn(&str) -> bool) {
    if let Some(names) = &mut map.data {
        names.retain(|name| !is_removed(name));
    }
    map.data.take_if(|names| names.is_empty());
}

#[derive(PartialEq)]
enum Kind {
    Entity,
    Family,
    Class,
}

fn kind_of(name: &str, classes: &[String]) -> Kind {
    if classes.iter().any(|class| class == name) {
        Kind::Class
    } else if super::FAMILY_NAMES.contains(&name) {
        Kind::Family
    } else {
        Kind::Entity
    }
}
