//! Finding more never loosens: what lifts a rule may not depend on what was found.

use super::{Context, check};
use crate::policy::document::Selector;
use crate::policy::problem::Problem;

check!(
    "loosening-selector",
    Error,
    "`unless`, `who` and `for` do not test `data` or `finding`.",
    "Say the opposite in `when`.",
    Document(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {group: staff}, unless: {data: iban}, then: block}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {group: staff}, unless: {use: coding}, then: block}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let rules = document.clauses.iter().filter_map(|clause| clause.rule.as_ref());
    let mut look = |key: &str, selectors: &[Selector]| {
        for selector in selectors {
            for (name, place) in [("data", &selector.data), ("finding", &selector.finding)] {
                if let Some(word) = place.as_ref().and_then(|words| words.first()) {
                    let message = format!("`{key}` tests `{name}`, so that finding more would loosen the policy");
                    let problem = Problem::error("loosening-selector", word.place, message);
                    problems.push(problem.help(match key {
                        "who" => "an exception is for somebody, whatever is found: leave it out, or narrow the clause's own rule",
                        "for" => "say for whom the app is, and leave what is found to rules",
                        _ => "say the opposite in `when`",
                    }));
                }
            }
        }
    };
    rules.for_each(|rule| look("unless", &rule.unless));
    document
        .exceptions
        .iter()
        .for_each(|exception| look("who", &exception.who));
    document
        .apps
        .iter()
        .filter_map(|app| app.only_for.as_ref())
        .for_each(|selectors| look("for", &selectors.value));
}
