//! A gate that somebody can get through.

use super::{Context, check};
use crate::policy::problem::Problem;

check!(
    "training-gate-impossible",
    Error,
    "The course that a gate asks for counts for at least a day once it is completed.",
    "Give the course a `valid` of more than no days.",
    Document(run),
    bad: "education:\n  courses: {ai-basics: {valid: 0 days}}\n  gates: [{id: ED-1, without: ai-basics, then: coach}] #!\n  clauses: [{id: ED-2, statement: Learn., enforced_by: education.gates}]\n",
    good: "education:\n  courses: {ai-basics: {valid: 365 days}}\n  gates: [{id: ED-1, without: ai-basics, then: coach}]\n  clauses: [{id: ED-2, statement: Learn., enforced_by: education.gates}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let education = &context.document.education;
    for gate in &education.gates {
        let course = education
            .courses
            .iter()
            .find(|course| course.id.value == gate.without.value);
        let lapsed = course
            .and_then(|course| course.valid.as_ref())
            .is_some_and(|valid| valid.value == 0);
        if lapsed {
            let message = format!(
                "nobody gets past `{}`: `{}` never counts",
                gate.id.value, gate.without.value
            );
            let problem = Problem::error("training-gate-impossible", gate.without.place, message);
            problems.push(problem.help("give the course a longer `valid`, or leave `valid` out"));
        }
    }
}
