//! A history of consultations and their payments, for the plans of lists.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{Money, consultation as consultations, pending_payment};
use migration::consultation::Migrator;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

/// Enough that a planner does not read the whole table because it is tiny.
const ENDED: u32 = 2_000;
const IN_PROGRESS: u32 = 400;
const PHYSICIANS: u32 = 4;
const PATIENTS: u32 = 300;

/// A history, a minute apart: of the ended ones each fourth was cancelled, and the payments of the last are undelivered.
pub(crate) async fn history(backend: Backend, is_analysed: bool) -> Option<TestDatabase> {
    let db = TestDatabase::empty(backend).await?;
    db.database.migrate::<Migrator>().await.expect("migrated");
    let database = &db.database.write;
    let (rows, payments): (Vec<_>, Vec<_>) = (0..ENDED + IN_PROGRESS).map(row).unzip();
    for rows in rows.chunks(500) {
        consultations::Entity::insert_many(rows.to_vec()).exec(database).await.expect("inserted");
    }
    let payments: Vec<_> = payments.into_iter().flatten().collect();
    for rows in payments.chunks(500) {
        pending_payment::Entity::insert_many(rows.to_vec()).exec(database).await.expect("inserted");
    }
    if is_analysed {
        database.execute_unprepared("ANALYZE").await.expect("analysed");
    }
    Some(db)
}

pub(crate) fn noon() -> DateTime<Utc> {
    "2021-08-02T12:00:00Z".parse().expect("a time")
}

fn row(number: u32) -> (consultations::ActiveModel, Option<pending_payment::ActiveModel>) {
    let start = noon() + TimeDelta::minutes(number.into());
    let id = Uuid::from_u128((1 << 64) + u128::from(number));
    let is_ended = number < ENDED;
    let is_cancelled = is_ended && number.is_multiple_of(4);
    let (is_finished, is_delivered) = (is_ended && !is_cancelled, number < ENDED / 2);
    let patient = if is_ended { number % PATIENTS } else { number + PATIENTS };
    let row = consultations::ActiveModel {
        id: Set(id),
        physician_id: Set(Uuid::from_u128((number / 7 % PHYSICIANS).into())),
        patient_id: Set(Uuid::from_u128(patient.into())),
        start_date: Set(start),
        end_date: Set(is_ended.then(|| start + TimeDelta::hours(1))),
        price_cents: Set(is_finished.then_some(Money::MAX)),
        cancel_reason: Set(is_cancelled.then(|| "by mistake".to_owned())),
        ..Default::default()
    };
    let payment = pending_payment::ActiveModel {
        id: Set(id),
        appointment_id: Set(id),
        total_price_cents: Set(Money::MAX),
        next_attempt_at: Set(start),
        created_at: Set(start),
        finished: Set(is_delivered),
        finished_at: Set(is_delivered.then_some(start)),
        ..Default::default()
    };
    (row, is_finished.then_some(payment))
}
