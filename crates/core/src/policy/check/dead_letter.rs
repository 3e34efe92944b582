//! A clause is held up by exactly one thing: a rule, section data or evidence.

use super::{Context, check, section_data};
use crate::policy::problem::Problem;

check!(
    "dead-letter",
    Error,
    "Every clause has a rule, names section data that is there, or asks for evidence.",
    "Give the clause a `rule`, name section data with `enforced_by`, or ask for `evidence`: one of the three.",
    Document(run),
    bad: "risk:\n  clauses:\n    - {id: RI-1, statement: We are careful.} #!\n",
    good: "risk:\n  clauses:\n    - {id: RI-1, statement: We are careful., evidence: {task: review, every: 90 days, by: ciso}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let data = section_data(context.document);
    for clause in &context.document.clauses {
        let id = &clause.id;
        let holds = [
            clause.rule.is_some(),
            clause.enforced_by.is_some(),
            clause.evidence.is_some(),
        ];
        match holds.iter().filter(|&&there| there).count() {
            0 => {
                let problem = Problem::error("dead-letter", id.place, format!("nothing holds up `{}`", id.value));
                problems.push(
                    problem.help("give it a `rule`, name section data with `enforced_by`, or ask for `evidence`"),
                );
            }
            1 => {}
            _ => {
                let problem = Problem::error(
                    "dead-letter",
                    id.place,
                    format!("`{}` is held up by more than one thing", id.value),
                );
                problems.push(problem.help("make it two clauses, one for each"));
            }
        }
        if let Some(by) = &clause.enforced_by
            && !data.iter().any(|(name, place)| *name == by.as_str() && place.is_some())
        {
            let there = data.iter().filter(|(_, place)| place.is_some()).map(|(name, _)| *name);
            let problem = Problem::error(
                "dead-letter",
                by.place,
                format!("`{}` is no section data of this policy", by.value),
            );
            problems.push(problem.suggest(by.as_str(), there));
        }
    }
}
