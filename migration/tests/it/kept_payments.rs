//! A recorded payment cannot be changed, deleted or replaced by any writer.

use entity::payment;
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait};
use testkit::{Backend, TestDatabase};

use crate::rows::{insert, migrated, payment};

/// Two payments.
async fn two(backend: Backend) -> Option<(TestDatabase, Vec<payment::Model>)> {
    let db = migrated(backend).await?;
    for _ in 0..2 {
        insert(&db.database, payment()).await.expect("inserted");
    }
    let payments = stored(&db).await;
    Some((db, payments))
}

async fn stored(db: &TestDatabase) -> Vec<payment::Model> {
    payment::Entity::find().all(&db.database.read).await.expect("rows")
}

async fn refused(db: &TestDatabase, sql: &str) -> String {
    db.database.write.execute_unprepared(sql).await.expect_err("refused").to_string()
}

#[rstest]
#[case::its_amount("UPDATE payment SET total_price_cents = 1", "never changes")]
#[case::its_time("UPDATE payment SET recorded_at = '2021-08-02 12:00:00+00:00'", "never changes")]
#[case::its_caller("UPDATE payment SET recorded_by = 'bruno'", "never changes")]
#[case::deleted("DELETE FROM payment", "never deleted")]
#[tokio::test]
async fn a_recorded_payment_is_never_changed_or_deleted(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] statement: &str,
    #[case] why: &str,
) {
    let Some((db, before)) = two(backend).await else { return };
    let refused = refused(&db, statement).await;
    assert!(refused.contains("a recorded payment") && refused.contains(why), "{refused}");
    assert_eq!(stored(&db).await, before);
}

#[tokio::test]
async fn recorded_payments_are_never_truncated() {
    let Some((db, before)) = two(Backend::Postgres).await else { return };
    let refused = refused(&db, "TRUNCATE payment").await;
    assert!(refused.contains("recorded payments are never deleted"), "{refused}");
    assert_eq!(stored(&db).await, before);
}

#[tokio::test]
async fn an_upsert_does_not_change_a_recorded_payment() {
    let Some((db, before)) = two(Backend::Postgres).await else { return };
    let upsert =
        "INSERT INTO payment SELECT gen_random_uuid(), appointment_id, 1, recorded_at, recorded_by FROM payment
        ON CONFLICT (appointment_id) DO UPDATE SET total_price_cents = EXCLUDED.total_price_cents";
    assert!(refused(&db, upsert).await.contains("never changes"));
    assert_eq!(stored(&db).await, before);
}

#[rstest]
#[case::by_its_appointment(
    "REPLACE INTO payment SELECT randomblob(16), appointment_id, 1, recorded_at, recorded_by FROM payment"
)]
#[case::by_its_id("REPLACE INTO payment SELECT id, randomblob(16), 1, recorded_at, recorded_by FROM payment")]
#[case::by_another("UPDATE OR REPLACE payment SET appointment_id = (SELECT max(appointment_id) FROM payment)")]
#[tokio::test]
async fn a_recorded_payment_is_never_replaced_in_sqlite(#[case] statement: &str) {
    let Some((db, before)) = two(Backend::Sqlite).await else { return };
    let refused = refused(&db, statement).await;
    assert!(refused.contains("a recorded payment"), "{refused}");
    assert_eq!(stored(&db).await, before);
}
