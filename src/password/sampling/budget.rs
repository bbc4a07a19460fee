//! A bound on the work of counting.

/// The steps that counting may still take. A step is one multiplication and addition of large integers.
pub(in crate::password) struct WorkBudget(u32);

/// Counting would take more steps than the budget has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BudgetExceeded;

impl WorkBudget {
    /// A full budget.
    pub(in crate::password) const fn new() -> Self {
        Self(1 << 20)
    }

    /// Takes steps from the budget.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), BudgetExceeded> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.0.checked_sub(steps));
        self.0 = left.ok_or(BudgetExceeded)?;
        Ok(())
    }
}
