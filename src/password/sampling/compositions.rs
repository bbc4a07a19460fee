//! Counts and draws by the number of characters from each part of the pool.
//!
//! The pool is divided into *cells*: sets of characters that every requirement, and the first position, treats alike. For
//! plain classes a cell is a class. Characters of one cell are interchangeable, so only their numbers matter: c1 characters
//! of a cell of size s1, c2 of one of size s2 and so on can be arranged in n!/(c1!·c2!·…) · s1^c1 · s2^c2 · … ways. With
//! `no_repeats`, falling factorials s1·(s1 - 1)·… replace the powers.
//!
//! A worked example: length 4, `ab` at least once and `01` (no minimum). One of `ab`: 4 places · 2 · 2³
//! = 64 ways; two: 6 · 2² · 2² = 96; three: 4 · 2³ · 2 = 64; four: 2⁴ = 16. The sum is 240.
//!
//! The sum is computed cell by cell. A [`State`] says what remains after some cells; the number of ways from a state is
//! the sum over the number of positions that the next cell takes. The draw follows the same sums. The sampler leaves
//! limits on runs to rejection, because they concern only the order.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::RangeInclusive;

use num_bigint::BigUint;

use super::budget::{BudgetExceeded, WorkBudget};
use super::choices::Choices;
use super::cumulative::CumulativeTable;
use crate::password::charset::CharSet;
use crate::password::spec::{PasswordSpec, Requirement};

/// The tables of one specification, one for each cell whose characters may be first.
pub(super) struct Compositions {
    openings: Vec<Opening>,
    opening: CumulativeTable,
    total: BigUint,
    no_repeats: bool,
}

/// The texts that begin with a character of one cell; all texts, if the specification has no `start`.
struct Opening {
    /// The characters that may be first; `None` if the first position is like the others.
    first: Option<Vec<u8>>,
    table: Table,
    ways: BigUint,
}

/// Characters that every constraint treats alike.
#[derive(Clone)]
struct Cell {
    characters: Vec<u8>,
    /// One bit for each requirement, set if it contains these characters.
    membership: u32,
}

/// The most requirements.
const MAX_REQUIREMENTS: usize = 16;
/// The most machine words of a number. Tables of larger ones would take too long, whatever they hold.
const MAX_WORDS: usize = 32;
/// The steps of one state: storing it with its numbers.
const STATE_STEPS: usize = 150;
/// The steps of one choice: looking up a state, multiplying two numbers and adding to a sum.
const fn choice_steps(words: usize) -> usize {
    30 + 2 * words + words * words / 8
}
/// The memory of one state, apart from its numbers, in bytes.
const STATE_BYTES: usize = 256;

/// What remains after some cells have taken their positions.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    positions: u16,
    /// How many characters each requirement still needs.
    missing: [u16; MAX_REQUIREMENTS],
}

struct Table {
    cells: Vec<Cell>,
    start: State,
    /// For each cell, the states before it, and the number of ways from each.
    levels: Vec<HashMap<State, Node>>,
    no_repeats: bool,
    precision_bits: u64,
    /// The machine words of the largest number.
    words: usize,
}

struct Node {
    ways: BigUint,
    /// The choice of how many positions the cell takes; `None` if there are no ways.
    table: Option<CumulativeTable>,
}

impl Compositions {
    /// Computes the tables of a specification without `min_classes`.
    pub(super) fn new(
        spec: &PasswordSpec,
        precision_bits: u64,
        budget: &mut WorkBudget,
    ) -> Result<Self, BudgetExceeded> {
        let cells = cells(spec);
        if spec.requirements.len() > MAX_REQUIREMENTS {
            return Err(BudgetExceeded);
        }
        let mut start = State { positions: spec.length, missing: [0; MAX_REQUIREMENTS] };
        for (missing, requirement) in start.missing.iter_mut().zip(&spec.requirements) {
            *missing = requirement.min;
        }
        let mut table =
            |cells: Vec<Cell>, start: State| Table::new(cells, start, spec.no_repeats, precision_bits, budget);
        let mut openings = Vec::new();
        if spec.start.is_some() {
            for (index, cell) in cells.iter().enumerate() {
                if !cell.characters.iter().all(|&byte| spec.first().contains(byte)) {
                    continue;
                }
                let rest = State { positions: start.positions - 1, ..start.after(cell, 1) };
                let mut others = cells.clone();
                if spec.no_repeats {
                    // Which character is removed does not affect the count.
                    others[index].characters.pop();
                }
                let table = table(others, rest)?;
                let ways = table.ways() * cell.characters.len();
                openings.push(Opening { first: Some(cell.characters.clone()), table, ways });
            }
        } else {
            let table = table(cells, start)?;
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

    /// Draws a text into `text`: each text that satisfies everything but limits on runs is equally likely.
    pub(super) fn draw<C: Choices>(&self, choices: &mut C, text: &mut Vec<u8>) -> Result<(), C::Error> {
        text.clear();
        let ways = || self.openings.iter().map(|opening| opening.ways.clone());
        let opening = &self.openings[choices.by_weight(&self.opening, ways)?];
        let mut used = CharSet::default();
        if let Some(first) = &opening.first {
            let byte = first[choices.below(first.len())?];
            used = used.with(byte);
            text.push(byte);
        }
        // First the characters of each cell, then a random order.
        let fixed = text.len();
        let Table { cells, start, .. } = &opening.table;
        let mut state = *start;
        for (level, cell) in cells.iter().enumerate() {
            let taken = opening.table.draw_choice(level, state, choices)?;
            state = State { positions: state.positions - taken, ..state.after(cell, taken) };
            self.draw_characters(opening, cell, taken, used, choices, text)?;
        }
        shuffle(&mut text[fixed..], choices)
    }

    fn draw_characters<C: Choices>(
        &self,
        opening: &Opening,
        cell: &Cell,
        taken: u16,
        used: CharSet,
        choices: &mut C,
        text: &mut Vec<u8>,
    ) -> Result<(), C::Error> {
        if !self.no_repeats {
            for _ in 0..taken {
                text.push(cell.characters[choices.below(cell.characters.len())?]);
            }
            return Ok(());
        }
        // The cell of the first character lost one character for the count: the character that was drawn.
        let whole = opening.first.as_ref().filter(|first| cell.characters.iter().all(|byte| first.contains(byte)));
        let mut left: Vec<u8> = whole.unwrap_or(&cell.characters).clone();
        left.retain(|&byte| !used.contains(byte));
        for _ in 0..taken {
            text.push(left.swap_remove(choices.below(left.len())?));
        }
        Ok(())
    }
}

/// Fisher-Yates: each order results from equally many shuffles.
pub(super) fn shuffle<C: Choices>(text: &mut [u8], choices: &mut C) -> Result<(), C::Error> {
    for last in (1..text.len()).rev() {
        text.swap(last, choices.below(last + 1)?);
    }
    Ok(())
}

/// The cells of requirements and start, ordered so that the cells of a requirement are adjacent where possible.
fn cells(spec: &PasswordSpec) -> Vec<Cell> {
    let mut found: Vec<(bool, Cell)> = Vec::new();
    for byte in spec.pool.bytes() {
        let membership = membership(&spec.requirements, byte);
        let first = spec.first().contains(byte);
        match found.iter_mut().find(|(starts, cell)| (*starts, cell.membership) == (first, membership)) {
            Some((_, cell)) => cell.characters.push(byte),
            None => found.push((first, Cell { characters: vec![byte], membership })),
        }
    }
    found.sort_by_key(|(first, cell)| (cell.membership, *first));
    found.into_iter().map(|(_, cell)| cell).collect()
}

fn membership(requirements: &[Requirement], byte: u8) -> u32 {
    requirements.iter().rev().fold(0, |bits, one| bits << 1 | u32::from(one.characters.contains(byte)))
}

impl State {
    /// The state with the characters of a cell counted; the positions stay.
    fn after(mut self, cell: &Cell, taken: u16) -> Self {
        for (requirement, missing) in self.missing.iter_mut().enumerate() {
            if cell.membership >> requirement & 1 == 1 {
                *missing = missing.saturating_sub(taken);
            }
        }
        self
    }
}

impl Table {
    fn new(
        cells: Vec<Cell>,
        start: State,
        no_repeats: bool,
        precision_bits: u64,
        budget: &mut WorkBudget,
    ) -> Result<Self, BudgetExceeded> {
        let levels = cells.iter().map(|_| HashMap::new()).collect();
        let characters: usize = cells.iter().map(|cell| cell.characters.len()).sum();
        let bits = usize::from(start.positions) * usize::try_from(characters.max(1).ilog2() + 1).unwrap_or_default();
        let words = bits / 64 + 1;
        if words > MAX_WORDS {
            return Err(BudgetExceeded);
        }
        let mut table = Self { cells, start, levels, no_repeats, precision_bits, words };
        table.explore(0, start, budget)?;
        Ok(table)
    }

    fn ways(&self) -> BigUint {
        self.ways_from(0, self.start).map_or(BigUint::ZERO, Cow::into_owned)
    }

    /// The number of ways from a state; `None` if what is missing cannot be met.
    fn ways_from(&self, level: usize, state: State) -> Option<Cow<'_, BigUint>> {
        if level == self.cells.len() {
            let done = state.positions == 0 && state.missing == [0; MAX_REQUIREMENTS];
            return done.then(|| Cow::Owned(BigUint::from(1_u32)));
        }
        self.levels[level].get(&state).map(|node| Cow::Borrowed(&node.ways))
    }

    /// Computes the number of ways from a state and from all states after it.
    fn explore(&mut self, level: usize, state: State, budget: &mut WorkBudget) -> Result<(), BudgetExceeded> {
        if level == self.cells.len() || self.levels[level].contains_key(&state) || !self.can_be_met(level, state) {
            return Ok(());
        }
        let choices = self.choices(level, state);
        let number = choices.clone().count();
        budget.spend(STATE_STEPS + number * choice_steps(self.words))?;
        budget.hold(STATE_BYTES + 8 * (self.words + number))?;
        for taken in choices {
            self.explore(level + 1, self.next(level, state, taken), budget)?;
        }
        let weights: Vec<BigUint> = self.weights(level, state).collect();
        let ways: BigUint = weights.iter().sum();
        // A state without ways is stored, too, so that it is explored only once.
        let table = (ways != BigUint::ZERO).then(|| CumulativeTable::new(weights.into_iter(), self.precision_bits));
        self.levels[level].insert(state, Node { ways, table });
        Ok(())
    }

    /// Whether enough positions and cells remain for what is missing.
    fn can_be_met(&self, level: usize, state: State) -> bool {
        let to_come = self.cells[level..].iter().fold(0, |bits, cell| bits | cell.membership);
        state.missing.iter().enumerate().all(|(requirement, &missing)| {
            missing == 0 || (missing <= state.positions && to_come >> requirement & 1 == 1)
        })
    }

    /// The numbers of positions that a cell can take.
    fn choices(&self, level: usize, state: State) -> RangeInclusive<u16> {
        let min = if level + 1 == self.cells.len() { state.positions } else { 0 };
        let size = u16::try_from(self.cells[level].characters.len()).unwrap_or(u16::MAX);
        let max = if self.no_repeats { size.min(state.positions) } else { state.positions };
        min..=max
    }

    fn next(&self, level: usize, state: State, taken: u16) -> State {
        State { positions: state.positions - taken, ..state.after(&self.cells[level], taken) }
    }

    /// The number of ways of each choice: C(positions, taken) · size^taken · the ways after it.
    fn weights(&self, level: usize, state: State) -> impl Iterator<Item = BigUint> {
        let size = self.cells[level].characters.len();
        let no_repeats = self.no_repeats;
        let choices = self.choices(level, state);
        // The last cell takes all positions.
        let mut at = *choices.start();
        let mut placed = if no_repeats {
            (0..usize::from(at)).map(|taken| BigUint::from(size.saturating_sub(taken))).product()
        } else {
            BigUint::from(size).pow(at.into())
        };
        // One multiplication and one exact division turn C(m, c) · s^c into C(m, c + 1) · s^(c + 1).
        choices.map(move |taken| {
            while at < taken {
                placed *= usize::from(state.positions - at) * if no_repeats { size - usize::from(at) } else { size };
                at += 1;
                placed /= at;
            }
            self.ways_from(level + 1, self.next(level, state, taken)).map_or(BigUint::ZERO, |ways| &placed * &*ways)
        })
    }

    fn draw_choice<C: Choices>(&self, level: usize, state: State, choices: &mut C) -> Result<u16, C::Error> {
        let choice = match self.levels[level].get(&state).and_then(|node| node.table.as_ref()) {
            Some(table) => choices.by_weight(table, || self.weights(level, state))?,
            None => unreachable!("only states with a way are drawn"),
        };
        Ok(self.choices(level, state).start() + u16::try_from(choice).unwrap_or(u16::MAX))
    }
}
