//! Lambda's events and the replies to them.
//!
//! The event types are `lambda_http`'s; the way from them to a request is our own. That of
//! `lambda_http` rebuilds a URL from the `Host` header and the query and panics where the two make
//! none, so that `?exclude=<>` would be answered 500 without an audit line.

use std::net::IpAddr;

use lambda_http::aws_lambda_events::alb::{AlbTargetGroupRequest, AlbTargetGroupResponse};
use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayProxyRequest, ApiGatewayProxyResponse, ApiGatewayV2httpRequest, ApiGatewayV2httpResponse,
};
use lambda_http::aws_lambda_events::encodings::Body;
use lambda_http::http::{HeaderMap, Method};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::Response;

/// What stands in front of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// API Gateway HTTP API (payload format 2.0), or a Function URL, which speaks the same.
    HttpApi,
    /// API Gateway REST API (payload format 1.0).
    RestApi,
    /// Application Load Balancer.
    LoadBalancer,
}

/// A request, whatever stood in front of the function.
pub struct Incoming {
    /// Where it came from.
    pub origin: Origin,
    /// Its method.
    pub method: Method,
    /// Its path, without the stage of an HTTP API.
    pub path: String,
    /// Its query.
    pub query: Query,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; `None` where it is said to be base64 and is not.
    pub body: Option<Vec<u8>>,
    /// The caller's address as the front end saw it. A load balancer says it in no other way than as
    /// the last entry of `X-Forwarded-For`, which is good for a log line and for nothing else.
    pub source_ip: Option<IpAddr>,
    /// Whether `source_ip` comes from the front end's own context, where no client can write it.
    pub source_ip_is_certain: bool,
    /// The front end's id of the request.
    pub request_id: Option<String>,
}

/// The query as the front end hands it over.
pub enum Query {
    /// As it stood in the URL.
    Encoded(String),
    /// Names and values, decoded.
    Decoded(Vec<(String, String)>),
}

/// The event is none that Passloom knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownEvent;

/// What tells the events apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
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
pub fn decode(event: &str) -> Result<Incoming, UnknownEvent> {
    let shape: Shape = parse(event)?;
    if shape.request_context.elb.is_some() {
        parse(event).map(from_load_balancer)
    } else if shape.request_context.http.is_some() {
        parse(event).map(from_http_api)
    } else {
        parse(event).map(from_rest_api)
    }
}

fn parse<'e, T: Deserialize<'e>>(event: &'e str) -> Result<T, UnknownEvent> {
    serde_json::from_str(event).map_err(|_| UnknownEvent)
}

fn from_http_api(event: ApiGatewayV2httpRequest) -> Incoming {
    let context = event.request_context;
    let raw_path = event.raw_path.unwrap_or_default();
    let stage = context.stage.filter(|stage| stage != "$default");
    let path = stage
        .and_then(|stage| raw_path.strip_prefix('/')?.strip_prefix(stage.as_str()))
        .filter(|rest| rest.starts_with('/'))
        .unwrap_or(&raw_path)
        .to_owned();
    let source_ip = context.http.source_ip.and_then(|address| address.parse().ok());
    Incoming {
        origin: Origin::HttpApi,
        method: context.http.method,
        path,
        query: Query::Encoded(event.raw_query_string.unwrap_or_default()),
        headers: event.headers,
        body: body(event.body, event.is_base64_encoded),
        source_ip,
        source_ip_is_certain: source_ip.is_some(),
        request_id: context.request_id,
    }
}

fn from_rest_api(event: ApiGatewayProxyRequest) -> Incoming {
    let several = event.multi_value_query_string_parameters;
    let query = if several.is_empty() { event.query_string_parameters } else { several };
    let source_ip = event.request_context.identity.source_ip.and_then(|address| address.parse().ok());
    Incoming {
        origin: Origin::RestApi,
        method: event.http_method,
        path: event.path.unwrap_or_default(),
        query: Query::Decoded(query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()),
        headers: either(event.multi_value_headers, event.headers),
        body: body(event.body, event.is_base64_encoded),
        source_ip,
        source_ip_is_certain: source_ip.is_some(),
        request_id: event.request_context.request_id,
    }
}

fn from_load_balancer(event: AlbTargetGroupRequest) -> Incoming {
    let several = event.multi_value_query_string_parameters;
    let query = if several.is_empty() { event.query_string_parameters } else { several };
    let headers = either(event.multi_value_headers, event.headers);
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    Incoming {
        origin: Origin::LoadBalancer,
        method: event.http_method,
        path: event.path.unwrap_or_default(),
        // A load balancer passes names and values on as they stood in the URL.
        query: Query::Encoded(
            query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"),
        ),
        source_ip: forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok()),
        source_ip_is_certain: false,
        body: body(event.body, event.is_base64_encoded),
        headers,
        request_id: None,
    }
}

fn either(several: HeaderMap, single: HeaderMap) -> HeaderMap {
    if several.is_empty() { single } else { several }
}

fn body(text: Option<String>, base64: bool) -> Option<Vec<u8>> {
    let text = text.unwrap_or_default();
    if base64 { aws_smithy_types::base64::decode(text).ok() } else { Some(text.into_bytes()) }
}

/// An answer in the form that the front end reads.
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
    /// Puts a response into the form of its request's origin.
    #[must_use]
    pub fn new(origin: Origin, response: Response) -> Self {
        let status = response.status();
        let status_code = i64::from(status.as_u16());
        let (parts, body) = response.into_parts();
        let body = Some(Body::Text(body));
        match origin {
            Origin::HttpApi => {
                let mut reply = ApiGatewayV2httpResponse::default();
                (reply.status_code, reply.headers, reply.body) = (status_code, parts.headers, body);
                Self::HttpApi(reply)
            }
            Origin::RestApi => {
                let mut reply = ApiGatewayProxyResponse::default();
                (reply.status_code, reply.multi_value_headers, reply.body) = (status_code, parts.headers, body);
                Self::RestApi(reply)
            }
            Origin::LoadBalancer => {
                let mut reply = AlbTargetGroupResponse::default();
                (reply.status_code, reply.body) = (status_code, body);
                // Which of the two it reads depends on a setting of the target group.
                (reply.headers, reply.multi_value_headers) = (parts.headers.clone(), parts.headers);
                let reason = status.canonical_reason().unwrap_or_default();
                reply.status_description = Some(format!("{status_code} {reason}"));
                Self::LoadBalancer(reply)
            }
        }
    }
}
