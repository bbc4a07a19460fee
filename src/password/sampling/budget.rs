//! A bound on the work of counting and drawing.

/// The work that a request may still cause.
///
/// A step is the time of one multiplication of machine words with its reduction, about 2 ns on a processor of 2024.
#[derive(Debug)]
pub struct WorkBudget {
    steps: usize,
    bytes: usize,
}

/// More work would be needed than the budget has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::password) struct BudgetExceeded;

impl WorkBudget {
    /// The steps of a request for one password.
    pub const STEPS: usize = 7_200_000;
    /// The steps that each password adds.
    pub const STEPS_PER_PASSWORD: usize = 350_000;
    /// The memory of the tables of one policy, in bytes.
    pub const BYTES: usize = 2 << 20;

    /// The budget of a request for so many passwords.
    #[must_use]
    pub fn new(passwords: u16) -> Self {
        Self { steps: Self::STEPS + Self::STEPS_PER_PASSWORD * usize::from(passwords), bytes: Self::BYTES }
    }

    /// The steps that are left.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// The memory that is left, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes steps from the budget, before they are made.
    pub(in crate::password) fn spend(&mut self, steps: usize) -> Result<(), BudgetExceeded> {
        self.steps = self.steps.checked_sub(steps).ok_or(BudgetExceeded)?;
        Ok(())
    }

    /// Whether the budget has the memory for tables that are dropped at once.
    pub(in crate::password) const fn lend(&self, bytes: usize) -> Result<(), BudgetExceeded> {
        if bytes > self.bytes { Err(BudgetExceeded) } else { Ok(()) }
    }

    /// Takes memory from the budget, before it is allocated.
    pub(in crate::password) fn hold(&mut self, bytes: usize) -> Result<(), BudgetExceeded> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(BudgetExceeded)?;
        Ok(())
    }
}
