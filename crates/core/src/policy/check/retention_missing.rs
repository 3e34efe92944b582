//! How long things are kept is said, not left to the disk.

use super::{Context, check};
use crate::policy::document::Section;
use crate::policy::problem::Problem;

check!(
    "retention-missing",
    Warning,
    "`data.retention` says how long content and records are kept.",
    "Add `retention: {content: …, records: …}` under `data`; `0 days` keeps no content.",
    Document(run),
    bad: "data:\n  classes: [internal]\n  default: internal\n  retention: {records: 2 years} #!\n  matrix: {internal: {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}}\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n",
    good: "data:\n  classes: [internal]\n  default: internal\n  retention: {content: 0 days, records: 2 years}\n  matrix: {internal: {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}}\n  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let Some(section) = document.section(Section::Data) else {
        return;
    };
    let retention = document.data.retention.as_ref();
    let says =
        |what: &str| retention.is_some_and(|retention| retention.value.iter().any(|(name, _)| name.as_str() == what));
    let missing: Vec<&str> = ["content", "records"].into_iter().filter(|what| !says(what)).collect();
    if !missing.is_empty() {
        let place = retention.map_or(section.place, |retention| retention.place);
        let message = format!("nothing says how long {} are kept", missing.join(" and "));
        let problem = Problem::warning("retention-missing", place, message.replace("content are", "content is"));
        problems.push(problem.help("write `retention: {content: 0 days, records: 2 years}` with your own times"));
    }
}
