//! The span of a request to finance.

use graphql_http::TaskContext;
use tokio::time::Instant;

use super::{Relay, delivery::Delivery, destination::Destination};
use crate::outbox::{MESSAGING_SYSTEM, store::Lease};

impl Relay {
    /// Sends the rows within a span that is linked to the finish of each. A batch has many origins, and a span one parent.
    /// Only the first try of a lone row is in the trace of its finish too, since most finishes are delivered so.
    pub(super) async fn send_traced<'a>(
        &self,
        leases: &'a [Lease],
        destination: &Destination,
        called_at: Instant,
    ) -> Vec<Delivery<'a>> {
        let origins = leases.iter().filter_map(|lease| Some((lease.trace_parent.as_deref()?, lease.id)));
        let is_first = matches!(leases, [Lease { tries: 1, .. }]);
        let span = self.traces.sending("send payments", origins, is_first);
        if span.is_sampled() {
            span.set("messaging.system", MESSAGING_SYSTEM);
            span.set("messaging.operation.name", "send");
            span.set("messaging.operation.type", "send");
            if let [Lease { id, .. }] = leases {
                span.set("messaging.message.id", id.to_string());
            }
            span.set("messaging.batch.message_count", i64::try_from(leases.len()).unwrap_or(i64::MAX));
        }
        let sent = span.clone().scope(self.send(leases, destination, called_at)).await;
        span.end();
        sent
    }
}
