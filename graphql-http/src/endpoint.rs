//! An endpoint: a schema and the rules by which it is served. Every transport admits, executes and streams operations
//! here.

use std::{future::ready, marker::PhantomData, net::IpAddr, path::Path, sync::Arc, time::Duration};

use async_graphql::{Executor, Request, ServerError, parser::types::OperationType};
use axum::http::Extensions;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    Authenticate, Caller, ClientNetwork, DocumentsError, Options, Permissions, TaskContext,
    admission::{self, Admitted, NewDocument},
    bad_request::BadRequest,
    documents::Documents,
    limits,
    options::Rules,
    parsed::{NewlyParsed, Parsed},
    refusal::Refusal,
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

/// A schema with the rules by which it is served. Clones share their state.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "schemas have none")]
pub struct Endpoint<E, C = ()> {
    schema: E,
    rules: Rules,
    documents: Documents,
    pub(crate) parsed: Arc<Parsed>,
    subscriptions: Arc<Shares<Arc<str>>>,
    pub(crate) uninitialised: Arc<Shares<Option<IpAddr>>>,
    pub(crate) authenticator: Option<Arc<dyn Authenticate>>,
    pub(crate) shutdown: CancellationToken,
    context: PhantomData<fn() -> C>,
}

impl<E: Executor> Endpoint<E> {
    /// Serves `schema`, to which `options` were applied, to anonymous callers.
    pub fn new(schema: E, options: Options) -> Self {
        Self {
            schema,
            rules: Rules { options, classify: |_| None, permissions: None },
            documents: Documents::default(),
            parsed: Arc::default(),
            subscriptions: Arc::new(Shares::new(MAX_SUBSCRIPTIONS)),
            uninitialised: Arc::new(Shares::new(MAX_UNINITIALISED)),
            authenticator: None,
            shutdown: CancellationToken::new(),
            context: PhantomData,
        }
    }
}

impl<E: Executor, C: TaskContext> Endpoint<E, C> {
    /// Executes only the documents of `directory`: *.graphql files and *.json manifests.
    ///
    /// # Errors
    /// When a file cannot be read or parsed.
    pub fn with_trusted_documents(self, directory: &Path) -> Result<Self, DocumentsError> {
        Ok(Self { documents: Documents::trusted(directory)?, ..self })
    }

    /// Recognises errors that clients can do something about by their source. Others without a code are masked.
    #[must_use]
    pub fn with_error_classifier(mut self, classify: fn(&ServerError) -> Option<Refusal>) -> Self {
        self.rules.classify = classify;
        self
    }

    /// Refuses operations that no role of the caller permits. Without this every caller may ask everything.
    #[must_use]
    pub fn with_permissions(mut self, permissions: &'static Permissions) -> Self {
        self.rules.permissions = Some(permissions);
        self
    }

    /// Checks credentials in `connection_init` of WebSockets. Without this they are anonymous.
    #[must_use]
    pub fn with_authenticator(self, authenticator: Arc<dyn Authenticate>) -> Self {
        Self { authenticator: Some(authenticator), ..self }
    }

    /// Ends event streams and WebSockets when `shutdown` is cancelled.
    #[must_use]
    pub fn with_shutdown(self, shutdown: CancellationToken) -> Self {
        Self { shutdown, ..self }
    }

    /// Carries task-local state of a request into the tasks of its operations.
    #[must_use]
    pub fn with_task_context<D: TaskContext>(self) -> Endpoint<E, D> {
        let Self { schema, rules, documents, parsed, subscriptions, uninitialised, authenticator, shutdown, .. } = self;
        let context = PhantomData;
        Endpoint { schema, rules, documents, parsed, subscriptions, uninitialised, authenticator, shutdown, context }
    }

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
    pub(crate) fn admit(&self, mut request: Request, caller: &Caller) -> Result<Admitted, BadRequest> {
        let hash = self.documents.resolve(&mut request)?;
        let (name, variables) = (request.operation_name.clone(), request.variables.clone());
        name.as_deref().map_or(Ok(()), limits::check_name)?;
        let new_bytes = self.parsed.parse(&mut request)?;
        let document = request.parsed_query().map_err(|error| BadRequest::unparsable(&error))?;
        limits::check(document, &variables, &self.rules.options)?;
        admission::check_introspection(document, &self.rules.options)?;
        let operation = admission::operation(document, name.as_deref())?;
        admission::require_variables(operation, &variables)?;
        let (kind, permissions) = (operation.ty, self.rules.permissions);
        let has_rules = permissions.map_or(Ok(true), |all| all.check(document, operation, &variables, caller))?;
        // A field without a rule is validated, which reports it if the schema has none of its name, but does not run.
        let mut request = if has_rules { request } else { request.only_introspection() };
        let named = hash.map(|hash| (hash, request.query.clone()));
        let parsed = new_bytes.and_then(|bytes| NewlyParsed::of(&mut request, bytes));
        request.data.insert(caller.clone());
        Ok(Admitted { request, kind, new_document: NewDocument { named, parsed } })
    }

    /// Executes a query or mutation in a task of its own: a client that hangs up does not cancel it.
    pub(crate) async fn execute(&self, Admitted { request, new_document, .. }: Admitted, request_id: &str) -> Outcome {
        let schema = self.schema.clone();
        let execution = C::capture().scope(async move { schema.execute(request).await });
        let task = tokio::spawn(execution.in_current_span());
        match tokio::time::timeout(REQUEST_TIMEOUT, task).await {
            Ok(Ok(response)) => {
                let outcome = Outcome::of(response, &self.rules, request_id);
                if outcome.has_run() {
                    self.remember(new_document);
                }
                outcome
            }
            Ok(Err(panic)) => Outcome::fault(&panic, &self.rules, request_id),
            Err(_) => Outcome::from(BadRequest::execution_timeout()),
        }
    }

    /// The outcomes of an operation. Dropping the stream ends a subscription; a mutation goes on.
    pub(crate) fn stream(
        &self,
        admitted: Admitted,
        caller: &Caller,
        request_id: Arc<str>,
    ) -> Result<BoxStream<'static, Outcome>, BadRequest> {
        let endpoint = self.clone();
        if admitted.kind != OperationType::Subscription {
            return Ok(in_context::<C, _>(stream::once(async move { endpoint.execute(admitted, &request_id).await })));
        }
        let share = self.subscriptions.take(Arc::clone(&caller.name));
        let share = share.ok_or_else(|| BadRequest::too_many_subscriptions(MAX_SUBSCRIPTIONS))?;
        let mut new_document = Some(admitted.new_document);
        let outcomes = self.schema.execute_stream(admitted.request, None).map(move |response| {
            let _held = &share;
            let outcome = Outcome::of(response, &endpoint.rules, &request_id);
            if let Some(new_document) = new_document.take().filter(|_| outcome.has_run()) {
                endpoint.remember(new_document);
            }
            outcome
        });
        // An operation that is not executed has one outcome.
        let mut is_over = false;
        let outcomes = outcomes
            .take_while(move |outcome| ready(!std::mem::replace(&mut is_over, matches!(outcome, Outcome::Invalid(_)))));
        Ok(in_context::<C, _>(outcomes))
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
