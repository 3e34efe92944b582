//! Finding something never makes text less sensitive.

use super::{Context, check};
use crate::policy::problem::Problem;

check!(
    "entity-below-default",
    Error,
    "No entity has a class below the default: text in which it is found would count as less than text in which nothing is.",
    "Give the entity the default class or a higher one.",
    Document(run),
    bad: "data:\n  classes: [public, internal]\n  default: internal\n  retention: {content: 0 days, records: 2 years}\n  entities: {iban: public} #!\n  matrix:\n    public:   {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}\n    internal: {sanctioned: allow, tolerated: block, unknown: block, unsanctioned: block}\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n",
    good: "data:\n  classes: [public, internal]\n  default: internal\n  retention: {content: 0 days, records: 2 years}\n  entities: {iban: internal}\n  matrix:\n    public:   {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}\n    internal: {sanctioned: allow, tolerated: block, unknown: block, unsanctioned: block}\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let data = &context.document.data;
    let rank = |name: &str| data.classes.iter().position(|class| class.as_str() == name);
    let Some(default) = data.default.as_ref().and_then(|default| rank(default.as_str())) else {
        return;
    };
    for (entity, class) in &data.entities {
        if rank(class.as_str()).is_some_and(|class| class < default) {
            let message = format!("`{}` is `{}`, below the default class", entity.value, class.value);
            let problem = Problem::error("entity-below-default", class.place, message);
            problems.push(problem.help("give it the default class or a higher one"));
        }
    }
}
