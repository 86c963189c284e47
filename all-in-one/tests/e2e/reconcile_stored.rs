//! The result of `consultation reconcile` in the console of the running service.

use reqwest::Method;
use rstest::rstest;
use sea_orm::ConnectionTrait;
use secrecy::ExposeSecret;
use testkit::{Backend, Process};
use uuid::Uuid;

use crate::{
    cluster::Cluster,
    delivery::all_arrive,
    reconcile::{execute, lift_protection},
};

async fn console(cluster: &Cluster) -> String {
    let answer = cluster.consultation.client.request(Method::GET, "/console").send().await.expect("an answer");
    answer.text().await.expect("a text")
}

#[rstest]
#[tokio::test]
async fn the_console_shows_the_last_comparison(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    cluster.finish_one().await;
    all_arrive(&cluster, 1).await;
    assert!(console(&cluster).await.contains("None was stored"));
    assert_eq!(cluster.reconcile().1, Some(0));
    assert!(console(&cluster).await.contains("Both sides agree"));

    lift_protection(backend, cluster.finance_db()).await;
    execute(cluster.finance_db(), "DELETE FROM payment").await;
    assert_eq!(cluster.reconcile().1, Some(1));
    let page = console(&cluster).await;
    assert!(page.contains("Differences") && !page.contains("Both sides agree"), "the last one counts");
    assert!(page.contains("consultations 1, payments 0, in transit 0, of them late 0, differences 1"), "{page}");
}

#[tokio::test]
async fn a_user_that_may_only_read_compares_without_storing() {
    let Some(cluster) = Cluster::start(Backend::Postgres).await else { return };
    cluster.finish_one().await;
    all_arrive(&cluster, 1).await;
    let db = cluster.consultation_db();
    let reader = format!("reader_{}", Uuid::new_v4().simple());
    let role = format!(
        "CREATE ROLE {reader} LOGIN PASSWORD 'pg123'; GRANT USAGE ON SCHEMA public TO {reader};
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}"
    );
    db.database.write.execute_unprepared(&role).await.expect("a role");
    let (url, finance) = (db.url_of_role(&reader), format!("{}/graphql", cluster.finance_client().base));
    let settings = [("CONSULTATION_DATABASE_URL", url.expose_secret()), ("CONSULTATION_FINANCE_URL", &finance)];
    let output = Process::command("consultation", &["reconcile"], &settings).output().expect("it runs");
    let (code, output) = (output.status.code(), [output.stdout, output.stderr].concat());
    let output = String::from_utf8(output).expect("a text");
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("1 payments, 0 in transit, 0 differences"), "{output}");
    assert!(output.contains("the result is not stored, so the console does not show it: "), "{output}");
}
