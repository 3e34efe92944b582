//! What all says come to ("8." in `docs/reference/deciding.md`).

use super::levels::Levels;
use super::say::{Kind, Say};
use crate::verdict::{Mode, Verdict};
use crate::witness::circuit::{FALSE, Lit, TRUE};
use crate::witness::space::Space;

/// A verdict, and what is masked, by spot: entity, then source.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) verdict: Levels,
    pub(crate) masks: Vec<Lit>,
}

/// The strictest of what acts.
pub(super) fn now(says: &[&Say], space: &mut Space) -> Outcome {
    let acts: Vec<Levels> = says.iter().map(|say| say.acts).collect();
    let verdict = Levels::strictest(&mut space.circuit, &acts);
    let enforced: Vec<&[Lit]> = says
        .iter()
        .filter(|say| say.mode == Mode::Enforce)
        .map(|say| say.masks.as_slice())
        .collect();
    let masks = add_up(space, &enforced, verdict);
    Outcome { verdict, masks }
}

/// The strictest of all, as if every mode were `enforce`; where access refuses, that and step 1 alone.
pub(super) fn full(says: &[&Say], space: &mut Space) -> Outcome {
    let access = says.iter().find(|say| say.kind == Kind::Access);
    let refused = access.map_or(FALSE, |say| say.verdict.at(Verdict::Block));
    let (mut verdicts, mut masks) = (Vec::new(), Vec::new());
    for say in says {
        let heard = if say.kind == Kind::Other { !refused } else { TRUE };
        verdicts.push(say.verdict.only_when(&mut space.circuit, heard));
        masks.push(
            say.masks
                .iter()
                .map(|&mask| space.circuit.and([mask, heard]))
                .collect::<Vec<Lit>>(),
        );
    }
    let verdict = Levels::strictest(&mut space.circuit, &verdicts);
    let masks: Vec<&[Lit]> = masks.iter().map(Vec::as_slice).collect();
    let masks = add_up(space, &masks, verdict);
    Outcome { verdict, masks }
}

/// Masks add up, unless something blocks.
fn add_up(space: &mut Space, all: &[&[Lit]], verdict: Levels) -> Vec<Lit> {
    let passes = !verdict.at(Verdict::Block);
    let spots = space.entities.len() * space.sources.len();
    (0..spots)
        .map(|spot| {
            let any = space
                .circuit
                .or(all.iter().filter_map(|masks| masks.get(spot).copied()));
            space.circuit.and([any, passes])
        })
        .collect()
}
