//! Certificates and keys: until when they are good, and when they were read.

use std::{fs, path::Path};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::json;
use testkit::Backend;
use tokio::time::timeout;

use super::{Measured, scrape, until, value};
use crate::delivery::TEST_TIMEOUT;

const SERVER: &str = "tls_certificate_not_after_timestamp_seconds{certificate=\"server\"}";
const CLIENT: &str = "tls_certificate_not_after_timestamp_seconds{certificate=\"client\"}";
const KEYS_READ: &str = "jwks_last_success_timestamp_seconds";

fn seconds(timestamp: i64) -> f64 {
    f64::from(u32::try_from(timestamp).expect("a time of this century"))
}

/// Writes a new certificate that ends with the year before, and its key. Returns its end in seconds since 1970.
fn issue(directory: &Path, name: &str, year: i32) -> f64 {
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
    params.not_after = date_time_ymd(year, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    fs::write(directory.join(name).with_extension("key"), key.serialize_pem()).expect("written");
    fs::write(directory.join(name).with_extension("crt"), certificate.pem()).expect("written");
    seconds(params.not_after.unix_timestamp())
}

#[tokio::test]
async fn the_end_of_each_certificate_in_use_is_shown_and_follows_its_renewal() {
    let directory = tempfile::tempdir().expect("a directory");
    let [server, client] = [("server", 2030), ("client", 2031)].map(|(name, year)| issue(directory.path(), name, year));
    let path = |file: &str| directory.path().join(file).to_str().expect("UTF-8").to_owned();
    let settings = [
        ("FINANCE_TLS_CERTIFICATE_FILE", path("server.crt")),
        ("FINANCE_TLS_KEY_FILE", path("server.key")),
        ("CONSULTATION_FINANCE_TLS_CERTIFICATE_FILE", path("client.crt")),
        ("CONSULTATION_FINANCE_TLS_KEY_FILE", path("client.key")),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let Some(service) = Measured::start_with(Backend::Sqlite, &settings).await else { return };
    let [consultation, finance] = [scrape(&service.consultation).await, scrape(&service.finance).await];
    assert_eq!((value(&finance, SERVER), value(&finance, CLIENT)), (Some(server), None), "{finance}");
    assert_eq!((value(&consultation, SERVER), value(&consultation, CLIENT)), (None, Some(client)), "{consultation}");
    assert_eq!(value(&consultation, KEYS_READ), None, "there is no issuer");

    until(&service.finance, SERVER, issue(directory.path(), "server", 2032)).await;
    // Without a call of finance.
    until(&service.consultation, CLIENT, issue(directory.path(), "client", 2033)).await;
}

#[tokio::test]
async fn the_time_of_the_last_usable_keys_is_shown() {
    let began = seconds(chassis::clock::now().timestamp());
    let file = tempfile::NamedTempFile::new().expect("a file");
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIuaaXKJhk" });
    fs::write(file.path(), json!({ "keys": [key] }).to_string()).expect("written");
    let settings = [
        ("CONSULTATION_TOKEN_ISSUER", "https://issuer.example"),
        ("CONSULTATION_TOKEN_AUDIENCE", "consultation"),
        ("CONSULTATION_TOKEN_KEYS_FILE", file.path().to_str().expect("UTF-8")),
    ];
    let Some(service) = Measured::start_with(Backend::Sqlite, &settings).await else { return };
    let first = value(&scrape(&service.consultation).await, KEYS_READ);
    assert!(first >= Some(began), "{first:?} {began}");
    let read_again = async { while value(&scrape(&service.consultation).await, KEYS_READ) == first {} };
    timeout(TEST_TIMEOUT, read_again).await.expect("in time");
}
