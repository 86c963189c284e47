//! Three consultations from start to payment, through the APIs, as a client would.

use std::{
    fmt::Display,
    io::{self, Write},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use chassis::{
    config::{Access, Server},
    http_client,
};
use reqwest::Client;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Twice the relay's poll interval and a call.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

const START: &str = "mutation ($physician: UUID!, $patient: UUID!) {
    startConsultation(input: { physicianId: $physician, patientId: $patient }) {
        consultation { id } userErrors { ... on UserError { message } } } }";
const FINISH: &str = "mutation ($id: ID!) {
    finishConsultation(input: { consultationId: $id }) {
        consultation { price } userErrors { ... on UserError { message } } } }";
const TRIES: &str = "query ($id: ID!) { consultation(id: $id) { pendingPayment { status tries } } }";
const PAYMENT: &str = "query ($id: UUID!) {
    payments(filter: { appointmentIds: [$id] }) { edges { node { id totalPrice recordedAt } } } }";

/// Runs the demo against running services, or starts them for it.
///
/// # Errors
/// When a call fails or a payment does not arrive.
pub(crate) async fn run(
    settings: consultation::config::Settings,
    of_finance: &finance::config::Settings,
    servers: [Server; 2],
) -> anyhow::Result<()> {
    let [consultation, finance] = &servers;
    let (consultation, finance) = (Api::new(consultation)?, Api::new(finance)?);
    if consultation.is_up().await && finance.is_up().await {
        return three_consultations(&consultation, &finance).await;
    }
    print("Starting both services for the demo.")?;
    let mut lifecycle = crate::services::start(settings, of_finance, servers).await?;
    let shutdown = lifecycle.shutdown();
    lifecycle.spawn("demo", async move {
        let outcome = three_consultations(&consultation, &finance).await;
        shutdown.cancel();
        outcome
    });
    lifecycle.run().await
}

async fn three_consultations(consultation: &Api, finance: &Api) -> anyhow::Result<()> {
    for number in 1..=3 {
        let people = json!({ "physician": Uuid::new_v4(), "patient": Uuid::new_v4() });
        let started = consultation.mutate("startConsultation", START, &people).await?;
        let id = json!({ "id": started["consultation"]["id"] });
        let finished = consultation.mutate("finishConsultation", FINISH, &id).await?;
        let price = finished["consultation"]["price"].as_str().unwrap_or_default();
        print(format_args!(
            "{number}. consultation {} finished, price {price}",
            id["id"].as_str().unwrap_or_default()
        ))?;

        let payment = until(finance, PAYMENT, &id, "/payments/edges/0/node", Value::is_object).await?;
        let done = |pending: &Value| pending["status"] == "FINISHED";
        let pending = until(consultation, TRIES, &id, "/consultation/pendingPayment", done).await?;
        let (tries, recorded) = (&pending["tries"], payment["recordedAt"].as_str().unwrap_or_default());
        let (id, amount) = (&payment["id"], &payment["totalPrice"]);
        print(format_args!("   payment {id} over {amount} recorded at {recorded}, tries: {tries}"))?;
    }
    Ok(())
}

/// Not println!, which panics when the pipe is closed.
fn print(line: impl Display) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("cannot write")
}

/// Repeats the query until the value at `pointer` is as wanted.
async fn until(
    api: &Api,
    query: &str,
    variables: &Value,
    pointer: &str,
    wanted: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let deadline = Instant::now() + DELIVERY_TIMEOUT;
    loop {
        let data = api.call(query, variables).await?;
        match data.pointer(pointer) {
            Some(found) if wanted(found) => return Ok(found.clone()),
            _ if Instant::now() > deadline => bail!("not there after {} s: {query}", DELIVERY_TIMEOUT.as_secs()),
            _ => sleep(POLL_INTERVAL).await,
        }
    }
}

/// One service's API.
struct Api {
    http: Client,
    base: String,
    username: String,
    password: String,
}

impl Api {
    fn new(server: &Server) -> anyhow::Result<Self> {
        let Access::User { username, password } = &server.access else {
            bail!("the demo needs a user name and password, not an htpasswd file or tokens alone");
        };
        Ok(Self {
            http: http_client::builder().timeout(Duration::from_secs(10)).build()?,
            base: server.local_url(),
            username: username.clone(),
            password: password.expose_secret().to_owned(),
        })
    }

    async fn is_up(&self) -> bool {
        self.http.get(format!("{}/readyz", self.base)).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    async fn call(&self, query: &str, variables: &Value) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}/graphql", self.base)).basic_auth(&self.username, Some(&self.password));
        let body = json!({ "query": query, "variables": variables }).to_string();
        let answer = request.header("content-type", "application/json").body(body).send().await?.text().await?;
        let mut answer: Value = serde_json::from_str(&answer).with_context(|| format!("not GraphQL: {answer}"))?;
        ensure!(answer["errors"].is_null(), "{}", answer["errors"]);
        Ok(answer["data"].take())
    }

    async fn mutate(&self, field: &str, query: &str, variables: &Value) -> anyhow::Result<Value> {
        let payload = self.call(query, variables).await?[field].take();
        ensure!(payload["userErrors"] == json!([]), "{field}: {}", payload["userErrors"]);
        Ok(payload)
    }
}
