//! Small edits to a random policy, such as its owner would make.

use crate::generate::{self, Rng};
use crate::naive::model::{Policy, Source, Verdict};

/// The source with a name.
pub(super) fn source(name: &str) -> Source {
    match name {
        "user" => Source::User,
        "system" => Source::System,
        "tool" => Source::Tool,
        "retrieved" => Source::Retrieved,
        _ => Source::Model,
    }
}

/// The policy with one edit.
pub(super) fn edited(rng: &mut Rng, old: &Policy) -> Policy {
    loop {
        let new = once(rng, old);
        if new != *old {
            return new;
        }
    }
}

/// An edit; where it does not apply, the policy stays as it is.
fn once(rng: &mut Rng, old: &Policy) -> Policy {
    let mut new = old.clone();
    match rng.below(16) {
        0 => reword(&mut new),
        1 => {
            if let Some(index) = index(rng, new.rules.len()) {
                new.rules[index].then = weaker(new.rules[index].then);
            }
        }
        2 => {
            if let Some(index) = index(rng, new.rules.len()) {
                new.rules[index].unless = None;
            }
        }
        3 => {
            let key = rng.pick(&generate::SELECTOR_KEYS);
            new = generate::without_key(&new, key);
        }
        4 => {
            if let Some(index) = index(rng, new.rules.len()) {
                new.rules.remove(index);
                let ids: Vec<String> = new.rules.iter().map(|rule| rule.id.clone()).collect();
                let gone = &old.rules[index].id;
                new.rollout.retain(|id, _| id != gone);
                new.exceptions
                    .retain(|exception| exception.clause != *gone || ids.contains(&exception.clause));
            }
        }
        5 => {
            if let Some(index) = index(rng, new.grants.len()) {
                new.grants[index].groups = vec!["everyone".to_owned()];
            }
        }
        6 => {
            if let Some(index) = index(rng, new.grants.len()) {
                new.grants[index].models = None;
                new.grants[index].uses = None;
            }
        }
        7 => {
            if let Some(index) = index(rng, new.exceptions.len()) {
                new.exceptions.remove(index);
            }
        }
        8 => {
            if let Some(index) = index(rng, new.apps.len()) {
                new.apps[index].require.clear();
                new.apps[index].models = None;
            }
        }
        9 => {
            if let Some(index) = index(rng, new.apps.len()) {
                new.apps[index].expires = None;
                new.apps[index].cells.clear();
            }
        }
        10 => {
            if let Some(index) = index(rng, new.gates.len()) {
                new.gates[index].grace += 1;
            }
        }
        11 => {
            if let Some(index) = index(rng, new.data.escalate.len()) {
                new.data.escalate.remove(index);
            }
        }
        12 => {
            if let Some(tools) = &mut new.tools {
                tools.list.reverse();
            }
        }
        13 => {
            if let Some(index) = index(rng, new.passes.len()) {
                new.passes[index].then = weaker(new.passes[index].then);
                new.passes[index].until = None;
            }
        }
        14 => {
            if let Some(index) = index(rng, new.passes.len()) {
                new.passes.remove(index);
            }
        }
        _ => new.scope.exclude.clear(),
    }
    new
}

/// Says the same in another order.
fn reword(policy: &mut Policy) {
    policy.rules.reverse();
    policy.grants.reverse();
    policy.passes.reverse();
    for rule in &mut policy.rules {
        rule.when.reverse();
        rule.tell = Some("Something else.".to_owned());
    }
}

fn weaker(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Block => Verdict::Hold,
        Verdict::Hold => Verdict::Justify,
        Verdict::Redact | Verdict::Justify => Verdict::Coach,
        Verdict::Coach | Verdict::Allow => Verdict::Block,
    }
}

fn index(rng: &mut Rng, length: usize) -> Option<usize> {
    (length > 0).then(|| rng.below(length))
}
