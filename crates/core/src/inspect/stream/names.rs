//! Which names of channels begin with which, without holding each against each: an event may have as many of both as it has
//! values.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::wire::EventReading;

/// Beginnings of names, of which none begins with another.
#[derive(Debug)]
pub(super) struct Beginnings<'a>(Vec<&'a str>);

impl<'a> Beginnings<'a> {
    /// Of two, one of which begins with the other, the shorter is enough.
    pub(super) fn new(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup_by(|name, shorter| name.starts_with(*shorter));
        Self(names)
    }

    /// Those of the channels that an event ends.
    pub(super) fn ended(reading: &'a EventReading) -> Self {
        if reading.terminal {
            Self::new([""])
        } else {
            Self::new(reading.ends.iter().map(String::as_str))
        }
    }

    /// Whether a name begins with one of them.
    pub(super) fn cover(&self, name: &str) -> bool {
        // Whatever stands between a beginning and a name that has it begins with it too.
        let after = self.0.partition_point(|one| *one <= name);
        let nearest = after.checked_sub(1).and_then(|place| self.0.get(place));
        nearest.is_some_and(|one| name.starts_with(one))
    }
}

/// Whether one of the names begins with `beginning`.
pub(super) fn any_begins(names: &BTreeSet<&str>, beginning: &str) -> bool {
    let mut following = names.range::<str, _>((Bound::Included(beginning), Bound::Unbounded));
    following.next().is_some_and(|name| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 9] = ["", "0", "0/", "0/a", "0/a/b", "0/b", "0.", "1/", "10/a"];

    #[test]
    fn beginnings_are_found_as_if_each_were_tried() {
        // Every set of these names, against each of them and some more.
        for set in 0_u32..1 << NAMES.len() {
            let chosen = || {
                (0..NAMES.len())
                    .filter(move |place| set >> place & 1 == 1)
                    .map(|place| NAMES[place])
            };
            let beginnings = Beginnings::new(chosen());
            let names: BTreeSet<&str> = chosen().collect();
            for name in NAMES.into_iter().chain(["0/a/", "0/aa", "2", "\u{e9}"]) {
                let covered = chosen().any(|one| name.starts_with(one));
                assert_eq!(beginnings.cover(name), covered, "{names:?} {name}");
                let begun = chosen().any(|one| one.starts_with(name));
                assert_eq!(any_begins(&names, name), begun, "{names:?} {name}");
            }
        }
    }
}
