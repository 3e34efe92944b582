//! Every rule of the library weakened, one way at a time: some case of its policy must notice.
//!
//! The document is read once; each mutant is a copy of it with one thing changed, compiled and put to all cases.

use super::*;
use crate::policy::compile;
use crate::policy::document::{AppSelector, Document, Rule, Selector, TimeSelector};
use crate::verdict::Verdict;

/// What was changed, and the changed document.
type Mutant = (String, Document);

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

/// For each list of a map that is there: the map without it, and without each of several items.
macro_rules! lists_taken_out {
    ($of:expr, $out:ident, $alone:expr, $($field:ident),+) => {$(
        if let Some(list) = &$of.$field {
            let name = stringify!($field);
            if $alone {
                let mut without = $of.clone();
                without.$field = None;
                $out.push((format!("without {name}"), without));
            }
            for item in (0..list.len()).filter(|_| list.len() > 1) {
                let mut fewer = list.clone();
                fewer.remove(item);
                let mut changed = $of.clone();
                changed.$field = Some(fewer);
                $out.push((format!("{name} without item {item}"), changed));
            }
        }
    )+};
}

/// A selector with one key, or one item of a list, taken out.
fn weakened(selector: &Selector) -> Vec<(String, Selector)> {
    let mut out = Vec::new();
    lists_taken_out!(
        selector, out, true, principal, group, client, app, model, tool, use_, direction, data, source, finding,
        training
    );
    for (number, app) in selector.app.iter().flatten().enumerate() {
        let keys = [app.id.is_some(), app.class.is_some(), app.category.is_some()];
        let several = keys.iter().filter(|&&there| there).count() > 1;
        let mut apps: Vec<(String, AppSelector)> = Vec::new();
        lists_taken_out!(app, apps, several, id, class, category);
        for (what, changed) in apps {
            let mut copy = selector.clone();
            if let Some(list) = &mut copy.app {
                list[number] = changed;
            }
            out.push((format!("app {what}"), copy));
        }
    }
    if selector.signed_in.is_some() {
        let mut without = selector.clone();
        without.signed_in = None;
        out.push(("without signed_in".to_owned(), without));
    }
    out.extend(weakened_time(selector));
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
    let mut with = |what: String, changed: TimeSelector| {
        let mut copy = selector.clone();
        copy.time = Some(changed);
        out.push((what, copy));
    };
    if several && time.days.is_some() {
        with(
            "time without days".to_owned(),
            TimeSelector {
                days: None,
                ..time.clone()
            },
        );
    }
    if several && time.hours.is_some() {
        with(
            "time without hours".to_owned(),
            TimeSelector {
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
            TimeSelector {
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
    let (mutants, alive) = survivors(&all(false));
    assert!(mutants > 150, "only {mutants} mutants");
    assert!(
        alive.is_empty(),
        "{} of {mutants} mutants live:\n{}",
        alive.len(),
        alive.join("\n")
    );
    // Under the overlay the matrix itself blocks restricted data, so that a milder verdict of a rule about it cannot show.
    let (mutants, mut alive) = survivors(&all(true));
    alive.retain(|what| !what.contains(" then "));
    assert!(
        alive.is_empty(),
        "{} of {mutants} mutants live:\n{}",
        alive.len(),
        alive.join("\n")
    );
}
