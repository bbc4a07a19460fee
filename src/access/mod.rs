//! Who may ask, and how often.
//!
//! [`ApiKey::parse`] turns forged keys away without asking anyone. [`Store::admit`] does the rest in
//! one conditional write: it authenticates the key and counts the request, or changes nothing. What
//! that write may let through is decided in [`limit`], [`claim`] and [`lease`], which are pure.

mod address;
mod admission;
mod api_key;
pub mod claim;
mod client;
pub mod lease;
pub mod limit;
mod record;
mod store;
mod update;

pub use address::AddressBlock;
pub use admission::{Admission, Caller, Refusal};
pub use api_key::{ApiKey, KeyError, KeyId, Peppers, PeppersError};
pub use client::{Endpoint, EndpointError, are_usable_roots, connect};
pub use limit::{Limits, Quota};
pub use record::{Bar, KeyRecord, RecordError, Usage};
pub use store::Store;
