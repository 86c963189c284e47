//! An OpenID Connect issuer on loopback, whose answers a test scripts.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use chassis::{Service, clock, config::TokenIssuer, metrics::Metrics, traces::Traces};
use serde_json::{Value, json};
use testkit::TestService;

use super::signer::Signer;

pub(crate) const AUDIENCE: &str = "https://api.example";
/// The id of the first key.
pub(crate) const KID: &str = "one";

#[derive(Clone, Copy)]
pub(crate) enum Behaviour {
    Honest,
    /// Answers with status 503.
    Away,
    /// Describes another issuer.
    Lying,
    /// Names keys that anyone on the way may replace.
    Exposed,
    Huge,
    /// Never answers.
    Silent,
}

pub(crate) struct Issuer {
    service: TestService,
    script: Arc<Script>,
}

struct Script {
    keys: Mutex<Vec<Value>>,
    behaviour: Mutex<Behaviour>,
    fetches: AtomicUsize,
}

impl Issuer {
    pub(crate) fn with(keys: Vec<Value>, behaviour: Behaviour) -> Self {
        let script = Script { keys: Mutex::new(keys), behaviour: Mutex::new(behaviour), fetches: AtomicUsize::new(0) };
        let script = Arc::new(script);
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys_of))
            .with_state(Arc::clone(&script));
        let service = TestService::start(|_| Service {
            router,
            tasks: Vec::new(),
            metrics: Metrics::new("demo"),
            traces: Traces::default(),
        });
        script.keys.lock().expect("no panic").push(json!({ "kty": "oct", "k": service.client.base, "kid": "ignored" }));
        Self { service, script }
    }

    /// An issuer with one key.
    pub(crate) fn of(signer: &Signer) -> Self {
        Self::with(vec![signer.jwk(KID)], Behaviour::Honest)
    }

    pub(crate) fn url(&self) -> &str {
        &self.service.client.base
    }

    pub(crate) fn setting(&self) -> TokenIssuer {
        let (url, audience) = (self.url().to_owned(), AUDIENCE.to_owned());
        TokenIssuer { url, audience, keys_file: None, roles_claim: "/roles".to_owned() }
    }

    pub(crate) fn rotate_to(&self, keys: Vec<Value>) {
        *self.script.keys.lock().expect("no panic") = keys;
    }

    pub(crate) fn becomes(&self, behaviour: Behaviour) {
        *self.script.behaviour.lock().expect("no panic") = behaviour;
    }

    /// Number of times that it was asked for its keys.
    pub(crate) fn fetches(&self) -> usize {
        self.script.fetches.load(Ordering::SeqCst)
    }

    /// Claims of a caller with the roles of all fields, as `ana`.
    pub(crate) fn claims(&self) -> Value {
        let now = clock::now().timestamp();
        json!({
            "iss": self.url(), "sub": "ana", "aud": AUDIENCE, "exp": now + 600, "nbf": now, "roles": ["reader", "writer"],
        })
    }

    pub(crate) fn token(&self, signer: &Signer, kid: &str) -> String {
        signer.sign(&json!({ "alg": signer.algorithm(), "kid": kid, "typ": "at+jwt" }), &self.claims())
    }
}

/// The issuer does not know its address before it runs: it takes the one it is asked at.
async fn describe(State(script): State<Arc<Script>>, headers: axum::http::HeaderMap) -> Response {
    let url = format!("http://{}", headers["host"].to_str().expect("a host"));
    let behaviour = *script.behaviour.lock().expect("no panic");
    match behaviour {
        Behaviour::Honest => Json(json!({ "issuer": url, "jwks_uri": format!("{url}/keys") })).into_response(),
        Behaviour::Away => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Behaviour::Lying => {
            Json(json!({ "issuer": "https://issuer.example", "jwks_uri": format!("{url}/keys") })).into_response()
        }
        Behaviour::Exposed => Json(json!({ "issuer": url, "jwks_uri": "http://issuer.example/keys" })).into_response(),
        Behaviour::Huge => vec![b' '; 8 * 1024 * 1024].into_response(),
        Behaviour::Silent => std::future::pending().await,
    }
}

async fn keys_of(State(script): State<Arc<Script>>) -> Response {
    script.fetches.fetch_add(1, Ordering::SeqCst);
    Json(json!({ "keys": *script.keys.lock().expect("no panic") })).into_response()
}
