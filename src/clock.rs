//! The only reader of the system's clocks, and the text of a time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The time of day, and a clock that never goes backwards.
pub struct Clock {
    now: Box<dyn Fn() -> SystemTime + Send + Sync>,
    instant: Box<dyn Fn() -> Instant + Send + Sync>,
}

impl Clock {
    /// A clock that reads the time from these functions.
    #[must_use]
    pub fn new(
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
        instant: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Self {
        Self { now: Box::new(now), instant: Box::new(instant) }
    }

    /// The system's clocks. Everything else receives a clock as an argument.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the clocks")]
    pub fn system() -> Self {
        Self::new(SystemTime::now, Instant::now)
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        (self.now)()
    }

    /// The time of the clock that never goes backwards.
    #[must_use]
    pub fn instant(&self) -> Instant {
        (self.instant)()
    }

    /// The time of day, and an instant from which the age of this reading is measured. The instant comes first: where
    /// the function is stopped between the two, the age is too long and never too short.
    #[must_use]
    pub fn now_and_instant(&self) -> (SystemTime, Instant) {
        let instant = self.instant();
        (self.now(), instant)
    }
}

/// The duration of a request, from its arrival.
#[derive(Debug)]
pub struct Measurement {
    began: Instant,
    ended: Option<Instant>,
}

/// Proof that the duration of a request is measured. What follows may depend on a secret.
#[derive(Debug)]
pub struct MeasurementEnded(());

impl Measurement {
    /// Begins now.
    #[must_use]
    pub fn begin(clock: &Clock) -> Self {
        Self { began: clock.instant(), ended: None }
    }

    /// Ends now, unless it has ended.
    pub fn end(&mut self, clock: &Clock) -> MeasurementEnded {
        self.ended.get_or_insert_with(|| clock.instant());
        MeasurementEnded(())
    }

    /// The time from the beginning to the end, or until now.
    #[must_use]
    pub fn duration(&self, clock: &Clock) -> Duration {
        self.ended.unwrap_or_else(|| clock.instant()).saturating_duration_since(self.began)
    }
}

/// RFC 3339 in UTC, to the second.
#[must_use]
pub fn rfc3339(when: SystemTime) -> String {
    let seconds = when.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    rfc3339_of_seconds(seconds)
}

/// RFC 3339 in UTC, of seconds since 1970; the number itself if it is outside the calendar.
#[must_use]
pub fn rfc3339_of_seconds(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_else(|| seconds.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn duration_of_an_ended_measurement_does_not_grow() {
        let began = Clock::system().instant();
        let seconds = Arc::new(Mutex::new(0));
        let read = seconds.clone();
        let clock = Clock::new(|| UNIX_EPOCH, move || began + Duration::from_secs(*read.lock().unwrap()));
        let mut measurement = Measurement::begin(&clock);
        let mut after = |passed, ends| {
            *seconds.lock().unwrap() = passed;
            if ends {
                measurement.end(&clock);
            }
            measurement.duration(&clock).as_secs()
        };
        assert_eq!(after(3, false), 3);
        assert_eq!(after(5, true), 5);
        assert_eq!(after(8, false), 5);
        assert_eq!(after(9, true), 5);
    }

    #[test]
    fn now_and_instant_reads_the_instant_first() {
        let order = Arc::new(Mutex::new(Vec::new()));
        let (first, second) = (order.clone(), order.clone());
        let system = Arc::new(Clock::system());
        let (now, instant) = (system.clone(), system);
        let clock = Clock::new(
            move || {
                first.lock().unwrap().push("now");
                now.now()
            },
            move || {
                second.lock().unwrap().push("instant");
                instant.instant()
            },
        );
        let _ = clock.now_and_instant();
        assert_eq!(*order.lock().unwrap(), ["instant", "now"]);
    }
}
