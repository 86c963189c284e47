//! Operations by their root field.

use async_graphql::parser::types::OperationType;
use graphql_http::meter::{Conclusion, Measured, Meter};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::durations;

/// Metrics of operations.
#[derive(Clone, Debug)]
pub(crate) struct GraphqlMeter {
    operations: Family<Operation, Counter>,
    durations: Family<RootField, Histogram, fn() -> Histogram>,
    errors: Family<Code, Counter>,
    subscriptions: Gauge,
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
            subscriptions: Gauge::default(),
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
        registry.register("graphql_errors", "Errors of responses, by their code", meter.errors.clone());
        registry.register("graphql_subscriptions", "Subscriptions that are open", meter.subscriptions.clone());
        meter
    }
}

impl Meter for GraphqlMeter {
    fn operation(&self, Measured { kind, root_field: field, conclusion, duration }: Measured) {
        let kind = match kind {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        let operation = |conclusion| Operation { r#type: kind, field, outcome: outcome(conclusion) };
        if self.operations.get(&operation(conclusion)).is_none() {
            // A rate sees no fault that makes its series: all outcomes begin with 0.
            for other in Conclusion::ALL {
                drop(self.operations.get_or_create(&operation(other)));
            }
        }
        self.operations.get_or_create(&operation(conclusion)).inc();
        if let Some(duration) = duration {
            self.durations.get_or_create(&RootField { r#type: kind, field }).observe(duration.as_secs_f64());
        }
    }

    fn error(&self, code: &str) {
        self.errors.get_or_create(&Code { code: code.to_owned() }).inc();
    }

    fn subscription_begun(&self) {
        self.subscriptions.inc();
    }

    fn subscription_ended(&self) {
        self.subscriptions.dec();
    }
}

fn outcome(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Ok => "ok",
        Conclusion::Refused => "refused",
        Conclusion::Invalid => "invalid",
        Conclusion::Forbidden => "forbidden",
        Conclusion::Overloaded => "overloaded",
        Conclusion::Unavailable => "unavailable",
        Conclusion::TimedOut => "timeout",
        Conclusion::Fault => "fault",
    }
}
