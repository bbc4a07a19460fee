//! What no compiler checks: links and references lead somewhere, decisions have a status, the documents stay short, and
//! source files do not depend on each other in a cycle.

#![expect(clippy::unwrap_used, reason = "tests stop at unexpected errors")]

mod decisions;
mod dependencies;
mod files;
mod links;
mod markdown;
mod readme;
mod security;
