//! Which requests a change is about: for each thing that a request can be, whether the change can still happen.

use crate::policy::compile::Policy;
use crate::verdict::AppClass;
use crate::witness::space::Choice;
use crate::witness::{Lit, Model, Search};

/// The requests that get a change, thing by thing. `None` where it makes no difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Members of which groups, each alone; the empty name is a member of none.
    pub groups: Option<Vec<String>>,
    /// The groups whose members, each alone, get no such change now.
    pub others: Vec<String>,
    /// Those of them that get it at another time, as when an exception ends.
    pub later: Vec<String>,
    /// Apps that count as which classes.
    pub classes: Option<Vec<AppClass>>,
    /// Which apps.
    pub apps: Option<Vec<String>>,
    /// For which uses; the empty name is a request that declares none.
    pub uses: Option<Vec<String>>,
    /// Texts of which classes.
    pub data: Option<Vec<String>>,
    /// Prompts (`Some(false)`) or answers (`Some(true)`) alone.
    pub answers: Option<bool>,
    /// From this moment on or until it, when it is not the same all the time.
    pub dated: bool,
}

/// What `wanted` leaves open now, if it can be so now, as `policy` names things; `index` is that policy's in the search.
pub(super) fn of(search: &mut Search, wanted: &[Lit], policy: &Policy, index: usize) -> Reach {
    let mut reach = Reach::default();
    let classes = search
        .meanings
        .get(index)
        .map_or([Lit::constant(false); 4], |meaning| meaning.app_class);
    let text = search
        .meanings
        .get(index)
        .map(|meaning| meaning.data_class.clone())
        .unwrap_or_default();
    let mut at_any_time = Open {
        search,
        wanted,
        seen: Vec::new(),
    };
    let moments = options(&at_any_time.search.space.moment, |&moment| moment);
    reach.dated = at_any_time.of(moments).is_some();
    let now = now(at_any_time.search, wanted);
    let claims = at_any_time.search.space.claims.clone();
    let names = std::iter::once((String::new(), None)).chain(
        claims
            .iter()
            .map(|(claim, lit)| (group_name(policy, claim), Some(*lit))),
    );
    let groups: Vec<(String, Vec<Lit>)> = names
        .map(|(name, lit)| (name, alone(at_any_time.search, lit)))
        .collect();
    let ever = at_any_time.of(groups.clone());
    let mut open = Open {
        search: at_any_time.search,
        wanted: &now,
        seen: Vec::new(),
    };
    let names: Vec<String> = groups.iter().map(|(name, _)| name.clone()).collect();
    reach.groups = open.of(groups);
    if let Some(groups) = &reach.groups {
        reach.others = names.into_iter().filter(|name| !groups.contains(name)).collect();
        let later = |name: &&String| ever.as_ref().is_none_or(|ever| ever.contains(name));
        reach.later = reach.others.iter().filter(later).cloned().collect();
    }
    let classes = AppClass::ALL
        .iter()
        .zip(classes)
        .map(|(&class, lit)| (class, vec![lit]))
        .collect();
    reach.classes = open.of(classes);
    let apps = options(&open.search.space.app, |app| app.id.clone());
    reach.apps = open.of(apps);
    let uses = options(&open.search.space.use_, |name| name.clone().unwrap_or_default());
    reach.uses = open.of(uses);
    let data = text.windows(2).zip(0u8..).filter_map(|(pair, class)| match pair {
        [this, above] => Some((policy.class_name(class).to_owned(), vec![*this, !*above])),
        _ => None,
    });
    let data = data.collect();
    reach.data = open.of(data);
    let answer = open.search.space.answer;
    reach.answers = open
        .of(vec![(false, vec![!answer]), (true, vec![answer])])
        .and_then(|open| open.first().copied());
    reach
}

/// `wanted` at the moment around which is looked, if it can be so then; else at any.
pub(super) fn now(search: &mut Search, wanted: &[Lit]) -> Vec<Lit> {
    let now = search.space.moment.options.first().map(|&(_, lit)| lit);
    let pinned: Vec<Lit> = wanted.iter().copied().chain(now).collect();
    if search.can(&pinned) { pinned } else { wanted.to_vec() }
}

/// That the principal is in one group and in no other; in none at all without one.
pub(super) fn alone(search: &Search, own: Option<Lit>) -> Vec<Lit> {
    let claims = search.space.claims.iter();
    claims
        .map(|&(_, lit)| if Some(lit) == own { lit } else { !lit })
        .collect()
}

/// The groups that the directory can say, as `policy` lists them.
pub(super) fn in_order(search: &Search, policy: &Policy) -> Vec<Lit> {
    let mut claims: Vec<(u32, Lit)> = search
        .space
        .claims
        .iter()
        .map(|(claim, lit)| {
            let groups = policy.names.groups_of(std::slice::from_ref(claim));
            (groups.get(1).copied().unwrap_or(u32::MAX), *lit)
        })
        .collect();
    claims.sort_by_key(|&(number, _)| number);
    claims.into_iter().map(|(_, lit)| lit).collect()
}

/// What is still possible beside `wanted`. A solution shows one value of everything at once, so that each is kept.
struct Open<'s> {
    search: &'s mut Search,
    wanted: &'s [Lit],
    seen: Vec<Model>,
}

impl Open<'_> {
    fn is_possible(&mut self, lits: &[Lit]) -> bool {
        if self.seen.iter().any(|model| lits.iter().all(|&lit| model.holds(lit))) {
            return true;
        }
        let found = self.search.space.circuit.solve(&[self.wanted, lits].concat());
        let possible = found.is_some();
        self.seen.extend(found);
        possible
    }

    /// The values that are possible; `None` if that is all of them.
    fn of<T>(&mut self, values: Vec<(T, Vec<Lit>)>) -> Option<Vec<T>> {
        let all = values.len();
        let possible: Vec<T> = values
            .into_iter()
            .filter(|(_, lits)| self.is_possible(lits))
            .map(|(value, _)| value)
            .collect();
        (possible.len() < all).then_some(possible)
    }
}

fn options<T, N>(choice: &Choice<T>, name: impl Fn(&T) -> N) -> Vec<(N, Vec<Lit>)> {
    choice
        .options
        .iter()
        .map(|(value, lit)| (name(value), vec![*lit]))
        .collect()
}

/// The policy's name for what the directory calls so.
fn group_name(policy: &Policy, claim: &str) -> String {
    let groups = policy.names.groups_of(&[claim.to_owned()]);
    let named = policy
        .names
        .group_names(groups.get(1..).unwrap_or_default())
        .next()
        .map(str::to_owned);
    named.unwrap_or_else(|| claim.to_owned())
}
