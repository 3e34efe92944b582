//! No part of the policy promises what another takes away.

use super::{Context, Question, check};
use crate::policy::document::Document;
use crate::policy::problem::Problem;
use crate::verdict::Verdict;

check!(
    "contradiction",
    Warning,
    "A rule that says `allow` is not blocked by another clause, and a grant lets in something that `scope` and the rules do \
     not refuse altogether.",
    "Decide which of the two holds: the strictest always wins.",
    Meaning(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: Yes., rule: {when: {group: engineering, data: iban}, then: allow}} #!\n    - {id: AU-2, statement: No., rule: {when: {data: iban, direction: prompt}, then: block}}\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: Yes., rule: {when: {group: engineering, data: iban}, then: allow}}\n    - {id: AU-2, statement: No., rule: {when: {data: iban, direction: prompt}, unless: {group: engineering}, then: block}}\n",
);

fn run(context: &Context<'_>, question: &mut Question<'_>, problems: &mut Vec<Problem>) {
    allowed_and_blocked(question, problems);
    granted_and_refused(context.document, question, problems);
}

/// `then: allow` never loosens: what it says is only true where nothing else speaks.
fn allowed_and_blocked(question: &mut Question<'_>, problems: &mut Vec<Problem>) {
    for (clause, rule) in question
        .rules()
        .into_iter()
        .filter(|(_, rule)| rule.then == Verdict::Allow)
    {
        let (when, unless) = (question.any(&rule.when), question.any(&rule.unless));
        let says = question
            .search
            .says()
            .iter()
            .map(|say| (say.citation, say.verdict.at(Verdict::Block)));
        for (citation, blocks) in says.collect::<Vec<_>>() {
            let wanted = [when, !unless, blocks];
            if !question.is_sentence(citation) || !question.search.can(&wanted) {
                continue;
            }
            let witness = question.witness(&wanted, |_, decision| {
                decision.contributions.iter().any(|one| one.citation == citation)
            });
            let message = format!(
                "`{}` allows what `{}` blocks; the strictest wins",
                clause.id.value,
                question.id(citation)
            );
            let problem = Problem::warning("contradiction", clause.id.place, message);
            problems.push(
                problem
                    .help("say in one of the two where the other does not hold")
                    .witness(witness),
            );
            break;
        }
    }
}

/// A grant that can never be used, because a sentence refuses all that it lets in.
fn granted_and_refused(document: &Document, question: &mut Question<'_>, problems: &mut Vec<Problem>) {
    let grants = question
        .search
        .meaning()
        .map(|meaning| meaning.grants.clone())
        .unwrap_or_default();
    for (grant, lit) in document.access.grants.iter().zip(grants) {
        let known_use = question.policy.citations;
        let (alone, scope) = ([lit], [known_use.uses, known_use.groups, known_use.outside]);
        let Some((by, witness)) = question
            .blocker(&alone, None)
            .filter(|(by, _)| scope.contains(by) || question.is_sentence(*by))
        else {
            continue;
        };
        let message = format!(
            "the grant `{}` lets in what `{}` always refuses",
            grant.id.value,
            question.id(by)
        );
        let problem = Problem::warning("contradiction", grant.id.place, message);
        problems.push(problem.help("change one of the two").witness(witness));
    }
}
