//! Calls of tools that stand for all others: one for each combination of a name and of the conditions on arguments that it
//! meets.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::shapes::representatives;
use crate::decide::arguments::{ArgumentTest, Path};
use crate::exchange::ToolCall;
use crate::inspect::arguments;
use crate::policy::compile::Policy;

/// At most so many kinds of call of one tool; a policy has a handful.
const MAX_CALLS: usize = 64;

/// The calls that `policies` tell apart, given the patterns of names that they use.
pub(super) fn calls(policies: &[&Policy], names: &BTreeSet<String>) -> Vec<ToolCall> {
    representatives(names)
        .iter()
        .flat_map(|name| of_tool(policies, name))
        .collect()
}

/// The calls of one tool: without arguments, and with each combination of telling ones.
fn of_tool(policies: &[&Policy], tool: &str) -> Vec<ToolCall> {
    let tests: Vec<&ArgumentTest> = policies.iter().flat_map(|policy| policy.argument_tests(tool)).collect();
    let mut values: BTreeMap<Vec<String>, Vec<Option<Value>>> = BTreeMap::new();
    for test in &tests {
        values.entry(steps(&test.path)).or_default();
    }
    for (path, values) in &mut values {
        let here = tests.iter().filter(|test| steps(&test.path) == *path);
        values.push(None);
        values.extend(telling(here.copied()).into_iter().map(Some));
    }
    let mut arguments: Vec<Value> = vec![json!({})];
    for (path, values) in values {
        let with = |known: &Value| {
            values
                .iter()
                .map(|value| placed(known, &path, value.as_ref()))
                .collect::<Vec<_>>()
        };
        arguments = arguments.iter().flat_map(with).take(MAX_CALLS).collect();
    }
    let mut seen = BTreeSet::new();
    let calls = arguments.into_iter().map(|arguments| ToolCall {
        tool: tool.to_owned(),
        arguments: arguments
            .as_object()
            .is_some_and(|members| !members.is_empty())
            .then(|| arguments.to_string()),
    });
    calls
        .filter(|call| seen.insert(policies.iter().map(|policy| met(policy, call)).collect::<Vec<_>>()))
        .collect()
}

/// The conditions of a policy that a call meets.
pub(super) fn met(policy: &Policy, call: &ToolCall) -> Vec<String> {
    arguments::called(policy, call.tool.clone(), call.arguments.as_deref()).met
}

/// Texts for each combination of patterns, and numbers around each bound.
fn telling<'t>(tests: impl Iterator<Item = &'t ArgumentTest>) -> Vec<Value> {
    let (mut patterns, mut numbers) = (BTreeSet::new(), Vec::new());
    for test in tests {
        patterns.extend(test.patterns().map(str::to_owned));
        numbers.extend(test.bounds().flat_map(|bound| [bound - 1.0, bound, bound + 1.0]));
    }
    let texts = representatives(&patterns).into_iter().map(Value::from);
    texts.chain(numbers.into_iter().map(Value::from)).collect()
}

fn steps(path: &Path) -> Vec<String> {
    match path {
        Path::Names(steps) | Path::Pointer(steps) => steps.clone(),
    }
}

/// The arguments with a value at a path.
fn placed(arguments: &Value, path: &[String], value: Option<&Value>) -> Value {
    let mut arguments = arguments.clone();
    let Some(value) = value else { return arguments };
    let mut at = &mut arguments;
    for step in path {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(members) = at else { break };
        at = members.entry(step.clone()).or_insert(Value::Null);
    }
    *at = value.clone();
    arguments
}
