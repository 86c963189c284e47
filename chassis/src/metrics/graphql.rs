//! Operations by their root field.

use async_graphql::parser::{
    parse_schema,
    types::{OperationType, TypeKind, TypeSystemDefinition},
};
use graphql_http::{
    Permissions, Rule,
    meter::{Conclusion, Measured, Meter, Protocol, Sender},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::{durations, labels::Labels};
use crate::graphql::{kind_name, outcome_name};

const ROOT_TYPES: [(&str, OperationType); 3] = [
    ("Query", OperationType::Query),
    ("Mutation", OperationType::Mutation),
    ("Subscription", OperationType::Subscription),
];

/// Metrics of operations.
#[derive(Clone, Debug)]
pub(crate) struct GraphqlMeter {
    operations: Family<Labels<Operation>, Counter>,
    durations: Family<Labels<RootField>, Histogram, fn() -> Histogram>,
    errors: Family<Code, Counter>,
    subscriptions: Family<Transport, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    r#type: &'static str,
    field: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RootField {
    r#type: &'static str,
    field: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Transport {
    transport: &'static str,
}

/// Codes are the service's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: String,
}

impl GraphqlMeter {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let meter = Self {
            operations: Family::default(),
            durations: Family::new_with_constructor(durations),
            errors: Family::default(),
            subscriptions: Family::default(),
        };
        registry.register(
            "graphql_operations",
            "Operations that ended or were refused, by their root field",
            meter.operations.clone(),
        );
        registry.register(
            "graphql_operation_duration_seconds",
            "Time to execute a query or mutation",
            meter.durations.clone(),
        );
        registry.register("graphql_errors", "Errors of GraphQL responses, by their code", meter.errors.clone());
        registry.register("graphql_subscriptions", "Subscriptions that are open", meter.subscriptions.clone());
        for protocol in [Protocol::Http, Protocol::WebSocket] {
            meter.subscriptions_over(protocol).set(0);
        }
        meter
    }

    /// Begins with 0 for each outcome of the fields of a schema: a rate does not see the first fault of a series that the
    /// fault makes.
    #[must_use]
    pub(crate) fn declaring(self, sdl: &str, permissions: &Permissions) -> Self {
        for definition in parse_schema(sdl).into_iter().flat_map(|schema| schema.definitions) {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let (name, TypeKind::Object(object)) = (&definition.node.name.node, &definition.node.kind) else {
                continue;
            };
            let Some(r#type) = ROOT_TYPES.iter().find(|(root, _)| root == name).map(|(_, kind)| kind_name(*kind))
            else {
                continue;
            };
            for field in &object.fields {
                let Some(Rule { name: field, .. }) = permissions.root_field(&field.node.name.node) else { continue };
                for conclusion in Conclusion::ALL {
                    let outcome = outcome_name(conclusion);
                    drop(self.operations.get_or_create(&Labels(Operation { r#type, field, outcome })));
                }
            }
        }
        self
    }

    fn subscriptions_over(&self, protocol: Protocol) -> Gauge {
        let transport = match protocol {
            Protocol::Http => "sse",
            Protocol::WebSocket => "websocket",
        };
        self.subscriptions.get_or_create_owned(&Transport { transport })
    }
}

impl Meter for GraphqlMeter {
    fn operation_begun(&self, _: &Sender, _: OperationType, _: &'static str) {}

    fn operation(&self, operation: Measured<'_>) {
        let (r#type, field) = (kind_name(operation.kind), operation.root_field);
        let outcome = Labels(Operation { r#type, field, outcome: outcome_name(operation.conclusion) });
        self.operations.get_or_create(&outcome).inc();
        if let Some(duration) = operation.duration {
            self.durations.get_or_create(&Labels(RootField { r#type, field })).observe(duration.as_secs_f64());
        }
    }

    fn error(&self, code: &str) {
        self.errors.get_or_create(&Code { code: code.to_owned() }).inc();
    }

    fn subscription_begun(&self, protocol: Protocol) {
        self.subscriptions_over(protocol).inc();
    }

    fn subscription_ended(&self, subscription: Measured<'_>) {
        self.subscriptions_over(subscription.sender.protocol).dec();
    }
}
