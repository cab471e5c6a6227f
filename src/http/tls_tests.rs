//! Certificates are checked: a server that speaks real TLS, good and bad.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use url::Url;

use super::super::types::{NoAnswer, Transport as _, WireRequest, WireResponse};
use super::{Network, NetworkSetup};

const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/testdata/ca.pem");
/// Trusting this one says nothing about the others.
const STRANGER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/testdata/elsewhere.pem");
const KEY: &[u8] = include_bytes!("testdata/server.key");
const GOOD: &[u8] = include_bytes!("testdata/good.pem");
const ELSEWHERE: &[u8] = include_bytes!("testdata/elsewhere.pem");
const EXPIRED: &[u8] = include_bytes!("testdata/expired.pem");

/// Asks a server with this certificate once.
async fn ask(certificate: &'static [u8], ca: &str) -> Result<WireResponse, NoAnswer> {
    let network = Network::new(&NetworkSetup { extra_ca: Some(ca.into()), ..Default::default() }).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("https://{}/x", listener.local_addr().unwrap())).unwrap();
    std::thread::spawn(move || {
        let chain = vec![CertificateDer::from_pem_slice(certificate).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let (socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket);
        let mut buffer = [0; 4096];
        if stream.read(&mut buffer).is_ok_and(|n| n > 0) {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]");
            let _ = stream.flush();
        }
    });
    let request = WireRequest { method: "GET".into(), url, headers: Vec::new(), body: None, for_file: false };
    network.send(request).await
}

fn refused(answer: Result<WireResponse, NoAnswer>) -> String {
    match answer {
        Err(NoAnswer::NotSent(message)) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_of_the_extra_file_is_trusted() {
    assert_eq!(&ask(GOOD, CA).await.unwrap().body[..], b"[]");
}

#[tokio::test]
async fn bad_certificates_are_refused_before_anything_is_sent() {
    for (certificate, ca, cause) in
        [(GOOD, STRANGER, "UnknownIssuer"), (ELSEWHERE, CA, "not valid for name"), (EXPIRED, CA, "expired")]
    {
        let message = refused(ask(certificate, ca).await);
        assert!(
            message.starts_with("cannot connect to https://127.0.0.1:") && message.contains(cause),
            "{message}"
        );
    }
}
