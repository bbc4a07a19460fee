//! APIs that other clients speak. Each reads its requests into the operations of this service, and writes their answers
//! and errors in its own form. None has logic of its own.

pub mod aws;
mod hcl;
pub mod vault;

pub use hcl::{VaultPolicy, write as write_hcl};

use lambda_http::http::Method;

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
