//! Authentication and rate limiting, pure: no clock, no I/O, no generator of its own.
//!
//! [`Auth::authenticate`] rejects forged keys; [`limiter`] decides what the write that counts a request may admit.
//! [`crate::store`] makes that write.

mod address;
mod api_key;
mod authentication;
mod binding;
mod caller;
mod key_record;
pub mod limiter;
mod policy_book;

pub use address::AddressBlock;
pub use api_key::{ApiKey, KeyError, KeyId, SigningSecrets, SigningSecretsError};
pub use authentication::{Auth, Authenticated, CredentialsError};
pub use binding::{Binding, BoundPolicy};
pub use caller::{Admission, Caller, CallerState, Refusal};
pub use key_record::{Denial, KeyRecord, Usage};
pub use limiter::window::{Limits, Quota, WriteToken};
pub use policy_book::{CannotStore, MAX_DESCRIPTION, PolicyBook, PolicyChange, StoredPolicy};
