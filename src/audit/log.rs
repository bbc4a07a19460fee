//! Writes audit lines.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;
use time::format_description::well_known::iso8601::{Config, EncodedConfig, TimePrecision};

use super::event::Event;
use super::record::Record;

/// RFC 3339 to the millisecond.
const MILLISECONDS: EncodedConfig =
    Config::DEFAULT.set_time_precision(TimePrecision::Second { decimal_digits: std::num::NonZeroU8::new(3) }).encode();

/// A whole line.
#[derive(Serialize)]
struct Line<'r> {
    timestamp: String,
    level: &'static str,
    event: &'static str,
    #[serde(flatten)]
    record: &'r Record,
    version: &'static str,
}

/// Proof that an audit line was written. Only [`AuditLog::write`] makes one; an answer leaves, and a policy changes, only
/// with it.
#[derive(Debug)]
pub struct Recorded(());

/// The output of audit lines.
pub struct AuditLog(Mutex<Box<dyn Write + Send>>);

impl AuditLog {
    /// Writes lines to `out`, each in one call.
    #[must_use]
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(out)))
    }

    /// Writes lines to the standard output, without the standard library's handle, which reports a write to a closed
    /// descriptor as a success.
    ///
    /// A closed output and the null device accept no line: before `main` the standard library replaces a closed
    /// descriptor with the null device, so the two cannot be told apart.
    #[must_use]
    pub fn stdout() -> Self {
        let output = io::stdout().as_fd().try_clone_to_owned().map(File::from);
        match output {
            Ok(file) if !is_null_device(&file) => Self::new(file),
            _ => Self::new(Closed),
        }
    }

    /// Writes one line.
    ///
    /// # Errors
    /// The error of the output.
    pub fn write(&self, event: Event, now: SystemTime, record: &Record) -> io::Result<Recorded> {
        let timestamp = OffsetDateTime::from(now).format(&Iso8601::<MILLISECONDS>).map_err(io::Error::other)?;
        let version = env!("CARGO_PKG_VERSION");
        let line = Line { timestamp, level: event.level(), event: event.name(), record, version };
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(&line)?;
        out.flush()?;
        Ok(Recorded(()))
    }
}

fn is_null_device(file: &File) -> bool {
    match (file.metadata(), fs::metadata("/dev/null")) {
        (Ok(output), Ok(null)) => {
            output.rdev() == null.rdev() && output.ino() == null.ino() && output.dev() == null.dev()
        }
        _ => false,
    }
}

/// An output that accepts nothing.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}
