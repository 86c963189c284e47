//! The report of reconciliation: a line for each difference, with a code for programs, and the counts.

use std::fmt::{self, Display, Formatter};

use chrono::{DateTime, SecondsFormat, Utc};
use entity::Money;
use uuid::Uuid;

use crate::finance_client::RecordedPayment;

/// The end of `--help`.
pub const HELP: &str = "\
Finished consultations are read from consultation's database and payments through finance's API, page by page; \
the services may run on. Each difference is a line on standard output:

  MISSING_PAYMENT consultation=ID price=AMOUNT
      finance confirmed the payment and does not have it
  NO_PENDING_PAYMENT consultation=ID price=AMOUNT
      there is neither a payment nor a pending one
  WRONG_AMOUNT consultation=ID price=AMOUNT payment=AMOUNT
      the payment, or the pending one, has another amount than the price
  PAYMENT_WITHOUT_CONSULTATION payment=ID appointment=ID amount=AMOUNT
      the payment belongs to no finished consultation

A payment that the relay has not delivered yet is in transit. That is no difference. It is named when it is over an hour \
old:

  IN_TRANSIT_FOR_LONG consultation=ID price=AMOUNT since=TIME tries=NUMBER
      the payment was not delivered yet; lastError of the pending payment says why

The last line sums up. Its counts are stored for the console, if the user of the database may write. Nothing else is changed.

With --json each line is an object: code (as above), consultationId, price, amount, paymentId, appointmentId, since and \
tries, as far as the finding has them. The last one has the code SUMMARY, and consultations, payments, inTransit, overdue \
and differences; without it the comparison is incomplete.

--textfile writes reconcile_differences, reconcile_overdue and reconcile_last_run_timestamp_seconds in Prometheus' text \
format, after a complete comparison only. FILE is replaced as a whole; its name should end in .prom.

Exit code: 0 if both sides agree, 1 if they do not, 2 if one of them cannot be read, or finance is another than the \
accepted one, 3 if they agree but payments are in transit for over an hour.";

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

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The two sides do not agree.
    Difference(Difference),
    /// They will agree, but the payment is late.
    Overdue(Overdue),
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
        let since = since.to_rfc3339_opts(SecondsFormat::Millis, true);
        write!(f, "IN_TRANSIT_FOR_LONG consultation={consultation} price={price} since={since} tries={tries}")
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Difference(difference) => difference.fmt(f),
            Self::Overdue(overdue) => overdue.fmt(f),
        }
    }
}

impl Display for Reconciliation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { consultations, payments, in_transit, overdue, differences } = self;
        write!(f, "{consultations} finished consultations, {payments} payments, {in_transit} in transit")?;
        if *overdue > 0 {
            write!(f, " ({overdue} for over an hour)")?;
        }
        write!(f, ", {differences} differences")
    }
}
