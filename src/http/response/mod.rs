//! The answer of each operation, and the errors.

mod describe;
pub mod format;
mod generate;
pub mod headers;
mod passphrase;
mod policy;
mod presets;
pub mod problem;
mod secrets;
mod service;
mod validate;

pub use describe::policy_description;
pub use format::Format;
pub use generate::passwords;
pub use headers::Response;
pub use passphrase::passphrases;
pub use presets::preset_list;
pub use secrets::Generated;
pub use service::{health, methods, openapi_document};
pub use validate::assessment;
