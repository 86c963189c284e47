//! Requests that break the rules of HTTP or GraphQL, or come from a page of another site. None may have an effect.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    attack::{Attack, Evidence},
    stage::{CREDENTIALS, Stage},
    wire,
};

/// A refusal comes at once.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new("malformed", "30 malformed requests without credentials", |stage| Box::pin(malformed(stage))),
        Attack::new("smuggling", "Content-Length beside Transfer-Encoding, and two lengths", |stage| {
            Box::pin(smuggling(stage))
        }),
        Attack::new("mutations-by-get", "mutations by GET, HEAD, and a hash", |stage| {
            Box::pin(mutations_by_get(stage))
        }),
        Attack::new("poisoned-hash", "another document under a known hash", |stage| Box::pin(poisoned_hash(stage))),
        Attack::new("cross-site-forms", "forms and simple requests of another site", |stage| Box::pin(forms(stage))),
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
        let status = wire::status(&wire::receive(&mut connection, Duration::from_millis(100)).await);
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

async fn mutations_by_get(stage: &Stage) -> anyhow::Result<Evidence> {
    let (http, url, physician) = (wire::client()?, stage.consultation.url("/graphql"), Uuid::new_v4());
    let document = start(physician);
    let hash = format!("{:x}", Sha256::digest(&document));
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } }).to_string();
    // The hash becomes known by a POST that does not execute it, since a variable is missing there.
    let with = |query: &[(&str, &str)]| {
        let url = reqwest::Url::parse_with_params(&url, query).expect("a URL");
        [http.get(url.clone()), http.head(url)].map(|request| request.header("authorization", CREDENTIALS))
    };
    let by_text = with(&[("query", &document)]);
    let with_hash = with(&[("query", &document), ("extensions", &extensions)]);
    let by_hash = with(&[("extensions", &extensions)]);
    for request in by_text.into_iter().chain(with_hash).chain(by_hash) {
        request.send().await?;
    }
    let started = consultations_of(stage, physician).await?;
    Ok(Evidence::of(6).hole_if(started > 0, format!("{started} mutations ran")))
}

async fn poisoned_hash(stage: &Stage) -> anyhow::Result<Evidence> {
    let http = wire::client()?;
    let (good, bad) = ("{ consultations(first: 1) { totalCount } }", "{ pendingPayments(first: 1) { totalCount } }");
    let hash = format!("{:x}", Sha256::digest(good));
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let send = |body: Value| {
        http.post(stage.consultation.url("/graphql"))
            .header("authorization", CREDENTIALS)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
    };
    send(json!({ "query": bad, "extensions": extensions })).await?;
    let answer = send(json!({ "extensions": extensions })).await?.text().await?;
    Ok(Evidence::of(2).hole_if(answer.contains("pendingPayments"), "the hash names the other document"))
}

async fn forms(stage: &Stage) -> anyhow::Result<Evidence> {
    let (http, physician) = (wire::client()?, Uuid::new_v4());
    let graphql = json!({ "query": start(physician) }).to_string();
    let rest = json!({ "physician_id": physician, "patient_id": Uuid::new_v4() }).to_string();
    let pages = [
        ("text/plain", true),
        ("application/x-www-form-urlencoded", true),
        ("application/json", true),
        ("text/plain", false),
    ];
    for (content_type, has_origin) in pages {
        for (path, body) in [("/graphql", &graphql), ("/app/consultation/start/", &rest)] {
            // The predecessor's clients send no origin, and any content type.
            if !has_origin && path != "/graphql" {
                continue;
            }
            let request = http.post(stage.consultation.url(path)).header("authorization", CREDENTIALS);
            let request = request.header("content-type", content_type).body(body.clone());
            let request = if has_origin { request.header("origin", "https://evil.example") } else { request };
            request.send().await?;
        }
    }
    let started = consultations_of(stage, physician).await?;
    Ok(Evidence::of(7).hole_if(started > 0, format!("{started} mutations ran")))
}

fn start(physician: Uuid) -> String {
    let patient = Uuid::new_v4();
    format!(
        r#"mutation {{ startConsultation(input: {{ physicianId: "{physician}", patientId: "{patient}" }}) {{ consultation {{ id }} }} }}"#
    )
}

/// How many there are: what an attacker's mutation would have added.
async fn consultations_of(stage: &Stage, physician: Uuid) -> anyhow::Result<u64> {
    let query = "query ($id: UUID!) { consultations(filter: { physicianId: $id }) { totalCount } }";
    let data = stage.consultation.process.client.call(query, json!({ "id": physician })).await;
    data["consultations"]["totalCount"].as_u64().context("a count")
}
