//! Requests that must have no effect: mutations by GET, under another document's hash, or from another site.

use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    attack::{Attack, Evidence},
    stage::{CREDENTIALS, Stage},
    wire,
};

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new("mutations-by-get", "mutations by GET, HEAD, and a hash", |stage| {
            Box::pin(mutations_by_get(stage))
        }),
        Attack::new("poisoned-hash", "another document under a known hash", |stage| Box::pin(poisoned_hash(stage))),
        Attack::new("cross-site-forms", "forms and simple requests of another site", |stage| Box::pin(forms(stage))),
    ]
}

async fn mutations_by_get(stage: &Stage) -> anyhow::Result<Evidence> {
    let (http, url, physician) = (wire::client()?, stage.consultation.url("/graphql"), Uuid::new_v4());
    let document = start(physician);
    let hash = format!("{:x}", Sha256::digest(&document));
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } }).to_string();
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

/// The number of consultations, which an attacker's mutation would have increased.
async fn consultations_of(stage: &Stage, physician: Uuid) -> anyhow::Result<u64> {
    let query = "query ($id: UUID!) { consultations(filter: { physicianId: $id }) { totalCount } }";
    let data = stage.consultation.process.client.call(query, json!({ "id": physician })).await;
    data["consultations"]["totalCount"].as_u64().context("a count")
}
