//! The names of a policy, and which of them a rule reaches.

use std::collections::BTreeSet;

use super::prose::{Around, Mention, Prose};
use crate::detect::entities::{ENTITIES, entity};
use crate::policy::check::Context;
use crate::policy::compile::names::EVERYONE;
use crate::policy::document::{Rule, Selector, Text};
use crate::verdict::AppClass;

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Group,
    App,
    AppClass,
    Entity,
    DataClass,
    Use,
}

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Group => "the group",
            Self::App => "the app",
            Self::AppClass => "apps of class",
            Self::Entity => "the entity",
            Self::DataClass => "data of class",
            Self::Use => "the use",
        }
    }
}

/// Something of the policy that prose can name.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) kind: Kind,
    /// What the policy calls it.
    pub(super) id: String,
    /// What prose calls it.
    phrases: Vec<String>,
}

/// Everything that prose can name.
pub(super) fn names(context: &Context<'_>) -> Vec<Name> {
    let document = context.document;
    let one = |kind, id: &str, phrases: Vec<&str>| Name {
        kind,
        id: id.to_owned(),
        phrases: phrases.into_iter().map(str::to_owned).collect(),
    };
    let mut names: Vec<Name> = Vec::new();
    for group in &document.scope.groups {
        names.push(one(Kind::Group, group.name.as_str(), vec![group.name.as_str()]));
    }
    for app in &document.apps {
        let known = context.catalog.app(app.id.as_str());
        if known.is_some_and(|known| known.categories.contains(&"demo")) {
            continue; // `demo` is an ordinary word.
        }
        let mut phrases = vec![app.id.as_str()];
        phrases.extend(known.map(|known| known.name));
        names.push(one(Kind::App, app.id.as_str(), phrases));
    }
    for class in AppClass::ALL {
        names.push(one(Kind::AppClass, class.as_str(), vec![class.as_str()]));
    }
    let classified = |id: &str| document.data.entities.iter().any(|(name, _)| name.as_str() == id);
    for known in ENTITIES {
        if classified(known.id) || known.family.is_some_and(classified) {
            names.push(one(Kind::Entity, known.id, vec![known.id, known.label]));
        }
    }
    let own = document.data.keywords.iter().map(|(name, _)| name);
    for name in own.chain(document.data.patterns.iter().map(|(name, _)| name)) {
        names.push(one(Kind::Entity, name.as_str(), vec![name.as_str()]));
    }
    for class in &document.data.classes {
        names.push(one(Kind::DataClass, class.as_str(), vec![class.as_str()]));
    }
    for use_ in &document.scope.uses {
        names.push(one(Kind::Use, use_.id.as_str(), vec![use_.id.as_str()]));
    }
    names
}

impl Name {
    /// Where prose speaks of it.
    pub(super) fn mentions(&self, prose: &Prose) -> Vec<Mention> {
        let mentions = self.phrases.iter().flat_map(|phrase| {
            let around = match self.kind {
                // One word that may be an ordinary one has to be written as a name: `Cursor`, not `cursor`.
                Kind::App => Around {
                    as_name: phrase.chars().all(char::is_alphabetic),
                    ..Around::default()
                },
                Kind::AppClass => Around {
                    then: &["app", "apps"],
                    ..Around::default()
                },
                Kind::DataClass => Around {
                    then: &["data", "information"],
                    ..Around::default()
                },
                // Prompt engineering and social engineering are no groups.
                Kind::Group => Around {
                    not_after: &["prompt", "social", "reverse"],
                    ..Around::default()
                },
                // `Only for coding` is about a use; `only after coding` is not.
                Kind::Use => Around {
                    after: &["for"],
                    ..Around::default()
                },
                Kind::Entity => Around::default(),
            };
            prose.mentions(phrase, &around)
        });
        mentions.collect()
    }
}

/// What a rule looks at.
pub(super) struct Reach<'r> {
    when: &'r [Selector],
    unless: &'r [Selector],
}

impl<'r> Reach<'r> {
    pub(super) fn of(rule: &'r Rule) -> Self {
        Self {
            when: &rule.when,
            unless: &rule.unless,
        }
    }

    fn selectors(&self) -> impl Iterator<Item = &'r Selector> {
        self.when.iter().chain(self.unless)
    }

    /// Whether some selector has a key of that kind.
    pub(super) fn looks_at(&self, kind: Kind) -> bool {
        self.selectors().any(|selector| has(selector, kind))
    }

    /// Whether the rule applies to nothing but what it names of that kind.
    pub(super) fn is_limited_by(&self, kind: Kind) -> bool {
        !self.when.is_empty() && self.when.iter().all(|selector| has(selector, kind))
    }

    /// Whether it applies to some people alone.
    pub(super) fn is_limited_to_some_people(&self) -> bool {
        !self.when.is_empty() && self.when.iter().all(names_people)
    }

    /// Whether it lets some people off.
    pub(super) fn lets_some_people_off(&self) -> bool {
        self.unless.iter().any(names_people)
    }

    /// Whether some selector names it, or something that it is a part of.
    pub(super) fn covers(&self, context: &Context<'_>, name: &Name) -> bool {
        let id = name.id.as_str();
        match name.kind {
            Kind::Group => self
                .texts(|selector| selector.group.as_ref())
                .any(|group| group == id || group == EVERYONE),
            Kind::Use => self.texts(|selector| selector.use_.as_ref()).any(|use_| use_ == id),
            Kind::App => self.covers_app(context, id),
            Kind::AppClass => self.app_classes().contains(id),
            Kind::Entity => {
                let family = entity(id).and_then(|entity| entity.family);
                let class = class_of(context, id);
                self.data()
                    .any(|named| named == id || Some(named) == family || reaches(context, named, class))
            }
            Kind::DataClass => self.data().any(|named| reaches(context, named, Some(id))),
        }
    }

    fn covers_app(&self, context: &Context<'_>, id: &str) -> bool {
        let class = context.document.apps.iter().find(|app| app.id.as_str() == id);
        let categories = context.catalog.app(id).map(|app| app.categories).unwrap_or_default();
        let apps = self.selectors().flat_map(|selector| selector.app.iter().flatten());
        apps.into_iter().any(|app| {
            let ids = app
                .id
                .as_ref()
                .is_none_or(|ids| ids.iter().any(|named| named.as_str() == id));
            let classes = app.class.as_ref().is_none_or(|classes| {
                classes
                    .iter()
                    .any(|named| class.is_some_and(|class| class.class == named.value))
            });
            let kinds = app
                .category
                .as_ref()
                .is_none_or(|kinds| kinds.iter().any(|named| categories.contains(&named.as_str())));
            ids && classes && kinds
        })
    }

    fn app_classes(&self) -> BTreeSet<&'static str> {
        let apps = self.selectors().flat_map(|selector| selector.app.iter().flatten());
        let classes = apps.flat_map(|app| app.class.iter().flatten());
        classes.map(|class| class.value.as_str()).collect()
    }

    fn data(&self) -> impl Iterator<Item = &'r str> {
        self.texts(|selector| selector.data.as_ref())
    }

    fn texts<'s>(
        &'s self,
        key: impl Fn(&'r Selector) -> Option<&'r Vec<Text>> + 's,
    ) -> impl Iterator<Item = &'r str> + 's {
        self.selectors().filter_map(key).flatten().map(Text::as_str)
    }
}

fn has(selector: &Selector, kind: Kind) -> bool {
    match kind {
        Kind::Group => names_people(selector),
        Kind::App | Kind::AppClass => selector.app.is_some(),
        Kind::Entity | Kind::DataClass => selector.data.is_some(),
        Kind::Use => selector.use_.is_some(),
    }
}

/// Whether a selector is about some people and not about everyone.
fn names_people(selector: &Selector) -> bool {
    let everyone = |groups: &Vec<_>| groups.iter().any(|group: &Text| group.as_str() == EVERYONE);
    selector.principal.is_some() || selector.group.as_ref().is_some_and(|groups| !everyone(groups))
}

/// The class that the policy gives an entity, by itself or by its family.
fn class_of<'d>(context: &'d Context<'_>, id: &str) -> Option<&'d str> {
    let classified = |id: &str| {
        let mut entities = context.document.data.entities.iter();
        entities
            .find(|(name, _)| name.as_str() == id)
            .map(|(_, class)| class.as_str())
    };
    classified(id).or_else(|| classified(entity(id)?.family?))
}

/// Whether naming one class means another: that class or above.
fn reaches(context: &Context<'_>, named: &str, class: Option<&str>) -> bool {
    let rank = |name: &str| {
        context
            .document
            .data
            .classes
            .iter()
            .position(|class| class.as_str() == name)
    };
    rank(named).is_some_and(|named| class.and_then(rank).is_some_and(|class| class >= named))
}
