//! The published contract. It is written by hand, and a test holds it against the code.

/// OpenAPI 3.1 of everything that is answered.
pub(super) const OPENAPI: &str = include_str!("openapi.json");
