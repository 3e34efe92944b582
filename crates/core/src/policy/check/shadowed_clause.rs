//! A rule makes a difference.

use super::{Context, Question, check, duplicate_rule};
use crate::policy::compile::{CitationId, Rule};
use crate::policy::document::Clause;
use crate::policy::problem::Problem;
use crate::verdict::Verdict;
use crate::witness::Lit;

check!(
    "shadowed-clause",
    Warning,
    "A rule has a say in some request that nothing else blocks anyway, now or under full enforcement. \
     Where only tables or the grants block all of it, this is a note: the rule still says why, and stays when they change.",
    "Remove the clause, or narrow what blocks everything that it is about.",
    Meaning(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {data: iban, direction: prompt}, then: block}}\n    - {id: AU-2, statement: Think., rule: {when: {data: iban, group: staff, direction: prompt}, then: coach}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {data: iban, group: engineering, direction: prompt}, then: block}}\n    - {id: AU-2, statement: Think., rule: {when: {data: iban, group: staff, direction: prompt}, then: coach}}\n",
);

fn run(_: &Context<'_>, question: &mut Question<'_>, problems: &mut Vec<Problem>) {
    for (clause, rule) in question.rules() {
        let citation = rule.citation;
        let said = own(question, citation);
        let matters = |question: &mut Question<'_>, (speaks, acts)| {
            matters(question, citation, speaks, Verdict::Block, false)
                || matters(question, citation, acts, Verdict::Block, true)
        };
        // Most rules matter, so that is asked first.
        if said.is_some_and(|said| matters(question, said)) {
            continue;
        }
        let Some((speaks, _)) = said.filter(|&(speaks, _)| question.search.can(&[speaks])) else {
            problems.extend(refused(question, clause, rule));
            continue;
        };
        problems.extend(shadowed(question, clause, citation, speaks));
    }
}

/// A rule about prompts that no grant lets through, so that it is never asked. What matches nothing at all is a matter of
/// `unreachable-selector`.
fn refused(question: &mut Question<'_>, clause: &Clause, rule: &Rule) -> Option<Problem> {
    if rule.then == Verdict::Allow {
        return None; // It has no say wherever it matches.
    }
    let (when, unless) = (question.any(&rule.when), question.any(&rule.unless));
    let refused = question.search.meaning()?.refused();
    let wanted = [when, !unless, refused];
    if !question.search.can(&wanted) {
        return None;
    }
    let witness = question.witness(&wanted, |policy, decision| {
        decision.contributions.iter().any(|one| policy.is_access(one.citation))
    });
    let message = format!(
        "`{}` changes nothing: whatever it is about is blocked by `access` anyway",
        clause.id.value
    );
    let problem = Problem::note("shadowed-clause", clause.id.place, message);
    Some(problem.help("remove it, or grant what it is about").witness(witness))
}

/// Whether `by` shadows a clause that in turn shadows it: then the later one of the two is reported, and two clauses with
/// the same rule are a matter of `duplicate-rule`.
fn stands(question: &mut Question<'_>, clause: &Clause, citation: CitationId, by: CitationId) -> bool {
    let rules = question.rules();
    let other = rules.iter().find(|(_, rule)| rule.citation == by);
    let written = |clause: &Clause| clause.rule.as_ref().map(duplicate_rule::meaning);
    let Some((other, _)) = other else { return false };
    if written(clause) == written(other) {
        return true;
    }
    let says = question.search.says();
    let blocks = |wanted| {
        says.iter()
            .find(|say| say.citation == wanted)
            .map(|say| say.verdict.at(Verdict::Block))
    };
    let (Some(own), Some(others)) = (blocks(citation), blocks(by)) else {
        return false;
    };
    clause.id.place < other.id.place && !question.search.can(&[others, !own])
}

/// That a rule speaks, and that it acts.
fn own(question: &Question<'_>, citation: CitationId) -> Option<(Lit, Lit)> {
    let say = question.search.says().iter().find(|say| say.citation == citation)?;
    Some((say.verdict.speaks(), say.acts.speaks()))
}

/// Whether a rule can have its say where nothing else is as strict as `level`, now or under full enforcement.
fn matters(question: &mut Question<'_>, citation: CitationId, say: Lit, level: Verdict, now: bool) -> bool {
    let others = question.search.says().iter().filter(|say| say.citation != citation);
    let mut wanted = vec![say];
    wanted.extend(others.map(|say| {
        if now {
            !say.acts.at(level)
        } else {
            !say.verdict.at(level)
        }
    }));
    question.search.can(&wanted)
}

fn shadowed(question: &mut Question<'_>, clause: &Clause, citation: CitationId, speaks: Lit) -> Option<Problem> {
    let id = &clause.id.value;
    let (by, witness, sentence) = match question.blocker(&[speaks], Some(citation)) {
        Some((by, _)) if stands(question, clause, citation, by) => return None,
        Some((by, witness)) => (format!("`{}`", question.id(by)), witness, question.is_sentence(by)),
        None => (
            "other parts of the policy together".to_owned(),
            question.witness(&[speaks], |_, decision| {
                decision.full == Verdict::Block && decision.contributions.iter().any(|one| one.citation == citation)
            }),
            false,
        ),
    };
    let message = format!("`{id}` changes nothing: whatever it is about is blocked by {by} anyway");
    let problem = if sentence {
        Problem::warning("shadowed-clause", clause.id.place, message)
    } else {
        Problem::note("shadowed-clause", clause.id.place, message)
    };
    Some(problem.help(format!("remove it, or narrow {by}")).witness(witness))
}
