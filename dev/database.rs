//! The embedded DynamoDB of `make bench`, behind a TLS server with certificates of the same kind as those of DynamoDB:
//! RSA keys of 2048 bits, one intermediate authority. They are created at the start, from the key that is its only
//! argument, as PEM.
//!
//! Prints one line of JSON that describes how to connect. Then prints the number of calls so far for each line of its
//! standard input. Ends when its standard input is closed.

mod embedded;

use std::error::Error;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use embedded::{Embedded, TABLE};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The beginning of every call. Nothing else that a client sends begins with it.
const CALL: &[u8] = b"POST / HTTP/1.1\r\n";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Embedded { url, signing_secret, key, unknown, .. } = Embedded::start().await?;
    let server: SocketAddr = url.trim_start_matches("http://").parse()?;
    let rsa_key = std::env::args().nth(1).ok_or("the RSA key is missing")?;
    let (acceptor, authority) = tls(&rsa_key)?;
    let calls = Arc::new(AtomicUsize::new(0));
    let encrypted = listen(server, acceptor, calls.clone()).await?;
    let description = json!({
        "plain": url,
        "tls": format!("https://{encrypted}"),
        "authority": authority,
        "table": TABLE,
        "signing_secret": signing_secret,
        "key": key,
        "unknown": unknown,
    });
    print_line(&description.to_string())?;
    tokio::task::spawn_blocking(move || {
        for line in io::stdin().lines() {
            line.and_then(|_| print_line(&calls.load(Ordering::SeqCst).to_string()))?;
        }
        Ok::<_, io::Error>(())
    })
    .await??;
    Ok(())
}

fn print_line(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")?;
    io::stdout().flush()
}

/// A TLS acceptor for 127.0.0.1, and the certificate authority that clients must trust, as PEM.
fn tls(rsa_key: &str) -> Result<(TlsAcceptor, String), Box<dyn Error>> {
    let root = CertifiedIssuer::self_signed(authority("root")?, KeyPair::from_pem(rsa_key)?)?;
    let intermediate = CertifiedIssuer::signed_by(authority("intermediate")?, KeyPair::from_pem(rsa_key)?, &root)?;
    let key = KeyPair::from_pem(rsa_key)?;
    let certificate = parameters("127.0.0.1", vec!["127.0.0.1".to_owned()])?.signed_by(&key, &intermediate)?;
    let chain = vec![certificate.der().clone(), intermediate.der().clone()];
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der())?)?;
    Ok((TlsAcceptor::from(Arc::new(config)), root.pem()))
}

fn authority(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = parameters(name, Vec::new())?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters)
}

/// Python rejects certificates without an authority key identifier, and authorities without key usages, since 3.13.
fn parameters(name: &str, addresses: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(addresses)?;
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

/// Accepts TLS connections, forwards them to the database server and counts the calls.
async fn listen(server: SocketAddr, tls: TlsAcceptor, calls: Arc<AtomicUsize>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (tls, calls) = (tls.clone(), calls.clone());
            tokio::spawn(async move {
                client.set_nodelay(true)?;
                forward(tls.accept(client).await?, server, &calls).await
            });
        }
    });
    Ok(address)
}

async fn forward(client: TlsStream<TcpStream>, server: SocketAddr, calls: &AtomicUsize) -> io::Result<()> {
    let (mut requests, mut responses) = tokio::io::split(client);
    let mut connection = TcpStream::connect(server).await?;
    connection.set_nodelay(true)?;
    let (mut from_server, mut to_server) = connection.split();
    let upstream = async {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = requests.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            // A client sends the first line of a request in one piece, and waits for the response before the next.
            if buffer[..read].starts_with(CALL) {
                calls.fetch_add(1, Ordering::SeqCst);
            }
            to_server.write_all(&buffer[..read]).await?;
        }
    };
    tokio::select! {
        ended = upstream => ended,
        ended = async { tokio::io::copy(&mut from_server, &mut responses).await.map(drop) } => ended,
    }
}
