//! An exception excepts from something.

use super::{Context, Question, check};
use crate::policy::problem::Problem;
use crate::verdict::Verdict;
use crate::witness::Lit;

check!(
    "ineffective-exception",
    Warning,
    "An exception applies to some request that nothing else blocks anyway.",
    "Correct its `who`, except from what blocks as well, or remove it.",
    Meaning(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {data: iban, direction: prompt}, then: block}}\n    - {id: AU-2, statement: No., rule: {when: {data: iban, group: engineering, direction: prompt}, then: block}}\nexceptions:\n  - {id: EX-1, clause: AU-1, who: {group: engineering}, then: coach, reason: trial, compensating: review, requested: cto, approved: [ciso], granted: 2026-12-01, expires: 2027-01-31} #!\nroles:\n  people: {ciso: ciso@example.com, cto: cto@example.com, dpo: dpo@example.com}\n  owner: {accountable: ciso, deputy: cto}\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {data: iban, direction: prompt}, then: block}}\nexceptions:\n  - {id: EX-1, clause: AU-1, who: {group: engineering}, then: coach, reason: trial, compensating: review, requested: cto, approved: [ciso], granted: 2026-12-01, expires: 2027-01-31}\n",
);

fn run(context: &Context<'_>, question: &mut Question<'_>, problems: &mut Vec<Problem>) {
    for (index, exception) in question.policy.exceptions.iter().enumerate() {
        let Some(written) = context
            .document
            .exceptions
            .iter()
            .find(|one| one.id.value == exception.id)
        else {
            continue;
        };
        let says = question.search.says();
        let own = says.iter().find(|say| say.citation == exception.citation);
        let applies = own
            .and_then(|say| say.excepted.iter().find(|(of, _)| *of == index))
            .map(|&(_, lit)| lit);
        let blocks: Vec<Lit> = says
            .iter()
            .filter(|say| say.citation != exception.citation)
            .map(|say| !say.verdict.at(Verdict::Block))
            .collect();
        let Some(applies) = applies.filter(|&lit| question.search.can(&[lit])) else {
            let message = format!(
                "`{}` applies to no request: `{}` never matches where its `who` does",
                exception.id, written.clause.value
            );
            problems.push(
                Problem::warning("ineffective-exception", written.id.place, message)
                    .help("correct its `who`, or remove it"),
            );
            continue;
        };
        if question.search.can(&[&[applies], blocks.as_slice()].concat()) {
            continue;
        }
        let (by, witness) = match question.blocker(&[applies], Some(exception.citation)) {
            Some((by, witness)) => (format!("`{}`", question.id(by)), witness),
            None => (
                "other parts of the policy together".to_owned(),
                question.witness(&[applies], |_, _| true),
            ),
        };
        let message = format!("`{}` changes nothing: {by} blocks all of it anyway", exception.id);
        let problem = Problem::warning("ineffective-exception", written.id.place, message);
        problems.push(problem.help("except from that as well, or remove it").witness(witness));
    }
}
