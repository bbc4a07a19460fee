//! Method and path to operation, in one table.

use lambda_http::http::Method;

use super::pages::Page;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Generates passwords.
    Generate,
    /// Generates passphrases.
    Passphrase,
    /// Describes a policy.
    Policy,
    /// Checks a password against a policy.
    Validate,
    /// Lists the presets.
    Presets,
    /// Lists the stored policies.
    Policies,
    /// Reads or changes a named policy.
    NamedPolicy,
    /// Reads about the caller's own key.
    Key,
    /// Reports that the function runs.
    Health,
    /// Returns the OpenAPI document.
    OpenApi,
    /// Returns a page or an asset.
    Page(Page),
    /// Lists the methods of a path.
    Options {
        /// The methods, as the `Allow` header lists them.
        allow: &'static str,
    },
}

impl Operation {
    /// The name in audit lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Passphrase => "passphrase",
            Self::Policy => "policy",
            Self::Validate => "validate",
            Self::Presets => "presets",
            Self::Policies => "policies",
            Self::NamedPolicy => "named_policy",
            Self::Key => "key",
            Self::Health => "health",
            Self::OpenApi => "openapi",
            Self::Page(_) => "page",
            Self::Options { .. } => "options",
        }
    }
}

/// Methods of a path, as the `Allow` header lists them. A path with GET also has HEAD.
const READ: &str = "GET, HEAD, OPTIONS";
const READ_OR_POST: &str = "GET, HEAD, POST, OPTIONS";
const POST: &str = "POST, OPTIONS";
const READ_OR_CHANGE: &str = "GET, HEAD, PUT, DELETE, OPTIONS";

/// Each path of the API, its operation and its methods. The pages are found by [`Page::find`].
pub const ROUTES: [(&str, Operation, &str); 10] = [
    ("/api/generate", Operation::Generate, READ_OR_POST),
    ("/api/passphrase", Operation::Passphrase, READ_OR_POST),
    ("/api/policy", Operation::Policy, READ_OR_POST),
    ("/api/validate", Operation::Validate, POST),
    ("/api/presets", Operation::Presets, READ),
    ("/api/policies", Operation::Policies, READ),
    ("/api/policies/{name}", Operation::NamedPolicy, READ_OR_CHANGE),
    ("/api/key", Operation::Key, READ),
    ("/api/health", Operation::Health, READ),
    ("/openapi.json", Operation::OpenApi, READ),
];

/// No operation was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// No operation has this path.
    Path,
    /// The path exists, but not with this method.
    Method {
        /// The methods of the path, as the `Allow` header lists them.
        allow: &'static str,
    },
}

/// Whether a path is that of a route, whose last part may stand for any text without a slash.
fn matches(route: &str, path: &str) -> bool {
    match route.strip_suffix("{name}") {
        Some(folder) => path.strip_prefix(folder).is_some_and(|name| !name.is_empty() && !name.contains('/')),
        None => route == path,
    }
}

/// The last part of a path.
#[must_use]
pub fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Finds the operation for a method and a path. `with_pages` says whether the pages exist.
///
/// # Errors
/// [`NoRoute`] says whether the path or the method is wrong.
pub fn find(method: &Method, path: &str, with_pages: bool) -> Result<Operation, NoRoute> {
    let route = ROUTES.iter().find(|route| matches(route.0, path)).map(|&(_, operation, allow)| (operation, allow));
    let page = || with_pages.then(|| Page::find(path)).flatten().map(|page| (Operation::Page(page), READ));
    let (operation, allow) = route.or_else(page).ok_or(NoRoute::Path)?;
    if !allow.split(", ").any(|one| one == method.as_str()) {
        return Err(NoRoute::Method { allow });
    }
    Ok(if method == Method::OPTIONS { Operation::Options { allow } } else { operation })
}
