//! One say in a decision: what it comes to after exceptions, masks and mode (steps 5 to 7 of
//! `docs/reference/deciding.md`).

use super::levels::Levels;
use super::{Encoder, select};
use crate::policy::compile::{CitationId, Rule};
use crate::verdict::{Mode, Verdict};
use crate::witness::circuit::{FALSE, Lit};

/// What one citation can contribute.
#[derive(Debug)]
pub(crate) struct Say {
    pub(crate) citation: CitationId,
    /// What it says, after exceptions, with what cannot be masked blocked.
    pub(crate) verdict: Levels,
    /// What it amounts to now.
    pub(crate) acts: Levels,
    /// What it wants masked, by spot.
    pub(crate) masks: Vec<Lit>,
    /// By index of the exception: that it replaces the verdict.
    pub(crate) excepted: Vec<(usize, Lit)>,
    pub(super) mode: Mode,
    pub(super) kind: Kind,
}

/// How a say relates to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Step 1: no mode, no exception.
    Unconditional,
    /// Step 3.
    Access,
    /// Step 4.
    Other,
}

/// What a say masks when it is a `redact`.
pub(super) enum Basis<'b> {
    Nothing,
    /// That the cell of a class says `redact`, by class.
    Cells(Vec<Lit>),
    TextClass,
    Rule(&'b Rule),
}

impl Encoder<'_, '_> {
    /// Adds a say of one verdict.
    pub(super) fn constant(&mut self, citation: CitationId, verdict: Verdict, matches: Lit, basis: &Basis<'_>) {
        self.say(citation, Levels::when(verdict, matches), basis);
    }

    /// Adds a say; nothing is said where nothing more is looked at.
    pub(super) fn say(&mut self, citation: CitationId, base: Levels, basis: &Basis<'_>) {
        let policy = self.policy;
        let base = base.only_when(&mut self.space.circuit, !self.shut);
        let matches = base.speaks();
        if matches == FALSE {
            return;
        }
        let (excepted, replaced) = self.exceptions(citation, matches);
        let any = self.space.circuit.or(excepted.iter().map(|&(_, lit)| lit));
        let kept = base.only_when(&mut self.space.circuit, !any);
        let verdict = Levels::strictest(&mut self.space.circuit, &[kept, replaced]);
        let (masks, cannot) = self.masks(matches, verdict, basis, any);
        let verdict = Levels::each(|level| self.space.circuit.or([verdict.at(level), cannot]));
        let mode = policy.citation(citation).mode;
        let acts = Levels::each(|level| {
            if mode.limit(level) == level {
                verdict.at(level)
            } else {
                FALSE
            }
        });
        let kind = if policy.is_access(citation) {
            Kind::Access
        } else {
            Kind::Other
        };
        self.says.push(Say {
            citation,
            verdict,
            acts,
            masks,
            excepted,
            mode,
            kind,
        });
    }

    /// 5. Which exception replaces the verdict, and by what: the first that matches.
    fn exceptions(&mut self, citation: CitationId, matches: Lit) -> (Vec<(usize, Lit)>, Levels) {
        let (mut any, mut excepted, mut given) = (FALSE, Vec::new(), Vec::new());
        let named = self.policy.exceptions.iter().enumerate();
        for (index, exception) in named.filter(|(_, one)| one.citation == citation) {
            let in_time = self
                .space
                .moment
                .when(&mut self.space.circuit, |&now| now < exception.until);
            let who = self.any(&exception.who);
            let this = self.space.circuit.and([matches, in_time, who, !any]);
            any = self.space.circuit.or([any, this]);
            given.push((exception.then, this));
            excepted.push((index, this));
        }
        let replaced = Levels::strictest_of(&mut self.space.circuit, &given);
        (excepted, replaced)
    }

    /// 6. What is masked, by spot, and that something should be masked that cannot be.
    fn masks(&mut self, matches: Lit, verdict: Levels, basis: &Basis<'_>, excepted: Lit) -> (Vec<Lit>, Lit) {
        let redact = verdict.exactly(&mut self.space.circuit, Verdict::Redact);
        let own_cells = matches!(basis, Basis::Cells(cells) if cells.iter().any(|&cell| cell != FALSE));
        if redact == FALSE && !own_cells {
            return (vec![FALSE; self.space.entities.len() * self.space.sources.len()], FALSE);
        }
        let spots = self.spots(basis, excepted);
        let something = self.space.circuit.or(spots.iter().copied());
        let redacts = if own_cells {
            // A table judges each class by itself: its redact cells mask even where another class is held.
            let own = self.space.circuit.and([matches, !excepted, something]);
            let other = self.space.circuit.and([excepted, redact]);
            self.space.circuit.or([own, other])
        } else {
            redact
        };
        let wanted = self.space.circuit.and([redacts, !verdict.at(Verdict::Block)]);
        let fixed = self.space.entities.iter().flat_map(|entity| entity.fixed.iter());
        let fixed: Vec<Lit> = fixed.copied().collect();
        let mut wrong = vec![!something];
        for (&spot, fixed) in spots.iter().zip(fixed) {
            wrong.push(self.space.circuit.and([spot, fixed]));
        }
        let wrong = self.space.circuit.or(wrong);
        let cannot = self.space.circuit.and([wanted, wrong]);
        let can = self.space.circuit.and([wanted, !cannot]);
        let masks = spots
            .into_iter()
            .map(|spot| self.space.circuit.and([can, spot]))
            .collect();
        (masks, cannot)
    }

    /// The spots that a say is about, entity by entity and source by source.
    fn spots(&mut self, basis: &Basis<'_>, excepted: Lit) -> Vec<Lit> {
        let mut spots = Vec::new();
        for index in 0..self.space.entities.len() {
            let of_text = self.classes.has_text_class(self.space, index);
            let sources = self.space.entities.get(index).map(|entity| entity.sources.clone());
            for (source, there) in sources.unwrap_or_default().into_iter().enumerate() {
                let about = match basis {
                    Basis::Nothing => FALSE,
                    Basis::TextClass => of_text,
                    Basis::Cells(redacts) => {
                        let own = self.classes.in_cells(self.space, index, redacts);
                        let own = self.space.circuit.and([own, !excepted]);
                        let other = self.space.circuit.and([of_text, excepted]);
                        self.space.circuit.or([own, other])
                    }
                    Basis::Rule(rule) => select::masked(self.policy, self.space, &self.classes, rule, index, source),
                };
                spots.push(self.space.circuit.and([there, about]));
            }
        }
        spots
    }
}
