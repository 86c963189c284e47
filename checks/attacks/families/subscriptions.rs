//! Users who take all subscriptions, or make each of them expensive.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    time::{sleep, timeout},
};
use uuid::Uuid;

use crate::{
    attack::{Attack, Evidence},
    stage::{CREDENTIALS, Setup, Stage},
    wire::websocket,
};

/// Limit for the first event of a subscription, or its refusal.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new("all-subscriptions", "1,100 subscriptions of one user over 11 sockets", |stage| {
            Box::pin(all_subscriptions(stage))
        })
        .on(Setup { users: Some(users), ..Setup::default() }),
        Attack::new("long-ids", "500 subscriptions with ids of 240 kB", |stage| Box::pin(long_ids(stage))),
    ]
}

fn users() -> anyhow::Result<String> {
    // The lowest cost: this attack is not about passwords.
    const COST: u32 = 4;
    Ok(format!("admin:{}\ngreedy:{}", bcrypt::hash("teste123", COST)?, bcrypt::hash("secret", COST)?))
}

async fn all_subscriptions(stage: &Stage) -> anyhow::Result<Evidence> {
    /// With 100 operations each they ask for more than all places.
    const SOCKETS: usize = 11;
    let id = stage.consultation_of(Uuid::new_v4()).await?;
    let greedy = format!("Basic {}", BASE64_STANDARD.encode("greedy:secret"));
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        let mut socket = websocket::introduced(stage.consultation.address, &greedy).await?;
        for number in 0..100 {
            // A closed socket is a refusal.
            let _ = socket.write_all(&websocket::follow(&number.to_string(), &id)).await;
        }
        sockets.push(socket);
    }
    sleep(ANSWERED_WITHIN).await;
    let request = chassis::http_client::builder().build()?.post(stage.consultation.url("/graphql"));
    let request = request.header("authorization", CREDENTIALS).header("accept", "text/event-stream");
    let body = json!({ "query": "subscription ($id: ID!) { consultationChanged(id: $id) { id } }", "variables": { "id": id } });
    let mut events = request.header("content-type", "application/json").body(body.to_string()).send().await?;
    let first = timeout(ANSWERED_WITHIN, events.chunk()).await.ok().and_then(Result::ok).flatten();
    let first = String::from_utf8_lossy(&first.unwrap_or_default()).into_owned();
    Ok(Evidence::of(100 * SOCKETS).hole_if(first.contains("OVERLOADED"), "another user gets no subscription"))
}

async fn long_ids(stage: &Stage) -> anyhow::Result<Evidence> {
    let id = stage.consultation_of(Uuid::new_v4()).await?;
    let mut sockets = Vec::new();
    for socket_number in 0..5 {
        let mut socket = websocket::introduced(stage.consultation.address, CREDENTIALS).await?;
        for number in 0..100 {
            let long = format!("{}{socket_number}.{number}", "a".repeat(240_000));
            let _ = timeout(ANSWERED_WITHIN, socket.write_all(&websocket::follow(&long, &id))).await;
        }
        sockets.push(socket);
    }
    Ok(Evidence::of(500))
}
