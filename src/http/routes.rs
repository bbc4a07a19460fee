//! Method and path -> operation.

use lambda_http::http::Method;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Passwords.
    Generate,
    /// What a policy amounts to.
    Policy,
    /// Whether the function runs.
    Health,
}

impl Operation {
    /// What audit lines call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Policy => "policy",
            Self::Health => "health",
        }
    }
}

/// Each path, its operation, and the methods that reach it.
const ROUTES: [(&str, Operation, &[Method], &str); 3] = [
    ("/api/generate", Operation::Generate, &[Method::GET, Method::POST], "GET, POST"),
    ("/api/policy", Operation::Policy, &[Method::GET], "GET"),
    ("/api/health", Operation::Health, &[Method::GET], "GET"),
];

/// Why nothing is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// Nothing has that path.
    Path,
    /// The path is there, the method is not.
    Method {
        /// The methods it has, as the `Allow` header lists them.
        allow: &'static str,
    },
}

/// Finds the operation for a method and a path.
///
/// # Errors
/// [`NoRoute`] says which of the two is wrong.
pub fn find(method: &Method, path: &str) -> Result<Operation, NoRoute> {
    let (_, operation, methods, allow) = ROUTES.iter().find(|route| route.0 == path).ok_or(NoRoute::Path)?;
    if methods.contains(method) { Ok(*operation) } else { Err(NoRoute::Method { allow }) }
}
