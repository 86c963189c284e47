//! The clients' view of the APIs: a call succeeds, is refused, or its answer is lost.

use std::{sync::Arc, time::Duration};

use reqwest::Client;
use serde_json::{Value, json};

use crate::refusals::Refusals;

/// A front end gives up after this time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);

/// Longer than the services take to answer that they are not ready.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

const START: &str = "mutation ($physician: UUID!, $patient: UUID!, $date: DateTime) {
    startConsultation(input: { physicianId: $physician, patientId: $patient, startDate: $date }) {
        consultation { id }
        userErrors { ... on UserError { code } ... on PatientInConsultation { consultation { id } } } } }";
const FINISH: &str = "mutation ($id: ID!, $end: DateTime) {
    finishConsultation(input: { consultationId: $id, endDate: $end }) {
        consultation { price }
        userErrors { ... on UserError { code } ... on ConsultationAlreadyFinished { consultation { price } } } } }";
const CANCEL: &str = "mutation ($id: ID!) {
    cancelConsultation(input: { consultationId: $id, reason: \"started by mistake\" }) {
        consultation { status }
        userErrors { ... on UserError { code } ... on ConsultationAlreadyFinished { consultation { price } } } } }";
const RECORD: &str = "mutation ($id: UUID!, $price: Decimal!) {
    recordPayment(input: { appointmentId: $id, totalPrice: $price }) {
        payment { totalPrice }
        userErrors { ... on UserError { code } ... on PaymentConflict { payment { totalPrice } } } } }";

/// No usable answer: the call may have been done or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lost;

/// The answer to a mutation: done, with a text; or refused, with a code and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done(String),
    Refused(String, String),
}

#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: Client,
    pub(crate) refusals: Arc<Refusals>,
}

impl Api {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Self::with(Arc::default(), ANSWER_TIMEOUT)
    }

    /// The same with this timeout for every call.
    pub(crate) fn with_timeout(&self, timeout: Duration) -> anyhow::Result<Self> {
        Self::with(self.refusals.clone(), timeout)
    }

    fn with(refusals: Arc<Refusals>, timeout: Duration) -> anyhow::Result<Self> {
        Ok(Self { http: chassis::http_client::builder().timeout(timeout).build()?, refusals })
    }

    pub(crate) async fn is_ready(&self, port: u16) -> bool {
        self.probe(port, "readyz").await
    }

    /// Whether both probes succeed.
    pub(crate) async fn is_well(&self, port: u16) -> bool {
        self.probe(port, "livez").await && self.probe(port, "readyz").await
    }

    async fn probe(&self, port: u16, probe: &str) -> bool {
        let request = self.http.get(format!("http://127.0.0.1:{port}/{probe}")).timeout(PROBE_TIMEOUT);
        request.send().await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Starts a consultation and gives its id: also of one that was started by a call whose answer was lost.
    pub(crate) async fn start(&self, port: u16, physician: &str, patient: &str) -> Result<String, Lost> {
        self.start_at(port, physician, patient, None).await?.ok_or(Lost)
    }

    /// As [`Self::start`], at a date in the past if one is given. `None` if the date was refused.
    pub(crate) async fn start_at(
        &self,
        port: u16,
        physician: &str,
        patient: &str,
        began: Option<&str>,
    ) -> Result<Option<String>, Lost> {
        let variables = json!({ "physician": physician, "patient": patient, "date": began });
        let data = self.call(port, START, variables).await?;
        let payload = &data["startConsultation"];
        if payload["userErrors"][0]["code"] == "INVALID_INPUT" {
            return Ok(None);
        }
        let id = payload["consultation"]["id"].as_str();
        let id = id.or_else(|| payload["userErrors"][0]["consultation"]["id"].as_str());
        id.map(|id| Some(id.to_owned())).ok_or(Lost)
    }

    /// Finishes a consultation, now unless an end is given, and gives its price.
    pub(crate) async fn finish(&self, port: u16, id: &str, end: Option<&str>) -> Result<Answer, Lost> {
        let data = self.call(port, FINISH, json!({ "id": id, "end": end })).await?;
        answer(&data["finishConsultation"], "/consultation/price", "/userErrors/0/consultation/price")
    }

    /// Cancels a consultation and gives its status, or the price of one that is finished.
    pub(crate) async fn cancel(&self, port: u16, id: &str) -> Result<Answer, Lost> {
        let data = self.call(port, CANCEL, json!({ "id": id })).await?;
        answer(&data["cancelConsultation"], "/consultation/status", "/userErrors/0/consultation/price")
    }

    /// Records a payment and gives the stored amount.
    pub(crate) async fn record(&self, port: u16, id: &str, price: &str) -> Result<Answer, Lost> {
        let data = self.call(port, RECORD, json!({ "id": id, "price": price })).await?;
        answer(&data["recordPayment"], "/payment/totalPrice", "/userErrors/0/payment/totalPrice")
    }

    async fn call(&self, port: u16, query: &str, variables: Value) -> Result<Value, Lost> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = self.http.post(format!("http://127.0.0.1:{port}/graphql"));
        let request = request.basic_auth("admin", Some("teste123")).header("content-type", "application/json");
        // Clients that take this media type are told of failures by the status too.
        let request = request.header("accept", "application/graphql-response+json, application/json;q=0.9");
        let answer = request.body(body).send().await.map_err(|error| self.refusals.no_answer(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let answer = answer.bytes().await.map_err(|error| self.refusals.no_answer(&error))?;
        let mut answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if answer["errors"].is_null() && !answer["data"].is_null() {
            return Ok(answer["data"].take());
        }
        Err(self.refusals.answer(status, &headers, answer["errors"][0]["extensions"]["code"].as_str()))
    }
}

fn answer(payload: &Value, done: &str, refused: &str) -> Result<Answer, Lost> {
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    match (text(done), text("/userErrors/0/code")) {
        (Some(done), None) => Ok(Answer::Done(done)),
        (None, Some(code)) => Ok(Answer::Refused(code, text(refused).unwrap_or_default())),
        _ => Err(Lost),
    }
}

/// An amount as in `"216.00"`, in cents.
pub(crate) fn cents(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap_or(-1)
}

/// Cents as the API writes them.
pub(crate) fn amount(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
