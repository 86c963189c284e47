//! Cancelling a consultation: its end is stored with a reason in place of a price, if it is still in progress. On
//! PostgreSQL one statement decides and writes, on SQLite one transaction.

use std::{iter::once, sync::Arc};

use chassis::database::Database;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use uuid::Uuid;

use super::{find, postgres, sqlite};
use crate::{
    reason::Reason,
    rules::{self, CancelRefusal, Cancelled},
};

/// A consultation to cancel.
#[derive(Debug)]
pub(crate) struct Cancellation {
    pub(crate) consultation_id: Uuid,
    pub(crate) reason: Reason,
    pub(crate) cancelled_by: Arc<str>,
}

/// Cancels the consultation. Returns `None` if another session has locked it.
pub(crate) async fn cancel(database: &Database, row: &Cancellation) -> Result<Option<Cancelled>, DbErr> {
    let is_postgres = database.write.get_database_backend() == DbBackend::Postgres;
    if is_postgres && let Some(cancelled) = postgres::cancel(&database.write, row).await? {
        return Ok(Some(Ok(cancelled)));
    }
    let transaction = database.begin().await?;
    let found = find(&transaction, once(row.consultation_id)).await?.consultations.remove(&row.consultation_id);
    let decided = match found {
        None => Err(CancelRefusal::NotFound),
        Some((consultation, now)) => rules::cancel(&consultation, now),
    };
    match decided {
        // It is locked: the statement before would have cancelled it otherwise.
        Ok(_) if is_postgres => transaction.rollback().await.map(|()| None),
        Ok(end) => {
            let cancelled = sqlite::cancel(&transaction, row, end).await?;
            transaction.commit().await?;
            Ok(Some(Ok(cancelled)))
        }
        // What was done before is answered after a commit that waits for the standby.
        Err(refusal) => transaction.commit_durably().await.map(|()| Some(Err(refusal))),
    }
}
