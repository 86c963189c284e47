//! An undelivered payment cannot be lost by any writer.

use chassis::database::Database;
use entity::pending_payment;
use migration::consultation::Migrator;
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, ExecResult};
use testkit::{Backend, TestDatabase};

use crate::{
    catalogue::catalogue,
    rows::{at, finished, insert, migrated, pending},
};

/// An undelivered payment and a delivered one.
async fn one_of_each(backend: Backend) -> Option<TestDatabase> {
    let db = migrated(backend).await?;
    for finished_at in [None, Some(at("13:00:01"))] {
        let consultation = insert(&db.database, finished()).await.expect("inserted");
        let row = pending_payment::Model { finished: finished_at.is_some(), finished_at, ..pending(consultation.id) };
        insert(&db.database, row).await.expect("inserted");
    }
    Some(db)
}

async fn execute(database: &Database, sql: &str) -> Result<ExecResult, DbErr> {
    database.write.execute_unprepared(sql).await
}

async fn count(database: &Database) -> usize {
    pending_payment::Entity::find().all(&database.read).await.expect("rows").len()
}

#[rstest]
#[tokio::test]
async fn an_undelivered_payment_cannot_be_deleted(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = one_of_each(backend).await else { return };
    for delete in ["DELETE FROM pending_payment", "DELETE FROM pending_payment WHERE NOT finished"] {
        let refused = execute(&db.database, delete).await.expect_err("refused").to_string();
        assert!(refused.contains("not confirmed"), "{refused}");
        assert_eq!(count(&db.database).await, 2, "nothing was deleted");
    }
    assert!(execute(&db.database, "DELETE FROM consultation").await.is_err(), "nor by its consultation");
    execute(&db.database, "DELETE FROM pending_payment WHERE finished").await.expect("a delivered one can be");
    assert_eq!(count(&db.database).await, 1);
}

#[rstest]
#[case::by_its_consultation("appointment_id")]
#[case::by_its_id("id")]
#[tokio::test]
async fn an_undelivered_payment_cannot_be_replaced_in_sqlite(#[case] same: &str) {
    let Some(db) = one_of_each(Backend::Sqlite).await else { return };
    let values = if same == "id" { "id, randomblob(16)" } else { "randomblob(16), appointment_id" };
    let columns = "total_price_cents, tries, processing, finished, next_attempt_at, lease_until, claim_seq, last_error,
        rejections, parked_at, created_at, finished_at";
    let replace = format!(
        "REPLACE INTO pending_payment (id, appointment_id, {columns})
         SELECT {values}, {columns} FROM pending_payment WHERE NOT finished"
    );
    let refused = execute(&db.database, &replace).await.expect_err("refused").to_string();
    assert!(refused.contains("not confirmed"), "{refused}");
    let change = "UPDATE OR REPLACE pending_payment SET id = (SELECT id FROM pending_payment WHERE NOT finished)
        WHERE finished";
    assert!(execute(&db.database, change).await.is_err());
    assert_eq!(count(&db.database).await, 2);
}

#[tokio::test]
async fn a_role_with_a_schema_of_its_own_keeps_its_payments() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    // By its name it is first on the search path, as in docker/postgres/roles.sql.
    execute(&db.database, "CREATE SCHEMA AUTHORIZATION CURRENT_USER").await.expect("a schema");
    db.database.migrate::<Migrator>().await.expect("migrated");
    assert!(catalogue(&db).await.is_empty(), "nothing is in the schema that all share");
    let consultation = insert(&db.database, finished()).await.expect("inserted");
    insert(&db.database, pending(consultation.id)).await.expect("inserted");
    for verb in ["DELETE FROM", "TRUNCATE"] {
        // From a session with another search path, as in a restore.
        let elsewhere = format!(
            "DO $$ BEGIN
                 PERFORM set_config('search_path', '', true);
                 EXECUTE format('{verb} %I.pending_payment', current_user);
             END $$"
        );
        let refused = execute(&db.database, &elsewhere).await.expect_err("refused").to_string();
        assert!(refused.contains("not confirmed"), "{refused}");
    }
}

#[tokio::test]
async fn the_table_cannot_be_truncated_while_a_payment_is_undelivered() {
    let Some(db) = one_of_each(Backend::Postgres).await else { return };
    let refused = execute(&db.database, "TRUNCATE pending_payment").await.expect_err("refused").to_string();
    assert!(refused.contains("not confirmed"), "{refused}");
    assert!(execute(&db.database, "TRUNCATE consultation CASCADE").await.is_err());
    assert_eq!(count(&db.database).await, 2);
    let deliver = "UPDATE pending_payment SET finished = true, finished_at = now() WHERE NOT finished";
    execute(&db.database, deliver).await.expect("delivered");
    execute(&db.database, "TRUNCATE pending_payment").await.expect("now it can");
}

#[rstest]
#[tokio::test]
async fn the_trace_of_a_payment_never_changes(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = one_of_each(backend).await else { return };
    let consultation = insert(&db.database, finished()).await.expect("inserted");
    let trace_parent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    insert(&db.database, pending_payment::Model { trace_parent, ..pending(consultation.id) }).await.expect("inserted");
    for (change, of) in [("NULL", "IS NOT NULL"), ("'00-1'", "IS NULL")] {
        let update = format!("UPDATE pending_payment SET trace_parent = {change} WHERE trace_parent {of}");
        let refused = execute(&db.database, &update).await.expect_err("refused").to_string();
        assert!(refused.contains("does not change"), "{refused}");
    }
    execute(&db.database, "UPDATE pending_payment SET tries = tries + 1").await.expect("anything else may");
}

#[rstest]
#[case::taken_back("finished = false, finished_at = NULL")]
#[case::another_amount("total_price_cents = total_price_cents + 1")]
#[case::another_appointment("appointment_id = id")]
#[case::another_id("id = appointment_id")]
#[tokio::test]
async fn a_confirmation_and_what_is_sent_never_change(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] change: &str,
) {
    let Some(db) = one_of_each(backend).await else { return };
    let update = format!("UPDATE pending_payment SET {change} WHERE finished");
    let refused = execute(&db.database, &update).await.expect_err("refused").to_string();
    assert!(refused.contains("not taken back"), "{refused}");
}
