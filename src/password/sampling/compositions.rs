//! Counts and draws by the number of characters from each part of the pool.
//!
//! The pool is divided into *atoms*: sets of characters that every requirement, and the first position, treats alike. For
//! plain classes an atom is a class; for overlapping required sets it is a cell of their Venn diagram. Characters of one
//! atom are interchangeable, so only their numbers matter: c1 characters from an atom of size s1, c2 from one of size
//! s2 and so on can be arranged in n!/(c1!·c2!·…) · s1^c1 · s2^c2 · … ways. With `no_repeats`, falling factorials
//! s1·(s1 - 1)·… replace the powers.
//!
//! A worked example: length 4, `ab` at least once and `01` (no minimum). One of `ab`: 4 places · 2 · 2³
//! = 64 ways; two: 6 · 2² · 2² = 96; three: 4 · 2³ · 2 = 64; four: 2⁴ = 16. The sum is 240.
//!
//! The sum is computed atom by atom. A [`State`] says what remains after some atoms; the number of ways from a state is
//! the sum over the number of positions that the next atom takes. The draw follows the same sums. The sampler leaves
//! `max_consecutive` to rejection, because it concerns only the order.

use std::collections::HashMap;

use num_bigint::BigUint;
use rand::TryCryptoRng;

use super::budget::{BudgetExceeded, WorkBudget};
use super::cumulative::CumulativeTable;
use super::uniform::Uniform;
use crate::password::charset::CharSet;
use crate::password::spec::{PasswordSpec, Requirement};

/// The tables of one specification, one for each atom whose characters may be first.
pub(super) struct Compositions {
    openings: Vec<Opening>,
    opening: CumulativeTable,
    total: BigUint,
    no_repeats: bool,
}

/// The texts that begin with a character of one atom; all texts, if the specification has no `start`.
struct Opening {
    /// The characters that may be first; `None` if the first position is like the others.
    first: Option<Vec<u8>>,
    table: Table,
    ways: BigUint,
}

/// Characters that every constraint treats alike.
#[derive(Clone)]
struct Atom {
    characters: Vec<u8>,
    /// One bit for each requirement, set if it contains these characters.
    membership: u32,
}

/// What remains after some atoms have taken their positions.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    positions: usize,
    /// How many characters each requirement still needs.
    missing: Vec<u16>,
}

struct Table {
    atoms: Vec<Atom>,
    start: State,
    /// For each atom, the states before it, and the number of ways from each.
    levels: Vec<HashMap<State, Node>>,
    no_repeats: bool,
    precision_bits: u64,
}

struct Node {
    ways: BigUint,
    /// The choice of how many positions the atom takes.
    table: Option<CumulativeTable>,
}

impl Compositions {
    /// Computes the tables of a specification without `min_classes`.
    pub(super) fn new(
        spec: &PasswordSpec,
        precision_bits: u64,
        budget: &mut WorkBudget,
    ) -> Result<Self, BudgetExceeded> {
        let atoms = atoms(spec);
        let start = State {
            positions: usize::from(spec.length),
            missing: spec.requirements.iter().map(|one| one.min).collect(),
        };
        let mut table =
            |atoms: Vec<Atom>, start: State| Table::new(atoms, start, spec.no_repeats, precision_bits, budget);
        let mut openings = Vec::new();
        if spec.start.is_some() {
            for (index, atom) in atoms.iter().enumerate() {
                if !atom.characters.iter().all(|&byte| spec.first().contains(byte)) {
                    continue;
                }
                let rest = State { positions: start.positions - 1, ..start.after(atom, 1) };
                let mut others = atoms.clone();
                if spec.no_repeats {
                    // Which character is removed does not affect the count.
                    others[index].characters.pop();
                }
                let table = table(others, rest)?;
                let ways = table.ways() * atom.characters.len();
                openings.push(Opening { first: Some(atom.characters.clone()), table, ways });
            }
        } else {
            let table = table(atoms, start)?;
            openings.push(Opening { first: None, ways: table.ways(), table });
        }
        let total: BigUint = openings.iter().map(|opening| &opening.ways).sum();
        let opening = CumulativeTable::new(openings.iter().map(|opening| opening.ways.clone()), precision_bits);
        Ok(Self { openings, opening, total, no_repeats: spec.no_repeats })
    }

    /// The number of texts.
    pub(super) const fn total(&self) -> &BigUint {
        &self.total
    }

    /// Draws a text into `text`: each text that satisfies everything but `max_consecutive` is equally likely.
    pub(super) fn draw<R: TryCryptoRng>(
        &self,
        uniform: &mut Uniform<'_, R>,
        text: &mut Vec<u8>,
    ) -> Result<(), R::Error> {
        text.clear();
        let ways = || self.openings.iter().map(|opening| opening.ways.clone());
        let opening = &self.openings[self.opening.draw(uniform, ways)?];
        let mut used = CharSet::default();
        if let Some(first) = &opening.first {
            let byte = first[uniform.below(first.len())?];
            used = used.with(byte);
            text.push(byte);
        }
        // First the characters of each atom, then a random order.
        let fixed = text.len();
        let Table { atoms, start, .. } = &opening.table;
        let mut state = start.clone();
        for (level, atom) in atoms.iter().enumerate() {
            let taken = opening.table.draw_choice(level, &state, uniform)?;
            state = State { positions: state.positions - taken, ..state.after(atom, taken) };
            self.draw_characters(opening, atom, taken, used, uniform, text)?;
        }
        // Fisher-Yates shuffle: each order results from equally many shuffles.
        for last in (fixed + 1..text.len()).rev() {
            let other = fixed + uniform.below(last - fixed + 1)?;
            text.swap(last, other);
        }
        Ok(())
    }

    fn draw_characters<R: TryCryptoRng>(
        &self,
        opening: &Opening,
        atom: &Atom,
        taken: usize,
        used: CharSet,
        uniform: &mut Uniform<'_, R>,
        text: &mut Vec<u8>,
    ) -> Result<(), R::Error> {
        if !self.no_repeats {
            for _ in 0..taken {
                text.push(atom.characters[uniform.below(atom.characters.len())?]);
            }
            return Ok(());
        }
        // The atom of the first character lost one character for the count: the character that was drawn.
        let whole = opening.first.as_ref().filter(|first| atom.characters.iter().all(|byte| first.contains(byte)));
        let mut left: Vec<u8> = whole.unwrap_or(&atom.characters).clone();
        left.retain(|&byte| !used.contains(byte));
        for _ in 0..taken {
            text.push(left.swap_remove(uniform.below(left.len())?));
        }
        Ok(())
    }
}

/// The cells of the Venn diagram of requirements and start, ordered so that the cells of a requirement are adjacent where
/// possible.
fn atoms(spec: &PasswordSpec) -> Vec<Atom> {
    let mut cells: Vec<(bool, Atom)> = Vec::new();
    for byte in spec.pool.bytes() {
        let membership = membership(&spec.requirements, byte);
        let first = spec.first().contains(byte);
        match cells.iter_mut().find(|(starts, atom)| (*starts, atom.membership) == (first, membership)) {
            Some((_, atom)) => atom.characters.push(byte),
            None => cells.push((first, Atom { characters: vec![byte], membership })),
        }
    }
    cells.sort_by_key(|(first, atom)| (atom.membership, *first));
    cells.into_iter().map(|(_, atom)| atom).collect()
}

fn membership(requirements: &[Requirement], byte: u8) -> u32 {
    requirements.iter().rev().fold(0, |bits, one| bits << 1 | u32::from(one.characters.contains(byte)))
}

impl State {
    /// The state with the characters of an atom counted; the positions stay.
    fn after(&self, atom: &Atom, taken: usize) -> Self {
        let missing = self.missing.iter().enumerate().map(|(requirement, &missing)| {
            let counts = atom.membership >> requirement & 1 == 1;
            if counts { missing.saturating_sub(u16::try_from(taken).unwrap_or(u16::MAX)) } else { missing }
        });
        Self { positions: self.positions, missing: missing.collect() }
    }
}

impl Table {
    fn new(
        atoms: Vec<Atom>,
        start: State,
        no_repeats: bool,
        precision_bits: u64,
        budget: &mut WorkBudget,
    ) -> Result<Self, BudgetExceeded> {
        let levels = atoms.iter().map(|_| HashMap::new()).collect();
        let mut table = Self { atoms, start, levels, no_repeats, precision_bits };
        let start = table.start.clone();
        table.explore(0, &start, budget)?;
        Ok(table)
    }

    fn ways(&self) -> BigUint {
        self.ways_from(0, &self.start)
    }

    /// The number of ways from a state that has been explored; 0 from a state that has no way.
    fn ways_from(&self, level: usize, state: &State) -> BigUint {
        if level == self.atoms.len() {
            let done = state.positions == 0 && state.missing.iter().all(|&missing| missing == 0);
            return BigUint::from(u32::from(done));
        }
        self.levels[level].get(state).map_or(BigUint::ZERO, |node| node.ways.clone())
    }

    /// Computes the number of ways from a state and from all states after it.
    fn explore(&mut self, level: usize, state: &State, budget: &mut WorkBudget) -> Result<(), BudgetExceeded> {
        if level == self.atoms.len() || self.levels[level].contains_key(state) || !self.can_be_met(level, state) {
            return Ok(());
        }
        for (_, next) in self.choices(level, state) {
            self.explore(level + 1, &next, budget)?;
        }
        budget.spend(self.choices(level, state).count())?;
        let weights: Vec<BigUint> = self.weights(level, state).collect();
        let ways: BigUint = weights.iter().sum();
        let table = (ways != BigUint::ZERO).then(|| CumulativeTable::new(weights.into_iter(), self.precision_bits));
        self.levels[level].insert(state.clone(), Node { ways, table });
        Ok(())
    }

    /// Whether enough positions and atoms remain for what is missing.
    fn can_be_met(&self, level: usize, state: &State) -> bool {
        let to_come = self.atoms[level..].iter().fold(0, |bits, atom| bits | atom.membership);
        state.missing.iter().enumerate().all(|(requirement, &missing)| {
            missing == 0 || (usize::from(missing) <= state.positions && to_come >> requirement & 1 == 1)
        })
    }

    /// The numbers of positions that the atom can take, each with the state after it.
    fn choices(&self, level: usize, state: &State) -> impl Iterator<Item = (usize, State)> + use<> {
        let atom = self.atoms[level].clone();
        let min = if level + 1 == self.atoms.len() { state.positions } else { 0 };
        let max = if self.no_repeats { atom.characters.len().min(state.positions) } else { state.positions };
        let state = state.clone();
        (min..=max).map(move |taken| (taken, State { positions: state.positions - taken, ..state.after(&atom, taken) }))
    }

    /// The number of ways of each choice: C(positions, taken) · size^taken · the ways after it.
    fn weights(&self, level: usize, state: &State) -> impl Iterator<Item = BigUint> {
        let (size, positions) = (self.atoms[level].characters.len(), state.positions);
        let no_repeats = self.no_repeats;
        // One multiplication and one exact division turn C(m, c) · s^c into C(m, c + 1) · s^(c + 1).
        let mut placed = BigUint::from(1_u32);
        let mut at = 0;
        self.choices(level, state).map(move |(taken, next)| {
            while at < taken {
                placed *= (positions - at) * if no_repeats { size - at } else { size };
                at += 1;
                placed /= at;
            }
            &placed * self.ways_from(level + 1, &next)
        })
    }

    fn draw_choice<R: TryCryptoRng>(
        &self,
        level: usize,
        state: &State,
        uniform: &mut Uniform<'_, R>,
    ) -> Result<usize, R::Error> {
        let min = if level + 1 == self.atoms.len() { state.positions } else { 0 };
        match self.levels[level].get(state).and_then(|node| node.table.as_ref()) {
            Some(table) => Ok(min + table.draw(uniform, || self.weights(level, state))?),
            None => unreachable!("only states with a way are drawn"),
        }
    }
}
