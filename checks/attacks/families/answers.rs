//! Large answers, and clients that do not read them.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{
    attack::{Attack, Evidence},
    gauge,
    stage::{CREDENTIALS, Stage},
    wire::{self, http2, many},
};

/// The largest answer of the services.
const MAX_ANSWER: usize = 1024 * 1024;
/// Time for which answers stay unread. The service makes them meanwhile.
const HELD_FOR: Duration = Duration::from_secs(2);
/// The service closes a connection that reads nothing within this time.
const ENDED_WITHIN: Duration = Duration::from_secs(40);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new("large-answers", "20 answers of 5.9 MB, asked for by hash", |stage| Box::pin(large_answers(stage))),
        Attack::new("untaken-http2", "60 of these on HTTP/2 streams with a window of 0", |stage| {
            Box::pin(untaken_http2(stage))
        }),
        Attack::new("untaken-http1", "40 of these, by HTTP/1 clients that do not read", |stage| {
            Box::pin(untaken_http1(stage))
        }),
        Attack::new("untaken-assets", "GraphiQL's script, unpacked, on 200 streams with a window of 0", |stage| {
            Box::pin(untaken_assets(stage))
        }),
        Attack::new("untaken-events", "an event stream that is not read", |stage| Box::pin(untaken_events(stage))),
    ]
}

async fn large_answers(stage: &Stage) -> anyhow::Result<Evidence> {
    const TIMES: usize = 20;
    let by_hash = remembered(stage).await?;
    let (http, url) = (wire::client()?, stage.consultation.url("/graphql"));
    let sizes = many(TIMES, |_| {
        let request = http.post(&url).header("authorization", CREDENTIALS).header("content-type", "application/json");
        let request = request.body(by_hash.clone());
        async move { anyhow::Ok(request.send().await?.bytes().await?.len()) }
    });
    let largest = sizes.await.into_iter().filter_map(Result::ok).max().unwrap_or_default();
    Ok(Evidence::of(TIMES + 1).hole_if(largest > MAX_ANSWER, format!("an answer of {largest} bytes")))
}

async fn untaken_http2(stage: &Stage) -> anyhow::Result<Evidence> {
    const STREAMS: usize = 60;
    let by_hash = remembered(stage).await?;
    let mut connection = http2::Connection::open(stage.consultation.address, 0).await?;
    for _ in 0..STREAMS {
        let fields = [("authorization", CREDENTIALS), ("content-type", "application/json")];
        connection.request("/graphql", &fields, Some(&by_hash)).await;
    }
    sleep(HELD_FOR).await;
    Ok(Evidence::of(STREAMS + 1))
}

async fn untaken_http1(stage: &Stage) -> anyhow::Result<Evidence> {
    const CLIENTS: usize = 40;
    let (address, by_hash) = (stage.consultation.address, remembered(stage).await?);
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: {CREDENTIALS}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{by_hash}",
        by_hash.len()
    );
    let clients = many(CLIENTS, |_| {
        let request = request.clone();
        async move {
            let mut client = wire::connect_without_reading(address).await.ok()?;
            wire::send(&mut client, request.as_bytes()).await.then_some(client)
        }
    });
    let clients = clients.await;
    sleep(HELD_FOR).await;
    Ok(Evidence::of(clients.len() + 1))
}

async fn untaken_assets(stage: &Stage) -> anyhow::Result<Evidence> {
    const STREAMS: usize = 200;
    let page = wire::client()?.get(stage.consultation.url("/graphiql")).header("authorization", CREDENTIALS);
    let page = page.send().await?.text().await?;
    let mut files = page.split('"').filter(|text| text.starts_with("graphiql/") && text.ends_with("graphiql.min.js"));
    let script =
        files.next().context("GraphiQL is not embedded in these programs; build with GRAPHIQL_ASSETS=embed")?;
    let script = format!("/{script}");
    let mut connection = http2::Connection::open(stage.consultation.address, 0).await?;
    for _ in 0..STREAMS {
        connection.request(&script, &[("authorization", CREDENTIALS), ("accept-encoding", "identity")], None).await;
    }
    sleep(HELD_FOR).await;
    Ok(Evidence::of(STREAMS + 1))
}

/// Events of 4 kB each, within all limits, until the kernel's buffers are full.
async fn untaken_events(stage: &Stage) -> anyhow::Result<Evidence> {
    const EVENTS: usize = 2_000;
    let (client_of_finance, address) = (&stage.finance.process.client, stage.finance.address);
    let fields: Vec<_> = (0..29).map(|number| format!("{}{number}: id", "a".repeat(95))).collect();
    let body = json!({ "query": format!("subscription {{ paymentRecorded {{ {} }} }}", fields.join(" ")) }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: {CREDENTIALS}\r\nContent-Type: application/json\r\n\
         Accept: text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut client = wire::connect_without_reading(address).await?;
    wire::send(&mut client, request.as_bytes()).await;
    let record =
        "mutation ($input: RecordPaymentsInput!) { recordPayments(input: $input) { userErrors { __typename } } }";
    for _ in 0..EVENTS / 100 {
        let payments: Vec<_> =
            (0..100).map(|_| json!({ "appointmentId": Uuid::new_v4(), "totalPrice": "1.00" })).collect();
        client_of_finance.call(record, json!({ "input": { "payments": payments } })).await;
    }
    let (began, client_address) = (Instant::now(), client.local_addr()?);
    while gauge::is_established(address, client_address)? && began.elapsed() < ENDED_WITHIN {
        sleep(POLL_INTERVAL).await;
    }
    let is_open = began.elapsed() >= ENDED_WITHIN;
    Ok(Evidence::of(1 + EVENTS / 100).hole_if(is_open, format!("open after {} s", ENDED_WITHIN.as_secs())))
}

/// Registers the document. Returns the request that names it by its hash.
async fn remembered(stage: &Stage) -> anyhow::Result<String> {
    stage.a_page_of_consultations().await?;
    let fields: Vec<_> = (0..29).map(|number| format!("{}{number}: id", "a".repeat(2_000))).collect();
    let document = format!("{{ consultations(first: 100) {{ edges {{ node {{ {} }} }} }} }}", fields.join(" "));
    let hash = format!("{:x}", Sha256::digest(&document));
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let by_hash = json!({ "extensions": extensions });
    let known = json!({ "query": document, "extensions": extensions, "variables": Value::Null });
    let request = wire::client()?.post(stage.consultation.url("/graphql")).header("authorization", CREDENTIALS);
    request.header("content-type", "application/json").body(known.to_string()).send().await?.bytes().await?;
    Ok(by_hash.to_string())
}
