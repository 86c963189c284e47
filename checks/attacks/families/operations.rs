//! Operations of a user that are small to send and expensive to execute.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    attack::{Attack, Evidence},
    stage::{CREDENTIALS, PHYSICIAN, Setup, Stage},
    wire::{self, many},
};

/// Limit for a refusal without execution.
const REFUSED_WITHIN: Duration = Duration::from_millis(500);
/// Enough rows to make counting expensive.
const ROWS: u32 = 100_000;

pub(crate) fn attacks() -> Vec<Attack> {
    let many_rows = Setup { consultations: ROWS, ..Setup::default() };
    vec![
        Attack::new("repeated-field", "900 copies of one field without alias", |stage| Box::pin(repeated_field(stage))),
        Attack::new(
            "repeated-counts",
            "four at once with 900 copies of an unbounded count, over 100,000 rows",
            |stage| Box::pin(repeated_counts(stage)),
        )
        .on(many_rows),
        Attack::new("aliased-counts", "40 at once with 9 aliases of an unbounded count, over 100,000 rows", |stage| {
            Box::pin(aliased_counts(stage))
        })
        .on(many_rows),
        Attack::new("entities-by-default", "_entities of a variable's default", |stage| {
            Box::pin(entities_by_default(stage))
        }),
        Attack::new("fragment-bomb", "fragments that unfold to 2^25 fields", |stage| Box::pin(fragment_bomb(stage))),
        Attack::new("deep-introspection", "introspection 12 lists deep", |stage| Box::pin(deep_introspection(stage))),
    ]
}

async fn repeated_field(stage: &Stage) -> anyhow::Result<Evidence> {
    let id = stage.consultation_of(Uuid::new_v4()).await?;
    let answer = send(stage, &repeated(&format!(r#"consultation(id: "{id}") {{ id }}"#))).await;
    Ok(Evidence::of(1).hole_if(!answer.is_refusal, format!("executed in {:.1?}", answer.time)))
}

async fn repeated_counts(stage: &Stage) -> anyhow::Result<Evidence> {
    const CONCURRENCY: usize = 4;
    let answers = at_once(stage, CONCURRENCY, repeated(&count())).await;
    let executed = answers.iter().filter(|answer| !answer.is_refusal).count();
    Ok(Evidence::of(CONCURRENCY).hole_if(executed > 0, format!("{executed} of {CONCURRENCY} were executed")))
}

async fn aliased_counts(stage: &Stage) -> anyhow::Result<Evidence> {
    const CONCURRENCY: usize = 40;
    // As many as the complexity limit allows.
    const COUNTS: usize = 9;
    let field = count();
    let fields: Vec<_> = (0..COUNTS).map(|number| format!("c{number}: {field}")).collect();
    // They may be executed one after the other or refused. The honest client's answers decide.
    at_once(stage, CONCURRENCY, format!("{{ {} }}", fields.join(" "))).await;
    Ok(Evidence::of(CONCURRENCY))
}

/// 580 objects with 20 values each, as a variable's default value. As a literal argument they are refused.
async fn entities_by_default(stage: &Stage) -> anyhow::Result<Evidence> {
    let representation = r#"{__typename:"Consultation"id:"0"}"#;
    let fields = "id physicianId patientId status startDate endDate price pendingPayment {
        status totalPrice tries nextAttemptAt lastError createdAt finishedAt consultation { id status startDate price } }";
    let document = format!(
        "query ($r: [_Any!]! = [{}]) {{ _entities(representations: $r) {{ ... on Consultation {{ {fields} }} }} }}",
        representation.repeat(580)
    );
    let answer = send(stage, &document).await;
    Ok(Evidence::of(1).hole_if(!answer.is_refusal, format!("executed in {:.1?}", answer.time)))
}

async fn fragment_bomb(stage: &Stage) -> anyhow::Result<Evidence> {
    let fragment = |level: u32| format!("fragment f{level} on Query {{ ...f{} ...f{} }} ", level + 1, level + 1);
    let fragments: String = (0..25).map(fragment).collect();
    let document = format!("{{ ...f0 }} {fragments} fragment f25 on Query {{ __typename }}");
    refused_at_once(stage, &document).await
}

async fn deep_introspection(stage: &Stage) -> anyhow::Result<Evidence> {
    let document =
        format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type { ".repeat(12), "} }".repeat(12));
    refused_at_once(stage, &document).await
}

async fn refused_at_once(stage: &Stage, document: &str) -> anyhow::Result<Evidence> {
    let answer = send(stage, document).await;
    let is_held = answer.is_refusal && answer.time < REFUSED_WITHIN;
    Ok(Evidence::of(1).hole_if(!is_held, format!("answered after {:.1?}, refused: {}", answer.time, answer.is_refusal)))
}

/// One field 900 times: 30 spreads of a fragment that has it 30 times.
fn repeated(field: &str) -> String {
    format!("{{ {} }} fragment f on Query {{ {} }}", "...f ".repeat(30), format!("{field} ").repeat(30))
}

fn count() -> String {
    format!(r#"consultations(first: 1, filter: {{ physicianId: "{PHYSICIAN}" }}) {{ totalCount }}"#)
}

/// The result of an operation.
struct Answer {
    /// Not executed: it is too large, or too many others are executed.
    is_refusal: bool,
    time: Duration,
}

async fn at_once(stage: &Stage, count: usize, document: String) -> Vec<Answer> {
    let url = stage.consultation.url("/graphql");
    many(count, |_| answer(url.clone(), document.clone())).await
}

async fn send(stage: &Stage, document: &str) -> Answer {
    answer(stage.consultation.url("/graphql"), document.to_owned()).await
}

async fn answer(url: String, document: String) -> Answer {
    let asked = Instant::now();
    let post = async {
        let request = wire::client()?.post(url).header("authorization", CREDENTIALS);
        let request = request.header("accept", "application/graphql-response+json");
        let request = request.header("content-type", "application/json").body(json!({ "query": document }).to_string());
        let answer = request.send().await?;
        let status = answer.status();
        answer.bytes().await?;
        anyhow::Ok(status)
    };
    let is_refusal = post.await.is_ok_and(|status| {
        status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT || status == StatusCode::SERVICE_UNAVAILABLE
    });
    Answer { is_refusal, time: asked.elapsed() }
}
