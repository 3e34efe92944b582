//! What the generator promises: every verdict is common, and every key of a selector decides something somewhere.

use super::{LAST_EXCEPTION, Rng, SELECTOR_KEYS, VERDICTS, facts, policy, without_key, yaml};
use crate::naive::decide;
use crate::naive::model::{Policy, Verdict};
use std::fmt::Write as _;

const POLICIES: usize = 300;
const FACTS: usize = 100;

#[test]
fn every_verdict_is_common_and_every_key_decides() {
    let mut rng = Rng(20_261_201);
    let (mut acting, mut full) = ([0_usize; 6], [0_usize; 6]);
    let mut masked = 0_usize;
    let mut decided_by = [0_usize; SELECTOR_KEYS.len()];
    for _ in 0..POLICIES {
        let policy = policy(&mut rng);
        let without = SELECTOR_KEYS.map(|key| Some(without_key(&policy, key)).filter(|it| *it != policy));
        for _ in 0..FACTS {
            let facts = facts(&mut rng, &policy);
            let answer = decide(&policy, &facts);
            acting[answer.verdict as usize] += 1;
            full[answer.full as usize] += 1;
            masked += usize::from(!answer.masks.is_empty());
            for (count, without) in decided_by.iter_mut().zip(&without) {
                *count += usize::from(without.as_ref().is_some_and(|it| decide(it, &facts) != answer));
            }
        }
    }
    let mut table = String::from("\n");
    for (at, verdict) in VERDICTS.iter().enumerate() {
        let percent = |count: usize| count as f64 * 100.0 / (POLICIES * FACTS) as f64;
        writeln!(
            table,
            "{verdict:?}: acting {:.1} %, full {:.1} %",
            percent(acting[at]),
            percent(full[at])
        )
        .expect("a string");
    }
    writeln!(table, "something is masked: {masked}").expect("a string");
    for (key, count) in SELECTOR_KEYS.iter().zip(decided_by) {
        writeln!(table, "{key}: {count} answers differ without it").expect("a string");
    }
    let least = POLICIES * FACTS / 20;
    assert!(
        acting.iter().chain(&full).all(|count| *count >= least),
        "a verdict is rare: {table}"
    );
    assert!(
        decided_by.iter().all(|count| *count > 0),
        "a key never decides: {table}"
    );
}

#[test]
fn the_same_seed_gives_the_same_policy() {
    let make = || -> Policy { policy(&mut Rng(7)) };
    assert_eq!(make(), make());
    assert_eq!(yaml(&make()), yaml(&make()));
}

#[test]
fn the_policies_are_ones_that_check_accepts() {
    let mut rng = Rng(3);
    for _ in 0..POLICIES {
        let policy = policy(&mut rng);
        let data = &policy.data;
        let rank = |class: &str| data.classes.iter().position(|it| it == class);
        let may_mask = |class: &str| rank(class) > rank(&data.default);
        assert!(data.entities.values().all(|class| rank(class) >= rank(&data.default)));

        let rows: Vec<Vec<Verdict>> = data
            .classes
            .iter()
            .map(|it| data.matrix[it].values().copied().collect())
            .collect();
        assert!(rows.iter().all(|row| row.len() == 4 && row.is_sorted()));
        assert!((0..4).all(|column| rows.is_sorted_by_key(|row| row[column])));
        let answers = data
            .classes
            .iter()
            .map(|it| data.answers.get(it).copied().unwrap_or(Verdict::Allow));
        assert!(answers.is_sorted());
        for app in &policy.apps {
            let cell = |class: &String| app.cells.get(class).copied().unwrap_or(data.matrix[class][&app.listed]);
            assert!(data.classes.iter().map(cell).is_sorted());
            assert!(app.serves.iter().flatten().all(|map| map.app.is_none()));
        }
        let cells = data
            .matrix
            .iter()
            .flat_map(|(class, row)| row.values().map(move |it| (class, it)));
        let own = policy.apps.iter().flat_map(|app| &app.cells);
        for (class, verdict) in cells.chain(own).chain(&data.answers) {
            assert!(*verdict != Verdict::Redact || may_mask(class));
        }

        for map in policy
            .rules
            .iter()
            .filter(|rule| rule.then == Verdict::Redact)
            .flat_map(|rule| &rule.when)
        {
            let names = map.data.as_ref().expect("a rule that masks says what");
            assert!(!names.is_empty() && names.iter().all(|name| rank(name).is_none() || may_mask(name)));
        }
        let unless = policy.rules.iter().flat_map(|rule| rule.unless.iter().flatten());
        let who = policy.exceptions.iter().flat_map(|it| it.who.iter().flatten());
        let serves = policy.apps.iter().flat_map(|app| app.serves.iter().flatten());
        assert!(
            unless
                .chain(who)
                .chain(serves)
                .all(|map| map.data.is_none() && map.finding.is_none())
        );
        assert!(policy.exceptions.iter().all(|it| it.expires <= LAST_EXCEPTION));
    }
}
