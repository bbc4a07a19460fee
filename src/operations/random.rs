//! Generates random bytes, which only Vault's API has.

use rand::TryRng;
use zeroize::Zeroizing;

use crate::admission::{Admitted, BoundKeyError, Failure, Operation, Performed};
use crate::audit::{Event, Reason};
use crate::http::negotiation::Format;
use crate::http::secrets::Generated;
use crate::password::{Count, Secret};

/// A request for random bytes.
pub(crate) struct RandomRequest {
    /// How many, 1 to 131072.
    pub(crate) bytes: u32,
    /// Whether they are written in hexadecimal instead of base64.
    pub(crate) hex: bool,
}

/// Generates random bytes.
pub(crate) struct Random;

impl Operation for Random {
    const NAME: &'static str = "random";
    type Request = RandomRequest;
    type Answer = Generated;

    async fn perform(request: RandomRequest, admitted: &mut Admitted<'_>) -> Result<Performed<Generated>, Failure> {
        let RandomRequest { bytes, hex } = request;
        let binding = admitted.binding();
        if let Some(policy) = binding.policy {
            return Err(BoundKeyError::RandomBytes { bound: policy.name().to_owned() }.into());
        }
        let entropy = Count::of_bits(8 * bytes).entropy();
        if let Some(needs) = binding.min_entropy.filter(|needs| u32::from(*needs) > 8 * bytes) {
            let needs = Count::of_bits(needs.into()).entropy();
            return Err(BoundKeyError::TooLittleEntropy { has: entropy, needs }.into());
        }
        let mut random = Zeroizing::new(vec![0; usize::try_from(bytes).unwrap_or_default()]);
        admitted.generator().try_fill_bytes(&mut random).map_err(|_| Failure::Internal(Reason::Randomness))?;
        let text = if hex { hex::encode(&*random) } else { aws_smithy_types::base64::encode(&*random) };
        let record = admitted.record();
        record.count = Some(1);
        record.entropy_bits = Some(entropy.rounded_down());
        let secrets = vec![Secret::from_text(text)];
        Ok(Performed::Now(Event::RandomGenerated, Generated { secrets, count: None, entropy, format: Format::Json }))
    }
}
