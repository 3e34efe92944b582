//! What a rule is about can occur.

use super::{Context, Question, check};
use crate::decide::selector::{Selector, Test};
use crate::policy::document::Clause;
use crate::policy::node::Place;
use crate::policy::problem::Problem;
use crate::verdict::AppClass;
use crate::witness::Lit;

check!(
    "unreachable-selector",
    Warning,
    "Each `when` of a rule matches some request that its `unless` does not take back. \
     Where it only waits for an app of a class that no app has now, this is a note.",
    "Correct the `when` or the `unless`, or remove the clause.",
    Meaning(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {app: {id: openai-api, category: coding}}, then: block}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {app: {id: openai-api, category: api}, client: batch}, then: block}}\n",
);

fn run(_: &Context<'_>, question: &mut Question<'_>, problems: &mut Vec<Problem>) {
    for (clause, rule) in question.rules() {
        let Some(written) = &clause.rule else { continue };
        let unless: Vec<Lit> = rule
            .unless
            .iter()
            .map(|selector| question.search.selector(question.policy, selector))
            .collect();
        let unless = question.search.space.circuit.or(unless);
        for (selector, place) in rule.when.iter().zip(written.when.iter().map(|selector| selector.place)) {
            let keys: Vec<Lit> = selector
                .tests()
                .iter()
                .map(|test| question.search.key(question.policy, test))
                .collect();
            if question.search.can(&[keys.as_slice(), &[!unless]].concat()) {
                continue;
            }
            if !question.search.can(&keys) {
                problems.push(match waits_for(question, selector, &keys) {
                    Some(classes) => waiting(clause, place, &classes),
                    None => never(question, clause, place, &keys),
                });
            } else {
                let message = format!(
                    "`unless` takes back all that this `when` of `{}` is about",
                    clause.id.value
                );
                let witness = question.witness(&keys, |_, _| true);
                let problem = Problem::warning("unreachable-selector", place, message);
                problems.push(
                    problem
                        .help("narrow the `unless`, or remove the `when`")
                        .witness(witness),
                );
            }
        }
    }
}

/// No request matches all keys; the witness matches all but one.
fn never(question: &mut Question<'_>, clause: &Clause, place: Place, keys: &[Lit]) -> Problem {
    let but_one = (0..keys.len()).find_map(|left_out| {
        let others: Vec<Lit> = keys
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != left_out)
            .map(|(_, &lit)| lit)
            .collect();
        question.witness(&others, |_, _| true)
    });
    let message = format!("no request can match this `when` of `{}`", clause.id.value);
    let problem = Problem::warning("unreachable-selector", place, message);
    problem
        .help("two of its keys exclude each other; the request shown matches all but one of them")
        .witness(but_one)
}

/// The app classes that a selector waits for, if nothing else keeps it from matching.
fn waits_for(question: &mut Question<'_>, selector: &Selector, keys: &[Lit]) -> Option<Vec<AppClass>> {
    let classes = |test: &Test| -> Vec<AppClass> {
        let Test::App(apps) = test else { return Vec::new() };
        apps.iter()
            .flat_map(|app| app.classes.iter().flatten().copied())
            .collect()
    };
    let tests = selector.tests().iter().enumerate();
    let named: Vec<(usize, Vec<AppClass>)> = tests.map(|(index, test)| (index, classes(test))).collect();
    let (waiting, classes) = named.into_iter().find(|(_, classes)| !classes.is_empty())?;
    let others: Vec<Lit> = keys
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != waiting)
        .map(|(_, &lit)| lit)
        .collect();
    let there = classes.iter().any(|&class| {
        let counts = question.search.meaning().map(|meaning| meaning.counts_as(class));
        counts.is_some_and(|counts| question.search.can(&[counts]))
    });
    (!there && question.search.can(&others)).then_some(classes)
}

fn waiting(clause: &Clause, place: Place, classes: &[AppClass]) -> Problem {
    let classes: Vec<&str> = classes.iter().map(|class| class.as_str()).collect();
    let message = format!(
        "`{}` waits: no app counts as `{}` now",
        clause.id.value,
        classes.join("` or `")
    );
    let problem = Problem::note("unreachable-selector", place, message);
    problem.help("nothing to do, if you expect such apps; or remove the clause")
}
