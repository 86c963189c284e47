//! The calls of the honest client: it starts and finishes consultations, and reads both services. Each call has a
//! connection of its own, because an attack may prevent new connections.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{bail, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::Stage;

/// A client gives up after this time.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

const START: &str = "mutation ($input: StartConsultationInput!) { startConsultation(input: $input) {
    consultation { id } userErrors { ... on UserError { code message } } } }";
const FINISH: &str = "mutation ($input: FinishConsultationInput!) { finishConsultation(input: $input) {
    consultation { price } userErrors { ... on UserError { code message } } } }";
const LIST: &str = "{ consultations(last: 5) { edges { node { id status price } } } }";
const PAYMENTS: &str = "{ payments(last: 5) { edges { node { id totalPrice } } } }";

#[derive(Clone, Debug)]
pub(super) struct Calls {
    http: Client,
    consultation: String,
    finance: String,
    /// Consultations in progress.
    started: Arc<Mutex<Vec<String>>>,
}

impl Calls {
    pub(super) fn to(stage: &Stage) -> anyhow::Result<Self> {
        let http = chassis::http_client::builder().pool_max_idle_per_host(0).timeout(ANSWERED_WITHIN).build()?;
        let [consultation, finance] = [&stage.consultation, &stage.finance].map(|service| service.url("/graphql"));
        Ok(Self { http, consultation, finance, started: Arc::default() })
    }

    /// Makes one call; its number decides which. An error means a wrong answer or none.
    pub(super) async fn make(&self, number: usize) -> anyhow::Result<()> {
        match number % 4 {
            0 => {
                let people = json!({ "physicianId": Uuid::new_v4(), "patientId": Uuid::new_v4() });
                let data = self.call(&self.consultation, START, json!({ "input": people })).await?;
                let id = data["startConsultation"]["consultation"]["id"].as_str().unwrap_or_default().to_owned();
                self.started.lock().expect("no panic").push(id);
            }
            1 => {
                let Some(id) = self.started.lock().expect("no panic").pop() else { return Ok(()) };
                self.call(&self.consultation, FINISH, json!({ "input": { "consultationId": id } })).await?;
            }
            2 => drop(self.call(&self.consultation, LIST, Value::Null).await?),
            _ => drop(self.call(&self.finance, PAYMENTS, Value::Null).await?),
        }
        Ok(())
    }

    async fn call(&self, url: &str, query: &str, variables: Value) -> anyhow::Result<Value> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = self.http.post(url).basic_auth("admin", Some("teste123")).body(body);
        let response = request.header("content-type", "application/json").send().await?;
        let status = response.status();
        let mut answer: Value = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        ensure!(status.is_success() && answer["errors"].is_null(), "{status}: {answer}");
        let refusals = answer["data"].as_object().into_iter().flat_map(|data| data.values());
        if let Some(refused) =
            refusals.filter_map(|payload| payload["userErrors"].as_array()).find(|all| !all.is_empty())
        {
            bail!("{refused:?}");
        }
        Ok(answer["data"].take())
    }
}
