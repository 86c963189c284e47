//! Loads the rows that the nodes of a list refer to: one statement for all nodes.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    dataloader::{self, DataLoader},
    runtime::{TokioSpawner, TokioTimer},
};
use chassis::database::{Database, is_one_of};
use entity::{consultation, pending_payment};
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

/// The key of a consultation's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConsultationId(pub(crate) Uuid);

/// The key of the pending payment of a consultation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AppointmentId(pub(crate) Uuid);

/// The key of a pending payment's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PendingPaymentId(pub(crate) Uuid);

impl dataloader::Loader<ConsultationId> for Loader {
    type Value = consultation::Model;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[ConsultationId]) -> Result<HashMap<ConsultationId, Self::Value>, Arc<DbErr>> {
        let ids = keys.iter().map(|key| key.0);
        let these = is_one_of(self.database.read.get_database_backend(), consultation::Column::Id, ids);
        let rows = consultation::Entity::find().filter(these).all(&self.database.read).await?;
        Ok(rows.into_iter().map(|row| (ConsultationId(row.id), row)).collect())
    }
}

impl dataloader::Loader<AppointmentId> for Loader {
    type Value = pending_payment::Model;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[AppointmentId]) -> Result<HashMap<AppointmentId, Self::Value>, Arc<DbErr>> {
        let ids = keys.iter().map(|key| key.0);
        let backend = self.database.read.get_database_backend();
        let of_these = is_one_of(backend, pending_payment::Column::AppointmentId, ids);
        let rows = pending_payment::Entity::find().filter(of_these).all(&self.database.read).await?;
        Ok(rows.into_iter().map(|row| (AppointmentId(row.appointment_id), row)).collect())
    }
}

impl dataloader::Loader<PendingPaymentId> for Loader {
    type Value = pending_payment::Model;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[PendingPaymentId]) -> Result<HashMap<PendingPaymentId, Self::Value>, Arc<DbErr>> {
        let ids = keys.iter().map(|key| key.0);
        let these = is_one_of(self.database.read.get_database_backend(), pending_payment::Column::Id, ids);
        let rows = pending_payment::Entity::find().filter(these).all(&self.database.read).await?;
        Ok(rows.into_iter().map(|row| (PendingPaymentId(row.id), row)).collect())
    }
}
