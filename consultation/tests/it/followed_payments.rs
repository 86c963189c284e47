//! Following the list of pending payments: each step of the delivery, by its status.

use async_graphql::{Request, Response, Variables};
use chassis::{config::Api, health::Heartbeat, metrics::WriterMeter};
use chrono::TimeDelta;
use consultation::{
    config::FinanceTarget,
    finance_client::{FinanceClient, REQUEST_TIMEOUT},
    graphql::{self, ConsultationSchema},
    outbox::{Redrive, Relay, Remedies, Settlements, WakeUp},
    rules::Rules,
    writers::Consultations,
};
use entity::{Money, pending_payment::Column};
use futures_util::{FutureExt, Stream, StreamExt};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

use crate::{
    finance_stub::{FinanceStub, Script},
    outbox::{come, currency, outbox, relay, rows, tick},
};

const FOLLOW: &str = "subscription ($filter: PendingPaymentChangeFilter) {
    pendingPaymentChanged(filter: $filter) { status totalPrice currency tries consultation { id status } } }";

/// The schema of a service whose relay is this one. Nobody else tells of changes.
fn schema(db: &TestDatabase, relay: &Relay) -> ConsultationSchema {
    let (database, changes) = (db.database.clone(), relay.changes.clone());
    let [longest, longest_backdate] = [TimeDelta::hours(24); 2];
    let rules = Rules { price_per_hour: Money::MAX, longest, longest_backdate };
    let beside = ["starts", "finishes"].map(|name| (Heartbeat::new(name), WriterMeter::default()));
    let (consultations, _) = Consultations::new(&database, rules, WakeUp::default(), changes.clone(), beside);
    let redrive = Redrive { database: database.clone(), wake_up: WakeUp::default(), changes: changes.clone() };
    let nobody = FinanceTarget::in_development("http://127.0.0.1:9/graphql".parse().expect("a URL"));
    let finance = FinanceClient::new(nobody, currency(), REQUEST_TIMEOUT).expect("a client");
    let settlements = Settlements { database: database.clone(), finance, changes: changes.clone() };
    let remedies = Remedies { redrive, settlements };
    let (time_zone, currency) = ("UTC".parse().expect("a zone"), "EUR".parse().expect("a currency"));
    graphql::schema(&Api::default(), database, consultations, remedies, changes, time_zone, currency)
}

fn followed(schema: &ConsultationSchema, filter: &Value) -> impl Stream<Item = Response> + Unpin + use<> {
    let variables = Variables::from_json(json!({ "filter": filter }));
    schema.execute_stream(Request::new(FOLLOW).variables(variables))
}

/// Status and consultation of the next event.
async fn next(events: &mut (impl Stream<Item = Response> + Unpin)) -> (String, Uuid) {
    let response = events.next().await.expect("an event");
    assert!(response.errors.is_empty(), "{response:?}");
    let payment = response.data.into_json().expect("JSON")["pendingPaymentChanged"].take();
    assert_eq!((&payment["totalPrice"], &payment["currency"]), (&json!("999999999.99"), &json!("EUR")));
    let consultation = payment["consultation"]["id"].as_str().expect("an id").parse().expect("a UUID");
    (payment["status"].as_str().expect("a status").to_owned(), consultation)
}

#[rstest]
#[tokio::test]
async fn who_follows_payments_by_their_status_is_told_of_those_that_reach_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 2).await else { return };
    let finance = FinanceStub::start([Script::RefuseFirst]).await;
    let relay = relay(&db, &finance);
    let schema = schema(&db, &relay);
    let mut all = followed(&schema, &Value::Null);
    let mut parked = followed(&schema, &json!({ "status": "PARKED" }));
    let mut finished = followed(&schema, &json!({ "status": "FINISHED" }));
    // A stream subscribes when it is polled first.
    for events in [&mut all as &mut (dyn Stream<Item = Response> + Unpin), &mut parked, &mut finished] {
        assert!(events.next().now_or_never().is_none());
    }

    tick(&relay).await;
    let refused = rows(&db).await.into_iter().find(|row| !row.finished).expect("one is refused").appointment_id;
    let (status, other) = next(&mut finished).await;
    assert!(status == "FINISHED" && other != refused);
    assert_eq!(next(&mut parked).await, ("PARKED".to_owned(), refused));
    let mut told = [next(&mut all).await, next(&mut all).await];
    told.sort();
    assert_eq!(told, [("FINISHED".to_owned(), other), ("PARKED".to_owned(), refused)]);

    come(&db, Column::NextAttemptAt).await;
    tick(&relay).await;
    let delivered = ("FINISHED".to_owned(), refused);
    assert_eq!((next(&mut all).await, next(&mut finished).await), (delivered.clone(), delivered));
}
