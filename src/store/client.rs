//! Builds the DynamoDB client without `aws-config`.
//!
//! `aws-config` would add a megabyte to the binary and a tenth to the cold start, to find what Lambda provides in
//! three environment variables. Searching the system for root certificates would take half of the start, so they are
//! compiled in: the roots of Amazon Trust Services, which sign the certificates of all AWS endpoints. `AWS_CA_BUNDLE`
//! names a file that replaces them.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region, StalledStreamProtectionConfig};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector, http_client_fn};
use aws_smithy_types::byte_stream::ByteStream;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::task::yield_now;
use tokio::time::timeout;

/// How often the opening of a connection is polled before the client is built. Two turns suffice to send the first message
/// of the handshake, after which the connection waits. With too few, that message is only sent later.
const TURNS_TO_HANDSHAKE: usize = 4;

const AMAZON_ROOTS: &str = include_str!("amazon-roots.pem");

/// The address of DynamoDB, and the credentials to call it with.
pub struct Endpoint {
    /// The AWS region, such as `eu-central-1`.
    pub region: String,
    /// The credentials of the function.
    pub credentials: Credentials,
    /// Replaces the region's endpoint.
    pub url: Option<String>,
    /// PEM certificates to trust instead of Amazon's roots; [`are_usable_roots`] must hold for them.
    pub trusted: Option<Vec<u8>>,
}

/// The client cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointError;

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the TLS client cannot be set up")
    }
}

impl std::error::Error for EndpointError {}

/// Builds the client and opens its first connection, so that no request waits for the TLS handshake.
///
/// Waits at most `connect_timeout` for the connection. An unreachable database is reported by the first request, not
/// here.
///
/// # Errors
/// [`EndpointError`] when the trusted certificates cannot be used.
pub async fn connect(endpoint: Endpoint, connect_timeout: Duration) -> Result<Client, EndpointError> {
    let trust = TrustStore::empty().with_pem_certificate(endpoint.trusted.unwrap_or_else(|| AMAZON_ROOTS.into()));
    let tls = TlsContext::builder().with_trust_store(trust).build().map_err(|_| EndpointError)?;
    let provider = Provider::Rustls(CryptoMode::Ring);
    let connector = Connector::builder().tls_provider(provider).tls_context(tls).build();
    let connector = SharedHttpConnector::new(connector);

    let url = match &endpoint.url {
        Some(url) => url.clone(),
        None => regional_url(&endpoint.region).await?,
    };
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(endpoint.region))
        .credentials_provider(endpoint.credentials)
        .endpoint_url(&url)
        .http_client(http_client_fn({
            let connector = connector.clone();
            move |_, _| connector.clone()
        }))
        // The store repeats a call itself, because it knows when that is safe.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    // Built while the connection waits for the database, because the SDK reads a long table for it.
    let build = async {
        for _ in 0..TURNS_TO_HANDSHAKE {
            yield_now().await;
        }
        Client::from_conf(config)
    };
    // The result of the first connection is ignored: the function starts even if the database is unreachable.
    let (_, client) = tokio::join!(timeout(connect_timeout, open_connection(&connector, &url)), build);
    Ok(client)
}

/// Whether a text is a list of at least one PEM certificate, each of which can be trusted as a root.
#[must_use]
pub fn are_usable_roots(pem: &[u8]) -> bool {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let mut store = RootCertStore::empty();
    certificates.is_ok_and(|all| !all.is_empty() && all.into_iter().all(|one| store.add(one).is_ok()))
}

async fn regional_url(region: &str) -> Result<String, EndpointError> {
    let parameters = Params::builder().region(region).build().map_err(|_| EndpointError)?;
    let resolved = DefaultResolver::new().resolve_endpoint(&parameters).await.map_err(|_| EndpointError)?;
    Ok(resolved.url().to_owned())
}

/// Requests DynamoDB's health page, which needs no credentials and is not billed, and leaves the connection in the
/// pool.
async fn open_connection(connector: &SharedHttpConnector, url: &str) -> Option<()> {
    let answer = connector.call(HttpRequest::get(url).ok()?).await.ok()?;
    ByteStream::new(answer.into_body()).collect().await.ok().map(drop)
}
