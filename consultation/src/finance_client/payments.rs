//! Reads recorded payments, for reconciliation and exports.

use chrono::{DateTime, Utc};
use cynic::{GraphQlResponse, QueryBuilder};
use entity::Money;
use uuid::Uuid;

use super::{
    DestinationFailed, FinanceClient,
    queries::{PageInfo, PaymentFilter, Payments, PaymentsVariables, StoredPayment},
};

/// A payment that finance has recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedPayment {
    /// Id of the payment.
    pub id: String,
    /// Id of the consultation that is paid for.
    pub appointment_id: Uuid,
    /// Amount that is charged, in the currency of prices.
    pub total_price: Money,
    /// Time of recording.
    pub recorded_at: DateTime<Utc>,
}

impl FinanceClient {
    /// Reads the payments of at most 100 appointments.
    ///
    /// # Errors
    /// When finance fails, or has payments in another currency.
    pub async fn payments_of(&self, appointment_ids: &[Uuid]) -> Result<Vec<RecordedPayment>, DestinationFailed> {
        let filter = Some(PaymentFilter { appointment_ids: Some(appointment_ids.to_vec()) });
        Ok(self.payments(PaymentsVariables { filter, after: None }).await?.0)
    }

    /// Reads up to 100 payments after a cursor, in the order in which they were recorded. Also returns the cursor of
    /// the next page, if there is one.
    ///
    /// # Errors
    /// When finance fails, or has payments in another currency.
    pub async fn payments_after(
        &self,
        after: Option<String>,
    ) -> Result<(Vec<RecordedPayment>, Option<String>), DestinationFailed> {
        self.payments(PaymentsVariables { filter: None, after }).await
    }

    async fn payments(
        &self,
        variables: PaymentsVariables,
    ) -> Result<(Vec<RecordedPayment>, Option<String>), DestinationFailed> {
        let after = variables.after.clone();
        let GraphQlResponse::<Payments> { data, errors } = self.call(&Payments::build(variables)).await?;
        if let Some(error) = errors.unwrap_or_default().first() {
            return Err(DestinationFailed::new(format!("finance failed: {}", error.message)));
        }
        let connection = data.ok_or_else(|| DestinationFailed::new("finance answered nothing"))?.payments;
        let payments = connection.edges.into_iter().map(|edge| self.recorded(edge.node)).collect::<Result<_, _>>()?;
        match connection.page_info {
            PageInfo { has_next_page: false, .. } => Ok((payments, None)),
            PageInfo { end_cursor, .. } if end_cursor.is_some() && end_cursor != after => Ok((payments, end_cursor)),
            // Stopping here would hide payments. Continuing would never end.
            _ => Err(DestinationFailed::new("finance does not say where its next page begins")),
        }
    }
    fn recorded(&self, stored: StoredPayment) -> Result<RecordedPayment, DestinationFailed> {
        let StoredPayment { id, appointment_id, total_price, currency, recorded_at } = stored;
        self.ensure_currency(&currency)?;
        let id = id.into_inner();
        let total_price = Money::try_from(total_price)
            .map_err(|error| DestinationFailed::new(format!("the amount of payment {id} {error}")))?;
        Ok(RecordedPayment { id, appointment_id, total_price, recorded_at })
    }
}
