//! The relay in `/livez`.

use std::time::Duration;

use axum::{Router, body::Body, http::Request};
use chassis::health::{self, Monitor};
use migration::consultation::Migrator;
use rstest::rstest;
use testkit::Backend;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{
    finance_stub::{FinanceStub, Script},
    outbox::{outbox, relay},
};

/// Just under the upper bound of Retry-After.
const PAUSE: Duration = Duration::from_secs(59);

async fn livez(router: &Router) -> u16 {
    let request = Request::get("/livez").body(Body::empty()).expect("a request");
    router.clone().oneshot(request).await.expect("an answer").status().as_u16()
}

/// Advances tokio's clock at once.
async fn pass(time: Duration) {
    tokio::time::pause();
    for _ in 0..time.as_secs() {
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    tokio::time::resume();
}

#[rstest]
#[tokio::test]
async fn a_relay_that_waits_as_finance_asked_and_then_for_a_slow_answer_is_alive(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 2).await else { return };
    let finance = FinanceStub::start([Script::RetryAfter("60"), Script::Hold]).await;
    let relay = relay(&db, &finance);
    let readiness = Monitor::<Migrator>::new(&db.server("consultation"), &db.database).readiness;
    let router = health::router(readiness, CancellationToken::new(), vec![relay.heartbeat.clone()]);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(relay.run(shutdown.clone()));
    finance.arrived().await;
    // Until the pause is known and the rows are given back.
    while crate::outbox::rows(&db).await.iter().any(|row| row.processing) {}
    pass(PAUSE).await;
    assert_eq!((livez(&router).await, finance.requests().len()), (200, 1));
    finance.arrived().await;
    // Less than the probe may take.
    pass(Duration::from_secs(4)).await;
    assert_eq!(livez(&router).await, 200, "it waits for an answer");
    finance.let_go();
    shutdown.cancel();
    running.await.expect("it ends");
}
