//! Which API a request is written in, and which operation of this service's own API it asks for.

use lambda_http::http::Method;

use super::lambda::HttpRequest;
use super::pages::Page;

/// The API that a request is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// This service's own.
    Passloom,
    /// That of AWS Secrets Manager.
    Aws,
    /// That of Vault.
    Vault,
}

impl Api {
    /// The name in audit lines.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Passloom => "passloom",
            Self::Aws => "aws",
            Self::Vault => "vault",
        }
    }
}

/// The header that names the operation in AWS's API.
pub(crate) const AWS_TARGET: &str = "x-amz-target";
/// What the paths of Vault's API begin with.
pub(crate) const VAULT_PREFIX: &str = "/v1/";

/// The APIs of other services that are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompatibleApis {
    aws: bool,
    vault: bool,
}

impl Default for CompatibleApis {
    fn default() -> Self {
        Self { aws: true, vault: true }
    }
}

impl CompatibleApis {
    /// Reads names separated by commas, or `none`; `None` if one of them is no such API.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut apis = Self { aws: false, vault: false };
        if text == "none" {
            return Some(apis);
        }
        for name in text.split(',').map(str::trim) {
            match name {
                "aws" => apis.aws = true,
                "vault" => apis.vault = true,
                _ => return None,
            }
        }
        Some(apis)
    }

    /// The API that a request is written in.
    pub(crate) fn api(self, request: &HttpRequest) -> Api {
        if self.vault && request.path.starts_with(VAULT_PREFIX) {
            return Api::Vault;
        }
        let is_aws = self.aws && request.method == Method::POST && request.headers.contains_key(AWS_TARGET);
        if is_aws && find(&request.method, &request.path, true).is_err() { Api::Aws } else { Api::Passloom }
    }
}

/// What a request of this service's own API asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Passwords.
    Generate,
    /// Passphrases.
    Passphrase,
    /// The description of a policy.
    Policy,
    /// A check of a password.
    Validate,
    /// The list of presets.
    Presets,
    /// The list of stored policies.
    Policies,
    /// A named policy, or its change.
    NamedPolicy,
    /// The caller's own key.
    Key,
    /// Whether the function runs.
    Health,
    /// The OpenAPI document.
    OpenApi,
    /// A page or an asset.
    Page(Page),
    /// The methods of a path.
    Options {
        /// The methods, as the `Allow` header lists them.
        allow: &'static str,
    },
}

/// Methods of a path, as the `Allow` header lists them. A path with GET also has HEAD.
const READ: &str = "GET, HEAD, OPTIONS";
const READ_OR_POST: &str = "GET, HEAD, POST, OPTIONS";
const POST: &str = "POST, OPTIONS";
const READ_OR_CHANGE: &str = "GET, HEAD, PUT, DELETE, OPTIONS";

/// Each path of the API, its route and its methods. The pages are found by [`Page::find`].
pub const ROUTES: [(&str, Route, &str); 10] = [
    ("/api/generate", Route::Generate, READ_OR_POST),
    ("/api/passphrase", Route::Passphrase, READ_OR_POST),
    ("/api/policy", Route::Policy, READ_OR_POST),
    ("/api/validate", Route::Validate, POST),
    ("/api/presets", Route::Presets, READ),
    ("/api/policies", Route::Policies, READ),
    ("/api/policies/{name}", Route::NamedPolicy, READ_OR_CHANGE),
    ("/api/key", Route::Key, READ),
    ("/api/health", Route::Health, READ),
    ("/openapi.json", Route::OpenApi, READ),
];

/// No route was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// Nothing has this path.
    Path,
    /// The path exists, but not with this method. It has these, as the `Allow` header lists them.
    Method { allow: &'static str },
}

/// Whether a path is that of a route, whose last part may stand for any text without a slash.
fn matches(route: &str, path: &str) -> bool {
    match route.strip_suffix("{name}") {
        Some(folder) => path.strip_prefix(folder).is_some_and(|name| !name.is_empty() && !name.contains('/')),
        None => route == path,
    }
}

/// The last part of a path.
pub(crate) fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Finds the route for a method and a path. `with_pages` says whether the pages exist.
pub(crate) fn find(method: &Method, path: &str, with_pages: bool) -> Result<Route, NoRoute> {
    let route = ROUTES.iter().find(|route| matches(route.0, path)).map(|&(_, route, allow)| (route, allow));
    let page = || with_pages.then(|| Page::find(path)).flatten().map(|page| (Route::Page(page), READ));
    let (route, allow) = route.or_else(page).ok_or(NoRoute::Path)?;
    if !allow.split(", ").any(|one| one == method.as_str()) {
        return Err(NoRoute::Method { allow });
    }
    Ok(if method == Method::OPTIONS { Route::Options { allow } } else { route })
}

#[cfg(test)]
mod tests {
    use super::CompatibleApis;

    #[test]
    fn list_of_compatible_apis_is_names_separated_by_commas() {
        let (aws, vault) = (true, true);
        for (text, apis) in [
            ("aws,vault", Some(CompatibleApis { aws, vault })),
            (" vault ", Some(CompatibleApis { aws: false, vault })),
            ("aws", Some(CompatibleApis { aws, vault: false })),
            ("none", Some(CompatibleApis { aws: false, vault: false })),
            ("", None),
            ("azure", None),
            ("aws vault", None),
        ] {
            assert_eq!(CompatibleApis::parse(text), apis, "{text}");
        }
    }
}
