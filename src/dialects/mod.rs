//! The APIs: each reads the requests of an operation, and writes its answers. None of them admits a request, draws
//! anything, or decides about a policy.

pub(crate) mod aws;
pub(crate) mod own;
pub(crate) mod vault;

use lambda_http::http::{HeaderMap, header};

use crate::access::Authenticated;
use crate::admission::{Failure, Line, Operation};
use crate::http::headers::Response;
use crate::http::lambda::HttpRequest;

/// One API's form of an operation.
pub(crate) trait Dialect<O: Operation> {
    /// Reads a request, in a time that is linear in its length and without I/O. An error is not counted.
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<O::Request, Failure>;

    fn answer(answer: O::Answer, line: &Line) -> Result<Response, Failure>;
}

/// The keys in a header of that name, and in `Authorization: Bearer`, right or wrong.
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

    use super::{aws, own, vault};

    #[test]
    fn keys_of_a_request_are_in_the_headers_of_its_api() {
        type Keys = fn(&HeaderMap) -> Vec<&str>;
        type Case = (Keys, &'static [(&'static str, &'static str)], &'static [&'static str]);
        let cases: [Case; 14] = [
            (own::keys, &[], &[]),
            (own::keys, &[("x-api-key", "a")], &["a"]),
            (own::keys, &[("x-api-key", "a"), ("x-api-key", "b")], &["a", "b"]),
            (own::keys, &[("authorization", "Bearer a")], &["a"]),
            (own::keys, &[("authorization", "bearer   a")], &["a"]),
            (own::keys, &[("authorization", "Basic a")], &[]),
            (own::keys, &[("authorization", "a")], &[]),
            (own::keys, &[("x-api-key", "é")], &[""]),
            (vault::keys, &[("x-vault-token", "a"), ("authorization", "Bearer b")], &["a", "b"]),
            (vault::keys, &[("x-api-key", "a")], &[]),
            (aws::keys, &[("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/2026/x, SignedHeaders=host")], &[]),
            (aws::keys, &[("authorization", "AWS4-HMAC-SHA256 Credential=plk_a/2026/x")], &["plk_a"]),
            (
                aws::keys,
                &[("x-amz-security-token", "t"), ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/2026/x")],
                &["t"],
            ),
            (
                aws::keys,
                &[("x-amz-security-token", "t"), ("authorization", "AWS4-HMAC-SHA256 Credential=plk_a/2026/x")],
                &["t", "plk_a"],
            ),
        ];
        for (keys, pairs, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(keys(&headers), expected, "{pairs:?}");
        }
    }
}
