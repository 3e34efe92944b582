//! All fourteen sections are there, with at least a sentence or a clause.

use super::{Context, check};
use crate::policy::document::Section;
use crate::policy::node::Place;
use crate::policy::problem::Problem;

check!(
    "missing-section",
    Error,
    "A policy has all fourteen sections; one without anything to say states so.",
    "Add the section; one sentence will do.",
    Document(run),
    bad: "monitoring: ~\n",
    good: "monitoring: {statement: We watch nothing but counts.}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    for section in Section::ALL {
        if context.document.section(section).is_none() {
            let name = section.as_str();
            let problem = Problem::error(
                "missing-section",
                Place::default(),
                format!("there is no section `{name}`"),
            );
            problems.push(problem.help(format!("add it; one sentence will do: `{name}: {{statement: …}}`")));
        }
    }
}
