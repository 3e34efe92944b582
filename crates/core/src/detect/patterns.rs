//! The policy's own patterns: numbers and codes of a known shape.
//!
//! **Finds** what a regular expression describes, leftmost first, in time linear in the text. The expression is bounded:
//! it matches at least one byte and at most 1,024, so that a stream knows how much to hold back. Back-references and
//! look-around beyond `\b`, `^`, `$` and their kin do not exist here.
//!
//! **Tune** with `\b` at both ends, so that the pattern is not found in the middle of a longer token, and mind that `\d`
//! and `\w` mean the digits and letters of all scripts, up to four bytes each; `[0-9]` is one byte.

use regex_automata::Input;
use regex_automata::meta::Regex;
use regex_syntax::ParserBuilder;

use super::{Detector, DetectorFailure, EntityId, Horizon, Match, Window};

/// The detector of one pattern.
#[derive(Debug)]
pub struct Pattern {
    entity: EntityId,
    id: String,
    regex: Regex,
    longest: usize,
}

/// Why a pattern was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is not an expression of this language.
    #[error("{reason} (at byte {position} of the pattern)")]
    Syntax {
        /// What is wrong.
        reason: String,
        /// Byte offset in the pattern.
        position: usize,
    },
    /// A match could have any length.
    #[error("a match could have any length: write `{{0,64}}` instead of `*`, and `{{1,64}}` instead of `+`")]
    Unbounded,
    /// A match could be too long.
    #[error("a match could have {longest} bytes, at most {LONGEST} are allowed: write `{{0,64}}` instead of `*`")]
    TooLong {
        /// The length of the longest possible match.
        longest: usize,
    },
    /// It matches the empty string, and so everywhere.
    #[error("it matches the empty text, and so everywhere")]
    MatchesEmpty,
    /// It matches nothing.
    #[error("it can never match")]
    NeverMatches,
    /// It takes too much memory.
    #[error("it is too large: its compiled form takes more than {LARGEST} bytes")]
    TooLarge,
}

impl Pattern {
    /// A detector that reports what a pattern matches as one entity.
    ///
    /// # Errors
    ///
    /// [`PatternError`] for a pattern that is wrong or not bounded.
    pub fn new(entity: EntityId, pattern: &str) -> Result<Self, PatternError> {
        if pattern.len() > LARGEST_SOURCE {
            return Err(PatternError::TooLarge);
        }
        let tree = ParserBuilder::new()
            .build()
            .parse(pattern)
            .map_err(|error| syntax(&error))?;
        let properties = tree.properties();
        let Some(shortest) = properties.minimum_len() else {
            return Err(PatternError::NeverMatches);
        };
        let Some(longest) = properties.maximum_len() else {
            return Err(PatternError::Unbounded);
        };
        if shortest == 0 {
            return Err(PatternError::MatchesEmpty);
        }
        if longest > LONGEST {
            return Err(PatternError::TooLong { longest });
        }
        let config = Regex::config()
            .nfa_size_limit(Some(LARGEST))
            .hybrid_cache_capacity(LARGEST);
        let regex = Regex::builder()
            .configure(config)
            .build_from_hir(&tree)
            .map_err(|_| PatternError::TooLarge)?;
        let id = format!("patterns/{entity}");
        Ok(Self {
            entity,
            id,
            regex,
            longest,
        })
    }
}

impl Detector for Pattern {
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

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        let text = window.text;
        // What happens at a start is decided by the longest match from there and one character behind it. An earlier
        // start is final; so `from` is the only state, and the text before it is the context of `\b` and `(?m)^`.
        // INVARIANT: `from` is 0 at the beginning of the text and nowhere else, so `^` holds there only.
        let settled = if window.complete {
            text.len()
        } else {
            text.floor_char_boundary(text.len().saturating_sub(self.longest))
        };
        let mut position = window.from;
        while position < settled {
            let Some(found) = self.regex.search(&Input::new(text).range(position..)) else {
                break;
            };
            if found.start() >= settled {
                break;
            }
            matches.push(Match {
                entity: self.entity.clone(),
                span: found.range(),
            });
            position = found.end();
        }
        Ok(settled.max(position))
    }
}

fn syntax(error: &regex_syntax::Error) -> PatternError {
    let (reason, position) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span().start.offset),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), error.span().start.offset),
        other => (other.to_string(), 0),
    };
    PatternError::Syntax { reason, position }
}

const LONGEST: usize = 1024;
const LARGEST: usize = 1 << 20;
const LARGEST_SOURCE: usize = 16 * 1024;
