//! Consultation shows finance a client certificate, beside its login.

use std::{fs, path::Path, process::Stdio};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CertifiedKey, IsCa, KeyPair, generate_simple_self_signed,
};
use serde_json::{Value, json};
use testkit::{Backend, GraphqlClient, Process, TestDatabase, free_port};
use tokio::time::timeout;

use crate::{cluster::finish_one, delivery::TEST_TIMEOUT};

const PAYMENTS: &str = "{ pendingPayments { edges { node { status tries lastError } } } }";

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn issuer() -> Issuer {
    let mut params = CertificateParams::new([]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// Writes a file. Returns its path.
fn put(directory: &Path, name: &str, content: &str) -> String {
    let path = directory.join(name);
    fs::write(&path, content).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

/// Writes a new client certificate and its key. Returns their paths.
fn put_client_certificate(directory: &Path, issuer: &Issuer) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["consultation".to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, issuer).expect("a certificate");
    (put(directory, "client.crt", &certificate.pem()), put(directory, "client.key", &key.serialize_pem()))
}

/// The row of the only pending payment, once it is as wanted.
async fn pending_payment(consultation: &GraphqlClient, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let wanted = async {
        loop {
            let row = consultation.call(PAYMENTS, json!({})).await["pendingPayments"]["edges"][0]["node"].take();
            if is_wanted(&row) {
                return row;
            }
        }
    };
    timeout(TEST_TIMEOUT, wanted).await.expect("in time")
}

/// A running finance that knows the client certificates of `issuer`, and its URL. Its own certificate is `finance.crt`.
struct Finance {
    url: String,
    _process: Process,
    _db: TestDatabase,
}

impl Finance {
    async fn start(directory: &Path, issuer: &Issuer) -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).expect("issued");
        let (certificate, key) = (put(directory, "finance.crt", &cert.pem()), signing_key.serialize_pem());
        let (key, clients) = (put(directory, "finance.key", &key), put(directory, "clients.crt", &issuer.pem()));
        let db = TestDatabase::empty(Backend::Sqlite).await.expect("a file");
        let (port, database_url) = (free_port(), db.url());
        let bind = format!("127.0.0.1:{port}");
        let settings = [
            ("FINANCE_BIND", bind.as_str()),
            ("FINANCE_DATABASE_URL", &database_url),
            ("FINANCE_TLS_CERTIFICATE_FILE", &certificate),
            ("FINANCE_TLS_KEY_FILE", &key),
            ("FINANCE_TLS_CLIENT_CA_FILE", &clients),
        ];
        let command = |arguments: &[&str]| {
            let mut command = Process::command("finance", arguments, &settings);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        assert!(command(&["migrate"]).status().expect("it runs").success());
        let process = Process::spawn(&mut command(&[]), port);
        // The health check has no client certificate.
        while !command(&["healthcheck"]).status().expect("it runs").success() {}
        Self { url: format!("https://localhost:{port}/graphql"), _process: process, _db: db }
    }
}

#[tokio::test]
async fn payments_wait_for_a_client_certificate_that_finance_knows_and_renewal_needs_no_restart() {
    let (directory, known, another) = (tempfile::tempdir().expect("a directory"), issuer(), issuer());
    let finance = Finance::start(directory.path(), &known).await;
    let (certificate, key) = put_client_certificate(directory.path(), &another);
    let trusted = directory.path().join("finance.crt");
    let db = TestDatabase::empty(Backend::Sqlite).await.expect("a file");
    let (port, database_url) = (free_port(), db.url());
    let bind = format!("127.0.0.1:{port}");
    let settings = [
        ("CONSULTATION_BIND", bind.as_str()),
        ("CONSULTATION_DATABASE_URL", &database_url),
        ("CONSULTATION_FINANCE_URL", &finance.url),
        ("CONSULTATION_FINANCE_TLS_CERTIFICATE_FILE", &certificate),
        ("CONSULTATION_FINANCE_TLS_KEY_FILE", &key),
        ("CONSULTATION_POLL_INTERVAL", "100ms"),
        ("SSL_CERT_FILE", trusted.to_str().expect("UTF-8")),
    ];
    let migrated = Process::command("consultation", &["migrate"], &settings).output().expect("it runs");
    assert!(migrated.status.success());
    let consultation = Process::start("consultation", port, &settings).await;
    finish_one(&consultation.client).await;
    let failed = pending_payment(&consultation.client, |row| row["lastError"].is_string()).await;
    assert_eq!(failed["status"], "PENDING", "{failed}");

    put_client_certificate(directory.path(), &known);
    pending_payment(&consultation.client, |row| row["status"] == "FINISHED").await;
}
