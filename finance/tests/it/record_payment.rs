//! Recording one payment: idempotent, never changed.

use rstest::rstest;
use serde_json::json;
use testkit::Backend;
use uuid::Uuid;

use crate::running::{is_already_recorded, is_new, refusal, running};

#[rstest]
#[tokio::test]
async fn a_new_payment_is_stored_and_echoed_exactly(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let appointment = Uuid::new_v4();
    let recorded = service.record(appointment, "216.00").await;
    assert!(is_new(&recorded), "{recorded}");
    assert_eq!(recorded["payment"]["appointmentId"], json!(appointment));
    assert_eq!(recorded["payment"]["totalPrice"], "216.00");
    let recorded_at = recorded["payment"]["recordedAt"].as_str().expect("a time");
    assert!(recorded_at.ends_with('Z') && recorded_at.len() == "2021-08-02T12:00:00.000Z".len(), "{recorded_at}");

    let stored = service.stored().await;
    assert_eq!(stored.len(), 1);
    assert_eq!((stored[0].appointment_id, stored[0].total_price_cents.cents()), (appointment, 21_600));
    assert_eq!(json!(stored[0].id), recorded["payment"]["id"]);
    let stored_at = stored[0].recorded_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    assert_eq!(stored_at, recorded_at, "what was answered is what is stored");
}

#[rstest]
#[tokio::test]
async fn the_same_payment_again_is_answered_with_the_stored_one(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let appointment = Uuid::new_v4();
    let first = service.record(appointment, "10.5").await;
    let stored = service.stored().await;
    assert!(is_new(&first), "{first}");
    for equal in ["10.5", "10.50", "10.500", "010.50"] {
        let again = service.record(appointment, equal).await;
        assert!(is_already_recorded(&again), "{equal}: {again}");
        assert_eq!(again["payment"], first["payment"], "{equal}");
    }
    assert_eq!(service.stored().await, stored, "nothing was changed");
}

#[rstest]
#[tokio::test]
async fn another_amount_is_refused_with_the_stored_payment(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let appointment = Uuid::new_v4();
    let first = service.record(appointment, "216.00").await;
    let stored = service.stored().await;
    for other in ["216.01", "0.00", "999999999.99"] {
        let refused = service.record(appointment, other).await;
        let conflict = refusal(&refused);
        assert_eq!(
            (&conflict["__typename"], &conflict["code"]),
            (&json!("PaymentConflict"), &json!("PAYMENT_CONFLICT"))
        );
        assert_eq!(conflict["field"], json!(["input", "totalPrice"]));
        assert_eq!(conflict["payment"], first["payment"], "{other}");
        assert!(conflict["message"].as_str().is_some_and(|message| message.contains("216.00")), "{conflict}");
    }
    assert_eq!(service.stored().await, stored, "nothing was changed");
    let again = service.record(appointment, "216.00").await;
    assert!(is_already_recorded(&again), "a refused amount does not spoil the right one: {again}");
}

#[rstest]
#[tokio::test]
async fn appointments_with_the_same_amount_have_a_payment_each(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let one = service.record(Uuid::new_v4(), "200.00").await;
    let other = service.record(Uuid::new_v4(), "200.00").await;
    assert!(is_new(&one) && is_new(&other));
    assert_ne!(one["payment"]["id"], other["payment"]["id"]);
    assert_eq!(service.stored().await.len(), 2);
}
