//! Valid rows; a test changes one field and checks the database's reaction.

use chassis::database::Database;
use entity::{Money, consultation, payment, pending_payment};
use migration::{consultation::Migrator as ConsultationMigrator, finance::Migrator as FinanceMigrator};
use sea_orm::{
    ActiveModelTrait, DbErr, EntityTrait, IntoActiveModel, SqlErr,
    prelude::{DateTimeUtc, Uuid},
    sea_query::ValueType,
};
use testkit::{Backend, TestDatabase};

/// A database with all tables; `None` without PostgreSQL.
pub(crate) async fn migrated(backend: Backend) -> Option<TestDatabase> {
    let db = TestDatabase::empty(backend).await?;
    db.database.migrate::<ConsultationMigrator>().await.expect("migrated");
    db.database.migrate::<FinanceMigrator>().await.expect("migrated");
    Some(db)
}

/// A time on 2 August 2021.
pub(crate) fn at(time: &str) -> DateTimeUtc {
    format!("2021-08-02T{time}Z").parse().expect("a time")
}

/// Any number of cents, as rows of other writers may hold.
pub(crate) fn money(cents: i64) -> Money {
    <Money as ValueType>::unwrap(cents.into())
}

/// A consultation in progress of a new patient.
pub(crate) fn in_progress() -> consultation::Model {
    consultation::Model {
        id: Uuid::new_v4(),
        physician_id: Uuid::new_v4(),
        patient_id: Uuid::new_v4(),
        start_date: at("12:00:00"),
        end_date: None,
        price_cents: None,
        started_by: None,
        finished_by: None,
        cancel_reason: None,
        cancelled_by: None,
        origin: None,
    }
}

/// A finished consultation of a new patient.
pub(crate) fn finished() -> consultation::Model {
    consultation::Model { end_date: Some(at("13:00:00")), price_cents: Some(money(20_000)), ..in_progress() }
}

/// A pending payment without an attempt.
pub(crate) fn pending(appointment_id: Uuid) -> pending_payment::Model {
    pending_payment::Model {
        id: Uuid::new_v4(),
        appointment_id,
        total_price_cents: money(20_000),
        tries: 0,
        processing: false,
        finished: false,
        next_attempt_at: at("13:00:00"),
        lease_until: None,
        claim_seq: 0,
        last_error: None,
        rejections: 0,
        parked_at: None,
        created_at: at("13:00:00"),
        finished_at: None,
        retried_by: None,
        trace_parent: None,
        settled_price_cents: None,
        settle_reason: None,
        settled_by: None,
        settled_at: None,
        redeliveries: 0,
    }
}

/// A payment for a new appointment.
pub(crate) fn payment() -> payment::Model {
    payment::Model {
        id: Uuid::new_v4(),
        appointment_id: Uuid::new_v4(),
        total_price_cents: money(20_000),
        recorded_at: at("13:00:00"),
        recorded_by: None,
    }
}

/// Inserts a row.
pub(crate) async fn insert<M>(database: &Database, row: M) -> Result<M, DbErr>
where
    M: IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel> + sea_orm::ModelTrait + Send,
    M::Entity: EntityTrait<Model = M>,
    <M::Entity as EntityTrait>::ActiveModel: Send,
{
    row.into_active_model().insert(&database.write).await
}

/// Whether a unique index refused the row.
pub(crate) fn is_duplicate<T>(outcome: &Result<T, DbErr>) -> bool {
    outcome.as_ref().is_err_and(|error| matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))))
}

/// Whether a foreign key refused the row.
pub(crate) fn is_orphan<T>(outcome: &Result<T, DbErr>) -> bool {
    outcome.as_ref().is_err_and(|error| matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))))
}

/// Whether a CHECK refused the row, for which SeaORM has no error.
pub(crate) fn breaks_a_check<T>(outcome: &Result<T, DbErr>) -> bool {
    outcome.as_ref().is_err_and(|error| {
        let text = error.to_string();
        text.contains("CHECK constraint failed") || text.contains("violates check constraint")
    })
}
