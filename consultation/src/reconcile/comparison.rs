//! The comparison page by page, and what is done about the differences of a page if an operator wants it.

use std::io;

use anyhow::Context;
use chassis::{
    audit::{self, Outcome},
    database::Database,
};
use entity::Money;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{
    Difference, Finding, Known, NO_REPORT, Reconciliation, adopt,
    page::{self, Compared, Page},
};
use crate::{
    accept_finance::ensure_accepted,
    finance_client::{FinanceClient, RecordedPayment},
    outbox::store::{self, Lost},
};

const SERVICE: &str = "consultation";
const UNREADABLE: &str = "cannot read the database";

/// How differences are handled, beside naming them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    /// Payments of another system.
    pub known: Known,
    /// Payments that finance lacks are put on their way again.
    pub send_again: bool,
    /// Payments without a consultation get one.
    pub adopt: Adopt,
}

/// Which payments without a consultation get one. That is never undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adopt {
    /// None.
    #[default]
    Nothing,
    /// None. Each is named with the consultation that it would get.
    WouldAdopt,
    /// All but those of cancelled consultations.
    All,
}

/// Compares both sides page by page.
///
/// # Errors
/// When the database or finance cannot be read, or `report` fails.
pub async fn reconcile(
    database: &Database,
    finance: &FinanceClient,
    handling: &mut Handling,
    report: impl FnMut(Finding) -> io::Result<()>,
) -> anyhow::Result<Reconciliation> {
    ensure_accepted(&database.read, finance).await?;
    let mut comparison = Comparison { database, handling, sum: Reconciliation::default(), report };
    let mut after = Uuid::nil();
    while let Some(page) = Page::after(&database.read, after).await.context(UNREADABLE)? {
        let recorded = finance.payments_of(&page.ids()).await.context("cannot read finance's payments")?;
        comparison.consultations(page.compare(&recorded)).await?;
        after = page.last();
    }
    let mut cursor = None;
    loop {
        let (payments, next) = finance.payments_after(cursor).await.context("cannot read finance's payments")?;
        comparison.payments(payments).await?;
        let Some(next) = next else { return Ok(comparison.sum) };
        cursor = Some(next);
    }
}

struct Comparison<'a, R> {
    database: &'a Database,
    handling: &'a mut Handling,
    sum: Reconciliation,
    report: R,
}

impl<R: FnMut(Finding) -> io::Result<()>> Comparison<'_, R> {
    async fn consultations(&mut self, page: impl Iterator<Item = Compared>) -> anyhow::Result<()> {
        let mut lost = Vec::new();
        for compared in page {
            self.sum.consultations += 1;
            match compared {
                Compared::Agrees => {}
                Compared::InTransit => self.sum.in_transit += 1,
                Compared::InTransitForLong(overdue) => {
                    self.sum.in_transit += 1;
                    self.report(Finding::Overdue(overdue))?;
                }
                Compared::Settled(settled) => self.report(Finding::Settled(settled))?,
                Compared::Lost(payment, amount, difference) => {
                    // One that finance has with another amount will be refused. Then it can be settled.
                    if !self.handling.send_again || matches!(difference, Difference::WrongAmount(..)) {
                        self.report(Finding::Difference(difference))?;
                    }
                    if self.handling.send_again {
                        lost.push((payment, amount));
                    }
                }
                Compared::Differs(difference) => self.report(Finding::Difference(difference))?,
            }
        }
        if lost.is_empty() { Ok(()) } else { self.send_again(&lost).await }
    }

    /// Also those are in transit now that another command has put on their way.
    async fn send_again(&mut self, lost: &[(Lost, Money)]) -> anyhow::Result<()> {
        let payments: Vec<_> = lost.iter().map(|(payment, _)| *payment).collect();
        let sent = store::redeliver(self.database, &payments, &audit::operator()).await;
        record("send-again", &sent, Vec::clone);
        let sent = sent.context("cannot put payments on their way again; run this again")?;
        self.sum.in_transit += lost.len() as u64;
        for (payment, amount) in lost.iter().filter(|(payment, _)| sent.contains(&payment.consultation)) {
            self.report(Finding::SentAgain(payment.consultation, *amount))?;
        }
        Ok(())
    }

    async fn payments(&mut self, payments: Vec<RecordedPayment>) -> anyhow::Result<()> {
        self.sum.payments += payments.len() as u64;
        let mut strangers = self.without_consultation(payments).await?;
        let before = strangers.len();
        strangers.retain(|payment| !self.handling.known.names(payment));
        self.sum.known += (before - strangers.len()) as u64;
        if strangers.is_empty() {
            return Ok(());
        }
        match self.handling.adopt {
            Adopt::Nothing => {}
            Adopt::All => {
                self.adopt(&strangers).await?;
                // Another command may have adopted the rest.
                strangers = self.without_consultation(strangers).await?;
            }
            Adopt::WouldAdopt => {
                let adoptions = adopt::plan(&self.database.read, &strangers).await.context(UNREADABLE)?;
                strangers.retain(|payment| !adoptions.iter().any(|it| it.consultation == payment.appointment_id));
                for adoption in adoptions {
                    self.report(Finding::WouldAdopt(adoption))?;
                }
            }
        }
        for stranger in strangers {
            self.report(Finding::Difference(Difference::PaymentWithoutConsultation(stranger)))?;
        }
        Ok(())
    }

    async fn without_consultation(&self, mut payments: Vec<RecordedPayment>) -> anyhow::Result<Vec<RecordedPayment>> {
        let finished = page::finished(&self.database.read, &payments).await.context(UNREADABLE)?;
        payments.retain(|payment| !finished.contains(&payment.appointment_id));
        Ok(payments)
    }

    async fn adopt(&mut self, strangers: &[RecordedPayment]) -> anyhow::Result<()> {
        let adopted = adopt::adopt(self.database, strangers, &audit::operator()).await;
        record("adopt", &adopted, |adopted| adopted.iter().map(|adoption| adoption.consultation).collect());
        for adoption in adopted.context("cannot adopt payments; run this again")? {
            self.sum.consultations += 1;
            self.report(Finding::Adopted(adoption))?;
        }
        Ok(())
    }

    fn report(&mut self, finding: Finding) -> anyhow::Result<()> {
        let sum = &mut self.sum;
        let count = match &finding {
            Finding::Difference(_) | Finding::WouldAdopt(_) => &mut sum.differences,
            Finding::Overdue(_) => &mut sum.overdue,
            Finding::Settled(_) => &mut sum.settled,
            Finding::SentAgain(..) => &mut sum.sent_again,
            Finding::Adopted(_) => &mut sum.adopted,
        };
        *count += 1;
        (self.report)(finding).context(NO_REPORT)
    }
}

/// A line of the audit log for what a page has changed, or has failed to.
fn record<T>(command: &str, changed: &Result<T, DbErr>, ids: impl FnOnce(&T) -> Vec<Uuid>) {
    let consultations = changed.as_ref().map(ids).unwrap_or_default();
    if changed.is_err() || !consultations.is_empty() {
        audit::command(SERVICE, command, &consultations, consultations.len(), Outcome::from(changed));
    }
}
