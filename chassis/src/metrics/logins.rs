//! Checked credentials.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::labels::Labels;

/// Metrics of logins. A remembered login is one too.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoginMeter(Family<Labels<Login>, Counter>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Login {
    method: &'static str,
    result: &'static str,
}

impl LoginMeter {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let meter = Self::default();
        for method in ["basic", "bearer"] {
            for result in ["ok", "refused", "throttled", "overloaded", "no_keys"] {
                drop(meter.0.get_or_create(&Labels(Login { method, result })));
            }
        }
        registry.register("authentications", "Credentials that were checked, or refused unchecked", meter.0.clone());
        meter
    }

    pub(crate) fn add(&self, method: &'static str, result: &'static str) {
        self.0.get_or_create(&Labels(Login { method, result })).inc();
    }
}
