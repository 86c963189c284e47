//! A collector of traces, which receives OTLP over HTTP.

mod traced_span;

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use traced_span::TracedSpan;

/// Longest wait for spans: a payment that waited for finance is sent again after 5 s.
const SPANS_TIMEOUT: Duration = Duration::from_secs(30);

/// What a collector does with what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It takes everything.
    Accepts,
    /// It takes everything and keeps nothing.
    Forgets,
    /// It answers 503.
    Refuses,
    /// It redirects to the collector at this port.
    Redirects(u16),
    /// It never answers.
    Hangs,
}

/// A running collector, which ends when it is dropped.
#[derive(Debug)]
pub struct Collector {
    /// The base URL, for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub endpoint: String,
    received: watch::Receiver<usize>,
    spans: Arc<Mutex<Vec<TracedSpan>>>,
    _shutdown: DropGuard,
}

#[derive(Clone)]
struct Receiver {
    behaviour: Behaviour,
    requests: watch::Sender<usize>,
    spans: Arc<Mutex<Vec<TracedSpan>>>,
}

impl Collector {
    /// Starts a collector on a free port.
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let (requests, received) = watch::channel(0);
        let spans = Arc::default();
        let state = Receiver { behaviour, requests, spans: Arc::clone(&spans) };
        let router = Router::new().route("/v1/traces", post(receive)).with_state(state);
        let shutdown = CancellationToken::new();
        let end = shutdown.clone();
        tokio::spawn(async move { end.run_until_cancelled(async { axum::serve(listener, router).await }).await });
        Self { endpoint, received, spans, _shutdown: shutdown.drop_guard() }
    }

    /// The spans so far.
    #[must_use]
    pub fn spans(&self) -> Vec<TracedSpan> {
        self.spans.lock().expect("no panic").clone()
    }

    /// The spans once `is_complete`.
    pub async fn spans_once(&self, is_complete: impl Fn(&[TracedSpan]) -> bool) -> Vec<TracedSpan> {
        let mut received = self.received.clone();
        let complete = timeout(SPANS_TIMEOUT, received.wait_for(|_| is_complete(&self.spans()))).await.is_ok();
        assert!(complete, "spans are missing: {:#?}", self.spans());
        self.spans()
    }

    /// Whether a service has sent something.
    #[must_use]
    pub fn is_called(&self) -> bool {
        *self.received.borrow() > 0
    }

    /// Waits until a service has sent something.
    pub async fn until_called(&self) {
        let mut received = self.received.clone();
        let called = timeout(SPANS_TIMEOUT, received.wait_for(|requests| *requests > 0)).await;
        called.expect("a request in time").expect("the collector runs");
    }
}

async fn receive(State(receiver): State<Receiver>, body: Bytes) -> Response {
    let Receiver { behaviour, requests, spans } = receiver;
    if behaviour == Behaviour::Accepts {
        let request = ExportTraceServiceRequest::decode(body).expect("a message of the protocol");
        spans.lock().expect("no panic").extend(TracedSpan::of(request));
    }
    requests.send_modify(|requests| *requests += 1);
    match behaviour {
        Behaviour::Accepts | Behaviour::Forgets => StatusCode::OK.into_response(),
        Behaviour::Refuses => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Behaviour::Redirects(port) => {
            Redirect::temporary(&format!("http://127.0.0.1:{port}/v1/traces")).into_response()
        }
        Behaviour::Hangs => pending().await,
    }
}
