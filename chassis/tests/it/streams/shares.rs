//! Users share the places for subscriptions.

use std::io::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use chassis::{config::Access, gate::connections::Limits};
use serde_json::json;
use tempfile::NamedTempFile;
use testkit::Socket;

use super::serve_to;

/// The lowest: nothing here is about passwords.
const COST: u32 = 4;
/// Operations of a socket.
const OPERATIONS: usize = 100;

async fn socket_of(user: &str, base: &str) -> Socket {
    let credentials = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:secret")));
    let mut socket = Socket::connect(base, &[("authorization", &credentials)]).await.expect("an upgrade");
    socket.send(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.next().await["type"], "connection_ack");
    socket
}

#[tokio::test]
async fn one_user_leaves_subscriptions_for_others() {
    let mut users = NamedTempFile::new().expect("a file");
    let hash = bcrypt::hash("secret", COST).expect("a hash");
    write!(users, "greedy:{hash}\nmodest:{hash}\n").expect("written");
    let api = serve_to(&Access::HtpasswdFile { users: users.path().to_owned(), groups: None }, Limits::default());
    let base = &api.service.client.base;

    let (mut sockets, mut running) = (Vec::new(), 0);
    for _ in 0..10 {
        let mut socket = socket_of("greedy", base).await;
        for number in 0..OPERATIONS {
            socket.subscribe(&number.to_string(), "subscription { oneAndNoMore }", json!({})).await;
        }
        for _ in 0..OPERATIONS {
            let answer = socket.next().await;
            running += usize::from(answer["type"] == "next");
            if answer["type"] == "error" {
                assert_eq!(answer["payload"][0]["extensions"]["code"], "OVERLOADED");
            }
        }
        sockets.push(socket);
    }
    assert_eq!(running, 500);

    let mut modest = socket_of("modest", base).await;
    modest.subscribe("a", "subscription { oneAndNoMore }", json!({})).await;
    assert_eq!(modest.next().await["type"], "next");
}
