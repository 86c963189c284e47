//! Services with database roles that own nothing, as in the containers, work completely.

use std::time::Instant;

use secrecy::ExposeSecret;
use serde_json::json;
use testkit::{Backend, Process, TestDatabase, free_port};

use crate::{cluster::finish_one, delivery::TEST_TIMEOUT};

fn migrate(name: &str, settings: &[(&str, &str)]) {
    let migrated = Process::command(name, &["migrate"], settings).output().expect("it runs");
    assert!(migrated.status.success(), "{name} migrate: {}", String::from_utf8_lossy(&migrated.stderr));
}

#[tokio::test]
async fn services_whose_roles_own_no_table_charge_what_is_finished() {
    let Some(db) = TestDatabase::empty(Backend::Postgres).await else { return };
    db.make_roles().await;
    let url = |role: &str| db.url_of_role(role).expose_secret().to_owned();
    migrate("consultation", &[("CONSULTATION_DATABASE_URL", &url("consultation_owner"))]);
    migrate("finance", &[("FINANCE_DATABASE_URL", &url("finance_owner"))]);
    let (port, finance_port) = (free_port(), free_port());
    let (bind, finance_bind) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{finance_port}"));
    let (consultation_url, finance_url) = (url("consultation"), url("finance"));
    let finance_api = format!("http://{finance_bind}/graphql");
    let of_finance = [("FINANCE_BIND", finance_bind.as_str()), ("FINANCE_DATABASE_URL", &finance_url)];
    let settings = [
        ("CONSULTATION_BIND", bind.as_str()),
        ("CONSULTATION_DATABASE_URL", &consultation_url),
        ("CONSULTATION_FINANCE_URL", &finance_api),
        ("CONSULTATION_RETENTION", "1day"),
    ];
    let _finance = Process::start("finance", finance_port, &of_finance).await;
    let consultation = Process::start("consultation", port, &settings).await;

    for _ in 0..3 {
        finish_one(&consultation.client).await;
    }
    let deadline = Instant::now() + TEST_TIMEOUT;
    loop {
        let reconciled = Process::command("consultation", &["reconcile"], &settings).output().expect("it runs");
        let text = String::from_utf8_lossy(&reconciled.stdout).into_owned();
        if text == "3 finished consultations, 3 payments, 0 in transit, 0 differences\n" {
            break;
        }
        assert!(Instant::now() < deadline, "{text}{}", String::from_utf8_lossy(&reconciled.stderr));
    }
    let pending = consultation.client.call("{ pendingPayments { totalCount } }", json!({})).await;
    assert!(pending["pendingPayments"]["totalCount"].is_number(), "{pending}");
}
