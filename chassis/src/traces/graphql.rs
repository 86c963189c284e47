//! The operation of a request, in its span.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use graphql_http::meter::{Conclusion, Measured, Meter, Protocol, Sender};

use super::Span;
use crate::graphql::{kind_name, outcome_name};

/// Characters of an operation's name in a span. Clients choose names of any length.
const MAX_NAME: usize = 128;

/// A meter that also describes operations in the span of their request.
pub(crate) struct SpanMeter(pub(crate) Arc<dyn Meter>);

impl Meter for SpanMeter {
    fn operation_begun(&self, sender: &Sender, kind: OperationType, root_field: &'static str) {
        self.0.operation_begun(sender, kind, root_field);
    }

    fn operation(&self, operation: Measured<'_>) {
        self.0.operation(operation);
        let span = Span::current();
        if !span.is_sampled() {
            return;
        }
        span.set("graphql.operation.type", kind_name(operation.kind));
        if let Some(name) = operation.name {
            span.set("graphql.operation.name", name.chars().take(MAX_NAME).collect::<String>());
        }
        match operation.conclusion {
            Conclusion::Ok | Conclusion::Refused | Conclusion::Invalid | Conclusion::Forbidden => {}
            failed => span.fail(outcome_name(failed)),
        }
    }

    fn error(&self, code: &str) {
        self.0.error(code);
    }

    fn subscription_begun(&self, protocol: Protocol) {
        self.0.subscription_begun(protocol);
    }

    fn subscription_ended(&self, subscription: Measured<'_>) {
        self.0.subscription_ended(subscription);
    }
}
