//! The service behind plain HTTP, for the clients that test it: the function's handler, an embedded DynamoDB, and
//! an HTTP server that turns requests into events as API Gateway does.
//!
//! Prints one line of JSON with the URL and three keys: one without limits, one with three requests a minute, and one
//! that does not exist. With the argument `none` it requires no key. Ends when its standard input is closed.

mod embedded;

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use embedded::{Embedded, TABLE};
use passloom::AllowedOrigins;
use passloom::App;
use passloom::access::Auth;
use passloom::access::Limits;
use passloom::audit::AuditLog;
use passloom::clock::Clock;
use passloom::store::Store;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Larger than the longest body that the function accepts, so that the function itself rejects longer ones.
const MAX_BODY: usize = 1 << 20;

const LIMITED: Limits = Limits { per_minute: NonZeroU32::new(3).unwrap(), per_day: NonZeroU32::new(1_000).unwrap() };

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Embedded { client, signing_secret, key, unknown, .. } = Embedded::start().await?;
    let secrets = embedded::parse_signing_secret(&signing_secret)?;
    let limited = embedded::create_key(&client, &secrets, "limited", LIMITED).await?;
    let needs_key = std::env::args().nth(1).as_deref() != Some("none");
    let auth = if needs_key { Auth::Key(secrets) } else { Auth::Address(LIMITED) };
    let origins = AllowedOrigins::parse("https://app.example.com").unwrap_or_default();
    // Audit lines go to the standard error, because the caller reads the standard output.
    let clock = Clock::system();
    let app = App::new(
        auth,
        true,
        origins,
        Store::new(client, TABLE.into(), clock.now()),
        AuditLog::new(io::stderr()),
        clock,
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let routes = Router::new().fallback(handle).with_state(Arc::new(app));
    let url = format!("http://{address}");
    writeln!(io::stdout(), "{}", json!({ "url": url, "key": key, "limited": limited, "unknown": unknown }))?;
    io::stdout().flush()?;
    let input_closed = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        served = async { axum::serve(listener, routes).await } => Ok(served?),
        _ = input_closed => Ok(()),
    }
}

async fn handle(State(app): State<Arc<App>>, request: Request) -> Result<Response, axum::http::StatusCode> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| axum::http::StatusCode::PAYLOAD_TOO_LARGE)?;
    let reply = app.handle(&event(&parts, &body).to_string(), "local").await;
    let reply = serde_json::to_value(reply).unwrap_or_default();
    let status = reply["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(502);
    let mut response = Response::builder().status(status);
    for (name, value) in reply["headers"].as_object().into_iter().flatten() {
        response = response.header(name, value.as_str().unwrap_or_default());
    }
    let body = reply["body"].as_str().unwrap_or_default();
    let body = if reply["isBase64Encoded"] == true {
        Body::from(STANDARD.decode(body).map_err(|_| axum::http::StatusCode::BAD_GATEWAY)?)
    } else {
        Body::from(body.to_owned())
    };
    response.body(body).map_err(|_| axum::http::StatusCode::BAD_GATEWAY)
}

/// Builds the event of an HTTP API: repeated headers are joined by commas, and a body that is not UTF-8 is in base64.
fn event(parts: &axum::http::request::Parts, body: &[u8]) -> Value {
    let mut headers = serde_json::Map::new();
    for name in parts.headers.keys() {
        let values = parts.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        headers.insert(name.to_string(), values.collect::<Vec<_>>().join(",").into());
    }
    let path = parts.uri.path();
    let text = std::str::from_utf8(body);
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "headers": headers,
        "requestContext": {
            "http": { "method": parts.method.as_str(), "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1" },
            "requestId": "local",
            "stage": "$default"
        },
        "body": text.map_or_else(|_| STANDARD.encode(body), str::to_owned),
        "isBase64Encoded": text.is_err()
    })
}
