//! What is to be masked has a place in the text.

use super::{Context, check};
use crate::policy::problem::Problem;
use crate::verdict::Verdict;

check!(
    "redact-without-span",
    Error,
    "`redact` needs something to mask: a rule names entities or classes above the default in every `when`; the default class, gates, tools and scope have no `redact`.",
    "Say `block`, `hold` or `coach`, or name what is to be masked.",
    Document(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {group: staff}, then: redact}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {data: payment-card}, then: redact}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let data = &document.data;
    let rank = |name: &str| data.classes.iter().position(|class| class.as_str() == name);
    let default = data.default.as_ref().and_then(|default| rank(default.as_str()));
    let low = |name: &str| rank(name).is_some_and(|class| default.is_some_and(|default| class <= default));
    let mut report = |place, message: String| {
        let problem = Problem::error("redact-without-span", place, message);
        problems.push(problem.help("say `block`, `hold` or `coach`, or name what is to be masked"));
    };
    for clause in &document.clauses {
        let Some(rule) = clause.rule.as_ref().filter(|rule| rule.then.value == Verdict::Redact) else {
            continue;
        };
        for when in &rule.when {
            match &when.data {
                None => report(
                    rule.then.place,
                    format!("`{}` redacts, but a `when` names no data", clause.id.value),
                ),
                Some(names) => {
                    for name in names.iter().filter(|name| low(name.as_str())) {
                        report(
                            name.place,
                            format!(
                                "`{}` may be text in which nothing was found: there is nothing to mask",
                                name.value
                            ),
                        );
                    }
                }
            }
        }
    }
    let rows = data
        .matrix
        .iter()
        .flat_map(|matrix| &matrix.rows)
        .flat_map(|row| row.cells.iter().map(move |(_, verdict)| (&row.class, verdict)));
    let answers = data
        .answers
        .iter()
        .flat_map(|answers| answers.value.iter().map(|(class, verdict)| (class, verdict)));
    let own = document
        .apps
        .iter()
        .flat_map(|app| app.cells.iter().map(|(class, verdict)| (class, verdict)));
    for (class, verdict) in rows.chain(answers).chain(own) {
        if verdict.value == Verdict::Redact && low(class.as_str()) {
            report(
                verdict.place,
                format!(
                    "`{}` is the class of text in which nothing was found: there is nothing to mask",
                    class.value
                ),
            );
        }
    }
    let gates = document.education.gates.iter().map(|gate| &gate.then);
    let tools = document.access.tools.iter().flat_map(|tools| {
        tools
            .unlisted
            .iter()
            .chain(tools.list.iter().filter_map(|tool| tool.then.as_ref()))
    });
    let scope = document
        .scope
        .unmapped
        .iter()
        .chain(&document.scope.outside)
        .chain(document.access.endpoints.iter().map(|line| &line.then))
        .chain(&data.uninspectable)
        .chain(&data.unavailable);
    for verdict in gates
        .chain(tools)
        .chain(scope)
        .filter(|verdict| verdict.value == Verdict::Redact)
    {
        report(verdict.place, "there is nothing to mask here".to_owned());
    }
}
