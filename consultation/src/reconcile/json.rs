//! The report for programs: a JSON object a line, by the codes of the text. So a long report takes no memory, and one that
//! was cut off lacks its summary.

use chrono::SecondsFormat;
use serde::Serialize;
use uuid::Uuid;

use super::{Difference, Finding, Overdue, Reconciliation};

#[derive(Serialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
enum Line<'a> {
    MissingPayment { consultation_id: Uuid, price: String },
    NoPendingPayment { consultation_id: Uuid, price: String },
    WrongAmount { consultation_id: Uuid, price: String, amount: String },
    PaymentWithoutConsultation { payment_id: &'a str, appointment_id: Uuid, amount: String },
    InTransitForLong { consultation_id: Uuid, price: String, since: String, tries: i64 },
    Summary { consultations: u64, payments: u64, in_transit: u64, overdue: u64, differences: u64 },
}

pub(super) fn finding(finding: &Finding) -> serde_json::Result<String> {
    serde_json::to_string(&match finding {
        Finding::Difference(difference) => differs(difference),
        Finding::Overdue(Overdue { consultation, price, since, tries }) => Line::InTransitForLong {
            consultation_id: *consultation,
            price: price.to_string(),
            since: since.to_rfc3339_opts(SecondsFormat::Millis, true),
            tries: *tries,
        },
    })
}

fn differs(difference: &Difference) -> Line<'_> {
    match difference {
        Difference::MissingPayment(id, price) => {
            Line::MissingPayment { consultation_id: *id, price: price.to_string() }
        }
        Difference::NoPendingPayment(id, price) => {
            Line::NoPendingPayment { consultation_id: *id, price: price.to_string() }
        }
        Difference::WrongAmount(id, price, amount) => {
            Line::WrongAmount { consultation_id: *id, price: price.to_string(), amount: amount.to_string() }
        }
        Difference::PaymentWithoutConsultation(payment) => Line::PaymentWithoutConsultation {
            payment_id: &payment.id,
            appointment_id: payment.appointment_id,
            amount: payment.total_price.to_string(),
        },
    }
}

pub(super) fn summary(reconciliation: &Reconciliation) -> serde_json::Result<String> {
    let Reconciliation { consultations, payments, in_transit, overdue, differences } = *reconciliation;
    serde_json::to_string(&Line::Summary { consultations, payments, in_transit, overdue, differences })
}
