//! The destination: payments go to the finance that was met first, until an operator accepts another.

use consultation::outbox::{Tick, store};
use entity::pending_payment::Column;
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use testkit::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    finance_stub::{FinanceStub, Script},
    outbox::{come, outbox, relay, row, rows, tick},
};

async fn destination(db: &TestDatabase) -> Option<Uuid> {
    store::destination(&db.database.read).await.expect("read")
}

#[rstest]
#[tokio::test]
async fn the_first_finance_that_is_met_is_stored_and_asked_no_more(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 150).await else { return };
    let finance = FinanceStub::start([]).await;
    assert_eq!(destination(&db).await, None);
    let relay = relay(&db, &finance);
    assert_eq!((tick(&relay).await.delivered, tick(&relay).await.delivered), (100, 50));
    assert_eq!((destination(&db).await, finance.asked()), (Some(finance.instance()), 1));
}

#[rstest]
#[tokio::test]
async fn replicas_that_meet_two_finances_at_once_agree_on_one(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 0).await else { return };
    let database = &db.database.write;
    let met = join_all((0..8).map(|_| store::meet(database, Uuid::new_v4()))).await;
    let met: Vec<_> = met.into_iter().map(|stored| Some(stored.expect("stored"))).collect();
    assert_eq!(met, vec![destination(&db).await; 8]);
}

#[rstest]
#[tokio::test]
async fn another_finance_gets_nothing_and_the_row_says_why(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 3).await else { return };
    let finance = FinanceStub::start([]).await;
    let accepted = store::meet(&db.database.write, Uuid::new_v4()).await.expect("stored");
    let relay = relay(&db, &finance);
    assert_eq!(tick(&relay).await, Tick { claimed: 3, postponed: 3, ..Tick::default() });
    assert_eq!(tick(&relay).await, Tick::default(), "the breaker is open at once");
    for row in rows(&db).await {
        assert!(!row.finished && row.parked_at.is_none() && row.rejections == 0);
        let error = row.last_error.expect("an error");
        let host = finance.url().replace("http://", "").replace("/graphql", "");
        for part in [&accepted.to_string(), &finance.instance().to_string(), &host, "`consultation accept-finance`"] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_finance_with_another_currency_gets_nothing_and_the_row_says_why(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 2).await else { return };
    let refusal = json!({ "__typename": "WrongCurrency", "currency": "USD" });
    let refused = json!({ "data": { "recordPayments": { "results": [], "userErrors": [refusal] } } });
    let finance = FinanceStub::start([Script::Answer(200, refused.to_string())]).await;
    let relay = relay(&db, &finance);
    assert_eq!(tick(&relay).await, Tick { claimed: 2, postponed: 2, ..Tick::default() });
    assert_eq!(tick(&relay).await, Tick::default(), "the breaker is open at once");
    assert_eq!(finance.currencies(), ["BRL"]);
    for row in rows(&db).await {
        assert!(!row.finished && row.parked_at.is_none() && row.rejections == 0);
        let error = row.last_error.expect("an error");
        for part in ["payments in USD", "prices are in BRL", "--consultation-currency", "--finance-currency"] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_relay_delivers_to_an_accepted_finance_without_a_restart(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([]).await;
    let first = store::meet(&db.database.write, Uuid::new_v4()).await.expect("stored");
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(relay(&db, &finance).run(shutdown.clone()));
    finance.arrived().await;
    let before = store::accept(&db.database.write, finance.instance()).await.expect("accepted");
    assert_eq!(before, Some(first));
    // The next probe. The drain waits for it.
    finance.arrived().await;
    shutdown.cancel();
    running.await.expect("it ends");
    assert!(row(&db).await.finished);
}

#[rstest]
#[tokio::test]
async fn a_finance_that_does_not_tell_its_instance_id_gets_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([]).await;
    finance.become_another(None);
    let relay = relay(&db, &finance);
    assert_eq!(tick(&relay).await, Tick { claimed: 1, postponed: 1, ..Tick::default() });
    assert!(row(&db).await.last_error.is_some_and(|error| error.contains("untold")));
    assert_eq!((destination(&db).await, finance.requests().len()), (None, 0));

    finance.become_another(Some(Uuid::new_v4()));
    come(&db, Column::NextAttemptAt).await;
    assert_eq!(tick(&relay).await.delivered, 1);
}

#[rstest]
#[tokio::test]
async fn accepting_tells_what_was_accepted_before(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 0).await else { return };
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let mut before = Vec::new();
    for accepted in [one, one, other] {
        before.push(store::accept(&db.database.write, accepted).await.expect("accepted"));
    }
    assert_eq!((before, destination(&db).await), (vec![None, Some(one), Some(one)], Some(other)));
}
