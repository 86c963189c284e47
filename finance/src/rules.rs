//! The rule of recording a payment. Pure: no database and no clock.

use entity::{Money, payment::Model as Payment};
use uuid::Uuid;

/// Result of recording a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The payment is stored.
    New(Payment),
    /// The appointment was recorded with the same amount before.
    Already(Payment),
    /// The appointment is recorded with another amount, which stands.
    Conflict(Payment),
}

impl Recorded {
    /// The payment that was stored before, by whomever.
    pub(crate) fn stored_before(&self) -> Option<&Payment> {
        match self {
            Self::New(_) => None,
            Self::Already(payment) | Self::Conflict(payment) => Some(payment),
        }
    }
}

/// An appointment has one payment, which never changes. Returns the result for the payment `id` by the stored one.
#[must_use]
pub fn record(id: Uuid, total_price: Money, stored: &Payment) -> Recorded {
    if stored.id == id {
        Recorded::New(stored.clone())
    } else if stored.total_price_cents == total_price {
        Recorded::Already(stored.clone())
    } else {
        Recorded::Conflict(stored.clone())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn the_same_amount_is_recorded_already_and_another_conflicts() {
        let [id, another, appointment_id] = [1, 2, 3].map(Uuid::from_u128);
        let (recorded_at, recorded_by) = (DateTime::default(), None);
        let stored = Payment { id, appointment_id, total_price_cents: Money::MAX, recorded_at, recorded_by };
        assert_eq!(record(id, Money::MAX, &stored), Recorded::New(stored.clone()));
        assert_eq!(record(another, Money::MAX, &stored), Recorded::Already(stored.clone()));
        assert_eq!(record(another, Money::ZERO, &stored), Recorded::Conflict(stored));
    }
}
