//! Server-sent events, one connection an operation: the "distinct connections mode" of
//! <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>.

use std::{
    convert::Infallible,
    future::{Future, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};

use crate::{accept::preferences, response::Outcome};

/// Interval of comments: they keep proxies from closing a quiet connection, and detect clients that are gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The last event. Browsers drop an event without data, and axum writes none that is empty.
const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";
/// Proxies that buffer responses would delay events.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Whether the client accepts events. Clients that accept other types too want them for subscriptions only.
pub(crate) fn is_accepted(headers: &HeaderMap) -> bool {
    preferences(headers, header::ACCEPT).any(|(range, _)| range == "text/event-stream")
}

/// The events of an operation. At `end` they end without `complete`: the client reconnects, to another replica or with
/// new credentials.
pub(crate) fn respond(
    outcomes: BoxStream<'static, Outcome>,
    end: impl Future<Output = ()> + Send + 'static,
) -> Response {
    let events = outcomes.map(|outcome| Ok::<_, Infallible>(Event::default().event("next").data(outcome.into_json())));
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    let until_complete = |body: Body| {
        let complete = stream::once(ready(Ok(Bytes::from_static(COMPLETE))));
        Body::from_stream(body.into_data_stream().chain(complete).take_until(Box::pin(end)))
    };
    ([(X_ACCEL_BUFFERING, "no")], events).into_response().map(until_complete)
}
