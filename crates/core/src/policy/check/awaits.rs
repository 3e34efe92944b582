//! What the policy says and nothing carries out yet.

use super::{Context, check, selectors};
use crate::detect::entities::entity;
use crate::policy::document::Rule;
use crate::policy::node::Place;
use crate::policy::problem::Problem;
use crate::verdict::{Direction, Verdict};

check!(
    "awaits",
    Note,
    "Entities that no detector finds, `justify` and `hold` where nobody can be asked, so that they act as `block`, and what the gateway does not act on: reuse of outputs, consequences, metrics (a note: what awaits is never taken as done).",
    "Nothing to do until the product can; or leave the part out.",
    Document(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {data: source-code}, then: block}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {data: iban}, then: block}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let own = |name: &str| {
        document
            .data
            .keywords
            .iter()
            .map(|(entity, _)| entity)
            .chain(document.data.patterns.iter().map(|(entity, _)| entity))
            .any(|entity| entity.as_str() == name)
    };
    let mut note =
        |place, message: String, help: &str| problems.push(Problem::note("awaits", place, message).help(help));
    let selected = selectors(document).flat_map(|selector| selector.data.iter().flatten());
    let named = document.data.entities.iter().map(|(entity, _)| entity).chain(selected);
    for name in named.filter(|name| entity(name.as_str()).is_some_and(|known| !known.detected) && !own(name.as_str())) {
        let help = "name keywords or a pattern for it under `data`, or wait for its detector";
        note(
            name.place,
            format!("nothing finds `{}` yet, so what depends on it does nothing", name.value),
            help,
        );
    }
    for finding in selectors(document).flat_map(|selector| selector.finding.iter().flatten()) {
        note(
            finding.place,
            format!("nothing makes the finding `{}` yet", finding.value),
            "what depends on it does nothing until a detector makes it",
        );
    }
    let of_answers = document.data.answers.iter().flat_map(|answers| answers.value.iter());
    let tools = document.access.tools.iter().flat_map(|tools| {
        let listed = tools.list.iter().filter_map(|tool| tool.then.as_ref());
        listed.chain(&tools.unlisted)
    });
    let exceptions = document.exceptions.iter();
    let excepted = exceptions.filter(|one| ["access.tools", "data.answers"].contains(&one.clause.as_str()));
    let rules = document.clauses.iter().filter_map(|clause| clause.rule.as_ref());
    let answers = of_answers
        .map(|(_, verdict)| verdict)
        .chain(tools)
        .chain(excepted.filter_map(|one| one.then.as_ref()))
        .chain(rules.filter(|rule| is_of_answers(rule)).map(|rule| &rule.then));
    let unseen = document.data.uninspectable.iter().chain(&document.data.unavailable);
    let answers = answers.map(|verdict| (verdict, "an answer waits for nobody"));
    let unseen = unseen.map(|verdict| (verdict, "nobody can vouch for what could not be inspected"));
    for (verdict, why) in answers.chain(unseen) {
        if matches!(verdict.value, Verdict::Justify | Verdict::Hold) {
            note(
                verdict.place,
                format!("{why}: `{}` acts as `block` here", verdict.value),
                "the policy decides as written; cases and impact show the verdict you wrote",
            );
        }
    }
    let reused = document.outputs.iter().filter(|outputs| !outputs.reuse.is_empty());
    let outputs = reused.map(|outputs| outputs.place);
    let ladder = document.consequences.iter().filter(|one| !one.ladder.is_empty());
    let ladder = ladder.map(|consequences| consequences.place);
    let metrics = document
        .objectives
        .iter()
        .filter_map(|objective| objective.metric.as_ref());
    let unused: [(&str, &str, Vec<Place>); 3] = [
        (
            "nothing follows where answers are used yet",
            "people go by what is written here",
            outputs.collect(),
        ),
        (
            "nothing proposes or follows consequences yet",
            "people go by what is written here; there are no cases to work",
            ladder.collect(),
        ),
        (
            "nothing measures this yet",
            "until something does, it is shown as unmeasured",
            metrics.map(|metric| metric.place).collect(),
        ),
    ];
    for (message, help, places) in unused {
        for place in places {
            note(place, message.to_owned(), help);
        }
    }
}

/// Whether a rule matches answers alone: each of its maps says so, or asks which tools are called.
fn is_of_answers(rule: &Rule) -> bool {
    let mut maps = rule.when.iter();
    !rule.when.is_empty()
        && maps.all(|map| {
            let said = map.direction.as_ref();
            map.tool.is_some() || said.is_some_and(|said| said.iter().all(|one| one.value == Direction::Answer))
        })
}
