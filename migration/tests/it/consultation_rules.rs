//! `consultation`: constraints that the database enforces for every writer.

use entity::{Money, consultation, consultation::Origin};
use rstest::rstest;
use sea_orm::{ConnectionTrait, EntityTrait, prelude::Uuid};
use testkit::Backend;

use crate::rows::{at, breaks_a_check, finished, in_progress, insert, is_duplicate, migrated, money};

#[rstest]
#[tokio::test]
async fn consultations_are_read_as_they_were_written(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    let most = consultation::Model { price_cents: Some(Money::MAX), ..finished() };
    let free = consultation::Model { price_cents: Some(Money::ZERO), ..finished() };
    let to_the_millisecond = consultation::Model { start_date: at("12:00:00.001"), ..in_progress() };
    for row in [in_progress(), finished(), most, free, to_the_millisecond] {
        insert(&db.database, row.clone()).await.expect("inserted");
        let read = consultation::Entity::find_by_id(row.id).one(&db.database.read).await.expect("a row");
        assert_eq!(read, Some(row));
    }
}

#[rstest]
#[tokio::test]
async fn a_patient_has_one_consultation_in_progress_and_any_number_of_finished_ones(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = migrated(backend).await else { return };
    let patient_id = Uuid::new_v4();
    for _ in 0..2 {
        insert(&db.database, consultation::Model { patient_id, ..finished() }).await.expect("a finished one is fine");
    }
    insert(&db.database, consultation::Model { patient_id, ..in_progress() }).await.expect("the first is fine");
    let second = insert(&db.database, consultation::Model { patient_id, ..in_progress() }).await;
    assert!(is_duplicate(&second), "{second:?}");
    insert(&db.database, consultation::Model { patient_id, ..finished() }).await.expect("a finished one is fine");
    insert(&db.database, in_progress()).await.expect("another patient is fine");
}

#[rstest]
#[tokio::test]
async fn a_physician_has_any_number_of_consultations_in_progress(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = migrated(backend).await else { return };
    let physician_id = Uuid::new_v4();
    for _ in 0..3 {
        insert(&db.database, consultation::Model { physician_id, ..in_progress() }).await.expect("fine");
    }
}

#[rstest]
#[tokio::test]
async fn a_consultation_ends_later_than_it_starts(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    // SQLite compares times as text, with or without a fraction.
    let (later, not_later) = (
        [("12:00:00", "12:00:00.001"), ("11:59:59.999", "12:00:00"), ("12:00:00.009", "12:00:00.010")],
        [("12:00:00", "12:00:00"), ("12:00:00.001", "12:00:00"), ("12:00:00", "11:59:59.999")],
    );
    let lasting = |(start, end)| consultation::Model { start_date: at(start), end_date: Some(at(end)), ..finished() };
    for times in later {
        insert(&db.database, lasting(times)).await.unwrap_or_else(|error| panic!("{times:?}: {error}"));
    }
    for times in not_later {
        let refused = insert(&db.database, lasting(times)).await;
        assert!(breaks_a_check(&refused), "{times:?}: {refused:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_consultation_has_a_price_when_it_has_an_end(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    let price_without_end = consultation::Model { end_date: None, ..finished() };
    let end_without_price = consultation::Model { price_cents: None, ..finished() };
    for row in [price_without_end, end_without_price] {
        let refused = insert(&db.database, row).await;
        assert!(breaks_a_check(&refused), "{refused:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_price_is_money(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    for cents in [-1, i64::MIN, Money::MAX.cents() + 1] {
        let refused = insert(&db.database, consultation::Model { price_cents: Some(money(cents)), ..finished() }).await;
        assert!(breaks_a_check(&refused), "{cents}: {refused:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_cancelled_consultation_has_an_end_and_a_reason_and_no_price(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = migrated(backend).await else { return };
    let reason = || Some("started by mistake".to_owned());
    let ana = || Some("ana".to_owned());
    let cancelled = || consultation::Model { price_cents: None, cancel_reason: reason(), ..finished() };
    insert(&db.database, consultation::Model { cancelled_by: ana(), ..cancelled() }).await.expect("inserted");
    let wrong = [
        consultation::Model { cancel_reason: reason(), ..in_progress() },
        consultation::Model { cancel_reason: reason(), ..finished() },
        consultation::Model { cancelled_by: ana(), ..finished() },
        consultation::Model { finished_by: ana(), ..cancelled() },
    ];
    for row in wrong {
        let refused = insert(&db.database, row.clone()).await;
        assert!(breaks_a_check(&refused), "{row:?}: {refused:?}");
    }
}

#[rstest]
#[case::taken_back(
    "UPDATE consultation SET price_cents = 1, cancel_reason = NULL, cancelled_by = NULL WHERE price_cents IS NULL"
)]
#[case::put_in_its_place(
    "UPDATE consultation SET price_cents = NULL, cancel_reason = '-' WHERE price_cents IS NOT NULL"
)]
#[case::of_another("UPDATE consultation SET cancelled_by = 'bruno' WHERE price_cents IS NULL")]
#[tokio::test]
async fn a_cancellation_and_a_finish_stay(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] statement: &str,
) {
    let Some(db) = migrated(backend).await else { return };
    let cancel_reason = Some("started by mistake".to_owned());
    let cancelled = consultation::Model { price_cents: None, cancel_reason, ..finished() };
    for row in [cancelled, finished()] {
        insert(&db.database, row).await.expect("inserted");
    }
    let refused = db.database.write.execute_unprepared(statement).await.expect_err("refused").to_string();
    assert!(refused.contains("a cancellation is not taken back"), "{refused}");
}

#[rstest]
#[tokio::test]
async fn the_origin_of_a_consultation_stays(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = migrated(backend).await else { return };
    let adopted = consultation::Model { origin: Some(Origin::Adopted), ..finished() };
    insert(&db.database, adopted).await.expect("inserted");
    for statement in ["UPDATE consultation SET origin = NULL", "UPDATE consultation SET origin = 'IMPORTED'"] {
        let refused = db.database.write.execute_unprepared(statement).await.expect_err("refused").to_string();
        assert!(refused.contains("does not change"), "{refused}");
    }
}
