//! Refused tokens: how often, and what the log says of them.

use testkit::{Answer, Log};

use super::{
    issuer::{Issuer, KID},
    serve_to,
    signer::Signer,
};
use crate::guarded::basic;
use chassis::config::Access;
use serde_json::{Value, json};

/// Forged tokens of an address at once.
const BURST: usize = 100;

#[tokio::test]
async fn forged_tokens_are_throttled_and_neither_known_tokens_nor_users_wait() {
    let (signer, other) = (Signer::eddsa(), Signer::eddsa());
    let issuer = Issuer::of(&signer);
    let user = Access::User { username: "admin".to_owned(), password: "s3cret".into() };
    let api = serve_to(user, Some(issuer.setting())).await;
    let (known, unknown) = (issuer.token(&signer, KID), with_subject(&issuer, &signer, "bruno"));
    assert_eq!(api.status(&known).await, 200);
    let forged = other.sign(&json!({ "alg": "EdDSA", "kid": KID }), &issuer.claims());
    let mut refused = Vec::new();
    for _ in 0..2 * BURST {
        refused.push(api.status(&forged).await);
    }
    assert!(refused[..BURST].iter().all(|status| *status == 401), "{refused:?}");
    assert!(refused.contains(&429), "{refused:?}");
    assert_eq!(api.status(&known).await, 200);
    assert_eq!(api.ask(&basic("admin:s3cret"), "{ caller }").await.status, 200);
    while api.status(&forged).await != 429 {}
    let answer = api.ask(&format!("Bearer {unknown}"), "{ caller }").await;
    assert!(answer.status == 429 || answer.status == 200, "a token a tenth of a second: {}", answer.status);
}

#[tokio::test]
async fn an_application_that_goes_on_with_an_expired_token_locks_nobody_out() {
    let signer = Signer::eddsa();
    let issuer = Issuer::of(&signer);
    let api = super::serve(issuer.setting()).await;
    let mut claims = issuer.claims();
    claims["exp"] = 1.into();
    let expired = signer.sign(&json!({ "alg": "EdDSA", "kid": KID }), &claims);
    for _ in 0..2 * BURST {
        assert_eq!(api.status(&expired).await, 401);
    }
    assert_eq!(api.status(&issuer.token(&signer, KID)).await, 200);
}

#[tokio::test]
async fn a_refused_token_is_a_line_with_reason_address_and_subject_and_without_the_token() {
    let signer = Signer::eddsa();
    let issuer = Issuer::of(&signer);
    let api = super::serve(issuer.setting()).await;
    assert_eq!(api.status(&issuer.token(&signer, KID)).await, 200);
    let mut claims = issuer.claims();
    (claims["aud"], claims["email"]) = ("https://other.example".into(), "ana@example.org".into());
    let token = signer.sign(&json!({ "alg": "EdDSA", "kid": KID }), &claims);
    let log = Log::capture();
    assert_eq!(api.status(&token).await, 401);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("a token was refused")).expect("a line");
    for part in ["WARN", "it is for another audience", "address=127.0.0.1", "subject=\"ana\"", issuer.url()] {
        assert!(line.contains(part), "{part}: {line}");
    }
    let signature = token.rsplit('.').next().expect("a signature");
    assert!(!text.contains(signature) && !text.contains("example.org") && !text.contains("other.example"), "{text}");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_language_of_the_request() {
    let signer = Signer::eddsa();
    let issuer = Issuer::of(&signer);
    let api = super::serve(issuer.setting()).await;
    let mut claims = issuer.claims();
    claims["exp"] = 1.into();
    let token = signer.sign(&json!({ "alg": "EdDSA", "kid": KID }), &claims);
    let request = api.client().get("/graphiql").bearer_auth(token).header("accept-language", "pt-BR");
    let answer = Answer::of(request).await;
    assert_eq!(answer.body["errors"][0]["message"], "O token expirou; obtenha um novo");
}

fn with_subject(issuer: &Issuer, signer: &Signer, subject: &str) -> String {
    let mut claims: Value = issuer.claims();
    claims["sub"] = subject.into();
    signer.sign(&json!({ "alg": signer.algorithm(), "kid": KID }), &claims)
}
