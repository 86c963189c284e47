//! Operations in the access log: noted for the line of their request, or, over a WebSocket, a line each.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use graphql_http::meter::{Conclusion, Measured, Meter, Protocol, Sender};

use super::{AccessLog, line::Line, request};
use crate::{
    audit,
    graphql::{kind_name, outcome_name},
};

/// A meter that logs operations too.
pub(crate) struct Operations {
    pub(crate) log: AccessLog,
    pub(crate) meter: Arc<dyn Meter>,
}

impl Meter for Operations {
    /// The client may go away before the end.
    fn operation_begun(&self, sender: &Sender, kind: OperationType, root_field: &'static str) {
        self.meter.operation_begun(sender, kind, root_field);
        if sender.protocol == Protocol::Http {
            request::note_operation(kind, root_field, None);
        }
    }

    fn operation(&self, operation: Measured<'_>) {
        self.meter.operation(operation);
        // An open subscription has its line at its end.
        let is_open = operation.kind == OperationType::Subscription && operation.conclusion != Conclusion::Forbidden;
        if operation.sender.protocol == Protocol::Http {
            request::note_operation(operation.kind, operation.root_field, Some(operation.conclusion));
        } else if !is_open {
            self.write(operation);
        }
    }

    fn error(&self, code: &str) {
        self.meter.error(code);
        request::note(|noted| _ = noted.code.get_or_insert_with(|| code.to_owned()));
    }

    fn subscription_begun(&self, protocol: Protocol) {
        self.meter.subscription_begun(protocol);
    }

    fn subscription_ended(&self, subscription: Measured<'_>) {
        self.meter.subscription_ended(subscription);
        match subscription.sender.protocol {
            Protocol::Http => {
                request::note_operation(subscription.kind, subscription.root_field, Some(subscription.conclusion));
            }
            Protocol::WebSocket => self.write(subscription),
        }
    }
}

impl Operations {
    fn write(&self, Measured { sender, kind, root_field, conclusion, code, duration, .. }: Measured<'_>) {
        let user = audit::user(&sender.caller);
        let line = Line {
            request_id: &sender.request_id,
            address: sender.caller.address,
            user: Some(&user),
            transport: Some("websocket"),
            operation: Some(kind_name(kind)),
            field: Some(root_field),
            outcome: outcome_name(conclusion),
            code,
            ..Line::default()
        };
        self.log.write(line, duration.unwrap_or_default());
    }
}
