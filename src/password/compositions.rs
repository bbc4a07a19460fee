//! Counting and drawing by how many characters each part of the alphabet gets.
//!
//! The pool falls into *atoms*: sets of characters that every requirement, and the first position,
//! treats alike. For plain classes an atom is a class; where required sets overlap it is a cell of
//! their Venn diagram. Characters of one atom are interchangeable, so that only the numbers count: c1
//! of s1 characters, c2 of s2, … can be written in n!/(c1!·c2!·…) · s1^c1 · s2^c2 · … ways. With
//! `no_repeats`, falling factorials s1·(s1 - 1)·… stand in place of the powers.
//!
//! A worked example: length 4, `ab` at least once and `01` (no minimum). One of `ab`: 4 places · 2 · 2³
//! = 64 ways; two: 6 · 2² · 2² = 96; three: 4 · 2³ · 2 = 64; four: 2⁴ = 16. In all 240.
//!
//! The sum goes atom by atom. What is left to do after some atoms is a [`State`]; the ways from a
//! state are the sum over how many positions the next atom takes, and drawing walks the same sums
//! forward. `max_consecutive` is left to rejection: it concerns the order alone.

use std::collections::HashMap;

use num_bigint::BigUint;
use rand::TryCryptoRng;

use super::alphabet::CharSet;
use super::ladder::Ladder;
use super::shape::{Requirement, Shape};
use super::uniform::Uniform;
use super::work::{TooMuchWork, Work};

/// Tables for one shape, one for each atom that may stand first.
pub(super) struct Compositions {
    openings: Vec<Opening>,
    opening: Ladder,
    total: BigUint,
    no_repeats: bool,
}

/// Texts that begin with one of some characters; with any, where nothing is said of the start.
struct Opening {
    /// The characters that stand first; none where the first position is like the others.
    first: Option<Vec<u8>>,
    table: Table,
    ways: BigUint,
}

/// Characters that every constraint treats alike.
#[derive(Clone)]
struct Atom {
    characters: Vec<u8>,
    /// One bit for each requirement that holds them.
    membership: u32,
}

/// What is left to do when some atoms have been given their positions.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    positions: usize,
    /// How many characters each requirement still lacks.
    lacking: Vec<u16>,
}

struct Table {
    atoms: Vec<Atom>,
    start: State,
    /// For each atom, the states in which it can find the rest, and the ways on from there.
    levels: Vec<HashMap<State, Node>>,
    no_repeats: bool,
    kept: u64,
}

struct Node {
    ways: BigUint,
    /// By how many positions the atom takes.
    ladder: Option<Ladder>,
}

impl Compositions {
    /// Makes the tables for a shape without variety. `kept`: see [`Ladder`].
    pub(super) fn new(shape: &Shape, kept: u64, work: &mut Work) -> Result<Self, TooMuchWork> {
        let atoms = atoms(shape);
        let start = State {
            positions: usize::from(shape.length),
            lacking: shape.requirements.iter().map(|one| one.minimum).collect(),
        };
        let mut table = |atoms: Vec<Atom>, start: State| Table::new(atoms, start, shape.no_repeats, kept, work);
        let mut openings = Vec::new();
        if shape.start.is_some() {
            for (index, atom) in atoms.iter().enumerate() {
                if !atom.characters.iter().all(|&byte| shape.first().contains(byte)) {
                    continue;
                }
                let rest = State { positions: start.positions - 1, ..start.after(atom, 1) };
                let mut others = atoms.clone();
                if shape.no_repeats {
                    // Which one is gone makes no difference to the count.
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
        let opening = Ladder::new(openings.iter().map(|opening| opening.ways.clone()), kept);
        Ok(Self { openings, opening, total, no_repeats: shape.no_repeats })
    }

    /// Texts in all.
    pub(super) const fn total(&self) -> &BigUint {
        &self.total
    }

    /// Draws a text into `text`, each that satisfies all but `max_consecutive` equally likely.
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
        // The characters of each atom, then all of them in a random order.
        let fixed = text.len();
        let Table { atoms, start, .. } = &opening.table;
        let mut state = start.clone();
        for (level, atom) in atoms.iter().enumerate() {
            let taken = opening.table.draw_share(level, &state, uniform)?;
            state = State { positions: state.positions - taken, ..state.after(atom, taken) };
            self.draw_characters(opening, atom, taken, used, uniform, text)?;
        }
        // Fisher-Yates: each order comes from equally many shuffles.
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
        // The opening's own atom has lost a character for the count; the one that is gone is the drawn.
        let family = opening.first.as_ref().filter(|first| atom.characters.iter().all(|byte| first.contains(byte)));
        let mut left: Vec<u8> = family.unwrap_or(&atom.characters).clone();
        left.retain(|&byte| !used.contains(byte));
        for _ in 0..taken {
            text.push(left.swap_remove(uniform.below(left.len())?));
        }
        Ok(())
    }
}

/// The cells of the Venn diagram of requirements and start, in an order that keeps the cells of one
/// requirement together where that can be.
fn atoms(shape: &Shape) -> Vec<Atom> {
    let mut cells: Vec<(bool, Atom)> = Vec::new();
    for byte in shape.pool.bytes() {
        let membership = membership(&shape.requirements, byte);
        let first = shape.first().contains(byte);
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
    /// The same positions, when an atom has taken some.
    fn after(&self, atom: &Atom, taken: usize) -> Self {
        let lacking = self.lacking.iter().enumerate().map(|(requirement, &lacking)| {
            let counts = atom.membership >> requirement & 1 == 1;
            if counts { lacking.saturating_sub(u16::try_from(taken).unwrap_or(u16::MAX)) } else { lacking }
        });
        Self { positions: self.positions, lacking: lacking.collect() }
    }
}

impl Table {
    fn new(atoms: Vec<Atom>, start: State, no_repeats: bool, kept: u64, work: &mut Work) -> Result<Self, TooMuchWork> {
        let levels = atoms.iter().map(|_| HashMap::new()).collect();
        let mut table = Self { atoms, start, levels, no_repeats, kept };
        let start = table.start.clone();
        table.explore(0, &start, work)?;
        Ok(table)
    }

    fn ways(&self) -> BigUint {
        self.ways_from(0, &self.start)
    }

    /// Ways from a state that has been explored; 0 from one that leads nowhere.
    fn ways_from(&self, level: usize, state: &State) -> BigUint {
        if level == self.atoms.len() {
            let done = state.positions == 0 && state.lacking.iter().all(|&lacking| lacking == 0);
            return BigUint::from(u32::from(done));
        }
        self.levels[level].get(state).map_or(BigUint::ZERO, |node| node.ways.clone())
    }

    /// Fills in the ways from a state and from all that come after it.
    fn explore(&mut self, level: usize, state: &State, work: &mut Work) -> Result<(), TooMuchWork> {
        if level == self.atoms.len() || self.levels[level].contains_key(state) || !self.can_be_met(level, state) {
            return Ok(());
        }
        for (_, next) in self.choices(level, state) {
            self.explore(level + 1, &next, work)?;
        }
        work.spend(self.choices(level, state).count())?;
        let shares: Vec<BigUint> = self.shares(level, state).collect();
        let ways: BigUint = shares.iter().sum();
        let ladder = (ways != BigUint::ZERO).then(|| Ladder::new(shares.into_iter(), self.kept));
        self.levels[level].insert(state.clone(), Node { ways, ladder });
        Ok(())
    }

    /// Whether what is lacking still has the positions and the atoms for it.
    fn can_be_met(&self, level: usize, state: &State) -> bool {
        let to_come = self.atoms[level..].iter().fold(0, |bits, atom| bits | atom.membership);
        state.lacking.iter().enumerate().all(|(requirement, &lacking)| {
            lacking == 0 || (usize::from(lacking) <= state.positions && to_come >> requirement & 1 == 1)
        })
    }

    /// How many positions the atom can take, and what is left then.
    fn choices(&self, level: usize, state: &State) -> impl Iterator<Item = (usize, State)> + use<> {
        let atom = self.atoms[level].clone();
        let least = if level + 1 == self.atoms.len() { state.positions } else { 0 };
        let most = if self.no_repeats { atom.characters.len().min(state.positions) } else { state.positions };
        let state = state.clone();
        (least..=most)
            .map(move |taken| (taken, State { positions: state.positions - taken, ..state.after(&atom, taken) }))
    }

    /// In how many ways each choice goes on: C(positions, taken) · size^taken · ways from there.
    fn shares(&self, level: usize, state: &State) -> impl Iterator<Item = BigUint> {
        let (size, positions) = (self.atoms[level].characters.len(), state.positions);
        let no_repeats = self.no_repeats;
        // C(m, c + 1) · s^(c + 1) comes from C(m, c) · s^c by one multiplication and one exact division.
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

    fn draw_share<R: TryCryptoRng>(
        &self,
        level: usize,
        state: &State,
        uniform: &mut Uniform<'_, R>,
    ) -> Result<usize, R::Error> {
        let least = if level + 1 == self.atoms.len() { state.positions } else { 0 };
        match self.levels[level].get(state).and_then(|node| node.ladder.as_ref()) {
            Some(ladder) => Ok(least + ladder.draw(uniform, || self.shares(level, state))?),
            None => unreachable!("only states that lead somewhere are drawn"),
        }
    }
}
