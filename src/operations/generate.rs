//! Generates passwords.

use serde::Serialize;

use super::policy_parameters::{HeldTo, PolicyParameter, PolicyRequest, ResolvedPolicy, Title};
use crate::admission::{Admitted, Failure, Operation, Performed};
use crate::audit::Event;
use crate::http::negotiation::Format;
use crate::http::parameters::{MAX_COUNT, ParameterName, Value};
use crate::http::request_error::{MAX_CHARACTERS, RequestError};
use crate::http::secrets::{Generated, Texts};
use crate::password::{CountError, NamedPolicy, Policy, WorkBudget, verify};

/// A parameter of generate and policy.
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
pub(crate) struct GenerateRequest {
    pub(crate) policy: PolicyRequest,
    /// How many passwords, 1 to 100; `None` requests one that is not in a list.
    pub(crate) count: Option<u16>,
    pub(crate) format: Format,
}

impl GenerateRequest {
    /// A request with these parameters.
    pub(crate) fn new(parameters: Vec<(GenerateParameter, Value)>, format: Format) -> Result<Self, RequestError> {
        let mut policy = PolicyRequest::default();
        let mut count = None;
        for (parameter, value) in parameters {
            match parameter {
                GenerateParameter::Policy(parameter) => policy.set(parameter, value)?,
                GenerateParameter::Count => count = Some(value.integer(parameter.name(), 1, MAX_COUNT)?),
            }
        }
        policy.check()?;
        Ok(Self { policy, count, format })
    }

    /// A request of an API that has neither lists nor texts.
    pub(crate) const fn of_one(policy: PolicyRequest) -> Self {
        Self { policy, count: None, format: Format::Json }
    }

    /// The policy that the request is held to, whose passwords have room in an answer.
    pub(super) async fn resolve(
        &self,
        admitted: &mut Admitted<'_>,
        budget: &mut WorkBudget,
    ) -> Result<HeldTo, Failure> {
        let held_to = self.policy.resolve(admitted, budget).await?;
        let (count, length) = (self.count.unwrap_or(1), held_to.policy.length());
        if u32::from(count) * u32::from(length) > MAX_CHARACTERS {
            return Err(RequestError::AnswerTooLong { count, length }.into());
        }
        Ok(held_to)
    }
}

/// Passwords, and the policy that they satisfy.
pub(crate) struct Passwords {
    pub(crate) generated: Generated,
    policy: Policy,
    named: Option<NamedPolicy>,
}

/// Generates passwords.
pub(crate) struct Generate;

impl Operation for Generate {
    const NAME: &'static str = "generate";
    type Request = GenerateRequest;
    type Answer = Passwords;

    async fn perform(request: GenerateRequest, admitted: &mut Admitted<'_>) -> Result<Performed<Passwords>, Failure> {
        let number = request.count.unwrap_or(1);
        let mut budget = WorkBudget::new(number);
        let HeldTo { policy, sampler, named } = request.resolve(admitted, &mut budget).await?;
        let affordable = sampler.spend_draws(number, &mut budget);
        affordable.map_err(|_| RequestError::from(policy.explain(CountError::TooExpensive)))?;
        // `verify` is code that the sampler does not use.
        let holds = |text: &str| verify(sampler.spec(), text).is_ok();
        let secrets = admitted.draw(number, |generator| sampler.draw(generator), holds)?;
        let GenerateRequest { count, format, .. } = request;
        let generated = Generated { secrets, count, entropy: sampler.entropy(), format };
        Ok(Performed::Now(Event::Generated, Passwords { generated, policy, named }))
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passwords: Option<&'a [&'a str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    length: u16,
    entropy_bits: f64,
    policy: ResolvedPolicy,
    #[serde(flatten)]
    title: Option<Title<'a>>,
}

impl Passwords {
    /// The members of the answer.
    pub(crate) fn body<'a>(&'a self, texts: &'a Texts<'_>) -> impl Serialize + 'a {
        let (password, passwords) = texts.members();
        Body {
            password,
            passwords,
            count: self.generated.count,
            length: self.policy.length(),
            entropy_bits: self.generated.entropy.rounded_down(),
            policy: (&self.policy).into(),
            title: self.named.as_ref().map(Title::from),
        }
    }
}
