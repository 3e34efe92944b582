//! Some clauses bind everybody.

use super::{Context, check};
use crate::policy::problem::Problem;

check!(
    "never-excepted",
    Error,
    "No exception names what `never_excepted` lists.",
    "Remove the exception, or take the clause off the list.",
    Document(run),
    bad: "never_excepted: [data.matrix]\nexceptions:\n  - {id: EX-1, clause: data.matrix, who: {group: staff}, then: allow, reason: trial, approved: [ciso], expires: 2027-02-01} #!\n",
    good: "never_excepted: [access]\nexceptions:\n  - {id: EX-1, clause: data.matrix, who: {group: staff}, then: allow, reason: trial, approved: [ciso], expires: 2027-02-01}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    for exception in &document.exceptions {
        if document
            .never_excepted
            .iter()
            .any(|clause| clause.value == exception.clause.value)
        {
            let message = format!("`{}` is listed in `never_excepted`", exception.clause.value);
            let problem = Problem::error("never-excepted", exception.clause.place, message);
            problems.push(problem.help("remove the exception, or take the clause off the list"));
        }
    }
}
