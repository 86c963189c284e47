//! Upgrades to WebSockets: the protocol, the origin, and credentials.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::Socket;
use tokio::time::{Duration, Instant};

use super::{RIGHT, WRONG, serve, serve_until};

#[rstest]
#[case::at_the_upgrade(Some(RIGHT), json!(null))]
#[case::later(None, json!({ "Authorization": RIGHT }))]
#[case::later_in_lower_case(None, json!({ "authorization": RIGHT }))]
#[tokio::test]
async fn credentials_come_with_the_upgrade_or_with_the_introduction(
    #[case] header: Option<&str>,
    #[case] payload: Value,
) {
    let api = serve();
    let headers: Vec<_> = header.map(|value| ("authorization", value)).into_iter().collect();
    let mut socket = Socket::connect(&api.client.base, &headers).await.expect("an upgrade");
    socket.send(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(socket.next().await, json!({ "type": "connection_ack" }));
}

#[rstest]
#[case(json!(null))]
#[case(json!({}))]
#[case(json!([1]))]
#[case(json!({ "Authorization": WRONG }))]
#[case(json!({ "Authorization": "\n" }))]
#[case(json!({ "Authorization": { "Basic": "YWRtaW46dGVzdGUxMjM=" } }))]
#[tokio::test]
async fn without_credentials_the_connection_is_closed(#[case] payload: Value) {
    let api = serve();
    let mut socket = Socket::connect(&api.client.base, &[]).await.expect("an upgrade");
    socket.send(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(socket.closed().await, 4403);
}

#[rstest]
#[case::wrong_credentials(&[("authorization", WRONG)], 401)]
#[case::another_site(&[("authorization", RIGHT), ("origin", "https://evil.example")], 403)]
#[case::a_file(&[("authorization", RIGHT), ("origin", "null")], 403)]
#[case::another_site_without_credentials(&[("sec-fetch-site", "cross-site")], 403)]
#[case::another_service_of_the_domain(&[("sec-fetch-site", "same-site")], 403)]
#[tokio::test]
async fn an_upgrade_is_refused(#[case] headers: &[(&str, &str)], #[case] status: u16) {
    let api = serve();
    let refused = Socket::connect(&api.client.base, headers).await.expect_err("a refusal");
    assert_eq!(refused.as_u16(), status);
}

#[tokio::test]
async fn a_page_of_the_same_origin_may_connect() {
    let api = serve();
    let base = &api.client.base;
    assert!(Socket::connect(base, &[("authorization", RIGHT), ("origin", base)]).await.is_ok());
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let api = serve();
    for path in ["/graphql", "/graphql/"] {
        let upgrade = api.client.get(path).basic_auth("admin", Some("teste123"));
        let upgrade = upgrade.header("connection", "upgrade").header("upgrade", "websocket");
        let upgrade =
            upgrade.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").header("sec-websocket-version", "13");
        let answer = upgrade.header("sec-websocket-protocol", "graphql-ws").send().await.expect("an answer");
        assert_eq!(answer.status(), 400);
        assert!(answer.text().await.expect("a text").contains("graphql-transport-ws"));
    }
}

#[tokio::test]
async fn a_connection_ends_when_its_credentials_expire() {
    let api = serve();
    let mut socket = Socket::introduced(&api.client.base).await;
    api.expired.cancel();
    assert_eq!(socket.closed().await, 4403);
}

#[tokio::test]
async fn a_connection_ends_at_the_time_its_credentials_expire() {
    let api = serve_until(Some(Instant::now() + Duration::from_secs(1)));
    let mut socket = Socket::introduced(&api.client.base).await;
    assert_eq!(socket.closed().await, 4403);
}

#[tokio::test]
async fn a_resolver_knows_the_caller() {
    let api = serve();
    let mut socket = Socket::introduced(&api.client.base).await;
    socket.subscribe("a", "{ caller }", json!({})).await;
    assert_eq!(socket.next().await["payload"]["data"]["caller"], "admin");
    assert_eq!(api.client.call("{ caller }", json!({})).await["caller"], "admin");
}
