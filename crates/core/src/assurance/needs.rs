//! What the citations of a policy need to see.

use std::collections::{BTreeMap, BTreeSet};

use super::{Missing, Unstated};
use crate::decide::selector::{Data, Selector, Test};
use crate::detect::scanner::Scanner;
use crate::policy::compile::{CitationId, Policy, Rule};
use crate::verdict::{Direction, SourceSet, Verdict};

/// What one citation needs to see.
#[derive(Debug, Clone)]
pub(super) struct Need {
    pub(super) citation: CitationId,
    /// The strictest that it may say.
    pub(super) then: Verdict,
    pub(super) directions: Vec<Direction>,
    pub(super) of: Of,
}

/// Of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Of text: what is found in it, or who wrote it.
    Text {
        /// Whose text, if it asks for certain authors.
        sources: Option<SourceSet>,
        /// Whether it masks what it finds.
        masks: bool,
        /// Whether what is found later may change what is said of what was found before.
        counts: bool,
    },
    /// Of calls of tools.
    Calls,
}

/// What a policy needs, and what it asks for that nobody states.
#[derive(Debug, Default)]
pub(super) struct Needs {
    pub(super) needs: Vec<Need>,
    pub(super) missing: Vec<Missing>,
}

/// What the citations of a policy need, that say more than `allow`.
pub(super) fn of(policy: &Policy, scanner: &Scanner) -> Needs {
    let found: BTreeSet<u32> = scanner
        .detectors()
        .flat_map(|detector| detector.entities())
        .filter_map(|entity| policy.names.entities.index(entity.as_str()))
        .collect();
    let mut asked = Asked {
        policy,
        found,
        needs: Vec::new(),
        missing: BTreeMap::new(),
    };
    asked.tables();
    for rule in &policy.rules {
        asked.rule(rule);
    }
    let missing = asked.missing.into_iter().map(|((what, id), clauses)| Missing {
        what,
        id,
        clauses: clauses.into_iter().collect(),
    });
    Needs {
        needs: asked.needs,
        missing: missing.collect(),
    }
}

struct Asked<'p> {
    policy: &'p Policy,
    /// The entities that some detector finds.
    found: BTreeSet<u32>,
    needs: Vec<Need>,
    missing: BTreeMap<(Unstated, String), BTreeSet<String>>,
}

impl Asked<'_> {
    /// The matrix, the table of answers, ceilings of uses, and the tools.
    fn tables(&mut self) {
        let policy = self.policy;
        let cited = policy.citations;
        let counts = self.escalates();
        let cells = policy.matrix_rows();
        // Where all classes are treated alike, nobody needs to know which one it is.
        if cells.iter().any(|row| Some(row) != cells.first())
            || policy.apps.iter().flatten().any(|app| !app.cells.is_empty())
        {
            let own = policy
                .apps
                .iter()
                .flatten()
                .flat_map(|app| app.cells.iter().map(|(_, verdict)| *verdict));
            let all: Vec<Verdict> = cells.iter().flatten().copied().chain(own).collect();
            self.table(cited.matrix, Direction::Prompt, &all, false);
        }
        let answers = policy.answers.clone();
        self.table(cited.answers, Direction::Answer, &answers, counts);
        if policy.uses.iter().flatten().any(|one| one.ceiling.is_some()) {
            self.table(cited.uses, Direction::Prompt, &[Verdict::Block], false);
        }
        if let Some(tools) = &policy.tools {
            let then = tools.list.iter().map(|tool| tool.then).chain([tools.unlisted]).max();
            self.need(
                cited.tools,
                then.unwrap_or(Verdict::Allow),
                &[Direction::Answer],
                Of::Calls,
            );
        }
    }

    /// A table that says something else of each class.
    fn table(&mut self, citation: CitationId, direction: Direction, says: &[Verdict], counts: bool) {
        let then = says.iter().copied().max().unwrap_or(Verdict::Allow);
        if then == Verdict::Allow {
            return;
        }
        let of = Of::Text {
            sources: None,
            masks: says.contains(&Verdict::Redact),
            counts,
        };
        self.need(citation, then, &[direction], of);
        for (name, index) in self.unfound() {
            let class = self.policy.entity_classes.get(index as usize).copied();
            if class.is_some_and(|class| class > self.policy.default_class) {
                self.misses(Unstated::Entity, &name, citation);
            }
        }
    }

    fn rule(&mut self, rule: &Rule) {
        for selector in &rule.when {
            let mut directions = vec![Direction::Prompt, Direction::Answer];
            let (mut text, mut calls, mut served) = (false, false, true);
            for test in selector.tests() {
                match test {
                    Test::Direction(wanted) => directions.retain(|one| wanted.contains(one)),
                    Test::Data(data, _) => {
                        text = true;
                        served &= self.data(data, rule.citation);
                    }
                    Test::Source(_) => text = true,
                    Test::Finding(wanted, _) => {
                        // No detector makes any.
                        (text, served) = (true, false);
                        for finding in wanted {
                            self.misses(Unstated::Finding, finding, rule.citation);
                        }
                    }
                    Test::Tool(_) => calls = true,
                    Test::Group(_)
                    | Test::App(_)
                    | Test::Principal(_)
                    | Test::Client(_)
                    | Test::Use(_)
                    | Test::Model(_)
                    | Test::Training(_)
                    | Test::SignedIn(_)
                    | Test::Time(_) => {}
                }
            }
            let condition = rule.condition.as_ref();
            let mentions = |names: &[&str]| condition.is_some_and(|it| names.iter().any(|name| it.mentions(name)));
            text |= mentions(&["data", "data_class", "sources", "findings"]);
            calls |= mentions(&["tools"]);
            // What nobody states anywhere is no matter of a route.
            if !served {
                continue;
            }
            if text {
                let of = Of::Text {
                    sources: wanted_sources(selector),
                    masks: rule.then == Verdict::Redact,
                    counts: condition.is_some()
                        || self.escalates() && selector.data().is_some_and(|data| data.class.is_some()),
                };
                self.need(rule.citation, rule.then, &directions, of);
            }
            if calls {
                directions.retain(|one| *one == Direction::Answer);
                self.need(rule.citation, rule.then, &directions, Of::Calls);
            }
        }
    }

    /// Whether some of what `data` names can be found; notes what cannot.
    fn data(&mut self, data: &Data, citation: CitationId) -> bool {
        let class = |index: u32| {
            self.policy
                .entity_classes
                .get(index as usize)
                .copied()
                .unwrap_or_default()
        };
        let named = |index: u32| data.names(Some(index), class(index));
        let found = self.found.iter().any(|&index| named(index));
        let unfound: Vec<String> = self
            .unfound()
            .into_iter()
            .filter(|(_, index)| named(*index))
            .map(|(name, _)| name)
            .collect();
        let always = data.class.is_some_and(|floor| self.policy.default_class >= floor);
        for name in unfound {
            self.misses(Unstated::Entity, &name, citation);
        }
        found || always
    }

    /// The entities that no detector finds.
    fn unfound(&self) -> Vec<(String, u32)> {
        let entities = &self.policy.names.entities;
        let all = entities
            .names()
            .filter_map(|name| Some((name.to_owned(), entities.index(name)?)));
        all.filter(|(_, index)| !self.found.contains(index)).collect()
    }

    /// Whether a class depends on how much is found, or what beside.
    fn escalates(&self) -> bool {
        let waits = |at_least: Option<u32>| at_least.is_none_or(|number| number > 1);
        self.policy.escalations.iter().any(|one| waits(one.at_least))
    }

    fn misses(&mut self, what: Unstated, id: &str, citation: CitationId) {
        let clauses = self.missing.entry((what, id.to_owned())).or_default();
        clauses.insert(self.policy.citation(citation).id.clone());
    }

    fn need(&mut self, citation: CitationId, then: Verdict, directions: &[Direction], of: Of) {
        if then > Verdict::Allow && !directions.is_empty() {
            self.needs.push(Need {
                citation,
                then,
                directions: directions.to_vec(),
                of,
            });
        }
    }
}

fn wanted_sources(selector: &Selector) -> Option<SourceSet> {
    selector.tests().iter().find_map(|test| match test {
        Test::Source(wanted) => Some(*wanted),
        _ => None,
    })
}
