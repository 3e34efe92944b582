//! Two decisions on the same half as one, for whoever acts on somebody's behalf.
//!
//! Both are made in full, each for its own principal, and joined. Facts about one who is half of both would not do: with the
//! groups that both are in, a rule that spares a group (`unless`) would spare neither or either, and an exception for one
//! would count for the other. Joined decisions cannot say less than either, whatever the policy; `tests/it/laws` holds them
//! to that. Read [`both`] first; why it is so is docs/decisions/0018-both-are-asked.md.

use super::{Contribution, Decision, add_mask};
use crate::verdict::Verdict;

/// The stricter of two decisions, with everything that either wants done.
///
/// INVARIANT: it stops what one of them stops, masks what one of them masks, and cites what one of them cites.
pub(super) fn both(one: Decision, two: Decision) -> Decision {
    let mut joined = Decision {
        verdict: one.verdict.max(two.verdict),
        full: one.full.max(two.full),
        app_class: one.app_class.max(two.app_class),
        data_class: one.data_class.max(two.data_class),
        granted: one.granted.filter(|_| two.granted.is_some()),
        excluded: one.excluded && two.excluded,
        ..one
    };
    for contribution in two.contributions {
        let same = joined
            .contributions
            .iter_mut()
            .find(|known| known.citation == contribution.citation && !differ_in_kind(known, &contribution));
        match same {
            Some(known) => stricter(known, contribution),
            None => joined.contributions.push(contribution),
        }
    }
    if joined.verdict == Verdict::Block {
        joined.masks.clear();
    } else {
        two.masks.into_iter().for_each(|mask| add_mask(&mut joined.masks, mask));
    }
    joined
}

/// Whether one citation masks for the one and asks the other for a reason, as an exception can make it: a reason waits for
/// nobody who masks, and a mask gives no reason, so that both are to be done.
fn differ_in_kind(one: &Contribution, other: &Contribution) -> bool {
    let kinds = [one.acts, other.acts];
    kinds.contains(&Verdict::Justify) && kinds.contains(&Verdict::Redact)
}

/// One citation that both decisions have: once, at its stricter. An exception is told of only if that is what it left.
fn stricter(known: &mut Contribution, other: Contribution) {
    let other_masks = if (other.acts, other.verdict) > (known.acts, known.verdict) {
        std::mem::replace(known, other).masks
    } else {
        other.masks
    };
    other_masks
        .into_iter()
        .for_each(|mask| add_mask(&mut known.masks, mask));
}
