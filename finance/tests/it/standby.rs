//! Repeated recordings beside a synchronous standby: their commit waits for it.

use chassis::{changes::Changes, database::Database};
use entity::Money;
use finance::{rules::Recorded, writer::RecordWriter};
use sea_orm::{ConnectionTrait, DbBackend};
use testkit::Backend;
use uuid::Uuid;

use crate::record_writer::{record, write, writer};

/// While a synchronous standby is away, rows that are visible after a restart may yet be lost: see the chaos campaign.
#[tokio::test]
async fn what_was_recorded_before_is_answered_after_a_commit_that_waits_for_the_standby() {
    let Some((mut db, _)) = writer(Backend::Postgres).await else { return };
    let statements = db.record_statements();
    let writer = RecordWriter { database: db.database.clone(), recorded: Changes::new("payment_recorded").0 };
    let appointment = Uuid::new_v4();
    let waits = || statements.lock().expect("no panic").iter().filter(|sql| sql.contains("pg_logical_emit")).count();
    write(&writer, &[record(appointment, Money::MAX)]).await;
    assert_eq!(waits(), 0, "its own commit waits");
    write(&writer, &[record(appointment, Money::MAX), record(appointment, Money::ZERO)]).await;
    assert_eq!(waits(), 1, "one for all of a batch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_answered_was_read_where_the_commit_waited() {
    use std::sync::{Arc, Mutex};
    let Some((mut db, first)) = writer(Backend::Postgres).await else { return };
    let appointment = Uuid::new_v4();
    write(&first, &[record(appointment, Money::MAX)]).await;
    // Another session's connection: it comes back between the read and the commit. In a failover it leads to the new
    // primary, while the first leads to the old one.
    let other = Arc::new(Mutex::new(Some(db.database.begin().await.expect("a transaction"))));
    let handle = tokio::runtime::Handle::current();
    db.database.write.observe(move |sql| {
        if sql.contains("pg_logical_emit")
            && let Some(transaction) = other.lock().expect("no panic").take()
        {
            let rollback = || handle.block_on(transaction.rollback()).expect("rolled back");
            std::thread::scope(|scope| scope.spawn(rollback).join().expect("no panic"));
        }
    });
    let writer = RecordWriter { database: db.database.clone(), recorded: Changes::new("payment_recorded").0 };
    let answers = write(&writer, &[record(appointment, Money::MAX)]).await;
    assert!(matches!(&answers[..], [Recorded::Already(_)]));
    let watching = Database::connect(&db.url).await.expect("a database");
    let sql = "SELECT pid::text || ': ' || query AS said FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let rows =
        watching.read.query_all_raw(sea_orm::Statement::from_string(DbBackend::Postgres, sql)).await.expect("rows");
    let said: Vec<String> = rows.iter().map(|row| row.try_get("", "said").expect("a text")).collect();
    let read_on_another = said.iter().any(|said| said.contains("FROM \"payment\""));
    assert!(!read_on_another, "read on one session, waited on another: {said:#?}");
}
