//! Following a consultation: from the start to the payment, over either transport and across replicas.

use chassis::changes::Change;
use entity::pending_payment::Column;
use futures_util::StreamExt;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Backend, Events, Socket};

use crate::{
    cancel::cancel,
    finance_stub::{FinanceStub, Script},
    outbox::{come, outbox, relay, row, tick},
    running::{Running, running, start_service},
};

const FOLLOW: &str =
    "subscription ($id: ID!) { consultationChanged(id: $id) { id status price pendingPayment { status } } }";

/// The consultation in an event.
fn shown(event: &Value) -> (&str, &str) {
    let consultation = &event["data"]["consultationChanged"];
    let text = |pointer: &str| consultation.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    (text("/status"), text("/price"))
}

async fn finish_is_told(service: &Running, events: &mut Events, id: &str) {
    assert_eq!(shown(&events.next().await.expect("an event")), ("IN_PROGRESS", ""));
    service.finish(id, None).await;
    loop {
        let event = events.next().await.expect("an event");
        // An event may repeat the consultation when the replicas have just found each other.
        if shown(&event) != ("IN_PROGRESS", "") {
            assert_eq!(shown(&event), ("FINISHED", "200.00"));
            break;
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_consultation_is_shown_as_it_is_and_again_when_it_is_finished(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let (id, _) = service.started().await;
    let mut events = service.client().events(FOLLOW, json!({ "id": id })).await;
    finish_is_told(&service, &mut events, &id).await;
}

#[tokio::test]
async fn a_finish_is_told_to_the_subscribers_of_other_replicas() {
    let Some(service) = running(Backend::Postgres).await else { return };
    let replica = start_service(&service.db);
    let (id, _) = service.started().await;
    let mut events = replica.client.events(FOLLOW, json!({ "id": id })).await;
    finish_is_told(&service, &mut events, &id).await;
}

#[rstest]
#[tokio::test]
async fn a_cancellation_is_told_to_subscribers_and_those_of_other_replicas(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let replica = start_service(&service.db);
    let (id, _) = service.started().await;
    // SQLite has no hints across processes: there is one.
    let follower = if backend == Backend::Sqlite { service.client() } else { &replica.client };
    let mut events = follower.events(FOLLOW, json!({ "id": id })).await;
    assert_eq!(shown(&events.next().await.expect("an event")), ("IN_PROGRESS", ""));
    cancel(service.client(), &id, "a mistake").await;
    loop {
        let event = events.next().await.expect("an event");
        if shown(&event) != ("IN_PROGRESS", "") {
            assert_eq!(shown(&event), ("CANCELLED", ""));
            break;
        }
    }
}

#[tokio::test]
async fn over_a_websocket_several_are_followed_at_once_and_others_change_nothing() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(service.started().await.0);
    }
    let mut socket = Socket::introduced(&service.client().base).await;
    for (name, id) in [("first", &ids[0]), ("second", &ids[1])] {
        socket.subscribe(name, FOLLOW, json!({ "id": id })).await;
        let event = socket.next().await;
        assert_eq!((&event["id"], shown(&event["payload"])), (&json!(name), ("IN_PROGRESS", "")));
    }
    for id in [&ids[2], &ids[1]] {
        service.finish(id, None).await;
    }
    let event = socket.next().await;
    assert_eq!((&event["id"], shown(&event["payload"])), (&json!("second"), ("FINISHED", "200.00")));
    // No event comes after the client has ended the subscription.
    socket.send(json!({ "type": "complete", "id": "second" })).await;
    service.finish(&ids[0], None).await;
    loop {
        let event = socket.next().await;
        if event["id"] == "first" {
            assert_eq!(shown(&event["payload"]), ("FINISHED", "200.00"));
            break;
        }
    }
}

#[rstest]
#[case(json!({ "id": "nonsense" }), "BAD_USER_INPUT")]
#[case(json!({ "id": uuid::Uuid::nil() }), "CONSULTATION_NOT_FOUND")]
#[tokio::test]
async fn one_that_does_not_exist_cannot_be_followed(#[case] variables: Value, #[case] code: &str) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let mut events = service.client().events(FOLLOW, variables).await;
    let event = events.next().await.expect("an event");
    assert_eq!(event["errors"][0]["extensions"]["code"], code, "{event}");
    assert_eq!(events.next().await, Some(Value::Null), "then it is complete");
}

#[rstest]
#[tokio::test]
async fn each_step_of_the_payment_is_told_after_it_is_written(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let finance = FinanceStub::start([Script::Answer(500, String::new()), Script::RefuseFirst, Script::Record]).await;
    let relay = relay(&db, &finance);
    let mut changes = relay.changes.subscribe();
    let id = row(&db).await.appointment_id;
    for (tries, parked, finished) in [(1, false, false), (2, true, false), (3, true, true)] {
        tick(&relay).await;
        assert_eq!(changes.next().await, Some(Change::Of(id)));
        let row = row(&db).await;
        assert_eq!((row.tries, row.parked_at.is_some(), row.finished), (tries, parked, finished));
        come(&db, Column::NextAttemptAt).await;
    }
}
