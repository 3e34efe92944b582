//! Names for patterns: for each way in which a name can match some patterns and miss the others, a shortest such name.
//!
//! A name's only part in a decision is which patterns match it, so a handful of names stands for all names there are.
//! Patterns are run side by side as one automaton, breadth first (Rabin and Scott 1959, the subset construction), so that
//! the first name found for a combination is a shortest one. Read [`representatives`] first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The automaton is followed through at most so many states; a policy has a few hundred.
const MAX_STATES: usize = 20_000;

/// One name for each combination of matched patterns that some name has; `*` stands for any run of characters.
///
/// Nothing is left out unless the patterns need more than 20,000 states together.
pub(crate) fn representatives(patterns: &BTreeSet<String>) -> Vec<String> {
    let patterns: Vec<Vec<char>> = patterns.iter().map(|pattern| pattern.chars().collect()).collect();
    let named: BTreeSet<char> = patterns
        .iter()
        .flatten()
        .copied()
        .filter(|&letter| letter != '*')
        .collect();
    // A letter of no pattern stands for every such letter; it comes first, since it makes the plainer name.
    let other = ('a'..='z')
        .rev()
        .chain('0'..='9')
        .find(|letter| !named.contains(letter));
    let letters: Vec<char> = other.into_iter().chain(named).collect();
    let start: Vec<BTreeSet<usize>> = patterns
        .iter()
        .map(|pattern| reach(pattern, BTreeSet::from([0])))
        .collect();
    let mut seen = BTreeSet::from([start.clone()]);
    let mut open = VecDeque::from([(start, String::new())]);
    let mut found: BTreeMap<Vec<bool>, String> = BTreeMap::new();
    while let Some((state, name)) = open.pop_front() {
        if !name.is_empty() {
            let matched = patterns
                .iter()
                .zip(&state)
                .map(|(pattern, at)| at.contains(&pattern.len()))
                .collect();
            found.entry(matched).or_insert_with(|| name.clone());
        }
        for &letter in &letters {
            let next: Vec<BTreeSet<usize>> = patterns
                .iter()
                .zip(&state)
                .map(|(pattern, at)| step(pattern, at, letter))
                .collect();
            // The empty name is no name, so that its state must be reached once more by a letter.
            let again = name.is_empty() && open.iter().all(|(state, _)| *state != next);
            if (seen.len() < MAX_STATES && seen.insert(next.clone())) || again {
                open.push_back((next, format!("{name}{letter}")));
            }
        }
    }
    found.into_values().collect()
}

/// Where a pattern can be after a letter.
fn step(pattern: &[char], at: &BTreeSet<usize>, letter: char) -> BTreeSet<usize> {
    let after = at.iter().filter_map(|&position| match pattern.get(position) {
        Some('*') => Some(position),
        Some(&wanted) if wanted == letter => Some(position + 1),
        Some(_) | None => None,
    });
    reach(pattern, after.collect())
}

/// A star can also be nothing.
fn reach(pattern: &[char], mut at: BTreeSet<usize>) -> BTreeSet<usize> {
    let mut open: Vec<usize> = at.iter().copied().collect();
    while let Some(position) = open.pop() {
        if pattern.get(position) == Some(&'*') && at.insert(position + 1) {
            open.push(position + 1);
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(patterns: &[&str]) -> Vec<String> {
        representatives(&patterns.iter().map(|&pattern| pattern.to_owned()).collect())
    }

    #[test]
    fn every_combination_has_a_shortest_name() {
        assert_eq!(names(&[]), ["z"]);
        assert_eq!(names(&["gpt-5"]), ["z", "gpt-5"]);
        // Neither, the second alone, both; never the first alone.
        assert_eq!(names(&["gpt-5*", "gpt-*"]), ["z", "gpt-", "gpt-5"]);
        let both = names(&["*-mini", "gpt-5*"]);
        assert_eq!(both.len(), 4);
        assert!(both.contains(&"gpt-5-mini".to_owned()));
    }

    #[test]
    fn a_pattern_that_matches_everything_is_never_missed() {
        assert_eq!(names(&["*"]), ["z"]);
    }
}
