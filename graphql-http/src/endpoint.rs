//! Operations for clients that take several answers: subscriptions, and queries and mutations with their one.

use std::sync::Arc;

use async_graphql::{Executor, futures_util::stream::BoxStream, parser::types::OperationType};
use axum::http::HeaderMap;
use futures_util::{StreamExt, future::ready, stream};
use headers::{Authorization, HeaderMapExt, authorization::Basic};

use super::{Endpoint, admission::Admitted, bad_request::BadRequest, response::Outcome};

/// Subscriptions that a process serves at once: each may read the database at each change.
pub(super) const MAX_SUBSCRIPTIONS: usize = 1_000;

/// The name of the user with these credentials, which were checked before.
pub(super) fn user(headers: &HeaderMap) -> String {
    let credentials = headers.typed_get::<Authorization<Basic>>();
    credentials.map(|Authorization(basic)| basic.username().to_owned()).unwrap_or_default()
}

impl<E: Executor> Endpoint<E> {
    /// The answers of an operation. Whoever drops them ends a subscription; what a mutation began goes on.
    pub(super) fn stream(
        &self,
        admitted: Admitted,
        user: &str,
        request_id: Arc<str>,
    ) -> Result<BoxStream<'static, Outcome>, BadRequest> {
        let endpoint = self.clone();
        if admitted.kind != OperationType::Subscription {
            return Ok(stream::once(async move { endpoint.execute(admitted, &request_id).await }).boxed());
        }
        let place = self.subscriptions.take(user.to_owned());
        let place = place.ok_or_else(|| BadRequest::too_many_subscriptions(MAX_SUBSCRIPTIONS))?;
        let mut new_document = Some(admitted.new_document);
        let answers = self.schema.execute_stream(admitted.request, None).map(move |answer| {
            let _until_dropped = &place;
            let outcome = Outcome::of(answer, &request_id);
            if let Some(new_document) = new_document.take().filter(|_| outcome.has_run()) {
                endpoint.remember(new_document);
            }
            outcome
        });
        // One that is not executed has one answer.
        let mut is_over = false;
        let answers = answers
            .take_while(move |outcome| ready(!std::mem::replace(&mut is_over, matches!(outcome, Outcome::Invalid(_)))));
        Ok(answers.boxed())
    }
}
