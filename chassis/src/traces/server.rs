//! The span of a request.

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::{MatchedPath, Request, State},
    http::HeaderMap,
    middleware::{self, Next},
    response::Response,
};
use futures_util::StreamExt;
use graphql_http::{Caller, TaskContext};
use opentelemetry::{
    Context, KeyValue,
    trace::{SpanBuilder, SpanContext, SpanKind, TraceContextExt},
};

use super::{
    Span, Traces, Tracing,
    trace_parent::{self, TRACE_PARENT},
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
    span.responded(response)
}

impl Traces {
    /// Goes on with the trace of the caller, if it sent one. Who has no login cannot make the service record traces: the
    /// credentials of a WebSocket may follow later.
    fn serving(&self, request: &Request) -> Span {
        let Some(Tracing { tracer, .. }) = &self.0 else { return Span::default() };
        let Some(route) = request.extensions().get::<MatchedPath>() else { return self.unsampled() };
        let Some(_login) = request.extensions().get::<Caller>() else { return self.unsampled() };
        let parent =
            parent(request.headers()).map(|parent| Context::new().with_remote_span_context(parent)).unwrap_or_default();
        let (method, route) = (known_method(request.method()), route.as_str());
        let attributes = [KeyValue::new("http.request.method", method), KeyValue::new("http.route", route.to_owned())];
        let span = SpanBuilder::from_name(format!("{method} {route}")).with_kind(SpanKind::Server);
        Span::start(tracer, span.with_attributes(attributes), &parent)
    }
}

/// The parent that the one header names. Of several none counts.
fn parent(headers: &HeaderMap) -> Option<SpanContext> {
    let mut given = headers.get_all(TRACE_PARENT).iter();
    let (first, None) = (given.next()?, given.next()) else { return None };
    trace_parent::parse(first.to_str().ok()?)
}

impl Span {
    /// Only a failure of the service is one of its span. That of an event stream ends with the stream: operations run
    /// while it is read.
    fn responded(self, response: Response) -> Response {
        let status = response.status();
        self.set("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            self.set("error.type", status.as_u16().to_string());
            self.fail("");
        }
        let (is_streamed, ending) = (response.body().size_hint().exact().is_none(), Ending(self));
        if !is_streamed || !ending.0.is_sampled() {
            return response;
        }
        response.map(|body| {
            let chunks = body.into_data_stream().inspect(move |_| {
                let _held = &ending;
            });
            Body::from_stream(chunks)
        })
    }
}

/// Ends the span when it is dropped, though clones are left.
struct Ending(Span);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        extract::Request,
        http::{HeaderMap, HeaderValue, StatusCode},
        routing::get,
    };
    use graphql_http::Caller;
    use opentelemetry_sdk::trace::Sampler;
    use tower::ServiceExt as _;

    use super::{super::tests::sampled_by, Span, TRACE_PARENT, layered, parent};

    #[test]
    fn two_parents_are_none() {
        let one = HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let mut headers = HeaderMap::from_iter([(TRACE_PARENT.parse().expect("a name"), one.clone())]);
        assert!(parent(&headers).is_some());
        headers.append(TRACE_PARENT, one);
        assert!(parent(&headers).is_none());
    }

    #[tokio::test]
    async fn a_request_without_a_login_has_no_span() {
        let traced = || async { if Span::current().is_sampled() { StatusCode::OK } else { StatusCode::NO_CONTENT } };
        let router = layered(Router::new().route("/", get(traced)), sampled_by(Sampler::AlwaysOn));
        let request = || Request::new(Body::empty());
        let mut known = request();
        known.extensions_mut().insert(Caller::default());
        for (request, status) in [(request(), StatusCode::NO_CONTENT), (known, StatusCode::OK)] {
            assert_eq!(router.clone().oneshot(request).await.expect("an answer").status(), status);
        }
    }
}
