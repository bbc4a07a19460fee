//! A request for passwords, or for the description of their policy.

use super::error::RequestError;
use super::parameters::{self, MAX_COUNT, ParameterName};
use super::policy::{PolicyParameter, PolicyRequest};
use crate::http::lambda::HttpRequest;
use crate::password::Policy;

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
    /// The policy.
    pub policy: Policy,
    /// The name of the preset in the request.
    pub preset: Option<&'static str>,
    /// How many passwords, 1 to 100; `None` requests one that is not in a list.
    pub count: Option<u16>,
}

impl GenerateRequest {
    /// Reads the parameters of a GET or a POST.
    ///
    /// # Errors
    /// A [`RequestError`] that names what is wrong.
    pub fn read(request: &HttpRequest) -> Result<Self, RequestError> {
        let mut policy = PolicyRequest::default();
        let mut count = None;
        for (parameter, value) in parameters::read(request)? {
            match parameter {
                GenerateParameter::Policy(parameter) => policy.set(parameter, value)?,
                GenerateParameter::Count => count = Some(value.integer(parameter.name(), 1, MAX_COUNT)?),
            }
        }
        let PolicyRequest { constraints, preset } = policy;
        let policy = Policy::new(&constraints, preset)?;
        Ok(Self { policy, preset: preset.map(|preset| preset.name), count })
    }
}
