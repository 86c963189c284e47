//! GraphQL client for tests.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use tokio::time::{Duration, sleep, timeout};

use crate::Events;

/// Longest start on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Client of one service, by default as the development user.
#[derive(Clone, Debug)]
pub struct GraphqlClient {
    http: Client,
    user: String,
    /// Base URL of the service, without a path.
    pub base: String,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body; null if it is no JSON.
    pub body: Value,
}

impl GraphqlClient {
    /// A client of the service at `base`, as in `http://127.0.0.1:8010`.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        let http = chassis::http_client::builder().build().expect("a client");
        Self { http, user: "admin".to_owned(), base: base.into() }
    }

    /// The same as another user, who has the development password.
    #[must_use]
    pub fn as_user(&self, user: &str) -> Self {
        Self { user: user.to_owned(), ..self.clone() }
    }

    /// A request for a path, without credentials.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.base))
    }

    /// Waits until the service is ready, which it checks once a second.
    pub async fn until_ready(&self) {
        let ready = async {
            while !self.get("/readyz").send().await.is_ok_and(|answer| answer.status().is_success()) {
                sleep(POLL_INTERVAL).await;
            }
        };
        timeout(START_TIMEOUT, ready).await.expect("ready in time");
    }

    /// A request for a path, as the user.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).basic_auth(&self.user, Some("teste123"))
    }

    /// A POST to `/graphql`, without credentials.
    pub fn post(&self) -> RequestBuilder {
        self.http.post(format!("{}/graphql", self.base))
    }

    /// Sends an operation and returns the whole response.
    pub async fn send(&self, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = self.post().basic_auth(&self.user, Some("teste123")).header("content-type", "application/json");
        Answer::of(request.header("accept", "application/graphql-response+json").body(body)).await
    }

    /// Sends a query with what it asks of a read replica, in the extension `consistency`.
    pub async fn send_for(&self, consistency: &Value, query: &str) -> Answer {
        let body = json!({ "query": query, "extensions": { "consistency": consistency } }).to_string();
        let request = self.post().basic_auth(&self.user, Some("teste123")).header("content-type", "application/json");
        Answer::of(request.header("accept", "application/graphql-response+json").body(body)).await
    }

    /// Sends an operation whose responses are server-sent events.
    pub async fn events(&self, query: &str, variables: Value) -> Events {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = self.post().basic_auth(&self.user, Some("teste123")).header("content-type", "application/json");
        Events::of(request.body(body)).await
    }

    /// Sends an operation that must succeed and returns its data.
    pub async fn call(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.send(query, variables).await;
        assert!(answer.body["errors"].is_null(), "{query}: {}", answer.body);
        answer.body["data"].take()
    }

    /// Sends an operation that must be refused as a whole. Returns code and message of the first error.
    pub async fn error(&self, query: &str, variables: Value) -> (String, String) {
        let answer = self.send(query, variables).await;
        let text = |pointer: &str| answer.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("/errors/0/extensions/code"), text("/errors/0/message"))
    }
}

impl Answer {
    /// Sends `request`.
    pub async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = serde_json::from_slice(&answer.bytes().await.expect("a body")).unwrap_or_default();
        Self { status, headers, body }
    }

    /// How late the response of a read replica is, in seconds; `None` of the primary.
    #[must_use]
    pub fn staleness(&self) -> Option<f64> {
        self.body["extensions"]["consistency"]["staleness"].as_f64()
    }

    /// The code of the first error.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body.pointer("/errors/0/extensions/code").and_then(Value::as_str).unwrap_or_default()
    }
}
