//! The issuer's keys: rotated, withdrawn, unknown, from a file.

use std::fs;

use chassis::{
    config::{Access, TokenIssuer},
    gate::logins::Authenticator,
};
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use testkit::Socket;

use super::{
    issuer::{Issuer, KID},
    serve,
    signer::Signer,
};

#[tokio::test]
async fn a_new_key_is_fetched_when_the_first_token_names_it_and_the_old_one_goes_on() {
    let (old, new) = (Signer::rs256(), Signer::es256());
    let issuer = Issuer::of(&old);
    let api = serve(issuer.setting()).await;
    let before = issuer.token(&old, KID);
    assert_eq!(api.status(&before).await, 200);
    issuer.rotate_to(vec![old.jwk(KID), new.jwk("two")]);
    let statuses = (0..20).map(|_| async { api.status(&issuer.token(&new, "two")).await });
    assert!(join_all(statuses).await.iter().all(|status| *status == 200), "all wait for the one fetch");
    assert_eq!((api.status(&before).await, api.status(&issuer.token(&old, KID)).await), (200, 200));
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn tokens_and_streams_of_a_withdrawn_key_end() {
    let (old, new) = (Signer::es256(), Signer::eddsa());
    let issuer = Issuer::of(&old);
    let api = serve(issuer.setting()).await;
    let token = issuer.token(&old, KID);
    assert_eq!(api.status(&token).await, 200);
    let authorization = format!("Bearer {token}");
    let mut socket =
        Socket::connect(&api.client().base, &[("authorization", &authorization)]).await.expect("an upgrade");
    socket.send(json!({ "type": "connection_init" })).await;
    assert!(socket.is_acknowledged().await);
    issuer.rotate_to(vec![new.jwk("two")]);
    assert_eq!(api.status(&issuer.token(&new, "two")).await, 200);
    assert_eq!(socket.closed().await, 4403);
    assert_eq!(api.status(&token).await, 401, "though it was remembered");
}

#[tokio::test]
async fn a_flood_of_unknown_keys_makes_one_fetch() {
    let (known, unknown) = (Signer::eddsa(), Signer::eddsa());
    let issuer = Issuer::of(&known);
    let api = serve(issuer.setting()).await;
    assert_eq!(api.status(&issuer.token(&known, KID)).await, 200);
    assert_eq!(issuer.fetches(), 1);
    let tokens: Vec<_> = (0..60).map(|key| issuer.token(&unknown, &key.to_string())).collect();
    let statuses = join_all(tokens.iter().map(|token| api.status(token))).await;
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    assert_eq!(issuer.fetches(), 2);
    assert_eq!(api.status(&issuer.token(&known, KID)).await, 200);
}

#[tokio::test]
async fn keys_of_other_kinds_and_purposes_are_ignored() {
    let signer = Signer::es256();
    let issuer = Issuer::of(&signer);
    let with = |name: &str, value: &str| {
        let mut key = signer.jwk(KID);
        key[name] = value.into();
        key
    };
    for key in [with("use", "enc"), with("alg", "ES384"), with("crv", "P-384"), with("kty", "RSA"), with("x", "!")] {
        issuer.rotate_to(vec![key.clone(), Signer::eddsa().jwk("another")]);
        let api = serve(issuer.setting()).await;
        assert_eq!(api.status(&issuer.token(&signer, KID)).await, 401, "{key}");
    }
}

#[tokio::test]
async fn keys_come_from_a_file_and_the_issuer_is_not_asked() {
    let signer = Signer::rs256();
    let issuer = Issuer::of(&signer);
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), json!({ "keys": [signer.jwk(KID)] }).to_string()).expect("written");
    let api = serve(TokenIssuer { keys_file: Some(file.path().to_owned()), ..issuer.setting() }).await;
    assert_eq!(api.status(&issuer.token(&signer, KID)).await, 200);
    assert_eq!(api.status(&issuer.token(&Signer::rs256(), "unknown")).await, 401);
    assert_eq!(issuer.fetches(), 0);

    // It is read again while the service runs.
    let new = Signer::eddsa();
    fs::write(file.path(), json!({ "keys": [new.jwk("new")] }).to_string()).expect("written");
    let token = issuer.token(&new, "new");
    while api.status(&token).await != 200 {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(api.status(&issuer.token(&signer, KID)).await, 401);
}

#[rstest]
#[case::missing(None, "cannot read")]
#[case::no_json(Some("keys"), "want a JWKS")]
#[case::no_key(Some("{\"keys\": []}"), "no key for RS256, ES256 or EdDSA")]
#[case::a_key(Some("{\"kty\": \"OKP\"}"), "want a JWKS")]
#[tokio::test]
async fn a_file_without_usable_keys_keeps_a_service_from_starting(#[case] text: Option<&str>, #[case] problem: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("keys.json");
    if let Some(text) = text {
        fs::write(&file, text).expect("written");
    }
    let issuer = Issuer::of(&Signer::eddsa());
    let setting = TokenIssuer { keys_file: Some(file.clone()), ..issuer.setting() };
    let users = Authenticator::new("demo", &Access::TokensOnly, &[]).expect("nobody");
    let error = format!("{:#}", users.with_issuer(&setting).expect_err("refused"));
    assert!(error.contains(problem) && error.contains(&file.display().to_string()), "{error}");
}
