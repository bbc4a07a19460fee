//! The DynamoDB client, made by hand.
//!
//! `aws-config` would cost a megabyte and a tenth of the cold start to find what Lambda's
//! environment says in three variables. Searching the system for root certificates would cost half of
//! the start, so they are compiled in: those of Amazon Trust Services, to which every AWS endpoint
//! leads, or read from the one bundle that `AWS_CA_BUNDLE` names in their place.

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

const AMAZON_ROOTS: &str = include_str!("amazon-roots.pem");

/// Where DynamoDB is, and as whom to call it.
pub struct Endpoint {
    /// The AWS region, such as `eu-central-1`.
    pub region: String,
    /// The credentials of the caller.
    pub credentials: Credentials,
    /// In place of the region's own endpoint.
    pub url: Option<String>,
    /// PEM certificates to trust in place of Amazon's roots, which [`are_usable_roots`].
    pub trusted: Option<Vec<u8>>,
}

/// The client cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointError;

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the TLS client cannot be set up")
    }
}

impl std::error::Error for EndpointError {}

/// Makes the client and opens its first connection, with the handshake done, so that no request has
/// to wait for it. Waits at most `patience` for that: an unreachable database shows in the first
/// request, not here.
///
/// # Errors
/// [`EndpointError`] when the trusted certificates cannot be used.
pub async fn connect(endpoint: Endpoint, patience: Duration) -> Result<Client, EndpointError> {
    let trust = TrustStore::empty().with_pem_certificate(endpoint.trusted.unwrap_or_else(|| AMAZON_ROOTS.into()));
    let tls = TlsContext::builder().with_trust_store(trust).build().map_err(|_| EndpointError)?;
    let provider = Provider::Rustls(CryptoMode::Ring);
    let connector = Connector::builder().tls_provider(provider).tls_context(tls).build();
    let connector = SharedHttpConnector::new(connector);

    let url = match &endpoint.url {
        Some(url) => url.clone(),
        None => regional(&endpoint.region).await?,
    };
    // A cold pool or a database that does not answer is no reason not to start.
    let _ = tokio::time::timeout(patience, greet(&connector, &url)).await;

    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(endpoint.region))
        .credentials_provider(endpoint.credentials)
        .endpoint_url(url)
        .http_client(http_client_fn(move |_, _| connector.clone()))
        // The store repeats a call itself, and knows when that is safe.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    Ok(Client::from_conf(config))
}

/// Whether a text is a list of PEM certificates, one at least, each of which can be trusted as a root.
#[must_use]
pub fn are_usable_roots(pem: &[u8]) -> bool {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let mut store = RootCertStore::empty();
    certificates.is_ok_and(|all| !all.is_empty() && all.into_iter().all(|one| store.add(one).is_ok()))
}

async fn regional(region: &str) -> Result<String, EndpointError> {
    let parameters = Params::builder().region(region).build().map_err(|_| EndpointError)?;
    let resolved = DefaultResolver::new().resolve_endpoint(&parameters).await.map_err(|_| EndpointError)?;
    Ok(resolved.url().to_owned())
}

/// Asks for DynamoDB's health page, which needs no credentials and counts as no call, and leaves the
/// connection in the pool.
async fn greet(connector: &SharedHttpConnector, url: &str) -> Option<()> {
    let answer = connector.call(HttpRequest::get(url).ok()?).await.ok()?;
    ByteStream::new(answer.into_body()).collect().await.ok().map(drop)
}
