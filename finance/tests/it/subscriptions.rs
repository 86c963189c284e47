//! Following payments as they are recorded, over either transport and across replicas.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Backend, Events, Socket};
use uuid::Uuid;

use crate::running::{Running, record, running, start_service};

const FOLLOW: &str = "subscription { paymentRecorded { appointmentId totalPrice consultation { id } } }";

/// A subscriber at `base` receives each payment that `service` records once. When a replica begins to listen to the
/// others, it reports missed payments once. Then the subscriber subscribes again.
async fn are_told_once(service: &Running, base: &str) {
    for _ in 0..3 {
        let mut events = followed(service, base).await;
        if tells_each_once(service, &mut events).await {
            return;
        }
    }
    panic!("a replica begins to listen again and again");
}

/// False when the subscription has ended because payments may have been missed.
async fn tells_each_once(service: &Running, events: &mut Events) -> bool {
    for price in ["216.00", "300.00"] {
        let appointment = Uuid::new_v4();
        // The second is recorded already, and no event.
        for _ in 0..2 {
            service.record(appointment, price).await;
        }
        let event = next_but(FIRST_PRICE, events).await;
        if event["errors"][0]["extensions"]["code"] == "EVENTS_MISSED" {
            return false;
        }
        let told = json!({ "appointmentId": appointment, "totalPrice": price, "consultation": { "id": appointment } });
        assert_eq!(event["data"]["paymentRecorded"], told, "{event}");
    }
    true
}

async fn next_but(price: &str, events: &mut Events) -> Value {
    loop {
        let event = events.next().await.expect("an event");
        if event["data"]["paymentRecorded"]["totalPrice"] != price {
            return event;
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_payment_is_told_once(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    are_told_once(&service, &service.client().base).await;
}

#[tokio::test]
async fn a_payment_is_told_to_the_subscribers_of_other_replicas() {
    let Some(service) = running(Backend::Postgres).await else { return };
    let replica = start_service(&service.db);
    are_told_once(&service, &replica.client.base).await;
}

/// The amount of payments before the test begins.
const FIRST_PRICE: &str = "0.01";

/// Follows the payments at `base`, once payments of `service` arrive there.
async fn followed(service: &Running, base: &str) -> Events {
    let client = testkit::GraphqlClient::new(base);
    loop {
        let mut events = client.events(FOLLOW, json!({})).await;
        service.record(Uuid::new_v4(), FIRST_PRICE).await;
        let event = events.next().await.expect("an event");
        if event["data"]["paymentRecorded"].is_object() {
            return events;
        }
        // The replica has just begun to listen.
        assert_eq!(event["errors"][0]["extensions"]["code"], "EVENTS_MISSED", "{event}");
        assert_eq!(events.next().await, Some(Value::Null));
    }
}

#[tokio::test]
async fn a_slow_subscriber_holds_up_nobody_and_is_told_what_it_missed() {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let base = &service.client().base;
    let mut slow = Socket::introduced(base).await;
    let long: Vec<_> = (0..30).map(|n| format!("{}{n:02}: id", "l".repeat(98))).collect();
    slow.subscribe("slow", &format!("subscription {{ paymentRecorded {{ {} }} }}", long.join(" ")), json!({})).await;
    let mut quick = followed(&service, base).await;
    // It reads nothing while more payments are recorded than sockets and channels hold.
    let payments =
        "mutation ($input: RecordPaymentsInput!) { recordPayments(input: $input) { userErrors { __typename } } }";
    for round in 0..PAYMENTS / 100 {
        let input: Vec<_> = (0..100).map(|_| crate::running::input(Uuid::new_v4(), "1.00")).collect();
        service.client().call(payments, json!({ "input": { "payments": input } })).await;
        for payment in 0..100 {
            let event = quick.next().await.expect("an event");
            assert!(event["data"]["paymentRecorded"].is_object(), "{round} {payment} {event}");
        }
    }
    let mut told = 0;
    let last = loop {
        let event = slow.next().await;
        if event["payload"]["data"].is_null() {
            break event;
        }
        told += 1;
    };
    assert!(told < PAYMENTS, "it was told all {told}");
    assert_eq!(last["payload"]["errors"][0]["extensions"]["code"], "EVENTS_MISSED", "{last}");
    assert_eq!(slow.next().await, json!({ "type": "complete", "id": "slow" }));
    // It can subscribe again.
    slow.subscribe("again", FOLLOW, json!({})).await;
    slow.send(json!({ "type": "ping" })).await;
    assert_eq!(slow.next().await, json!({ "type": "pong" }));
    record(service.client(), Uuid::new_v4(), "2.00").await;
    assert_eq!(slow.next().await["payload"]["data"]["paymentRecorded"]["totalPrice"], "2.00");
}

/// Each takes 4 kB on the wire here, as much as names allow; the sockets of both sides hold a few megabytes, the
/// channel 4,096.
const PAYMENTS: usize = 8_000;
