//! The embedded DynamoDB for `make bench`, with a TLS end in front of it that has an authority of its own.
//!
//! Prints a line of JSON that says how to reach it. Each line of its standard input is answered with
//! the number of calls so far; it ends with its standard input.

mod embedded;

use std::error::Error;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use embedded::{Embedded, TABLE};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What stands in every call, and in nothing else that goes to a database.
const CALL: &[u8] = b"POST / HTTP/1.1\r\n";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Embedded { url, pepper, key, unknown, .. } = Embedded::start().await?;
    let engine: SocketAddr = url.trim_start_matches("http://").parse()?;
    let (acceptor, authority) = tls()?;
    let calls = Arc::new(AtomicUsize::new(0));
    let encrypted = listen(engine, acceptor, calls.clone()).await?;
    let reached = json!({
        "tls": format!("https://{encrypted}"),
        "authority": authority,
        "table": TABLE,
        "pepper": pepper,
        "key": key,
        "unknown": unknown,
    });
    say(&reached.to_string())?;
    tokio::task::spawn_blocking(move || {
        for line in io::stdin().lines() {
            line.and_then(|_| say(&calls.load(Ordering::SeqCst).to_string()))?;
        }
        Ok::<_, io::Error>(())
    })
    .await??;
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")?;
    io::stdout().flush()
}

/// A TLS end for 127.0.0.1, and the authority that vouches for it.
fn tls() -> Result<(TlsAcceptor, String), Box<dyn Error>> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der())?)?;
    Ok((TlsAcceptor::from(Arc::new(config)), authority.pem()))
}

/// Takes connections for the engine and counts the calls on them.
async fn listen(engine: SocketAddr, tls: TlsAcceptor, calls: Arc<AtomicUsize>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let (tls, calls) = (tls.clone(), calls.clone());
            tokio::spawn(async move {
                near.set_nodelay(true)?;
                carry(tls.accept(near).await?, engine, &calls).await
            });
        }
    });
    Ok(address)
}

async fn carry(near: TlsStream<TcpStream>, engine: SocketAddr, calls: &AtomicUsize) -> io::Result<()> {
    let (mut requests, mut answers) = tokio::io::split(near);
    let mut far = TcpStream::connect(engine).await?;
    far.set_nodelay(true)?;
    let (mut results, mut engine) = far.split();
    let there = async {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = requests.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            // A client sends the beginning of a request in one piece, and the next one after the answer.
            if buffer[..read].starts_with(CALL) {
                calls.fetch_add(1, Ordering::SeqCst);
            }
            engine.write_all(&buffer[..read]).await?;
        }
    };
    tokio::select! {
        ended = there => ended,
        ended = async { tokio::io::copy(&mut results, &mut answers).await.map(drop) } => ended,
    }
}
