//! Loads what a list's nodes or a gateway's entities refer to in one statement, not one for each.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader;
use chassis::database::Database;
use entity::payment::{Column, Entity as Payments, Model as Payment};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

pub(crate) struct Loader {
    pub(crate) database: Database,
}

/// The key of a payment's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PaymentId(pub(crate) Uuid);

/// The key of the payment of a consultation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AppointmentId(pub(crate) Uuid);

impl dataloader::Loader<PaymentId> for Loader {
    type Value = Payment;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[PaymentId]) -> Result<HashMap<PaymentId, Payment>, Arc<DbErr>> {
        let ids = keys.iter().map(|key| key.0);
        let rows = Payments::find().filter(Column::Id.is_in(ids)).all(&self.database.read).await?;
        Ok(rows.into_iter().map(|row| (PaymentId(row.id), row)).collect())
    }
}

impl dataloader::Loader<AppointmentId> for Loader {
    type Value = Payment;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[AppointmentId]) -> Result<HashMap<AppointmentId, Payment>, Arc<DbErr>> {
        let ids = keys.iter().map(|key| key.0);
        let rows = Payments::find().filter(Column::AppointmentId.is_in(ids)).all(&self.database.read).await?;
        Ok(rows.into_iter().map(|row| (AppointmentId(row.appointment_id), row)).collect())
    }
}
