//! The destination: the instance of finance that payments go to. The first that was met, until an operator accepts
//! another.

use std::time::Duration;

use entity::delivery_destination::{Column, Entity as DeliveryDestinations};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait,
    sea_query::{InsertStatement, OnConflict, Query},
};
use uuid::Uuid;

use super::now_plus;

/// Reads the instance that payments go to, or `None` before the first contact.
pub async fn destination(database: &impl ConnectionTrait) -> Result<Option<Uuid>, DbErr> {
    Ok(DeliveryDestinations::find().one(database).await?.map(|row| row.instance_id))
}

/// Stores the instance that was met, unless another replica was faster. Returns the stored one.
pub async fn meet(database: &impl ConnectionTrait, met: Uuid) -> Result<Uuid, DbErr> {
    let first =
        insert(database, met).on_conflict(OnConflict::column(Column::Singleton).do_nothing().to_owned()).to_owned();
    database.execute(&first).await?;
    // A separate statement: an insert that conflicts does not return the stored row.
    let stored = destination(database).await?;
    stored.ok_or_else(|| DbErr::RecordNotInserted)
}

/// An operator accepts this instance. Returns the instance that payments went to before.
pub async fn accept(database: &impl ConnectionTrait, instance_id: Uuid) -> Result<Option<Uuid>, DbErr> {
    let before = destination(database).await?;
    if before != Some(instance_id) {
        let replace =
            OnConflict::column(Column::Singleton).update_columns([Column::InstanceId, Column::AcceptedAt]).to_owned();
        database.execute(&insert(database, instance_id).on_conflict(replace).to_owned()).await?;
    }
    Ok(before)
}

fn insert(database: &impl ConnectionTrait, instance_id: Uuid) -> InsertStatement {
    let now = now_plus(database.get_database_backend(), Duration::ZERO);
    Query::insert()
        .into_table(DeliveryDestinations)
        .columns([Column::Singleton, Column::InstanceId, Column::AcceptedAt])
        .values_panic([true.into(), instance_id.into(), now])
        .to_owned()
}
