//! Task-local state, carried from the task of a request into the tasks of its operations.

use std::future::Future;

use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use tracing::{Instrument, Span};

/// Task-local state of a request, such as its language. `()` carries nothing.
pub trait TaskContext: Clone + Send + Sync + 'static {
    /// Reads the state in the task of the request.
    fn capture() -> Self;

    /// Runs `future` with this state, in another task.
    fn scope<F: Future + Send>(self, future: F) -> impl Future<Output = F::Output> + Send;

    /// The state of one operation over a WebSocket, whose upgrade has this state. By default it is the same.
    #[must_use]
    fn operation(self) -> Self {
        self
    }
}

impl TaskContext for () {
    fn capture() -> Self {}

    fn scope<F: Future + Send>(self, future: F) -> impl Future<Output = F::Output> + Send {
        future
    }
}

/// Two states together.
impl<A: TaskContext, B: TaskContext> TaskContext for (A, B) {
    fn capture() -> Self {
        (A::capture(), B::capture())
    }

    fn scope<F: Future + Send>(self, future: F) -> impl Future<Output = F::Output> + Send {
        self.0.scope(self.1.scope(future))
    }

    fn operation(self) -> Self {
        (self.0.operation(), self.1.operation())
    }
}

/// Polls a stream with this state and the span of the current task: the task of the connection polls events.
pub(crate) fn in_context<T: Send + 'static>(
    context: impl TaskContext,
    items: impl Stream<Item = T> + Send + 'static,
) -> BoxStream<'static, T> {
    let span = Span::current();
    let items = stream::unfold(Box::pin(items), move |mut items| {
        let next = async move { items.next().await.map(|item| (item, items)) };
        context.clone().scope(next).instrument(span.clone())
    });
    items.boxed()
}
