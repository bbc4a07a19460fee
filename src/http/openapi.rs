//! The published OpenAPI document. It is written by hand; a test compares it with the code.

/// OpenAPI 3.1 document of the whole API.
pub(super) const OPENAPI: &str = include_str!("openapi.json");
