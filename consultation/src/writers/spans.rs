//! Spans of the pending payments that a batch of finishes makes.

use uuid::Uuid;

use crate::{outbox::MESSAGING_SYSTEM, store::Ended};

/// Ends the spans of the pending payments, of which those of `written` consultations were made. The others are decided
/// again, which is no failure. None when the commit failed.
pub(super) fn end_spans(ended: &[Ended], written: Option<&[Uuid]>) {
    for Ended { consultation_id, pending_payment_id, created, .. } in
        ended.iter().filter(|row| row.created.is_sampled())
    {
        created.set("messaging.system", MESSAGING_SYSTEM);
        created.set("messaging.operation.name", "create");
        created.set("messaging.operation.type", "create");
        created.set("messaging.message.id", pending_payment_id.to_string());
        match written {
            Some(written) => created.set("pending_payment.stored", written.contains(consultation_id)),
            None => created.fail("not known to be stored"),
        }
        created.end();
    }
}
