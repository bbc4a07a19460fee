//! A request for passwords, or for the description of their policy.

use super::error::RequestError;
use super::parameters::{self, MAX_COUNT, ParameterName};
use super::policy::{PolicyParameter, PolicyRequest};
use crate::access::Authenticated;
use crate::http::lambda::HttpRequest;
use crate::password::Policy;

/// The most characters of all passwords of an answer together.
pub const MAX_CHARACTERS: u32 = 131_072;

/// A parameter of generate and describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenerateParameter {
    /// A parameter of the policy.
    Policy(PolicyParameter),
    /// The number of passwords.
    Count,
}

impl ParameterName for GenerateParameter {
    fn all() -> impl Iterator<Item = Self> + Clone {
        PolicyParameter::ALL.into_iter().map(Self::Policy).chain([Self::Count])
    }

    fn name(self) -> &'static str {
        match self {
            Self::Policy(parameter) => parameter.name(),
            Self::Count => "count",
        }
    }

    fn aliases() -> &'static [(&'static str, Self)] {
        const DIGITS: GenerateParameter = GenerateParameter::Policy(PolicyParameter::Digits);
        &[("number", DIGITS), ("numbers", DIGITS)]
    }
}

/// A request for passwords, or for the description of their policy.
#[derive(Debug)]
pub struct GenerateRequest {
    /// The policy. It has no contradiction that shows without stored policies.
    pub policy: PolicyRequest,
    /// How many passwords, 1 to 100; `None` requests one that is not in a list.
    pub count: Option<u16>,
}

impl GenerateRequest {
    /// Reads the parameters of a GET or a POST.
    ///
    /// # Errors
    /// A [`RequestError`] that names what is wrong.
    pub fn read(request: &HttpRequest, caller: &Authenticated) -> Result<Self, RequestError> {
        let mut policy = PolicyRequest::default();
        let mut count = None;
        for (parameter, value) in parameters::read(request, caller)? {
            match parameter {
                GenerateParameter::Policy(parameter) => policy.set(parameter, value)?,
                GenerateParameter::Count => count = Some(value.integer(parameter.name(), 1, MAX_COUNT)?),
            }
        }
        policy.check_unless_stored(|named| check_answer(&policy.policy(named)?, count))?;
        Ok(Self { policy, count })
    }
}

/// Checks that the passwords have room in an answer: with the JSON around them, it stays below the 1 MB that a load
/// balancer passes on.
///
/// # Errors
/// [`RequestError::AnswerTooLong`].
pub fn check_answer(policy: &Policy, count: Option<u16>) -> Result<(), RequestError> {
    let (count, length) = (count.unwrap_or(1), policy.length());
    if u32::from(count) * u32::from(length) > MAX_CHARACTERS {
        return Err(RequestError::AnswerTooLong { count, length });
    }
    Ok(())
}
