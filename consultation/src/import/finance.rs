//! A look at finance before the import: payments that the predecessor has delivered should be there first. `reconcile`
//! compares all afterwards.

use std::collections::HashSet;

use chassis::{
    cli,
    database::source::{Query, Source},
    import::{Batches, Row},
};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::finance_client::{DestinationFailed, FinanceClient};

/// As many as one request asks for.
const DELIVERED: Query = Query {
    columns: &["pending_payment.appointment_id"],
    rest: "FROM pending_payment WHERE finished ORDER BY id DESC LIMIT 100",
};

/// Notes how many of the last delivered payments finance lacks, if it can be asked.
pub(super) async fn note_missing(source: &mut Source, finance: &FinanceClient) -> Result<(), DbErr> {
    let delivered = Batches::of(source, &DELIVERED).next().await?;
    let id = |row: &Row| row.required(DELIVERED.columns[0], str::parse::<Uuid>).ok();
    let ids: HashSet<_> = delivered.iter().flatten().filter_map(id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    match recorded(finance, &ids.iter().copied().collect::<Vec<_>>()).await {
        Ok(recorded) if recorded.len() < ids.len() => cli::note(format_args!(
            "finance lacks {} of the last {} payments that the predecessor has delivered: run `finance import` first",
            ids.len() - recorded.len(),
            ids.len()
        )),
        Ok(_) => {}
        Err(error) => {
            cli::note(format_args!("finance was not asked whether it has the delivered payments: {error}"));
        }
    }
    Ok(())
}

async fn recorded(finance: &FinanceClient, ids: &[Uuid]) -> Result<HashSet<Uuid>, DestinationFailed> {
    let payments = finance.payments_of(ids).await?;
    Ok(payments.into_iter().map(|payment| payment.appointment_id).collect())
}
