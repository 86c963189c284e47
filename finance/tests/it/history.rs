//! Payments with known times of recording.

use chassis::clock;
use chrono::{DateTime, TimeDelta, Utc};
use entity::{Money, payment};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait};
use testkit::TestDatabase;
use uuid::Uuid;

/// 2021-08-02T15:00:00.123Z, and milliseconds later.
pub(crate) fn noon_and(milliseconds: i64) -> DateTime<Utc> {
    let noon: DateTime<Utc> = "2021-08-02T12:00:00.123-03:00".parse().expect("a time");
    noon + TimeDelta::milliseconds(milliseconds)
}

/// Stores a payment as if it had been recorded at that time.
pub(crate) async fn recorded_at(db: &TestDatabase, time: DateTime<Utc>) -> payment::Model {
    recorded_through(&db.database.write, time).await
}

/// The same on a connection or in a transaction.
pub(crate) async fn recorded_through(connection: &impl ConnectionTrait, time: DateTime<Utc>) -> payment::Model {
    let row = payment::ActiveModel {
        id: Set(clock::id_at(time)),
        appointment_id: Set(Uuid::new_v4()),
        total_price_cents: Set(Money::MAX),
        recorded_at: Set(time),
        recorded_by: Set(None),
    };
    row.insert(connection).await.expect("inserted")
}
