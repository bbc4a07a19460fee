//! The trait of the operations.

use super::admitted::{Admitted, Role};
use super::failure::Failure;
use crate::audit::Event;
use crate::clock::MeasurementEnded;

/// One operation of the service: what it needs is in its request, what it found in its answer.
pub(crate) trait Operation {
    /// The name in audit lines.
    const NAME: &'static str;
    const ROLE: Role = Role::Any;
    type Request;
    type Answer;

    /// Whatever costs more than a pass over a small text is done here, because the request is counted by now.
    async fn perform(request: Self::Request, admitted: &mut Admitted<'_>) -> Result<Performed<Self::Answer>, Failure>;
}

/// An operation that succeeded.
pub(crate) enum Performed<A> {
    Now(Event, A),
    /// The answer is found after the duration in the audit line is measured, because the time that it takes tells
    /// something about a secret.
    Later(Event, Box<dyn FnOnce(MeasurementEnded) -> A + Send>),
}
