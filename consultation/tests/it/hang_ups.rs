//! Clients that hang up before the response: their request is done whole or not at all, and no connection to the
//! database is left in a transaction.

use futures_util::future::join_all;
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use testkit::Backend;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::running::{FINISH, running};

/// More than connections in a pool.
const CLIENTS: usize = 60;

/// Asks to finish a consultation, and hangs up.
async fn finish_and_hang_up(base: &str, id: &str) {
    let address = base.trim_start_matches("http://");
    let body = json!({ "query": FINISH, "variables": { "id": id } }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic YWRtaW46dGVzdGUxMjM=\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(request.as_bytes()).await.expect("sent");
}

#[rstest]
#[tokio::test]
async fn clients_that_hang_up_poison_no_connection(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let started = join_all((0..CLIENTS).map(|_| service.started())).await;
    join_all(started.iter().map(|(id, _)| finish_and_hang_up(&service.client().base, id))).await;

    for answer in join_all(started.iter().map(|(id, _)| service.finish(id, None))).await {
        let code = answer["userErrors"][0]["code"].as_str();
        assert!(matches!(code, None | Some("CONSULTATION_ALREADY_FINISHED")), "{answer}");
    }
    assert_eq!(service.pending_payments().await.len(), CLIENTS);
    if backend == Backend::Postgres {
        let stuck = "SELECT pid FROM pg_stat_activity
            WHERE datname = current_database() AND state LIKE 'idle in transaction%'
              AND state_change < clock_timestamp() - interval '1 s'";
        let stuck = service.db.database.read.query_all_raw(Statement::from_string(DbBackend::Postgres, stuck)).await;
        assert_eq!(stuck.expect("sessions").len(), 0);
    }
    assert_eq!(join_all((0..CLIENTS).map(|_| service.started())).await.len(), CLIENTS, "every connection works");
}
