//! Certificates and the ends of their validity.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

/// Metrics of the certificates that a service has. Without one there are none.
#[derive(Clone, Debug)]
pub(super) struct Certificates(Family<Certificate, Gauge>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Certificate {
    certificate: &'static str,
}

impl Certificates {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let not_after = Family::default();
        let help = "End of the validity of a certificate in use, in seconds since 1970";
        registry.register("tls_certificate_not_after_timestamp_seconds", help, not_after.clone());
        Self(not_after)
    }

    pub(super) fn of(&self, certificate: &'static str) -> Gauge {
        self.0.get_or_create_owned(&Certificate { certificate })
    }
}
