//! What a record says of one half: who, whereto, and what the text was made of.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::Shown;
use crate::decide::{self, Facts, Seen};
use crate::detect::{EntityId, Trouble};
use crate::inspect::Failed;
use crate::verdict::SourceSet;

/// Who asked, without a name.
#[derive(Debug)]
pub(super) struct Who<'r> {
    pub(super) one: &'r decide::Who,
    /// The random id of this one, where the record does not say it elsewhere.
    pub(super) subject: Option<&'r str>,
    /// The random id of the one on whose behalf this one asks.
    pub(super) on_behalf_of: Option<&'r str>,
}

impl Serialize for Who<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut who = serializer.serialize_map(None)?;
        if let Some(client) = &self.one.client {
            who.serialize_entry("client", client)?;
        }
        who.serialize_entry("groups", &self.one.groups)?;
        if let Some(other) = &self.one.on_behalf_of {
            let other = Who {
                one: other,
                subject: self.on_behalf_of,
                on_behalf_of: None,
            };
            who.serialize_entry("on_behalf_of", &other)?;
        }
        if let Some(at) = self.one.signed_in {
            who.serialize_entry("signed_in", &at.as_millisecond())?;
        }
        if let Some(since) = self.one.since {
            who.serialize_entry("since", &Shown(since))?;
        }
        if let Some(subject) = self.subject {
            who.serialize_entry("subject", subject)?;
        }
        if !self.one.training.is_empty() {
            let completed = self.one.training.iter().map(|(course, on)| (course, Shown(on)));
            who.serialize_entry("training", &Members(completed))?;
        }
        who.end()
    }
}

/// Where it was to go.
#[derive(Debug)]
pub(super) struct To<'r>(pub(super) &'r Facts);

impl Serialize for To<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut to = serializer.serialize_map(None)?;
        to.serialize_entry("app", &self.0.to.app)?;
        if !self.0.to.attributes.is_empty() {
            let attributes = self.0.to.attributes.iter().map(|(name, value)| (name, value));
            to.serialize_entry("attributes", &Members(attributes))?;
        }
        if let Some(model) = &self.0.model {
            to.serialize_entry("model", model)?;
        }
        if let Some(use_) = &self.0.use_ {
            to.serialize_entry("use", use_)?;
        }
        to.end()
    }
}

/// What could not do its work, by id.
#[derive(Debug)]
pub(super) struct Ids<'r>(pub(super) &'r [Failed]);

impl Serialize for Ids<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|failed| &failed.id))
    }
}

/// How each came not to do it.
#[derive(Debug)]
pub(super) struct Troubles<'r>(pub(super) &'r [Failed]);

impl Serialize for Troubles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let how: BTreeMap<&str, Trouble> = self.0.iter().map(|one| (one.id.as_str(), one.trouble)).collect();
        how.serialize(serializer)
    }
}

/// What the text was made of.
#[derive(Debug)]
pub(super) struct Content<'r>(pub(super) &'r decide::Content);

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let of = self.0;
        let mut content = serializer.serialize_map(None)?;
        if let Some(endpoint) = &of.endpoint {
            content.serialize_entry("endpoint", endpoint)?;
        }
        if !of.entities.is_empty() {
            let entities = of.entities.iter().map(|seen| (seen.entity.as_str(), Entity(seen)));
            content.serialize_entry("entities", &Members(entities))?;
        }
        if !of.findings.is_empty() {
            let findings = of.findings.iter().map(|(id, sources)| (id, Sources(*sources)));
            content.serialize_entry("findings", &Members(findings))?;
        }
        content.serialize_entry("sources", &Sources(of.sources))?;
        if !of.tools.is_empty() {
            content.serialize_entry("tools", &Tools(&of.tools))?;
        }
        content.end()
    }
}

struct Entity<'r>(&'r Seen);

impl Serialize for Entity<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entity = serializer.serialize_map(None)?;
        entity.serialize_entry("distinct", &self.0.distinct)?;
        if !self.0.fixed.is_empty() {
            entity.serialize_entry("fixed", &Sources(self.0.fixed))?;
        }
        entity.serialize_entry("sources", &Sources(self.0.sources))?;
        entity.end()
    }
}

struct Tools<'r>(&'r [decide::Called]);

impl Serialize for Tools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Called))
    }
}

struct Called<'r>(&'r decide::Called);

impl Serialize for Called<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut called = serializer.serialize_map(None)?;
        if self.0.awaited {
            called.serialize_entry("awaited", &true)?;
        }
        if !self.0.met.is_empty() {
            called.serialize_entry("met", &self.0.met)?;
        }
        called.serialize_entry("name", &self.0.name)?;
        called.end()
    }
}

struct Sources(SourceSet);

impl Serialize for Sources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

/// How many spans were masked, or tokens put back, by entity.
#[derive(Debug)]
pub(super) struct Masked<'r>(pub(super) &'r BTreeMap<EntityId, u32>);

impl Serialize for Masked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(entity, count)| (entity.as_str(), count)))
    }
}

/// What could not be read as text: the kinds, each once. Pointers are the client's words and are not kept.
#[derive(Debug)]
pub(super) struct Uninspectable<'r>(pub(super) &'r [(String, &'static str)]);

impl Serialize for Uninspectable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kinds: BTreeSet<&str> = self.0.iter().map(|(_, what)| *what).collect();
        serializer.collect_seq(kinds)
    }
}

/// An object out of pairs.
struct Members<I>(I);

impl<K: Serialize, V: Serialize, I: Iterator<Item = (K, V)> + Clone> Serialize for Members<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.clone())
    }
}
