//! Answers as server-sent events, one connection for each operation: the "distinct connections mode" of
//! <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>.

use std::{convert::Infallible, future::ready, time::Duration};

use async_graphql::futures_util::stream::BoxStream;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use mime::Mime;
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;

use super::response::Outcome;

/// In between, a comment keeps proxies from closing a quiet connection, and finds out clients that are gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Whether the client takes events. Clients that take anything else too want them for subscriptions only.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    ranges.flat_map(|accept| accept.split(',')).filter_map(|range| range.trim().parse::<Mime>().ok()).any(|range| {
        let is_refused = range.get_param("q").is_some_and(|q| q.as_str().parse() == Ok(0.0_f32));
        range.essence_str() == "text/event-stream" && !is_refused
    })
}

/// The events of an operation. At shutdown they end without saying that the operation is complete, so that
/// the client asks another replica.
pub(super) fn respond(answers: BoxStream<'static, Outcome>, shutdown: CancellationToken) -> Response {
    let events = answers.map(|answer| format!("event: next\ndata: {}\n\n", answer.into_json()));
    // Without data a browser would not tell the page of it.
    let complete = stream::once(ready("event: complete\ndata:\n\n".to_owned()));
    let events = events.chain(complete).take_until(shutdown.cancelled_owned());
    let events =
        tokio_stream::StreamExt::timeout_repeating(events, interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE));
    let body = events.map(|event| Ok::<_, Infallible>(event.unwrap_or_else(|_| ":\n\n".to_owned())));
    // Proxies that buffer answers would keep events back.
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache"), (X_ACCEL_BUFFERING, "no")];
    (headers, Body::from_stream(body)).into_response()
}

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
