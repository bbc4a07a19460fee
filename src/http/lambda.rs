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

use super::headers::{self, Response};
use super::page::Bodies;
use super::problem::Problem;
use super::request_error::RequestError;
use crate::access::Authenticated;
use crate::audit::Recorded;

/// The largest JSON text of a body of any API, 32 KiB: each byte may be written as `\u0000`.
const MAX_ENCODED_BODY: usize = 6 * 32 * 1024 + 2;

/// The AWS service in front of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrontEnd {
    /// API Gateway HTTP API (payload format 2.0), or a Function URL, which uses the same format.
    HttpApi,
    /// API Gateway REST API (payload format 1.0).
    RestApi,
    /// Application Load Balancer.
    LoadBalancer,
}

impl FrontEnd {
    /// The bodies that it passes on.
    pub(crate) const fn bodies(self) -> Bodies {
        match self {
            Self::HttpApi => Bodies::Any,
            // Passes bytes on only if it is configured to.
            Self::RestApi => Bodies::Texts,
            Self::LoadBalancer => Bodies::Small,
        }
    }
}

/// A request, independent of its front end.
pub(crate) struct HttpRequest {
    /// The front end that it came through.
    pub(crate) front_end: FrontEnd,
    /// Its method.
    pub(crate) method: Method,
    /// Its path, without the stage of an HTTP API.
    pub(crate) path: String,
    /// Its query.
    pub(crate) query: Query,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// The caller's address as the front end saw it. A load balancer reports it only as the last entry of
    /// `X-Forwarded-For`, which is not safe for anything but a log line.
    pub(crate) source_ip: Option<IpAddr>,
    /// Whether `source_ip` comes from the front end's own context, which no client can write.
    pub(crate) source_ip_is_certain: bool,
    /// The front end's id of the request.
    pub(crate) request_id: Option<String>,
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

impl HttpRequest {
    /// The body, empty if the request has none. It is decoded here and not with the event, so that no unknown caller causes
    /// that work: only a request whose caller is known has a body.
    pub(crate) fn body(&self, _: &Authenticated, max: usize) -> Result<Cow<'_, [u8]>, RequestError> {
        let body = match &self.body {
            UnreadBody::Text(text) => Cow::Borrowed(text.as_bytes()),
            UnreadBody::Base64(text) => {
                Cow::Owned(aws_smithy_types::base64::decode(text).map_err(|_| RequestError::BodyEncoding)?)
            }
            UnreadBody::TooLarge => return Err(RequestError::BodyTooLarge),
        };
        if body.len() > max { Err(RequestError::BodyTooLarge) } else { Ok(body) }
    }

    /// The caller's address, if it is certain.
    pub(crate) fn certain_address(&self) -> Option<IpAddr> {
        self.source_ip.filter(|_| self.source_ip_is_certain)
    }
}

/// The query in the form in which the front end passes it on.
pub(crate) enum Query {
    /// As it was in the URL.
    Encoded(String),
    /// Names and values, decoded.
    Decoded(Vec<(String, String)>),
}

/// The event is not an HTTP event of a known front end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownEvent;

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
pub(crate) fn decode(event: &str) -> Result<HttpRequest, UnknownEvent> {
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

/// The answer to an event, in the form that the front end of its request reads.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Reply(Form);

#[derive(Serialize)]
#[serde(untagged)]
enum Form {
    HttpApi(ApiGatewayV2httpResponse),
    RestApi(ApiGatewayProxyResponse),
    LoadBalancer(AlbTargetGroupResponse),
}

impl Reply {
    /// Replies with a response whose audit line is written.
    pub(crate) fn of(_: Recorded, front_end: FrontEnd, response: Response) -> Self {
        Self::new(front_end, response)
    }

    /// Replies that nothing was done, where no line could be written. `write` gives this problem the form of an API.
    pub(crate) fn internal_error(front_end: FrontEnd, write: impl FnOnce(&Problem) -> Response) -> Self {
        Self::new(front_end, write(&Problem::internal()))
    }

    fn new(front_end: FrontEnd, response: Response) -> Self {
        let status = response.status();
        let status_code = i64::from(status.as_u16());
        let (parts, body) = response.into_parts();
        let (body, in_base64) = match body {
            headers::Body::Text(text) => (Some(Body::Text(text)), false),
            headers::Body::Bytes(bytes) => (Some(Body::Binary(bytes)), true),
        };
        Self(match front_end {
            FrontEnd::HttpApi => {
                let mut reply = ApiGatewayV2httpResponse::default();
                (reply.status_code, reply.headers, reply.body) = (status_code, parts.headers, body);
                reply.is_base64_encoded = in_base64;
                Form::HttpApi(reply)
            }
            FrontEnd::RestApi => {
                let mut reply = ApiGatewayProxyResponse::default();
                (reply.status_code, reply.multi_value_headers, reply.body) = (status_code, parts.headers, body);
                reply.is_base64_encoded = in_base64;
                Form::RestApi(reply)
            }
            FrontEnd::LoadBalancer => {
                let mut reply = AlbTargetGroupResponse::default();
                (reply.status_code, reply.body, reply.is_base64_encoded) = (status_code, body, in_base64);
                // A setting of the target group decides which of the two it reads.
                (reply.headers, reply.multi_value_headers) = (parts.headers.clone(), parts.headers);
                let reason = status.canonical_reason().unwrap_or_default();
                reply.status_description = Some(format!("{status_code} {reason}"));
                Form::LoadBalancer(reply)
            }
        })
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
