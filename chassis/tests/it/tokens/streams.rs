//! Streams end with the token that opened them.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Events, Socket};

use super::{
    Api,
    issuer::{Issuer, KID},
    serve,
    signer::Signer,
};

/// Seconds after `exp` until which a token is accepted.
const LEEWAY: i64 = 30;

/// A service, and a token that it accepts for two more seconds.
async fn soon_expired() -> (Issuer, Api, String) {
    let signer = Signer::eddsa();
    let issuer = Issuer::of(&signer);
    let api = serve(issuer.setting()).await;
    assert_eq!(api.status(&issuer.token(&signer, KID)).await, 200, "the keys are there");
    let mut claims = issuer.claims();
    claims["exp"] = (claims["nbf"].as_i64().expect("a time") - LEEWAY + 2).into();
    let token = signer.sign(&json!({ "alg": "EdDSA", "kid": KID }), &claims);
    (issuer, api, format!("Bearer {token}"))
}

#[rstest]
#[case::in_the_upgrade(true)]
#[case::in_the_first_message(false)]
#[tokio::test]
async fn a_websocket_ends_when_its_token_expires(#[case] in_upgrade: bool) {
    let (_issuer, api, authorization) = soon_expired().await;
    let header = [("authorization", authorization.as_str())];
    let headers = if in_upgrade { &header[..] } else { &[] };
    let payload = if in_upgrade { Value::Null } else { json!({ "Authorization": authorization }) };
    let mut socket = Socket::connect(&api.client().base, headers).await.expect("an upgrade");
    socket.send(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(socket.next().await, json!({ "type": "connection_ack" }));
    socket.subscribe("a", "subscription { oneAndNoMore }", json!({})).await;
    assert_eq!(socket.next().await["payload"]["data"]["oneAndNoMore"], 1);
    assert_eq!(socket.closed().await, 4403);
    assert_eq!(Socket::connect(&api.client().base, &header).await.expect_err("refused").as_u16(), 401);
}

#[tokio::test]
async fn events_end_when_their_token_expires() {
    let (_issuer, api, authorization) = soon_expired().await;
    let request = api.client().post().header("authorization", &authorization);
    let request = request.header("content-type", "application/json");
    let mut events = Events::of(request.body(r#"{"query": "subscription { oneAndNoMore }"}"#)).await;
    assert_eq!(events.next().await, Some(json!({ "data": { "oneAndNoMore": 1 } })));
    assert_eq!(events.next().await, None);
    let answer = api.ask(&authorization, "{ caller }").await;
    assert_eq!(answer.status, 401, "though it was remembered");
    assert!(answer.body.to_string().contains("has expired; get a new one"), "{}", answer.body);
}
