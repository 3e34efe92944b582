//! Every `ordain …` in the examples for CI is a command line that this program takes.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser as _};
use ordain_core::policy::node::{self, Node, Value};

use crate::Cli;

/// Verbs that the examples already use and that come with another part of the program.
const TO_COME: [&str; 1] = ["diff"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Node {
    let mut problems = Vec::new();
    let tree = node::parse(0, &read(path), &mut problems);
    tree.filter(|_| problems.is_empty())
        .unwrap_or_else(|| panic!("{path}: {problems:?}"))
}

/// Every scalar of a tree.
fn scalars(node: &Node) -> Vec<&str> {
    match &node.value {
        Value::Scalar { text, .. } => vec![text],
        Value::List(items) => items.iter().flat_map(scalars).collect(),
        Value::Map(entries) => entries.iter().flat_map(|entry| scalars(&entry.node)).collect(),
    }
}

fn member<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node),
        Value::Scalar { .. } | Value::List(_) => None,
    }
}

/// The `ordain` commands of a shell script, each as its words. Enough of a shell for examples: no quotes within quotes.
fn commands(script: &str) -> Vec<Vec<String>> {
    let script = script.replace("\\\n", " ");
    let code = |line: &'_ str| line.split(" #").next().unwrap_or_default().to_owned();
    let lines: Vec<String> = script.lines().map(code).collect();
    let pieces = lines.iter().flat_map(|line| line.split(['|', ';', '>', '&']));
    let words = pieces.map(|piece| {
        let words = piece
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '\'']).to_owned());
        words.collect::<Vec<_>>()
    });
    words
        .filter(|words| words.first().is_some_and(|first| first == "ordain"))
        .collect()
}

fn assert_taken(words: &[String], path: &str) {
    let verb = words.get(1).map(String::as_str).unwrap_or_default();
    let known = Cli::command().find_subcommand(verb).is_some();
    if !known && TO_COME.contains(&verb) {
        return;
    }
    if let Err(error) = Cli::try_parse_from(words) {
        panic!("{path}: `{}`: {error}", words.join(" "));
    }
}

#[test]
fn the_pipelines_call_commands_that_exist() {
    for path in ["deploy/ci/github.yaml", "deploy/ci/gitlab.yaml"] {
        let tree = yaml(path);
        let found: Vec<Vec<String>> = scalars(&tree).into_iter().flat_map(commands).collect();
        for verb in ["check", "test", "diff"] {
            assert!(
                found.iter().any(|words| words.get(1).is_some_and(|word| word == verb)),
                "{path} runs {verb}"
            );
        }
        found.iter().for_each(|words| assert_taken(words, path));
    }
}

#[test]
fn the_hooks_call_commands_that_exist() {
    let path = ".pre-commit-hooks.yaml";
    let tree = yaml(path);
    let Value::List(hooks) = &tree.value else {
        panic!("a list of hooks")
    };
    assert_eq!(hooks.len(), 2);
    for hook in hooks {
        let text = |key: &str| member(hook, key).map(scalars).unwrap_or_default();
        assert_eq!(text("language"), ["system"]);
        assert_eq!(text("pass_filenames"), ["false"]);
        let mut words: Vec<String> = text("entry")
            .iter()
            .flat_map(|entry| entry.split(' '))
            .map(str::to_owned)
            .collect();
        words.extend(text("args").into_iter().map(str::to_owned));
        assert_eq!(words.first().map(String::as_str), Some("ordain"));
        assert_taken(&words, path);
    }
}

#[test]
fn the_guide_shows_commands_that_exist() {
    let path = "docs/guide/ci.md";
    let text = read(path);
    let blocks: Vec<&str> = text.split("```").skip(1).step_by(2).collect();
    let found: Vec<Vec<String>> = blocks.into_iter().flat_map(commands).collect();
    assert!(found.len() >= 4, "{found:?}");
    found.iter().for_each(|words| assert_taken(words, path));
}
