//! The state that the console tells: of payments, and of a database that fails, is silent, or is not migrated.

use axum::http::Method;
use consultation::permissions::PERMISSIONS;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use testkit::{Backend, RoleUsers, TestDatabase};

use crate::{
    console::{Page, parked},
    outbox::{outbox, row},
    reconcile::age,
    running::{start_for, start_service},
};

#[rstest]
#[tokio::test]
async fn payments_that_are_late_are_the_state(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 2).await else { return };
    age(&db).await;
    let page = Page::get(&start_service(&db).client, "").await;
    assert_eq!(page.status, 200);
    for shown in ["data-news=\"Payments are late\"", "Payments are late: the oldest waits 2 h"] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
}

#[rstest]
#[tokio::test]
async fn missing_migrations_are_the_state(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = TestDatabase::empty(backend).await else { return };
    let service = start_for(&db, RoleUsers::of(PERMISSIONS.roles).access());
    let page = Page::get(&service.client.as_user("reader"), "").await;
    assert_eq!(page.status, 503);
    for shown in ["The database lacks migrations", "_create_reconciliation", "consultation migrate", "<svg"] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    assert!(!page.text.contains("database does not answer"), "{}", page.text);
}

#[rstest]
#[tokio::test]
async fn a_comparison_that_cannot_be_read_hides_no_payment(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((db, service)) = parked(backend, 1, "refused").await else { return };
    db.database.write.execute_unprepared("ALTER TABLE reconciliation RENAME TO elsewhere").await.expect("renamed");
    let page = Page::get(&service.client.as_user("reader"), "").await;
    assert_eq!(page.status, 200);
    for shown in ["Parked payments need a decision: 1", "The database has failed; the log says why"] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
}

#[rstest]
#[tokio::test]
async fn a_page_waits_for_no_writer(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((db, service)) = parked(backend, 1, "refused").await else { return };
    let writing = db.database.begin().await.expect("the only writer of SQLite");
    assert_eq!(Page::get(&service.client.as_user("reader"), "").await.status, 200);
    writing.rollback().await.expect("free again");
}

/// Readers of SQLite wait for nobody.
#[tokio::test]
async fn a_silent_database_is_told_in_time() {
    let Some((db, service)) = parked(Backend::Postgres, 1, "refused").await else { return };
    let id = row(&db).await.appointment_id;
    let lock = db.database.begin().await.expect("a transaction");
    lock.execute_unprepared("LOCK TABLE pending_payment").await.expect("locked");
    let reader = service.client.as_user("reader");
    let detail = format!("/payments/{id}");
    let pages = futures_util::join!(Page::get(&reader, ""), Page::get(&reader, &detail));
    for page in <[Page; 2]>::from(pages) {
        assert_eq!(page.status, 503);
        assert!(page.text.contains("The database does not answer"), "{}", page.text);
    }
    lock.rollback().await.expect("unlocked");
    assert_eq!(Page::get(&reader, "").await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_database_that_fails_leaves_what_memory_has(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((db, service)) = parked(backend, 1, "refused").await else { return };
    let id = row(&db).await.appointment_id;
    let away = "ALTER TABLE pending_payment RENAME TO elsewhere";
    db.database.write.execute_unprepared(away).await.expect("renamed");
    let operator = service.client.as_user("operator");
    let page = Page::get(&operator, "").await;
    assert_eq!(page.status, 503);
    assert!(!page.text.contains("database does not answer"), "it did: {}", page.text);
    for shown in ["The database has failed; the log says why", "Circuit breaker", "<svg"] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    for path in [format!("/payments/{id}"), "/parked/retry".to_owned()] {
        assert_eq!(Page::get(&operator, &path).await.status, 503, "{path}");
    }
    let retry = Page::of(operator.request(Method::POST, "/console/parked/retry")).await;
    assert_eq!(retry.status, 503, "{}", retry.text);
}
