//! The policy's own words: project names, customers, code words.
//!
//! **Finds** each word (or phrase) of a list, whatever its case, where it stands as a whole word: `Falcon` is not found in
//! `Falconry`. What counts at the edge of a word is the letters and digits of Unicode, except that scripts written without
//! spaces (Chinese, Japanese, Thai, …) need none. Where two words of the list overlap, the one that begins first is
//! found, and of two that begin together the longer.
//!
//! **Deliberately does not find** inflections, and phrases whose spaces are written otherwise, such as a line break.

use std::fmt;

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind};

use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

/// The detector of one list of words.
pub struct Keywords {
    entity: EntityId,
    id: String,
    /// Folded to ASCII lower case, sorted, distinct.
    words: Vec<Word>,
    searcher: AhoCorasick,
    longest: usize,
}

struct Word {
    folded: String,
    /// The longest other word that this one begins with.
    shorter: Option<usize>,
}

impl Keywords {
    /// A detector that reports these words as one entity.
    ///
    /// # Errors
    ///
    /// What is wrong with the list, in words for its author.
    pub fn new(entity: EntityId, words: &[String]) -> Result<Self, String> {
        if words.is_empty() {
            return Err("the list of keywords is empty".to_owned());
        }
        if words.len() > MOST_WORDS {
            return Err(format!(
                "{} keywords are too many, at most {MOST_WORDS} are allowed",
                words.len()
            ));
        }
        let mut folded = Vec::with_capacity(words.len());
        for word in words {
            if !(SHORTEST..=LONGEST).contains(&word.len()) {
                let length = word.len();
                return Err(format!(
                    "keyword `{word}` has {length} bytes, between {SHORTEST} and {LONGEST} are allowed"
                ));
            }
            if word.trim() != word {
                return Err(format!("keyword `{word}` begins or ends with a space"));
            }
            folded.extend(spellings(word));
        }
        folded.sort_unstable();
        folded.dedup();
        let searcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(&folded)
            .map_err(|reason| format!("the list of keywords does not compile: {reason}"))?;
        let longest = folded.iter().map(String::len).max().unwrap_or_default();
        let id = format!("keywords/{entity}");
        Ok(Self {
            entity,
            id,
            words: link(folded),
            searcher,
            longest,
        })
    }

    /// The next whole word that starts at or after an offset.
    fn next(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        let mut from = from;
        loop {
            let input = Input::new(text).range(from..).anchored(Anchored::No);
            let found = self.searcher.find(input)?;
            let start = found.start();
            let mut word = self.words.get(found.pattern().as_usize());
            while let Some(candidate) = word {
                let end = start + candidate.folded.len();
                if stands_alone(text, start, end) {
                    return Some((start, end));
                }
                word = candidate.shorter.and_then(|index| self.words.get(index));
            }
            from = start
                + text
                    .get(start..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(1, char::len_utf8);
        }
    }

    /// The first start at or after an offset whose word the end of the text leaves unfinished or without a neighbour.
    fn open(&self, text: &str, from: usize) -> usize {
        let earliest = text
            .floor_char_boundary(text.len().saturating_sub(self.longest))
            .max(from);
        let tail = text.get(earliest..).unwrap_or_default();
        let starts = tail.char_indices().map(|(index, _)| earliest + index);
        starts
            .into_iter()
            .find(|&start| self.may_begin(text, start))
            .unwrap_or(text.len())
    }

    fn may_begin(&self, text: &str, start: usize) -> bool {
        let rest = text.get(start..).unwrap_or_default().as_bytes();
        let lower = || rest.iter().map(u8::to_ascii_lowercase);
        let at = self.words.partition_point(|word| word.folded.bytes().lt(lower()));
        let begins = self.words.get(at).is_some_and(|word| {
            word.folded.len() >= rest.len() && word.folded.bytes().zip(lower()).all(|(one, two)| one == two)
        });
        begins && edge_is_free(text, start)
    }
}

impl fmt::Debug for Keywords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keywords")
            .field("entity", &self.entity)
            .field("words", &self.words.len())
            .finish_non_exhaustive()
    }
}

impl Detector for Keywords {
    fn id(&self) -> &str {
        &self.id
    }

    fn version(&self) -> u32 {
        1
    }

    fn entities(&self) -> Vec<EntityId> {
        vec![self.entity.clone()]
    }

    fn horizon(&self) -> Horizon {
        Horizon::Bounded(self.longest)
    }

    fn shortest(&self) -> usize {
        self.words.iter().map(|word| word.folded.len()).min().unwrap_or(1)
    }

    fn starts(&self) -> ByteSet {
        let mut starts = ByteSet::of(&[]);
        for byte in self.words.iter().filter_map(|word| word.folded.bytes().next()) {
            starts.insert(byte.to_ascii_lowercase());
            starts.insert(byte.to_ascii_uppercase());
        }
        starts
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        let text = window.text;
        let mut position = window.from;
        let open = |position| {
            if window.complete {
                text.len()
            } else {
                self.open(text, position)
            }
        };
        let mut settled = open(position);
        while let Some((start, end)) = self.next(text, position) {
            // Where an earlier start, or this one, is still open, the order of the matches is open too.
            if start >= settled {
                return Ok(settled);
            }
            matches.push(Match {
                entity: self.entity.clone(),
                span: start..end,
            });
            position = end;
            if settled < position {
                settled = open(position);
            }
        }
        Ok(settled)
    }
}

/// The word as it is and in its other cases. ASCII is folded by the search; beyond it, only whole-word changes are made.
fn spellings(word: &str) -> Vec<String> {
    if word.is_ascii() {
        return vec![word.to_ascii_lowercase()];
    }
    let lower = word.to_lowercase();
    let mut letters = lower.chars();
    let title = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
    [word.to_owned(), word.to_uppercase(), title, lower]
        .map(|spelling| spelling.to_ascii_lowercase())
        .to_vec()
}

/// Gives each word of a sorted list the longest word that it begins with.
fn link(folded: Vec<String>) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::with_capacity(folded.len());
    for folded in folded {
        let mut shorter = words.len().checked_sub(1);
        while let Some(word) = shorter.and_then(|index| words.get(index)) {
            if folded.starts_with(&word.folded) {
                break;
            }
            shorter = word.shorter;
        }
        words.push(Word { folded, shorter });
    }
    words
}

fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let last = text.get(start..end).and_then(|word| word.chars().next_back());
    let after = text.get(end..).and_then(|rest| rest.chars().next());
    edge_is_free(text, start) && !(last.is_some_and(joins) && after.is_some_and(joins))
}

fn edge_is_free(text: &str, start: usize) -> bool {
    let before = text.get(..start).and_then(|head| head.chars().next_back());
    let first = text.get(start..).and_then(|rest| rest.chars().next());
    !(first.is_some_and(joins) && before.is_some_and(joins))
}

/// Whether a character makes one word with a neighbour of its kind.
fn joins(character: char) -> bool {
    let unspaced = matches!(
        character,
        // Thai and Lao, Myanmar, Khmer, kana, Han with its extensions.
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}'
            | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}'
    );
    character.is_alphanumeric() && !unspaced
}

const SHORTEST: usize = 2;
const LONGEST: usize = 200;
const MOST_WORDS: usize = 10_000;
