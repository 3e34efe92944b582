//! Nothing is decided by silence.

use super::{Context, Question, check};
use crate::policy::compile::names::EVERYONE;
use crate::policy::node::Place;
use crate::policy::problem::Problem;
use crate::verdict::{AppClass, Verdict};
use crate::witness::Lit;

check!(
    "gap",
    Warning,
    "A group that a use is for can reach some sanctioned app for it, and each class above the default has its own line in \
     `data.answers`: otherwise nobody decided, and silence does.",
    "Add a grant, or a line to `data.answers`.",
    Meaning(run),
    bad: "access:\n  grants: [{id: AC-1, groups: [everyone], uses: [coding]}] #!\n  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]\nscope:\n  groups: {staff: {}, engineering: {}, unmapped: block}\n  uses: [{id: coding, owner: cto, groups: [engineering]}, {id: letters, owner: cto, groups: [staff]}]\n  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: What for., enforced_by: scope.uses}]\n",
    good: "access:\n  grants: [{id: AC-1, groups: [everyone], uses: [coding, letters]}]\n  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]\nscope:\n  groups: {staff: {}, engineering: {}, unmapped: block}\n  uses: [{id: coding, owner: cto, groups: [engineering]}, {id: letters, owner: cto, groups: [staff]}]\n  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: What for., enforced_by: scope.uses}]\n",
);

fn run(context: &Context<'_>, question: &mut Question<'_>, problems: &mut Vec<Problem>) {
    uses(context, question, problems);
    answers(context, question, problems);
}

/// A use that some group is meant to have, and for which no grant lets it into any sanctioned app.
fn uses(context: &Context<'_>, question: &mut Question<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let place = document.access.grants_place.unwrap_or_default();
    let Some(meaning) = question.search.meaning() else {
        return;
    };
    let (refused, sanctioned) = (meaning.refused(), meaning.counts_as(AppClass::Sanctioned));
    for one in &document.scope.uses {
        for group in &one.groups {
            let Some(meaning) = question.search.meaning() else {
                return;
            };
            let member = meaning.group(question.policy, group.as_str());
            // What somebody reaches by way of another group is not given to this one.
            let others = document.scope.groups.iter().map(|other| other.name.as_str());
            let alone: Vec<Lit> = others
                .filter(|_| group.as_str() != EVERYONE)
                .map(|other| meaning.group(question.policy, other))
                .filter(|&other| other != member)
                .map(|other| !other)
                .collect();
            let declared = {
                let space = &mut question.search.space;
                space
                    .use_
                    .when(&mut space.circuit, |name| name.as_deref() == Some(one.id.as_str()))
            };
            let mut wanted = vec![!question.search.space.answer, member, declared, sanctioned];
            wanted.extend(alone);
            if !question.search.can(&wanted) || question.search.can(&[&wanted[..], &[!refused]].concat()) {
                continue;
            }
            let witness = question.witness(&wanted, |policy, decision| {
                decision.contributions.iter().any(|say| policy.is_access(say.citation))
            });
            let message = format!(
                "`{}` is for `{}`, but no grant lets them reach a sanctioned app for it",
                one.id.value, group.value
            );
            problems.push(problem(
                place,
                message,
                "add a grant, or take the group off the use",
                witness,
            ));
        }
    }
}

/// A class that is masked, held or blocked on its way out, and of which nothing is said on its way back.
fn answers(context: &Context<'_>, question: &mut Question<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let Some(answers) = &document.data.answers else { return };
    let policy = question.policy;
    for (class, name) in (0u8..).zip(&document.data.classes) {
        let named = answers.value.iter().any(|(named, _)| named.value == name.value);
        let guarded = policy.cell(class, AppClass::Sanctioned) >= Verdict::Redact;
        if named || !guarded || class <= policy.default_class {
            continue;
        }
        let Some(meaning) = question.search.meaning() else {
            return;
        };
        let occurs = meaning
            .occurs
            .get(usize::from(class))
            .copied()
            .unwrap_or(Lit::constant(false));
        let passes = !meaning.full.verdict.speaks();
        let wanted = [question.search.space.answer, occurs, passes];
        if question.search.can(&wanted) {
            let witness = question.witness(&wanted, |_, decision| decision.full == Verdict::Allow);
            let message = format!("nothing is said about answers with `{}` data, so they pass", name.value);
            problems.push(problem(
                answers.place,
                message,
                "add a line for the class, even if it is `allow`",
                witness,
            ));
        }
    }
}

fn problem(place: Place, message: String, help: &str, witness: Option<String>) -> Problem {
    Problem::warning("gap", place, message).help(help).witness(witness)
}
