//! Loads what a list's nodes refer to in one statement, not one per node.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader;
use chassis::database::Database;
use entity::{consultation, pending_payment};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

pub(crate) struct Loader {
    pub(crate) database: Database,
}

/// The key of a consultation's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConsultationId(pub(crate) Uuid);

/// The key of the pending payment of a consultation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AppointmentId(pub(crate) Uuid);

impl dataloader::Loader<ConsultationId> for Loader {
    type Value = consultation::Model;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[ConsultationId]) -> Result<HashMap<ConsultationId, Self::Value>, Arc<DbErr>> {
        let ids = keys.iter().map(|key| key.0);
        let rows =
            consultation::Entity::find().filter(consultation::Column::Id.is_in(ids)).all(&self.database.read).await?;
        Ok(rows.into_iter().map(|row| (ConsultationId(row.id), row)).collect())
    }
}

impl dataloader::Loader<AppointmentId> for Loader {
    type Value = pending_payment::Model;
    type Error = Arc<DbErr>;

    async fn load(&self, keys: &[AppointmentId]) -> Result<HashMap<AppointmentId, Self::Value>, Arc<DbErr>> {
        let ids = keys.iter().map(|key| key.0);
        let of_appointments = pending_payment::Column::AppointmentId.is_in(ids);
        let rows = pending_payment::Entity::find().filter(of_appointments).all(&self.database.read).await?;
        Ok(rows.into_iter().map(|row| (AppointmentId(row.appointment_id), row)).collect())
    }
}
