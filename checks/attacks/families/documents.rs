//! Documents that fill the caches, parsed or by their hash.

use serde_json::json;

use crate::{
    attack::{Attack, Evidence},
    stage::{CREDENTIALS, Stage},
    wire,
};

pub(crate) fn attacks() -> Vec<Attack> {
    vec![Attack::new("parsed-documents", "150 documents of 4 kB with 2,000 fields each", |stage| {
        Box::pin(parsed_documents(stage))
    })]
}

/// A parsed document takes a hundred times its text. They are sent one after the other: the attack is on what stays.
async fn parsed_documents(stage: &Stage) -> anyhow::Result<Evidence> {
    const DOCUMENTS: usize = 150;
    let (http, url) = (wire::client()?, stage.consultation.url("/graphql"));
    for number in 0..DOCUMENTS {
        let document = format!("{{ {}}} # {number}", "a ".repeat(1_990));
        let request = http.post(&url).header("authorization", CREDENTIALS).header("content-type", "application/json");
        request.body(json!({ "query": document }).to_string()).send().await?;
    }
    Ok(Evidence::of(DOCUMENTS))
}
