//! Two policies over one space of requests: every way in which their outcomes can differ, one by one.

use jiff::Timestamp;

use super::{Change, Difference, Direction, LeaveOut, Observed, What, decision, reach};
use crate::catalog::Catalog;
use crate::policy::compile::{CitationId, Policy};
use crate::verdict::Verdict;
use crate::witness::encode::{Levels, Meaning, Outcome, Say};
use crate::witness::{Lit, Search};

/// The old policy and the new one, encoded.
pub(super) struct Comparison<'c> {
    search: Search,
    policies: [&'c Policy; 2],
    catalog: &'c Catalog,
    difference: Difference,
    /// What holds of every request that is looked at.
    given: Vec<Lit>,
}

#[derive(Clone, Copy)]
enum Side {
    Old,
    New,
}

impl<'c> Comparison<'c> {
    pub(super) fn new(policies: [&'c Policy; 2], catalog: &'c Catalog, now: Timestamp) -> Self {
        Self {
            search: Search::new(&policies, catalog, now),
            policies,
            catalog,
            difference: Difference::default(),
            given: Vec::new(),
        }
    }

    /// Looks at no such requests from here on.
    pub(super) fn leave_out(&mut self, leave_out: LeaveOut) {
        let [old, _] = self.policies;
        let space = &mut self.search.space;
        if leave_out.uses {
            let listed = |name: &Option<String>| name.as_ref().is_none_or(|name| old.has_use(name));
            self.given.push(space.use_.when(&mut space.circuit, listed));
        }
        if leave_out.apps {
            let listed = |policy: &Policy, id: &str| {
                let index = policy.names.apps.index(id);
                index.is_some_and(|index| policy.apps.get(index as usize).is_some_and(Option::is_some))
            };
            let either = |id: &str| self.policies.iter().any(|policy| listed(policy, id));
            self.given
                .push(space.app.when(&mut space.circuit, |app| !either(&app.id)));
        }
    }

    pub(super) fn run(mut self) -> Difference {
        let [old, new] = self.search.meanings.as_slice() else {
            return self.difference;
        };
        let (old_full, new_full) = (old.full.clone(), new.full.clone());
        let (old_now, new_now) = (old.now.clone(), new.now.clone());
        let full: fn(&Say) -> Levels = |say| say.verdict;
        let acts: fn(&Say) -> Levels = |say| say.acts;
        let given = self.given.clone();
        self.verdicts(&old_full, &new_full, &given, What::Verdict, full);
        let same = self.alike(&old_full, &new_full);
        self.masks(
            &old_full,
            &new_full,
            &[given.as_slice(), &[same]].concat(),
            What::Mask,
            full,
        );
        let mut given = [given.as_slice(), &[same]].concat();
        given.extend(
            old_full
                .masks
                .iter()
                .zip(&new_full.masks)
                .map(|(&one, &other)| !self.search.space.circuit.differ(one, other)),
        );
        self.verdicts(&old_now, &new_now, &given, What::Rollout, acts);
        given.push(self.alike(&old_now, &new_now));
        self.masks(&old_now, &new_now, &given, What::RolloutMask, acts);
        self.difference
    }

    /// The changes from one verdict to another, by what makes them.
    fn verdicts(
        &mut self,
        old: &Outcome,
        new: &Outcome,
        given: &[Lit],
        what: fn(Verdict, Verdict) -> What,
        levels: fn(&Say) -> Levels,
    ) {
        for &before in Verdict::ALL {
            for &after in Verdict::ALL.iter().filter(|&&after| after != before) {
                let (direction, side, strictest) = if before < after {
                    (Direction::Tightened, Side::New, after)
                } else {
                    (Direction::Loosened, Side::Old, before)
                };
                let mut wanted = given.to_vec();
                wanted.push(old.verdict.exactly(&mut self.search.space.circuit, before));
                wanted.push(new.verdict.exactly(&mut self.search.space.circuit, after));
                let says = self.says(side, |say| Some(levels(say).at(strictest)));
                self.one_by_one(wanted, &says, side, direction, &what(before, after));
            }
        }
    }

    /// The changes of what is masked with the same verdict, by entity.
    fn masks(
        &mut self,
        old: &Outcome,
        new: &Outcome,
        given: &[Lit],
        what: fn(String) -> What,
        levels: fn(&Say) -> Levels,
    ) {
        let sources = self.search.space.sources.len();
        let entities: Vec<String> = self
            .search
            .space
            .entities
            .iter()
            .map(|entity| entity.id.clone())
            .collect();
        for (index, entity) in entities.into_iter().enumerate() {
            for (direction, side) in [(Direction::Tightened, Side::New), (Direction::Loosened, Side::Old)] {
                let spots = index * sources..(index + 1) * sources;
                let pairs: Vec<(Lit, Lit)> = spots
                    .clone()
                    .filter_map(|spot| Some((*old.masks.get(spot)?, *new.masks.get(spot)?)))
                    .collect();
                let circuit = &mut self.search.space.circuit;
                let differ: Vec<Lit> = pairs
                    .into_iter()
                    .map(|(before, after)| match direction {
                        Direction::Tightened => circuit.and([!before, after]),
                        Direction::Loosened => circuit.and([before, !after]),
                    })
                    .collect();
                let mut wanted = given.to_vec();
                wanted.push(circuit.or(differ));
                let says = self.says(side, |say| {
                    let masks = say.masks.get(spots.clone()).unwrap_or_default();
                    let masks = masks.iter().any(|&mask| mask != Lit::constant(false));
                    masks.then(|| levels(say).speaks())
                });
                let says: Vec<(CitationId, Lit)> = says
                    .into_iter()
                    .map(|(citation, speaks)| (citation, self.masks_there(side, citation, speaks, spots.clone())))
                    .collect();
                self.one_by_one(wanted, &says, side, direction, &what(entity.clone()));
            }
        }
    }

    /// That a say wants one of some spots masked.
    fn masks_there(&mut self, side: Side, citation: CitationId, speaks: Lit, spots: std::ops::Range<usize>) -> Lit {
        let say = self
            .meaning(side)
            .and_then(|meaning| meaning.says.iter().find(|say| say.citation == citation));
        let masks: Vec<Lit> = say.and_then(|say| say.masks.get(spots)).unwrap_or_default().to_vec();
        let any = self.search.space.circuit.or(masks);
        self.search.space.circuit.and([any, speaks])
    }

    /// Adds a change for each say that can make it.
    fn one_by_one(
        &mut self,
        mut wanted: Vec<Lit>,
        says: &[(CitationId, Lit)],
        side: Side,
        direction: Direction,
        what: &What,
    ) {
        while let Some(model) = self.search.space.circuit.solve(&wanted) {
            let Some(&(citation, lit)) = says.iter().find(|(_, lit)| model.holds(*lit)) else {
                // Nothing of its own makes the difference: an access that no longer refuses, or does.
                self.add(&wanted, None, side, direction, what);
                return;
            };
            let mut these = wanted.clone();
            these.push(lit);
            self.add(&these, Some(citation), side, direction, what);
            wanted.push(!lit);
        }
    }

    fn add(&mut self, wanted: &[Lit], by: Option<CitationId>, side: Side, direction: Direction, what: &What) {
        let ([old, new], catalog) = (self.policies, self.catalog);
        let shows = |witness: &crate::witness::Witness| {
            let (before, after) = (decision(old, catalog, witness), decision(new, catalog, witness));
            what.is_between(&Observed::of(old, &before), &Observed::of(new, &after))
        };
        let Some(witness) = self
            .of_a_group(wanted, shows)
            .or_else(|| self.search.find(wanted, shows))
        else {
            self.difference.unshown += 1;
            return;
        };
        let policy = match side {
            Side::Old => old,
            Side::New => new,
        };
        self.difference.changes.push(Change {
            direction,
            what: what.clone(),
            by: by
                .map(|citation| policy.citation(citation).id.clone())
                .unwrap_or_default(),
            reach: reach::of(&mut self.search, wanted, policy, side as usize),
            before: decision(old, catalog, &witness),
            after: decision(new, catalog, &witness),
            witness,
        });
    }

    /// A request of somebody in one group that is known: about others, other rules have a say as well.
    fn of_a_group(
        &mut self,
        wanted: &[Lit],
        shows: impl Fn(&crate::witness::Witness) -> bool + Copy,
    ) -> Option<crate::witness::Witness> {
        let [_, new] = self.policies;
        let now = reach::now(&mut self.search, wanted);
        let groups = reach::in_order(&self.search, new);
        groups.into_iter().find_map(|group| {
            let alone = reach::alone(&self.search, Some(group));
            let these = [now.as_slice(), &alone].concat();
            self.search.can(&these).then(|| self.search.find(&these, shows))?
        })
    }

    fn says(&self, side: Side, speaks: impl Fn(&Say) -> Option<Lit>) -> Vec<(CitationId, Lit)> {
        let says = self
            .meaning(side)
            .map(|meaning| meaning.says.as_slice())
            .unwrap_or_default();
        says.iter()
            .filter_map(|say| Some((say.citation, speaks(say)?)))
            .collect()
    }

    fn meaning(&self, side: Side) -> Option<&Meaning> {
        self.search.meanings.get(side as usize)
    }

    /// That both have the same verdict.
    fn alike(&mut self, old: &Outcome, new: &Outcome) -> Lit {
        let circuit = &mut self.search.space.circuit;
        let differ: Vec<Lit> = Verdict::ALL
            .iter()
            .map(|&level| circuit.differ(old.verdict.at(level), new.verdict.at(level)))
            .collect();
        !circuit.or(differ)
    }
}
