//! The client that must not notice: ten requests a second, each on a connection of its own, since an attack may keep
//! others from connecting.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{interval, sleep},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{bounds::Bounds, stage::Stage};

const PAUSE: Duration = Duration::from_millis(100);
/// A client that waits longer takes the service for dead.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// Requests before anything is measured: they fill pools, caches and the allocator.
const WARM_UP: usize = 40;
/// Answers in a row within the bound, which show that all is as before.
const NORMAL_ANSWERS: usize = 5;
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);

const START: &str = "mutation ($input: StartConsultationInput!) { startConsultation(input: $input) {
    consultation { id } userErrors { ... on UserError { code message } } } }";
const FINISH: &str = "mutation ($input: FinishConsultationInput!) { finishConsultation(input: $input) {
    consultation { price } userErrors { ... on UserError { code message } } } }";
const LIST: &str = "{ consultations(last: 5) { edges { node { id status price } } } }";
const PAYMENTS: &str = "{ payments(last: 5) { edges { node { id totalPrice } } } }";

#[derive(Clone, Debug)]
pub(crate) struct Honest {
    http: Client,
    consultation: String,
    finance: String,
    /// Started and not finished yet.
    started: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Answers>>,
}

/// What it saw.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    times: Vec<Duration>,
    pub(crate) failures: Vec<String>,
}

/// The client at work.
#[derive(Debug)]
pub(crate) struct Working {
    honest: Honest,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Honest {
    pub(crate) fn new(stage: &Stage) -> anyhow::Result<Self> {
        let http = chassis::http_client::builder().pool_max_idle_per_host(0).timeout(ANSWERED_WITHIN).build()?;
        let [consultation, finance] = [&stage.consultation, &stage.finance].map(|service| service.url("/graphql"));
        Ok(Self { http, consultation, finance, started: Arc::default(), answers: Arc::default() })
    }

    pub(crate) async fn warm_up(&self) -> anyhow::Result<()> {
        for number in 0..WARM_UP {
            self.request(number).await?;
        }
        Ok(())
    }

    /// Begins to call, whether earlier calls are answered or not.
    pub(crate) fn work(&self) -> Working {
        let (honest, stop) = (self.clone(), CancellationToken::new());
        let (client, stopped) = (honest.clone(), stop.clone());
        let task = tokio::spawn(async move {
            let (mut ticks, mut calls) = (interval(PAUSE), JoinSet::new());
            let mut number = 0;
            while stopped.run_until_cancelled(ticks.tick()).await.is_some() {
                let client = client.clone();
                calls.spawn(async move { client.measure(number).await });
                number += 1;
            }
            calls.join_all().await;
        });
        Working { honest, stop, task }
    }

    /// How long it takes until answers are as quick as they were, or nothing if that is too long.
    pub(crate) async fn normal_again(&self, bounds: &Bounds) -> Option<Duration> {
        let (began, mut in_a_row) = (Instant::now(), 0);
        while began.elapsed() < bounds.normal_within {
            let asked = Instant::now();
            let is_normal = self.request(in_a_row).await.is_ok() && asked.elapsed() <= bounds.p99;
            in_a_row = if is_normal { in_a_row + 1 } else { 0 };
            if in_a_row == NORMAL_ANSWERS {
                return Some(began.elapsed());
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
        None
    }

    async fn measure(&self, number: usize) {
        let asked = Instant::now();
        let outcome = self.request(number).await;
        let mut answers = self.answers.lock().expect("no panic");
        answers.times.push(asked.elapsed());
        answers.failures.extend(outcome.err().map(|error| format!("{error:#}")));
    }

    /// One request of a kind that its number decides.
    async fn request(&self, number: usize) -> anyhow::Result<()> {
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

impl Working {
    /// Waits for the last answers.
    pub(crate) async fn stop(self) -> anyhow::Result<Answers> {
        self.stop.cancel();
        self.task.await?;
        let mut answers = std::mem::take(&mut *self.honest.answers.lock().expect("no panic"));
        answers.times.sort_unstable();
        Ok(answers)
    }
}

impl Answers {
    pub(crate) fn count(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        self.times.get(self.times.len() * percent / 100).copied().unwrap_or_default()
    }
}
