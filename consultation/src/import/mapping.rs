//! What becomes of a consultation of the predecessor. Nothing is invented: a price comes from the consultation or from
//! its pending payment. Nothing is charged twice: what is not known to be delivered is sent, and finance records a
//! payment once. What contradicts itself is left out, for somebody to decide in the source.

use chassis::import::Finding;
use chrono::{DateTime, TimeDelta, Utc};
use entity::Money;
use uuid::Uuid;

use super::record::{PendingPayment, Record};
use crate::store::import::{Delivery, Ended, Imported};

/// Codes of findings about consultations in progress.
pub(super) const FOR_LONG: &str = "IN_PROGRESS_FOR_LONG";
pub(super) const SUPERSEDED: &str = "NEWER_IN_PROGRESS";
/// The reason of a cancellation by an import begins so.
pub(super) const REASON: &str = "imported: ";

/// Dates may be as far in the future: clocks and time zones were wrong now and then, but not by more.
const MAX_FUTURE: TimeDelta = TimeDelta::hours(24);

/// What dates are compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Time of the import.
    pub(super) now: DateTime<Utc>,
    /// Longest duration of a consultation.
    pub(super) longest: TimeDelta,
}

/// A consultation to import, and what somebody should know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) row: Imported,
    pub(super) noted: Option<Finding>,
}

/// Maps a record. The error says why it is left out.
pub(super) fn map(record: &Record, bounds: Bounds) -> Result<Mapped, Finding> {
    let last = bounds.now + MAX_FUTURE;
    let left_out = |code, text: String| Err(Finding::left_out(code, record.id, text));
    if record.start_date > last {
        return left_out("START_IN_FUTURE", format!("it starts at {}", record.start_date));
    }
    let Some(end_date) = record.end_date else { return in_progress(record, bounds) };
    if end_date > last {
        return left_out("END_IN_FUTURE", format!("it ended at {end_date}"));
    }
    if end_date <= record.start_date {
        let text = format!("it ended at {end_date}, not after its start at {}", record.start_date);
        return left_out("END_NOT_AFTER_START", text);
    }
    let finished = |price: Money, payment: Delivery| Some(Ended::Finished { end_date, price, payment });
    match (record.price, record.payments.as_slice()) {
        (_, [_, _, ..]) => {
            left_out("SEVERAL_PENDING_PAYMENTS", format!("it has {} pending payments", record.payments.len()))
        }
        (Some(price), [payment]) if payment.total_price != price => left_out(
            "PRICE_DIFFERS",
            format!("its price is {price}, that of its pending payment {}", payment.total_price),
        ),
        (Some(price), [payment]) => Ok(mapped(record, finished(price, delivery(*payment)), None)),
        (Some(price), []) => {
            let text = "it has no pending payment, and gets one: if finance has its payment, that stays the only one";
            let noted = Finding::noted("WITHOUT_PENDING_PAYMENT", record.id, text);
            Ok(mapped(record, finished(price, Delivery { tries: 0, finished: false }), Some(noted)))
        }
        (None, [payment]) => {
            let price = payment.total_price;
            let text = format!("it has no price, and gets that of its pending payment, {price}");
            let noted = Finding::noted("PRICE_OF_PENDING_PAYMENT", record.id, text);
            Ok(mapped(record, finished(price, delivery(*payment)), Some(noted)))
        }
        (None, []) => {
            let reason = format!("{REASON}it ended without a price");
            let text = "it ended without a price and a pending payment, and becomes a cancelled one";
            let noted = Finding::noted("ENDED_WITHOUT_PRICE", record.id, text);
            Ok(mapped(record, Some(Ended::Cancelled { end_date, reason }), Some(noted)))
        }
    }
}

/// A consultation in progress, of a patient who has a newer one: it becomes a cancelled one.
pub(super) fn superseded(record: &Record, newer: Uuid, now: DateTime<Utc>) -> Mapped {
    // The end of a cancelled consultation is the time of its cancellation, and behind its start.
    let end_date = now.max(record.start_date + TimeDelta::milliseconds(1));
    let reason = format!("{REASON}the patient had a newer consultation in progress, {newer}");
    let text = format!("its patient has a newer consultation in progress, {newer}: it becomes a cancelled one");
    let noted = Finding::noted(SUPERSEDED, record.id, text);
    mapped(record, Some(Ended::Cancelled { end_date, reason }), Some(noted))
}

fn in_progress(record: &Record, Bounds { now, longest }: Bounds) -> Result<Mapped, Finding> {
    let text = match (record.price, record.payments.as_slice()) {
        (None, []) if now - record.start_date <= longest => return Ok(mapped(record, None, None)),
        (None, []) => {
            let text = format!(
                "it started at {} and is in progress, so its patient cannot start another: finish it with its true end, or \
                 cancel it",
                record.start_date
            );
            return Ok(mapped(record, None, Some(Finding::noted(FOR_LONG, record.id, text))));
        }
        (Some(price), _) => format!("it has the price {price} and no end"),
        (None, payments) => format!("it has a pending payment of {} and no end", payments[0].total_price),
    };
    Err(Finding::left_out("CHARGED_WITHOUT_END", record.id, text))
}

fn mapped(record: &Record, ended: Option<Ended>, noted: Option<Finding>) -> Mapped {
    let Record { id, physician_id, patient_id, start_date, .. } = *record;
    Mapped { row: Imported { id, physician_id, patient_id, start_date, ended }, noted }
}

fn delivery(PendingPayment { tries, finished, .. }: PendingPayment) -> Delivery {
    Delivery { tries, finished }
}

#[cfg(test)]
mod tests;
