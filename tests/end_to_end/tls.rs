//! TLS to the database, with a real handshake.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use passloom::store::are_usable_roots;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::{Database, Function, Request, Table};

/// A TLS proxy in front of a database. An authority of its own signs its certificate for 127.0.0.1.
struct TlsProxy {
    /// The table, behind the proxy.
    table: Table,
    authority: PathBuf,
    handshakes: Arc<AtomicUsize>,
}

impl TlsProxy {
    async fn start(database: &Database, name: &str) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.pem", std::process::id()));
        std::fs::write(&path, authority.pem()).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let direct = database.table();
        let table = Table { url: format!("https://{}", listener.local_addr().unwrap()), ..direct.clone() };
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let handshakes = Arc::new(AtomicUsize::new(0));
        let (done, plain) = (handshakes.clone(), direct.url.replace("http://", ""));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (acceptor, done, plain) = (acceptor.clone(), done.clone(), plain.clone());
                tokio::spawn(async move {
                    let mut near = acceptor.accept(connection).await?;
                    done.fetch_add(1, Ordering::SeqCst);
                    copy_bidirectional(&mut near, &mut TcpStream::connect(plain).await?).await
                });
            }
        });
        Self { table, authority: path, handshakes }
    }
}

/// With 128 MB a handshake takes 0.7 s in a request, and almost no time before the first.
#[tokio::test]
async fn tls_handshake_is_done_before_the_first_request() {
    let database = Database::start().await;
    let key = database.key("test", 60, 1000).await;
    let proxy = TlsProxy::start(&database, "trusted").await;
    let function = Function::start(&proxy.table, &[("AWS_CA_BUNDLE", proxy.authority.to_str().unwrap())]).await;
    assert_eq!(proxy.handshakes.load(Ordering::SeqCst), 1, "before any event");
    for _ in 0..3 {
        let answer = function.send(&Request::get("").key(&key).event()).await.answer();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(proxy.handshakes.load(Ordering::SeqCst), 1, "the connection is reused");
    assert_eq!(database.calls(), 3, "one write for each request");
}

/// Without `AWS_CA_BUNDLE`, only Amazon's authorities are trusted.
#[tokio::test]
async fn certificate_of_another_authority_is_rejected() {
    let database = Database::start().await;
    let key = database.key("test", 60, 1000).await;
    let proxy = TlsProxy::start(&database, "untrusted").await;
    let function = Function::start(&proxy.table, &[]).await;
    function.send(&Request::get("").key(&key).event()).await.answer().assert_problem(503);
    assert_eq!((proxy.handshakes.load(Ordering::SeqCst), database.calls()), (0, 0));
}

#[test]
fn compiled_in_roots_are_five_roots_of_mozillas_list() {
    let pem = include_bytes!("../../src/store/amazon-roots.pem");
    let roots: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(pem).map(Result::unwrap).collect();
    assert_eq!(roots.len(), 5);
    for root in &roots {
        assert!(webpki_root_certs::TLS_SERVER_ROOT_CERTS.contains(root));
    }
    assert!(are_usable_roots(pem));
}
