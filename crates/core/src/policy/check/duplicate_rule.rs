//! Two clauses, two rules.

use std::collections::BTreeMap;

use super::{Context, check};
use crate::policy::document::{AppSelector, Rule, Selector, Text};
use crate::policy::problem::Problem;

check!(
    "duplicate-rule",
    Warning,
    "No two clauses have the same rule; the order of keys and of names makes no difference.",
    "Make it one clause, or change the rule of one of them.",
    Document(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {group: [staff, engineering], data: iban}, then: block}}\n    - {id: AU-2, statement: Not so., rule: {when: {data: iban, group: [engineering, staff]}, then: block}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: No., rule: {when: {group: staff, data: iban}, then: block}}\n    - {id: AU-2, statement: Not so., rule: {when: {group: engineering, data: iban}, then: block}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<String, &Text> = BTreeMap::new();
    for clause in &context.document.clauses {
        let Some(rule) = &clause.rule else { continue };
        let known = first.entry(meaning(rule)).or_insert(&clause.id);
        if known.place != clause.id.place {
            let message = format!("`{}` has the same rule as `{}`", clause.id.value, known.value);
            let problem = Problem::warning("duplicate-rule", clause.id.place, message);
            problems.push(problem.help("make it one clause, or change what one of them is about"));
        }
    }
}

/// What a rule says, without its places and with its lists in order.
pub(super) fn meaning(rule: &Rule) -> String {
    let condition = rule.condition.as_ref().map(|condition| condition.value.trim());
    let then = rule.then.value;
    format!("{:?} {:?} {condition:?} {then}", all(&rule.when), all(&rule.unless))
}

fn all(selectors: &[Selector]) -> Vec<String> {
    sorted(selectors.iter().map(selector))
}

fn sorted(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.collect();
    words.sort();
    words.dedup();
    words
}

fn texts(texts: Option<&Vec<Text>>) -> Option<Vec<String>> {
    texts.map(|texts| sorted(texts.iter().map(|text| text.value.clone())))
}

fn selector(selector: &Selector) -> String {
    let Selector {
        place: _,
        principal,
        group,
        client,
        app,
        model,
        tool,
        use_,
        direction,
        data,
        source,
        finding,
        training,
        signed_in,
        time,
    } = selector;
    let signed_in = signed_in.as_ref().map(|within| within.value);
    let names = [principal, group, client, model, tool, use_, data, finding, training];
    let names: Vec<_> = names.into_iter().map(|names| texts(names.as_ref())).collect();
    let apps = app.as_ref().map(|apps| sorted(apps.iter().map(app_selector)));
    let directions = direction
        .as_ref()
        .map(|words| sorted(words.iter().map(|word| word.value.to_string())));
    let sources = source
        .as_ref()
        .map(|words| sorted(words.iter().map(|word| word.value.to_string())));
    format!("{names:?} {apps:?} {directions:?} {sources:?} {signed_in:?} {time:?}")
}

fn app_selector(app: &AppSelector) -> String {
    let classes = app
        .class
        .as_ref()
        .map(|classes| sorted(classes.iter().map(|class| class.value.to_string())));
    format!(
        "{:?} {classes:?} {:?}",
        texts(app.id.as_ref()),
        texts(app.category.as_ref())
    )
}
