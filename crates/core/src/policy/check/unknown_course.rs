//! Courses that are named are courses of the education section.

use super::{Context, check, selectors, unknown};
use crate::policy::problem::Problem;

check!(
    "unknown-course",
    Error,
    "Gates and `training` selectors name courses of `education.courses`.",
    "Add the course to `education.courses`, or name one that is there.",
    Document(run),
    bad: "education:\n  courses: {ai-basics: {valid: 365 days}}\n  gates: [{id: ED-1, without: ai-basic, then: coach}] #!\n  clauses: [{id: ED-2, statement: Learn., enforced_by: education.gates}]\n",
    good: "education:\n  courses: {ai-basics: {valid: 365 days}}\n  gates: [{id: ED-1, without: ai-basics, then: coach}]\n  clauses: [{id: ED-2, statement: Learn., enforced_by: education.gates}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let education = &context.document.education;
    let known: Vec<&str> = education.courses.iter().map(|course| course.id.as_str()).collect();
    let gates = education.gates.iter().map(|gate| &gate.without);
    let selected = selectors(context.document).flat_map(|selector| selector.training.iter().flatten());
    unknown("unknown-course", "course", gates.chain(selected), &known, problems);
}
