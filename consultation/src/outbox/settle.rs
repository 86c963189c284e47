//! The settlement of a conflict by an operator: finance's recorded amount stands. Nobody says that amount; it is read
//! from finance at that moment, outside every transaction. Recorded payments never change, so it is still right when it
//! is stored.

use chassis::{changes::Changes, database::Database};
use entity::{Money, pending_payment::Model as PendingPayment};
use sea_orm::DbErr;
use uuid::Uuid;

use super::store;
use crate::{
    finance_client::{DestinationFailed, FinanceClient},
    reason::Reason,
};

/// Settles payments, for the API, the console and the command.
#[derive(Clone, Debug)]
pub struct Settlements {
    /// The database of the outbox.
    pub database: Database,
    /// Finance, which says the recorded amount.
    pub finance: FinanceClient,
    /// Receives the id of each consultation whose payment was settled.
    pub changes: Changes,
}

/// The payment was settled, or why not.
pub type Settled = Result<PendingPayment, SettleRefusal>;

/// Why a payment cannot be settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettleRefusal {
    /// Finance has not refused it: there is none, it waits, is delivered, or is settled.
    NotRefused(Option<Box<PendingPayment>>),
    /// Finance refused it, and has no payment of it: there is no amount that could stand.
    NotRecorded,
    /// Finance has recorded the amount that is sent: a retry delivers the payment.
    AmountsAgree(Money),
}

/// Nothing was settled, and it is not the payment's fault.
#[derive(Debug, thiserror::Error)]
pub enum NotSettled {
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    /// Finance does not say what it has recorded.
    #[error("finance does not say what it has recorded: {0}")]
    Finance(#[from] DestinationFailed),
}

impl Settlements {
    /// Settles the payment of a consultation for the caller of this name.
    ///
    /// # Errors
    /// When the database or finance fails, or finance is another instance than payments go to.
    pub async fn settle(&self, consultation: Uuid, reason: &Reason, by: &str) -> Result<Settled, NotSettled> {
        let recorded = match self.conflict(consultation).await? {
            Ok((_, recorded)) => recorded,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let settled = store::settle(&self.database.write, consultation, recorded, reason.as_str(), by).await;
        // Also after a failure: it may be stored nevertheless.
        self.changes.publish(&[consultation]);
        if let Some(settled) = settled? {
            return Ok(Ok(settled));
        }
        // A retry or another settlement came between.
        let row = store::find(&self.database.write, consultation).await?;
        Ok(Err(SettleRefusal::NotRefused(row.map(Box::new))))
    }

    /// The payment that finance refused, and the amount that it has recorded.
    ///
    /// # Errors
    /// As of [`Self::settle`].
    pub async fn conflict(
        &self,
        consultation: Uuid,
    ) -> Result<Result<(PendingPayment, Money), SettleRefusal>, NotSettled> {
        let row = match store::find(&self.database.write, consultation).await? {
            Some(row) if row.parked_at.is_some() && !row.finished => row,
            other => return Ok(Err(SettleRefusal::NotRefused(other.map(Box::new)))),
        };
        if let Some(accepted) = store::destination(&self.database.read).await? {
            self.finance.ensure_accepted(self.finance.instance_id().await?, accepted)?;
        }
        let recorded = self.finance.payments_of(&[consultation]).await?;
        let recorded = recorded.into_iter().find(|payment| payment.appointment_id == consultation);
        Ok(match recorded.map(|payment| payment.total_price) {
            None => Err(SettleRefusal::NotRecorded),
            Some(amount) if amount == row.amount() => Err(SettleRefusal::AmountsAgree(amount)),
            Some(amount) => Ok((row, amount)),
        })
    }
}

impl SettleRefusal {
    /// Its text for people.
    pub(crate) fn message(&self) -> &'static str {
        match self {
            Self::NotRefused(_) => "payment-not-refused",
            Self::NotRecorded => "payment-not-recorded",
            Self::AmountsAgree(_) => "amounts-agree",
        }
    }
}
