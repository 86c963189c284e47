//! The issuer of tokens, and HTTP Basic beside it.

use chassis::config::{Access, TokenIssuer};
use rstest::rstest;

use super::{refusal, resolve, user};

const ISSUER: &str = "--demo-token-issuer=https://issuer.example/realms/one";
const AUDIENCE: &str = "--demo-token-audience=api";

#[test]
fn an_issuer_alone_turns_passwords_off_and_a_given_user_stays() {
    let server = resolve(&[ISSUER, AUDIENCE, "--demo-bind=0.0.0.0:1"]).expect("settings");
    let issuer = TokenIssuer {
        url: "https://issuer.example/realms/one".to_owned(),
        audience: "api".to_owned(),
        keys_file: None,
        roles_claim: "/roles".to_owned(),
    };
    assert_eq!(server.token_issuer, Some(issuer));
    assert!(matches!(server.access, Access::TokensOnly));
    assert!(server.refuse_weak_password().is_ok() && !server.exposes_development_password());

    assert_eq!(user(&resolve(&[ISSUER, AUDIENCE, "--demo-password=s3cret"]).expect("settings")), ("admin", "s3cret"));
    let users = resolve(&[ISSUER, AUDIENCE, "--demo-htpasswd-file=/users"]).expect("settings");
    assert!(matches!(users.access, Access::HtpasswdFile { .. }) && users.token_issuer.is_some());
    assert!(resolve(&[]).expect("settings").token_issuer.is_none());
}

#[rstest]
#[case::without_an_audience(&[ISSUER], "--demo-token-issuer needs --demo-token-audience")]
#[case::with_an_empty_audience(&[ISSUER, "--demo-token-audience="], "--demo-token-issuer needs --demo-token-audience")]
#[case::an_audience_alone(&[AUDIENCE], "belong to --demo-token-issuer")]
#[case::keys_alone(&["--demo-token-keys-file=/keys"], "belong to --demo-token-issuer")]
#[case::the_public_password(&[ISSUER, AUDIENCE, "--demo-username=ana"], "give --demo-password-file for --demo-username")]
#[case::no_pointer(&[ISSUER, AUDIENCE, "--demo-token-roles-claim=roles"], "want a JSON pointer")]
fn settings_that_contradict_are_refused_by_name(#[case] flags: &[&str], #[case] expected: &str) {
    let message = refusal(flags);
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case::https("https://issuer.example/", None)]
#[case::loopback("http://127.0.0.1:8080/realms/one", None)]
#[case::loopback_by_name("http://localhost:8080", None)]
#[case::http("http://issuer.example", Some("want an https URL"))]
#[case::another_scheme("file:///issuer", Some("want an https URL"))]
#[case::a_query("https://issuer.example/?tenant=1", Some("without user, query and fragment"))]
#[case::a_fragment("https://issuer.example/#one", Some("without user, query and fragment"))]
#[case::a_user("https://ana@issuer.example", Some("without user, query and fragment"))]
#[case::no_url("issuer.example", Some("relative URL without a base"))]
fn an_issuer_is_an_https_url_or_on_this_machine(#[case] url: &str, #[case] problem: Option<&str>) {
    let flag = format!("--demo-token-issuer={url}");
    match problem {
        None => {
            let issuer = resolve(&[&flag, AUDIENCE]).expect("settings").token_issuer.expect("an issuer");
            assert_eq!(issuer.url, url, "exactly");
        }
        Some(problem) => {
            let message = refusal(&[&flag, AUDIENCE]);
            assert!(message.contains(problem), "{message}");
        }
    }
}
