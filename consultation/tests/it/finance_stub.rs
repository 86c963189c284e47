//! A finance whose answers the test scripts, in this process.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// What it answers one call with.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// It records what was sent.
    Record,
    /// It answers this, whatever was sent.
    Answer(u16, String),
    /// It holds the call until [`FinanceStub::let_go`], then records.
    Hold,
}

#[derive(Debug)]
struct Shared {
    scripts: Mutex<VecDeque<Script>>,
    calls: Mutex<Vec<Value>>,
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
            calls: Mutex::default(),
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

    /// The inputs of all calls so far.
    pub(crate) fn calls(&self) -> Vec<Value> {
        self.shared.calls.lock().expect("the calls").clone()
    }

    /// Waits until one more call has arrived.
    pub(crate) async fn arrived(&self) {
        self.shared.arrived.acquire().await.expect("open").forget();
    }

    /// Lets one held call go on.
    pub(crate) fn let_go(&self) {
        self.shared.go.add_permits(1);
    }
}

async fn answer(State(shared): State<Arc<Shared>>, body: Bytes) -> impl IntoResponse {
    let request: Value = serde_json::from_slice(&body).expect("JSON");
    let input = request["variables"]["input"].clone();
    shared.calls.lock().expect("the calls").push(input.clone());
    shared.arrived.add_permits(1);
    let script = shared.scripts.lock().expect("the scripts").pop_front().unwrap_or(Script::Record);
    let recorded = json!({ "data": { "recordPayment": { "payment": input, "userErrors": [] } } }).to_string();
    let (status, body) = match script {
        Script::Record => (200, recorded),
        Script::Answer(status, body) => (status, body),
        Script::Hold => {
            shared.go.acquire().await.expect("open").forget();
            (200, recorded)
        }
    };
    (StatusCode::from_u16(status).expect("a status"), body)
}

/// The answer to a refused payment.
pub(crate) fn conflict() -> Script {
    let refusal =
        json!({ "__typename": "PaymentConflict", "code": "PAYMENT_CONFLICT", "message": "recorded with 1.00" });
    let payload = json!({ "payment": null, "userErrors": [refusal] });
    Script::Answer(200, json!({ "data": { "recordPayment": payload } }).to_string())
}
