//! The answer with a page, an asset or the OpenAPI document: its encoding, how long it may be cached, and what its scripts
//! may do.

use std::io::Read;

use flate2::read::GzDecoder;
use lambda_http::http::header::{self, HeaderName};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode};

use super::headers::{self, Body, Response};
use super::negotiation::accepts_gzip;
use super::pages::{File, Page};

const PERMISSIONS: &str = "camera=(), clipboard-read=(), clipboard-write=(self), display-capture=(), fullscreen=(), \
                           geolocation=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()";

/// What a page may load, and from where: only what this service serves. Nothing inline.
macro_rules! content_security_policy {
    () => {
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri \
         'none'; form-action 'none'; frame-ancestors 'none'"
    };
}

const CONTENT_SECURITY_POLICY: &str = content_security_policy!();
/// The generator never turns text into markup. Swagger UI does.
const WITH_TRUSTED_TYPES: &str = concat!(content_security_policy!(), "; require-trusted-types-for 'script'");

const ALWAYS: [(HeaderName, &str); 3] = [
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
];

/// Which bodies a front end passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// Texts.
    Texts,
    /// Texts and bytes.
    Any,
    /// Texts and bytes of at most 1 MB. Swagger UI is larger, unless it is compressed.
    Small,
}

/// The client does not accept the only encoding in which the front end passes this file on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAcceptable;

/// The answer with a page or an asset.
pub(crate) fn page(
    page: Page,
    needs_key: bool,
    bodies: Bodies,
    request: &HeaderMap,
    request_id: &str,
) -> Result<Response, NotAcceptable> {
    if bodies == Bodies::Small && matches!(page, Page::Asset(_)) && !accepts_gzip(request) {
        return Err(NotAcceptable);
    }
    let mut response = file(page.file(needs_key), bodies, request, request_id);
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = if page == Page::Generator { WITH_TRUSTED_TYPES } else { CONTENT_SECURITY_POLICY };
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    Ok(response)
}

/// The answer with a file.
pub(crate) fn file(file: &File, bodies: Bodies, request: &HeaderMap, request_id: &str) -> Response {
    let in_gzip = bodies != Bodies::Texts && accepts_gzip(request);
    let body = if in_gzip { Body::Bytes(file.gzip.to_vec()) } else { Body::Text(decompressed(file.gzip)) };
    let mut response = headers::new(StatusCode::OK, file.media_type, body, request_id);
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let cache = match file.etag {
        Some(etag) => {
            headers.insert(header::ETAG, HeaderValue::from_static(etag));
            "no-cache"
        }
        None => "public, max-age=31536000, immutable",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if in_gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// The text of a file. The build compressed it, and a test decompresses each one.
fn decompressed(gzip: &[u8]) -> String {
    let mut text = String::new();
    let _ = GzDecoder::new(gzip).read_to_string(&mut text);
    text
}
