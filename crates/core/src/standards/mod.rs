//! Frameworks that a policy's clauses map to, as data: packs of items with ids, titles and what became of them.
//!
//! A pack is a file below `data/standards`: facts alone (ids, titles, kinds, parents, retirements), never a publisher's
//! sentences; where a licence forbids even titles, ids alone. A pack's id carries its year or version where its publisher
//! counts in them, since items move between editions. Read [`resolve`] first.

mod parse;

use std::sync::LazyLock;

/// One edition of a framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// Kebab-case, with the version if the publisher's editions differ in ids.
    pub id: &'static str,
    /// What its publisher calls it.
    pub name: &'static str,
    /// The edition.
    pub version: &'static str,
    /// Who publishes it.
    pub publisher: &'static str,
    /// Where it is published.
    pub url: &'static str,
    /// Under which terms, and what of it is carried here.
    pub licence: &'static str,
    /// Whether a newer edition has taken its place.
    pub retired: bool,
    /// The pack that took its place.
    pub successor: Option<&'static str>,
    /// Its items, in its own order, retired ones last.
    pub items: Vec<Item>,
    /// Names without a version that people use for it.
    aliases: Vec<&'static str>,
    /// What item ids begin with and may be left out, as `AML.` in `AML.T0051`.
    prefix: &'static str,
    /// What item ids end with and may be left out, as `:2026` in `LLM02:2026`.
    suffix: &'static str,
}

/// One item of a pack: a risk, a control, an article, a technique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The publisher's id.
    pub id: &'static str,
    /// Its title, if it may be carried here.
    pub title: Option<&'static str>,
    /// What it is, in the publisher's words: `risk`, `control`, `technique`.
    pub kind: &'static str,
    /// The item that it is a part of.
    pub parent: Option<&'static str>,
    /// The item that took its place, in this pack or in the pack's successor.
    pub successor: Option<&'static str>,
}

impl Item {
    /// Whether the pack itself has taken the item out of use.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.kind == "retired"
    }
}

impl Pack {
    /// The item with an id, with or without what all ids of the pack have in common.
    #[must_use]
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id || self.short(item) == id)
    }

    /// The id of an item without what all ids of the pack have in common.
    #[must_use]
    pub fn short(&self, item: &Item) -> &'static str {
        let id = item.id.strip_prefix(self.prefix).unwrap_or(item.id);
        id.strip_suffix(self.suffix).unwrap_or(id)
    }
}

/// Every pack, by id.
#[must_use]
pub fn packs() -> &'static [Pack] {
    static PACKS: LazyLock<Vec<Pack>> = LazyLock::new(|| FILES.iter().map(|text| parse::pack(text)).collect());
    &PACKS
}

/// The pack with an id.
#[must_use]
pub fn pack(id: &str) -> Option<&'static Pack> {
    packs().iter().find(|pack| pack.id == id)
}

/// The packs that a name without a version may mean.
#[must_use]
pub fn versions(name: &str) -> Vec<&'static Pack> {
    packs().iter().filter(|pack| pack.aliases.contains(&name)).collect()
}

/// The item that a policy names as `{pack: [item]}`.
#[must_use]
pub fn resolve(pack: &str, item: &str) -> Option<&'static Item> {
    self::pack(pack)?.item(item)
}

const FILES: &[&str] = &[
    include_str!("../../data/standards/anssi-genai-1.0.tsv"),
    include_str!("../../data/standards/avid-taxonomy.tsv"),
    include_str!("../../data/standards/cosai-rm.tsv"),
    include_str!("../../data/standards/csa-aicm-1.1.tsv"),
    include_str!("../../data/standards/eu-ai-act.tsv"),
    include_str!("../../data/standards/frontier-model-forum.tsv"),
    include_str!("../../data/standards/google-saif.tsv"),
    include_str!("../../data/standards/iso-42001-2023.tsv"),
    include_str!("../../data/standards/mitre-atlas.tsv"),
    include_str!("../../data/standards/nist-ai-600-1.tsv"),
    include_str!("../../data/standards/nist-ai-rmf-1.0.tsv"),
    include_str!("../../data/standards/owasp-ai-exchange.tsv"),
    include_str!("../../data/standards/owasp-aima.tsv"),
    include_str!("../../data/standards/owasp-asi-2026.tsv"),
    include_str!("../../data/standards/owasp-llm-2025.tsv"),
    include_str!("../../data/standards/owasp-llm-2026.tsv"),
];

#[cfg(test)]
mod tests;
