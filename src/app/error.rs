//! Every way in which a request can fail, with what the client sees of it and what the audit line says.

use super::authentication::CredentialsError;
use crate::access::{Denial, KeyError, Refusal};
use crate::audit::{Cause, Reason};
use crate::http::Problem;
use crate::http::request::RequestError;
use crate::http::routes::NoRoute;

/// Why a request has no successful answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The event is not an HTTP request.
    UnknownEvent,
    /// The request came over plain HTTP.
    HttpsRequired,
    /// No operation has its path and method.
    NoRoute(NoRoute),
    /// It has no caller.
    Credentials(CredentialsError),
    /// It is not valid.
    Request(RequestError),
    /// It was not admitted.
    Refusal(Refusal),
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
            Self::Internal(reason) => (*reason).into(),
        }
    }
}

impl From<NoRoute> for Failure {
    fn from(error: NoRoute) -> Self {
        Self::NoRoute(error)
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
