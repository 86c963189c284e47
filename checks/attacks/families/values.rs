//! Well-formed values that make no sense.

use serde_json::json;
use uuid::Uuid;

use crate::{
    attack::{Attack, Evidence},
    stage::Stage,
};

pub(crate) fn attacks() -> Vec<Attack> {
    vec![Attack::new("year-2500", "an end date in the year 2500", |stage| Box::pin(year_2500(stage)))]
}

async fn year_2500(stage: &Stage) -> anyhow::Result<Evidence> {
    let id = stage.consultation_of(Uuid::new_v4()).await?;
    let finish =
        "mutation ($input: FinishConsultationInput!) { finishConsultation(input: $input) { consultation { price } } }";
    let input = json!({ "consultationId": id, "endDate": "2500-01-01T00:00:00Z" });
    let answer = stage.consultation.process.client.send(finish, json!({ "input": input })).await;
    let price = answer.body["data"]["finishConsultation"]["consultation"]["price"].as_str().unwrap_or_default();
    Ok(Evidence::of(1).hole_if(!price.is_empty(), format!("{price} are charged")))
}
