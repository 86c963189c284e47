//! Task-local state, carried from the task of a request into the tasks of its operations.

use std::future::Future;

/// Task-local state of a request, such as its language. `()` carries nothing.
pub trait TaskContext: Clone + Send + Sync + 'static {
    /// Reads the state in the task of the request.
    fn capture() -> Self;

    /// Runs `future` with this state, in another task.
    fn scope<F: Future + Send>(self, future: F) -> impl Future<Output = F::Output> + Send;
}

impl TaskContext for () {
    fn capture() -> Self {}

    fn scope<F: Future + Send>(self, future: F) -> impl Future<Output = F::Output> + Send {
        future
    }
}
