//! `payment`: constraints that the database enforces for every writer.

use entity::{Money, payment};
use rstest::rstest;
use sea_orm::EntityTrait;
use testkit::Backend;

use crate::rows::{at, breaks_a_check, insert, is_duplicate, migrated, money, payment};

#[rstest]
#[tokio::test]
async fn payments_are_read_as_they_were_written(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    for (cents, time) in [(0, "00:00:00"), (1, "23:59:59.999"), (Money::MAX.cents(), "12:00:00.010")] {
        let row = payment::Model { total_price_cents: money(cents), recorded_at: at(time), ..payment() };
        insert(&db.database, row.clone()).await.expect("inserted");
        let read = payment::Entity::find_by_id(row.id).one(&db.database.read).await.expect("a row");
        assert_eq!(read, Some(row));
    }
}

#[rstest]
#[tokio::test]
async fn an_appointment_has_one_payment(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    let first = insert(&db.database, payment()).await.expect("inserted");
    let again = insert(&db.database, payment::Model { appointment_id: first.appointment_id, ..payment() }).await;
    assert!(is_duplicate(&again), "{again:?}");
    let same_id = insert(&db.database, payment::Model { id: first.id, ..payment() }).await;
    assert!(is_duplicate(&same_id), "{same_id:?}");
    insert(&db.database, payment()).await.expect("another appointment is fine");
}

#[rstest]
#[tokio::test]
async fn what_is_paid_is_money(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    for cents in [-1, i64::MIN, Money::MAX.cents() + 1] {
        let refused = insert(&db.database, payment::Model { total_price_cents: money(cents), ..payment() }).await;
        assert!(breaks_a_check(&refused), "{cents}: {refused:?}");
    }
}
