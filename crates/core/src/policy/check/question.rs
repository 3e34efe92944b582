//! What the checks of a policy's meaning ask with: the policy, and a search over all requests.

use super::Context;
use crate::decide::Decision;
use crate::decide::selector::Selector;
use crate::detect::scanner::Scanner;
use crate::policy::cases;
use crate::policy::compile::{CitationId, Policy, Rule};
use crate::policy::document::Clause;
use crate::verdict::Verdict;
use crate::witness::{Lit, Search, Witness};

/// A policy and a search over the requests that it can tell apart.
#[derive(Debug)]
pub struct Question<'q> {
    pub(super) policy: &'q Policy,
    pub(super) search: Search,
    context: &'q Context<'q>,
    scanner: Scanner,
}

impl<'q> Question<'q> {
    pub(super) fn new(context: &'q Context<'q>, policy: &'q Policy) -> Self {
        Self {
            policy,
            search: Search::new(&[policy], context.catalog, context.now),
            context,
            scanner: Scanner::new(&[]),
        }
    }

    /// The plainest request with all of these to which `shows` says yes, on one line.
    pub(super) fn witness(&mut self, wanted: &[Lit], shows: impl Fn(&Policy, &Decision) -> bool) -> Option<String> {
        let (policy, scanner, catalog) = (self.policy, &self.scanner, self.context.catalog);
        let decided = |witness: &Witness| cases::ask(policy, scanner, catalog, &witness.request, witness.now).decision;
        let found = self.search.find(wanted, |witness| shows(policy, &decided(witness)));
        found.map(|witness| witness.to_yaml(&policy.zone))
    }

    /// That one of these selectors matches.
    pub(super) fn any(&mut self, selectors: &[Selector]) -> Lit {
        let policy = self.policy;
        let lits: Vec<Lit> = selectors
            .iter()
            .map(|selector| self.search.selector(policy, selector))
            .collect();
        self.search.space.circuit.or(lits)
    }

    /// The id of a citation.
    pub(super) fn id(&self, citation: CitationId) -> &'q str {
        &self.policy.citation(citation).id
    }

    /// The rules with their clauses, in the order of the document.
    pub(super) fn rules(&self) -> Vec<(&'q Clause, &'q Rule)> {
        let by_id = |rule: &'q Rule| {
            let id = &self.policy.citation(rule.citation).id;
            let clause = self
                .context
                .document
                .clauses
                .iter()
                .find(|clause| clause.id.value == *id);
            clause.map(|clause| (clause, rule))
        };
        self.policy.rules.iter().filter_map(by_id).collect()
    }

    /// Whether a citation is a rule's or a gate's, rather than a table's or the grants'.
    pub(super) fn is_sentence(&self, citation: CitationId) -> bool {
        let rules = self.policy.rules.iter().map(|rule| rule.citation);
        rules
            .chain(self.policy.gates.iter().map(|gate| gate.citation))
            .any(|one| one == citation)
    }

    /// Who blocks everything that has all of `wanted`: one citation alone if there is one, and a request that
    /// shows it beside `but`.
    pub(super) fn blocker(&mut self, wanted: &[Lit], but: Option<CitationId>) -> Option<(CitationId, Option<String>)> {
        let says = self.search.says().iter().filter(|say| Some(say.citation) != but);
        let blocks: Vec<(CitationId, Lit)> = says.map(|say| (say.citation, say.verdict.at(Verdict::Block))).collect();
        let model = self.search.space.circuit.solve(wanted)?;
        let candidates = blocks.into_iter().filter(|(_, blocks)| model.holds(*blocks));
        for (citation, blocks) in candidates.collect::<Vec<_>>() {
            if !self.search.can(&[wanted, &[!blocks]].concat()) {
                // A condition is not looked into: only the engine can tell that what is blocked had a say as well.
                let shows = |_: &Policy, decision: &Decision| {
                    let cited = |wanted| decision.contributions.iter().any(|one| one.citation == wanted);
                    cited(citation) && but.is_none_or(cited)
                };
                let witness = self.witness(&[wanted, &[blocks]].concat(), shows);
                return Some((citation, witness));
            }
        }
        None
    }
}
