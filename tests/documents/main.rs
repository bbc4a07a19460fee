//! The documents and the source files keep the promises that no compiler checks: links and references lead somewhere,
//! the README stays short, and source files do not depend on each other in a cycle.

#![expect(clippy::unwrap_used, reason = "tests stop at unexpected errors")]

mod dependencies;
mod files;
mod links;
mod markdown;
mod readme;
mod security;
