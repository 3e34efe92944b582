//! The ladder of consequences has the steps that are counted on, and a way back.

use super::{Context, check, unknown};
use crate::policy::problem::Problem;

check!(
    "consequence-ladder",
    Error,
    "`start` and `two_people_from` name steps of the ladder; a ladder without `appeal` is a warning.",
    "Name a step of the ladder, or add it there; add `appeal:` with the time that people have.",
    Document(run),
    bad: "consequences:\n  ladder: [coach, manager]\n  start: {mistake: coach, evasion: dismissal} #!\n  appeal: 14 days\n  clauses: [{id: CN-1, statement: Fair., enforced_by: consequences.ladder}]\n",
    good: "consequences:\n  ladder: [coach, manager]\n  start: {mistake: coach, evasion: manager}\n  two_people_from: manager\n  appeal: 14 days\n  clauses: [{id: CN-1, statement: Fair., enforced_by: consequences.ladder}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let Some(consequences) = &context.document.consequences else {
        return;
    };
    let steps: Vec<&str> = consequences.ladder.iter().map(|step| step.as_str()).collect();
    let starts = consequences.start.iter().map(|(_, step)| step);
    let named = starts.chain(&consequences.two_people_from);
    unknown("consequence-ladder", "step of the ladder", named, &steps, problems);
    if consequences.appeal.is_none() && !steps.is_empty() {
        let problem = Problem::warning(
            "consequence-ladder",
            consequences.place,
            "nothing says how long people can appeal",
        );
        problems.push(problem.help("add `appeal:`, such as `appeal: 14 days`"));
    }
}
