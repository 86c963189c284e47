//! The refusal of a finance that has another currency: 200.00 would be charged in it.

use super::{
    DestinationFailed, FinanceClient,
    queries::{RecordPaymentsError, RecordPaymentsPayload},
};

impl FinanceClient {
    /// Explains to the operator that finance has the currency `told`.
    pub(super) fn wrong_currency(&self, told: &str) -> DestinationFailed {
        let host = self.target.url.authority();
        let own = self.currency.map_or("unknown", |currency| currency.code());
        DestinationFailed::misconfigured(format!(
            "the finance at {host} has payments in {told}, and prices are in {own}: \
             set --consultation-currency and --finance-currency to the same"
        ))
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
