//! Certificates of clients.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use chassis::{http_client, tls::Files};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Identity, Response, tls};
use rstest::rstest;
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{Deployed, Issued, issue, serve};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn issuer() -> Issuer {
    let mut params = CertificateParams::new([]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// A client's certificate with its key, in PEM.
fn certified_by(issuer: &Issuer) -> String {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["client".to_owned()]).expect("parameters");
    params.signed_by(&key, issuer).expect("a certificate").pem() + &key.serialize_pem()
}

fn deployed(issued: &Issued, client_issuer: &Issuer) -> (Deployed, Files) {
    let deployed = Deployed::new(issued);
    let client_issuers = deployed.0.path().join("clients.crt");
    fs::write(&client_issuers, client_issuer.pem()).expect("written");
    let files = Files { client_issuers: Some(client_issuers), ..deployed.files() };
    (deployed, files)
}

/// The response for a client with this certificate; an error when the handshake fails.
async fn ask(
    service: &Issued,
    address: SocketAddr,
    certificate: Option<&str>,
    path: &str,
) -> reqwest::Result<Response> {
    let trusted = tls::Certificate::from_pem(service.cert.pem().as_bytes()).expect("a certificate");
    let client = http_client::builder().tls_certs_only([trusted]).resolve("localhost", address);
    let client = match certificate {
        Some(pem) => client.identity(Identity::from_pem(pem.as_bytes()).expect("an identity")),
        None => client,
    };
    let client = client.timeout(Duration::from_secs(5)).build().expect("a client");
    client.get(format!("https://localhost:{}{path}", address.port())).send().await
}

#[tokio::test]
async fn without_a_client_certificate_only_probes_are_answered() {
    let (issued, known) = (issue(), issuer());
    let (_deployed, files) = deployed(&issued, &known);
    let address = serve(&chassis::tls::Certificate::load(files).expect("a certificate"));
    let certificate = certified_by(&known);
    assert_eq!(ask(&issued, address, Some(&certificate), "/").await.expect("a response").status(), 200);
    assert_eq!(ask(&issued, address, None, "/livez").await.expect("a response").status(), 200);
    let refused = ask(&issued, address, None, "/").await.expect("a response");
    assert_eq!(refused.status(), 403);
    let body = refused.text().await.expect("a body");
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn a_certificate_of_another_issuer_fails_the_handshake() {
    let (issued, known, another) = (issue(), issuer(), issuer());
    let (_deployed, files) = deployed(&issued, &known);
    let address = serve(&chassis::tls::Certificate::load(files).expect("a certificate"));
    for path in ["/", "/livez"] {
        ask(&issued, address, Some(&certified_by(&another)), path).await.expect_err("no handshake");
    }
}

#[tokio::test]
async fn a_certificate_is_checked_at_each_connection() {
    let (issued, known) = (issue(), issuer());
    let (_deployed, files) = deployed(&issued, &known);
    let address = serve(&chassis::tls::Certificate::load(files).expect("a certificate"));
    let pem = certified_by(&known);
    let mut trusted = RootCertStore::empty();
    trusted.add(issued.cert.der().clone()).expect("a certificate");
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).expect("a key");
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(trusted)
        .with_client_auth_cert(vec![certificate], key)
        .expect("a client");
    let connector = TlsConnector::from(Arc::new(client));
    for _ in 0..2 {
        let tcp = TcpStream::connect(address).await.expect("a connection");
        let mut tls = connector.connect("localhost".try_into().expect("a name"), tcp).await.expect("a handshake");
        // Reads what the server sends after the handshake: a ticket would be there.
        tls.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.expect("sent");
        tls.read_to_end(&mut Vec::new()).await.expect("a response");
        assert_eq!(tls.get_ref().1.handshake_kind(), Some(HandshakeKind::Full), "not resumed");
    }
}

#[tokio::test]
async fn renewed_issuers_of_client_certificates_apply_without_a_restart() {
    let (issued, old, new) = (issue(), issuer(), issuer());
    let (_deployed, files) = deployed(&issued, &old);
    let client_issuers = files.client_issuers.clone().expect("a file");
    let mut certificate = chassis::tls::Certificate::load(files).expect("a certificate");
    let address = serve(&certificate);
    let (of_old, of_new) = (certified_by(&old), certified_by(&new));
    ask(&issued, address, Some(&of_new), "/").await.expect_err("not yet");

    fs::write(&client_issuers, "nothing").expect("written");
    certificate.renew().expect_err("no certificate");
    assert_eq!(ask(&issued, address, Some(&of_old), "/").await.expect("a response").status(), 200);

    fs::write(&client_issuers, new.pem()).expect("written");
    assert!(certificate.renew().expect("renewed"));
    assert_eq!(ask(&issued, address, Some(&of_new), "/").await.expect("a response").status(), 200);
    ask(&issued, address, Some(&of_old), "/").await.expect_err("no longer");
}

#[rstest]
#[case::missing(None, "cannot read")]
#[case::empty(Some(""), "holds no certificate")]
#[case::a_key(Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "holds no certificate")]
fn a_file_without_issuers_is_refused(#[case] content: Option<&str>, #[case] why: &str) {
    let (deployed, files) = deployed(&issue(), &issuer());
    let client_issuers = deployed.0.path().join("clients.crt");
    match content {
        Some(content) => fs::write(client_issuers, content).expect("written"),
        None => fs::remove_file(client_issuers).expect("removed"),
    }
    let refusal = chassis::tls::Certificate::load(files).err().map(|error| format!("{error:#}"));
    assert!(refusal.as_ref().is_some_and(|refusal| refusal.contains(why)), "{refusal:?}");
}

#[test]
fn issuers_of_client_certificates_need_https() {
    let refusal = Files::given("demo", None, None, Some("clients.crt".into())).expect_err("refused").to_string();
    assert!(refusal.starts_with("--demo-tls-client-ca-file is for HTTPS"), "{refusal}");
}
