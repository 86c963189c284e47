//! The counts of the last comparison, stored for the console: the command runs in another process.

use std::time::Duration;

use entity::reconciliation::{Column, Entity, Model};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait,
    sea_query::{OnConflict, Query},
};

use super::Reconciliation;
use crate::outbox::store::now_plus;

/// Replaces the stored counts.
pub(super) async fn store(database: &impl ConnectionTrait, reconciliation: &Reconciliation) -> Result<(), DbErr> {
    use Column::{Consultations, Differences, EndedAt, InTransit, Overdue, Payments, Singleton};
    let Reconciliation { consultations, payments, in_transit, overdue, differences, .. } = *reconciliation;
    let counts = [consultations, payments, in_transit, overdue, differences].map(|count| count.cast_signed().into());
    let now = now_plus(database.get_database_backend(), Duration::ZERO);
    let columns = [EndedAt, Consultations, Payments, InTransit, Overdue, Differences];
    let replace = OnConflict::column(Singleton).update_columns(columns).to_owned();
    let insert = Query::insert()
        .into_table(Entity)
        .columns([Singleton].into_iter().chain(columns))
        .values_panic([true.into(), now].into_iter().chain(counts))
        .on_conflict(replace)
        .to_owned();
    database.execute(&insert).await.map(drop)
}

/// Reads the stored counts. `None`: none was ever stored.
///
/// # Errors
/// When the database fails.
pub async fn last(database: &impl ConnectionTrait) -> Result<Option<Model>, DbErr> {
    Entity::find().one(database).await
}
