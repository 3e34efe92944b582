//! Classes of the app, of what is found and of the text ("Classes" in `docs/reference/deciding.md`), and the groups.

use super::select;
use crate::decide::selector::Bits;
use crate::policy::compile::{AppEntry, Escalation, Policy};
use crate::verdict::AppClass;
use crate::witness::circuit::{FALSE, Lit, TRUE};
use crate::witness::space::Space;

/// The classes of a request under one policy.
#[derive(Debug)]
pub(super) struct Classes {
    /// That the app counts as a class, by class.
    pub(super) app: [Lit; 4],
    /// That the class of the text is that or higher, by class and one beyond.
    pub(super) text: Vec<Lit>,
    /// That a class occurs, by class.
    pub(super) occurs: Vec<Lit>,
    /// By entity of the space: that its class is that or higher if it is found, by class and one beyond.
    entities: Vec<Vec<Lit>>,
    /// By group of the policy.
    groups: Vec<Lit>,
    /// By app of the policy.
    apps: Vec<Lit>,
}

impl Classes {
    pub(super) fn new(policy: &Policy, space: &mut Space) -> Self {
        let mut classes = Self {
            app: [FALSE; 4],
            text: Vec::new(),
            occurs: Vec::new(),
            entities: Vec::new(),
            groups: Vec::new(),
            apps: Vec::new(),
        };
        classes.groups = groups(policy, space);
        classes.apps = (0..policy.names.apps.len())
            .map(|index| {
                let is = |id: &str| policy.names.apps.index(id).is_some_and(|found| found as usize == index);
                space.app.when(&mut space.circuit, |app| is(&app.id))
            })
            .collect();
        let count = policy.names.class_count();
        classes.entities = entities(policy, space, count);
        classes.of_text(policy, space, count);
        classes.app = classes.of_app(policy, space, false);
        classes.app = classes.of_app(policy, space, true);
        classes
    }

    /// That the app counts as a class.
    pub(super) fn counts_as(&self, class: AppClass) -> Lit {
        self.app.get(class as usize).copied().unwrap_or(FALSE)
    }

    pub(super) fn group(&self, index: u32) -> Lit {
        self.groups.get(index as usize).copied().unwrap_or(FALSE)
    }

    pub(super) fn any_group(&self, space: &mut Space, wanted: &Bits) -> Lit {
        let all = (0u32..).zip(&self.groups);
        let lits: Vec<Lit> = all
            .filter(|(index, _)| wanted.contains(*index))
            .map(|(_, &lit)| lit)
            .collect();
        space.circuit.or(lits)
    }

    /// That the principal is in some group beside `everyone`.
    pub(super) fn mapped(&self, space: &mut Space) -> Lit {
        space.circuit.or(self.groups.iter().skip(1).copied())
    }

    pub(super) fn is_app(&self, index: usize) -> Lit {
        self.apps.get(index).copied().unwrap_or(FALSE)
    }

    /// That the class of the text is `class` or higher.
    pub(super) fn text_at_least(&self, class: u8) -> Lit {
        self.text.get(usize::from(class)).copied().unwrap_or(FALSE)
    }

    /// That the class of an entity, if it is found, is `class` or higher.
    pub(super) fn entity_at_least(&self, entity: usize, class: u8) -> Lit {
        self.entities
            .get(entity)
            .and_then(|classes| classes.get(usize::from(class)))
            .copied()
            .unwrap_or(FALSE)
    }

    /// That an entity, if it is found, has exactly the class of the text.
    pub(super) fn has_text_class(&self, space: &mut Space, entity: usize) -> Lit {
        let exactly: Vec<Lit> = self.text.windows(2).map(|pair| exactly(space, pair)).collect();
        self.in_cells(space, entity, &exactly)
    }

    /// That an entity, if it is found, has a class whose cell is set.
    pub(super) fn in_cells(&self, space: &mut Space, entity: usize, cells: &[Lit]) -> Lit {
        let own = self.entities.get(entity).map(Vec::as_slice).unwrap_or_default();
        let both: Vec<Lit> = own
            .windows(2)
            .zip(cells)
            .map(|(pair, &cell)| {
                let class = exactly(space, pair);
                space.circuit.and([class, cell])
            })
            .collect();
        space.circuit.or(both)
    }

    fn of_text(&mut self, policy: &Policy, space: &mut Space, count: usize) {
        let nothing = space.nothing_found();
        let found: Vec<Lit> = space.entities.iter().map(|entity| entity.found).collect();
        for class in 0..=count {
            let mut from = vec![if usize::from(policy.default_class) >= class {
                nothing
            } else {
                FALSE
            }];
            for (entity, &found) in self.entities.iter().zip(&found) {
                let class = entity.get(class).copied().unwrap_or(FALSE);
                from.push(space.circuit.and([found, class]));
            }
            self.text.push(space.circuit.or(from));
        }
        for class in 0..count {
            let mut from = vec![if usize::from(policy.default_class) == class {
                nothing
            } else {
                FALSE
            }];
            for (entity, &found) in self.entities.iter().zip(&found) {
                let is = entity.get(class..).map_or(FALSE, |pair| exactly(space, pair));
                from.push(space.circuit.and([found, is]));
            }
            self.occurs.push(space.circuit.or(from));
        }
    }

    /// By class: as listed and dated, or with what the app requires and what it is for.
    fn of_app(&self, policy: &Policy, space: &mut Space, judged: bool) -> [Lit; 4] {
        let mut from: [Vec<Lit>; 4] = Default::default();
        let mut listed = Vec::new();
        for (index, entry) in policy
            .apps
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| Some((index, entry.as_ref()?)))
        {
            let app = self.is_app(index);
            listed.push(app);
            let met = if judged { self.met(policy, space, entry) } else { TRUE };
            let over = entry
                .expires
                .map_or(FALSE, |(at, _)| space.moment.when(&mut space.circuit, |&now| now >= at));
            let after = entry.expires.map_or(entry.class, |(_, then)| then);
            for (class, in_time) in [(entry.class, !over), (after, over)] {
                let as_listed = space.circuit.and([app, in_time, met]);
                let unmet = space.circuit.and([app, in_time, !met]);
                for (class, lit) in [(class, as_listed), (class.max(AppClass::Unknown), unmet)] {
                    if let Some(from) = from.get_mut(class as usize) {
                        from.push(lit);
                    }
                }
            }
        }
        let unlisted = !space.circuit.or(listed);
        if let Some(unknown) = from.get_mut(AppClass::Unknown as usize) {
            unknown.push(unlisted);
        }
        from.map(|lits| space.circuit.or(lits))
    }

    fn met(&self, policy: &Policy, space: &mut Space, entry: &AppEntry) -> Lit {
        let attribute = |pair: &(String, String)| {
            let known = space.attributes.iter().find(|(known, _)| known == pair);
            known.map_or(FALSE, |&(_, lit)| lit)
        };
        let mut all: Vec<Lit> = entry.require.iter().map(attribute).collect();
        if let Some(selectors) = &entry.only_for {
            let any: Vec<Lit> = selectors
                .iter()
                .map(|selector| select::selector(policy, space, self, selector))
                .collect();
            all.push(space.circuit.or(any));
        }
        space.circuit.and(all)
    }
}

fn groups(policy: &Policy, space: &mut Space) -> Vec<Lit> {
    let mut from: Vec<Vec<Lit>> = vec![Vec::new(); policy.names.groups.len()];
    for (claim, lit) in &space.claims {
        for group in policy.names.groups_of(std::slice::from_ref(claim)) {
            if let Some(from) = from.get_mut(group as usize) {
                from.push(*lit);
            }
        }
    }
    if let Some(everyone) = from.first_mut() {
        *everyone = vec![TRUE];
    }
    from.into_iter().map(|lits| space.circuit.or(lits)).collect()
}

/// By entity and class: given or escalated.
fn entities(policy: &Policy, space: &mut Space, count: usize) -> Vec<Vec<Lit>> {
    let indices: Vec<Option<u32>> = space
        .entities
        .iter()
        .map(|entity| policy.names.entities.index(&entity.id))
        .collect();
    let fires: Vec<Lit> = policy
        .escalations
        .iter()
        .map(|one| applies(one, space, &indices))
        .collect();
    let mut all = Vec::new();
    for index in indices {
        let given = index
            .and_then(|index| policy.entity_classes.get(index as usize).copied())
            .unwrap_or(policy.default_class);
        let mut classes = Vec::new();
        for class in 0..=count {
            let mut from = vec![Lit::constant(usize::from(given) >= class)];
            let named = policy
                .escalations
                .iter()
                .zip(&fires)
                .filter(|(one, _)| index.is_some_and(|index| one.names(index)));
            from.extend(
                named
                    .filter(|(one, _)| usize::from(one.to) >= class)
                    .map(|(_, &lit)| lit),
            );
            classes.push(space.circuit.or(from));
        }
        all.push(classes);
    }
    all
}

/// That an escalation applies.
fn applies(escalation: &Escalation, space: &mut Space, indices: &[Option<u32>]) -> Lit {
    let in_group = |group: &Bits, index: Option<u32>| index.is_some_and(|index| group.contains(index));
    let Some(limit) = escalation.at_least else {
        let mut all = Vec::new();
        for group in &escalation.groups {
            let members = space
                .entities
                .iter()
                .zip(indices)
                .filter(|(_, index)| in_group(group, **index));
            let found: Vec<Lit> = members.map(|(entity, _)| entity.found).collect();
            all.push(space.circuit.or(found));
        }
        return space.circuit.and(all);
    };
    let limit = limit.max(1);
    // Sums that the values so far can have, up to the limit; an entity counts once for each group that names it.
    let mut sums: Vec<(u32, Lit)> = vec![(0, TRUE)];
    for (position, &index) in indices.iter().enumerate() {
        let times =
            u32::try_from(escalation.groups.iter().filter(|group| in_group(group, index)).count()).unwrap_or(u32::MAX);
        if times == 0 {
            continue;
        }
        let values: Vec<(u32, Lit)> = space
            .entities
            .get(position)
            .map(|entity| entity.distinct.options.clone())
            .unwrap_or_default();
        let mut next: Vec<(u32, Vec<Lit>)> = Vec::new();
        for (sum, reached) in sums {
            for &(value, lit) in &values {
                let total = sum.saturating_add(value.saturating_mul(times)).min(limit);
                let both = space.circuit.and([reached, lit]);
                match next.iter_mut().find(|(known, _)| *known == total) {
                    Some((_, from)) => from.push(both),
                    None => next.push((total, vec![both])),
                }
            }
        }
        sums = next
            .into_iter()
            .map(|(total, from)| (total, space.circuit.or(from)))
            .collect();
    }
    sums.into_iter()
        .find(|(total, _)| *total == limit)
        .map_or(FALSE, |(_, lit)| lit)
}

/// That something is at least the first class of a pair and not the second.
fn exactly(space: &mut Space, pair: &[Lit]) -> Lit {
    match pair {
        [this, above, ..] => space.circuit.and([*this, !*above]),
        [this] => *this,
        [] => FALSE,
    }
}
