//! The audit log: a line for each read, refusal, login and operator's act, by every door, and in none a secret.

mod audited;
mod console;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Backend, Process, Socket};
use uuid::Uuid;

use audited::Audited;

const START: &str =
    "mutation ($patient: UUID!) { startConsultation(input: { physicianId: $patient, patientId: $patient }) {
    consultation { id } userErrors { __typename } } }";
const FINISH: &str = "mutation ($id: ID!) { finishConsultation(input: { consultationId: $id }) {
    consultation { id } userErrors { __typename } } }";
const RETRY: &str =
    "mutation ($id: ID!) { retryPendingPayment(input: { consultationId: $id }) { userErrors { __typename } } }";
const RECORD: &str = "mutation ($id: UUID!) { recordPayment(input: { appointmentId: $id, totalPrice: \"200.00\" }) {
    alreadyRecorded } }";

/// The line of an operation of a user who has the role of the same name.
fn operation(service: &str, user: &str, kind: &str, field: &str, ids: &[&str]) -> Value {
    json!({ "service": service, "event": "operation", "outcome": "permitted", "user": user, "roles": [user],
        "operation": kind, "fields": [field], "ids": ids, "count": ids.len() })
}

/// The line of a login of the same user.
fn login(service: &str, user: &str) -> Value {
    json!({ "service": service, "event": "login", "outcome": "permitted", "user": user, "roles": [user] })
}

#[rstest]
#[tokio::test]
async fn each_read_by_every_door_is_a_line_with_what_was_read(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = Audited::start(backend).await else { return };
    let patient = Uuid::new_v4().to_string();
    let clinician = service.consultation.as_user("clinician");
    let started = clinician.call(START, json!({ "patient": patient })).await;
    let id = started["startConsultation"]["consultation"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(service.take(), [login("consultation", "clinician")], "the row itself says who started");

    let reader = service.consultation.as_user("reader");
    let read = |kind, field| operation("consultation", "reader", kind, field, &[&id]);
    reader.call("query ($id: ID!) { consultation(id: $id) { price } }", json!({ "id": id })).await;
    assert_eq!(service.take(), [login("consultation", "reader"), read("query", "consultation")]);

    Answer::of(reader.request(Method::GET, "/graphql?query={consultations{edges{node{patientId}}}}")).await;
    let mut with_patient = read("query", "consultations");
    with_patient["sensitive"] = json!(["patientId"]);
    assert_eq!(service.take(), [with_patient.clone()]);

    let by_patient = "query ($p: UUID!) { consultations(filter: { patientId: $p }) { totalCount } }";
    reader.call(by_patient, json!({ "p": patient })).await;
    assert_eq!(service.take(), [with_patient], "the total alone tells too");

    let mut events =
        reader.events("subscription ($id: ID!) { consultationChanged(id: $id) { status } }", json!({ "id": id })).await;
    events.next().await.expect("the consultation as it is");
    assert_eq!(service.take(), [read("subscription", "consultationChanged")]);

    let mut socket = Socket::introduced_as(&service.consultation.base, "reader").await;
    socket.subscribe("a", "query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
    socket.next().await;
    assert_eq!(service.take(), [read("query", "node")]);

    clinician.call(START, json!({ "patient": patient })).await;
    let mut refusal = operation("consultation", "clinician", "mutation", "startConsultation", &[&id]);
    refusal["sensitive"] = json!(["patientId"]);
    assert_eq!(service.take(), [refusal], "the refusal shows the consultation");

    service.finance.as_user("finance").call(RECORD, json!({ "id": id })).await;
    service.finance.as_user("finance").call("{ payments { edges { node { id } } } }", json!({})).await;
    let read = operation("finance", "finance", "query", "payments", &[&id]);
    assert_eq!(service.take(), [login("finance", "finance"), read]);
    service.finance.as_user("finance").call(RECORD, json!({ "id": id })).await;
    assert_eq!(
        service.take(),
        [operation("finance", "finance", "mutation", "recordPayment", &[&id])],
        "it shows the first"
    );
}

#[rstest]
#[tokio::test]
async fn refusals_logins_and_acts_of_operators_are_lines(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = Audited::start(backend).await else { return };
    let clinician = service.consultation.as_user("clinician");
    let started = clinician.call(START, json!({ "patient": Uuid::new_v4() })).await;
    let id = started["startConsultation"]["consultation"]["id"].as_str().expect("an id").to_owned();
    clinician.call(FINISH, json!({ "id": id })).await;
    service.consultation.as_user("operator").call(RETRY, json!({ "id": id })).await;
    let retry = operation("consultation", "operator", "mutation", "retryPendingPayment", &[&id]);
    assert_eq!(service.take(), [login("consultation", "clinician"), login("consultation", "operator"), retry]);

    service.consultation.as_user("operator").call(RETRY, json!({ "id": Uuid::nil() })).await;
    let tried = Uuid::nil().to_string();
    assert_eq!(service.take(), [operation("consultation", "operator", "mutation", "retryPendingPayment", &[&tried])]);
    service
        .consultation
        .as_user("operator")
        .call("{ pendingPayments { edges { node { totalPrice } } } }", json!({}))
        .await;
    assert_eq!(service.take(), [operation("consultation", "operator", "query", "pendingPayments", &[&id])]);

    clinician.send("{ consultation(id: 1) { finishedBy } }", json!({})).await;
    let refused = json!({ "service": "consultation", "event": "operation", "outcome": "refused", "user": "clinician",
        "roles": ["clinician"], "operation": "query", "fields": ["consultation"], "sensitive": ["finishedBy"],
        "refused": "finishedBy", "needs": ["finance", "operator"] });
    assert_eq!(service.take(), [refused]);
    Answer::of(service.finance.as_user("reader").request(Method::POST, "/app/finance/record/").body("{}")).await;
    let refused = json!({ "service": "finance", "event": "operation", "outcome": "refused", "user": "reader",
        "roles": ["reader"], "refused": "recordPayment", "needs": ["finance", "service"] });
    assert_eq!(service.take(), [login("finance", "reader"), refused]);

    let guess = || service.finance.post().basic_auth("mallory\n{\"forged\"", Some("gu3ss"));
    for _ in 0..15 {
        Answer::of(guess()).await;
    }
    let failed = |outcome: &str| json!({ "service": "finance", "event": "login", "outcome": outcome, "user": "mallory {\"forged\"" });
    let mut expected = vec![failed("failed"); 10];
    expected.push(failed("refused"));
    expected[10]["reason"] = json!("throttled");
    assert_eq!(service.take(), expected, "a flood is one line");
    Answer::of(service.consultation.post().basic_auth("operator", Some("gu3ss"))).await;
    assert_eq!(
        service.take(),
        [json!({ "service": "consultation", "event": "login", "outcome": "failed",
        "user": "operator" })],
        "without the roles of that user"
    );
}

#[rstest]
#[tokio::test]
async fn no_line_has_a_patient_or_a_secret(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = Audited::start(backend).await else { return };
    let patient = Uuid::new_v4().to_string();
    service.consultation.as_user("clinician").call(START, json!({ "patient": patient })).await;
    let reader = service.consultation.as_user("reader");
    let list =
        format!("{{ consultations(filter: {{ patientId: \"{patient}\" }}) {{ edges {{ node {{ patientId }} }} }} }}");
    reader.call(&list, json!({})).await;
    reader.send(&list.replace("consultations", "pendingPayments"), json!({})).await;
    service.consultation.as_user("finance").send(&list, json!({})).await;
    Answer::of(service.consultation.post().basic_auth("reader", Some("gu3ss"))).await;
    let text = service.text();
    assert!(text.contains("patientId") && text.lines().count() >= 6, "{text}");
    for secret in [patient.as_str(), "teste123", "gu3ss", "Basic", "uthorization", "edges"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.lines().all(|line| line.contains("\"request_id\":\"") && line.contains("Z\"")), "{text}");
}

#[tokio::test]
async fn a_command_of_an_operator_is_a_line() {
    let Some(service) = Audited::start(Backend::Sqlite).await else { return };
    service.take();
    let finance = format!("{}/graphql", service.finance.base);
    let settings = [
        ("CONSULTATION_DATABASE_URL", service.db.url()),
        ("CONSULTATION_FINANCE_URL", finance),
        ("CONSULTATION_FINANCE_USERNAME", "service".to_owned()),
        ("AUDIT_LOG", "-".to_owned()),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let output = Process::command("consultation", &["accept-finance"], &settings).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.starts_with('{')).expect("a line beside the result");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(
        (&line["event"], &line["operation"], &line["outcome"]),
        (&json!("command"), &json!("accept-finance"), &json!("permitted"))
    );
    assert!(line["user"].as_str().is_some_and(|user| user.starts_with("uid ")) && line["count"] == 1, "{line}");
}

#[test]
fn a_service_does_not_start_without_its_audit_log() {
    let output = Process::command("finance", &["--audit-log", "/nowhere/audit.log"], &[]).output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("--audit-log: cannot append to /nowhere/audit.log"), "{error}");
}
