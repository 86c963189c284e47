//! Orders of lists: pages joined together are the whole list, in each order, forward and backward. Many rows have the same
//! time, and ids do not have the order of times.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{Money, consultation, pending_payment};
use rstest::rstest;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::{Value, json};
use testkit::{Backend, GraphqlClient};
use uuid::Uuid;

use crate::running::{Running, running};

const CONSULTATIONS: &str = "query ($filter: ConsultationFilter, $orderBy: ConsultationOrder,
        $first: Int, $after: String, $last: Int, $before: String) {
    list: consultations(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
        totalCount edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } } }";
const PENDING_PAYMENTS: &str = "query ($filter: PendingPaymentFilter, $orderBy: PendingPaymentOrder,
        $first: Int, $after: String, $last: Int, $before: String) {
    list: pendingPayments(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
        totalCount edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } } }";
const ROWS: i32 = 26;

fn noon() -> DateTime<Utc> {
    "2021-08-02T12:00:00Z".parse().expect("a time")
}

/// Four rows for each half of a second, with random ids; each third is in progress.
async fn with_rows(backend: Backend) -> Option<(Running, Vec<consultation::Model>)> {
    let service = running(backend).await?;
    let database = &service.db.database.write;
    let rows: Vec<_> = (0..ROWS)
        .map(|number| {
            let start = noon() + TimeDelta::milliseconds(i64::from(number / 4) * 500);
            let end = (number % 3 > 0).then(|| noon() + TimeDelta::milliseconds(9_500 - i64::from(number / 6) * 500));
            consultation::ActiveModel {
                id: Set(Uuid::new_v4()),
                physician_id: Set(Uuid::nil()),
                patient_id: Set(Uuid::new_v4()),
                start_date: Set(start),
                end_date: Set(end),
                price_cents: Set(end.map(|_| Money::MAX)),
                ..Default::default()
            }
        })
        .collect();
    consultation::Entity::insert_many(rows).exec(database).await.expect("inserted");
    if backend == Backend::Sqlite {
        // The driver writes a whole second without its fraction, the database's clock with it.
        for column in ["start_date", "end_date"] {
            let with_fraction = format!(
                "UPDATE consultation SET {column} = replace({column}, '+00:00', '.000+00:00')
                 WHERE length({column}) = 25 AND hex(id) < '8'"
            );
            database.execute_unprepared(&with_fraction).await.expect("written as by the database");
        }
    }
    let rows = consultation::Entity::find().all(database).await.expect("rows");
    Some((service, rows))
}

/// Reads all pages of `size` in one direction, and checks what each says about others.
async fn joined(client: &GraphqlClient, query: &str, list: &Value, size: i32, is_forward: bool) -> Vec<String> {
    let (mut read, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let mut variables = list.clone();
        let (length, start) = if is_forward { ("first", "after") } else { ("last", "before") };
        (variables[length], variables[start]) = (size.into(), cursor.take());
        let page = client.call(query, variables).await["list"].take();
        let edges = page["edges"].as_array().expect("edges");
        let ids = edges.iter().map(|edge| edge["node"]["id"].as_str().expect("an id").to_owned());
        let at = if is_forward { read.len() } else { 0 };
        read.splice(at..at, ids);
        let (next, end) = if is_forward { ("hasNextPage", edges.last()) } else { ("hasPreviousPage", edges.first()) };
        if page["pageInfo"][next] == false {
            assert_eq!(page["totalCount"], read.len(), "{list}");
            return read;
        }
        cursor = end.expect("a page before others has rows")["cursor"].clone();
    }
}

async fn assert_joins(client: &GraphqlClient, query: &str, list: Value, wanted: &[Uuid]) {
    let wanted: Vec<_> = wanted.iter().map(Uuid::to_string).collect();
    for size in [1, 3, 7, ROWS] {
        for is_forward in [true, false] {
            let read = joined(client, query, &list, size, is_forward).await;
            assert_eq!(read, wanted, "{list} in pages of {size}, forward: {is_forward}");
        }
    }
}

/// The ids of rows that have a key, in its order.
fn ordered<R>(rows: &[R], key: impl Fn(&R) -> Option<(DateTime<Utc>, Uuid)>, is_ascending: bool) -> Vec<Uuid> {
    let mut keys: Vec<_> = rows.iter().filter_map(key).collect();
    keys.sort_unstable();
    if !is_ascending {
        keys.reverse();
    }
    keys.into_iter().map(|(_, id)| id).collect()
}

#[rstest]
#[case::oldest_first("ASC")]
#[case::newest_first("DESC")]
#[tokio::test]
async fn pages_of_consultations_joined_are_the_whole_list_in_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] direction: &str,
) {
    let Some((service, rows)) = with_rows(backend).await else { return };
    let is_ascending = direction == "ASC";
    let by_start = ordered(&rows, |row| Some((row.start_date, row.id)), is_ascending);
    let by_end = ordered(&rows, |row| Some((row.end_date?, row.id)), is_ascending);
    let finished = ordered(&rows, |row| row.end_date.map(|_| (row.start_date, row.id)), is_ascending);
    let lists = [
        ("START_DATE", json!({}), &by_start),
        ("START_DATE", json!({ "physicianId": Uuid::nil() }), &by_start),
        ("START_DATE", json!({ "status": "FINISHED" }), &finished),
        ("END_DATE", json!({}), &by_end),
        ("END_DATE", json!({ "physicianId": Uuid::nil(), "status": "FINISHED" }), &by_end),
        ("END_DATE", json!({ "ids": by_start }), &by_end),
    ];
    for (field, filter, wanted) in lists {
        let list = json!({ "filter": filter, "orderBy": { "field": field, "direction": direction } });
        assert_joins(service.client(), CONSULTATIONS, list, wanted).await;
    }
}

#[rstest]
#[case::oldest_first("ASC")]
#[case::newest_first("DESC")]
#[tokio::test]
async fn pages_of_pending_payments_joined_are_the_whole_list_in_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] direction: &str,
) {
    let Some((service, rows)) = with_rows(backend).await else { return };
    let database = &service.db.database.write;
    let payments = rows.iter().filter_map(|row| {
        let end = row.end_date?;
        Some(pending_payment::ActiveModel {
            id: Set(Uuid::new_v4()),
            appointment_id: Set(row.id),
            total_price_cents: Set(Money::MAX),
            next_attempt_at: Set(end),
            created_at: Set(end),
            finished: Set(true),
            finished_at: Set(Some(end)),
            ..Default::default()
        })
    });
    pending_payment::Entity::insert_many(payments).exec(database).await.expect("inserted");
    let payments = pending_payment::Entity::find().all(database).await.expect("rows");
    let wanted = ordered(&payments, |row| Some((row.created_at, row.id)), direction == "ASC");
    let of: Vec<_> = payments.iter().map(|row| row.appointment_id).collect();
    for filter in [json!({}), json!({ "status": "FINISHED" }), json!({ "consultationIds": of })] {
        let list = json!({ "filter": filter, "orderBy": { "field": "CREATED_AT", "direction": direction } });
        assert_joins(service.client(), PENDING_PAYMENTS, list, &wanted).await;
    }
    let one = json!({ "filter": { "consultationIds": [payments[3].appointment_id, Uuid::new_v4()] } });
    assert_joins(service.client(), PENDING_PAYMENTS, one, &[payments[3].id]).await;
}

#[rstest]
#[tokio::test]
async fn a_period_begins_with_its_start_and_ends_before_its_end(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((service, rows)) = with_rows(backend).await else { return };
    let listed = async |from: &str, until: &str| {
        let list = json!({ "filter": { "startedFrom": from, "startedUntil": until } });
        joined(service.client(), CONSULTATIONS, &list, ROWS, true).await.len()
    };
    let between = |from: i64, until: i64| {
        let [from, until] = [from, until].map(|at| noon() + TimeDelta::milliseconds(at));
        rows.iter().filter(|row| from <= row.start_date && row.start_date < until).count()
    };
    assert_eq!(listed("2021-08-02T12:00:01Z", "2021-08-02T12:00:02Z").await, between(1_000, 2_000));
    assert_eq!(listed("2021-08-02T09:00:01", "2021-08-02T14:00:02+02:00").await, 8, "without an offset, in the clinic");
    assert_eq!(listed("2021-08-02T12:00:00.500Z", "2021-08-02T12:00:00.501Z").await, 4);
    assert_eq!(listed("2021-08-02T12:00:02Z", "2021-08-02T12:00:01Z").await, 0);
}

#[rstest]
#[case::no_order(json!({ "filter": { "status": "IN_PROGRESS" }, "orderBy": { "field": "END_DATE", "direction": "ASC" } }),
    "orderBy: consultations in progress have no end: order them by START_DATE")]
#[case::a_period(json!({ "filter": { "startedFrom": "2021-08-02T12:00:00Z" }, "orderBy": { "field": "END_DATE", "direction": "ASC" } }),
    "orderBy: a period of starts has no order by end: order it by START_DATE, or leave startedFrom and startedUntil out")]
#[case::too_many(json!({ "filter": { "ids": vec![Uuid::nil(); 101] } }), "filter.ids: want at most 100, not 101")]
#[case::no_id(json!({ "filter": { "ids": ["nonsense"] } }), "filter.ids: want a UUID")]
#[case::no_such_time(json!({ "filter": { "startedFrom": "2018-11-04T00:30:00" } }),
    "filter.startedFrom does not exist in America/Sao_Paulo")]
#[tokio::test]
async fn a_list_that_makes_no_sense_is_refused_by_name(#[case] list: Value, #[case] wanted: &str) {
    let Some(service) = running(Backend::Sqlite).await else { return };
    let (code, message) = service.client().error(CONSULTATIONS, list).await;
    assert_eq!(code, "BAD_USER_INPUT");
    assert!(message.starts_with(wanted), "{message}");
}
