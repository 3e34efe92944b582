//! Selectors ("Selectors" in `docs/reference/deciding.md`): one arm for each key.

use super::classes::Classes;
use crate::decide::selector::{AppTest, Data, Pattern, Selector, Test};
use crate::policy::compile::{Policy, Rule};
use crate::verdict::{Direction, SourceSet};
use crate::witness::circuit::{FALSE, Lit};
use crate::witness::space::Space;

/// That every key matches.
pub(super) fn selector(policy: &Policy, space: &mut Space, classes: &Classes, selector: &Selector) -> Lit {
    let lits: Vec<Lit> = selector
        .tests()
        .iter()
        .map(|one| test(policy, space, classes, one))
        .collect();
    space.circuit.and(lits)
}

/// That one key matches.
pub(super) fn test(policy: &Policy, space: &mut Space, classes: &Classes, test: &Test) -> Lit {
    match test {
        Test::Direction(wanted) => {
            let prompt = Lit::constant(wanted.contains(&Direction::Prompt));
            let answer = Lit::constant(wanted.contains(&Direction::Answer));
            let (as_prompt, as_answer) = (
                space.circuit.and([prompt, !space.answer]),
                space.circuit.and([answer, space.answer]),
            );
            space.circuit.or([as_prompt, as_answer])
        }
        Test::Data(data, None) => of_text(policy, space, classes, data),
        Test::Data(data, Some(sources)) => of_sources(policy, space, classes, data, *sources),
        Test::Source(wanted) => {
            let lits: Vec<Lit> = among(space, *wanted).map(|(_, lit)| lit).collect();
            space.circuit.or(lits)
        }
        Test::Group(wanted) => classes.any_group(space, wanted),
        Test::App(tests) => apps(policy, space, tests, &classes.app),
        Test::Principal(wanted) => {
            let is = |name: &String| {
                policy
                    .names
                    .principals
                    .index(name)
                    .is_some_and(|index| wanted.contains(index))
            };
            space.principal.when(&mut space.circuit, is)
        }
        Test::Client(wanted) => {
            let is = |name: &String| {
                policy
                    .names
                    .clients
                    .index(name)
                    .is_some_and(|index| wanted.contains(index))
            };
            space
                .client
                .when(&mut space.circuit, |client| client.as_ref().is_some_and(is))
        }
        Test::Use(wanted) => use_is(policy, space, |index| wanted.contains(index)),
        Test::Model(wanted) => super::model_is(space, wanted),
        Test::Tool(wanted) => {
            let meant = |name: &str| wanted.iter().any(|one: &Pattern| one.matches(name));
            let lits: Vec<Lit> = space
                .calls
                .iter()
                .filter(|(call, _)| meant(&call.tool))
                .map(|&(_, lit)| lit)
                .collect();
            space.circuit.or(lits)
        }
        Test::Finding(wanted, sources) => {
            let made = space.findings.iter().filter(|(id, _)| wanted.contains(id));
            let lits: Vec<Lit> = made
                .flat_map(|(_, about)| indices(space, *sources).filter_map(|index| about.get(index).copied()))
                .collect();
            space.circuit.or(lits)
        }
        Test::Training(courses) => {
            let lits: Vec<Lit> = courses
                .iter()
                .map(|course| holds_course(policy, space, course))
                .collect();
            space.circuit.or(lits)
        }
        Test::SignedIn(within) => space
            .signed_in
            .when(&mut space.circuit, |ago| ago.is_some_and(|ago| ago <= *within)),
        Test::Time(time) => space
            .moment
            .when(&mut space.circuit, |&now| time.holds(now, &policy.zone)),
    }
}

/// That one of the app selectors matches an app that counts as the classes say.
pub(super) fn apps(policy: &Policy, space: &mut Space, tests: &[AppTest], class_is: &[Lit; 4]) -> Lit {
    let mut any = Vec::new();
    for test in tests {
        let mut all = Vec::new();
        if let Some(ids) = &test.ids {
            let is = |id: &str| policy.names.apps.index(id).is_some_and(|index| ids.contains(index));
            all.push(space.app.when(&mut space.circuit, |app| is(&app.id)));
        }
        if let Some(classes) = &test.classes {
            let lits: Vec<Lit> = classes
                .iter()
                .filter_map(|&class| class_is.get(class as usize).copied())
                .collect();
            all.push(space.circuit.or(lits));
        }
        if let Some(wanted) = &test.categories {
            all.push(space.app.when(&mut space.circuit, |app| {
                wanted.iter().any(|one| app.categories.contains(one))
            }));
        }
        any.push(space.circuit.and(all));
    }
    space.circuit.or(any)
}

/// That the declared use is a listed one that `wanted` accepts.
pub(super) fn use_is(policy: &Policy, space: &mut Space, wanted: impl Fn(u32) -> bool) -> Lit {
    let is = |name: &String| policy.names.uses.index(name).is_some_and(&wanted);
    space
        .use_
        .when(&mut space.circuit, |use_| use_.as_ref().is_some_and(is))
}

/// That the principal completed a course that still counts.
pub(super) fn holds_course(policy: &Policy, space: &mut Space, course: &str) -> Lit {
    let valid = policy.course_days(course);
    let Some((_, age)) = space.courses.iter().find(|(id, _)| id == course) else {
        return FALSE;
    };
    age.when(&mut space.circuit, |days| {
        days.is_some_and(|days| valid.is_none_or(|valid| days <= valid))
    })
}

/// What a `redact` rule masks at a spot.
pub(super) fn masked(
    policy: &Policy,
    space: &mut Space,
    classes: &Classes,
    rule: &Rule,
    entity: usize,
    source: usize,
) -> Lit {
    let Some(&(here, _)) = space.sources.get(source) else {
        return FALSE;
    };
    let mut any = Vec::new();
    for one in &rule.when {
        let Some((data, _)) = one.masked().filter(|(_, sources)| sources.contains(here)) else {
            continue;
        };
        let named = names(policy, space, classes, data, entity);
        let matches = selector(policy, space, classes, one);
        any.push(space.circuit.and([named, matches]));
    }
    space.circuit.or(any)
}

/// That a `data` key means an entity, if it is found.
fn names(policy: &Policy, space: &mut Space, classes: &Classes, data: &Data, entity: usize) -> Lit {
    let id = space
        .entities
        .get(entity)
        .map(|entity| entity.id.as_str())
        .unwrap_or_default();
    let listed = policy
        .names
        .entities
        .index(id)
        .is_some_and(|index| data.entities.contains(index));
    let above = data.class.map_or(FALSE, |class| classes.entity_at_least(entity, class));
    space.circuit.or([Lit::constant(listed), above])
}

fn of_text(policy: &Policy, space: &mut Space, classes: &Classes, data: &Data) -> Lit {
    let mut any = vec![data.class.map_or(FALSE, |class| classes.text_at_least(class))];
    for index in 0..space.entities.len() {
        let named = names(policy, space, classes, data, index);
        let found = space.entities.get(index).map_or(FALSE, |entity| entity.found);
        any.push(space.circuit.and([found, named]));
    }
    space.circuit.or(any)
}

fn of_sources(policy: &Policy, space: &mut Space, classes: &Classes, data: &Data, sources: SourceSet) -> Lit {
    let (mut any, mut found_there) = (Vec::new(), Vec::new());
    let indices: Vec<usize> = indices(space, sources).collect();
    for index in 0..space.entities.len() {
        let own = space
            .entities
            .get(index)
            .map(|entity| entity.sources.clone())
            .unwrap_or_default();
        let inside = space
            .circuit
            .or(indices.iter().filter_map(|&source| own.get(source).copied()));
        let named = names(policy, space, classes, data, index);
        any.push(space.circuit.and([inside, named]));
        found_there.push(inside);
    }
    let by_default = Lit::constant(data.class.is_some_and(|class| policy.default_class >= class));
    let nothing = !space.circuit.or(found_there);
    let part: Vec<Lit> = among(space, sources).map(|(_, lit)| lit).collect();
    let part = space.circuit.or(part);
    any.push(space.circuit.and([by_default, nothing, part]));
    space.circuit.or(any)
}

/// The sources of the space that a set means.
fn among(space: &Space, wanted: SourceSet) -> impl Iterator<Item = (usize, Lit)> {
    let all = space.sources.iter().enumerate();
    all.filter(move |(_, (source, _))| wanted.contains(*source))
        .map(|(index, &(_, lit))| (index, lit))
}

fn indices(space: &Space, wanted: SourceSet) -> impl Iterator<Item = usize> {
    among(space, wanted).map(|(index, _)| index)
}
