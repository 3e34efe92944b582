//! From matches to facts, and from masks to edits.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;

use crate::decide::{Content, Mask, Seen};
use crate::detect::scanner::{Scan, Scanner};
use crate::detect::{EntityId, Match};
use crate::exchange::{Edit, Part};
use crate::policy::cases::Assumed;
use crate::verdict::{Source, SourceSet};

/// Distinct values and where they were seen, over one half.
#[derive(Debug, Default)]
pub struct Tally {
    hasher: RandomState,
    seen: BTreeMap<EntityId, Entry>,
    sources: SourceSet,
}

#[derive(Debug, Default)]
struct Entry {
    values: BTreeSet<u64>,
    sources: SourceSet,
    fixed: SourceSet,
}

impl Tally {
    /// Counts a value. Only a keyed hash of it is kept, for as long as the half lasts.
    pub fn count(&mut self, entity: &EntityId, value: &str, source: Source, fixed: bool) {
        let entry = self.seen.entry(entity.clone()).or_default();
        entry.values.insert(self.hasher.hash_one(value));
        entry.sources = entry.sources.with(source);
        if fixed {
            entry.fixed = entry.fixed.with(source);
        }
    }

    /// Notes that a source has a part.
    pub fn source(&mut self, source: Source) {
        self.sources = self.sources.with(source);
    }

    /// The facts so far.
    #[must_use]
    pub fn content(&self) -> Content {
        let seen = |(entity, entry): (&EntityId, &Entry)| Seen {
            entity: entity.clone(),
            distinct: u32::try_from(entry.values.len()).unwrap_or(u32::MAX),
            sources: entry.sources,
            fixed: entry.fixed,
        };
        Content {
            sources: self.sources,
            entities: self.seen.iter().map(seen).collect(),
            ..Content::default()
        }
    }
}

/// The facts about parts and what was found in them.
#[must_use]
pub fn of(parts: &[Part], scan: &Scan) -> Content {
    of_with(parts, scan, |_| ())
}

/// The same with what `more` knows of beside.
pub(super) fn of_with(parts: &[Part], scan: &Scan, more: impl FnOnce(&mut Tally)) -> Content {
    let mut tally = Tally::default();
    parts.iter().for_each(|part| tally.source(part.source));
    for (index, found) in &scan.matches {
        if let Some((part, value)) = parts
            .get(*index)
            .and_then(|part| Some((part, part.text.get(found.span.clone())?)))
        {
            tally.count(&found.entity, value, part.source, part.fixed.is_some());
        }
    }
    more(&mut tally);
    let mut content = tally.content();
    content.failed = !scan.failures.is_empty();
    content
}

/// Takes an entity as found; in parts of `sources` unless it says otherwise.
pub fn assume(content: &mut Content, one: &Assumed, sources: SourceSet) {
    if !content.entities.iter().any(|seen| seen.entity.as_str() == one.entity) {
        content.entities.push(Seen {
            entity: EntityId::from(one.entity.as_str()),
            distinct: one.distinct,
            sources: one.sources.unwrap_or(sources),
            fixed: one.fixed,
        });
    }
}

/// A name that a client or a model chose (of a model, of a tool), fit for records and messages: what is found in it is
/// masked, whatever the policy says, since names are kept and repeated where texts are not (threat I6).
#[must_use]
pub fn name(scanner: &Scanner, name: &str) -> String {
    let mut found = Vec::new();
    scanner.look(name, &mut found, &mut Vec::new());
    masked(name, &found)
}

/// What a person wrote about a request, fit to be kept: what is found in it is masked, whatever the policy says. `None` if a
/// detector failed on it, since then nobody knows what it holds.
#[must_use]
pub fn words(scanner: &Scanner, text: &str) -> Option<String> {
    let release = scanner.follow().push(scanner, text, true);
    release
        .failures
        .is_empty()
        .then(|| masked(text, release.matches.iter()))
}

/// The model that an answer says it is from, fit for records: as [`name`] is, and only if it is plain and of a bounded length.
/// What is anything else is a statement too, and stands there as such.
#[must_use]
pub fn stated(scanner: &Scanner, model: &str) -> Option<String> {
    if model.is_empty() {
        return None;
    }
    let plain = model.len() <= MOST_STATED && model.bytes().all(|byte| byte.is_ascii_graphic());
    Some(if plain {
        name(scanner, model)
    } else {
        "(no plain name)".to_owned()
    })
}

/// The longest name of a model that is kept, in bytes.
const MOST_STATED: usize = 256;

/// What stands in place of a masked value.
#[must_use]
pub fn label(entity: &EntityId) -> String {
    format!("[{entity}]")
}

/// The spans of matches with what was found there: in order and apart. Overlapping ones become one, that of the first.
fn covers<'m>(found: impl IntoIterator<Item = &'m Match>) -> Vec<(Range<usize>, &'m EntityId)> {
    let mut found: Vec<&Match> = found.into_iter().collect();
    found.sort_by_key(|one| (one.span.start, Reverse(one.span.end)));
    let mut covers: Vec<(Range<usize>, &EntityId)> = Vec::new();
    for one in found {
        match covers.last_mut() {
            Some((last, _)) if one.span.start < last.end => last.end = last.end.max(one.span.end),
            _ => covers.push((one.span.clone(), &one.entity)),
        }
    }
    covers
}

/// A text with matches masked.
#[must_use]
pub fn masked<'m>(text: &str, found: impl IntoIterator<Item = &'m Match>) -> String {
    let covers = covers(found).into_iter();
    replace(text, covers.map(|(range, entity)| (range, label(entity))))
}

/// The edits that masks ask for, by part and place.
#[must_use]
pub fn edits(parts: &[Part], scan: &Scan, masks: &[Mask]) -> Vec<Edit> {
    edits_with(parts, scan, masks, |entity, _| label(entity))
}

/// The same with what `stand_in` says in place of a value of an entity; it is asked in order of parts and places.
pub(super) fn edits_with(
    parts: &[Part],
    scan: &Scan,
    masks: &[Mask],
    mut stand_in: impl FnMut(&EntityId, &str) -> String,
) -> Vec<Edit> {
    let mut wanted: BTreeMap<usize, Vec<&Match>> = BTreeMap::new();
    for (index, found) in &scan.matches {
        let asks = |part: &Part| {
            masks
                .iter()
                .any(|mask| mask.entity == found.entity && mask.sources.contains(part.source))
        };
        if parts.get(*index).is_some_and(asks) {
            wanted.entry(*index).or_default().push(found);
        }
    }
    let mut edits = Vec::new();
    for (index, found) in wanted {
        for (range, entity) in covers(found) {
            let value = parts.get(index).and_then(|part| part.text.get(range.clone()));
            let replacement = stand_in(entity, value.unwrap_or_default());
            edits.push(Edit {
                part: index,
                range,
                replacement,
            });
        }
    }
    edits
}

/// The text of a part with its edits.
#[must_use]
pub fn edited(parts: &[Part], index: usize, edits: &[Edit]) -> String {
    let Some(part) = parts.get(index) else {
        return String::new();
    };
    let own = edits.iter().filter(|edit| edit.part == index);
    replace(
        &part.text,
        own.map(|edit| (edit.range.clone(), edit.replacement.as_str())),
    )
}

/// A text with ranges replaced; ranges are in order and apart.
#[must_use]
pub fn replace<R: AsRef<str>>(text: &str, edits: impl Iterator<Item = (Range<usize>, R)>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (range, replacement) in edits {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(replacement.as_ref());
        from = range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}
