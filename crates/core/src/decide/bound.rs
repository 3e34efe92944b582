//! Facts bound to a policy: names looked up once, classes worked out once, for one decision.

use std::cell::OnceCell;

use jiff::SignedDuration;
use jiff::civil::DateTime;

use super::facts::{Facts, Seen};
use super::selector::{self, Bits, Data};
use crate::policy::compile::{AppEntry, Policy};
use crate::verdict::{AppClass, SourceSet};

/// Facts, interned against one policy.
#[derive(Debug)]
pub(crate) struct Bound<'f> {
    pub(crate) policy: &'f Policy,
    pub(crate) facts: &'f Facts,
    pub(crate) groups: Vec<u32>,
    pub(crate) principal: Option<u32>,
    pub(crate) client: Option<u32>,
    pub(crate) use_: Option<u32>,
    pub(crate) app: Option<u32>,
    pub(crate) app_class: AppClass,
    /// What was found, with the entity's index and effective class.
    pub(crate) found: Vec<Found<'f>>,
    /// The indices of what was found.
    pub(crate) entities: Bits,
    /// The class of the text.
    pub(crate) data_class: u8,
    local: OnceCell<DateTime>,
}

/// An entity that was found, with what the policy makes of it.
#[derive(Debug)]
pub(crate) struct Found<'f> {
    pub(crate) seen: &'f Seen,
    pub(crate) index: Option<u32>,
    pub(crate) class: u8,
}

impl<'f> Bound<'f> {
    pub(crate) fn new(policy: &'f Policy, facts: &'f Facts) -> Self {
        let names = &policy.names;
        let mut bound = Self {
            policy,
            facts,
            groups: names.groups_of(&facts.who.groups),
            principal: names.principals.index(&facts.who.principal),
            client: facts
                .who
                .client
                .as_deref()
                .and_then(|client| names.clients.index(client)),
            use_: facts.use_.as_deref().and_then(|name| names.uses.index(name)),
            app: names.apps.index(&facts.to.app),
            app_class: AppClass::Unknown,
            found: Vec::with_capacity(facts.content.entities.len()),
            entities: Bits::default(),
            data_class: policy.default_class,
            local: OnceCell::new(),
        };
        bound.classify_text();
        bound.app_class = bound.classify_app();
        bound
    }

    /// The app's entry in the policy.
    pub(crate) fn app_entry(&self) -> Option<&'f AppEntry> {
        self.policy.apps.get(self.app? as usize)?.as_ref()
    }

    fn classify_app(&mut self) -> AppClass {
        let Some(entry) = self.app_entry() else {
            return AppClass::Unknown;
        };
        let class = match entry.expires {
            Some((at, then)) if self.facts.now >= at => then,
            _ => entry.class,
        };
        // Selectors in `for` see the class that the list states.
        self.app_class = class;
        let attributes = &self.facts.to.attributes;
        let required = entry.require.iter().all(|wanted| attributes.contains(wanted));
        let meant = entry
            .only_for
            .as_ref()
            .is_none_or(|selectors| selector::any(selectors, self));
        if required && meant {
            class
        } else {
            class.max(AppClass::Unknown)
        }
    }

    fn classify_text(&mut self) {
        let (policy, content) = (self.policy, &self.facts.content);
        if content.entities.is_empty() {
            return;
        }
        for seen in &content.entities {
            let index = policy.names.entities.index(seen.entity.as_str());
            let class = index
                .and_then(|index| policy.entity_classes.get(index as usize).copied())
                .unwrap_or(policy.default_class);
            if let Some(index) = index {
                self.entities.insert(index);
            }
            self.found.push(Found { seen, index, class });
        }
        for escalation in &policy.escalations {
            if escalation.applies(&self.found) {
                for found in &mut self.found {
                    if found.index.is_some_and(|index| escalation.names(index)) {
                        found.class = found.class.max(escalation.to);
                    }
                }
            }
        }
        self.data_class = self
            .found
            .iter()
            .map(|found| found.class)
            .max()
            .unwrap_or(policy.default_class);
    }

    /// Whether the text, or the parts of some sources, has what a `data` key names.
    pub(crate) fn has_data(&self, data: &Data, sources: Option<SourceSet>) -> bool {
        let Some(sources) = sources else {
            return data.names(None, self.data_class)
                || self.found.iter().any(|found| data.names(found.index, found.class));
        };
        let mut inside = self
            .found
            .iter()
            .filter(|found| !found.seen.sources.intersection(sources).is_empty())
            .peekable();
        if inside.peek().is_none() {
            return !sources.intersection(self.facts.content.sources).is_empty()
                && data.names(None, self.policy.default_class);
        }
        inside.any(|found| data.names(found.index, found.class))
    }

    /// Whether the principal completed a course that still counts.
    pub(crate) fn holds_course(&self, course: &str) -> bool {
        let today = self.local().date();
        let valid = self.policy.course_days(course);
        self.facts.who.training.iter().any(|(done, on)| {
            done == course
                && match valid {
                    None => true,
                    Some(days) => today.duration_since(*on).as_hours() <= 24 * i64::from(days),
                }
        })
    }

    /// Whether the principal signed in at most so many minutes ago. What lies in the future is no sign-in.
    pub(crate) fn signed_in_within(&self, minutes: u32) -> bool {
        let now = self.facts.now;
        self.facts
            .who
            .signed_in
            .is_some_and(|at| at <= now && now.duration_since(at) <= SignedDuration::from_secs(60 * i64::from(minutes)))
    }

    /// The moment in the policy's zone, worked out when first asked for.
    pub(crate) fn local(&self) -> DateTime {
        *self.local.get_or_init(|| self.policy.zone.to_datetime(self.facts.now))
    }
}
