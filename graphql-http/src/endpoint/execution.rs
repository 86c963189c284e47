//! Executes queries and mutations.

use std::sync::Arc;

use async_graphql::{Executor, Request, Response, Value, parser::types::OperationType};
use tracing::Instrument;

use super::{Endpoint, REQUEST_TIMEOUT};
use crate::{
    Caller, TaskContext,
    admission::Admitted,
    bad_request::BadRequest,
    consistency::{self, Replica},
    meter::Running,
    observer::Objects,
    response::Outcome,
};

impl<E: Executor, C: TaskContext> Endpoint<E, C> {
    /// Executes a query or mutation in a task of its own: a client that hangs up does not cancel it.
    pub(crate) async fn execute(self: &Arc<Self>, admitted: Admitted) -> Outcome {
        let Admitted { request, sender, name, kind, root_field, new_document, observation, replica } = admitted;
        let (endpoint, request_id) = (Arc::clone(self), Arc::clone(&sender.request_id));
        let running = Arc::new(Running::new(self.meters.clone(), sender, name, kind, root_field));
        let measured = Arc::clone(&running);
        // Boxed: each wrapper around it would copy the large future.
        let execution = C::capture().scope(Box::pin(async move {
            let response = match replica {
                Some(replica) => {
                    let objects = observation.as_ref().map(|observation| &observation.objects);
                    endpoint.query(request, replica, &running.sender.caller, objects).await
                }
                None => endpoint.run(request, kind).await,
            };
            if let Some(observation) = &observation {
                observation.responded(&response);
            }
            let outcome = Outcome::of(response, &endpoint.rules, &running.sender.request_id);
            running.concluded(&outcome);
            if outcome.has_run() {
                endpoint.remember(new_document);
            }
            outcome
        }));
        let task = tokio::spawn(execution.in_current_span());
        let outcome = match tokio::time::timeout(REQUEST_TIMEOUT, task).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(panic)) => Outcome::fault(&panic, &self.rules, &request_id),
            Err(_) => Outcome::from(BadRequest::execution_timeout()),
        };
        measured.concluded(&outcome);
        outcome
    }

    /// Runs an operation on the primary. After a mutation the response has a token of its effects.
    async fn run(&self, request: Request, kind: OperationType) -> Response {
        let mut response = self.schema.execute(request).await;
        if let Some(consistency) = self.consistency.as_ref().filter(|_| kind == OperationType::Mutation)
            // Without data nothing ran.
            && response.data != Value::Null
            && let Some(token) = consistency.token().await
        {
            consistency::tell_token(&mut response, &token);
        }
        response
    }

    /// Runs a query on a replica. When the replica fails or is lost, the whole query runs again on the primary: no
    /// response has data of both.
    async fn query(
        &self,
        mut request: Request,
        replica: Replica,
        caller: &Caller,
        objects: Option<&Objects>,
    ) -> Response {
        let again = consistency::copy(&request, caller, objects);
        (replica.provide)(&mut request.data);
        let has_failed = |response: &Response| {
            let consistency = self.consistency.as_ref();
            response.errors.iter().any(|error| consistency.is_some_and(|all| all.is_about_replica(error)))
        };
        tokio::select! {
            mut response = self.schema.execute(request) => if !has_failed(&response) {
                consistency::tell_staleness(&mut response, replica.staleness);
                return response;
            },
            () = replica.lost.cancelled() => {}
        }
        objects.into_iter().for_each(Objects::clear);
        self.consistency.iter().for_each(|consistency| consistency.repeated());
        self.schema.execute(again).await
    }
}
