//! A bound on what counting may cost.

/// Steps left. One is some 50 ns on a core of 2024 at length 256, so that all together are spent in
/// about 50 ms, and tables hold about 8 MiB.
pub(super) struct Work(u32);

/// Counting would take too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMuchWork;

impl Work {
    /// What one policy may cost, from its constraints to the generator that draws for it.
    pub(super) const fn of_one_policy() -> Self {
        Self(1 << 20)
    }

    /// Takes some steps off.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), TooMuchWork> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.0.checked_sub(steps));
        self.0 = left.ok_or(TooMuchWork)?;
        Ok(())
    }
}
