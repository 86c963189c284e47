//! Redeliveries in the exported document: how each delivery before ended, also by settlements that have been replaced.

use std::collections::HashMap;

use chassis::database::{Connections, is_one_of};
use entity::redelivery::{Column, Entity as Redeliveries, Model};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use uuid::Uuid;

use super::document::time;

/// A request to deliver a payment again.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Redelivery {
    id: Uuid,
    appointment_id: Uuid,
    confirmed_at: Option<String>,
    requested_at: String,
    requested_by: String,
    settled_price: Option<String>,
    settle_reason: Option<String>,
    settled_by: Option<String>,
    settled_at: Option<String>,
}

/// Reads the redeliveries of these consultations, the oldest first.
pub(super) async fn redeliveries(
    database: &Connections,
    consultation_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Redelivery>>, DbErr> {
    let of_them = is_one_of(database.get_database_backend(), Column::AppointmentId, consultation_ids.iter().copied());
    let mut redeliveries = HashMap::<_, Vec<_>>::new();
    for row in Redeliveries::find().filter(of_them).order_by_asc(Column::Id).all(database).await? {
        redeliveries.entry(row.appointment_id).or_default().push(row.into());
    }
    Ok(redeliveries)
}

impl From<Model> for Redelivery {
    fn from(row: Model) -> Self {
        let Model {
            id,
            appointment_id,
            confirmed_at,
            requested_at,
            requested_by,
            settled_price_cents,
            settle_reason,
            settled_by,
            settled_at,
        } = row;
        Self {
            id,
            appointment_id,
            confirmed_at: confirmed_at.map(time),
            requested_at: time(requested_at),
            requested_by,
            settled_price: settled_price_cents.map(|price| price.to_string()),
            settle_reason,
            settled_by,
            settled_at: settled_at.map(time),
        }
    }
}
