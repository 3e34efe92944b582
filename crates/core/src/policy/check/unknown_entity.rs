//! What `data` names is an entity, a family or a class.

use super::{Context, check, selectors, unknown};
use crate::detect::entities::{ENTITIES, FAMILIES};
use crate::policy::problem::Problem;

check!(
    "unknown-entity",
    Error,
    "`data.entities`, `data.tokens`, escalations and `data` selectors name known entities, families, the policy's own keywords and patterns, or classes.",
    "Name a known entity, or make it your own with `keywords` or `patterns`.",
    Document(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {data: payment-crad}, then: block}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {data: payment-card}, then: block}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let data = &context.document.data;
    let mut known: Vec<&str> = ENTITIES
        .iter()
        .map(|entity| entity.id)
        .chain(FAMILIES.iter().copied())
        .collect();
    known.extend(
        data.keywords
            .iter()
            .map(|(entity, _)| entity.as_str())
            .chain(data.patterns.iter().map(|(entity, _)| entity.as_str())),
    );
    let classified = data.entities.iter().map(|(entity, _)| entity);
    let tokens = data.tokens.iter().map(|(entity, _)| entity);
    let escalated = data.escalate.iter().flat_map(|escalation| &escalation.entities);
    unknown(
        "unknown-entity",
        "entity",
        classified.chain(escalated).chain(tokens),
        &known,
        problems,
    );
    known.extend(data.classes.iter().map(|class| class.as_str()));
    let selected = selectors(context.document).flat_map(|selector| selector.data.iter().flatten());
    unknown("unknown-entity", "entity, family or class", selected, &known, problems);
}
