//! HTTPS with the service's own certificate.

mod clients;

use std::{fs, net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use chassis::{
    http_client,
    server::{self, Listener},
    tls::{Certificate, Files},
};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use reqwest::tls;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

type Issued = CertifiedKey<KeyPair>;

fn issue() -> Issued {
    generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
}

/// The files of a deployment.
struct Deployed(TempDir);

impl Deployed {
    fn new(issued: &Issued) -> Self {
        let deployed = Self(tempfile::tempdir().expect("a directory"));
        deployed.put(issued, issued);
        deployed
    }

    fn put(&self, certificate: &Issued, key: &Issued) {
        let files = self.files();
        fs::write(files.certificate, certificate.cert.pem()).expect("written");
        fs::write(files.key, key.signing_key.serialize_pem()).expect("written");
    }

    fn files(&self) -> Files {
        Files { certificate: self.0.path().join("tls.crt"), key: self.0.path().join("tls.key"), client_issuers: None }
    }

    fn certificate(&self) -> Certificate {
        Certificate::load(self.files()).expect("a certificate")
    }
}

fn serve(certificate: &Certificate) -> SocketAddr {
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    tcp.set_nonblocking(true).expect("non-blocking");
    let address = tcp.local_addr().expect("an address");
    let listener = Listener::from(tcp).with_certificate(Some(certificate.clone()));
    let router = Router::new().route("/", get(async || "ok")).route("/livez", get(async || "ok"));
    tokio::spawn(server::serve(listener, router, CancellationToken::new()));
    address
}

/// Whether a new client that trusts `issued` alone gets a response.
async fn answers_to_who_trusts(issued: &Issued, address: SocketAddr) -> bool {
    let trusted = tls::Certificate::from_pem(issued.cert.pem().as_bytes()).expect("a certificate");
    let client = http_client::builder()
        .tls_certs_only([trusted])
        .resolve("localhost", address)
        .timeout(Duration::from_secs(5))
        .build()
        .expect("a client");
    client.get(format!("https://localhost:{}/", address.port())).send().await.is_ok()
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let (old, new) = (issue(), issue());
    let deployed = Deployed::new(&old);
    let mut certificate = deployed.certificate();
    let address = serve(&certificate);
    assert!(answers_to_who_trusts(&old, address).await);
    assert!(!answers_to_who_trusts(&new, address).await);
    assert!(!certificate.renew().expect("nothing new"));

    deployed.put(&new, &new);
    assert!(certificate.renew().expect("renewed"));
    assert!(answers_to_who_trusts(&new, address).await);
    assert!(!answers_to_who_trusts(&old, address).await);
}

#[tokio::test]
async fn a_certificate_without_its_key_leaves_the_old_one_in_use() {
    let (old, new) = (issue(), issue());
    let deployed = Deployed::new(&old);
    let mut certificate = deployed.certificate();
    let address = serve(&certificate);

    deployed.put(&new, &old);
    certificate.renew().expect_err("they do not belong together");
    assert!(!certificate.renew().expect("not tried again"));
    assert!(answers_to_who_trusts(&old, address).await);

    deployed.put(&new, &new);
    assert!(certificate.renew().expect("renewed"));
    assert!(answers_to_who_trusts(&new, address).await);
}

#[test]
fn a_key_alone_is_refused() {
    let refusal = Files::given("demo", None, Some("key.pem".into()), None).expect_err("refused").to_string();
    assert_eq!(refusal, "give both --demo-tls-certificate-file and --demo-tls-key-file, or neither");
}
