//! TLS: a certificate of the trusted CA is accepted, any other refused.

use std::sync::{Arc, OnceLock};

use hyper::Method;
use hyper::header::HeaderMap;
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::client::{Call, Failure, ask, system_roots};

/// The one CA of these tests, and what it has signed.
fn certificate() -> &'static rcgen::CertifiedKey<rcgen::KeyPair> {
    static MADE: OnceLock<rcgen::CertifiedKey<rcgen::KeyPair>> = OnceLock::new();
    MADE.get_or_init(|| rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap())
}

fn trusting() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate().cert.der().clone()).unwrap();
    Ok(roots)
}

/// A server that answers one call; its port.
async fn server() -> u16 {
    let key = PrivateKeyDer::try_from(certificate().signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate().cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        // A client that does not trust us ends here.
        let Ok(mut stream) = acceptor.accept(stream).await else {
            return;
        };
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecure";
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    port
}

fn call(host: &str, port: u16) -> Call {
    Call {
        url: format!("https://{host}:{port}/").parse().unwrap(),
        method: Method::GET,
        headers: HeaderMap::new(),
        body: "".into(),
    }
}

#[tokio::test]
async fn a_certificate_of_a_trusted_ca_is_accepted() {
    let reply = ask(&call("localhost", server().await), trusting).await;
    let reply = reply.unwrap_or_else(|failure| panic!("{failure:?}"));
    assert_eq!((reply.status, &reply.body[..]), (200, &b"secure"[..]));
}

#[tokio::test]
async fn a_certificate_of_somebody_else_or_for_another_host_is_refused() {
    let untrusted = ask(&call("localhost", server().await), system_roots).await;
    let failure = untrusted.err().unwrap();
    assert!(
        matches!(failure, Failure::Tls(_) | Failure::Roots(_)),
        "{failure:?}"
    );
    let misnamed = ask(&call("127.0.0.1", server().await), trusting).await;
    let failure = misnamed.err().unwrap();
    assert!(matches!(failure, Failure::Tls(_)), "{failure:?}");
    assert!(failure.text().en.contains("TLS"), "{}", failure.text().en);
}
