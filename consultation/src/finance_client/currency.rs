//! The refusal of a finance that has another currency: 200.00 would be charged in it, or its amounts be taken for ours.

use super::{
    DestinationFailed, FinanceClient,
    queries::{RecordPaymentsError, RecordPaymentsPayload},
};

impl FinanceClient {
    /// Refuses the finance at the URL, whose payments are in the currency `told`, if prices are in another.
    ///
    /// # Errors
    /// When the currencies differ, with advice for the operator.
    pub(super) fn ensure_currency(&self, told: &str) -> Result<(), DestinationFailed> {
        let own = self.currency;
        if told == own.code() {
            return Ok(());
        }
        let host = self.target.url.authority();
        Err(DestinationFailed::misconfigured(format!(
            "the finance at {host} has payments in {told}, and prices are in {own}: \
             set --consultation-currency and --finance-currency to the same"
        )))
    }
}

impl RecordPaymentsPayload {
    /// The currency of a finance that refused all payments because they are in another.
    pub(super) fn other_currency(&self) -> Option<&str> {
        self.user_errors.iter().find_map(|refusal| match refusal {
            RecordPaymentsError::WrongCurrency(other) => Some(other.currency.as_str()),
            RecordPaymentsError::WrongInstance(_) | RecordPaymentsError::Other => None,
        })
    }
}
