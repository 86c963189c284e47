//! The report for programs: a JSON object a line, by the codes of the text. So a long report takes no memory, and one that
//! was cut off lacks its summary.

use serde::Serialize;
use uuid::Uuid;

use super::{Adoption, Difference, Finding, Overdue, Reconciliation, SettledConflict, report::time};

#[derive(Serialize)]
#[serde(tag = "code", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
enum Line<'a> {
    MissingPayment { consultation_id: Uuid, price: String },
    NoPendingPayment { consultation_id: Uuid, price: String },
    WrongAmount { consultation_id: Uuid, price: String, amount: String },
    PaymentWithoutConsultation { payment_id: &'a str, appointment_id: Uuid, amount: String },
    InTransitForLong { consultation_id: Uuid, price: String, since: String, tries: i64 },
    Settled { consultation_id: Uuid, price: String, amount: String, settled_at: String },
    SentAgain { consultation_id: Uuid, amount: String },
    WouldAdopt(Adopted),
    WouldFinish(Adopted),
    Adopted(Adopted),
    Finished(Adopted),
    Summary(Summary),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Adopted {
    consultation_id: Uuid,
    price: String,
    start_date: String,
    end_date: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    consultations: u64,
    payments: u64,
    in_transit: u64,
    overdue: u64,
    differences: u64,
    settled: u64,
    known: u64,
    sent_again: u64,
    adopted: u64,
}

pub(super) fn finding(finding: &Finding) -> serde_json::Result<String> {
    serde_json::to_string(&match finding {
        Finding::Difference(difference) => differs(difference),
        Finding::Overdue(Overdue { consultation, price, since, tries }) => Line::InTransitForLong {
            consultation_id: *consultation,
            price: price.to_string(),
            since: time(*since),
            tries: *tries,
        },
        Finding::Settled(SettledConflict { consultation, price, recorded, at }) => Line::Settled {
            consultation_id: *consultation,
            price: price.to_string(),
            amount: recorded.to_string(),
            settled_at: time(*at),
        },
        Finding::SentAgain(id, amount) => Line::SentAgain { consultation_id: *id, amount: amount.to_string() },
        Finding::WouldAdopt(adoption) if adoption.was_in_progress => Line::WouldFinish(adopted(adoption)),
        Finding::WouldAdopt(adoption) => Line::WouldAdopt(adopted(adoption)),
        Finding::Adopted(adoption) if adoption.was_in_progress => Line::Finished(adopted(adoption)),
        Finding::Adopted(adoption) => Line::Adopted(adopted(adoption)),
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

fn adopted(Adoption { consultation, price, start, end, .. }: &Adoption) -> Adopted {
    Adopted { consultation_id: *consultation, price: price.to_string(), start_date: time(*start), end_date: time(*end) }
}

pub(super) fn summary(reconciliation: &Reconciliation) -> serde_json::Result<String> {
    let Reconciliation {
        consultations,
        payments,
        in_transit,
        overdue,
        differences,
        settled,
        known,
        sent_again,
        adopted,
    } = *reconciliation;
    serde_json::to_string(&Line::Summary(Summary {
        consultations,
        payments,
        in_transit,
        overdue,
        differences,
        settled,
        known,
        sent_again,
        adopted,
    }))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::Money;

    use super::*;
    use crate::finance_client::RecordedPayment;

    #[test]
    fn each_finding_is_an_object_with_its_code() {
        let id = Uuid::from_u128(1);
        let since = DateTime::from_timestamp_millis(1_627_905_600_123).expect("a time");
        let stranger =
            RecordedPayment { id: "p".to_owned(), appointment_id: id, total_price: Money::ZERO, recorded_at: since };
        let lost = Adoption { was_in_progress: false, consultation: id, price: Money::MAX, start: since, end: since };
        let dates = "\"startDate\":\"2021-08-02T12:00:00.123Z\",\"endDate\":\"2021-08-02T12:00:00.123Z\"";
        let late = Overdue { consultation: id, price: Money::MAX, since, tries: 7 };
        let consultation = "\"consultationId\":\"00000000-0000-0000-0000-000000000001\",\"price\":\"999999999.99\"";
        for (found, expected) in [
            (
                Finding::Difference(Difference::NoPendingPayment(id, Money::MAX)),
                format!("{{\"code\":\"NO_PENDING_PAYMENT\",{consultation}}}"),
            ),
            (
                Finding::Difference(Difference::WrongAmount(id, Money::MAX, Money::ZERO)),
                format!("{{\"code\":\"WRONG_AMOUNT\",{consultation},\"amount\":\"0.00\"}}"),
            ),
            (
                Finding::Difference(Difference::PaymentWithoutConsultation(stranger)),
                format!(
                    "{{\"code\":\"PAYMENT_WITHOUT_CONSULTATION\",\"paymentId\":\"p\",\"appointmentId\":\"{id}\",\"amount\":\"0.00\"}}"
                ),
            ),
            (
                Finding::Overdue(late),
                format!(
                    "{{\"code\":\"IN_TRANSIT_FOR_LONG\",{consultation},\"since\":\"2021-08-02T12:00:00.123Z\",\"tries\":7}}"
                ),
            ),
            (Finding::WouldAdopt(lost.clone()), format!("{{\"code\":\"WOULD_ADOPT\",{consultation},{dates}}}")),
            (
                Finding::WouldAdopt(Adoption { was_in_progress: true, ..lost.clone() }),
                format!("{{\"code\":\"WOULD_FINISH\",{consultation},{dates}}}"),
            ),
            (Finding::Adopted(lost), format!("{{\"code\":\"ADOPTED\",{consultation},{dates}}}")),
        ] {
            assert_eq!(finding(&found).expect("JSON"), expected);
        }
    }
}
