//! An issuer that is away, slow, or not what it should be.

use rstest::rstest;
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::Answer;

use super::{
    issuer::{Behaviour, Issuer, KID},
    serve,
    signer::Signer,
};

#[rstest]
#[case::away(Behaviour::Away)]
#[case::lying(Behaviour::Lying)]
#[case::exposed(Behaviour::Exposed)]
#[case::huge(Behaviour::Huge)]
#[case::silent(Behaviour::Silent)]
#[tokio::test]
async fn without_keys_tokens_wait_in_vain_and_pass_once_the_issuer_is_there(#[case] behaviour: Behaviour) {
    let signer = Signer::eddsa();
    let issuer = Issuer::with(vec![signer.jwk(KID)], behaviour);
    let api = serve(issuer.setting()).await;
    let token = issuer.token(&signer, KID);
    let begin = Instant::now();
    let answer = api.ask(&format!("Bearer {token}"), "mutation { touch }").await;
    assert!(begin.elapsed() < Duration::from_secs(9), "{:?}", begin.elapsed());
    assert_eq!((answer.status, answer.code()), (503, "UNAVAILABLE"));
    assert_eq!(answer.headers["retry-after"], "5");
    assert_eq!((api.touched(), issuer.fetches(), api.keys_read_at()), (0, 0, Some(0)));
    assert_eq!(Answer::of(api.client().get("/livez")).await.status, 200, "the issuer is no part of the service");

    issuer.becomes(Behaviour::Honest);
    while api.status(&token).await != 200 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(api.keys_read_at() > Some(0));
}

#[rstest]
#[case::away(Behaviour::Away)]
#[case::lying(Behaviour::Lying)]
#[case::huge(Behaviour::Huge)]
#[tokio::test]
async fn old_keys_stay_while_the_issuer_has_none_to_give(#[case] behaviour: Behaviour) {
    let signer = Signer::es256();
    let issuer = Issuer::of(&signer);
    let api = serve(issuer.setting()).await;
    assert_eq!(api.status(&issuer.token(&signer, KID)).await, 200);
    issuer.becomes(behaviour);
    // An unknown key makes the service ask.
    assert_eq!(api.status(&issuer.token(&signer, "unknown")).await, 401);
    assert_eq!(api.status(&issuer.token(&signer, KID)).await, 200);
}

#[tokio::test]
async fn an_issuer_that_publishes_no_usable_key_withdraws_none() {
    let signer = Signer::es256();
    let issuer = Issuer::of(&signer);
    let api = serve(issuer.setting()).await;
    assert_eq!(api.status(&issuer.token(&signer, KID)).await, 200);
    issuer.rotate_to(vec![json!({ "kty": "oct", "k": "c2VjcmV0" })]);
    assert_eq!(api.status(&issuer.token(&signer, "unknown")).await, 401);
    assert_eq!(api.status(&issuer.token(&signer, KID)).await, 200);
}
