//! Loads the rows that the nodes of a list or the entities of a gateway refer to: one statement for all.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    dataloader::{self, DataLoader},
    runtime::{TokioSpawner, TokioTimer},
};
use chassis::database::{Database, is_one_of};
use entity::payment::{Column, Entity as Payments, Model as Payment};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

pub(crate) struct Loader {
    database: Database,
}

/// In the data of a request, or else of the schema.
pub(crate) type SharedLoader = Arc<DataLoader<Loader>>;

/// A loader of the rows of `database`.
pub(crate) fn shared(database: Database) -> SharedLoader {
    Arc::new(DataLoader::new(Loader { database }, TokioSpawner::current(), TokioTimer::default()))
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
        let these = is_one_of(self.database.read.get_database_backend(), Column::Id, ids);
        let rows = Payments::find().filter(these).all(&self.database.read).await?;
        Ok(rows.into_iter().map(|row| (PaymentId(row.id), row)).collect())
    }
}

impl dataloader::Loader<AppointmentId> for Loader {
    type Value = Payment;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[AppointmentId]) -> Result<HashMap<AppointmentId, Payment>, Arc<DbErr>> {
        let ids = keys.iter().map(|key| key.0);
        let of_these = is_one_of(self.database.read.get_database_backend(), Column::AppointmentId, ids);
        let rows = Payments::find().filter(of_these).all(&self.database.read).await?;
        Ok(rows.into_iter().map(|row| (AppointmentId(row.appointment_id), row)).collect())
    }
}
