//! An endpoint: a schema and the rules by which it is served. Every transport admits, executes and streams operations
//! here.

mod build;
mod execution;

use std::{future::ready, marker::PhantomData, net::IpAddr, sync::Arc, time::Duration};

use async_graphql::{Executor, Request, parser::types::OperationType};
use axum::http::Extensions;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Authenticate, Caller, ClientNetwork, TaskContext,
    admission::{self, Admitted, NewDocument},
    bad_request::BadRequest,
    consistency::{self, Consistency, Replica},
    documents::Documents,
    limits,
    meter::{self, Conclusion, Measured, Meters, Sender},
    observer::{Names, Objects, Observation, Observer},
    options::Rules,
    parsed::{NewlyParsed, Parsed},
    permissions::RootField,
    response::Outcome,
    shares::Shares,
    task_context::in_context,
};

/// Time to read a request, and time to execute it. A timed-out execution goes on: a database call that is cancelled
/// half-way poisons its connection.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Subscriptions of a process at once: each may read the database at each change.
const MAX_SUBSCRIPTIONS: usize = 1_000;
/// WebSockets that may wait for `connection_init` at once, shared by the networks of their clients.
const MAX_UNINITIALISED: usize = 100;

/// A schema with the rules by which it is served.
#[expect(missing_debug_implementations, reason = "schemas have none")]
pub struct Endpoint<E, C = ()> {
    schema: E,
    rules: Rules,
    documents: Documents,
    pub(crate) parsed: Parsed,
    subscriptions: Arc<Shares<Arc<str>>>,
    pub(crate) uninitialised: Arc<Shares<Option<IpAddr>>>,
    pub(crate) authenticator: Option<Arc<dyn Authenticate>>,
    pub(crate) shutdown: CancellationToken,
    observer: Option<Arc<dyn Observer>>,
    pub(crate) meters: Meters,
    consistency: Option<Arc<dyn Consistency>>,
    context: PhantomData<fn() -> C>,
}

impl<E: Executor, C: TaskContext> Endpoint<E, C> {
    /// The caller of a request with these extensions. Nobody is anonymous where there is an authenticator, or where the
    /// application's middleware says that credentials follow.
    pub(crate) fn caller(&self, extensions: &Extensions) -> Option<Caller> {
        let is_open = self.authenticator.is_none() && extensions.get::<ClientNetwork>().is_none();
        extensions.get().cloned().or_else(|| is_open.then(Caller::default))
    }

    pub(crate) fn introspection(&self) -> bool {
        self.rules.options.introspection
    }

    /// Checks an operation before it runs. An oversized document is not even parsed or validated. Resolvers find the
    /// caller in the data of the request.
    pub(crate) fn admit(&self, mut request: Request, sender: &Sender) -> Result<Admitted, BadRequest> {
        let hash = self.documents.resolve(&mut request)?;
        let (name, variables) = (request.operation_name.clone(), request.variables.clone());
        name.as_deref().map_or(Ok(()), limits::check_name)?;
        let new_bytes = self.parsed.parse(&mut request)?;
        let document = request.parsed_query().map_err(|error| BadRequest::unparsable(&error))?;
        limits::check(document, &variables, &self.rules.options)?;
        admission::check_introspection(document, &self.rules.options)?;
        let (name, operation) = admission::operation(document, name.as_deref())?;
        let name = name.cloned();
        admission::require_variables(operation, &variables)?;
        let (kind, permissions) = (operation.ty, self.rules.permissions);
        let (caller, mut observation) = (&sender.caller, self.observation(sender, kind));
        let seen = observation.as_mut().map(|observation| &mut observation.names);
        let mut root = RootField::default();
        let checked =
            permissions.map_or(Ok(true), |all| all.check(document, operation, &variables, caller, seen, &mut root));
        observation.iter().for_each(Observation::refused);
        let root_field = root.name();
        let has_rules = checked.inspect_err(|refusal| {
            let (name, conclusion, code) = (name.as_deref(), Conclusion::Forbidden, meter::code(&refusal.error));
            self.meters.operation(Measured { sender, name, kind, root_field, conclusion, code, duration: None });
        })?;
        // A field without a rule is validated, which reports it if the schema has none of its name, but does not run.
        let mut request = if has_rules { request } else { request.only_introspection() };
        let named = hash.map(|hash| (hash, request.query.clone()));
        let parsed = new_bytes.and_then(|bytes| NewlyParsed::of(&mut request, bytes));
        request.data.insert(caller.clone());
        if let Some(observation) = &observation {
            request.data.insert(observation.objects.clone());
        }
        let replica = self.replica(kind, &request)?;
        let (sender, new_document) = (sender.clone(), NewDocument { named, parsed });
        Ok(Admitted { request, sender, name, kind, root_field, new_document, observation, replica })
    }

    /// Queries alone may read from a replica, if they meet one that is good enough.
    fn replica(&self, kind: OperationType, request: &Request) -> Result<Option<Replica>, BadRequest> {
        let consistency = self.consistency.as_deref().filter(|_| kind == OperationType::Query);
        consistency.map_or(Ok(None), |consistency| consistency::choose(consistency, request))
    }

    fn observation(&self, sender: &Sender, kind: OperationType) -> Option<Observation> {
        let (observer, Sender { caller, request_id, .. }) = (self.observer.clone()?, sender.clone());
        Some(Observation { observer, caller, request_id, kind, names: Names::default(), objects: Objects::default() })
    }

    /// The outcome of a request that is refused before it runs.
    pub(crate) fn refuse(&self, refusal: BadRequest) -> Outcome {
        self.meters.errors([&*refusal.error]);
        refusal.into()
    }

    /// The outcomes of an operation with this state. Dropping the stream ends a subscription; a mutation goes on.
    pub(crate) fn stream(
        self: &Arc<Self>,
        admitted: Admitted,
        context: C,
    ) -> Result<BoxStream<'static, Outcome>, BadRequest> {
        let endpoint = Arc::clone(self);
        if admitted.kind != OperationType::Subscription {
            return Ok(in_context(context, stream::once(async move { endpoint.execute(admitted).await })));
        }
        let share = self.subscriptions.take(Arc::clone(&admitted.sender.caller.name));
        let full = || admitted.refused(&self.meters, BadRequest::too_many_subscriptions(MAX_SUBSCRIPTIONS));
        let share = share.ok_or_else(full)?;
        let Admitted { request, sender, name, kind, root_field, new_document, observation, .. } = admitted;
        let mut subscribed = self.meters.subscription(&sender, name.as_ref(), root_field);
        let mut new_document = Some(new_document);
        let outcomes = self.schema.execute_stream(request, None).map(move |response| {
            let _held = &share;
            if let Some(observation) = &observation {
                observation.responded(&response);
            }
            let outcome = Outcome::of(response, &endpoint.rules, &sender.request_id);
            endpoint.meters.errors(outcome.errors());
            let (conclusion, code) = (Conclusion::of(&outcome), outcome.errors().first().and_then(meter::code));
            if let Some(subscribed) = &mut subscribed {
                (subscribed.conclusion, subscribed.code) = (conclusion, code.map(str::to_owned));
            }
            if let Some(new_document) = new_document.take() {
                // The first outcome tells whether it runs.
                let (sender, name, duration) = (&sender, name.as_deref(), None);
                endpoint.meters.operation(Measured { sender, name, kind, root_field, conclusion, code, duration });
                if outcome.has_run() {
                    endpoint.remember(new_document);
                }
            }
            outcome
        });
        // An operation that is not executed has one outcome.
        let mut is_over = false;
        let outcomes = outcomes
            .take_while(move |outcome| ready(!std::mem::replace(&mut is_over, matches!(outcome, Outcome::Invalid(_)))));
        Ok(in_context(context, outcomes))
    }

    fn remember(&self, NewDocument { named, parsed }: NewDocument) {
        if let Some((hash, text)) = named {
            self.documents.remember(hash, &text);
        }
        if let Some(parsed) = parsed {
            self.parsed.remember(parsed);
        }
    }
}
