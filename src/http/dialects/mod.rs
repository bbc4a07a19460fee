//! APIs of other services. Each reads its requests into requests of this service, and writes answers and errors in its
//! own form. It neither admits a request nor draws anything: [`crate::app`] does, also for Vault's random bytes, which
//! this service's own API does not have.

pub mod aws;
pub mod vault;

use lambda_http::http::{HeaderMap, Method, header};

use super::lambda::HttpRequest;
use super::response::Response;
use super::response::problem::Problem;
use super::routes;

named_enum! {
    /// The API that a request is written in.
    pub enum Dialect {
        /// This service's own.
        Passloom = "passloom",
        /// That of AWS Secrets Manager.
        Aws = "aws",
        /// That of Vault.
        Vault = "vault",
    }
}

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
    #[must_use]
    pub fn dialect(self, request: &HttpRequest) -> Dialect {
        if self.vault && request.path.starts_with(vault::PREFIX) {
            return Dialect::Vault;
        }
        let is_aws = self.aws && request.method == Method::POST && request.headers.contains_key(aws::TARGET);
        if is_aws && routes::find(&request.method, &request.path, true).is_err() {
            Dialect::Aws
        } else {
            Dialect::Passloom
        }
    }
}

impl Dialect {
    /// The API keys that a request presents, right or wrong.
    #[must_use]
    pub fn keys(self, headers: &HeaderMap) -> Vec<&str> {
        match self {
            Self::Passloom => keys_in("x-api-key", headers).collect(),
            Self::Aws => aws::keys(headers).collect(),
            Self::Vault => keys_in("x-vault-token", headers).collect(),
        }
    }

    /// The answer to a request that failed.
    #[must_use]
    pub fn error(self, problem: &Problem, request_id: &str) -> Response {
        match self {
            Self::Passloom => problem.to_response(request_id),
            Self::Aws => aws::error(problem, request_id),
            Self::Vault => vault::error(problem, request_id),
        }
    }
}

/// The keys in a header of that name, and in `Authorization: Bearer`.
fn keys_in<'h>(name: &str, headers: &'h HeaderMap) -> impl Iterator<Item = &'h str> {
    let plain = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    let bearer = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
    });
    plain.chain(bearer)
}

#[cfg(test)]
mod tests {
    use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{CompatibleApis, Dialect};

    /// The API, the headers of a request, and its keys.
    type Case = (Dialect, &'static [(&'static str, &'static str)], &'static [&'static str]);

    #[test]
    fn keys_of_a_request_are_in_the_headers_of_its_api() {
        let cases: [Case; 14] = [
            (Dialect::Passloom, &[], &[]),
            (Dialect::Passloom, &[("x-api-key", "a")], &["a"]),
            (Dialect::Passloom, &[("x-api-key", "a"), ("x-api-key", "b")], &["a", "b"]),
            (Dialect::Passloom, &[("authorization", "Bearer a")], &["a"]),
            (Dialect::Passloom, &[("authorization", "bearer   a")], &["a"]),
            (Dialect::Passloom, &[("authorization", "Basic a")], &[]),
            (Dialect::Passloom, &[("authorization", "a")], &[]),
            (Dialect::Passloom, &[("x-api-key", "é")], &[""]),
            (Dialect::Vault, &[("x-vault-token", "a"), ("authorization", "Bearer b")], &["a", "b"]),
            (Dialect::Vault, &[("x-api-key", "a")], &[]),
            (Dialect::Aws, &[("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/2026/x, SignedHeaders=host")], &[]),
            (Dialect::Aws, &[("authorization", "AWS4-HMAC-SHA256 Credential=plk_a/2026/x")], &["plk_a"]),
            (
                Dialect::Aws,
                &[("x-amz-security-token", "t"), ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/2026/x")],
                &["t"],
            ),
            (
                Dialect::Aws,
                &[("x-amz-security-token", "t"), ("authorization", "AWS4-HMAC-SHA256 Credential=plk_a/2026/x")],
                &["t", "plk_a"],
            ),
        ];
        for (dialect, pairs, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(dialect.keys(&headers), expected, "{dialect:?}: {pairs:?}");
        }
    }

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
