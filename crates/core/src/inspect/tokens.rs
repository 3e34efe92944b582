//! Tokens: what stands in place of a value on its way to the model, and is put back into the answer.
//!
//! A token is a label with a number, such as `[email-address-1]`. Within an exchange the same value has the same token, and
//! numbers go by first appearance, so that a conversation whose history grows has the same tokens again. A token that stands
//! in the request already is nobody's: its number is passed over. Which value a token stands for is known to its exchange
//! alone, for as long as that lasts, and is never recorded (threat I6). Read [`Tokens`] first.

mod links;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::{Bound, Range};

pub(super) use links::Links;

use super::content::{self, Tally};
use super::{Fate, Inspection, Judged};
use crate::decide::{Decision, Mask};
use crate::detect::EntityId;
use crate::detect::scanner::Scan;
use crate::exchange::{Edit, Part, Place};
use crate::policy::compile::{Policy, Restoring};
use crate::verdict::{Direction, Source};
use crate::wire::CallBegun;
use crate::wire::json::text::escape;
use crate::wire::reading::read_arguments;
use crate::wire::splice::splice;

/// A number with more digits than this is none of a token.
const LONGEST_NUMBER: usize = 20;

/// The tokens of one exchange, with what they stand for.
#[derive(Default)]
pub struct Tokens {
    by_name: BTreeMap<String, Token>,
    /// The length of the longest, in bytes.
    longest: usize,
}

/// What a token stands for.
pub(super) struct Token {
    pub(super) entity: EntityId,
    value: String,
    restoring: Restoring,
}

impl fmt::Debug for Tokens {
    /// Values are no one's to see, in a log least of all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.by_name.len())
    }
}

/// The edits that masks ask for in a half: labels, and tokens where the policy has values put back.
#[must_use]
pub fn edits(
    policy: &Policy,
    direction: Direction,
    parts: &[Part],
    scan: &Scan,
    masks: &[Mask],
) -> (Vec<Edit>, Tokens) {
    let restores = |mask: &Mask| policy.restoring(&mask.entity).is_some();
    if direction == Direction::Answer || !policy.restores() || !masks.iter().any(restores) {
        return (content::edits(parts, scan, masks), Tokens::default());
    }
    let mut mint = Mint {
        policy,
        parts,
        made: BTreeMap::new(),
        last: BTreeMap::new(),
        taken: BTreeMap::new(),
    };
    let edits = content::edits_with(parts, scan, masks, |entity, value| mint.token(entity, value));
    let tokens = mint.made.into_iter().filter_map(|((entity, value), name)| {
        let restoring = policy.restoring(&entity)?;
        let token = Token {
            entity,
            value,
            restoring,
        };
        Some((name, token))
    });
    let by_name: BTreeMap<String, Token> = tokens.collect();
    let longest = by_name.keys().map(String::len).max().unwrap_or_default();
    (edits, Tokens { by_name, longest })
}

/// Makes the tokens of a request.
struct Mint<'m> {
    policy: &'m Policy,
    parts: &'m [Part],
    made: BTreeMap<(EntityId, String), String>,
    /// The last number of each entity.
    last: BTreeMap<EntityId, u64>,
    /// The numbers that stand in the request, by entity.
    taken: BTreeMap<EntityId, BTreeSet<u64>>,
}

impl Mint<'_> {
    /// What stands in place of a value.
    fn token(&mut self, entity: &EntityId, value: &str) -> String {
        if self.policy.restoring(entity).is_none() {
            return content::label(entity);
        }
        let key = (entity.clone(), value.to_owned());
        if let Some(known) = self.made.get(&key) {
            return known.clone();
        }
        let parts = self.parts;
        let taken = self
            .taken
            .entry(entity.clone())
            .or_insert_with(|| numbers_in(parts, entity));
        let last = self.last.entry(entity.clone()).or_default();
        *last += 1;
        while taken.contains(last) {
            *last += 1;
        }
        let name = format!("[{entity}-{last}]");
        self.made.insert(key, name.clone());
        name
    }
}

/// The numbers of what looks like tokens of an entity.
fn numbers_in(parts: &[Part], entity: &EntityId) -> BTreeSet<u64> {
    let start = format!("[{entity}-");
    let found = parts.iter().flat_map(|part| {
        part.text
            .match_indices(&start)
            .map(move |(at, start)| (part, at + start.len()))
    });
    let number = |(part, at): (&Part, usize)| {
        let rest = part.text.as_bytes().get(at..)?;
        let end = rest
            .iter()
            .take(LONGEST_NUMBER)
            .position(|byte| !byte.is_ascii_digit())?;
        let closed = rest.get(end) == Some(&b']');
        part.text.get(at..at + end)?.parse().ok().filter(|_| closed)
    };
    found.filter_map(number).collect()
}

impl Tokens {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The tokens in a text that values are put in place of, in order, and how far it was read: what follows may yet become
    /// one. With `complete`, nothing follows. `links` knows of what stood before, and goes on over what was read.
    pub(super) fn find(&self, text: &str, complete: bool, links: &mut Links) -> (Vec<(Range<usize>, &Token)>, usize) {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find('[')).map(|at| from + at) {
            links.pass(text.get(from..at).unwrap_or_default());
            let rest = text.get(at..).unwrap_or_default();
            let end = rest.bytes().take(self.longest).position(|byte| byte == b']');
            let end = end.map(|end| end + 1);
            let token = end.and_then(|end| Some((end, self.by_name.get(rest.get(..end)?)?)));
            if token.is_none() && !complete && end.is_none() && self.begins(rest) {
                return (found, at);
            }
            from = at + token.map_or(1, |(end, _)| end);
            if let Some((_, token)) = token.filter(|_| !links.is_within()) {
                found.push((at..from, token));
            }
            links.pass(text.get(at..from).unwrap_or_default());
        }
        links.pass(text.get(from..).unwrap_or_default());
        (found, text.len())
    }

    /// Whether some token begins with this.
    fn begins(&self, start: &str) -> bool {
        let mut following = self.by_name.range::<str, _>((Bound::Included(start), Bound::Unbounded));
        following.next().is_some_and(|(name, _)| name.starts_with(start))
    }

    /// The tokens that values are put in place of in parts that can be edited: the part's index, the place in its text, the
    /// token.
    pub(super) fn in_parts(&self, parts: &[Part]) -> Vec<(usize, Range<usize>, &Token)> {
        let open = parts
            .iter()
            .enumerate()
            .filter(|(_, part)| part.fixed.is_none() && !part.inner);
        let found = open.flat_map(|(index, part)| {
            let (found, _) = self.find(&part.text, true, &mut Links::default());
            found.into_iter().map(move |(range, token)| (index, range, token))
        });
        found.collect()
    }

    /// Counts those that are judged as what they stand for, wherever they would be put back.
    pub(super) fn count(&self, parts: &[Part], tally: &mut Tally) {
        for (index, _, token) in self.in_parts(parts) {
            if let Some(part) = parts.get(index) {
                token.count(part.source, tally);
            }
        }
    }

    /// The edits that put values back, but for those that the decision masks, with the entity of each.
    pub(super) fn put_back(&self, parts: &[Part], decision: &Decision, formed: bool) -> (Vec<Edit>, Vec<EntityId>) {
        let edit = |(index, range, token): (usize, Range<usize>, &Token)| {
            let part = parts.get(index)?;
            let edit = Edit {
                part: index,
                range,
                // Within JSON in a text, it is escaped as all edits are.
                replacement: token.written(formed && matches!(part.place, Place::Body(_))),
            };
            (!token.is_kept(decision, part.source)).then(|| (edit, token.entity.clone()))
        };
        self.in_parts(parts).into_iter().filter_map(edit).unzip()
    }

    /// Arguments as the caller's program would get them: with every value put back.
    fn meant<'t>(&self, arguments: &'t str) -> Cow<'t, str> {
        let Ok(half) = read_arguments(arguments, "", Source::Model) else {
            return Cow::Borrowed(arguments);
        };
        let edit = |(part, range, token): (usize, Range<usize>, &Token)| Edit {
            part,
            range,
            replacement: token.value.clone(),
        };
        let edits: Vec<Edit> = self.in_parts(&half.parts).into_iter().map(edit).collect();
        if edits.is_empty() {
            return Cow::Borrowed(arguments);
        }
        let bytes = splice(arguments.as_bytes(), &half, &edits, &[]).ok();
        match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(meant) => Cow::Owned(meant),
            None => Cow::Borrowed(arguments),
        }
    }
}

impl Token {
    /// Whether it stays as it is, since what it stands for is to be masked.
    pub(super) fn is_kept(&self, decision: &Decision, source: Source) -> bool {
        self.restoring == Restoring::Judged && decision.masks_entity(&self.entity, source)
    }

    /// Notes what it stands for, if that is judged.
    pub(super) fn count(&self, source: Source, tally: &mut Tally) {
        if self.restoring == Restoring::Judged {
            tally.count(&self.entity, &self.value, source, false);
        }
    }

    /// The value as it is written into a text; into one that has a form, which is JSON, as part of a JSON string.
    pub(super) fn written(&self, formed: bool) -> String {
        if formed {
            escape(&self.value)
        } else {
            self.value.clone()
        }
    }
}

/// A call with its arguments as the caller's program would get them.
pub(super) fn meant_call<'c>(tokens: Option<&Tokens>, begun: &'c CallBegun) -> Cow<'c, CallBegun> {
    match (tokens, &begun.call.arguments) {
        (Some(tokens), Some(arguments)) => {
            let mut meant = begun.clone();
            meant.call.arguments = Some(tokens.meant(arguments).into_owned());
            Cow::Owned(meant)
        }
        _ => Cow::Borrowed(begun),
    }
}

/// Arguments as the caller's program would get them.
pub(super) fn meant<'t>(tokens: Option<&Tokens>, arguments: &'t str) -> Cow<'t, str> {
    tokens.map_or(Cow::Borrowed(arguments), |tokens| tokens.meant(arguments))
}

impl Inspection {
    /// A whole answer that goes on, with values in place of their tokens.
    pub(super) fn restored(&self, body: &[u8], judged: &mut Judged, fate: Fate) -> Fate {
        let Some(tokens) = &self.kept.tokens else { return fate };
        let Fate::Forward(edited) = fate else { return fate };
        let bytes = edited.as_deref().unwrap_or(body);
        let Ok(half) = self.wire.read_answer(bytes) else {
            return Fate::Forward(edited);
        };
        let (edits, entities) = tokens.put_back(&half.parts, &judged.decision, self.kept.exact);
        if edits.is_empty() {
            return Fate::Forward(edited);
        }
        // Where they cannot be put back, the tokens stay.
        let restored = splice(bytes, &half, &edits, &[]).ok();
        match restored.filter(|bytes| self.wire.read_answer(bytes).is_ok()) {
            Some(restored) => {
                for entity in entities {
                    *judged.restored.entry(entity).or_default() += 1;
                }
                Fate::Forward(Some(restored))
            }
            None => Fate::Forward(edited),
        }
    }
}
