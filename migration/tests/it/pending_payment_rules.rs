//! `pending_payment`: constraints that the database enforces for every writer.

use entity::{Money, consultation, pending_payment};
use rstest::rstest;
use sea_orm::{
    ConnectionTrait, EntityTrait, ModelTrait,
    prelude::Uuid,
    sea_query::{Expr, Query},
};
use testkit::{Backend, TestDatabase};

use crate::rows::{at, breaks_a_check, finished, insert, is_duplicate, is_orphan, migrated, money, pending};

/// The tables and a finished consultation.
async fn finished_consultation(backend: Backend) -> Option<(TestDatabase, consultation::Model)> {
    let db = migrated(backend).await?;
    let consultation = insert(&db.database, finished()).await.expect("inserted");
    Some((db, consultation))
}

#[rstest]
#[tokio::test]
async fn pending_payments_are_read_as_they_were_written(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = migrated(backend).await else { return };
    let leased = |row| pending_payment::Model {
        processing: true,
        lease_until: Some(at("13:00:30.001")),
        tries: i64::MAX,
        claim_seq: i64::MAX,
        total_price_cents: Money::MAX,
        ..row
    };
    let parked = |row| pending_payment::Model {
        rejections: i32::MAX,
        parked_at: Some(at("13:00:05")),
        last_error: Some("\u{e7}".repeat(500)),
        ..row
    };
    let delivered = |row| pending_payment::Model { finished: true, finished_at: Some(at("13:00:01")), tries: 1, ..row };
    let states: [&dyn Fn(pending_payment::Model) -> pending_payment::Model; 4] =
        [&|row| row, &leased, &parked, &delivered];
    for state in states {
        let consultation = insert(&db.database, finished()).await.expect("inserted");
        let row = state(pending(consultation.id));
        insert(&db.database, row.clone()).await.expect("inserted");
        let read = pending_payment::Entity::find_by_id(row.id).one(&db.database.read).await.expect("a row");
        assert_eq!(read, Some(row));
    }
}

#[rstest]
#[tokio::test]
async fn a_new_row_is_neither_sent_nor_held_nor_finished(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    use pending_payment::Column::{AppointmentId, CreatedAt, Id, NextAttemptAt, TotalPriceCents};
    let Some((db, consultation)) = finished_consultation(backend).await else { return };
    let expected = pending(consultation.id);
    let values = [
        expected.id.into(),
        expected.appointment_id.into(),
        expected.total_price_cents.cents().into(),
        expected.next_attempt_at.into(),
        expected.created_at.into(),
    ];
    let insert = Query::insert()
        .into_table(pending_payment::Entity)
        .columns([Id, AppointmentId, TotalPriceCents, NextAttemptAt, CreatedAt])
        .values_panic(values.map(|value: sea_orm::Value| Expr::value(value)))
        .to_owned();
    db.database.write.execute(&insert).await.expect("the rest has defaults");
    let read = pending_payment::Entity::find().one(&db.database.read).await.expect("a row");
    assert_eq!(read, Some(expected));
}

#[rstest]
#[tokio::test]
async fn a_consultation_has_one_pending_payment(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((db, consultation)) = finished_consultation(backend).await else { return };
    let finished_at = Some(at("13:00:01"));
    let delivered = pending_payment::Model { finished: true, finished_at, ..pending(consultation.id) };
    insert(&db.database, delivered).await.expect("inserted");
    let again = insert(&db.database, pending(consultation.id)).await;
    assert!(is_duplicate(&again), "{again:?}");
}

#[rstest]
#[tokio::test]
async fn a_pending_payment_belongs_to_a_consultation_that_stays(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, consultation)) = finished_consultation(backend).await else { return };
    let unknown = insert(&db.database, pending(Uuid::new_v4())).await;
    assert!(is_orphan(&unknown), "{unknown:?}");
    insert(&db.database, pending(consultation.id)).await.expect("inserted");
    let deleted = consultation.delete(&db.database.write).await;
    assert!(is_orphan(&deleted), "{deleted:?}");
}

#[rstest]
#[tokio::test]
async fn states_that_contradict_themselves_are_refused(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((db, consultation)) = finished_consultation(backend).await else { return };
    let pending = || pending(consultation.id);
    let (lease_until, finished_at) = (Some(at("13:00:30")), Some(at("13:00:01")));
    let held = || pending_payment::Model { processing: true, lease_until, ..pending() };
    let delivered = || pending_payment::Model { finished: true, finished_at, ..pending() };
    let contradictions = [
        ("held and finished", pending_payment::Model { finished: true, finished_at, ..held() }),
        ("finished at no time", pending_payment::Model { finished_at: None, ..delivered() }),
        ("not finished, but at a time", pending_payment::Model { finished: false, ..delivered() }),
        ("held without end", pending_payment::Model { lease_until: None, ..held() }),
        ("a lease that nobody holds", pending_payment::Model { processing: false, ..held() }),
        ("tries below zero", pending_payment::Model { tries: -1, ..pending() }),
        ("a negative price", pending_payment::Model { total_price_cents: money(-1), ..pending() }),
        ("too high a price", pending_payment::Model { total_price_cents: money(Money::MAX.cents() + 1), ..pending() }),
    ];
    for (why, row) in contradictions {
        let refused = insert(&db.database, row).await;
        assert!(breaks_a_check(&refused), "{why}: {refused:?}");
    }
    insert(&db.database, pending()).await.expect("the row without contradictions is fine");
}
