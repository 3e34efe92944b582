//! Boolean circuits over a SAT solver: gates become clauses once, and questions become assumptions.
//!
//! The solver is `batsat`; this file is the only one that knows it. Gates are folded and shared: an `and` of the same
//! literals is built once, so that two policies with the same clause share its circuit. Read [`Circuit`] first.

use batsat::{BasicSolver, SolverInterface as _, lbool};
use rustc_hash::FxHashMap;

/// A literal: something that is true or false of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lit(u32);

/// What holds always.
pub(crate) const TRUE: Lit = Lit(0);
/// What never holds.
pub(crate) const FALSE: Lit = Lit(1);

impl std::ops::Not for Lit {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0 ^ 1)
    }
}

impl Lit {
    /// `TRUE` or `FALSE`.
    pub(crate) const fn constant(value: bool) -> Self {
        if value { TRUE } else { FALSE }
    }

    fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }
}

/// Gates and the solver that they live in. Variable 0 is the constant.
pub(crate) struct Circuit {
    solver: BasicSolver,
    variables: Vec<batsat::Var>,
    gates: FxHashMap<Vec<Lit>, Lit>,
}

impl std::fmt::Debug for Circuit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Circuit")
            .field("variables", &self.variables.len())
            .finish_non_exhaustive()
    }
}

/// Values of all variables in one solution.
#[derive(Debug, Clone)]
pub(crate) struct Model(Vec<bool>);

impl Model {
    /// Whether a literal holds in it.
    pub(crate) fn holds(&self, lit: Lit) -> bool {
        self.0.get((lit.0 >> 1) as usize).copied().unwrap_or(false) != lit.is_negated()
    }
}

impl Circuit {
    pub(crate) fn new() -> Self {
        let mut circuit = Self {
            solver: BasicSolver::default(),
            variables: Vec::new(),
            gates: FxHashMap::default(),
        };
        let constant = circuit.variable();
        circuit.require(&[constant]);
        circuit
    }

    /// A new free variable.
    pub(crate) fn variable(&mut self) -> Lit {
        let variable = self.solver.new_var_default();
        self.variables.push(variable);
        Lit((u32::try_from(self.variables.len()).unwrap_or(u32::MAX) - 1) << 1)
    }

    /// States that one of the literals holds.
    pub(crate) fn require(&mut self, one_of: &[Lit]) {
        let mut clause: Vec<batsat::Lit> = one_of.iter().map(|&lit| self.native(lit)).collect();
        self.solver.add_clause_reuse(&mut clause);
    }

    /// All of them.
    pub(crate) fn and(&mut self, lits: impl IntoIterator<Item = Lit>) -> Lit {
        let mut lits: Vec<Lit> = lits.into_iter().filter(|&lit| lit != TRUE).collect();
        lits.sort_unstable();
        lits.dedup();
        // A literal and its negation are neighbours once sorted.
        let clash = lits.iter().zip(lits.iter().skip(1)).any(|(&one, &next)| one == !next);
        if clash || lits.contains(&FALSE) {
            return FALSE;
        }
        match lits.as_slice() {
            [] => return TRUE,
            [one] => return *one,
            _ => {}
        }
        if let Some(&gate) = self.gates.get(&lits) {
            return gate;
        }
        let gate = self.variable();
        let mut last: Vec<Lit> = lits.iter().map(|&lit| !lit).collect();
        for &lit in &lits {
            self.require(&[!gate, lit]);
        }
        last.push(gate);
        self.require(&last);
        self.gates.insert(lits, gate);
        gate
    }

    /// Any of them.
    pub(crate) fn or(&mut self, lits: impl IntoIterator<Item = Lit>) -> Lit {
        !self.and(lits.into_iter().map(|lit| !lit))
    }

    /// Whether the two differ.
    pub(crate) fn differ(&mut self, one: Lit, other: Lit) -> Lit {
        let (first, second) = (self.and([one, !other]), self.and([!one, other]));
        self.or([first, second])
    }

    /// States that exactly one of the literals holds.
    pub(crate) fn exactly_one(&mut self, lits: &[Lit]) {
        self.require(lits);
        self.at_most_one(lits);
    }

    /// States that no two of the literals hold: pairs for a few, and a ladder for many (Sinz 2005, "sequential counter").
    pub(crate) fn at_most_one(&mut self, lits: &[Lit]) {
        if lits.len() <= 6 {
            for (index, &one) in lits.iter().enumerate() {
                for &other in lits.iter().skip(index + 1) {
                    self.require(&[!one, !other]);
                }
            }
            return;
        }
        let mut before: Option<Lit> = None;
        for &lit in lits {
            let so_far = self.variable();
            self.require(&[!lit, so_far]);
            if let Some(before) = before {
                self.require(&[!before, so_far]);
                self.require(&[!before, !lit]);
            }
            before = Some(so_far);
        }
    }

    /// A solution in which all of `assumed` hold, if there is one.
    pub(crate) fn solve(&mut self, assumed: &[Lit]) -> Option<Model> {
        if !self.can(assumed) {
            return None;
        }
        let model = self.solver.get_model();
        let value = |variable: &batsat::Var| model.get(variable.idx() as usize) == Some(&lbool::TRUE);
        Some(Model(self.variables.iter().map(value).collect()))
    }

    /// Whether there is a solution in which all of `assumed` hold.
    pub(crate) fn can(&mut self, assumed: &[Lit]) -> bool {
        let assumed: Vec<batsat::Lit> = assumed.iter().map(|&lit| self.native(lit)).collect();
        self.solver.is_ok() && self.solver.solve_limited(&assumed) == lbool::TRUE
    }

    fn native(&self, lit: Lit) -> batsat::Lit {
        // INVARIANT: literals are made by `variable` alone, so that the index is one of `variables`.
        let variable = self.variables.get((lit.0 >> 1) as usize).copied();
        batsat::Lit::new(variable.unwrap_or(batsat::Var::UNDEF), !lit.is_negated())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_mean_what_they_say() {
        let mut circuit = Circuit::new();
        let (a, b) = (circuit.variable(), circuit.variable());
        let both = circuit.and([a, b]);
        let any = circuit.or([a, b]);
        let model = circuit.solve(&[both]).expect("both can hold");
        assert!(model.holds(a) && model.holds(b) && model.holds(any) && model.holds(TRUE) && !model.holds(FALSE));
        assert!(!circuit.can(&[both, !a]));
        assert!(!circuit.can(&[!any, b]));
        assert!(circuit.can(&[any, !both]));
        let differ = circuit.differ(a, b);
        assert!(!circuit.can(&[differ, both]));
    }

    #[test]
    fn gates_are_folded_and_shared() {
        let mut circuit = Circuit::new();
        let (a, b) = (circuit.variable(), circuit.variable());
        assert_eq!(circuit.and([a, TRUE]), a);
        assert_eq!(circuit.and([a, !a]), FALSE);
        assert_eq!(circuit.or([b, TRUE]), TRUE);
        assert_eq!(circuit.and([a, b]), circuit.and([b, a, a]));
    }

    #[test]
    fn one_of_many() {
        for many in [3, 20] {
            let mut circuit = Circuit::new();
            let lits: Vec<Lit> = (0..many).map(|_| circuit.variable()).collect();
            circuit.exactly_one(&lits);
            let model = circuit.solve(&[]).expect("one of them");
            assert_eq!(lits.iter().filter(|&&lit| model.holds(lit)).count(), 1);
            assert!(circuit.can(&[lits[many - 1]]));
            assert!(!circuit.can(&[lits[0], lits[many - 1]]));
        }
    }
}
