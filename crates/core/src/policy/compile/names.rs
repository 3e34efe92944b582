//! The names of a policy as small numbers, one table for each kind.

use rustc_hash::FxHashMap;

use crate::detect::entities::{self, ENTITIES};
use crate::policy::document::{AppSelector, Document, Selector, Text};

/// Names of one kind, numbered in order of appearance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    numbers: FxHashMap<String, u32>,
}

impl Table {
    pub(crate) fn index(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// The name of a number.
    fn name(&self, number: u32) -> Option<&str> {
        self.numbers
            .iter()
            .find(|(_, known)| **known == number)
            .map(|(name, _)| name.as_str())
    }

    /// The names, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.numbers.keys().map(String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    fn add(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(name.to_owned()).or_insert(next)
    }
}

/// Every name that a decision looks up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) groups: Table,
    /// What the directory calls them, and the policy's groups that this means.
    claims: FxHashMap<String, Vec<u32>>,
    pub(crate) principals: Table,
    pub(crate) clients: Table,
    pub(crate) uses: Table,
    pub(crate) apps: Table,
    pub(crate) entities: Table,
    /// Entity indices by family.
    families: FxHashMap<String, Vec<u32>>,
    classes: Vec<String>,
}

/// The group that everybody is in.
pub(crate) const EVERYONE: &str = "everyone";

impl Names {
    pub(crate) fn new(document: &Document) -> Self {
        let mut names = Self {
            classes: document.data.classes.iter().map(|class| class.value.clone()).collect(),
            ..Self::default()
        };
        names.groups.add(EVERYONE);
        for group in &document.scope.groups {
            let number = names.groups.add(group.name.as_str());
            let claim = group.claim.as_ref().unwrap_or(&group.name);
            names.claims.entry(claim.value.clone()).or_default().push(number);
        }
        for one in &document.scope.uses {
            names.uses.add(one.id.as_str());
        }
        for app in &document.apps {
            names.apps.add(app.id.as_str());
        }
        for entity in ENTITIES {
            names.entity(entity.id, entity.family);
        }
        let own = document
            .data
            .keywords
            .iter()
            .map(|(name, _)| name)
            .chain(document.data.patterns.iter().map(|(name, _)| name));
        for entity in own {
            names.entity(
                entity.as_str(),
                entities::entity(entity.as_str()).and_then(|known| known.family),
            );
        }
        for grant in &document.access.grants {
            grant.apps.iter().flatten().for_each(|app| names.app(app));
        }
        let rules = document.clauses.iter().filter_map(|clause| clause.rule.as_ref());
        let selectors = rules.flat_map(|rule| rule.when.iter().chain(&rule.unless));
        let scoped = document
            .apps
            .iter()
            .filter_map(|app| app.only_for.as_ref())
            .flat_map(|selectors| &selectors.value);
        for selector in selectors
            .chain(document.exceptions.iter().flat_map(|exception| &exception.who))
            .chain(scoped)
        {
            names.selector(selector);
        }
        names
    }

    fn entity(&mut self, id: &str, family: Option<&str>) {
        let number = self.entities.add(id);
        if let Some(family) = family {
            let members = self.families.entry(family.to_owned()).or_default();
            if !members.contains(&number) {
                members.push(number);
            }
        }
    }

    fn selector(&mut self, selector: &Selector) {
        let add = |table: &mut Table, words: &Option<Vec<Text>>| {
            words.iter().flatten().for_each(|word| _ = table.add(word.as_str()))
        };
        add(&mut self.principals, &selector.principal);
        add(&mut self.clients, &selector.client);
        selector.app.iter().flatten().for_each(|app| self.app(app));
    }

    fn app(&mut self, app: &AppSelector) {
        app.id.iter().flatten().for_each(|id| _ = self.apps.add(id.as_str()));
    }

    /// The policy's groups for what the directory says; everybody is in the first.
    pub(crate) fn groups_of(&self, claims: &[String]) -> Vec<u32> {
        let mut groups = Vec::with_capacity(claims.len() + 1);
        groups.push(0);
        for group in claims.iter().filter_map(|claim| self.claims.get(claim)).flatten() {
            if !groups.contains(group) {
                groups.push(*group);
            }
        }
        groups
    }

    /// What the directory calls the policy's groups.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &str> {
        self.claims.keys().map(String::as_str)
    }

    /// The names of groups by number; slow, for conditions and traces.
    pub(crate) fn group_names(&self, groups: &[u32]) -> impl Iterator<Item = &str> {
        groups.iter().filter_map(|&group| self.groups.name(group))
    }

    /// The number of a data class, least sensitive first.
    pub(crate) fn class(&self, name: &str) -> Option<u8> {
        self.classes
            .iter()
            .position(|class| class == name)
            .and_then(|index| u8::try_from(index).ok())
    }

    pub(crate) fn class_name(&self, class: u8) -> &str {
        self.classes.get(usize::from(class)).map_or("", String::as_str)
    }

    pub(crate) fn class_count(&self) -> usize {
        self.classes.len()
    }

    /// The entities that a name means: one, or those of a family; none for a class.
    pub(crate) fn entity_indices(&self, name: &str) -> impl Iterator<Item = u32> {
        let one = self.entities.index(name);
        let family = self.families.get(name).into_iter().flatten().copied();
        one.into_iter().chain(family)
    }
}
