//! What is known about a request while it is handled.

use std::time::SystemTime;

use crate::access::Quota;
use crate::audit::Record;
use crate::clock::Measurement;

/// What is known about a request so far. It is filled in step by step, so that a refusal also reports what was known.
pub(super) struct Progress {
    /// The audit line.
    pub(super) record: Record,
    /// The time of the audit line: the clock reading of the write that counted the request, else that of its arrival.
    pub(super) time: SystemTime,
    /// What remains of the caller's limits, once the request is counted.
    pub(super) quota: Option<Quota>,
    /// The duration in the audit line. It ends early if later work would reveal something about a secret.
    pub(super) measurement: Measurement,
}
