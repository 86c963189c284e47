//! The index of due payments holds no delivered one. Its use by a claim is tested with the claim.

use entity::{consultation, pending_payment};
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, Statement};
use testkit::{Backend, TestDatabase};

use crate::rows::{at, finished, migrated, pending};

/// Enough that the planner does not scan the whole table for its small size.
const DELIVERED: usize = 1_500;
const PENDING: usize = 10;

/// A history of delivered payments and a few that are due.
async fn history(backend: Backend) -> Option<TestDatabase> {
    let db = migrated(backend).await?;
    let consultations: Vec<_> = (0..DELIVERED + PENDING).map(|_| finished()).collect();
    let payments: Vec<_> = consultations
        .iter()
        .enumerate()
        .map(|(number, consultation)| {
            let finished_at = (number >= PENDING).then(|| at("13:00:01"));
            pending_payment::Model { finished: finished_at.is_some(), finished_at, ..pending(consultation.id) }
        })
        .collect();
    let database = &db.database.write;
    let consultations = consultations.into_iter().map(IntoActiveModel::into_active_model);
    consultation::Entity::insert_many(consultations).exec(database).await.expect("inserted");
    let payments = payments.into_iter().map(IntoActiveModel::into_active_model);
    pending_payment::Entity::insert_many(payments).exec(database).await.expect("inserted");
    database.execute_unprepared("ANALYZE").await.expect("analysed");
    Some(db)
}

/// The planner's plan for a statement, line by line.
async fn plan(db: &TestDatabase, sql: &str) -> String {
    let database = &db.database.read;
    let (sql, column) = match database.get_database_backend() {
        DbBackend::Sqlite => (format!("EXPLAIN QUERY PLAN {sql}"), "detail"),
        _ => (format!("EXPLAIN {sql}"), "QUERY PLAN"),
    };
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let rows = database.query_all_raw(statement).await.expect("a plan");
    let lines: Vec<String> = rows.iter().map(|row| row.try_get("", column).expect("a line")).collect();
    lines.join("\n")
}

#[rstest]
#[tokio::test]
async fn the_index_holds_nothing_that_is_delivered(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = history(backend).await else { return };
    let delivered = "SELECT id FROM pending_payment WHERE finished AND next_attempt_at <= '2021-08-02'";
    let plan = plan(&db, delivered).await;
    assert!(!plan.contains("pending_payment_due"), "{plan}");
}
