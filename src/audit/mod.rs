//! One structured line per request, the function's only output.

mod ocsf;

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;
use time::format_description::well_known::iso8601::{Config, EncodedConfig, TimePrecision};

/// Longest `user_agent`, in characters.
const USER_AGENT: usize = 256;

/// RFC 3339 to the millisecond.
const MILLISECONDS: EncodedConfig =
    Config::DEFAULT.set_time_precision(TimePrecision::Second { decimal_digits: std::num::NonZeroU8::new(3) }).encode();

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Passwords went out.
    Generated,
    /// Passphrases went out.
    PassphraseGenerated,
    /// Somebody was told whether a password satisfies a policy.
    Validated,
    /// Somebody was told what a policy amounts to.
    PolicyDescribed,
    /// Somebody was told the presets.
    PoliciesListed,
    /// Somebody asked whether the function runs.
    HealthChecked,
    /// Somebody read the contract.
    ContractRead,
    /// Somebody, or a browser, asked for the methods of a path.
    OptionsRead,
    /// The request was not answered, by the caller's doing.
    Refused,
    /// The request was not answered, by this side's doing.
    Failed,
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::Generated => "password.generated",
            Self::PolicyDescribed => "policy.described",
            Self::PassphraseGenerated => "passphrase.generated",
            Self::Validated => "password.validated",
            Self::PoliciesListed => "policies.listed",
            Self::HealthChecked => "health.checked",
            Self::ContractRead => "contract.read",
            Self::OptionsRead => "options.read",
            Self::Refused => "request.refused",
            Self::Failed => "request.failed",
        }
    }

    const fn level(self) -> &'static str {
        match self {
            Self::Refused => "WARN",
            Self::Failed => "ERROR",
            _ => "INFO",
        }
    }
}

/// What is known of a request, filled in along its way, so that a refusal too says what it can.
///
/// It has no field that could hold a password, a key, `exclude`, `symbols`, a query or a body.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Record {
    /// The front end's id of the request, or Lambda's.
    pub request_id: String,
    /// The public part of the key.
    pub key_id: Option<String>,
    /// What the administrator calls the key.
    pub key_name: Option<String>,
    /// The caller's admissions so far, this one included.
    pub sequence: Option<u64>,
    /// The caller's address.
    pub source_ip: Option<IpAddr>,
    /// What the caller's program says it is, 256 characters at most.
    pub user_agent: Option<String>,
    /// What was asked for.
    pub operation: Option<&'static str>,
    /// The status of the answer.
    pub status: u16,
    /// Why the request was not answered.
    pub reason: Option<String>,
    /// The preset that was asked for.
    pub policy: Option<&'static str>,
    /// Characters in each password.
    pub length: Option<u16>,
    /// Words in each passphrase.
    pub words: Option<u16>,
    /// Passwords in the answer.
    pub count: Option<usize>,
    /// The classes in use.
    pub classes: Option<Vec<&'static str>>,
    /// Entropy of each password, rounded down to two decimals.
    pub entropy_bits: Option<f64>,
    /// Admissions left in this minute.
    pub remaining: Option<u64>,
    /// From the event's arrival to this line, in microseconds.
    pub duration_us: u64,
    /// Whether this is the first request of its environment.
    pub cold_start: bool,
}

impl Record {
    /// Takes down the caller's program, as much of it as a line holds.
    pub fn set_user_agent(&mut self, text: &str) {
        self.user_agent = Some(text.chars().take(USER_AGENT).collect());
    }
}

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

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditFormat {
    /// The fields of [`Record`], flat.
    #[default]
    Json,
    /// An event of the Open Cybersecurity Schema Framework.
    Ocsf,
}

/// Where audit lines go.
pub struct AuditLog {
    out: Mutex<Box<dyn Write + Send>>,
    format: AuditFormat,
}

impl AuditLog {
    /// Lines go to `out`, each in one write.
    #[must_use]
    pub fn new(out: impl Write + Send + 'static, format: AuditFormat) -> Self {
        Self { out: Mutex::new(Box::new(out)), format }
    }

    /// Lines go to the standard output, past the standard library's handle: that one calls a write
    /// to a closed descriptor a success.
    ///
    /// An output that is closed, or is the null device, takes no line: before `main`, the standard
    /// library puts the null device in the place of a closed descriptor, so that the two look the same.
    #[must_use]
    pub fn stdout(format: AuditFormat) -> Self {
        let output = io::stdout().as_fd().try_clone_to_owned().map(File::from);
        match output {
            Ok(file) if !is_null_device(&file) => Self::new(file, format),
            _ => Self::new(Nowhere, format),
        }
    }

    /// Writes the line of one request.
    ///
    /// # Errors
    /// That of the output. The answer must not be sent then.
    pub fn write(&self, event: Event, now: SystemTime, record: &Record) -> io::Result<()> {
        let time = OffsetDateTime::from(now);
        let mut line = match self.format {
            AuditFormat::Json => {
                let timestamp = time.format(&Iso8601::<MILLISECONDS>).map_err(io::Error::other)?;
                let version = env!("CARGO_PKG_VERSION");
                serde_json::to_vec(&Line { timestamp, level: event.level(), event: event.name(), record, version })?
            }
            AuditFormat::Ocsf => {
                let milliseconds = time.unix_timestamp() * 1_000 + i64::from(time.millisecond());
                serde_json::to_vec(&ocsf::OcsfEvent::of(event, milliseconds, record))?
            }
        };
        line.push(b'\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(&line)?;
        out.flush()
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

/// An output that takes nothing.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}
