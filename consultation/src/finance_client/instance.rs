//! The instance id of finance, and the refusal of another instance.

use cynic::{GraphQlResponse, QueryBuilder};
use uuid::Uuid;

use super::{
    DestinationFailed, FinanceClient,
    queries::{InstanceId, RecordPaymentsError, RecordPaymentsPayload},
};

impl FinanceClient {
    /// Asks the finance at the URL for its instance id.
    ///
    /// # Errors
    /// When finance fails.
    pub async fn instance_id(&self) -> Result<Uuid, DestinationFailed> {
        let GraphQlResponse::<InstanceId> { data, errors } = self.call(&InstanceId::build(())).await?;
        let fault = errors.unwrap_or_default().into_iter().next().map(|error| error.message);
        let fault = fault.unwrap_or_else(|| "it does not tell its instance id".to_owned());
        let told = data.ok_or_else(|| DestinationFailed::new(format!("finance failed: {fault}")))?;
        Ok(told.instance_id)
    }

    /// Refuses the finance at the URL, whose instance id is `told`, unless it is the accepted one.
    ///
    /// # Errors
    /// When the ids differ, with advice for the operator.
    pub fn ensure_accepted(&self, told: Uuid, accepted: Uuid) -> Result<(), DestinationFailed> {
        if told == accepted {
            return Ok(());
        }
        let host = self.target.url.authority();
        let message = format!(
            "the finance at {host} is instance {told}, and payments go to instance {accepted}: \
             check the URL of finance, or, if it was replaced, run `consultation accept-finance`"
        );
        Err(DestinationFailed::misconfigured(message))
    }
}

impl RecordPaymentsPayload {
    /// The instance id of a finance that refused all payments because it is another instance.
    pub(super) fn other_instance(&self) -> Option<Uuid> {
        self.user_errors.iter().find_map(|refusal| match refusal {
            RecordPaymentsError::WrongInstance(other) => Some(other.instance_id),
            RecordPaymentsError::WrongCurrency(_) | RecordPaymentsError::Other => None,
        })
    }
}
