//! The exported document. Rows are taken apart by all their columns: a new column does not compile without a decision
//! about it.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::{Currency, consultation, pending_payment};
use sea_orm::ActiveEnum;
use serde::Serialize;
use uuid::Uuid;

use super::redelivery::Redelivery;
use crate::finance_client::RecordedPayment;

/// Changes when a field is renamed, removed or changes its meaning; new fields may come without.
const VERSION: u32 = 1;

/// All that is stored about a patient.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    format: &'static str,
    version: u32,
    exported_at: String,
    patient_id: Uuid,
    with_finance: bool,
    /// Of all amounts.
    currency: &'static str,
    /// In the order of their starts.
    pub consultations: Vec<Consultation>,
}

/// A consultation with its payment, as stored by consultation and by finance.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Consultation {
    id: Uuid,
    physician_id: Uuid,
    patient_id: Uuid,
    start_date: String,
    end_date: Option<String>,
    price: Option<String>,
    started_by: Option<String>,
    finished_by: Option<String>,
    cancel_reason: Option<String>,
    cancelled_by: Option<String>,
    origin: Option<String>,
    pending_payment: Option<PendingPayment>,
    redeliveries: Vec<Redelivery>,
    payment: Option<Payment>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PendingPayment {
    id: Uuid,
    appointment_id: Uuid,
    total_price: String,
    tries: i64,
    finished: bool,
    next_attempt_at: String,
    last_error: Option<String>,
    rejections: i32,
    parked_at: Option<String>,
    created_at: String,
    finished_at: Option<String>,
    retried_by: Option<String>,
    settled_price: Option<String>,
    settle_reason: Option<String>,
    settled_by: Option<String>,
    settled_at: Option<String>,
    redeliveries: i32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payment {
    id: String,
    appointment_id: Uuid,
    total_price: String,
    recorded_at: String,
}

impl Export {
    pub(super) fn new(patient_id: Uuid, currency: Currency, with_finance: bool, now: DateTime<Utc>) -> Self {
        Self {
            format: "consultation-export",
            version: VERSION,
            exported_at: time(now),
            patient_id,
            with_finance,
            currency: currency.code(),
            consultations: Vec::new(),
        }
    }
}

impl Consultation {
    pub(super) fn new(
        row: consultation::Model,
        pending_payment: Option<pending_payment::Model>,
        redeliveries: Vec<Redelivery>,
        payment: Option<RecordedPayment>,
    ) -> Self {
        let consultation::Model {
            id,
            physician_id,
            patient_id,
            start_date,
            end_date,
            price_cents,
            started_by,
            finished_by,
            cancel_reason,
            cancelled_by,
            origin,
        } = row;
        Self {
            id,
            physician_id,
            patient_id,
            start_date: time(start_date),
            end_date: end_date.map(time),
            price: price_cents.map(|price| price.to_string()),
            started_by,
            finished_by,
            cancel_reason,
            cancelled_by,
            origin: origin.map(|origin| origin.to_value()),
            pending_payment: pending_payment.map(PendingPayment::from),
            redeliveries,
            payment: payment.map(Payment::from),
        }
    }
}

impl From<pending_payment::Model> for PendingPayment {
    fn from(row: pending_payment::Model) -> Self {
        let pending_payment::Model {
            id,
            appointment_id,
            total_price_cents,
            tries,
            finished,
            next_attempt_at,
            last_error,
            rejections,
            parked_at,
            created_at,
            finished_at,
            retried_by,
            settled_price_cents,
            settle_reason,
            settled_by,
            settled_at,
            redeliveries,
            // How a relay holds the row, and a trace: nothing about the payment.
            processing: _,
            lease_until: _,
            claim_seq: _,
            trace_parent: _,
        } = row;
        Self {
            id,
            appointment_id,
            total_price: total_price_cents.to_string(),
            tries,
            finished,
            next_attempt_at: time(next_attempt_at),
            last_error,
            rejections,
            parked_at: parked_at.map(time),
            created_at: time(created_at),
            finished_at: finished_at.map(time),
            retried_by,
            settled_price: settled_price_cents.map(|price| price.to_string()),
            settle_reason,
            settled_by,
            settled_at: settled_at.map(time),
            redeliveries,
        }
    }
}

impl From<RecordedPayment> for Payment {
    fn from(payment: RecordedPayment) -> Self {
        let RecordedPayment { id, appointment_id, total_price, recorded_at } = payment;
        Self { id, appointment_id, total_price: total_price.to_string(), recorded_at: time(recorded_at) }
    }
}

pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
