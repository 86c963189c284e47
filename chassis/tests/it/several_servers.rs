//! Several servers in a database URL: the primary among them is found, and found again.

use std::net::TcpListener;

use chassis::database::{Database, is_unavailable};
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use testkit::OwnServer;
use tokio::time::{Duration, Instant};

/// Below the 3 s for which connecting is retried.
const FOUND_WITHIN: Duration = Duration::from_millis(2_500);

fn url(addresses: &[&str]) -> String {
    format!("postgres://postgres@{}/postgres?target_session_attrs=read-write", addresses.join(","))
}

async fn port_of(database: &Database) -> Result<String, DbErr> {
    let port = Statement::from_string(DbBackend::Postgres, "SELECT current_setting('port')");
    let row = database.write.query_one_raw(port).await?;
    Ok(format!("127.0.0.1:{}", row.expect("a row").try_get_by_index::<String>(0)?))
}

/// What is wrong with the first server.
enum First {
    IsDown,
    DoesNotAnswer,
    IsReadOnly,
    IsNoPostgres,
}

#[rstest]
#[case::down(First::IsDown)]
#[case::silent(First::DoesNotAnswer)]
#[case::read_only(First::IsReadOnly)]
#[case::a_proxy_without_a_server(First::IsNoPostgres)]
#[tokio::test]
async fn the_primary_is_found_behind_a_server_that_is_not(#[case] first: First) {
    let Some(primary) = OwnServer::start() else { return };
    let standby = OwnServer::start().expect("as the first");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = match first {
        First::IsDown => "127.0.0.1:9".to_owned(),
        First::DoesNotAnswer => listener.local_addr().expect("bound").to_string(),
        First::IsReadOnly => {
            standby.set_writable(false);
            standby.address()
        }
        First::IsNoPostgres => {
            let address = listener.local_addr().expect("bound").to_string();
            // As HAProxy without a live server.
            std::thread::spawn(move || listener.incoming().for_each(drop));
            address
        }
    };
    let database = Database::connect(&url(&[&address, &primary.address()]).into()).await.expect("a URL");
    let began = Instant::now();
    assert_eq!(port_of(&database).await.expect("found"), primary.address());
    assert!(began.elapsed() < FOUND_WITHIN, "{:?}", began.elapsed());
}

#[tokio::test]
async fn after_a_failover_the_next_write_goes_to_the_new_primary() {
    let Some(one) = OwnServer::start() else { return };
    let two = OwnServer::start().expect("as the first");
    two.set_writable(false);
    let database = Database::connect(&url(&[&one.address(), &two.address()]).into()).await.expect("a URL");
    assert_eq!(port_of(&database).await.expect("found"), one.address());
    for (old, new) in [(&one, &two), (&two, &one)] {
        new.set_writable(true);
        old.set_writable(false);
        // The connection ended with the server's role; a client would be told to try again.
        if let Err(error) = port_of(&database).await {
            assert!(is_unavailable(&error), "{error}");
        }
        assert_eq!(port_of(&database).await.expect("found"), new.address());
    }
}

#[tokio::test]
async fn without_a_primary_the_error_names_what_is_wrong_with_each() {
    let Some(standby) = OwnServer::start() else { return };
    standby.set_writable(false);
    let database = Database::connect(&url(&["127.0.0.1:9", &standby.address()]).into()).await.expect("a URL");
    let error = port_of(&database).await.expect_err("no primary");
    assert!(is_unavailable(&error), "{error}");
    let text = error.to_string();
    assert!(text.contains("127.0.0.1:9: "), "{text}");
    assert!(text.contains(&format!("{}: read-only", standby.address())), "{text}");
}

#[rstest]
#[case::no_host_after_a_comma("postgres://u:hunter2@one,/store", "comma")]
#[case::a_port_that_is_no_number("postgres://u:hunter2@one:1,two:x/store", "port")]
#[case::only_reads("postgres://u:hunter2@one,two/store?target_session_attrs=prefer-standby", "read-write and primary")]
#[tokio::test]
async fn a_url_that_cannot_be_meant_is_refused(#[case] url: &str, #[case] says: &str) {
    let error = Database::connect(&url.into()).await.expect_err("refused").to_string();
    assert!(error.contains(says) && !error.contains("hunter2"), "{error}");
}
