//! Secrets that their issuer's form gives away: some two hundred and fifty kinds.
//!
//! **Finds** tokens, keys and webhooks that begin as their issuer lets them begin (`ghp_…`, `xoxb-…`, `glpat-…`), with the
//! length and the alphabet that it publishes; and values of an issuer's form behind its name and an assignment, as
//! in configuration and code: `datadog_api_key = "…"`. The kinds are lines of `data/secrets.tsv`.
//!
//! **Matters** because whoever has one acts as its owner, at once and from everywhere, until somebody notices.
//!
//! **Deliberately does not find** a value of a common form (32 hexadecimal digits) without a name that says what it is, a
//! value whose characters hardly differ (`xxxxxxxx`, `00000000`), a token that goes on behind its length, or one that is cut up.
//!
//! **Tune** by entity: what opens a cloud account (`cloud-key`) deserves more than a publishable key (`api-key`).

mod form;
pub(super) mod named;
#[cfg(test)]
mod page;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use self::table::{KINDS, Kind};
use super::walk::Probe;
use super::{Detector, DetectorFailure, EntityId, Horizon, Match, Window};

/// The detector of secrets with a published form.
#[derive(Debug, Clone, Copy)]
pub struct Secrets;

/// What the search looks for: where a form begins, or a name.
#[derive(Debug)]
struct Anchor {
    /// In lower case.
    folded: Vec<u8>,
    /// The kinds that begin so, or are named so.
    kinds: Vec<Way>,
}

/// How a kind is recognised at an anchor.
#[derive(Debug, Clone, Copy)]
struct Way {
    kind: usize,
    form: usize,
    /// Whether the anchor is its name; else it is the beginning of its form.
    named: bool,
}

/// The search and what is behind it.
struct Index {
    /// Every anchor, sorted; one may begin with another.
    anchors: Vec<Anchor>,
    /// Finds the anchors that begin with no other: each leads to a run of `anchors`.
    search: AhoCorasick,
    /// For each pattern of the search, where its run begins.
    runs: Vec<usize>,
    /// The pairs of bytes that anchors begin with, in lower case: few places in a text get further than this.
    pairs: Pairs,
    longest: usize,
}

/// A set of pairs of bytes.
struct Pairs(Vec<u64>);

impl Pairs {
    fn new(pairs: impl Iterator<Item = [u8; 2]>) -> Self {
        let mut bits = vec![0; 1024];
        for pair in pairs {
            let number = usize::from(u16::from_be_bytes(pair));
            if let Some(word) = bits.get_mut(number / 64) {
                *word |= 1 << (number % 64);
            }
        }
        Self(bits)
    }

    fn has(&self, pair: [u8; 2]) -> bool {
        let number = usize::from(u16::from_be_bytes(pair));
        self.0
            .get(number / 64)
            .is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}

/// What is known of each kind: its id, its entity and what a person calls it, in the order of the ids.
pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    KINDS.iter().map(|kind| (kind.id, kind.entity, kind.label))
}

static INDEX: LazyLock<Option<Index>> = LazyLock::new(|| Index::new(&KINDS));

impl Index {
    fn new(kinds: &[Kind]) -> Option<Self> {
        let mut ways: Vec<(Vec<u8>, Way)> = Vec::new();
        for (kind, one) in kinds.iter().enumerate() {
            for (form, shape) in one.forms.iter().enumerate() {
                let way = |named| Way { kind, form, named };
                if one.names.is_empty() {
                    ways.push((shape.anchor().to_ascii_lowercase(), way(false)));
                }
                for name in &one.names {
                    ways.push((name.as_bytes().to_vec(), way(true)));
                }
            }
        }
        ways.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut anchors: Vec<Anchor> = Vec::new();
        for (folded, way) in ways {
            match anchors.last_mut().filter(|last| last.folded == folded) {
                Some(last) => last.kinds.push(way),
                None => anchors.push(Anchor {
                    folded,
                    kinds: vec![way],
                }),
            }
        }
        let mut runs: Vec<usize> = Vec::new();
        for (at, anchor) in anchors.iter().enumerate() {
            let within = runs.last().and_then(|&run| anchors.get(run));
            if !within.is_some_and(|shortest| anchor.folded.starts_with(&shortest.folded)) {
                runs.push(at);
            }
        }
        let patterns = runs
            .iter()
            .filter_map(|&run| anchors.get(run))
            .map(|anchor| &anchor.folded);
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .ascii_case_insensitive(true)
            // Of so many patterns it would make the smaller automaton, which takes twice the time for a byte.
            .kind(Some(AhoCorasickKind::DFA))
            .build(patterns)
            .ok()?;
        Some(Self {
            pairs: Pairs::new(anchors.iter().filter_map(|anchor| anchor.folded.first_chunk().copied())),
            longest: anchors.iter().map(|anchor| anchor.folded.len()).max()?,
            anchors,
            search,
            runs,
        })
    }

    /// The anchors that could stand where the search found one, the longest first.
    fn at(&self, pattern: usize) -> impl Iterator<Item = &Anchor> {
        let from = self.runs.get(pattern).copied().unwrap_or(self.anchors.len());
        let until = self.runs.get(pattern + 1).copied().unwrap_or(self.anchors.len());
        self.anchors.get(from..until).unwrap_or_default().iter().rev()
    }

    /// Where the end of a text begins to spell an anchor without having finished it; else the end.
    fn open(&self, probe: &Probe<'_>, end: usize, from: usize) -> usize {
        let earliest = (end + 1).saturating_sub(self.longest).max(from);
        (earliest..end)
            .find(|&start| begins(probe, start) && self.spells(probe.known(start, end)))
            .unwrap_or(end)
    }

    /// Whether some anchor begins with these bytes and goes on.
    fn spells(&self, bytes: &[u8]) -> bool {
        if let Some(pair) = bytes.first_chunk()
            && !self.pairs.has(pair.map(|byte: u8| byte.to_ascii_lowercase()))
        {
            return false;
        }
        let folded = || bytes.iter().map(u8::to_ascii_lowercase);
        let at = self
            .anchors
            .partition_point(|anchor| anchor.folded.iter().copied().lt(folded()));
        let mut from = self.anchors.get(at..).unwrap_or_default().iter();
        // Behind the anchor that is these bytes, if there is one, stand those that begin with them.
        from.by_ref().take(2).any(|anchor| {
            anchor.folded.len() > bytes.len()
                && anchor.folded.iter().copied().zip(folded()).all(|(one, two)| one == two)
        })
    }
}

impl Detector for Secrets {
    fn id(&self) -> &str {
        ID
    }

    fn version(&self) -> u32 {
        1
    }

    fn entities(&self) -> Vec<EntityId> {
        let entities: BTreeSet<&str> = KINDS.iter().map(|kind| kind.entity).collect();
        entities.into_iter().map(EntityId::from).collect()
    }

    fn horizon(&self) -> Horizon {
        Horizon::Bounded(LONGEST)
    }

    fn shortest(&self) -> usize {
        SHORTEST
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        let Some(index) = &*INDEX else {
            return Err(DetectorFailure {
                detector: ID.to_owned(),
                trouble: super::Trouble::Failed,
                reason: "its table cannot be used".to_owned(),
            });
        };
        let bytes = window.text.as_bytes();
        let probe = Probe::new(bytes);
        let mut position = window.from;
        let open = |from| {
            if window.complete {
                bytes.len()
            } else {
                index.open(&probe, bytes.len(), from)
            }
        };
        while let Some(hit) = index.search.find(aho_corasick::Input::new(bytes).range(position..)) {
            let start = hit.start();
            // An anchor that begins before it and is not finished yet comes first.
            if open(position) < start {
                break;
            }
            if !begins(&probe, start) {
                position = start + 1;
                continue;
            }
            probe.forget();
            let found = index
                .at(hit.pattern().as_usize())
                .find_map(|anchor| judge(&probe, start, anchor));
            if probe.starved() && !window.complete {
                return Ok(start);
            }
            position = match found {
                Some((span, kind)) => {
                    let end = span.end;
                    let entity = EntityId::from(kind.entity);
                    matches.push(Match { entity, span });
                    end
                }
                // Anchors begin with an ASCII byte.
                None => start + 1,
            };
        }
        Ok(open(position).max(position))
    }
}

/// Whether a token or a name could begin at an offset.
pub(super) fn begins(probe: &Probe<'_>, start: usize) -> bool {
    probe.begins_token(start) || named::begins(probe, start)
}

/// The secret at an anchor, if there is one.
fn judge<'k>(probe: &Probe<'_>, start: usize, anchor: &Anchor) -> Option<(std::ops::Range<usize>, &'k Kind)> {
    let known = probe.known(start, start + anchor.folded.len());
    if !known.eq_ignore_ascii_case(&anchor.folded) {
        // It may still become this anchor.
        if known.len() < anchor.folded.len()
            && anchor
                .folded
                .get(..known.len())
                .is_some_and(|head| known.eq_ignore_ascii_case(head))
        {
            let _ = probe.at(start + known.len());
        }
        return None;
    }
    let ways = anchor.kinds.iter().filter_map(|way| {
        let kind = KINDS.get(way.kind)?;
        let form = kind.forms.get(way.form)?;
        let from = if way.named {
            let end = start + anchor.folded.len();
            (named::begins(probe, start) && named::is_whole(probe, end)).then_some(())?;
            named::value(probe, end)?
        } else {
            probe.begins_token(start).then_some(start)?
        };
        let end = form.end(probe, from)?;
        let value = probe.known(from, end);
        let drawn = value.get(form.anchor().len()..).unwrap_or_default();
        (varied(drawn) && (!way.named || named::ends(probe, end) && telling(value))).then_some((from..end, kind))
    });
    // Of two forms that fit, the longer says more.
    ways.max_by_key(|(span, _)| span.end)
}

/// Whether the characters of a value differ. What is filled in for a secret mostly repeats one, or counts.
fn varied(value: &[u8]) -> bool {
    let seen: BTreeSet<&u8> = value.iter().collect();
    let runs = |step: u8| {
        let goes_on = |pair: &[u8; 2]| pair[1].wrapping_sub(pair[0]) == step;
        value.array_windows().fold((0, 0), |(run, longest), pair| {
            let run = if goes_on(pair) { run + 1 } else { 0 };
            (run, longest.max(run))
        })
    };
    seen.len() >= FEWEST_DIFFERENT && runs(0).1 < REPEATED && runs(1).1 < COUNTED
}

/// Whether a value behind a name looks drawn rather than written: what people write seldom has digits in it.
fn telling(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit)
}

const ID: &str = "secrets";

/// No form, and no name with what belongs to it, is shorter.
const SHORTEST: usize = 13;

/// The longest form, with a name and an assignment in front of it.
const LONGEST: usize = 8192;

/// How many different bytes a secret has at least, behind the text that it begins with.
const FEWEST_DIFFERENT: usize = 5;

/// So often a byte follows itself, or the one before it, in no secret.
const REPEATED: usize = 6;
const COUNTED: usize = 9;

#[cfg(test)]
pub(super) const HITS: &[&str] = &[
    "token = «glpat-4fT9xQ2mZ7vK1sBw8nLc»",
    "export DATADOG_API_KEY=«0a1b2c3d4e5f60718293a4b5c6d7e8f9»\n",
    "adafruit_token: '«q7w8e9r1t2y3u4i5o6p7a8s9d1f2g3h4»'",
    "<heroku_key>\n  «5f0c4a1e-9d3b-4c2a-8e7f-1b2c3d4e5f60»\n</heroku_key>",
    "System.setProperty(\"NETLIFY\", \"«nfp_4fT9xQ2mZ7vK1sBw8nLc4fT9xQ2mZ7vK1sBw»\")",
];

#[cfg(test)]
pub(super) const MISSES: &[&str] = &[
    "glpat-xxxxxxxxxxxxxxxxxxxx",
    "xglpat-4fT9xQ2mZ7vK1sBw8nLc",
    "glpat-4fT9xQ2mZ7vK1sBw8nLcAAAA",
    "datadog 0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "heroku key is 5f0c4a1e-9d3b-4c2a-8e7f-1b2c3d4e5f60",
    "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "https://example.com/discord = yes",
];
