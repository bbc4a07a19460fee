//! Method and path -> operation.

use lambda_http::http::Method;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Passwords.
    Generate,
    /// Passphrases.
    Passphrase,
    /// What a policy amounts to.
    Policy,
    /// Whether a password satisfies a policy.
    Validate,
    /// The presets.
    Policies,
    /// Whether the function runs.
    Health,
    /// The contract.
    OpenApi,
    /// Which methods a path has.
    Options {
        /// The methods, as the `Allow` header lists them.
        allow: &'static str,
    },
}

impl Operation {
    /// What audit lines call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Passphrase => "passphrase",
            Self::Policy => "policy",
            Self::Validate => "validate",
            Self::Policies => "policies",
            Self::Health => "health",
            Self::OpenApi => "openapi",
            Self::Options { .. } => "options",
        }
    }
}

/// Methods of a path, as the `Allow` header lists them. Where there is GET there is HEAD.
const READ: &str = "GET, HEAD, OPTIONS";
const READ_OR_SEND: &str = "GET, HEAD, POST, OPTIONS";
const SEND: &str = "POST, OPTIONS";

/// Each path, its operation and its methods.
pub const ROUTES: [(&str, Operation, &str); 7] = [
    ("/api/generate", Operation::Generate, READ_OR_SEND),
    ("/api/passphrase", Operation::Passphrase, READ_OR_SEND),
    ("/api/policy", Operation::Policy, READ),
    ("/api/validate", Operation::Validate, SEND),
    ("/api/policies", Operation::Policies, READ),
    ("/api/health", Operation::Health, READ),
    ("/openapi.json", Operation::OpenApi, READ),
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
    let (_, operation, allow) = ROUTES.iter().find(|route| route.0 == path).ok_or(NoRoute::Path)?;
    if !allow.split(", ").any(|one| one == method.as_str()) {
        return Err(NoRoute::Method { allow });
    }
    Ok(if method == Method::OPTIONS { Operation::Options { allow } } else { *operation })
}
