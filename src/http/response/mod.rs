//! The answer of each operation, and the errors.

mod describe;
mod encoding;
pub mod format;
mod generate;
pub mod headers;
mod key;
mod named_policies;
mod page;
mod passphrase;
mod policy;
pub mod problem;
mod secrets;
mod service;
mod validate;

pub use describe::policy_description;
pub use format::Format;
pub use generate::passwords;
pub use headers::{Body, Response};
pub use key::key_facts;
pub use named_policies::{StoredFacts, entity_tag, named_policy, no_content, policy_list, preset_list};
pub use page::{Bodies, NotAcceptable, page};
pub use passphrase::passphrases;
pub use secrets::Generated;
pub use service::{health, methods, openapi_document};
pub use validate::assessment;
