//! Consultation calls finance with a password or a bearer token, which files may hold.

use std::{fs, path::Path};

use clap::Parser;
use consultation::{
    config::{Credentials, FinanceSettings, FinanceTarget, Password},
    finance_client::{FinanceClient, REQUEST_TIMEOUT},
};
use rstest::rstest;

use crate::{finance_stub::FinanceStub, outbox::currency};

fn client(finance: &FinanceStub, credentials: Credentials) -> FinanceClient {
    let url = finance.url().parse().expect("a URL");
    let target = FinanceTarget { credentials, ..FinanceTarget::in_development(url) };
    FinanceClient::new(target, currency(), REQUEST_TIMEOUT).expect("a client")
}

fn password_file(file: &Path) -> Credentials {
    Credentials::Password { username: "ana".to_owned(), password: Password::File(file.to_owned()) }
}

#[tokio::test]
async fn each_call_sends_the_password_that_the_file_holds_then() {
    let finance = FinanceStub::start([]).await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    let client = client(&finance, password_file(file.path()));
    for text in ["one\n", "two"] {
        fs::write(file.path(), text).expect("written");
        assert_eq!(client.instance_id().await, Ok(finance.instance()));
    }
    assert_eq!(finance.credentials(), ["Basic YW5hOm9uZQ==", "Basic YW5hOnR3bw=="]);
    fs::write(file.path(), "\n").expect("written");
    let failed = client.instance_id().await.expect_err("no call");
    let expected = format!("--consultation-finance-password-file: {} is empty", file.path().display());
    assert!(failed.is_misconfigured && failed.message == expected, "{failed}");
}

#[tokio::test]
async fn each_call_sends_the_token_that_the_file_holds_then() {
    let finance = FinanceStub::start([]).await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    let client = client(&finance, Credentials::TokenFile(file.path().to_owned()));
    for text in ["one.a.b\n", "two.a.b", "three.a.b\r\n"] {
        fs::write(file.path(), text).expect("written");
        assert_eq!(client.instance_id().await, Ok(finance.instance()));
    }
    assert_eq!(finance.credentials(), ["Bearer one.a.b", "Bearer two.a.b", "Bearer three.a.b"]);
}

#[rstest]
#[case::missing(None, "cannot be read")]
#[case::empty(Some("\n".to_owned()), "is empty")]
#[case::long(Some("x".repeat(9_000)), "is over 8 KiB")]
#[case::two_lines(Some("one\ntwo".to_owned()), "holds more than a token")]
#[case::a_header(Some("Bearer one".to_owned()), "holds more than a token")]
#[tokio::test]
async fn a_file_without_a_token_is_named_and_finance_is_not_called(#[case] text: Option<String>, #[case] why: &str) {
    let finance = FinanceStub::start([]).await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("token");
    if let Some(text) = &text {
        fs::write(&file, text).expect("written");
    }
    let failed = client(&finance, Credentials::TokenFile(file.clone())).instance_id().await.expect_err("no call");
    assert!(failed.is_misconfigured);
    assert!(failed.message.contains(why) && failed.message.contains(&file.display().to_string()), "{failed}");
    assert!(failed.message.starts_with("--consultation-finance-token-file: "), "{failed}");
    assert!(text.is_none_or(|text| !failed.message.contains(&text)), "{failed}");
    assert_eq!(finance.asked(), 0);
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    finance: FinanceSettings,
}

fn resolve(flags: &[&str]) -> Result<Credentials, String> {
    let flags = ["consultation", "--consultation-finance-token-file=/token"].iter().chain(flags);
    let own = FinanceTarget::in_development("http://127.0.0.1:8020/graphql".parse().expect("a URL"));
    let target = Cli::parse_from(flags).finance.resolve(own);
    target.map(|target| target.credentials).map_err(|error| error.to_string())
}

#[rstest]
#[case::this_machine(&[], None)]
#[case::https(&["--consultation-finance-url=https://finance/graphql"], None)]
#[case::another_machine(&["--consultation-finance-url=http://finance/graphql"], Some("needs an https"))]
#[case::a_user(&["--consultation-finance-username=ana"], Some("not both"))]
#[case::a_password(&["--consultation-finance-password=s3cret"], Some("not both"))]
fn a_token_goes_alone_and_over_a_connection_that_nobody_reads(#[case] flags: &[&str], #[case] refusal: Option<&str>) {
    match (resolve(flags), refusal) {
        (Ok(Credentials::TokenFile(file)), None) => assert_eq!(file, Path::new("/token")),
        (Err(error), Some(refusal)) => assert!(error.contains(refusal) && error.contains("-token-file"), "{error}"),
        (other, _) => panic!("{other:?}"),
    }
}
