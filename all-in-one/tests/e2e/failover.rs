//! The primary hangs, and its standby is promoted: the services find it by themselves.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Answer, GraphqlClient, OwnServer, Process, free_port};
use uuid::Uuid;

/// Longest time without an answer while the primary hangs.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// After the promotion: one attempt to connect, and one retry of the relay.
const WORKS_WITHIN: Duration = Duration::from_secs(10);

const START: &str = "mutation ($a: UUID!) { startConsultation(input: { physicianId: $a, patientId: $a }) {
    consultation { id } } }";
const FINISH: &str = "mutation ($id: UUID!) { finishConsultation(input: { consultationId: $id }) {
    consultation { price } userErrors { __typename } } }";
const PAYMENT: &str = "query ($id: UUID!) { payment(appointmentId: $id) { totalPrice } }";

/// Both services on the two servers.
async fn services(servers: &[&OwnServer]) -> (Process, Process) {
    let addresses: Vec<_> = servers.iter().map(|server| server.address()).collect();
    let url = format!("postgres://postgres@{}/postgres?target_session_attrs=read-write", addresses.join(","));
    let [(port, bind), (finance_port, finance_bind)] =
        [free_port(), free_port()].map(|p| (p, format!("127.0.0.1:{p}")));
    let finance_url = format!("http://{finance_bind}/graphql");
    let of_finance = [("FINANCE_BIND", finance_bind.as_str()), ("FINANCE_DATABASE_URL", &url)];
    let of_consultation = [
        ("CONSULTATION_BIND", bind.as_str()),
        ("CONSULTATION_DATABASE_URL", &url),
        ("CONSULTATION_FINANCE_URL", &finance_url),
    ];
    for (name, settings) in [("finance", &of_finance[..]), ("consultation", &of_consultation)] {
        assert!(Process::command(name, &["migrate"], settings).output().expect("it runs").status.success());
    }
    let finance = Process::start("finance", finance_port, &of_finance).await;
    (Process::start("consultation", port, &of_consultation).await, finance)
}

async fn start(client: &GraphqlClient) -> Value {
    let started = client.send(START, json!({ "a": Uuid::new_v4() })).await;
    started.body["data"]["startConsultation"]["consultation"]["id"].clone()
}

async fn finish(client: &GraphqlClient, id: &Value) -> Answer {
    client.send(FINISH, json!({ "id": id })).await
}

#[tokio::test]
async fn services_follow_a_promoted_standby_while_the_old_primary_hangs() {
    let Some(primary) = OwnServer::start() else { return };
    let standby = primary.start_standby();
    let (consultation, finance) = services(&[&primary, &standby]).await;
    let open = start(&consultation.client).await;
    let followed = "SELECT pg_current_wal_lsn() <= replay_lsn FROM pg_stat_replication";
    while primary.value(followed) != "t" {}

    let hanging = primary.hang();
    let began = Instant::now();
    let refused = finish(&consultation.client, &open).await;
    assert!(began.elapsed() < ANSWERED_WITHIN, "{:?}", began.elapsed());
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(refused.body["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{}", refused.body);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(Answer::of(consultation.client.get("/readyz")).await.status, 503);

    standby.promote();
    let began = Instant::now();
    while finish(&consultation.client, &open).await.body["data"]["finishConsultation"]["consultation"].is_null() {
        assert!(began.elapsed() < WORKS_WITHIN, "not after {:?}", began.elapsed());
    }
    while finance.client.send(PAYMENT, json!({ "id": open })).await.body["data"]["payment"].is_null() {
        assert!(began.elapsed() < WORKS_WITHIN, "no payment after {:?}", began.elapsed());
    }
    assert_eq!(standby.value("SELECT count(*) FROM payment"), "1");
    consultation.client.until_ready().await;
    for process in [consultation, finance] {
        process.kill().await;
    }
    drop(hanging);
}
