//! Retention: old delivered rows are deleted, undelivered ones never. The default is 90 days.

use std::time::{Duration, Instant};

use chassis::{clock, health::Heartbeat};
use chrono::{DateTime, Utc};
use clap::Parser;
use consultation::{
    config::Settings,
    outbox::{
        Upkeep,
        store::{self, Due, now_plus},
    },
};
use entity::pending_payment::{Column, Entity as PendingPayments};
use rstest::rstest;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::Expr,
};
use serde_json::json;
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;

use crate::{
    outbox::{LEASE, outbox, rows},
    running::{refusal, running},
};

const DAY: Duration = Duration::from_hours(24);
/// Longer than any of these tests takes.
const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// An outbox with `old` rows delivered two days ago, `young` ones delivered just now, and `undelivered` ones.
async fn history(backend: Backend, old: usize, young: usize, undelivered: usize) -> Option<TestDatabase> {
    let db = outbox(backend, old + young + undelivered).await?;
    let database = &db.database.write;
    let leases = store::claim(database, Due::All, (old + young) as u64, LEASE).await.expect("a claim");
    store::confirm(database, &leases.iter().collect::<Vec<_>>()).await.expect("confirmed");
    let two_days_ago = match database.get_database_backend() {
        sea_orm::DbBackend::Sqlite => Expr::cust("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-2 days')"),
        _ => Expr::cust("statement_timestamp() - interval '2 days'"),
    };
    let aged = PendingPayments::update_many()
        .col_expr(Column::FinishedAt, two_days_ago)
        .filter(Column::Id.is_in(leases.iter().take(old).map(|lease| lease.id)));
    aged.exec(database).await.expect("aged");
    Some(db)
}

async fn delete(db: &TestDatabase, now: DateTime<Utc>) -> u64 {
    store::delete_delivered(&db.database.write, DAY, now, Upkeep::BATCH).await.expect("deleted")
}

#[test]
fn delivered_rows_stay_for_90_days_unless_the_operator_says_otherwise() {
    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        settings: Settings,
    }
    let retention = |arguments: &[&str]| {
        let parsed = Cli::try_parse_from(["consultation"].iter().chain(arguments));
        parsed.map(|cli| cli.settings.domain.retention).map_err(|error| error.to_string())
    };
    assert_eq!(retention(&[]), Ok(Some(DAY * 90)));
    assert_eq!(retention(&["--consultation-retention=1day"]), Ok(Some(DAY)));
    assert_eq!(retention(&["--consultation-retention=never"]), Ok(None));
    for refused in ["23h", "101years", "0", "always", ""] {
        let error = retention(&[&format!("--consultation-retention={refused}")]).expect_err(refused);
        assert!(error.contains("never"), "{error}");
    }
}

#[rstest]
#[tokio::test]
async fn delivered_rows_leave_when_they_are_old_and_undelivered_ones_never(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = history(backend, 30, 20, 10).await else { return };
    // The ids are young, as if the consultations had waited for finance: no row is deleted by its id alone.
    assert_eq!(delete(&db, clock::now()).await, 0);
    assert_eq!(delete(&db, clock::now() + DAY * 2).await, 30);
    let kept = rows(&db).await;
    assert_eq!((kept.len(), kept.iter().filter(|row| row.finished).count()), (30, 20));
}

#[rstest]
#[tokio::test]
async fn two_replicas_delete_batch_by_batch_until_nothing_is_left(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let old = 2 * usize::try_from(Upkeep::BATCH).expect("small") + 1;
    let Some(db) = history(backend, old, 1, 0).await else { return };
    let later = clock::now() + DAY * 2;
    let mut deleted = 0;
    loop {
        let both: [u64; 2] = tokio::join!(delete(&db, later), delete(&db, later)).into();
        assert!(both.iter().all(|rows| *rows <= Upkeep::BATCH));
        deleted += both.iter().sum::<u64>();
        if both == [0, 0] {
            break;
        }
    }
    assert_eq!((deleted, rows(&db).await.len()), (old as u64, 1));
}

#[rstest]
#[tokio::test]
async fn retention_deletes_by_itself_and_ends_at_shutdown(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = history(backend, 1, 1, 1).await else { return };
    let old = PendingPayments::find().filter(Column::FinishedAt.lt(clock::now() - DAY));
    let old = old.one(&db.database.read).await.expect("a row").expect("an old one");
    let (database, id) = (&db.database.write, clock::id_at(clock::now() - DAY * 2));
    // An id of the time at which it was written.
    PendingPayments::delete_by_id(old.id).exec(database).await.expect("deleted");
    let old = entity::pending_payment::Model { id, ..old };
    old.into_active_model().insert(database).await.expect("inserted");

    let shutdown = CancellationToken::new();
    let upkeep = Upkeep {
        database: db.database.clone(),
        retention: Some(DAY),
        heartbeat: Heartbeat::new("outbox upkeep"),
        meter: None,
    };
    let running = tokio::spawn(upkeep.run(shutdown.clone()));
    let deadline = Instant::now() + TEST_TIMEOUT;
    while rows(&db).await.len() != 2 {
        assert!(Instant::now() < deadline, "the old row is still there");
    }
    shutdown.cancel();
    running.await.expect("it ends");
}

#[rstest]
#[tokio::test]
async fn a_consultation_whose_row_has_left_is_finished_all_the_same(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let (id, _) = service.started().await;
    service.finish(&id, None).await;
    let database = &service.db.database.write;
    let now = now_plus(database.get_database_backend(), Duration::ZERO);
    let delivered =
        PendingPayments::update_many().col_expr(Column::Finished, true.into()).col_expr(Column::FinishedAt, now);
    let unleased = delivered
        .col_expr(Column::Processing, false.into())
        .col_expr(Column::LeaseUntil, Option::<sea_orm::prelude::DateTimeUtc>::None.into());
    unleased.exec(database).await.expect("delivered");
    PendingPayments::delete_many().exec(database).await.expect("left");

    assert_eq!(refusal(&service.finish(&id, None).await), "CONSULTATION_ALREADY_FINISHED");
    let query = "query ($id: ID!) { consultation(id: $id) { status price pendingPayment { status } } }";
    let shown = service.client().call(query, json!({ "id": id })).await;
    let expected = json!({ "status": "FINISHED", "price": "200.00", "pendingPayment": null });
    assert_eq!(shown["consultation"], expected);
}
