//! Adoption of payments without a consultation: once, never of what was cancelled, and never before its start.

use std::collections::BTreeMap;

use chassis::clock;
use consultation::reconcile::{Adopt, Finding, Handling, reconcile};
use entity::consultation::{ActiveModel, Entity as Consultations, Origin};
use rstest::rstest;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    EntityTrait,
};
use serde_json::json;
use testkit::{Backend, TestDatabase};
use uuid::Uuid;

use crate::{
    outbox::{outbox, rows},
    reconcile::{finance, last_page, payments},
};

const RECORDED_AT: &str = "2026-11-27T12:00:00.000Z";

/// A consultation that started after finance recorded its payment, by clocks that differ.
async fn insert(db: &TestDatabase, cancel_reason: Option<&str>) -> Uuid {
    let (id, now) = (clock::new_id(), clock::now());
    let row = ActiveModel {
        id: Set(id),
        physician_id: Set(Uuid::new_v4()),
        patient_id: Set(Uuid::new_v4()),
        start_date: Set(now),
        end_date: Set(cancel_reason.map(|_| now + chrono::TimeDelta::seconds(1))),
        cancel_reason: cancel_reason.map_or(NotSet, |reason| Set(Some(reason.to_owned()))),
        ..Default::default()
    };
    row.insert(&db.database.write).await.expect("inserted");
    id
}

/// The codes of the lines of a comparison by consultation, and the number of differences.
async fn compare(db: &TestDatabase, ids: [Uuid; 3], adopt: Adopt) -> (BTreeMap<Uuid, String>, u64) {
    let recorded =
        ids.map(|id| json!({ "id": id, "appointmentId": id, "totalPrice": "7.00", "recordedAt": RECORDED_AT }));
    let finance = finance(move |_| {
        let recorded = recorded.clone();
        async move { payments(&recorded, &last_page()) }
    });
    let mut lines = BTreeMap::new();
    let report = |finding: Finding| {
        let line = finding.to_string();
        let id = ids.into_iter().find(|id| line.contains(&id.to_string())).expect("one of them");
        lines.insert(id, line.split(' ').next().unwrap_or_default().to_owned());
        Ok(())
    };
    let mut handling = Handling { adopt, ..Handling::default() };
    let compared = reconcile(&db.database, &finance.await, &mut handling, report).await.expect("compared");
    (lines, compared.differences)
}

#[rstest]
#[tokio::test]
async fn what_would_be_adopted_is_a_difference_and_nothing_is_written(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 0).await else { return };
    let lost = Uuid::new_v4();
    let (open, cancelled) = (insert(&db, None).await, insert(&db, Some("a mistake")).await);
    let stored = async || Consultations::find().all(&db.database.read).await.expect("rows");
    let before = stored().await;
    let planned = compare(&db, [lost, open, cancelled], Adopt::WouldAdopt).await;
    let codes = [(lost, "WOULD_ADOPT"), (open, "WOULD_FINISH"), (cancelled, "PAYMENT_WITHOUT_CONSULTATION")];
    assert_eq!(planned, (codes.map(|(id, code)| (id, code.to_owned())).into(), 3));
    assert_eq!((stored().await, rows(&db).await), (before, Vec::new()));
}

#[rstest]
#[tokio::test]
async fn what_was_lost_is_adopted_once_and_what_was_cancelled_never(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 0).await else { return };
    let lost = Uuid::new_v4();
    let (open, cancelled) = (insert(&db, None).await, insert(&db, Some("a mistake")).await);
    let ids = [lost, open, cancelled];
    let adopt = async || compare(&db, ids, Adopt::All).await.0;
    let (one, other) = tokio::join!(adopt(), adopt());
    let codes = |id| {
        let mut codes = [&one, &other].map(|lines| lines.get(&id).map_or("", String::as_str));
        codes.sort_unstable();
        codes
    };
    let stranger = "PAYMENT_WITHOUT_CONSULTATION";
    for (id, code) in [(lost, "ADOPTED"), (open, "FINISHED")] {
        assert_eq!(codes(id), ["", code], "by one of them");
    }
    assert_eq!(codes(cancelled), [stranger, stranger]);
    assert_eq!(adopt().await, BTreeMap::from([(cancelled, stranger.to_owned())]));

    let stored = Consultations::find().all(&db.database.read).await.expect("rows");
    let row = |id| stored.iter().find(|row| row.id == id).expect("a row");
    assert_eq!((row(lost).origin, row(lost).patient_id), (Some(Origin::Adopted), Uuid::nil()));
    assert_eq!(row(lost).end_date, Some(RECORDED_AT.parse().expect("a time")));
    assert_eq!(row(open).origin, None);
    assert_eq!(row(open).end_date, Some(row(open).start_date + chrono::TimeDelta::milliseconds(1)));
    assert!([lost, open].iter().all(|id| row(*id).price_cents.is_some_and(|price| price.to_string() == "7.00")));
    let pending = rows(&db).await;
    assert_eq!(pending.len(), 2);
    assert!(pending.iter().all(|row| row.finished && row.tries == 0));
}
