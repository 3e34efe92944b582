//! Evidence has a rhythm and somebody who brings it.

use super::{Context, check};
use crate::policy::problem::Problem;

check!(
    "evidence-without-cadence",
    Warning,
    "Evidence says how often it is due and who brings it.",
    "Add `every:` and `by:`; `by: owner` is the clause's owner.",
    Document(run),
    bad: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, by: ciso}} #!\n",
    good: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, every: 90 days, by: ciso}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    for clause in &context.document.clauses {
        let Some(evidence) = &clause.evidence else { continue };
        let id = &clause.id.value;
        let (message, help) = match (&evidence.every, &evidence.by) {
            (Some(_), Some(_)) => continue,
            (None, None) => (
                format!("nothing says when the evidence for `{id}` is due, nor who brings it"),
                "add `every: 180 days` and `by: owner`, or as it is with you",
            ),
            (None, Some(_)) => (
                format!("nothing says when the evidence for `{id}` is due"),
                "add `every:`, such as `every: 180 days`",
            ),
            (Some(_), None) => (
                format!("nobody is to bring the evidence for `{id}`"),
                "add `by:` with a role, or `by: owner`",
            ),
        };
        let problem = Problem::warning("evidence-without-cadence", evidence.place, message);
        problems.push(problem.help(help));
    }
}
