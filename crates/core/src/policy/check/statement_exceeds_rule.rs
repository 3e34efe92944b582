//! A clause promises no more than its rule does.
//!
//! The prose is searched for names of this policy (groups, apps, classes, entities, uses) and for words such as `everyone`.
//! A name counts only where the rule looks at names of that kind and not at this one: a rule without any `group` holds for
//! all groups, so that prose about some of them promises nothing more. After `only` or `except` it is the other way round:
//! the prose singles out what the rule does not look at. Rather silent than wrong: what may be an ordinary word is passed over.

mod prose;
mod reach;

use super::{Context, check};
use crate::policy::document::{Clause, Rule};
use crate::policy::problem::Problem;
use prose::Prose;
use reach::{Kind, Name, Reach};

check!(
    "statement-exceeds-rule",
    Warning,
    "The statement of a clause names no group, app, class, entity or use that its rule leaves out, nor everyone where the rule is for some.",
    "Add what is missing to the rule's selectors, or say only what the rule does.",
    Document(run),
    bad: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: Staff and engineering send no account numbers., rule: {when: {group: engineering, data: iban}, then: block}} #!\n",
    good: "acceptable_use:\n  clauses:\n    - {id: AU-1, statement: Staff and engineering send no account numbers., rule: {when: {group: [engineering, staff], data: iban}, then: block}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let names = reach::names(context);
    for clause in &context.document.clauses {
        let (Some(rule), Some(statement)) = (&clause.rule, &clause.statement) else {
            continue;
        };
        for message in exceeding(context, clause, rule, statement.as_str(), &names) {
            let problem = Problem::warning("statement-exceeds-rule", statement.place, message);
            problems.push(problem.help("add it to the rule's selectors, or say only what the rule does"));
        }
    }
}

/// What the statement says and the rule does not do.
fn exceeding(context: &Context<'_>, clause: &Clause, rule: &Rule, statement: &str, names: &[Name]) -> Vec<String> {
    let id = &clause.id.value;
    let prose = Prose::read(statement, &context.document.data.keywords);
    let reach = Reach::of(rule);
    let mut messages = Vec::new();
    let mut mentioned = Vec::new();
    for name in names {
        for mention in name.mentions(&prose) {
            mentioned.push(name.kind);
            let exceeds = if mention.singled_out {
                // Data is named by `when` alone, and prose on an entity after `only` says little about a rule.
                !matches!(name.kind, Kind::Entity | Kind::DataClass) && !reach.looks_at(name.kind)
            } else {
                reach.is_limited_by(name.kind) && !reach.covers(context, name)
            };
            let message = format!(
                "`{id}` speaks of {} `{}`, which its rule leaves out",
                name.kind.word(),
                name.id
            );
            if exceeds && !messages.contains(&message) {
                messages.push(message);
            }
        }
    }
    let people = mentioned.contains(&Kind::Group);
    if prose.says_everyone() && !people {
        if reach.is_limited_to_some_people() {
            messages.push(format!(
                "`{id}` speaks of everyone, but its rule is for some people alone"
            ));
        } else if reach.lets_some_people_off() && !prose.says_except() {
            messages.push(format!("`{id}` speaks of everyone, but its rule lets some people off"));
        }
    }
    let apps = mentioned.contains(&Kind::App) || mentioned.contains(&Kind::AppClass);
    if prose.says_every_app() && !apps && reach.is_limited_by(Kind::App) && !prose.says_except() {
        messages.push(format!(
            "`{id}` speaks of all apps, but its rule is for some apps alone"
        ));
    }
    messages
}

#[cfg(test)]
mod tests;
