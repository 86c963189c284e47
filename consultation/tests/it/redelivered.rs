//! Redeliveries beside what was begun before: relays that froze, and rows that retention deletes.

use consultation::outbox::store::{self, Due, Lease, Lost};
use entity::pending_payment::{Column, Entity as PendingPayments};
use rstest::rstest;
use sea_orm::EntityTrait;
use testkit::{Backend, TestDatabase};

use crate::outbox::{LEASE, come, outbox, row, rows};

async fn claim(db: &TestDatabase) -> Lease {
    store::claim(&db.database.write, Due::All, 1, LEASE).await.expect("a claim").remove(0)
}

async fn confirm(db: &TestDatabase, lease: &Lease) -> bool {
    store::confirm(&db.database.write, &[lease]).await.expect("a statement") > 0
}

/// The delivered payment, as a comparison finds it when finance has lost it.
async fn lost(db: &TestDatabase) -> Lost {
    let row = rows(db).await.into_iter().find(|row| row.finished).expect("one is delivered");
    Lost { consultation: row.appointment_id, price: row.total_price_cents, redeliveries: Some(row.redeliveries) }
}

async fn send_again(db: &TestDatabase, lost: Lost) -> usize {
    store::redeliver(&db.database, &[lost], "operator").await.expect("written").len()
}

#[rstest]
#[tokio::test]
async fn a_confirmation_of_an_earlier_delivery_does_not_cancel_a_redelivery(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let frozen = claim(&db).await;
    come(&db, Column::LeaseUntil).await;
    assert!(confirm(&db, &claim(&db).await).await);
    assert_eq!(send_again(&db, lost(&db).await).await, 1);
    assert!(!confirm(&db, &frozen).await, "finance has lost what it confirmed");
    let pending = row(&db).await;
    assert!(!pending.finished, "{pending:?}");

    let stale = claim(&db).await;
    come(&db, Column::LeaseUntil).await;
    claim(&db).await;
    assert!(confirm(&db, &stale).await, "any lease of the same delivery");
}

#[rstest]
#[tokio::test]
async fn leases_of_several_deliveries_are_confirmed_together(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 3).await else { return };
    assert!(confirm(&db, &claim(&db).await).await);
    assert_eq!(send_again(&db, lost(&db).await).await, 1);
    let leases = store::claim(&db.database.write, Due::All, 3, LEASE).await.expect("a claim");
    let confirmed = store::confirm(&db.database.write, &leases.iter().collect::<Vec<_>>()).await;
    assert_eq!(confirmed.expect("a statement"), 3);
    assert_eq!(store::confirm(&db.database.write, &[]).await.expect("nothing to write"), 0);
}

#[rstest]
#[tokio::test]
async fn a_lost_payment_whose_row_is_deleted_meanwhile_is_made_anew(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    assert!(confirm(&db, &claim(&db).await).await);
    let lost = lost(&db).await;
    PendingPayments::delete_many().exec(&db.database.write).await.expect("as retention does");
    assert_eq!(send_again(&db, lost).await, 1);
    let anew = row(&db).await;
    assert_eq!((anew.appointment_id, anew.finished, anew.redeliveries), (lost.consultation, false, 1));
    assert_eq!(send_again(&db, lost).await, 0, "it is on its way");
}
