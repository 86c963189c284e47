//! The documents that are sent, as types. Each field is checked against `finance/schema.graphql`.

use std::fmt::{self, Display, Formatter};

use chrono::{DateTime, Utc};
use entity::Currency;
use rust_decimal::Decimal;
use uuid::Uuid;

#[expect(unreachable_pub, reason = "generated")]
#[cynic::schema("finance")]
mod schema {}

cynic::impl_scalar!(Uuid, schema::UUID);
cynic::impl_scalar!(Decimal, schema::Decimal);
cynic::impl_scalar!(DateTime<Utc>, schema::DateTime);

#[derive(Debug, cynic::QueryVariables)]
pub(super) struct RecordPaymentsVariables {
    pub(super) input: RecordPaymentsInput,
}

#[derive(Debug, cynic::InputObject)]
pub(super) struct RecordPaymentsInput {
    payments: Vec<RecordPaymentInput>,
    instance_id: Option<Uuid>,
    currency: Option<String>,
}

#[derive(Debug, cynic::InputObject)]
struct RecordPaymentInput {
    appointment_id: Uuid,
    total_price: Decimal,
}

impl RecordPaymentsInput {
    /// Payments for this instance of finance only, in this currency.
    pub(super) fn new(payments: &[super::Payment], instance_id: Uuid, currency: Currency) -> Self {
        let payments = payments.iter().map(|payment| RecordPaymentInput {
            appointment_id: payment.appointment_id,
            total_price: payment.total_price.into(),
        });
        let currency = currency.code().to_owned();
        Self { payments: payments.collect(), instance_id: Some(instance_id), currency: Some(currency) }
    }
}

#[derive(Debug, cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "RecordPaymentsVariables")]
pub(super) struct RecordPayments {
    #[arguments(input: $input)]
    pub(super) record_payments: Option<RecordPaymentsPayload>,
}

#[derive(Debug, Default, cynic::QueryFragment)]
pub(super) struct RecordPaymentsPayload {
    pub(super) results: Vec<Option<RecordPaymentPayload>>,
    pub(super) user_errors: Vec<RecordPaymentsError>,
}

#[derive(Debug, cynic::InlineFragments)]
pub(super) enum RecordPaymentsError {
    WrongInstance(WrongInstance),
    WrongCurrency(WrongCurrency),
    #[cynic(fallback)]
    Other,
}

#[derive(Debug, cynic::QueryFragment)]
pub(super) struct WrongInstance {
    pub(super) instance_id: Uuid,
}

#[derive(Debug, cynic::QueryFragment)]
pub(super) struct WrongCurrency {
    pub(super) currency: String,
}

#[derive(Debug, cynic::QueryFragment)]
#[cynic(graphql_type = "Query")]
pub(super) struct InstanceId {
    pub(super) instance_id: Uuid,
}

#[derive(Debug, cynic::QueryFragment)]
pub(super) struct RecordPaymentPayload {
    pub(super) payment: Option<Payment>,
    pub(super) user_errors: Vec<RecordPaymentError>,
}

#[derive(Debug, PartialEq, cynic::QueryFragment)]
pub(super) struct Payment {
    appointment_id: Uuid,
    total_price: Decimal,
}

#[derive(Debug, cynic::QueryVariables)]
pub(super) struct PaymentsVariables {
    pub(super) filter: Option<PaymentFilter>,
    pub(super) after: Option<String>,
}

#[derive(Debug, cynic::InputObject)]
pub(super) struct PaymentFilter {
    pub(super) appointment_ids: Option<Vec<Uuid>>,
}

#[derive(Debug, cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "PaymentsVariables")]
pub(super) struct Payments {
    #[arguments(filter: $filter, first: 100, after: $after)]
    pub(super) payments: PaymentConnection,
}

#[derive(Debug, cynic::QueryFragment)]
pub(super) struct PaymentConnection {
    pub(super) edges: Vec<PaymentEdge>,
    pub(super) page_info: PageInfo,
}

#[derive(Debug, cynic::QueryFragment)]
pub(super) struct PaymentEdge {
    pub(super) node: StoredPayment,
}

#[derive(Debug, cynic::QueryFragment)]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    pub(super) end_cursor: Option<String>,
}

#[derive(Debug, cynic::QueryFragment)]
#[cynic(graphql_type = "Payment")]
pub(super) struct StoredPayment {
    pub(super) id: cynic::Id,
    pub(super) appointment_id: Uuid,
    pub(super) total_price: Decimal,
    pub(super) currency: String,
    pub(super) recorded_at: DateTime<Utc>,
}

impl From<&super::Payment> for Payment {
    fn from(payment: &super::Payment) -> Self {
        Self { appointment_id: payment.appointment_id, total_price: payment.total_price.into() }
    }
}

#[derive(Debug, cynic::InlineFragments)]
pub(super) enum RecordPaymentError {
    PaymentConflict(PaymentConflict),
    InvalidInput(InvalidInput),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Debug, cynic::QueryFragment)]
pub(super) struct PaymentConflict {
    code: String,
    message: String,
}

#[derive(Debug, cynic::QueryFragment)]
pub(super) struct InvalidInput {
    code: String,
    message: String,
}

impl Display for PaymentConflict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl Display for InvalidInput {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
