//! A request to check a password against a policy.

use super::error::RequestError;
use super::parameters::{self, ParameterName};
use super::policy::{PolicyParameter, PolicyRequest};
use crate::access::Authenticated;
use crate::clock::MeasurementEnded;
use crate::http::lambda::HttpRequest;
use crate::password::Secret;

/// A parameter of validate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidateParameter {
    /// The password to check.
    Password,
    /// A parameter of the policy.
    Policy(PolicyParameter),
}

impl ParameterName for ValidateParameter {
    fn all() -> impl Iterator<Item = Self> + Clone {
        [Self::Password].into_iter().chain(PolicyParameter::ALL.into_iter().map(Self::Policy))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Policy(parameter) => parameter.name(),
        }
    }

    fn aliases() -> &'static [(&'static str, Self)] {
        const DIGITS: ValidateParameter = ValidateParameter::Policy(PolicyParameter::Digits);
        &[("number", DIGITS), ("numbers", DIGITS)]
    }
}

/// A request to check a password against a policy.
#[derive(Debug)]
pub struct ValidateRequest {
    password: Secret,
    /// What it is checked against. It has no contradiction that shows without stored policies.
    pub policy: PolicyRequest,
}

impl ValidateRequest {
    /// The password. What is done with it must not add to the duration in the audit line, which would tell something about
    /// it.
    #[must_use]
    pub const fn password(&self, _: &MeasurementEnded) -> &Secret {
        &self.password
    }

    /// Reads the parameters of a POST.
    ///
    /// # Errors
    /// A [`RequestError`] that names what is wrong.
    pub fn read(request: &HttpRequest, caller: &Authenticated) -> Result<Self, RequestError> {
        let mut policy = PolicyRequest::default();
        let mut password = None;
        for (parameter, value) in parameters::read::<ValidateParameter>(request, caller)? {
            match parameter {
                ValidateParameter::Password => password = Some(Secret::from_text(value.string(parameter.name())?)),
                ValidateParameter::Policy(parameter) => policy.set(parameter, value)?,
            }
        }
        let password = password.ok_or(RequestError::Missing(ValidateParameter::Password.name()))?;
        policy.check_unless_stored(|named| policy.password_check(named).map(drop))?;
        Ok(Self { password, policy })
    }
}
