//! The operations, one file each: parameters, request, what is done, answer.

pub(crate) mod generate;
pub(crate) mod key;
pub(crate) mod passphrase;
pub(crate) mod policy;
pub(crate) mod policy_parameters;
pub(crate) mod random;
pub(crate) mod stored_policies;
pub(crate) mod validate;
