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

    /// Does work that takes at most half of the steps that are left.
    pub(in crate::password) fn try_with_half<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, BudgetExceeded>,
    ) -> Result<T, BudgetExceeded> {
        let mut half = Self { steps: self.steps / 2, bytes: self.bytes };
        self.steps -= half.steps;
        let result = work(&mut half);
        self.steps += half.steps;
        result
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_budget_grows_by_the_steps_of_each_password() {
        for passwords in [0, 1, 2, 100] {
            let budget = WorkBudget::new(passwords);
            assert_eq!(budget.steps(), 7_200_000 + 350_000 * usize::from(passwords), "{passwords} passwords");
            assert_eq!(budget.bytes(), 2_097_152, "{passwords} passwords");
        }
    }

    #[test]
    fn spend_takes_steps_until_none_are_left() {
        let mut budget = WorkBudget { steps: 10, bytes: 1 };
        assert_eq!(budget.spend(3), Ok(()));
        assert_eq!(budget.spend(8), Err(BudgetExceeded));
        assert_eq!((budget.steps(), budget.bytes()), (7, 1));
        assert_eq!(budget.spend(7), Ok(()));
        assert_eq!(budget.steps(), 0);
    }

    #[test]
    fn work_with_half_of_the_steps_leaves_the_others() {
        for (steps, result, left) in [(4, Ok(()), 7), (5, Ok(()), 6), (6, Err(BudgetExceeded), 11)] {
            let mut budget = WorkBudget { steps: 11, bytes: 1 };
            assert_eq!(budget.try_with_half(|half| half.spend(steps)), result, "{steps} steps");
            assert_eq!(budget.steps(), left, "{steps} steps");
        }
    }

    #[test]
    fn hold_takes_memory_and_lend_takes_none() {
        let mut budget = WorkBudget { steps: 1, bytes: 10 };
        assert_eq!(budget.hold(3), Ok(()));
        assert_eq!(budget.hold(8), Err(BudgetExceeded));
        for (bytes, result) in [(6, Ok(())), (7, Ok(())), (8, Err(BudgetExceeded))] {
            assert_eq!(budget.lend(bytes), result, "{bytes} bytes");
        }
        assert_eq!((budget.steps(), budget.bytes()), (1, 7));
    }
}
