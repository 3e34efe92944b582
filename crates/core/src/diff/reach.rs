//! Which requests a change is about: for each thing that a request can be, whether the change can still happen.

use crate::policy::compile::Policy;
use crate::verdict::AppClass;
use crate::witness::space::Choice;
use crate::witness::{Lit, Search};

/// The requests that get a change, thing by thing. `None` where it makes no difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Members of which groups, each alone; the empty name is a member of none.
    pub groups: Option<Vec<String>>,
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

/// What `wanted` leaves open, as `policy` names things; `index` is that policy's in the search.
pub(super) fn of(search: &mut Search, wanted: &[Lit], policy: &Policy, index: usize) -> Reach {
    let mut reach = Reach::default();
    let claims = search.space.claims.clone();
    let alone = |own: Option<Lit>| -> Vec<Lit> {
        claims
            .iter()
            .map(|&(_, lit)| if Some(lit) == own { lit } else { !lit })
            .collect()
    };
    let names = std::iter::once((String::new(), None)).chain(
        claims
            .iter()
            .map(|(claim, lit)| (group_name(policy, claim), Some(*lit))),
    );
    let groups: Vec<(String, Vec<Lit>)> = names.map(|(name, lit)| (name, alone(lit))).collect();
    reach.groups = open(search, wanted, groups);
    let classes = search
        .meanings
        .get(index)
        .map_or([Lit::constant(false); 4], |meaning| meaning.app_class);
    let classes = AppClass::ALL
        .iter()
        .zip(classes)
        .map(|(&class, lit)| (class, vec![lit]))
        .collect();
    reach.classes = open(search, wanted, classes);
    let apps = options(&search.space.app, |app| app.id.clone());
    reach.apps = open(search, wanted, apps);
    let uses = options(&search.space.use_, |name| name.clone().unwrap_or_default());
    reach.uses = open(search, wanted, uses);
    let text = search
        .meanings
        .get(index)
        .map(|meaning| meaning.data_class.clone())
        .unwrap_or_default();
    let data = text.windows(2).zip(0u8..).filter_map(|(pair, class)| match pair {
        [this, above] => Some((policy.class_name(class).to_owned(), vec![*this, !*above])),
        _ => None,
    });
    let data = data.collect();
    reach.data = open(search, wanted, data);
    let answer = search.space.answer;
    reach.answers =
        open(search, wanted, vec![(false, vec![!answer]), (true, vec![answer])]).and_then(|open| open.first().copied());
    let moments = options(&search.space.moment, |&moment| moment);
    reach.dated = open(search, wanted, moments).is_some();
    reach
}

/// The values with which `wanted` is still possible; `None` if that is all of them.
fn open<T>(search: &mut Search, wanted: &[Lit], values: Vec<(T, Vec<Lit>)>) -> Option<Vec<T>> {
    let all = values.len();
    let possible: Vec<T> = values
        .into_iter()
        .filter(|(_, lits)| search.can(&[wanted, lits.as_slice()].concat()))
        .map(|(value, _)| value)
        .collect();
    (possible.len() < all).then_some(possible)
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
