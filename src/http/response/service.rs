//! The answers about the service itself: its health, its OpenAPI document, and the methods of a path.

use lambda_http::http::StatusCode;
use lambda_http::http::header::{self, HeaderValue};
use serde::Serialize;
use serde_json::Error;

use super::headers::{self, JSON, Response};

/// The document is written by hand; a test compares it with the code.
const OPENAPI: &str = include_str!("../openapi.json");

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
}

/// The answer that the function runs.
///
/// # Errors
/// The error of the JSON writer.
pub fn health(request_id: &str) -> Result<Response, Error> {
    let body = serde_json::to_string(&Health { status: "ok", version: env!("CARGO_PKG_VERSION") })?;
    Ok(headers::new(StatusCode::OK, JSON, body, request_id))
}

/// The OpenAPI document.
#[must_use]
pub fn openapi_document(request_id: &str) -> Response {
    headers::new(StatusCode::OK, JSON, OPENAPI.to_owned(), request_id)
}

/// The methods of a path, for the answer to OPTIONS.
#[must_use]
pub fn methods(allow: &'static str, request_id: &str) -> Response {
    let mut response = headers::new(StatusCode::NO_CONTENT, JSON, String::new(), request_id);
    response.headers_mut().remove(header::CONTENT_TYPE);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}
