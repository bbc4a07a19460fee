//! Cross-origin requests (the Fetch standard, <https://fetch.spec.whatwg.org/#http-cors-protocol>): browsers show an
//! answer only to the pages of the origins that the deployment names.

use lambda_http::http::{HeaderMap, HeaderValue, header};

use super::response::Response;

/// The headers that a page may send.
const REQUEST_HEADERS: &str = "Accept, Authorization, Content-Type, If-Match, If-None-Match, X-Api-Key";
/// The headers that a page may read.
const RESPONSE_HEADERS: &str = "ETag, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";
/// How long a browser may cache the answer to a preflight, in seconds: Chromium's maximum.
const MAX_AGE: &str = "7200";

/// The origins whose pages may read answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// Reads origins separated by commas; `None` if one of them is not an origin. `*` is not supported.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let origins = text.split(',').map(str::trim).map(|origin| is_origin(origin).then(|| origin.to_owned()));
        origins.collect::<Option<_>>().map(Self)
    }

    /// Adds the headers that let a page of one of these origins read the response.
    pub fn add_headers(&self, request: &HeaderMap, response: &mut Response) {
        if self.0.is_empty() {
            return;
        }
        let headers = response.headers_mut();
        // A cache must not use the answer for one origin for another.
        let vary = if headers.contains_key(header::VARY) { "Accept-Encoding, Origin" } else { "Origin" };
        headers.insert(header::VARY, HeaderValue::from_static(vary));
        let Some(origin) =
            request.get(header::ORIGIN).filter(|origin| self.0.iter().any(|known| *origin == known.as_str()))
        else {
            return;
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_HEADERS));
        if request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && let Some(allow) = headers.get(header::ALLOW).cloned()
        {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        }
    }
}

/// Whether a text is an origin such as `https://app.example.com` or `http://localhost:3000`: a scheme, a host in lower
/// case, and optionally a port.
fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let is_host_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_[]:".contains(&byte);
    !host.is_empty() && host.bytes().all(is_host_byte) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::AllowedOrigins;

    #[test]
    fn origins_that_are_not_a_scheme_host_and_port_are_rejected() {
        for text in [
            "*",
            "",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://App.example.com",
            "https://app.example.com:65536",
            "https://app.example.com:",
            "ftp://app.example.com",
            "https://app.example.com,",
        ] {
            assert_eq!(AllowedOrigins::parse(text), None, "{text}");
        }
        for text in ["https://app.example.com", "http://localhost:3000, https://[2001:db8::1]", "http://[::1]:8080"] {
            assert!(AllowedOrigins::parse(text).is_some(), "{text}");
        }
    }
}
