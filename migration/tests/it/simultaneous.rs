//! Replicas that start together migrate in turn.

use chassis::database::Database;
use futures_util::future::join_all;
use migration::{consultation::Migrator as Consultation, finance::Migrator as Finance};
use rstest::rstest;
use testkit::{Backend, TestDatabase};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn eight_replicas_of_each_service_migrate_at_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let replicas = join_all((0..8).map(|_| Database::connect(&db.url))).await;
    let migrations = replicas.iter().map(async |replica| {
        let replica = replica.as_ref().expect("a connection");
        tokio::join!(replica.migrate::<Consultation>(), replica.migrate::<Finance>())
    });
    for (consultation, finance) in join_all(migrations).await {
        consultation.expect("migrated");
        finance.expect("migrated");
    }
    assert!(db.database.pending_migrations::<Consultation>().await.expect("an answer").is_empty());
    assert!(db.database.pending_migrations::<Finance>().await.expect("an answer").is_empty());
}
