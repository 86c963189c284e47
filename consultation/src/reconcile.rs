//! Reconciliation: whether every finished consultation was charged, once, with its price, and nothing else.
//!
//! It may run beside the services. Each side is read in the order in which it is written, so that what
//! happens in between is never taken for a difference: a consultation, its pending payment, its payment.

mod page;

use std::fmt::{self, Display, Formatter};

use anyhow::{Context, ensure};
use chassis::{cli, config::Server};
use entity::Money;
use sea_orm::DatabaseConnection;
use uuid::Uuid;

use crate::{
    config::Finance,
    finance::{FinanceClient, REQUEST_LIMIT, RecordedPayment},
};
use page::Page;

/// What does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Finance has confirmed the payment of a consultation, and does not have it.
    MissingPayment(Uuid, Money),
    /// A finished consultation has neither a payment nor one on its way.
    NoPendingPayment(Uuid, Money),
    /// Its payment, or the one on its way, is of another amount than its price.
    WrongAmount(Uuid, Money, Money),
    /// A payment is for no finished consultation.
    PaymentWithoutConsultation(RecordedPayment),
}

/// What was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Finished consultations.
    pub consultations: u64,
    /// Payments in finance.
    pub payments: u64,
    /// Payments that the relay has yet to deliver.
    pub in_transit: u64,
    /// What does not agree.
    pub differences: u64,
}

/// The subcommand: names each difference on standard output, and counts.
///
/// # Errors
/// When there is a difference, or the database or finance cannot be read.
pub async fn run(server: &Server, finance: Finance) -> anyhow::Result<()> {
    let database = cli::connect(server).await?.read;
    let client = FinanceClient::new(finance, REQUEST_LIMIT)?;
    let reconciliation = reconcile(&database, &client, |difference| println!("{difference}")).await?;
    println!("{reconciliation}");
    ensure!(reconciliation.differences == 0, "consultations and payments do not agree");
    Ok(())
}

/// Compares both sides page by page.
///
/// # Errors
/// When the database or finance cannot be read.
pub async fn reconcile(
    database: &DatabaseConnection,
    finance: &FinanceClient,
    mut report: impl FnMut(Difference),
) -> anyhow::Result<Reconciliation> {
    let mut sum = Reconciliation::default();
    let mut report = |sum: &mut Reconciliation, difference| {
        sum.differences += 1;
        report(difference);
    };
    let mut after = Uuid::nil();
    while let Some(page) = Page::after(database, after).await.context("cannot read the database")? {
        let recorded = finance.payments_of(&page.ids()).await.context("cannot read finance's payments")?;
        for compared in page.compare(&recorded) {
            sum.consultations += 1;
            match compared {
                page::Compared::Agrees => {}
                page::Compared::InTransit => sum.in_transit += 1,
                page::Compared::Differs(difference) => report(&mut sum, difference),
            }
        }
        after = page.last();
    }
    let mut cursor = None;
    loop {
        let (payments, next) = finance.payments_after(cursor).await.context("cannot read finance's payments")?;
        let known = page::finished(database, &payments).await.context("cannot read the database")?;
        sum.payments += payments.len() as u64;
        for stranger in payments.into_iter().filter(|payment| !known.contains(&payment.appointment_id)) {
            report(&mut sum, Difference::PaymentWithoutConsultation(stranger));
        }
        let Some(next) = next else { return Ok(sum) };
        cursor = Some(next);
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingPayment(id, price) => write!(f, "MISSING_PAYMENT consultation={id} price={price}"),
            Self::NoPendingPayment(id, price) => write!(f, "NO_PENDING_PAYMENT consultation={id} price={price}"),
            Self::WrongAmount(id, price, amount) => {
                write!(f, "WRONG_AMOUNT consultation={id} price={price} payment={amount}")
            }
            Self::PaymentWithoutConsultation(RecordedPayment { id, appointment_id, total_price }) => {
                write!(f, "PAYMENT_WITHOUT_CONSULTATION payment={id} appointment={appointment_id} amount={total_price}")
            }
        }
    }
}

impl Display for Reconciliation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { consultations, payments, in_transit, differences } = self;
        write!(f, "{consultations} finished consultations, {payments} payments, {in_transit} in transit, ")?;
        write!(f, "{differences} differences")
    }
}
