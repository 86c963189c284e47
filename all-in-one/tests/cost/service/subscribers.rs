//! Subscribers of a service, and the statements of one event for all of them.

use std::mem;

use axum::body::BodyDataStream;
use futures_util::{
    FutureExt, StreamExt,
    future::{join, join_all},
};
use serde_json::Value;
use tower::ServiceExt;

use super::{Service, request};

impl Service {
    /// Opens event streams. Each has subscribed when this returns.
    pub(crate) fn subscribers(&mut self, count: usize, subscription: &str) -> Vec<BodyDataStream> {
        self.runtime.block_on(async {
            let opened = (0..count).map(|_| {
                let mut request = request(subscription, &Value::Null);
                request.headers_mut().insert("accept", "text/event-stream".parse().expect("a header"));
                self.router.clone().oneshot(request)
            });
            let opened = join_all(opened).await.into_iter();
            let mut streams: Vec<_> =
                opened.map(|answer| answer.expect("an answer").into_body().into_data_stream()).collect();
            for events in &mut streams {
                assert!(events.next().now_or_never().is_none(), "nothing has happened yet");
            }
            streams
        })
    }

    /// The statements of one request and of the event that it causes for each subscriber.
    pub(crate) fn event(&mut self, subscribers: &mut [BodyDataStream], query: &str, variables: &Value) -> Vec<String> {
        self.statements.lock().expect("no panic").clear();
        let router = self.router.clone();
        self.runtime.block_on(async {
            let events = join_all(subscribers.iter_mut().map(StreamExt::next));
            let (_, events) = join(router.oneshot(request(query, variables)), events).await;
            for event in events {
                let event = event.expect("an event").expect("a chunk");
                assert!(event.starts_with(b"event: next\ndata: {\"data\":{"), "{event:?}");
            }
        });
        mem::take(&mut *self.statements.lock().expect("no panic"))
    }
}
