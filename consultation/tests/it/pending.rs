//! `consultation pending`, the program itself: states, pages, and lines that fit a terminal.

use std::{process::Output, time::Duration};

use consultation::outbox::store::{self, Due, now_plus};
use entity::pending_payment::{self, Column};
use rstest::rstest;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, UpdateMany};
use serde_json::{Value, json};
use testkit::{Backend, Process, TestDatabase};
use uuid::Uuid;

use crate::outbox::{LEASE, outbox};

/// Runs a subcommand on this database.
pub(crate) fn run(db: &TestDatabase, arguments: &[&str]) -> Output {
    Process::command("consultation", arguments, &[("CONSULTATION_DATABASE_URL", &db.url())]).output().expect("it runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("a text")
}

/// The rows in the order of their ids.
pub(crate) async fn in_order(db: &TestDatabase) -> Vec<pending_payment::Model> {
    pending_payment::Entity::find().order_by_asc(Column::Id).all(&db.database.read).await.expect("rows")
}

/// Changes these rows, as finance's refusals do.
pub(crate) async fn park(db: &TestDatabase, ids: impl IntoIterator<Item = Uuid>, error: &str) {
    let database = &db.database.write;
    let parked = now_plus(database.get_database_backend(), Duration::ZERO);
    let later = now_plus(database.get_database_backend(), Duration::from_mins(40));
    let set: UpdateMany<_> = pending_payment::Entity::update_many()
        .col_expr(Column::ParkedAt, parked)
        .col_expr(Column::NextAttemptAt, later)
        .col_expr(Column::Rejections, 5.into())
        .col_expr(Column::LastError, error.into());
    set.filter(Column::Id.is_in(ids)).exec(database).await.expect("parked");
}

#[rstest]
#[tokio::test]
async fn undelivered_payments_are_lines_of_100_columns_oldest_first(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 4).await else { return };
    let rows = in_order(&db).await;
    let leases = store::claim(&db.database.write, Due::All, 4, LEASE).await.expect("a claim");
    let of = |row: usize| leases.iter().find(|lease| lease.id == rows[row].id).expect("its lease");
    store::confirm(&db.database.write, &[of(0)]).await.expect("confirmed");
    store::release(&db.database.write, &[of(2), of(3)]).await.expect("released");
    let hostile = format!("PAYMENT_CONFLICT: \u{1b}[2J\u{202e}{}", "ç".repeat(400));
    park(&db, [rows[2].id], &hostile).await;

    let output = run(&db, &["pending"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let table = text(&output.stdout);
    let [header, sending, parked, due] = table.lines().collect::<Vec<_>>()[..] else { panic!("{table}") };
    assert!(header.starts_with("CONSULTATION  ") && header.ends_with("NEXT LAST ERROR"), "{header}");
    for (line, row, state) in [(sending, 1, "processing"), (parked, 2, "parked"), (due, 3, "pending")] {
        let start = format!("{} {state:10} 999999999.99 ", rows[row].appointment_id);
        assert!(line.starts_with(&start), "{line}");
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(sending.contains("    1 ") && sending.ends_with("    -"), "{sending}");
    assert!(due.ends_with("  now"), "{due}");
    assert!(parked.contains("  39m PAYMENT_CONFLICT: ") && parked.ends_with('…'), "{parked}");
    assert!(!table.contains(['\u{1b}', '\u{202e}']), "{table}");

    for (state, row) in [("processing", 1), ("parked", 2), ("pending", 3)] {
        let output = run(&db, &["pending", "--state", state, "--json"]);
        let line: Value = text(&output.stdout).parse().expect("one object");
        assert_eq!(line["status"], state.to_uppercase());
        assert_eq!(line["consultationId"], json!(rows[row].appointment_id));
    }
    assert_eq!(run(&db, &["pending", "--state", "finished"]).status.code(), Some(2));
}

#[rstest]
#[tokio::test]
async fn a_line_of_json_has_the_fields_of_the_api_and_no_patient(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = outbox(backend, 1).await else { return };
    let empty = run(&db, &["pending", "--state", "parked", "--json"]);
    assert_eq!((text(&empty.stdout), text(&empty.stderr)), (String::new(), "no payment is parked\n".to_owned()));
    park(&db, in_order(&db).await.iter().map(|row| row.id), "a\u{1b}b").await;
    let row = in_order(&db).await.remove(0);
    let mut line: Value = text(&run(&db, &["pending", "--json"]).stdout).parse().expect("one object");
    let age = line.as_object_mut().expect("an object").remove("ageSeconds");
    assert!(age.and_then(|age| age.as_i64()).is_some_and(|age| (0..600).contains(&age)));
    let time = |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let expected = json!({
        "consultationId": row.appointment_id, "status": "PARKED", "totalPrice": "999999999.99", "tries": 0,
        "createdAt": time(row.created_at), "nextAttemptAt": time(row.next_attempt_at), "lastError": "a\u{1b}b",
        "retriedBy": null,
    });
    assert_eq!(line, expected);
}

#[rstest]
#[tokio::test]
async fn every_page_is_listed_up_to_the_limit(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = outbox(backend, 2_005).await else { return };
    let expected: Vec<_> = in_order(&db).await.iter().map(|row| json!(row.appointment_id)).collect();
    for (limit, count, rest) in [
        ("1000", 1_000, "more payments are pending; --limit prints more\n"),
        ("2005", 2_005, ""),
        ("1000000", 2_005, ""),
    ] {
        let output = run(&db, &["pending", "--json", "--limit", limit]);
        let ids = text(&output.stdout);
        let ids: Vec<Value> = ids
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("an object")["consultationId"].take())
            .collect();
        assert_eq!((ids.as_slice(), text(&output.stderr).as_str()), (&expected[..count], rest));
    }
}
