//! Forgetting a patient: all consultations or none, each with a patient of its own, whatever happens meanwhile.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use chassis::database::Database;
use consultation::forget::{NotForgotten, forget};
use entity::consultation::{Entity as Consultations, Model as Consultation};
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryOrder, Statement};
use testkit::{Backend, GraphqlClient, TestDatabase};
use uuid::Uuid;

use crate::{
    cancel::cancel,
    export::consultations_of,
    outbox::rows,
    running::{finish, running, start},
};

/// More than two statements change.
const MANY: usize = 2_003;
const VISITS: usize = 40;

async fn stored(db: &TestDatabase) -> Vec<Consultation> {
    let all = Consultations::find().order_by_asc(entity::consultation::Column::Id);
    all.all(&db.database.read).await.expect("rows")
}

#[rstest]
#[tokio::test]
async fn each_consultation_gets_a_patient_of_its_own_and_nothing_else_changes(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let patient = Uuid::new_v4();
    let Some(db) = consultations_of(patient, MANY, backend).await else { return };
    let (before, pending) = (stored(&db).await, rows(&db).await);
    let unconfirmed = forget(&db.database, patient, false).await;
    assert!(matches!(unconfirmed, Err(NotForgotten::NotConfirmed(MANY))), "{unconfirmed:?}");
    assert_eq!(stored(&db).await, before);

    assert_eq!(forget(&db.database, patient, true).await.expect("forgotten"), MANY);
    let after = stored(&db).await;
    let patients: HashSet<_> = after.iter().map(|row| row.patient_id).collect();
    assert!(patients.len() == MANY + 1 && !patients.contains(&patient), "each is alone");
    assert!(after.iter().filter(|row| !before.contains(row)).all(|row| row.patient_id.get_version_num() == 4));
    let as_before = |(row, before): (Consultation, &Consultation)| match before.patient_id {
        id if id == patient => Consultation { patient_id: patient, ..row },
        _ => row,
    };
    assert_eq!(after.into_iter().zip(&before).map(as_before).collect::<Vec<_>>(), before);
    assert_eq!(rows(&db).await, pending);
    assert_eq!(forget(&db.database, patient, true).await.expect("nothing to do"), 0);
    assert_eq!(forget(&db.database, patient, false).await.expect("nothing to do"), 0);
}

#[tokio::test]
async fn statistics_of_postgres_name_a_forgotten_patient_until_vacuum_full_analyze() {
    let patient = Uuid::new_v4();
    let Some(db) = consultations_of(patient, MANY, Backend::Postgres).await else { return };
    let database = &db.database.write;
    let run = async |sql: &str| database.execute_unprepared(sql).await.expect("done");
    let named = format!(
        "SELECT 1 FROM pg_stats WHERE tablename = 'consultation'
         AND (most_common_vals::text LIKE '%{patient}%' OR histogram_bounds::text LIKE '%{patient}%')"
    );
    let named = async || {
        let found = database.query_all_raw(Statement::from_string(DbBackend::Postgres, &named)).await;
        found.expect("statistics").len()
    };
    // As autovacuum does.
    run("ANALYZE consultation").await;
    forget(&db.database, patient, true).await.expect("forgotten");
    assert_eq!(named().await, 1, "or the search finds nothing");
    run("VACUUM (FULL, ANALYZE) consultation, pending_payment, redelivery").await;
    assert_eq!(named().await, 0);
}

#[rstest]
#[tokio::test]
async fn two_that_forget_at_once_change_each_consultation_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let patient = Uuid::new_v4();
    let Some(db) = consultations_of(patient, MANY, backend).await else { return };
    let other = Database::connect(&db.url).await.expect("a connection");
    let both = tokio::join!(forget(&db.database, patient, true), forget(&other, patient, true));
    let mut counts = [both.0.expect("forgotten"), both.1.expect("forgotten")];
    counts.sort_unstable();
    assert_eq!(counts, [0, MANY]);
}

#[rstest]
#[tokio::test]
async fn a_patient_in_a_consultation_is_not_forgotten(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let patient = Uuid::new_v4();
    let visit = async || service.start(patient).await["consultation"]["id"].as_str().expect("started").to_owned();
    let first = visit().await;
    service.finish(&first, None).await;
    let open = visit().await;
    let before = stored(&service.db).await;
    for confirmed in [false, true] {
        let refused = forget(&service.db.database, patient, confirmed).await;
        assert!(matches!(&refused, Err(NotForgotten::InConsultation(id)) if id.to_string() == open), "{refused:?}");
    }
    assert_eq!(stored(&service.db).await, before);

    service.finish(&open, None).await;
    assert_eq!(forget(&service.db.database, patient, true).await.expect("forgotten"), 2);
    let again = service.start(patient).await;
    assert_eq!(again["consultation"]["patientId"], patient.to_string(), "the patient may come again");
}

#[rstest]
#[tokio::test]
async fn a_cancelled_consultation_is_forgotten_with_its_reason(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let (patient, other) = (Uuid::new_v4(), service.started().await.0);
    cancel(service.client(), &other, "a mistake").await;
    let of = async || service.start(patient).await["consultation"]["id"].as_str().expect("started").to_owned();
    let (cancelled, reason) = (of().await, format!("Maria, {patient}, was not there"));
    cancel(service.client(), &cancelled, &reason).await;
    service.finish(&of().await, None).await;
    let before = stored(&service.db).await;

    assert_eq!(forget(&service.db.database, patient, true).await.expect("forgotten"), 2);
    for (row, before) in stored(&service.db).await.into_iter().zip(before) {
        let is_theirs = before.patient_id == patient;
        assert_eq!(row.patient_id == before.patient_id, !is_theirs);
        let forgotten = before.cancel_reason.clone().filter(|_| is_theirs).map(|_| "forgotten".to_owned());
        let cancel_reason = forgotten.or(before.cancel_reason.clone());
        assert_eq!(row, Consultation { patient_id: row.patient_id, cancel_reason, ..before });
    }
}

/// Starts and finishes consultations of the patient, one after the other, and adds each finished one to `finished`.
async fn visit_often(client: GraphqlClient, patient: Uuid, finished: Arc<Mutex<Vec<String>>>) {
    for _ in 0..VISITS {
        let started = start(&client, patient).await;
        let id = started["consultation"]["id"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned();
        let ended = finish(&client, &id, None).await;
        assert!(ended["consultation"]["endDate"].is_string(), "{ended}");
        finished.lock().expect("no panic").push(id);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_patient_who_comes_and_goes_meanwhile_is_forgotten_or_came_after(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let patient = Uuid::new_v4();
    let finished = Arc::new(Mutex::new(Vec::new()));
    let beside = Database::connect(&service.db.url).await.expect("a connection");
    let client = GraphqlClient::new(service.client().base.clone());
    let visits = tokio::spawn(visit_often(client, patient, Arc::clone(&finished)));
    let mut forgotten = 0;
    while !visits.is_finished() {
        let finished_before = finished.lock().expect("no panic").clone();
        let outcome = forget(&beside, patient, true).await;
        let rows = stored(&service.db).await;
        let (open, ended): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.end_date.is_none());
        assert!(open.iter().all(|row| row.patient_id == patient), "whoever is in a consultation keeps the id");
        let left = ended.iter().filter(|row| row.patient_id == patient).map(|row| row.id.to_string());
        match outcome {
            Ok(count) => {
                forgotten += count;
                let left: Vec<_> = left.filter(|id| finished_before.contains(id)).collect();
                assert!(left.is_empty(), "finished before, and not forgotten: {left:?}");
            }
            Err(NotForgotten::InConsultation(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    visits.await.expect("all were acknowledged");
    forgotten += forget(&beside, patient, true).await.expect("forgotten");
    assert_eq!(forgotten, VISITS, "each once");
}
