//! The span of a request.

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::Response,
};
use graphql_http::{Caller, TaskContext};
use opentelemetry::{
    Context, KeyValue,
    trace::{SpanBuilder, SpanKind, TraceContextExt},
};

use super::{
    Span, Traces, Tracing,
    span::{TRACE_PARENT, trace_parent},
};
use crate::metrics::known_method;

/// Traces the requests of a service that stands behind the login. Without traces it costs nothing.
pub(crate) fn layered(service: Router, traces: Traces) -> Router {
    if traces.are_on() { service.layer(middleware::from_fn_with_state(traces, traced)) } else { service }
}

async fn traced(State(traces): State<Traces>, request: Request, next: Next) -> Response {
    let span = traces.serving(&request);
    span.record_in(&tracing::Span::current());
    let response = span.clone().scope(next.run(request)).await;
    span.responded(response.status());
    response
}

impl Traces {
    /// Goes on with the trace of the caller, if it sent one. Who has no login cannot make the service record traces: the
    /// credentials of a WebSocket may follow later.
    fn serving(&self, request: &Request) -> Span {
        let Some(Tracing { tracer, .. }) = &self.0 else { return Span::default() };
        let Some(route) = request.extensions().get::<MatchedPath>() else { return Span::default() };
        let caller = request.extensions().get::<Caller>();
        let parent = caller.and_then(|_| trace_parent(request.headers().get(TRACE_PARENT)?.to_str().ok()?));
        let parent = parent.map(|parent| Context::new().with_remote_span_context(parent)).unwrap_or_default();
        let (method, route) = (known_method(request.method()), route.as_str());
        let attributes = [KeyValue::new("http.request.method", method), KeyValue::new("http.route", route.to_owned())];
        let span = SpanBuilder::from_name(format!("{method} {route}")).with_kind(SpanKind::Server);
        Span::start(tracer, span.with_attributes(attributes), &parent)
    }
}

impl Span {
    /// Only a failure of the service is one of its span.
    fn responded(&self, status: StatusCode) {
        self.set("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            self.set("error.type", status.as_u16().to_string());
            self.fail("");
        }
        self.end();
    }
}
