//! What a rule is about can occur.

use super::{Context, Question, check};
use crate::policy::document::Clause;
use crate::policy::node::Place;
use crate::policy::problem::Problem;
use crate::witness::Lit;

check!(
    "unreachable-selector",
    Warning,
    "Each `when` of a rule matches some request that its `unless` does not take back.",
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
            if !question.search.can(&keys) {
                problems.push(never(question, clause, place, &keys));
            } else if !question.search.can(&[keys.as_slice(), &[!unless]].concat()) {
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
