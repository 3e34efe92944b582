//! Witnesses: a request that shows something of a policy, found rather than guessed.
//!
//! Questions such as "can this clause ever match?", "does this policy ever pass what that one blocks?" are about all
//! requests at once. Here they become questions to a SAT solver: `space` says what a request can differ in, `encode`
//! what a policy decides about it, and a solution is turned back into a `Request` that `ordain explain` and cases
//! understand. When there is no solution, there is no such request. The one thing that stays open is conditions in CEL,
//! which are not looked into; every witness is therefore put to the engine before it is shown. Read `Search` first.

mod calls;
mod circuit;
pub(crate) mod encode;
mod interest;
mod moments;
pub(crate) mod request;
mod shapes;
pub(crate) mod space;

use jiff::Timestamp;

pub(crate) use circuit::{Lit, Model};
pub(crate) use encode::{Meaning, Say};
pub use request::Witness;
pub(crate) use space::Space;

use crate::catalog::Catalog;
use crate::decide::selector::{Selector, Test};
use crate::detect::scanner::Scanner;
use crate::policy::cases::{self, Request};
use crate::policy::compile::Policy;
use crate::verdict::Verdict;

/// For each of some citations a plain request in which it has a say, alone or at least unblocked by others where that is possible; those that never have one
/// are left out.
#[must_use]
pub fn suggestions(policy: &Policy, catalog: &Catalog, now: Timestamp, wanted: &[&str]) -> Vec<(String, Witness)> {
    let mut search = Search::new(&[policy], catalog, now);
    let scanner = Scanner::new(policy.own_detectors());
    let mut found = Vec::new();
    for id in wanted {
        let named = |say: &&Say| policy.citation(say.citation).id == *id;
        let Some(say) = search.says().iter().find(named) else {
            continue;
        };
        let (citation, speaks) = (say.citation, say.verdict.speaks());
        let others: Vec<_> = search
            .says()
            .iter()
            .filter(|other| other.citation != citation)
            .map(|other| other.verdict)
            .collect();
        let alone: Vec<Lit> = others.iter().map(|other| !other.speaks()).chain([speaks]).collect();
        let heard: Vec<Lit> = others
            .iter()
            .map(|other| !other.at(Verdict::Block))
            .chain([speaks])
            .collect();
        let shows = |witness: &Witness| {
            let decision = cases::ask(policy, &scanner, catalog, &witness.request, witness.now).decision;
            decision.full_contributions(policy).any(|one| one.citation == citation)
        };
        let tiers = [alone, heard, vec![speaks]];
        let witness = tiers.iter().find_map(|wanted| search.find(wanted, shows));
        found.extend(witness.map(|witness| ((*id).to_owned(), witness)));
    }
    found
}

/// Policies and what they mean, ready to be asked about all requests.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) space: Space,
    pub(crate) meanings: Vec<Meaning>,
}

impl Search {
    pub(crate) fn new(policies: &[&Policy], catalog: &Catalog, now: Timestamp) -> Self {
        let mut space = Space::new(policies, catalog, now);
        let meanings = policies.iter().map(|policy| Meaning::new(policy, &mut space)).collect();
        Self { space, meanings }
    }

    /// What the only policy, or the first, means.
    pub(crate) fn meaning(&self) -> Option<&Meaning> {
        self.meanings.first()
    }

    /// Its says, by citation.
    pub(crate) fn says(&self) -> &[Say] {
        self.meaning()
            .map(|meaning| meaning.says.as_slice())
            .unwrap_or_default()
    }

    /// That a selector of the first policy matches.
    pub(crate) fn selector(&mut self, policy: &Policy, wanted: &Selector) -> Lit {
        let Self { space, meanings } = self;
        meanings
            .first()
            .map_or(Lit::constant(false), |meaning| meaning.selector(policy, space, wanted))
    }

    /// That a key of a selector of the first policy matches.
    pub(crate) fn key(&mut self, policy: &Policy, wanted: &Test) -> Lit {
        let Self { space, meanings } = self;
        meanings
            .first()
            .map_or(Lit::constant(false), |meaning| meaning.key(policy, space, wanted))
    }

    /// Whether some request has all of these.
    pub(crate) fn can(&mut self, wanted: &[Lit]) -> bool {
        self.space.circuit.can(wanted)
    }

    /// The plainest request that has all of these and `shows` what it is looked for; `None` when there is none.
    ///
    /// `shows` asks the engine. It can only say no where a condition in CEL has a part; then other requests are tried.
    pub(crate) fn find(&mut self, wanted: &[Lit], shows: impl Fn(&Witness) -> bool) -> Option<Witness> {
        const TRIES: usize = 16;
        let mut wanted = wanted.to_vec();
        for _ in 0..TRIES {
            let model = self.plainest(&wanted)?;
            let witness = request::of(&self.space, &model);
            if shows(&witness) {
                return Some(witness);
            }
            let same: Vec<Lit> = request::choices(&self.space)
                .into_iter()
                .filter(|&lit| model.holds(lit))
                .collect();
            wanted.push(!self.space.circuit.and(same));
        }
        None
    }

    fn plainest(&mut self, wanted: &[Lit]) -> Option<Model> {
        let mut assumed = wanted.to_vec();
        let mut model = self.space.circuit.solve(&assumed)?;
        let preferred = request::preferences(&self.space);
        self.settle(&preferred, &mut assumed, &mut model);
        Some(model)
    }

    /// Takes each of `preferred` in turn unless it contradicts those before; most are taken many at a time.
    fn settle(&mut self, preferred: &[Lit], assumed: &mut Vec<Lit>, model: &mut Model) {
        if !preferred.iter().all(|&lit| model.holds(lit)) {
            match self.space.circuit.solve(&[assumed.as_slice(), preferred].concat()) {
                Some(plainer) => *model = plainer,
                None => {
                    if let (first, second @ [_, ..]) = preferred.split_at(preferred.len() / 2)
                        && !first.is_empty()
                    {
                        self.settle(first, assumed, model);
                        self.settle(second, assumed, model);
                    }
                    return;
                }
            }
        }
        assumed.extend(preferred);
    }
}
