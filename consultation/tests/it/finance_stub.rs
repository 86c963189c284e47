//! A finance whose answers the test scripts, in this process.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, RETRY_AFTER},
    },
    response::IntoResponse,
    routing::post,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// The response to one request.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// Records the payments.
    Record,
    /// This status and body.
    Answer(u16, String),
    /// Not ready, with Retry-After in seconds.
    RetryAfter(&'static str),
    /// Refuses the first payment as a conflict and records the others.
    RefuseFirst,
    /// Fails at the first payment and records the others.
    FailAtFirst,
    /// Confirms another amount for the first payment than was sent.
    MistakeFirst,
    /// Holds the request until [`FinanceStub::let_go`], then records.
    Hold,
}

#[derive(Debug)]
struct Shared {
    scripts: Mutex<VecDeque<Script>>,
    requests: Mutex<Vec<Vec<Value>>>,
    /// Currency of each request.
    currencies: Mutex<Vec<Value>>,
    /// Authorization header of each request.
    credentials: Mutex<Vec<String>>,
    /// Instance id that it tells. `None`: it tells none.
    instance: Mutex<Option<Uuid>>,
    asked: Mutex<u32>,
    arrived: Semaphore,
    go: Semaphore,
}

/// The stub. Without a script it records.
#[derive(Clone, Debug)]
pub(crate) struct FinanceStub {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl FinanceStub {
    pub(crate) async fn start(scripts: impl IntoIterator<Item = Script>) -> Self {
        let shared = Arc::new(Shared {
            scripts: Mutex::new(scripts.into_iter().collect()),
            requests: Mutex::default(),
            currencies: Mutex::default(),
            credentials: Mutex::default(),
            instance: Mutex::new(Some(Uuid::new_v4())),
            asked: Mutex::default(),
            arrived: Semaphore::new(0),
            go: Semaphore::new(0),
        });
        let router = Router::new().route("/graphql", post(answer)).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// Instance id.
    pub(crate) fn instance(&self) -> Uuid {
        self.shared.instance.lock().expect("the instance").expect("one that is told")
    }

    /// Replaces its instance id; `None`: it tells none.
    pub(crate) fn become_another(&self, instance: Option<Uuid>) {
        *self.shared.instance.lock().expect("the instance") = instance;
    }

    /// Number of requests for its instance id.
    pub(crate) fn asked(&self) -> u32 {
        *self.shared.asked.lock().expect("the number")
    }

    /// The payments of each request so far.
    pub(crate) fn requests(&self) -> Vec<Vec<Value>> {
        self.shared.requests.lock().expect("the requests").clone()
    }

    /// Number of payments of each request so far.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        self.requests().iter().map(Vec::len).collect()
    }

    /// The currency of each request so far.
    pub(crate) fn currencies(&self) -> Vec<Value> {
        self.shared.currencies.lock().expect("the currencies").clone()
    }

    /// The Authorization header of each request so far.
    pub(crate) fn credentials(&self) -> Vec<String> {
        self.shared.credentials.lock().expect("the credentials").clone()
    }

    /// Waits until one more request has arrived.
    pub(crate) async fn arrived(&self) {
        self.shared.arrived.acquire().await.expect("open").forget();
    }

    /// Lets one held request go on.
    pub(crate) fn let_go(&self) {
        self.shared.go.add_permits(1);
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let credentials = headers[AUTHORIZATION].to_str().expect("a text").to_owned();
    shared.credentials.lock().expect("the credentials").push(credentials);
    let request: Value = serde_json::from_slice(&body).expect("JSON");
    let instance = *shared.instance.lock().expect("the instance");
    let Some(payments) = request["variables"]["input"]["payments"].as_array().cloned() else {
        *shared.asked.lock().expect("the number") += 1;
        let untold = json!({ "data": null, "errors": [{ "message": "untold" }] });
        let told = instance.map(|id| json!({ "data": { "instanceId": id } }));
        return (StatusCode::OK, HeaderMap::new(), told.unwrap_or(untold).to_string());
    };
    shared.requests.lock().expect("the requests").push(payments.clone());
    let currency = request["variables"]["input"]["currency"].clone();
    shared.currencies.lock().expect("the currencies").push(currency);
    shared.arrived.add_permits(1);
    let script = shared.scripts.lock().expect("the scripts").pop_front().unwrap_or(Script::Record);
    if request["variables"]["input"]["instanceId"] != json!(instance) {
        let refusal = json!({ "__typename": "WrongInstance", "instanceId": instance });
        let data = json!({ "recordPayments": { "results": [], "userErrors": [refusal] } });
        return (StatusCode::OK, HeaderMap::new(), json!({ "data": data }).to_string());
    }
    let mut results: Vec<_> =
        payments.into_iter().map(|payment| json!({ "payment": payment, "userErrors": [] })).collect();
    let mut errors = json!(null);
    match script {
        Script::Record => {}
        Script::Answer(status, body) => {
            return (StatusCode::from_u16(status).expect("a status"), HeaderMap::new(), body);
        }
        Script::RetryAfter(seconds) => {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, seconds.parse().expect("a header"))]);
            return (StatusCode::SERVICE_UNAVAILABLE, headers, String::new());
        }
        Script::RefuseFirst => results[0] = conflict(),
        Script::FailAtFirst => {
            results[0] = json!(null);
            errors = json!([{ "message": "boom", "path": ["recordPayments", "results", 0] }]);
        }
        Script::MistakeFirst => results[0]["payment"]["totalPrice"] = json!("0.01"),
        Script::Hold => shared.go.acquire().await.expect("open").forget(),
    }
    let answer = json!({ "data": { "recordPayments": { "results": results, "userErrors": [] } }, "errors": errors });
    (StatusCode::OK, HeaderMap::new(), answer.to_string())
}

/// The result of a payment that is refused as a conflict.
pub(crate) fn conflict() -> Value {
    let refusal =
        json!({ "__typename": "PaymentConflict", "code": "PAYMENT_CONFLICT", "message": "recorded with 1.00" });
    json!({ "payment": null, "userErrors": [refusal] })
}
