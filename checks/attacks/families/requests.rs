//! Requests that violate HTTP, with credentials or without.

use std::time::Duration;

use crate::{
    attack::{Attack, Evidence},
    stage::{CREDENTIALS, Stage},
    wire,
};

/// Limit for a refusal.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
/// Limit for each of many refusals.
const REFUSED_WITHIN: Duration = Duration::from_millis(100);

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new("malformed", "18 malformed requests without credentials", |stage| Box::pin(malformed(stage))),
        Attack::new("smuggling", "Content-Length beside Transfer-Encoding, and two lengths", |stage| {
            Box::pin(smuggling(stage))
        }),
    ]
}

async fn malformed(stage: &Stage) -> anyhow::Result<Evidence> {
    let address = stage.consultation.address;
    let long = "a".repeat(100_000);
    let requests: [&str; 15] = [
        "GARBAGE\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /graphql HTTP/1.1\r\n\r\n",
        "GET /graphql HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /graphql HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
        "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{",
        "GET /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Basic !!!\r\n\r\n",
        "GET /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Basic\r\n\r\n",
        "GET /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n",
        "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /graphql?query={__typename} HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
        "GET /graphql HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ];
    let with_long = [
        format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {long}\r\n\r\n"),
        format!("GET /graphql HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(500)),
    ];
    let mut evidence = Evidence::default();
    for request in requests.into_iter().chain(with_long.iter().map(String::as_str)) {
        let mut connection = wire::connect(address).await?;
        wire::send(&mut connection, request.as_bytes()).await;
        let status = wire::status(&wire::receive(&mut connection, REFUSED_WITHIN).await);
        let is_refused = status.is_none_or(|status| (400..500).contains(&status) || status == 505);
        let begin: String = request.chars().take(60).collect();
        evidence = evidence.hole_if(!is_refused, format!("{begin:?} is answered with {status:?}"));
        evidence.requests += 1;
    }
    Ok(evidence)
}

async fn smuggling(stage: &Stage) -> anyhow::Result<Evidence> {
    let address = stage.consultation.address;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: {CREDENTIALS}\r\nContent-Type: application/json\r\n"
    );
    let body = r#"{"query":"{__typename}"}"#;
    let smuggled = format!("GET /schema.graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: {CREDENTIALS}\r\n\r\n");
    let both = format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 5 + smuggled.len());
    let two =
        format!("Content-Length: {}\r\nContent-Length: {}\r\n\r\n{body}", body.len(), body.len() + smuggled.len());
    let folded = format!("Content-Length: {}\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n{body}", body.len());
    let mut evidence = Evidence::of(3);
    for (name, rest) in [("both", both), ("two lengths", two), ("a folded header", folded)] {
        let mut connection = wire::connect(address).await?;
        wire::send(&mut connection, [&head, &rest, &smuggled].map(String::as_str).concat().as_bytes()).await;
        let answer = wire::receive(&mut connection, ANSWERED_WITHIN).await;
        let has_schema = String::from_utf8_lossy(&answer).contains("type Mutation");
        evidence = evidence.hole_if(has_schema, format!("{name}: what was smuggled is answered"));
    }
    Ok(evidence)
}
