//! Following the list of consultations, over either transport and across replicas.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Backend, Events, GraphqlClient, Socket};
use uuid::Uuid;

use crate::running::{Running, START, finish, running, start_service};

const CONSULTATIONS: &str = "subscription ($filter: ConsultationChangeFilter) {
    consultationsChanged(filter: $filter) { id status price currency pendingPayment { status } } }";

/// Repeats a scenario that was told that changes were missed: a replica says so once when it begins to listen to others.
async fn undisturbed(scenario: impl AsyncFn() -> Option<()>) {
    for _ in 0..5 {
        if scenario().await.is_some() {
            return;
        }
    }
    panic!("a replica begins to listen again and again");
}

/// The row in a response; `None` when changes were missed.
fn row(response: &Value) -> Option<Value> {
    if response["errors"][0]["extensions"]["code"] == "EVENTS_MISSED" {
        return None;
    }
    assert!(response["errors"].is_null(), "{response}");
    response["data"].as_object().and_then(|data| data.values().next().cloned())
}

/// The next row that `is_meant`; `None` when changes were missed.
async fn until(events: &mut Events, is_meant: impl Fn(&Value) -> bool) -> Option<Value> {
    loop {
        let row = row(&events.next().await.expect("an event"))?;
        if is_meant(&row) {
            return Some(row);
        }
    }
}

async fn start(client: &GraphqlClient, physician: Uuid, patient: Uuid) -> String {
    let started = client.call(START, json!({ "physician": physician, "patient": patient })).await;
    started["startConsultation"]["consultation"]["id"].as_str().expect("started").to_owned()
}

/// Who follows the list at `base` is told of a consultation of `service`.
async fn is_told(service: &Running, base: &str) {
    let client = GraphqlClient::new(base);
    undisturbed(async || {
        let mut events = client.events(CONSULTATIONS, json!({})).await;
        let (id, _) = service.started().await;
        let started = until(&mut events, |row| row["id"] == id).await?;
        let in_progress =
            json!({ "id": id, "status": "IN_PROGRESS", "price": null, "currency": "BRL", "pendingPayment": null });
        assert_eq!(started, in_progress);
        service.finish(&id, None).await;
        let finished = until(&mut events, |row| row["id"] == id && row["status"] == "FINISHED").await?;
        assert_eq!((&finished["price"], &finished["currency"]), (&json!("200.00"), &json!("BRL")));
        assert!(finished["pendingPayment"]["status"].is_string(), "{finished}");
        Some(())
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn who_follows_the_list_is_told_of_each_start_and_finish(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    is_told(&service, &service.client().base).await;
}

#[tokio::test]
async fn who_follows_the_list_at_another_replica_is_told_too() {
    let Some(service) = running(Backend::Postgres).await else { return };
    let replica = start_service(&service.db);
    is_told(&service, &replica.client.base).await;
}

/// What each list shows of which consultation with which status, until all of `lists` have shown the end of the `last`.
async fn shown_until<const N: usize>(
    socket: &mut Socket,
    last: &str,
    lists: [&str; N],
) -> Option<BTreeSet<(String, String, String)>> {
    let (mut waiting, mut shown) = (BTreeSet::from(lists), BTreeSet::new());
    while !waiting.is_empty() {
        let message = socket.next().await;
        let follower = message["id"].as_str().expect("an id").to_owned();
        let row = row(&message["payload"])?;
        let (id, status) = (row["id"].as_str().expect("an id"), row["status"].as_str().expect("a status"));
        if (id, status) == (last, "FINISHED") {
            waiting.remove(follower.as_str());
        }
        shown.insert((follower, id.to_owned(), status.to_owned()));
    }
    Some(shown)
}

#[rstest]
#[tokio::test]
async fn over_a_websocket_each_list_shows_what_its_filter_lets_through(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let client = service.client();
    undisturbed(async || {
        let (physician, patient) = (Uuid::new_v4(), Uuid::new_v4());
        let lists = [
            ("physician", json!({ "physicianId": physician })),
            ("patient", json!({ "patientId": patient })),
            ("finished", json!({ "status": "FINISHED" })),
        ];
        let mut socket = Socket::introduced(&client.base).await;
        for (name, filter) in &lists {
            socket.subscribe(name, CONSULTATIONS, json!({ "filter": filter })).await;
        }
        socket.send(json!({ "type": "ping" })).await;
        if socket.next().await != json!({ "type": "pong" }) {
            return None;
        }
        let theirs = start(client, physician, patient).await;
        let others = start(client, Uuid::new_v4(), Uuid::new_v4()).await;
        finish(client, &theirs, None).await;
        finish(client, &others, None).await;
        let last = start(client, physician, patient).await;
        finish(client, &last, None).await;

        let shown = shown_until(&mut socket, &last, lists.each_ref().map(|(name, _)| *name)).await?;
        let is_shown =
            |list: &str, id: &str, status: &str| shown.contains(&(list.to_owned(), id.to_owned(), status.to_owned()));
        assert!(shown.iter().all(|(list, id, _)| list == "finished" || *id != others), "{shown:?}");
        assert!(shown.iter().all(|(list, _, status)| list != "finished" || status == "FINISHED"), "{shown:?}");
        for (list, _) in &lists {
            assert!(is_shown(list, &theirs, "FINISHED"), "{list}: {shown:?}");
        }
        assert!(is_shown("finished", &others, "FINISHED"), "{shown:?}");
        Some(())
    })
    .await;
}
