//! Every way in which a request can fail, with what the client sees of it and what the audit line says.

use std::fmt;

use crate::access::{BookFull, CredentialsError, Denial, KeyError, PoliciesUnavailable, Refusal};
use crate::audit::{Cause, Reason};
use crate::http::Problem;
use crate::http::request::RequestError;
use crate::http::response::NotAcceptable;
use crate::http::routes::NoRoute;
use crate::password::Entropy;

/// Why a request has no successful answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The event is not an HTTP request.
    UnknownEvent,
    /// The request came over plain HTTP.
    HttpsRequired,
    /// No operation has its path and method.
    NoRoute(NoRoute),
    /// The client does not accept the encoding of the answer.
    NotAcceptable,
    /// It has no caller.
    Credentials(CredentialsError),
    /// It is not valid.
    Request(RequestError),
    /// It was not admitted.
    Refusal(Refusal),
    /// Its key is bound to something else.
    BoundKey(BoundKeyError),
    /// Its key may not manage policies.
    NotAdministrator,
    /// There is no such policy.
    NoPolicy,
    /// The precondition of a change of a policy does not hold.
    Precondition,
    /// There is no room for another policy.
    BookFull(BookFull),
    /// The stored policies could not be read or written.
    Policies {
        /// Why not, for the audit line only.
        cause: String,
    },
    /// Something failed that must not fail.
    Internal(Reason),
}

impl Failure {
    /// What the client sees.
    pub(super) fn problem(&self) -> Problem {
        match self {
            Self::UnknownEvent => Problem::unknown_event(),
            Self::HttpsRequired => Problem::https_required(),
            Self::NoRoute(error) => Problem::no_route(*error),
            Self::NotAcceptable => Problem::not_acceptable(),
            Self::Credentials(CredentialsError::NoKey | CredentialsError::Key(_))
            | Self::Refusal(Refusal::UnknownKey) => Problem::unauthorized(),
            Self::Credentials(CredentialsError::ConflictingKeys) => Problem::conflicting_keys(),
            Self::Credentials(CredentialsError::AddressUnknown) => Problem::address_unknown(),
            Self::Request(error) => Problem::invalid(error),
            Self::Refusal(Refusal::Denied { denial, .. }) => Problem::denied(*denial),
            Self::Refusal(Refusal::RateLimited { quota, retry_after, .. }) => {
                Problem::rate_limited(quota, *retry_after)
            }
            Self::Refusal(Refusal::Unavailable { .. } | Refusal::Late { .. }) => Problem::unavailable(),
            Self::BoundKey(error) => Problem::bound_key(&error.to_string()),
            Self::NotAdministrator => Problem::not_administrator(),
            Self::NoPolicy => Problem::no_policy(),
            Self::Precondition => Problem::precondition_failed(),
            Self::BookFull(full) => Problem::book_full(*full),
            Self::Policies { .. } => Problem::policies_unavailable(),
            Self::Internal(_) => Problem::internal(),
        }
    }

    /// What the audit line says.
    pub(super) fn cause(&self) -> Cause {
        match self {
            Self::UnknownEvent => Reason::UnknownEvent.into(),
            Self::HttpsRequired => Reason::HttpsRequired.into(),
            Self::NoRoute(NoRoute::Path) => Reason::NotFound.into(),
            Self::NoRoute(NoRoute::Method { .. }) => Reason::MethodNotAllowed.into(),
            Self::NotAcceptable => Reason::NotAcceptable.into(),
            Self::Credentials(error) => match error {
                CredentialsError::NoKey => Reason::NoKey,
                CredentialsError::ConflictingKeys => Reason::ConflictingKeys,
                CredentialsError::Key(KeyError::Malformed) => Reason::MalformedKey,
                CredentialsError::Key(KeyError::Forged) => Reason::ForgedKey,
                CredentialsError::AddressUnknown => Reason::AddressUnknown,
            }
            .into(),
            Self::Request(RequestError::UnknownParameter { .. }) => Reason::UnknownParameter.into(),
            Self::Request(RequestError::BodyTooLarge) => Reason::BodyTooLarge.into(),
            Self::Request(RequestError::MediaType) => Reason::UnsupportedMediaType.into(),
            Self::Request(error) => {
                let detail = Problem::invalid(error).parameter().map(str::to_owned);
                Cause { reason: Reason::InvalidRequest, detail }
            }
            Self::Refusal(Refusal::UnknownKey) => Reason::UnknownKey.into(),
            Self::Refusal(Refusal::Denied { denial: Denial::Expired, .. }) => Reason::KeyExpired.into(),
            Self::Refusal(Refusal::Denied { denial: Denial::Address, .. }) => Reason::AddressNotAllowed.into(),
            Self::Refusal(Refusal::RateLimited { .. }) => Reason::RateLimited.into(),
            Self::Refusal(Refusal::Unavailable { cause }) => {
                Cause { reason: Reason::DatabaseUnavailable, detail: Some(cause.clone()) }
            }
            Self::Refusal(Refusal::Late { .. }) => {
                Cause { reason: Reason::DatabaseUnavailable, detail: Some("the answer came too late".into()) }
            }
            Self::BoundKey(error) => Cause { reason: Reason::KeyBound, detail: Some(error.detail().into()) },
            Self::NotAdministrator => Reason::NotAdministrator.into(),
            Self::NoPolicy => Reason::PolicyNotFound.into(),
            Self::Precondition => Reason::PreconditionFailed.into(),
            Self::BookFull(_) => Reason::PoliciesFull.into(),
            Self::Policies { cause } => Cause { reason: Reason::PoliciesUnavailable, detail: Some(cause.clone()) },
            Self::Internal(reason) => (*reason).into(),
        }
    }
}

/// Why a bound key does not get what it requests.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum BoundKeyError {
    /// It names another policy.
    OtherPolicy {
        /// The policy that the key is bound to.
        bound: String,
    },
    /// The policy that it is bound to does not exist.
    NoPolicy {
        /// The policy that the key is bound to.
        bound: String,
    },
    /// It requests passphrases.
    Passphrases {
        /// The policy that the key is bound to.
        bound: String,
    },
    /// It requests random bytes.
    RandomBytes {
        /// The policy that the key is bound to.
        bound: String,
    },
    /// What it requests has too little entropy.
    TooLittleEntropy {
        /// The entropy of what it requests.
        has: Entropy,
        /// The least entropy.
        needs: Entropy,
    },
}

impl BoundKeyError {
    /// What the audit line says.
    const fn detail(&self) -> &'static str {
        match self {
            Self::OtherPolicy { .. } => "another policy",
            Self::NoPolicy { .. } => "the policy does not exist",
            Self::Passphrases { .. } => "passphrases",
            Self::RandomBytes { .. } => "random bytes",
            Self::TooLittleEntropy { .. } => "too little entropy",
        }
    }
}

impl fmt::Display for BoundKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherPolicy { bound } => write!(f, "This API key is bound to policy {bound}; omit policy."),
            Self::NoPolicy { bound } => {
                write!(f, "This API key is bound to policy {bound}, which does not exist. Ask an administrator.")
            }
            Self::Passphrases { bound } => {
                write!(f, "This API key is bound to policy {bound}, and a policy has no passphrases.")
            }
            Self::RandomBytes { bound } => {
                write!(f, "This API key is bound to policy {bound}, and a policy has no random bytes.")
            }
            Self::TooLittleEntropy { has, needs } => write!(
                f,
                "The request has {} bits of entropy, and this API key requires {}; increase or omit length or words, or \
                 omit what lowers it.",
                has.rounded_down(),
                needs.rounded_down()
            ),
        }
    }
}

impl From<BoundKeyError> for Failure {
    fn from(error: BoundKeyError) -> Self {
        Self::BoundKey(error)
    }
}

impl From<PoliciesUnavailable> for Failure {
    fn from(error: PoliciesUnavailable) -> Self {
        Self::Policies { cause: error.cause }
    }
}

impl From<NoRoute> for Failure {
    fn from(error: NoRoute) -> Self {
        Self::NoRoute(error)
    }
}

impl From<NotAcceptable> for Failure {
    fn from(_: NotAcceptable) -> Self {
        Self::NotAcceptable
    }
}

impl From<CredentialsError> for Failure {
    fn from(error: CredentialsError) -> Self {
        Self::Credentials(error)
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(_: serde_json::Error) -> Self {
        Self::Internal(Reason::Serialisation)
    }
}
