//! Every rule of the library weakened, one way at a time: some case of its policy must notice.
//!
//! The document is read once; each mutant is a copy of it with one thing changed, compiled and put to all cases.

use super::*;
use crate::policy::compile;
use crate::policy::document::{Document, Rule, Selector};
use crate::verdict::Verdict;

/// What was changed, and the changed document.
type Mutant = (String, Document);

const KEYS: [&str; 12] = [
    "principal",
    "group",
    "client",
    "app",
    "model",
    "tool",
    "use",
    "direction",
    "data",
    "source",
    "finding",
    "training",
];

fn mutants(document: &Document) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (index, clause) in document.clauses.iter().enumerate() {
        let Some(rule) = &clause.rule else { continue };
        let mut add = |what: String, rule: Rule| {
            let mut copy = document.clone();
            copy.clauses[index].rule = Some(rule);
            mutants.push((format!("{} {what}", clause.id.value), copy));
        };
        let weaker = Verdict::ALL.iter().rev().find(|&&verdict| verdict < rule.then.value);
        if let Some(&weaker) = weaker {
            let mut copy = rule.clone();
            copy.then.value = weaker;
            add(format!("then {weaker}"), copy);
        }
        if rule.condition.is_some() {
            let mut copy = rule.clone();
            copy.condition = None;
            add("without condition".to_owned(), copy);
        }
        for (side, selectors) in [("when", &rule.when), ("unless", &rule.unless)] {
            let with = |selectors: Vec<Selector>| {
                let mut copy = rule.clone();
                match side {
                    "when" => copy.when = selectors,
                    _ => copy.unless = selectors,
                }
                copy
            };
            for (number, selector) in selectors.iter().enumerate() {
                if selectors.len() > 1 {
                    let mut fewer = selectors.clone();
                    fewer.remove(number);
                    add(format!("{side} without its map {number}"), with(fewer));
                }
                for (what, changed) in weakened(selector) {
                    let mut changed_selectors = selectors.clone();
                    changed_selectors[number] = changed;
                    add(format!("{side} {what}"), with(changed_selectors));
                }
            }
        }
    }
    mutants
}

/// A selector with one key, or one item of a list, taken out.
fn weakened(selector: &Selector) -> Vec<(String, Selector)> {
    let mut out = Vec::new();
    for key in KEYS {
        let mut without = selector.clone();
        let lost = match key {
            "principal" => without.principal.take().map(|list| list.len()),
            "group" => without.group.take().map(|list| list.len()),
            "client" => without.client.take().map(|list| list.len()),
            "app" => without.app.take().map(|list| list.len()),
            "model" => without.model.take().map(|list| list.len()),
            "tool" => without.tool.take().map(|list| list.len()),
            "use" => without.use_.take().map(|list| list.len()),
            "direction" => without.direction.take().map(|list| list.len()),
            "data" => without.data.take().map(|list| list.len()),
            "source" => without.source.take().map(|list| list.len()),
            "finding" => without.finding.take().map(|list| list.len()),
            _ => without.training.take().map(|list| list.len()),
        };
        let Some(items) = lost else { continue };
        out.push((format!("without {key}"), without));
        for item in (0..items).filter(|_| items > 1) {
            let mut fewer = selector.clone();
            match key {
                "principal" => drop(fewer.principal.as_mut().map(|list| list.remove(item))),
                "group" => drop(fewer.group.as_mut().map(|list| list.remove(item))),
                "client" => drop(fewer.client.as_mut().map(|list| list.remove(item))),
                "app" => drop(fewer.app.as_mut().map(|list| list.remove(item))),
                "model" => drop(fewer.model.as_mut().map(|list| list.remove(item))),
                "tool" => drop(fewer.tool.as_mut().map(|list| list.remove(item))),
                "use" => drop(fewer.use_.as_mut().map(|list| list.remove(item))),
                "direction" => drop(fewer.direction.as_mut().map(|list| list.remove(item))),
                "data" => drop(fewer.data.as_mut().map(|list| list.remove(item))),
                "source" => drop(fewer.source.as_mut().map(|list| list.remove(item))),
                "finding" => drop(fewer.finding.as_mut().map(|list| list.remove(item))),
                _ => drop(fewer.training.as_mut().map(|list| list.remove(item))),
            }
            out.push((format!("{key} without item {item}"), fewer));
        }
    }
    out.extend(weakened_apps(selector));
    out.extend(weakened_time(selector));
    out
}

fn weakened_apps(selector: &Selector) -> Vec<(String, Selector)> {
    let mut out = Vec::new();
    for (number, app) in selector.app.iter().flatten().enumerate() {
        let keys = [app.id.is_some(), app.class.is_some(), app.category.is_some()];
        let several = keys.iter().filter(|&&there| there).count() > 1;
        let mut with = |what: String, change: &dyn Fn(&mut crate::policy::document::AppSelector)| {
            let mut changed = selector.clone();
            if let Some(app) = changed.app.as_mut().and_then(|apps| apps.get_mut(number)) {
                change(app);
            }
            out.push((what, changed));
        };
        if several && app.id.is_some() {
            with("app without id".to_owned(), &|app| app.id = None);
        }
        if several && app.class.is_some() {
            with("app without class".to_owned(), &|app| app.class = None);
        }
        if several && app.category.is_some() {
            with("app without category".to_owned(), &|app| app.category = None);
        }
        for item in 0..app.class.as_ref().map_or(0, Vec::len) {
            if app.class.as_ref().is_some_and(|list| list.len() > 1) {
                with(format!("app class without item {item}"), &|app| {
                    drop(app.class.as_mut().map(|list| list.remove(item)))
                });
            }
        }
        for item in 0..app.category.as_ref().map_or(0, Vec::len) {
            if app.category.as_ref().is_some_and(|list| list.len() > 1) {
                with(format!("app category without item {item}"), &|app| {
                    drop(app.category.as_mut().map(|list| list.remove(item)))
                });
            }
        }
        for item in 0..app.id.as_ref().map_or(0, Vec::len) {
            if app.id.as_ref().is_some_and(|list| list.len() > 1) {
                with(format!("app id without item {item}"), &|app| {
                    drop(app.id.as_mut().map(|list| list.remove(item)))
                });
            }
        }
    }
    out
}

fn weakened_time(selector: &Selector) -> Vec<(String, Selector)> {
    let Some(time) = &selector.time else { return Vec::new() };
    let mut out = Vec::new();
    let mut without = selector.clone();
    without.time = None;
    out.push(("without time".to_owned(), without));
    let keys = [
        time.days.is_some(),
        time.hours.is_some(),
        time.from.is_some(),
        time.until.is_some(),
    ];
    let several = keys.iter().filter(|&&there| there).count() > 1;
    let mut with = |what: String, changed: crate::policy::document::TimeSelector| {
        let mut copy = selector.clone();
        copy.time = Some(changed);
        out.push((what, copy));
    };
    if several && time.days.is_some() {
        with(
            "time without days".to_owned(),
            crate::policy::document::TimeSelector {
                days: None,
                ..time.clone()
            },
        );
    }
    if several && time.hours.is_some() {
        with(
            "time without hours".to_owned(),
            crate::policy::document::TimeSelector {
                hours: None,
                ..time.clone()
            },
        );
    }
    let days = time.days.clone().unwrap_or_default();
    for item in (0..days.len()).filter(|_| days.len() > 1) {
        let mut fewer = days.clone();
        fewer.remove(item);
        with(
            format!("time without day {item}"),
            crate::policy::document::TimeSelector {
                days: Some(fewer),
                ..time.clone()
            },
        );
    }
    out
}

/// The mutants of a policy that none of its cases notices.
fn survivors(answers: &Answers) -> (usize, Vec<String>) {
    let files = make(answers).as_files();
    let now = "2026-12-10T12:00:00Z".parse().expect("a moment");
    let loaded = load(&files, &Catalog::built_in(), now);
    let document = loaded.document.expect("a document");
    let original = loaded.policy.expect("a policy");
    let scanner = Scanner::new(original.own_detectors());
    assert_eq!(
        failing(&Loaded {
            policy: Some(original),
            ..load(&files, &Catalog::built_in(), now)
        }),
        [""; 0],
        "the policy itself"
    );
    let mutants = mutants(&document);
    let all = mutants.len();
    let mut alive = Vec::new();
    for (what, mutant) in mutants {
        let Some(policy) = compile::compile(&mutant, &mut Vec::new()) else {
            continue;
        };
        let fails = loaded.cases.iter().any(|case| {
            !cases::run(&policy, &mutant, &scanner, &Catalog::built_in(), case)
                .differences
                .is_empty()
        });
        if !fails {
            alive.push(what);
        }
    }
    (all, alive)
}

#[test]
fn some_case_notices_every_weakened_rule() {
    let every = Library::built_in()
        .clauses
        .iter()
        .map(|clause| clause.id.clone())
        .collect();
    let all = |regulated: bool| {
        let profiles = Library::built_in()
            .profiles
            .iter()
            .filter(|profile| !profile.overlay || regulated);
        Answers {
            profiles: profiles.map(|profile| profile.id.clone()).collect(),
            also: Vec::clone(&every),
            groups: {
                let mut groups = full().groups;
                groups.push(answers::Group::new("clinicians", &[answers::Work::TreatsPatients]));
                groups
            },
            ..full()
        }
    };
    for regulated in [false, true] {
        let (mutants, alive) = survivors(&all(regulated));
        assert!(mutants > 100, "only {mutants} mutants");
        assert!(
            alive.is_empty(),
            "{} of {mutants} mutants live:\n{}",
            alive.len(),
            alive.join("\n")
        );
    }
}
