//! Which of the tools that a request lists its principal cannot use at all.
//!
//! A tool is withheld if `access.tools` would block every call of it by this principal, whatever the arguments. Then the
//! model need not hear of it. What is held, coached or depends on arguments stays in the list, and so does what another
//! clause says of a tool: that is judged call by call. Read [`withheld`] first.

use super::bound::Bound;
use super::facts::{Called, Content, Facts};
use super::selector;
use crate::policy::compile::{Policy, Tools};
use crate::verdict::{Direction, Mode, Source, SourceSet, Verdict};

/// Those of the tools that are withheld from whoever the facts are about, in the order given.
#[must_use]
pub fn withheld<'n>(policy: &Policy, facts: &Facts, tools: &'n [String]) -> Vec<&'n str> {
    let Some(listed) = &policy.tools else {
        return Vec::new();
    };
    if tools.is_empty() || policy.citation(policy.citations.tools).mode != Mode::Enforce {
        return Vec::new();
    }
    let bound = Bound::new(policy, facts);
    let is_excluded = policy
        .excludes
        .iter()
        .any(|exclude| facts.now < exclude.until && bound.groups.contains(&exclude.group));
    if is_excluded {
        return Vec::new();
    }
    let names = tools.iter().map(String::as_str);
    names
        .filter(|name| always_blocks(listed, &bound, name) && !is_excepted(policy, facts, name))
        .collect()
}

/// Whether every entry that a call of the tool can come to blocks.
fn always_blocks(tools: &Tools, bound: &Bound<'_>, name: &str) -> bool {
    for entry in tools.list.iter().filter(|entry| entry.is_for(name, &bound.groups)) {
        if entry.then != Verdict::Block {
            return false;
        }
        // Whatever the arguments are, no later entry counts.
        if entry.conditions.is_empty() {
            return true;
        }
    }
    tools.unlisted == Verdict::Block
}

/// Whether an exception would let a call of the tool pass as something other than blocked.
fn is_excepted(policy: &Policy, facts: &Facts, name: &str) -> bool {
    let citation = policy.citations.tools;
    let mut exceptions = policy
        .exceptions
        .iter()
        .filter(|one| one.citation == citation && facts.now < one.until)
        .peekable();
    if exceptions.peek().is_none() {
        return false;
    }
    // The answer that calls it and says nothing else.
    let call = Called {
        name: name.to_owned(),
        ..Called::default()
    };
    let answer = Facts {
        direction: Direction::Answer,
        content: Content {
            sources: SourceSet::of(Source::Model),
            tools: vec![call],
            ..Content::default()
        },
        ..facts.clone()
    };
    let bound = Bound::new(policy, &answer);
    exceptions
        .find(|one| selector::any(&one.who, &bound))
        .is_some_and(|one| one.then != Verdict::Block)
}
