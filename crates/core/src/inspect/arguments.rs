//! From the arguments of a tool call to facts: which of the policy's conditions on them hold.
//!
//! Arguments are read here and forgotten; facts and records keep the conditions' own words. Read [`called`] first.

use crate::decide::Called;
use crate::decide::arguments::{Argument, ArgumentTest, Path};
use crate::policy::compile::Policy;
use crate::wire::json::{self, Document, Kind, Limits, Node};

/// The facts about a call of the tool `name`. Arguments that are no strict JSON object meet no condition.
#[must_use]
pub fn called(policy: &Policy, name: String, arguments: Option<&str>) -> Called {
    let met = met(policy, &name, arguments);
    Called {
        name,
        met,
        awaited: false,
    }
}

/// Whether the policy asks for the arguments of a tool.
pub(super) fn matter(policy: &Policy, name: &str) -> bool {
    policy.argument_tests(name).next().is_some()
}

/// The conditions on a tool's arguments that hold.
pub(super) fn met(policy: &Policy, name: &str, arguments: Option<&str>) -> Vec<String> {
    let mut met: Vec<String> = Vec::new();
    if !matter(policy, name) {
        return met;
    }
    let Some(doc) = arguments.and_then(|text| json::parse(text.as_bytes(), &Limits::default()).ok()) else {
        return met;
    };
    for test in policy.argument_tests(name) {
        if !met.contains(&test.label) && holds(test, &doc) {
            met.push(test.label.clone());
        }
    }
    met
}

/// Whether the argument is there and every value of it fits.
fn holds(test: &ArgumentTest, doc: &Document<'_>) -> bool {
    match &test.path {
        Path::Names(names) => all_of(doc, doc.root(), names, test),
        Path::Pointer(steps) => {
            let step = |node: Node, step: &String| match doc.kind(node) {
                Kind::Array => {
                    let index: usize = step.parse().ok().filter(|index: &usize| index.to_string() == *step)?;
                    doc.children(node).nth(index)
                }
                _ => doc.get(node, step),
            };
            let found = steps.iter().try_fold(doc.root(), step);
            found.is_some_and(|node| fits(doc, node, test))
        }
    }
}

/// Follows names, through arrays to each of their items.
fn all_of(doc: &Document<'_>, node: Node, names: &[String], test: &ArgumentTest) -> bool {
    let Some((name, rest)) = names.split_first() else {
        return fits(doc, node, test);
    };
    match doc.kind(node) {
        Kind::Object => doc
            .get(node, name)
            .is_some_and(|member| all_of(doc, member, rest, test)),
        Kind::Array => {
            let mut items = doc.children(node).peekable();
            items.peek().is_some() && items.all(|item| all_of(doc, item, names, test))
        }
        Kind::Null | Kind::Bool | Kind::Number | Kind::String => false,
    }
}

/// Whether a value fits; of an array each item, and an empty one has nothing that could.
fn fits(doc: &Document<'_>, node: Node, test: &ArgumentTest) -> bool {
    match doc.kind(node) {
        Kind::String => doc.text(node).is_some_and(|text| test.accepts(Argument::Text(&text))),
        Kind::Number => test.accepts(Argument::Number(doc.raw(node))),
        Kind::Bool => test.accepts(Argument::Bool(doc.raw(node))),
        Kind::Array => {
            let mut items = doc.children(node).peekable();
            items.peek().is_some() && items.all(|item| fits(doc, item, test))
        }
        Kind::Null | Kind::Object => false,
    }
}
