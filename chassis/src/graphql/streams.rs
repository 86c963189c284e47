//! Operations for clients that take several answers: subscriptions, and queries and mutations as one answer.

use async_graphql::{Executor, futures_util::stream::BoxStream, parser::types::OperationType};
use futures_util::{StreamExt, future::ready, stream};
use std::sync::Arc;

use super::{Endpoint, admission::Admitted, execute, request::BadRequest, response::Outcome};

/// Subscriptions that a process serves at once; each may read the database at each change.
pub(super) const MAX_SUBSCRIPTIONS: usize = 1_000;

impl<E: Executor> Endpoint<E> {
    /// The answers of an operation. Dropped half-way it stops, but what a mutation began goes on.
    pub(super) fn stream(
        &self,
        admitted: Admitted,
        request_id: Arc<str>,
    ) -> Result<BoxStream<'static, Outcome>, BadRequest> {
        let Admitted { request, kind } = admitted;
        if kind != Some(OperationType::Subscription) {
            let schema = self.schema.clone();
            return Ok(stream::once(async move { execute(schema, request, &request_id).await }).boxed());
        }
        let place = Arc::clone(&self.subscriptions).try_acquire_owned().map_err(|_| BadRequest::overloaded())?;
        let answers = self.schema.execute_stream(request, None);
        // What refuses the operation, and a fault of the subscription itself, end it.
        let mut ended = false;
        let answers = answers.map(move |answer| (Outcome::of(answer, &request_id), &place).0);
        let answers = answers.take_while(move |outcome| {
            let was_ended = std::mem::replace(&mut ended, matches!(outcome, Outcome::Invalid(_)));
            ready(!was_ended)
        });
        Ok(answers.boxed())
    }
}
