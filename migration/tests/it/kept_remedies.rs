//! Settlements and redeliveries: what operators did about a payment stays, and happens only where it may.

use chassis::database::Database;
use entity::pending_payment;
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbErr, ExecResult};
use testkit::{Backend, TestDatabase};

use crate::rows::{at, finished, insert, migrated, money, pending};

const FINISH: &str = "finished = true, finished_at = created_at";
const SETTLEMENT: [&str; 4] =
    ["settled_price_cents = 100", "settle_reason = 'agreed'", "settled_by = 'operator'", "settled_at = created_at"];
const SEND_AGAIN: &str = "finished = false, finished_at = NULL, redeliveries = redeliveries + 1";

fn settle() -> String {
    format!("{FINISH}, {}", SETTLEMENT.join(", "))
}

/// A payment in this state.
async fn payment(
    backend: Backend,
    state: impl FnOnce(pending_payment::Model) -> pending_payment::Model,
) -> Option<TestDatabase> {
    let db = migrated(backend).await?;
    let consultation = insert(&db.database, finished()).await.expect("inserted");
    insert(&db.database, state(pending(consultation.id))).await.expect("inserted");
    Some(db)
}

fn parked(row: pending_payment::Model) -> pending_payment::Model {
    pending_payment::Model { rejections: 1, parked_at: Some(at("13:00:01")), ..row }
}

fn delivered(row: pending_payment::Model) -> pending_payment::Model {
    pending_payment::Model { finished: true, finished_at: Some(at("13:00:01")), ..row }
}

async fn update(database: &Database, change: &str) -> Result<ExecResult, DbErr> {
    database.write.execute_unprepared(&format!("UPDATE pending_payment SET {change}")).await
}

async fn refused(database: &Database, change: &str, why: &str) {
    let refused = update(database, change).await.expect_err(change).to_string();
    assert!(refused.contains(why), "{change}: {refused}");
}

#[rstest]
#[tokio::test]
async fn a_settlement_is_complete_and_stays(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = payment(backend, parked).await else { return };
    for lacking in 0..SETTLEMENT.len() {
        let mut columns = SETTLEMENT.to_vec();
        columns.remove(lacking);
        let incomplete = format!("{FINISH}, {}", columns.join(", "));
        assert!(update(&db.database, &incomplete).await.is_err(), "{incomplete}");
    }
    let ours = settle().replace("= 100", "= total_price_cents");
    refused(&db.database, &ours, "by another amount than was sent").await;
    refused(&db.database, &SETTLEMENT.join(", "), "only a payment that finance refused").await;

    update(&db.database, &settle()).await.expect("settled");
    for change in [
        "settled_price_cents = 101",
        "settle_reason = 'another'",
        "settled_by = NULL",
        "settled_price_cents = NULL, settle_reason = NULL, settled_by = NULL, settled_at = NULL",
    ] {
        refused(&db.database, change, "a settlement stays").await;
    }
    let deleted = db.database.write.execute_unprepared("DELETE FROM pending_payment").await;
    assert!(deleted.expect_err("refused").to_string().contains("must not be deleted"));
    update(&db.database, SEND_AGAIN).await.expect("a redelivery keeps it");
    refused(&db.database, &settle(), "by another amount than was sent").await;
    update(&db.database, &ours).await.expect("another settlement, of what was sent again");
}

#[rstest]
#[tokio::test]
async fn only_what_finance_refused_is_settled(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    for state in [|row| row, delivered] {
        let Some(db) = payment(backend, state).await else { return };
        refused(&db.database, &settle(), "only a payment that finance refused").await;
    }
    let db = migrated(backend).await.expect("as before");
    let consultation = insert(&db.database, finished()).await.expect("inserted");
    let settled = pending_payment::Model {
        settled_price_cents: Some(money(100)),
        settle_reason: Some("agreed".to_owned()),
        settled_by: Some("operator".to_owned()),
        settled_at: Some(at("13:00:01")),
        ..delivered(pending(consultation.id))
    };
    assert!(insert(&db.database, settled).await.is_err());
}

#[rstest]
#[tokio::test]
async fn a_redelivery_is_counted_and_its_record_stays(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = payment(backend, delivered).await else { return };
    refused(&db.database, "finished = false, finished_at = NULL", "not taken back").await;
    for change in ["finished = false, finished_at = NULL, redeliveries = 2", "redeliveries = 1"] {
        refused(&db.database, change, "counted one by one").await;
    }
    update(&db.database, SEND_AGAIN).await.expect("on its way again");
    refused(&db.database, SEND_AGAIN, "counted one by one").await;
    refused(&db.database, "redeliveries = 0", "counted one by one").await;

    let record = entity::redelivery::Model {
        id: uuid::Uuid::new_v4(),
        appointment_id: uuid::Uuid::new_v4(),
        confirmed_at: None,
        requested_at: at("13:00:02"),
        requested_by: "operator".to_owned(),
        settled_price_cents: None,
        settle_reason: None,
        settled_by: None,
        settled_at: None,
    };
    insert(&db.database, record).await.expect("inserted");
    for statement in ["UPDATE redelivery SET requested_by = 'nobody'", "DELETE FROM redelivery"] {
        let refused = db.database.write.execute_unprepared(statement).await.expect_err("refused").to_string();
        assert!(refused.contains("the record of a redelivery"), "{refused}");
    }
}
