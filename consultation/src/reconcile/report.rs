//! The report of reconciliation: a line for each difference, with a code for programs, and the counts.

use std::fmt::{self, Display, Formatter};

use chrono::{DateTime, SecondsFormat, Utc};
use entity::Money;
use uuid::Uuid;

use super::adopt::Adoption;
use crate::finance_client::RecordedPayment;

/// A difference between the two sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Finance has confirmed the payment of a consultation and does not have it.
    MissingPayment(Uuid, Money),
    /// A finished consultation has neither a payment nor a pending payment.
    NoPendingPayment(Uuid, Money),
    /// The payment or pending payment of a consultation has another amount than its price.
    WrongAmount(Uuid, Money, Money),
    /// A payment belongs to no finished consultation.
    PaymentWithoutConsultation(RecordedPayment),
}

/// A payment that is in transit for over an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Id of the consultation.
    pub consultation: Uuid,
    /// Price of the consultation.
    pub price: Money,
    /// Time of the finish, by the database's clock.
    pub since: DateTime<Utc>,
    /// Number of sends that have started.
    pub tries: i64,
}

/// A conflict that an operator has settled: the two sides agree on finance's amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledConflict {
    /// Id of the consultation.
    pub consultation: Uuid,
    /// Price of the consultation.
    pub price: Money,
    /// Amount that finance has recorded.
    pub recorded: Money,
    /// Time of the settlement, by the database's clock.
    pub at: DateTime<Utc>,
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The two sides do not agree.
    Difference(Difference),
    /// They will agree, but the payment is late.
    Overdue(Overdue),
    /// They agree by a settlement.
    Settled(SettledConflict),
    /// Finance lacked the payment of a consultation. It is on its way again.
    SentAgain(Uuid, Money),
    /// The two sides do not agree: a payment has no finished consultation. It would get this one.
    WouldAdopt(Adoption),
    /// A payment had no finished consultation. It has one now.
    Adopted(Adoption),
}

/// The counts of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Finished consultations.
    pub consultations: u64,
    /// Payments in finance.
    pub payments: u64,
    /// Payments that the relay has not delivered yet.
    pub in_transit: u64,
    /// Payments in transit for over an hour.
    pub overdue: u64,
    /// Differences.
    pub differences: u64,
    /// Settled conflicts.
    pub settled: u64,
    /// Payments without a consultation that the file of known ones names.
    pub known: u64,
    /// Payments that are on their way again.
    pub sent_again: u64,
    /// Payments that got a consultation.
    pub adopted: u64,
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingPayment(id, price) => write!(f, "MISSING_PAYMENT consultation={id} price={price}"),
            Self::NoPendingPayment(id, price) => write!(f, "NO_PENDING_PAYMENT consultation={id} price={price}"),
            Self::WrongAmount(id, price, amount) => {
                write!(f, "WRONG_AMOUNT consultation={id} price={price} payment={amount}")
            }
            Self::PaymentWithoutConsultation(RecordedPayment { id, appointment_id, total_price, .. }) => {
                write!(f, "PAYMENT_WITHOUT_CONSULTATION payment={id} appointment={appointment_id} amount={total_price}")
            }
        }
    }
}

impl Display for Overdue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { consultation, price, since, tries } = self;
        let since = time(*since);
        write!(f, "IN_TRANSIT_FOR_LONG consultation={consultation} price={price} since={since} tries={tries}")
    }
}

impl Display for Adoption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { consultation, price, start, end, .. } = self;
        let (start, end) = (time(*start), time(*end));
        write!(f, "consultation={consultation} price={price} start={start} end={end}")
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Difference(difference) => difference.fmt(f),
            Self::Overdue(overdue) => overdue.fmt(f),
            Self::Settled(SettledConflict { consultation, price, recorded, at }) => {
                write!(f, "SETTLED consultation={consultation} price={price} payment={recorded} at={}", time(*at))
            }
            Self::SentAgain(consultation, amount) => {
                write!(f, "SENT_AGAIN consultation={consultation} amount={amount}")
            }
            Self::WouldAdopt(adoption) => {
                let code = if adoption.was_in_progress { "WOULD_FINISH" } else { "WOULD_ADOPT" };
                write!(f, "{code} {adoption}")
            }
            Self::Adopted(adoption) => {
                let code = if adoption.was_in_progress { "FINISHED" } else { "ADOPTED" };
                write!(f, "{code} {adoption}")
            }
        }
    }
}

impl Display for Reconciliation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { consultations, payments, in_transit, overdue, differences, settled, known, sent_again, adopted } =
            self;
        write!(f, "{consultations} finished consultations, {payments} payments, {in_transit} in transit")?;
        if *overdue > 0 {
            write!(f, " ({overdue} for over an hour)")?;
        }
        write!(f, ", {differences} differences")?;
        // Rare: without them the line is that of most nights.
        for (count, what) in [(settled, "settled"), (known, "known"), (sent_again, "sent again"), (adopted, "adopted")]
        {
            if *count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
