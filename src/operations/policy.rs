//! Describes a policy: how many passwords satisfy it, and the same policy in other languages.

use serde::Serialize;

use super::generate::GenerateRequest;
use super::policy_parameters::{HeldTo, ResolvedPolicy, Title};
use crate::admission::{Admitted, Failure, Operation, Performed};
use crate::audit::Event;
use crate::password::{Count, Policy, WorkBudget, password_rules, regular_expression};

/// A policy and what it allows.
pub(crate) struct Described {
    held_to: HeldTo,
    count: Option<u16>,
}

/// Describes a policy.
pub(crate) struct Describe;

impl Operation for Describe {
    const NAME: &'static str = "policy";
    type Request = GenerateRequest;
    type Answer = Described;

    async fn perform(request: GenerateRequest, admitted: &mut Admitted<'_>) -> Result<Performed<Described>, Failure> {
        let held_to = request.resolve(admitted, &mut WorkBudget::new(1)).await?;
        Ok(Performed::Now(Event::PolicyDescribed, Described { held_to, count: request.count }))
    }
}

/// What a policy allows, in an answer.
#[derive(Serialize)]
pub(crate) struct Description {
    policy: ResolvedPolicy,
    combinations: String,
    entropy_bits: f64,
    regex: String,
    passwordrules: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passwordrules_reason: Option<String>,
}

impl Description {
    pub(crate) fn new(policy: &Policy, combinations: &Count) -> Self {
        let rules = password_rules(policy);
        Self {
            policy: policy.into(),
            combinations: combinations.to_decimal(),
            entropy_bits: combinations.entropy().rounded_down(),
            regex: regular_expression(policy.spec()),
            passwordrules_reason: rules.as_ref().err().cloned(),
            passwordrules: rules.ok(),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    #[serde(flatten)]
    description: Description,
    #[serde(flatten)]
    title: Option<Title<'a>>,
}

impl Described {
    /// The members of the answer.
    pub(crate) fn body(&self) -> impl Serialize + '_ {
        let HeldTo { policy, sampler, named } = &self.held_to;
        let description = Description::new(policy, sampler.count());
        Body { count: self.count, description, title: named.as_ref().map(Title::from) }
    }
}
