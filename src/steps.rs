//! Counts the steps of the readers of foreign text, in tests. A step looks at a byte or a character, or builds a value.

use std::cell::Cell;

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Counts steps.
pub(crate) fn count(steps: usize) {
    STEPS.set(STEPS.get() + steps);
}

/// Checks that a reader needs at most a constant number of steps for each byte of a text, and that its steps are counted.
#[track_caller]
pub(crate) fn assert_linear<T>(text: &str, most_per_byte: usize, read: impl FnOnce() -> T) {
    STEPS.set(0);
    drop(read());
    let (steps, bytes) = (STEPS.get(), text.len());
    let most = most_per_byte * (bytes + 10);
    assert!((1..=most).contains(&steps), "{steps} steps for {bytes} bytes, at most {most}: {text:.80}");
}
