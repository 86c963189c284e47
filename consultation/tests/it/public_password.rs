//! The public development password is not sent to other machines.

use chassis::config::Server;
use consultation::{
    app,
    config::{Credentials, FinanceTarget, Password},
};
use rstest::rstest;
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;

use crate::running::domain;

#[rstest]
#[case::another_machine("http://finance:8020/graphql", "teste123", false, Some("finance"))]
#[case::another_address("https://192.0.2.1/graphql", "teste123", false, Some("192.0.2.1"))]
#[case::all_addresses("http://0.0.0.0:8020/graphql", "teste123", false, Some("0.0.0.0"))]
#[case::in_development("http://finance:8020/graphql", "teste123", true, None)]
#[case::another_password("http://finance:8020/graphql", "s3cret", false, None)]
#[case::this_machine("http://127.0.0.1:9/graphql", "teste123", false, None)]
#[case::this_machine_by_ipv6("http://[::1]:9/graphql", "teste123", false, None)]
#[case::this_machine_by_name("http://localhost:9/graphql", "teste123", false, None)]
#[tokio::test]
async fn a_service_does_not_start_with_the_public_password_for_a_finance_elsewhere(
    #[case] url: &str,
    #[case] password: &str,
    #[case] development: bool,
    #[case] refused_host: Option<&str>,
) {
    let Some(db) = TestDatabase::empty(Backend::Sqlite).await else { return };
    let server = Server { development, ..db.server("consultation") };
    let credentials =
        Credentials::Password { username: "admin".to_owned(), password: Password::Given(password.into()) };
    let finance = FinanceTarget { credentials, ..FinanceTarget::in_development(url.parse().expect("a URL")) };
    let built = app::build(&server, finance, &domain(), &db.database, &CancellationToken::new());
    let refusal = built.err().map(|error| error.to_string());
    let expected = refused_host.map(|host| {
        format!(
            "consultation: the public development password must not be finance's at {host}; \
             set --consultation-finance-password-file, or --consultation-development=true"
        )
    });
    assert_eq!(refusal, expected);
}
