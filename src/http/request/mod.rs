//! A typed request for each operation.
//!
//! Unknown names, repeated names and values of the wrong type are rejected. Nothing is clamped, coerced or ignored.

mod error;
mod generate;
mod parameters;
mod passphrase;
mod policy;
mod stored_policy;
mod validate;

pub use error::{AwsError, RequestError};
pub use generate::{GenerateParameter, GenerateRequest, MAX_CHARACTERS, check_answer};
pub use parameters::{MAX_COUNT, ParameterName, Value, members, read_no_query, read_nothing};
pub use passphrase::{PassphraseParameter, PassphraseRequest};
pub use policy::{PolicyName, PolicyParameter, PolicyRequest, unknown_policy};
pub use stored_policy::{PolicyDocument, Precondition, StoredPolicyParameter};
pub use validate::{ValidateParameter, ValidateRequest};
