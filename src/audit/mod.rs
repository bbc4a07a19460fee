//! The audit log: one structured line per request, the function's only output.

mod event;
mod log;
mod reason;
mod record;

pub use event::Event;
pub use log::{AuditLog, Recorded};
pub use reason::{Cause, Reason};
pub use record::Record;
