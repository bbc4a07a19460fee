//! Cross-origin requests (the Fetch standard, <https://fetch.spec.whatwg.org/#http-cors-protocol>): browsers show an answer to the pages of the
//! origins that the deployment names, and to no others.

use lambda_http::http::{HeaderMap, HeaderValue, header};

use super::Response;

/// What a page may send along.
const REQUEST_HEADERS: &str = "Accept, Authorization, Content-Type, X-Api-Key";
/// What a page may read beside the body.
const ANSWER_HEADERS: &str = "RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";
/// How long a browser may remember a preflight's answer, in seconds. Chromium allows no more.
const MAX_AGE: &str = "7200";

/// The origins whose pages may read answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Reads origins separated by commas; nothing if one of them is no origin. There is no `*`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let origins = text.split(',').map(str::trim).map(|origin| is_origin(origin).then(|| origin.to_owned()));
        origins.collect::<Option<_>>().map(Self)
    }

    /// Adds to an answer what lets a page of one of these origins read it.
    pub fn admit(&self, request: &HeaderMap, response: &mut Response) {
        if self.0.is_empty() {
            return;
        }
        let headers = response.headers_mut();
        // A cache must not hand the answer for one origin to another.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) =
            request.get(header::ORIGIN).filter(|origin| self.0.iter().any(|known| *origin == known.as_str()))
        else {
            return;
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
        if request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && let Some(allow) = headers.get(header::ALLOW).cloned()
        {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        }
    }
}

/// `https://app.example.com` or `http://localhost:3000`: a scheme, a host in lower case, a port perhaps.
fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let of_host = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_[]:".contains(&byte);
    !host.is_empty() && host.bytes().all(of_host) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}
