//! The audit line of a request, while the request is handled.

use std::time::SystemTime;

use crate::access::Quota;
use crate::audit::Record;
use crate::clock::{Clock, Measurement};

/// What is known about a request so far. It is filled in step by step, so that the line of a refusal also says what was
/// known by then.
pub(crate) struct Line {
    pub(crate) record: Record,
    /// The time of the line: the clock reading of the write that counted the request, else that of its arrival.
    pub(crate) time: SystemTime,
    /// What remains of the caller's limits, once the request is counted.
    pub(crate) quota: Option<Quota>,
    /// The duration in the line.
    pub(crate) measurement: Measurement,
}

impl Line {
    /// The line of a request that arrives now.
    pub(crate) fn begin(clock: &Clock, record: Record) -> Self {
        Self { record, time: clock.now(), quota: None, measurement: Measurement::begin(clock) }
    }

    /// The request's id, which answers repeat.
    pub(crate) fn request_id(&self) -> &str {
        &self.record.request_id
    }

    /// The duration until now, or until its measurement ended, in microseconds.
    pub(crate) fn duration_us(&self, clock: &Clock) -> u64 {
        u64::try_from(self.measurement.duration(clock).as_micros()).unwrap_or(u64::MAX)
    }
}
