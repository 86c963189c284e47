//! The line of a request, collected while it is answered. It is written when the last part of the request is dropped: the
//! body of its response, or its handler if the client has gone away.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use async_graphql::parser::types::OperationType;
use axum::{
    body::Body,
    extract::{self, MatchedPath},
    http::StatusCode,
    response::Response,
};
use graphql_http::{Caller, TaskContext, meter::Conclusion};
use tokio::time::Instant;

use super::{
    AccessLog,
    body::LoggedBody,
    line::{Line, outcome_of},
};
use crate::{
    audit,
    gate::request_id,
    graphql::{kind_name, outcome_name},
    metrics::known_method,
};

tokio::task_local! {
    /// The request that this task answers, or whose response it sends.
    pub(super) static CURRENT: Current;
}

/// A request until its line is written. An operation may go on without it.
#[derive(Clone, Default)]
pub(crate) struct Current(Weak<Request>);

impl Current {
    pub(super) fn of(request: &Arc<Request>) -> Self {
        Self(Arc::downgrade(request))
    }
}

impl TaskContext for Current {
    fn capture() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    fn scope<F: Future + Send>(self, future: F) -> impl Future<Output = F::Output> + Send {
        CURRENT.scope(self, future)
    }
}

pub(crate) struct Request {
    log: AccessLog,
    began: Instant,
    id: String,
    address: IpAddr,
    method: &'static str,
    route: Option<MatchedPath>,
    noted: Mutex<Noted>,
}

/// What becomes known later.
#[derive(Default)]
pub(super) struct Noted {
    user: Option<Arc<str>>,
    operation: Option<&'static str>,
    field: Option<&'static str>,
    conclusion: Option<Conclusion>,
    /// The code of the first error.
    pub(super) code: Option<String>,
    status: Option<StatusCode>,
    pub(super) bytes: u64,
}

impl Request {
    /// A request of the client at this address.
    pub(crate) fn new(log: AccessLog, request: &extract::Request, address: IpAddr) -> Self {
        Self {
            log,
            began: Instant::now(),
            id: request_id::text(request.extensions()).to_owned(),
            address,
            method: known_method(request.method()),
            route: request.extensions().get().cloned(),
            noted: Mutex::default(),
        }
    }

    /// Answers the request by `answer`, and follows the response until it has been sent.
    pub(crate) async fn follow(self: Arc<Self>, answer: impl Future<Output = Response>) -> Response {
        let response = CURRENT.scope(Current::of(&self), answer).await;
        self.note(|noted| noted.status = Some(response.status()));
        response.map(|body| Body::new(LoggedBody { body, request: self }))
    }

    pub(super) fn note(&self, note: impl FnOnce(&mut Noted)) {
        note(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Notes who sends the current request, if it is logged.
pub(crate) fn note_caller(caller: &Caller) {
    note(|noted| noted.user = Some(audit::user(caller)));
}

/// Notes the operation of the current request, and how it ended if it has.
pub(super) fn note_operation(kind: OperationType, root_field: &'static str, conclusion: Option<Conclusion>) {
    note(|noted| {
        noted.operation = Some(kind_name(kind));
        noted.field = Some(root_field);
        noted.conclusion = conclusion;
    });
}

pub(super) fn note(add: impl FnOnce(&mut Noted)) {
    // Without an access log there is none.
    if let Some(request) = CURRENT.try_with(|current| current.0.upgrade()).ok().flatten() {
        request.note(add);
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let duration = self.began.elapsed();
        let noted = self.noted.get_mut().unwrap_or_else(PoisonError::into_inner);
        let outcome = noted.conclusion.map_or_else(|| outcome_of(noted.status, noted.code.as_deref()), outcome_name);
        let line = Line {
            request_id: &self.id,
            address: Some(self.address),
            user: noted.user.as_deref(),
            method: Some(self.method),
            route: Some(self.route.as_ref().map_or("none", MatchedPath::as_str)),
            operation: noted.operation,
            field: noted.field,
            status: noted.status.map(|status| status.as_u16()),
            outcome,
            code: noted.code.as_deref(),
            bytes: Some(noted.bytes),
            ..Line::default()
        };
        self.log.write(line, duration);
    }
}
