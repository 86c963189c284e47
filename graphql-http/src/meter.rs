//! What operations cost and how they end, for the application's metrics.

mod running;

use std::{sync::Arc, time::Duration};

use async_graphql::{Name, ServerError, Value, parser::types::OperationType};
use tokio::time::Instant;

use crate::{Caller, errors, refusal::UNAVAILABLE, response::Outcome};
pub(crate) use running::{Running, Subscribed};

/// Receives measurements. It is called in the task of the operation unless it says otherwise, and must not block.
pub trait Meter: Send + Sync + 'static {
    /// A query or mutation begins to run, in the task of its request.
    fn operation_begun(&self, sender: &Sender, kind: OperationType, root_field: &'static str);
    /// An operation was refused or has ended, or a subscription had its first outcome. An operation that is invalid before
    /// its root field is known is none.
    fn operation(&self, operation: Measured<'_>);
    /// A response has an error of this code.
    fn error(&self, code: &str);
    /// A subscription has begun.
    fn subscription_begun(&self, protocol: Protocol);
    /// A subscription has ended, with the conclusion of its last event.
    fn subscription_ended(&self, subscription: Measured<'_>);
}

/// How an operation came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// By a request of its own. Events of a subscription are server-sent.
    Http,
    /// Over a WebSocket, which may carry others.
    WebSocket,
}

/// Who has sent an operation, and how.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The caller.
    pub caller: Caller,
    /// The id of the request; over a WebSocket that of the upgrade.
    pub request_id: Arc<str>,
    /// How it came.
    pub protocol: Protocol,
}

/// A measured operation.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// Who has sent it.
    pub sender: &'a Sender,
    /// The name that the client gave it, of any length: no label of a metric.
    pub name: Option<&'a str>,
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// Its root field, `several` of them, or `introspection`. Only fields with a rule have names here: names that clients
    /// choose would have no bound.
    pub root_field: &'static str,
    /// How it ended.
    pub conclusion: Conclusion,
    /// The code of its first error.
    pub code: Option<&'a str>,
    /// Time to execute it, or that a subscription was open. None if it was refused, or is still open.
    pub duration: Option<Duration>,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Conclusion {
    /// Without an error.
    Ok,
    /// With an error that the client can do something about.
    Refused,
    /// The document is invalid.
    Invalid,
    /// No role of the caller permits it.
    Forbidden,
    /// The service has too much to do.
    Overloaded,
    /// Something that the service needs is away.
    Unavailable,
    /// It took too long.
    TimedOut,
    /// A fault, which the response masks.
    Fault,
}

impl Conclusion {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Refused,
        Self::Invalid,
        Self::Forbidden,
        Self::Overloaded,
        Self::Unavailable,
        Self::TimedOut,
        Self::Fault,
    ];

    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Executed(response) => response.errors.iter().map(Self::of_error).max_by_key(|end| *end as u8),
            Outcome::Invalid(_) => Some(Self::Invalid),
            Outcome::BadRequest(_) => Some(Self::TimedOut),
        }
        .unwrap_or(Self::Ok)
    }

    pub(crate) fn of_error(error: &ServerError) -> Self {
        match code(error) {
            Some("INTERNAL_SERVER_ERROR") | None => Self::Fault,
            Some(UNAVAILABLE) => Self::Unavailable,
            Some("OVERLOADED" | "SHUTTING_DOWN") => Self::Overloaded,
            Some(_) => Self::Refused,
        }
    }
}

/// The meter of an endpoint, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Meters(pub(crate) Option<Arc<dyn Meter>>);

impl Meters {
    pub(crate) fn errors<'a>(&self, errors: impl IntoIterator<Item = &'a ServerError>) {
        if let Some(meter) = &self.0 {
            errors.into_iter().filter_map(code).for_each(|code| meter.error(code));
        }
    }

    fn operation_begun(&self, sender: &Sender, kind: OperationType, root_field: &'static str) {
        if let Some(meter) = &self.0 {
            meter.operation_begun(sender, kind, root_field);
        }
    }

    pub(crate) fn operation(&self, operation: Measured<'_>) {
        if let Some(meter) = &self.0 {
            meter.operation(operation);
        }
    }

    /// Counts a subscription until the value is dropped.
    pub(crate) fn subscription(
        &self,
        sender: &Sender,
        name: Option<&Name>,
        root_field: &'static str,
    ) -> Option<Subscribed> {
        let meter = self.0.clone()?;
        meter.subscription_begun(sender.protocol);
        let (sender, name, began, conclusion) = (sender.clone(), name.cloned(), Instant::now(), Conclusion::Ok);
        Some(Subscribed { meter, sender, name, root_field, began, conclusion, code: None })
    }
}

pub(crate) fn code(error: &ServerError) -> Option<&str> {
    if let Some(Value::String(code)) = errors::code(error) { Some(code) } else { None }
}
