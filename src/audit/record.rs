//! What an audit line says about a request.

use std::net::IpAddr;

use serde::Serialize;

use super::reason::Cause;

/// Longest `user_agent`, in characters.
const MAX_USER_AGENT: usize = 256;

/// What is known about a request. It is filled in while the request is handled, so that the line of a refusal also
/// says what was known by then.
///
/// It has no field that could hold a password, a key, `exclude`, `symbols`, a query or a body.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Record {
    /// The front end's id of the request, or Lambda's.
    pub request_id: String,
    /// The public part of the key.
    pub key_id: Option<String>,
    /// The name that the administrator gave the key.
    pub key_name: Option<String>,
    /// The caller's admissions so far, this one included.
    pub sequence: Option<u64>,
    /// The caller's address.
    pub source_ip: Option<IpAddr>,
    /// The `User-Agent` header, at most 256 characters of it.
    pub user_agent: Option<String>,
    /// The API that the request is written in: `passloom`, `aws` or `vault`.
    pub api: &'static str,
    /// The operation.
    pub operation: Option<&'static str>,
    /// The status of the answer; none in the line before a change.
    pub status: Option<u16>,
    /// Why the request was refused or failed.
    pub reason: Option<Cause>,
    /// The name of the policy that the request was held to, if it has one.
    pub policy: Option<String>,
    /// The revision of a stored policy; before a change, that of all policies which the change starts from.
    pub policy_revision: Option<u64>,
    /// What is to become of a stored policy: `create`, `update` or `delete`.
    pub change: Option<&'static str>,
    /// Characters in each password.
    pub length: Option<u16>,
    /// Words in each passphrase.
    pub words: Option<u16>,
    /// Passwords or passphrases in the answer.
    pub count: Option<usize>,
    /// The classes in use.
    pub classes: Option<Vec<&'static str>>,
    /// Entropy of each password, rounded down to two decimals.
    pub entropy_bits: Option<f64>,
    /// Admissions left in this minute.
    pub remaining: Option<u64>,
    /// From the arrival of the event to this line, in microseconds.
    pub duration_us: u64,
    /// Whether this is the first request of its environment.
    pub cold_start: bool,
}

impl Record {
    /// Stores the `User-Agent` header, cut to its maximum length.
    pub fn set_user_agent(&mut self, text: &str) {
        self.user_agent = Some(text.chars().take(MAX_USER_AGENT).collect());
    }
}
