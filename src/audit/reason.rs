//! Why a request was refused or failed. Alarms and queries match on these names.

use std::fmt;

use serde::{Serialize, Serializer};

named_enum! {
    /// Why a request was refused or failed.
    pub enum Reason {
        /// The event is not an HTTP request of a known front end.
        UnknownEvent = "unknown-event",
        /// The request came over plain HTTP.
        HttpsRequired = "https-required",
        /// No operation has this path.
        NotFound = "not-found",
        /// The path does not have this method.
        MethodNotAllowed = "method-not-allowed",
        /// The client does not accept the encoding of the answer.
        NotAcceptable = "not-acceptable",
        /// The request has no API key.
        NoKey = "no-key",
        /// The API key does not have the form of a key, or its checksum is wrong.
        MalformedKey = "malformed-key",
        /// The API key's tag was not made under this deployment's signing secret.
        ForgedKey = "forged-key",
        /// The API key is not in the table, or has another secret.
        UnknownKey = "unknown-key",
        /// The request has several different API keys.
        ConflictingKeys = "conflicting-keys",
        /// The API key has expired.
        KeyExpired = "key-expired",
        /// The API key may not be used from this address.
        AddressNotAllowed = "address-not-allowed",
        /// The API key is bound to a policy or an entropy that the request does not have. The detail says which.
        KeyBound = "key-bound",
        /// The API key may not manage policies.
        NotAdministrator = "not-administrator",
        /// There is no such policy.
        PolicyNotFound = "policy-not-found",
        /// The precondition of a change of a policy does not hold.
        PreconditionFailed = "precondition-failed",
        /// A policy has the same name, except for case.
        PolicyNameTaken = "policy-name-taken",
        /// There is no room for another policy.
        PoliciesFull = "policies-full",
        /// The stored policies could not be read or written. The detail says why.
        PoliciesUnavailable = "policies",
        /// Requests are counted by address, and the address is not certain.
        AddressUnknown = "address-unknown",
        /// The request has a parameter that does not exist.
        UnknownParameter = "unknown-parameter",
        /// The request is not valid. The detail names the parameter, if it is one.
        InvalidRequest = "invalid-request",
        /// The body is too large.
        BodyTooLarge = "body-too-large",
        /// The body is not JSON.
        UnsupportedMediaType = "unsupported-media-type",
        /// The caller's limits are used up.
        RateLimited = "rate-limited",
        /// The database gave no answer that shows the request as counted. The detail says why.
        DatabaseUnavailable = "store",
        /// The audit log does not accept the line of a change, so that the change was not made.
        AuditLog = "audit-log",
        /// The code panicked.
        Panic = "panic",
        /// The operating system's random generator failed.
        Randomness = "randomness",
        /// The answer could not be written as JSON.
        Serialisation = "serialisation",
        /// A generated password did not satisfy its policy.
        Verification = "verification",
    }
}

/// A reason, with a detail for operators. The line holds both: `store: no connection`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The reason.
    pub reason: Reason,
    /// Never anything that the caller sent, except the name of an existing parameter.
    pub detail: Option<String>,
}

impl From<Reason> for Cause {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: None }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.name())?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
