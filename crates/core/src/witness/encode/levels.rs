//! A verdict that depends on the request: for each verdict, the literal that it is that one or a stricter one.

use crate::verdict::Verdict;
use crate::witness::circuit::{Circuit, FALSE, Lit, TRUE};

/// For each verdict, in order, that it is that one or a stricter one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Levels([Lit; 6]);

impl Levels {
    /// Never more than `allow`.
    pub(super) const ALLOWED: Self = Self([TRUE, FALSE, FALSE, FALSE, FALSE, FALSE]);

    /// `verdict` when `lit` holds, else `allow`.
    pub(super) fn when(verdict: Verdict, lit: Lit) -> Self {
        Self::each(|level| if level <= verdict { lit } else { FALSE })
    }

    /// A literal for each verdict above `allow`.
    pub(super) fn each(mut make: impl FnMut(Verdict) -> Lit) -> Self {
        let mut levels = Self::ALLOWED;
        for (lit, &level) in levels.0.iter_mut().zip(Verdict::ALL).skip(1) {
            *lit = make(level);
        }
        levels
    }

    /// The strictest of verdicts that are given when their literals hold.
    pub(super) fn strictest_of(circuit: &mut Circuit, given: &[(Verdict, Lit)]) -> Self {
        Self::each(|level| {
            circuit.or(given
                .iter()
                .filter(|(verdict, _)| *verdict >= level)
                .map(|&(_, lit)| lit))
        })
    }

    /// The strictest of several.
    pub(super) fn strictest(circuit: &mut Circuit, all: &[Self]) -> Self {
        Self::each(|level| circuit.or(all.iter().map(|one| one.at(level))))
    }

    /// The same where `lit` holds, else `allow`.
    pub(super) fn only_when(self, circuit: &mut Circuit, lit: Lit) -> Self {
        Self::each(|level| circuit.and([self.at(level), lit]))
    }

    /// That it is `verdict` or a stricter one.
    pub(crate) fn at(self, verdict: Verdict) -> Lit {
        self.0.get(verdict as usize).copied().unwrap_or(FALSE)
    }

    /// That it is exactly `verdict`.
    pub(crate) fn exactly(self, circuit: &mut Circuit, verdict: Verdict) -> Lit {
        let above = self.0.get(verdict as usize + 1).copied().unwrap_or(FALSE);
        circuit.and([self.at(verdict), !above])
    }

    /// That it is more than `allow`.
    pub(crate) fn speaks(self) -> Lit {
        self.at(Verdict::Coach)
    }
}
