//! Authentication and rate limiting.
//!
//! [`Auth::authenticate`] rejects forged keys without any I/O. [`Store::admit`] does the rest in one conditional write: it
//! authenticates the caller and counts the request, or it changes nothing. What that write may admit is decided in
//! [`limiter`], which is pure. Everything that knows AWS is in [`dynamodb`].

mod address;
mod api_key;
mod authentication;
mod binding;
mod caller;
pub mod dynamodb;
mod key_record;
pub mod limiter;
mod policy_book;

pub use address::AddressBlock;
pub use api_key::{ApiKey, KeyError, KeyId, SigningSecrets, SigningSecretsError};
pub use authentication::{Auth, Authenticated, CredentialsError};
pub use binding::{Binding, BoundPolicy};
pub use caller::{Admission, Caller, CallerState, Refusal};
pub use dynamodb::client::{Endpoint, EndpointError, are_usable_roots, connect};
pub use dynamodb::policy_table::{Changed, PoliciesUnavailable, change_policies, read_policies};
pub use dynamodb::store::Store;
pub use key_record::{Denial, KeyRecord, Usage};
pub use limiter::window::{Limits, Quota, WriteToken};
pub use policy_book::{BookFull, MAX_DESCRIPTION, PolicyBook, PolicyChange, StoredPolicy, is_policy_name};
