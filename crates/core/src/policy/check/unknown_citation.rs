//! What a rollout or an exception names is something that decides.

use super::{Context, check, citations, unknown};
use crate::policy::problem::Problem;

check!(
    "unknown-citation",
    Error,
    "`rollout`, exceptions and `never_excepted` name a clause with a rule, a gate, or section data that decides.",
    "Name a clause with a rule, a gate, or section data that decides.",
    Document(run),
    bad: "rollout:\n  default: observe\n  data.matrx: coach #!\n",
    good: "rollout:\n  default: observe\n  data.matrix: coach\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let known: Vec<&str> = citations(document).collect();
    let rollout = document.rollout.entries.iter().map(|(name, _)| name);
    let exceptions = document.exceptions.iter().map(|exception| &exception.clause);
    // A clause that section data holds up acts through that data: say so rather than "no such clause".
    let (held, rest): (Vec<_>, Vec<_>) = rollout
        .chain(exceptions)
        .chain(&document.never_excepted)
        .partition(|name| {
            document
                .clauses
                .iter()
                .any(|clause| clause.id.value == name.value && clause.rule.is_none())
        });
    for name in held {
        let clause = document.clauses.iter().find(|clause| clause.id.value == name.value);
        let by = clause.and_then(|clause| clause.enforced_by.as_ref());
        let problem = Problem::error(
            "unknown-citation",
            name.place,
            format!("`{}` has no rule that could act", name.value),
        );
        problems.push(match by {
            Some(by) => problem.help(format!("it is held up by `{}`: name that", by.value)),
            None if document.exceptions.iter().any(|one| one.clause.place == name.place) => problem.help(
                "it is held up by evidence, which stops nobody: take the exception out, and say in the clause for whom it does not hold",
            ),
            None => problem.help("it is held up by evidence, which has no mode"),
        });
    }
    let first = problems.len();
    unknown(
        "unknown-citation",
        "clause, gate or deciding section data",
        rest.into_iter(),
        &known,
        problems,
    );
    for problem in problems.iter_mut().skip(first) {
        let gone = "if it was taken out of the policy, take this out too";
        match &mut problem.help {
            Some(help) if help.starts_with("did you mean") => {}
            Some(help) => *help += &format!("; {gone}"),
            None => problem.help = Some(gone.to_owned()),
        }
    }
}
