//! A look at finance before the import. It has to be imported first: an undelivered payment whose amount differs from the
//! one that the predecessor's finance has would be recorded, and the true one would be left out.

use std::collections::HashSet;

use anyhow::{Context, ensure};
use chassis::{
    cli,
    database::source::{Query, Source},
    import::{Batches, Row},
};
use uuid::Uuid;

use super::UNREADABLE;
use crate::finance_client::FinanceClient;

/// As many as one request asks for. `finance import` goes by appointment, so it comes to these last.
const DELIVERED: Query = Query {
    columns: &["pending_payment.appointment_id"],
    rest: "FROM pending_payment WHERE finished ORDER BY pending_payment.appointment_id DESC LIMIT 100",
};

/// Fails when finance lacks payments that the predecessor has delivered, or cannot be asked; with `is_checked` false
/// this is a note. Without delivered payments there is nothing to ask for.
pub(super) async fn check(source: &mut Source, finance: &FinanceClient, is_checked: bool) -> anyhow::Result<()> {
    let delivered = Batches::of(source, &DELIVERED).next().await.context(UNREADABLE)?;
    let id = |row: &Row| row.required(DELIVERED.columns[0], str::parse::<Uuid>).ok();
    let mut ids: Vec<_> = delivered.iter().flatten().filter_map(id).collect();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    match ask(finance, &ids).await {
        Err(error) if !is_checked => {
            cli::note(format_args!("{error:#}"));
            Ok(())
        }
        checked => checked,
    }
}

async fn ask(finance: &FinanceClient, ids: &[Uuid]) -> anyhow::Result<()> {
    let recorded = finance.payments_of(ids).await;
    let recorded = recorded.context(
        "finance cannot be asked for the delivered payments: import and start it first, or give --skip-finance-check",
    )?;
    let recorded: HashSet<_> = recorded.into_iter().map(|payment| payment.appointment_id).collect();
    let missing: Vec<_> = ids.iter().filter(|id| !recorded.contains(id)).collect();
    ensure!(
        missing.is_empty(),
        "finance lacks {} of {} payments that the predecessor has delivered, as that of {}: import finance first, or \
         give --skip-finance-check",
        missing.len(),
        ids.len(),
        missing[0]
    );
    Ok(())
}
