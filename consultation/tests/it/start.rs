//! Starting consultations.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use testkit::Backend;
use uuid::Uuid;

use crate::running::{START, refusal, running, start, start_service};

#[rstest]
#[tokio::test]
async fn a_started_consultation_is_in_progress(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let people = json!({ "physician": "ea959b03-5577-45c9-b9f7-a45d3e77ce82", "patient": "86158d46-ce33-4e3d-a822-462bbff5782f" });
    let started = &service.client().call(START, people).await["startConsultation"];
    assert_eq!(started["userErrors"], json!([]));
    let consultation = &started["consultation"];
    assert_eq!(consultation["physicianId"], "ea959b03-5577-45c9-b9f7-a45d3e77ce82");
    assert_eq!(consultation["patientId"], "86158d46-ce33-4e3d-a822-462bbff5782f");
    assert_eq!(consultation["status"], "IN_PROGRESS");
    for open in ["endDate", "price", "pendingPayment"] {
        assert!(consultation[open].is_null(), "{open}");
    }
    let start_date = consultation["startDate"].as_str().expect("a date");
    assert!(start_date.ends_with('Z') && start_date.len() == "2021-08-02T12:00:00.000Z".len(), "{start_date}");
}

#[rstest]
#[tokio::test]
async fn a_patient_is_in_one_consultation_at_a_time(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let patient = Uuid::new_v4();
    let first = service.start(patient).await;
    let refused = service.start(patient).await;
    assert_eq!(refusal(&refused), "PATIENT_IN_CONSULTATION");
    assert_eq!(refused["userErrors"][0]["field"], json!(["input", "patientId"]));
    assert_eq!(refused["userErrors"][0]["consultation"]["id"], first["consultation"]["id"]);

    let id = first["consultation"]["id"].as_str().expect("an id");
    service.finish(id, None).await;
    assert_eq!(service.start(patient).await["userErrors"], json!([]), "the first is over");
}

#[rstest]
#[tokio::test]
async fn of_50_simultaneous_starts_for_one_patient_on_two_replicas_one_wins(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let replica = start_service(&service.db);
    let patient = Uuid::new_v4();
    let clients = (0..50).map(|number| if number % 2 == 0 { service.client() } else { &replica.client });
    let answers = join_all(clients.map(|client| start(client, patient))).await;

    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| !answer["consultation"].is_null());
    assert_eq!((won.len(), lost.len()), (1, 49));
    for answer in lost {
        assert_eq!(refusal(answer), "PATIENT_IN_CONSULTATION");
        assert_eq!(answer["userErrors"][0]["consultation"]["id"], won[0]["consultation"]["id"]);
    }
}

#[rstest]
#[tokio::test]
async fn starts_of_many_patients_share_commits_and_each_gets_its_own_answer(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let patients: Vec<_> = (0..200).map(|_| Uuid::new_v4()).collect();
    let answers = join_all(patients.iter().map(|patient| service.start(*patient))).await;
    for (patient, answer) in patients.iter().zip(&answers) {
        assert_eq!(answer["consultation"]["patientId"], patient.to_string());
    }
}

#[rstest]
#[case("not-an-id")]
#[case("")]
#[case("ea959b03-5577-45c9-b9f7-a45d3e77ce8")]
#[tokio::test]
async fn a_malformed_patient_id_is_refused_by_name(#[case] id: &str) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let (code, message) = service.client().error(START, json!({ "physician": Uuid::new_v4(), "patient": id })).await;
    assert_eq!(code, "GRAPHQL_VALIDATION_FAILED");
    assert!(message.contains("patientId"), "{message}");
}
