//! How an endpoint is put together.

use std::{marker::PhantomData, path::Path, sync::Arc};

use async_graphql::{Executor, ServerError};
use tokio_util::sync::CancellationToken;

use super::{Endpoint, MAX_SUBSCRIPTIONS, MAX_UNINITIALISED};
use crate::{
    Authenticate, DocumentsError, Options, Permissions, TaskContext,
    consistency::Consistency,
    documents::Documents,
    meter::{Meter, Meters},
    observer::Observer,
    options::Rules,
    parsed::Parsed,
    refusal::Refusal,
    shares::Shares,
};

impl<E: Executor> Endpoint<E> {
    /// Serves `schema`, to which `options` were applied, to anonymous callers.
    pub fn new(schema: E, options: Options) -> Self {
        Self {
            schema,
            rules: Rules { options, classify: |_| None, permissions: None },
            documents: Documents::default(),
            parsed: Parsed::default(),
            subscriptions: Arc::new(Shares::new(MAX_SUBSCRIPTIONS)),
            uninitialised: Arc::new(Shares::new(MAX_UNINITIALISED)),
            authenticator: None,
            shutdown: CancellationToken::new(),
            observer: None,
            meters: Meters::default(),
            consistency: None,
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

    /// Tells `observer` what operations did.
    #[must_use]
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Measures operations by `meter`.
    #[must_use]
    pub fn with_meter(self, meter: Arc<dyn Meter>) -> Self {
        Self { meters: Meters(Some(meter)), ..self }
    }

    /// Lets queries read from the replica that `consistency` chooses.
    #[must_use]
    pub fn with_consistency(self, consistency: Arc<dyn Consistency>) -> Self {
        Self { consistency: Some(consistency), ..self }
    }

    /// Carries task-local state of a request into the tasks of its operations.
    #[must_use]
    pub fn with_task_context<D: TaskContext>(self) -> Endpoint<E, D> {
        Endpoint {
            schema: self.schema,
            rules: self.rules,
            documents: self.documents,
            parsed: self.parsed,
            subscriptions: self.subscriptions,
            uninitialised: self.uninitialised,
            authenticator: self.authenticator,
            shutdown: self.shutdown,
            observer: self.observer,
            meters: self.meters,
            consistency: self.consistency,
            context: PhantomData,
        }
    }
}
