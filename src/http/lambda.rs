//! Decodes Lambda events, and encodes the replies to them.
//!
//! The event types are those of `lambda_http`, but the conversion to a request is our own. The conversion of
//! `lambda_http` rebuilds a URL from the `Host` header and the query, and panics if they do not form one, so
//! `?exclude=<>` would be answered with 500 and without an audit line.

use std::borrow::Cow;
use std::net::IpAddr;
use std::str::FromStr;

use lambda_http::aws_lambda_events::alb::{AlbTargetGroupRequest, AlbTargetGroupResponse};
use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayV2httpRequest, ApiGatewayV2httpResponse,
};
use lambda_http::aws_lambda_events::encodings::Body;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::response::{self, Bodies, Response};
use crate::access::Authenticated;

/// The largest body of this service's own API, in bytes.
pub(super) const MAX_BODY: usize = 16 * 1024;
/// The largest JSON text of a body of any API, 32 KiB: each byte may be written as `\u0000`.
const MAX_ENCODED_BODY: usize = 6 * 32 * 1024 + 2;

/// The AWS service in front of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrontEnd {
    /// API Gateway HTTP API (payload format 2.0), or a Function URL, which uses the same format.
    HttpApi,
    /// API Gateway REST API (payload format 1.0).
    RestApi,
    /// Application Load Balancer.
    LoadBalancer,
}

impl FrontEnd {
    /// The bodies that it passes on.
    #[must_use]
    pub const fn bodies(self) -> Bodies {
        match self {
            Self::HttpApi => Bodies::Any,
            // Passes bytes on only if it is configured to.
            Self::RestApi => Bodies::Texts,
            Self::LoadBalancer => Bodies::Small,
        }
    }
}

/// A request, independent of its front end.
pub struct HttpRequest {
    /// The front end that it came through.
    pub front_end: FrontEnd,
    /// Its method.
    pub method: Method,
    /// Its path, without the stage of an HTTP API.
    pub path: String,
    /// Its query.
    pub query: Query,
    /// Its headers.
    pub headers: HeaderMap,
    /// The caller's address as the front end saw it. A load balancer reports it only as the last entry of
    /// `X-Forwarded-For`, which is not safe for anything but a log line.
    pub source_ip: Option<IpAddr>,
    /// Whether `source_ip` comes from the front end's own context, which no client can write.
    pub source_ip_is_certain: bool,
    /// The front end's id of the request.
    pub request_id: Option<String>,
    body: UnreadBody,
}

/// The body of a request as the front end passes it on.
enum UnreadBody {
    /// The text; empty, if the request has no body.
    Text(String),
    /// The bytes in base64.
    Base64(String),
    /// It is larger than any body that is accepted, so it was not copied.
    TooLarge,
}

/// Why a body cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is declared as base64 and is not.
    NotBase64,
    /// It is too large.
    TooLarge,
}

impl HttpRequest {
    /// The body, empty if the request has none. It is decoded here and not with the event, so that no unknown caller causes
    /// that work: only a request whose caller is known has a body.
    ///
    /// ```compile_fail,E0616
    /// fn body_of_an_unknown_caller(request: passloom::http::HttpRequest) {
    ///     let _ = request.body;
    /// }
    /// ```
    ///
    /// # Errors
    /// A [`BodyError`] if it is not valid, or has more than `max` bytes.
    pub fn body(&self, _: &Authenticated, max: usize) -> Result<Cow<'_, [u8]>, BodyError> {
        let body = match &self.body {
            UnreadBody::Text(text) => Cow::Borrowed(text.as_bytes()),
            UnreadBody::Base64(text) => {
                Cow::Owned(aws_smithy_types::base64::decode(text).map_err(|_| BodyError::NotBase64)?)
            }
            UnreadBody::TooLarge => return Err(BodyError::TooLarge),
        };
        if body.len() > max { Err(BodyError::TooLarge) } else { Ok(body) }
    }

    /// The caller's address, if it is certain.
    #[must_use]
    pub fn certain_address(&self) -> Option<IpAddr> {
        self.source_ip.filter(|_| self.source_ip_is_certain)
    }
}

/// The query in the form in which the front end passes it on.
pub enum Query {
    /// As it was in the URL.
    Encoded(String),
    /// Names and values, decoded.
    Decoded(Vec<(String, String)>),
}

/// The event is not an HTTP event of a known front end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownEvent;

/// The fields that distinguish the events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventShape {
    request_context: ContextShape,
}

#[derive(Deserialize)]
struct ContextShape {
    elb: Option<IgnoredAny>,
    http: Option<IgnoredAny>,
}

/// Reads an event.
///
/// # Errors
/// [`UnknownEvent`] when it is not an HTTP event of a known front end.
pub fn decode(event: &str) -> Result<HttpRequest, UnknownEvent> {
    if let Some(reduced) = without_large_body(event) {
        let request = decode_parts(&reduced)?;
        return Ok(HttpRequest { body: UnreadBody::TooLarge, ..request });
    }
    decode_parts(event)
}

/// The event without its body, if that is too large: it is not copied, because a body may have 6 MB.
fn without_large_body(event: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Members<'e> {
        #[serde(borrow)]
        body: Option<&'e RawValue>,
    }
    if event.len() <= MAX_ENCODED_BODY {
        return None;
    }
    let Members { body } = read_json(event).ok()?;
    let body = body.map(RawValue::get).filter(|body| body.len() > MAX_ENCODED_BODY)?;
    // The raw value is a part of the event.
    let start = body.as_ptr().addr().checked_sub(event.as_ptr().addr())?;
    let (before, after) = (event.get(..start)?, event.get(start + body.len()..)?);
    Some(format!("{before}null{after}"))
}

fn decode_parts(event: &str) -> Result<HttpRequest, UnknownEvent> {
    let shape: EventShape = parse(event)?;
    if shape.request_context.elb.is_some() {
        parse(event).map(from_load_balancer)
    } else if shape.request_context.http.is_some() {
        parse(event).map(from_http_api)
    } else {
        parse(event).map(from_rest_api)
    }
}

/// Parses an event. Headers that are not valid in HTTP are dropped, so that one of them does not make the whole event
/// unknown, without its address and its key.
fn parse<T: DeserializeOwned>(event: &str) -> Result<T, UnknownEvent> {
    read_json(event).or_else(|_| {
        let mut event: Value = read_json(event).map_err(|_| UnknownEvent)?;
        for name in ["headers", "multiValueHeaders"] {
            if let Some(headers) = event.get_mut(name).and_then(Value::as_object_mut) {
                headers.retain(|name, value| HeaderName::from_str(name).is_ok() && keep_valid(value));
            }
        }
        serde_json::from_value(event).map_err(|_| UnknownEvent)
    })
}

/// Reads a JSON text. `serde_json` passes over it once.
fn read_json<'e, T: Deserialize<'e>>(text: &'e str) -> serde_json::Result<T> {
    #[cfg(test)]
    crate::steps::count(text.len());
    serde_json::from_str(text)
}

/// Removes invalid values from a list; whether a value remains.
fn keep_valid(value: &mut Value) -> bool {
    match value {
        Value::String(text) => HeaderValue::from_str(text).is_ok(),
        Value::Array(values) => {
            values.retain_mut(|value| value.is_string() && keep_valid(value));
            !values.is_empty()
        }
        _ => false,
    }
}

fn from_http_api(event: ApiGatewayV2httpRequest) -> HttpRequest {
    let context = event.request_context;
    let raw_path = event.raw_path.unwrap_or_default();
    let stage = context.stage.filter(|stage| stage != "$default");
    let path = stage
        .and_then(|stage| raw_path.strip_prefix('/')?.strip_prefix(stage.as_str()))
        .filter(|rest| rest.starts_with('/'))
        .unwrap_or(&raw_path)
        .to_owned();
    let source_ip = context.http.source_ip.and_then(|address| address.parse().ok());
    HttpRequest {
        front_end: FrontEnd::HttpApi,
        method: context.http.method,
        path,
        query: Query::Encoded(event.raw_query_string.unwrap_or_default()),
        headers: event.headers,
        body: unread(event.body, event.is_base64_encoded),
        source_ip,
        source_ip_is_certain: source_ip.is_some(),
        request_id: context.request_id,
    }
}

fn from_rest_api(event: ApiGatewayProxyRequest) -> HttpRequest {
    let several = event.multi_value_query_string_parameters;
    let query = if several.is_empty() { event.query_string_parameters } else { several };
    let source_ip = event.request_context.identity.source_ip.and_then(|address| address.parse().ok());
    HttpRequest {
        front_end: FrontEnd::RestApi,
        method: event.http_method,
        path: event.path.unwrap_or_default(),
        query: Query::Decoded(query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()),
        headers: either(event.multi_value_headers, event.headers),
        body: unread(event.body, event.is_base64_encoded),
        source_ip,
        source_ip_is_certain: source_ip.is_some(),
        request_id: event.request_context.request_id,
    }
}

fn from_load_balancer(event: AlbTargetGroupRequest) -> HttpRequest {
    let several = event.multi_value_query_string_parameters;
    let query = if several.is_empty() { event.query_string_parameters } else { several };
    let headers = either(event.multi_value_headers, event.headers);
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    HttpRequest {
        front_end: FrontEnd::LoadBalancer,
        method: event.http_method,
        path: event.path.unwrap_or_default(),
        // A load balancer passes names and values on as they were in the URL.
        query: Query::Encoded(
            query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"),
        ),
        source_ip: forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok()),
        source_ip_is_certain: false,
        body: unread(event.body, event.is_base64_encoded),
        headers,
        request_id: None,
    }
}

fn either(several: HeaderMap, single: HeaderMap) -> HeaderMap {
    if several.is_empty() { single } else { several }
}

fn unread(body: Option<String>, in_base64: bool) -> UnreadBody {
    let text = body.unwrap_or_default();
    if in_base64 { UnreadBody::Base64(text) } else { UnreadBody::Text(text) }
}

/// A response in the form that the front end reads.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// For an HTTP API or a Function URL.
    HttpApi(ApiGatewayV2httpResponse),
    /// For a REST API.
    RestApi(ApiGatewayProxyResponse),
    /// For a load balancer.
    LoadBalancer(AlbTargetGroupResponse),
}

impl Reply {
    /// Gives a response the form that the front end of its request reads.
    #[must_use]
    pub fn new(front_end: FrontEnd, response: Response) -> Self {
        let status = response.status();
        let status_code = i64::from(status.as_u16());
        let (parts, body) = response.into_parts();
        let (body, in_base64) = match body {
            response::Body::Text(text) => (Some(Body::Text(text)), false),
            response::Body::Bytes(bytes) => (Some(Body::Binary(bytes)), true),
        };
        match front_end {
            FrontEnd::HttpApi => {
                let mut reply = ApiGatewayV2httpResponse::default();
                (reply.status_code, reply.headers, reply.body) = (status_code, parts.headers, body);
                reply.is_base64_encoded = in_base64;
                Self::HttpApi(reply)
            }
            FrontEnd::RestApi => {
                let mut reply = ApiGatewayProxyResponse::default();
                (reply.status_code, reply.multi_value_headers, reply.body) = (status_code, parts.headers, body);
                reply.is_base64_encoded = in_base64;
                Self::RestApi(reply)
            }
            FrontEnd::LoadBalancer => {
                let mut reply = AlbTargetGroupResponse::default();
                (reply.status_code, reply.body, reply.is_base64_encoded) = (status_code, body, in_base64);
                // A setting of the target group decides which of the two it reads.
                (reply.headers, reply.multi_value_headers) = (parts.headers.clone(), parts.headers);
                let reason = status.canonical_reason().unwrap_or_default();
                reply.status_description = Some(format!("{status_code} {reason}"));
                Self::LoadBalancer(reply)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decode;
    use crate::steps::assert_linear;

    /// A large body is cut out in one pass. The shape, the event, and an event with invalid headers need one each.
    #[test]
    fn hostile_event_is_read_in_at_most_four_passes() {
        let http = r#"{"requestContext":{"http":{"method":"POST"}},"rawPath":"/","#;
        for (begin, part, end) in [
            (r#""body":""#, "\\u0000", "\"}"),
            (r#""body":""#, "x", "\"}"),
            (r#""body":""#, "x", ""),
            (r#""body":"#, "[", ""),
            (r#""body":"#, "[\"", ""),
            (r#""more":"#, "{\"a\":", "\""),
            (r#""headers":{"#, r#""not a name":"a","#, r#""b":"c"}}"#),
            (r#""headers":{"#, r#""not a name":"a","#, r#""b":["c"#),
            (r#""headers":{"a":["#, r#""a\nb","#, r#""c"]}}"#),
            (r#""rawQueryString":""#, "%41&", "\"}"),
        ] {
            for length in [0, 10_000, 400_000] {
                let event = format!("{http}{begin}{}{end}", part.repeat(length / part.len()));
                assert_linear(&event, 4, || decode(&event));
            }
        }
    }
}
