//! Every way in which a request can fail, with what the client sees of it and what the audit line says.

use lambda_http::http::{HeaderValue, header};
use thiserror::Error;

use crate::access::{CannotStore, CredentialsError, Denial, KeyError, Refusal};
use crate::audit::{Cause, Event, Reason};
use crate::http::headers::{quota_headers, whole_seconds};
use crate::http::page::NotAcceptable;
use crate::http::problem::{Kind, Problem};
use crate::http::request_error::RequestError;
use crate::http::routes::NoRoute;
use crate::password::Entropy;
use crate::store::PoliciesUnavailable;

/// Why a request has no successful answer. The text is what the client reads.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("The event is not an HTTP request of API Gateway, a Function URL or a load balancer.")]
    UnknownEvent,
    #[error("Send the request over HTTPS, and replace the API key that it contained.")]
    HttpsRequired,
    #[error("{}", no_route(.0))]
    NoRoute(NoRoute),
    #[error("This file is available in gzip only; send Accept-Encoding: gzip.")]
    NotAcceptable,
    #[error("{}", credentials(*.0))]
    Credentials(CredentialsError),
    /// It is not valid. Its problem has a text of its own.
    #[error("{0}")]
    Request(RequestError),
    #[error("{}", refusal(.0))]
    Refusal(Refusal),
    /// Its key does not permit it.
    #[error("{0}")]
    BoundKey(BoundKeyError),
    #[error("Only the API key of an administrator may change policies.")]
    NotAdministrator,
    #[error("This policy does not exist; GET /api/policies and GET /api/presets list all policies.")]
    NoPolicy,
    #[error("The policy is not as If-Match or If-None-Match requires; read it again, and then change it.")]
    Precondition,
    #[error("{0}")]
    CannotStore(CannotStore),
    /// The stored policies could not be read or written. The cause is for the audit line only.
    #[error("The stored policies could not be used, so nothing was generated. Try again.")]
    Policies { cause: String },
    /// A change of a policy was announced, and certainly not made.
    #[error("{0}")]
    Change(Box<Self>),
    #[error("The database did not tell whether the policy was changed. Try again; repeating the change is safe.")]
    ChangeUnknown { cause: String },
    /// Something failed that must not fail.
    #[error("Internal error. No password was generated.")]
    Internal(Reason),
}

fn no_route(error: &NoRoute) -> String {
    match error {
        NoRoute::Path => "This path does not exist; /openapi.json lists all paths.".into(),
        NoRoute::Method { allow } => format!("This path supports {allow}."),
    }
}

const fn credentials(error: CredentialsError) -> &'static str {
    match error {
        CredentialsError::NoKey | CredentialsError::Key(_) => UNAUTHORIZED,
        CredentialsError::ConflictingKeys => "The request has different API keys; send only one.",
        CredentialsError::AddressUnknown => {
            "This deployment counts requests by address, and the address of this request is not known."
        }
    }
}

/// The answer to a request without a valid key is the same for every cause.
const UNAUTHORIZED: &str = "Send a valid API key in the header X-Api-Key or Authorization: Bearer.";

fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::UnknownKey => UNAUTHORIZED.into(),
        Refusal::Denied { denial: Denial::Expired, .. } => "This API key has expired.".into(),
        Refusal::Denied { denial: Denial::Address, .. } => "This API key may not be used from this address.".into(),
        Refusal::RateLimited { retry_after, .. } => format!("Try again in {} seconds.", whole_seconds(*retry_after)),
        Refusal::Unavailable { .. } | Refusal::Late { .. } => {
            "The request could not be counted, so no password was generated. Try again.".into()
        }
    }
}

impl Failure {
    const fn kind(&self) -> Kind {
        match self {
            Self::UnknownEvent | Self::Request(_) | Self::Credentials(CredentialsError::ConflictingKeys) => {
                Kind::InvalidRequest
            }
            Self::HttpsRequired => Kind::HttpsRequired,
            Self::NoRoute(NoRoute::Path) => Kind::NotFound,
            Self::NoRoute(NoRoute::Method { .. }) => Kind::MethodNotAllowed,
            Self::NotAcceptable => Kind::NotAcceptable,
            Self::Credentials(CredentialsError::NoKey | CredentialsError::Key(_))
            | Self::Refusal(Refusal::UnknownKey) => Kind::Unauthorized,
            Self::Credentials(CredentialsError::AddressUnknown)
            | Self::Refusal(Refusal::Denied { .. })
            | Self::BoundKey(_)
            | Self::NotAdministrator => Kind::Forbidden,
            Self::Refusal(Refusal::RateLimited { .. }) => Kind::RateLimited,
            Self::Refusal(Refusal::Unavailable { .. } | Refusal::Late { .. })
            | Self::Policies { .. }
            | Self::ChangeUnknown { .. } => Kind::Unavailable,
            Self::NoPolicy => Kind::NoPolicy,
            Self::Precondition => Kind::PreconditionFailed,
            Self::CannotStore(_) => Kind::Conflict,
            Self::Change(failure) => failure.kind(),
            Self::Internal(_) => Kind::Internal,
        }
    }

    /// What the client sees.
    pub(crate) fn problem(&self) -> Problem {
        let failure = if let Self::Change(failure) = self { failure } else { self };
        let mut problem = match failure {
            Self::Request(error) => return error.into(),
            _ => Problem::new(failure.kind(), failure.to_string()),
        };
        match failure {
            Self::NoRoute(NoRoute::Method { allow }) => problem.add(header::ALLOW, HeaderValue::from_static(allow)),
            Self::Refusal(Refusal::RateLimited { quota, retry_after, .. }) => {
                problem.add(header::RETRY_AFTER, whole_seconds(*retry_after).into());
                for (name, value) in quota_headers(quota) {
                    problem.add(name, value);
                }
                problem.retry_after = Some(*retry_after);
            }
            _ if problem.kind == Kind::Unauthorized => {
                problem.add(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"passloom\""));
            }
            _ if problem.kind == Kind::Unavailable => {
                problem.add(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        problem
    }

    /// Whether the reason is that there is no such policy.
    pub(crate) fn is_no_policy(&self) -> bool {
        match self {
            Self::Change(failure) => failure.is_no_policy(),
            _ => matches!(self, Self::NoPolicy),
        }
    }

    /// How the request ended.
    pub(crate) fn event(&self) -> Event {
        match self {
            Self::Change(_) => Event::PolicyChangeFailed,
            Self::ChangeUnknown { .. } => Event::PolicyChangeUnknown,
            _ if self.kind().status().is_server_error() => Event::Failed,
            _ => Event::Refused,
        }
    }

    /// What the audit line says.
    pub(crate) fn cause(&self) -> Cause {
        let (reason, detail) = match self {
            Self::UnknownEvent => (Reason::UnknownEvent, None),
            Self::HttpsRequired => (Reason::HttpsRequired, None),
            Self::NoRoute(NoRoute::Path) => (Reason::NotFound, None),
            Self::NoRoute(NoRoute::Method { .. }) => (Reason::MethodNotAllowed, None),
            Self::NotAcceptable => (Reason::NotAcceptable, None),
            Self::Credentials(CredentialsError::NoKey) => (Reason::NoKey, None),
            Self::Credentials(CredentialsError::ConflictingKeys) => (Reason::ConflictingKeys, None),
            Self::Credentials(CredentialsError::Key(KeyError::Malformed)) => (Reason::MalformedKey, None),
            Self::Credentials(CredentialsError::Key(KeyError::Forged)) => (Reason::ForgedKey, None),
            Self::Credentials(CredentialsError::AddressUnknown) => (Reason::AddressUnknown, None),
            Self::Request(RequestError::UnknownParameter { .. }) => (Reason::UnknownParameter, None),
            Self::Request(RequestError::BodyTooLarge) => (Reason::BodyTooLarge, None),
            Self::Request(RequestError::MediaType) => (Reason::UnsupportedMediaType, None),
            Self::Request(error) => (Reason::InvalidRequest, error.parameter().map(str::to_owned)),
            Self::Refusal(Refusal::UnknownKey) => (Reason::UnknownKey, None),
            Self::Refusal(Refusal::Denied { denial: Denial::Expired, .. }) => (Reason::KeyExpired, None),
            Self::Refusal(Refusal::Denied { denial: Denial::Address, .. }) => (Reason::AddressNotAllowed, None),
            Self::Refusal(Refusal::RateLimited { .. }) => (Reason::RateLimited, None),
            Self::Refusal(Refusal::Unavailable { cause }) => (Reason::DatabaseUnavailable, Some(cause.clone())),
            Self::Refusal(Refusal::Late { .. }) => {
                (Reason::DatabaseUnavailable, Some("the answer came too late".into()))
            }
            Self::BoundKey(error) => (Reason::KeyBound, Some(error.detail().into())),
            Self::NotAdministrator => (Reason::NotAdministrator, None),
            Self::NoPolicy => (Reason::PolicyNotFound, None),
            Self::Precondition => (Reason::PreconditionFailed, None),
            Self::CannotStore(CannotStore::Name { .. }) => (Reason::PolicyNameTaken, None),
            Self::CannotStore(_) => (Reason::PoliciesFull, None),
            Self::Policies { cause } | Self::ChangeUnknown { cause } => {
                (Reason::PoliciesUnavailable, Some(cause.clone()))
            }
            Self::Change(failure) => return failure.cause(),
            Self::Internal(reason) => (*reason, None),
        };
        Cause { reason, detail }
    }
}

/// Why a key does not permit a request.
#[derive(Clone, Debug, Error, PartialEq)]
pub(crate) enum BoundKeyError {
    #[error("This API key is bound to policy {bound}; omit policy.")]
    OtherPolicy { bound: String },
    #[error("This API key is bound to policy {bound}, which does not exist. Ask an administrator.")]
    NoPolicy { bound: String },
    #[error("This API key is bound to policy {bound}, and a policy has no passphrases.")]
    Passphrases { bound: String },
    #[error("This API key is bound to policy {bound}, and a policy has no random bytes.")]
    RandomBytes { bound: String },
    #[error(
        "The request has {} bits of entropy, and this API key requires {}; increase or omit length or words, or omit what \
         lowers it.",
        .has.rounded_down(),
        .needs.rounded_down()
    )]
    TooLittleEntropy { has: Entropy, needs: Entropy },
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

/// The failure of each error that has a variant of its own.
macro_rules! from {
    ($($Error:ty => |$error:pat_param| $failure:expr;)+) => {
        $(impl From<$Error> for Failure {
            fn from($error: $Error) -> Self {
                $failure
            }
        })+
    };
}

from! {
    NoRoute => |error| Self::NoRoute(error);
    CredentialsError => |error| Self::Credentials(error);
    RequestError => |error| Self::Request(error);
    Refusal => |refusal| Self::Refusal(refusal);
    BoundKeyError => |error| Self::BoundKey(error);
    NotAcceptable => |_| Self::NotAcceptable;
    PoliciesUnavailable => |error| Self::Policies { cause: error.cause };
    serde_json::Error => |_| Self::Internal(Reason::Serialisation);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::access::{Limits, Quota};
    use crate::http::headers::Body;

    #[test]
    fn published_example_of_a_problem_is_what_the_client_sees() {
        let document: Value = serde_json::from_str(include_str!("../http/openapi.json")).unwrap();
        let limits = Limits { per_minute: 60.try_into().unwrap(), per_day: 10_000.try_into().unwrap() };
        let retry_after = Duration::from_secs(12);
        let day_reset = Duration::from_hours(1);
        let quota = Quota { limits, minute: 0, minute_reset: retry_after, day: 9_940, day_reset };
        let cause = String::new();
        for (name, failure) in [
            ("Forbidden", Refusal::Denied { key_name: String::new(), denial: Denial::Expired }.into()),
            ("NotFound", Failure::NoPolicy),
            ("Conflict", Failure::CannotStore(CannotStore::Policies)),
            ("PreconditionFailed", Failure::Precondition),
            ("RateLimited", Refusal::RateLimited { key_name: None, quota, retry_after }.into()),
            ("InternalError", Failure::Internal(Reason::Panic)),
            ("Unavailable", Refusal::Unavailable { cause }.into()),
        ] {
            let Body::Text(text) = failure.problem().to_response("8f1c1b0e-6d3c-4a53-9d1f-2b7c0a5e4d10").into_body()
            else {
                panic!("{name}")
            };
            let example = &document["components"]["responses"][name]["content"]["application/problem+json"]["example"];
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), *example, "{name}");
        }
    }
}
