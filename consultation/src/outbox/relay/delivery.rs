//! The results of a round: one for each row, to be stored, and their counts.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::super::store::{self, Failure, Lease};
use crate::finance_client::Payment;

/// The counts of one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Rows claimed.
    pub claimed: usize,
    /// Payments that finance confirmed.
    pub delivered: usize,
    /// Rows that are due again because the destination failed.
    pub postponed: usize,
    /// Rows that finance refused.
    pub parked: usize,
    /// Rows given back unsent.
    pub released: usize,
    /// Results that came too late: the row belongs to another claim, or is finished.
    pub stale: usize,
    /// The round claimed as many rows as it could send: there may be more.
    pub has_more: bool,
}

/// Rows with the same result, to be stored together.
#[derive(Clone, Debug)]
pub(in crate::outbox) enum Delivery<'a> {
    Confirmed(Vec<&'a Lease>),
    Postponed(Vec<Failure<'a>>),
    Parked(Vec<Failure<'a>>),
    Released(Vec<&'a Lease>),
}

impl Delivery<'_> {
    /// Splits it into one for each row.
    pub(super) fn row_by_row(self) -> Vec<Self> {
        match self {
            Self::Confirmed(leases) => leases.into_iter().map(|lease| Self::Confirmed(vec![lease])).collect(),
            Self::Released(leases) => leases.into_iter().map(|lease| Self::Released(vec![lease])).collect(),
            Self::Postponed(failures) => failures.into_iter().map(|row| Self::Postponed(vec![row])).collect(),
            Self::Parked(failures) => failures.into_iter().map(|row| Self::Parked(vec![row])).collect(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Confirmed(leases) | Self::Released(leases) => leases.len(),
            Self::Postponed(failures) | Self::Parked(failures) => failures.len(),
        }
    }

    /// The consultations of the payments.
    pub(super) fn appointment_ids(&self) -> Vec<Uuid> {
        match self {
            Self::Confirmed(leases) | Self::Released(leases) => leases.iter().map(|l| l.appointment_id).collect(),
            Self::Postponed(failures) | Self::Parked(failures) => {
                failures.iter().map(|failure| failure.lease.appointment_id).collect()
            }
        }
    }

    pub(super) async fn write(&self, database: &impl ConnectionTrait) -> Result<u64, DbErr> {
        match self {
            Self::Confirmed(leases) => store::confirm(database, leases).await,
            Self::Postponed(failures) => store::postpone(database, failures).await,
            Self::Parked(failures) => store::park(database, failures).await,
            Self::Released(leases) => store::release(database, leases).await,
        }
    }
}

impl Tick {
    pub(in crate::outbox) fn count(&mut self, delivery: &Delivery<'_>, written: usize) {
        match delivery {
            Delivery::Confirmed(_) => self.delivered += written,
            Delivery::Postponed(_) => self.postponed += written,
            Delivery::Parked(_) => self.parked += written,
            Delivery::Released(_) => self.released += written,
        }
        self.stale += delivery.rows().saturating_sub(written);
    }
}

impl From<&Lease> for Payment {
    fn from(lease: &Lease) -> Self {
        Self { appointment_id: lease.appointment_id, total_price: lease.total_price_cents }
    }
}
