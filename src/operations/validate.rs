//! Checks a password against a policy. Nothing about the password is recorded, not even its length.

use serde::Serialize;

use super::policy_parameters::{PolicyParameter, PolicyRequest, Title};
use crate::admission::{Admitted, Failure, Operation, Performed};
use crate::audit::Event;
use crate::clock::MeasurementEnded;
use crate::http::parameters::{ParameterName, Value};
use crate::http::request_error::RequestError;
use crate::password::{Assessment, Entropy, NamedPolicy, Secret, Violation, WorkBudget};

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
pub(crate) struct ValidateRequest {
    password: SentPassword,
    policy: PolicyRequest,
}

/// A password that a caller sent. What is done with it must not add to the duration in the audit line, which would tell
/// something about it.
#[derive(Debug)]
struct SentPassword(Secret);

impl SentPassword {
    fn expose(&self, _: &MeasurementEnded) -> &str {
        self.0.expose()
    }
}

impl ValidateRequest {
    /// A request with these parameters.
    pub(crate) fn new(parameters: Vec<(ValidateParameter, Value)>) -> Result<Self, RequestError> {
        let mut policy = PolicyRequest::default();
        let mut password = None;
        for (parameter, value) in parameters {
            match parameter {
                ValidateParameter::Password => password = Some(Secret::from_text(value.string(parameter.name())?)),
                ValidateParameter::Policy(parameter) => policy.set(parameter, value)?,
            }
        }
        let password = password.ok_or(RequestError::Missing(ValidateParameter::Password.name()))?;
        policy.check_for_passwords()?;
        Ok(Self { password: SentPassword(password), policy })
    }
}

/// The verdict on a password. It says nothing about the password except which constraints it violates.
pub(crate) struct Verdict {
    assessment: Assessment,
    named: Option<NamedPolicy>,
}

/// Checks a password against a policy.
pub(crate) struct Validate;

impl Operation for Validate {
    const NAME: &'static str = "validate";
    type Request = ValidateRequest;
    type Answer = Verdict;

    async fn perform(request: ValidateRequest, admitted: &mut Admitted<'_>) -> Result<Performed<Verdict>, Failure> {
        let ValidateRequest { password, policy } = request;
        let named = policy.named_policy(admitted).await?;
        let check = policy.password_check(named.as_ref())?;
        let mut budget = WorkBudget::new(1);
        check.check_satisfiable(&mut budget).map_err(|error| policy.blame(error))?;
        let assess = move |ended| {
            let assessment = check.assess(password.expose(&ended), &mut budget);
            Verdict { assessment, named }
        };
        Ok(Performed::Later(Event::Validated, Box::new(assess)))
    }
}

#[derive(Serialize)]
struct Body<'a> {
    valid: bool,
    violations: Vec<ViolationBody<'a>>,
    entropy_bits: Option<f64>,
    #[serde(flatten)]
    title: Option<Title<'a>>,
}

#[derive(Serialize)]
struct ViolationBody<'a> {
    constraint: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u16>,
}

impl Verdict {
    /// The members of the answer.
    pub(crate) fn body(&self) -> impl Serialize + '_ {
        let Assessment { violations, entropy } = &self.assessment;
        let bodies = violations.iter().map(|Violation { constraint, message, min, max }| ViolationBody {
            constraint,
            message,
            min: *min,
            max: *max,
        });
        Body {
            valid: violations.is_empty(),
            violations: bodies.collect(),
            entropy_bits: entropy.map(Entropy::rounded_down),
            title: self.named.as_ref().map(Title::from),
        }
    }
}
