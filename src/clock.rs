//! The only reader of the system clock.

use std::time::SystemTime;

/// Returns the current time.
pub type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

/// The system's clock. Everything else receives the time as an argument.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the only place that reads the clock")]
pub fn system_clock() -> Clock {
    Box::new(SystemTime::now)
}
