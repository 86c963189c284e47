//! Lists: 45 payments, page by page, forward and backward.

use entity::payment;
use rstest::rstest;
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};
use testkit::Backend;
use uuid::Uuid;

use crate::{
    history::{noon_and, recorded_at},
    running::{Running, running},
};

const PAGE: &str = "query ($filter: PaymentFilter, $orderBy: PaymentOrder,
        $first: Int, $after: String, $last: Int, $before: String) {
    payments(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { id } }
        pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } }";

/// One page: its ids, page info and total.
struct Page {
    ids: Vec<String>,
    cursors: Vec<String>,
    has_previous: bool,
    has_next: bool,
}

async fn page(service: &Running, arguments: Value) -> Page {
    let list = service.client().call(PAGE, arguments).await["payments"].take();
    let edges = list["edges"].as_array().expect("edges");
    let texts = |pointer: &str| -> Vec<String> {
        edges.iter().map(|edge| edge.pointer(pointer).and_then(Value::as_str).expect("a text").to_owned()).collect()
    };
    let cursors = texts("/cursor");
    let info = &list["pageInfo"];
    assert_eq!(
        (info["startCursor"].as_str(), info["endCursor"].as_str()),
        (cursors.first().map(String::as_str), cursors.last().map(String::as_str))
    );
    let flag = |name: &str| info[name].as_bool().expect("a flag");
    Page { ids: texts("/node/id"), cursors, has_previous: flag("hasPreviousPage"), has_next: flag("hasNextPage") }
}

/// 45 payments, three in each millisecond, stored out of order; their ids in the order of the list.
async fn with_45_payments(backend: Backend) -> Option<(Running, Vec<String>)> {
    let service = running(backend).await?;
    for number in 0..45 {
        recorded_at(&service.db, noon_and(number * 7 % 15)).await;
    }
    let mut stored = service.stored().await;
    stored.sort_by_key(|payment| (payment.recorded_at, payment.id));
    Some((service, stored.iter().map(|payment| payment.id.to_string()).collect()))
}

#[rstest]
#[tokio::test]
async fn pages_forward_give_every_payment_once_in_the_order_of_recording(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((service, all)) = with_45_payments(backend).await else { return };
    let (mut read, mut after, mut shapes) = (Vec::new(), None, Vec::new());
    loop {
        let mut page = page(&service, json!({ "first": 20, "after": after })).await;
        shapes.push((page.ids.len(), page.has_previous, page.has_next));
        read.append(&mut page.ids);
        after = page.cursors.pop();
        if !page.has_next {
            break;
        }
    }
    assert_eq!(shapes, [(20, false, true), (20, true, true), (5, true, false)]);
    assert_eq!(read, all);
    let end = page(&service, json!({ "first": 20, "after": after })).await;
    assert_eq!((end.ids.len(), end.has_previous, end.has_next), (0, true, false), "behind the last there is nothing");
}

#[rstest]
#[tokio::test]
async fn pages_backward_give_every_payment_once_in_the_same_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some((service, all)) = with_45_payments(backend).await else { return };
    let (mut read, mut before, mut shapes) = (Vec::new(), None, Vec::new());
    loop {
        let page = page(&service, json!({ "last": 20, "before": before })).await;
        shapes.push((page.ids.len(), page.has_previous, page.has_next));
        read.splice(0..0, page.ids);
        before = page.cursors.into_iter().next();
        if !page.has_previous {
            break;
        }
    }
    assert_eq!(shapes, [(20, true, false), (20, true, true), (5, false, true)]);
    assert_eq!(read, all);
}

#[rstest]
#[tokio::test]
async fn newest_first_is_the_same_list_from_its_end(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((service, mut all)) = with_45_payments(backend).await else { return };
    all.reverse();
    let newest_first = json!({ "field": "RECORDED_AT", "direction": "DESC" });
    let first = page(&service, json!({ "orderBy": newest_first, "first": 40 })).await;
    assert_eq!((first.ids.as_slice(), first.has_next), (&all[..40], true));
    let rest = json!({ "orderBy": newest_first, "first": 40, "after": first.cursors[39] });
    assert_eq!(page(&service, rest).await.ids, all[40..]);
    let back = json!({ "orderBy": newest_first, "last": 20, "before": first.cursors[39] });
    assert_eq!(page(&service, back).await.ids, all[19..39]);
    let other_order = json!({ "first": 1, "after": first.cursors[39] });
    let (code, message) = service.client().error(PAGE, other_order).await;
    assert_eq!(code, "BAD_USER_INPUT");
    assert_eq!(message, "after: want a cursor of payments by RECORDED_AT ASC; this one is of another order");
}

#[rstest]
#[tokio::test]
async fn imported_payments_are_in_the_order_of_their_times_whatever_their_ids(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(service) = running(backend).await else { return };
    let mut wanted = Vec::new();
    for number in 0..9 {
        // A whole second, which SQLite's drivers write without a fraction, and others.
        let row = payment::ActiveModel {
            id: Set(Uuid::new_v4()),
            appointment_id: Set(Uuid::new_v4()),
            total_price_cents: Set(entity::Money::MAX),
            recorded_at: Set(noon_and(number / 3 * 500 - 123)),
            recorded_by: Set(None),
        };
        let row = row.insert(&service.db.database.write).await.expect("inserted");
        wanted.push((row.recorded_at, row.id));
    }
    wanted.sort_unstable();
    let wanted: Vec<_> = wanted.into_iter().map(|(_, id)| id.to_string()).collect();
    let (mut read, mut after) = (Vec::new(), None);
    for _ in 0..9 {
        let mut page = page(&service, json!({ "first": 1, "after": after })).await;
        read.append(&mut page.ids);
        after = page.cursors.pop();
    }
    assert_eq!(read, wanted);
}

#[rstest]
#[tokio::test]
async fn a_page_is_as_long_as_asked_for(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((service, all)) = with_45_payments(backend).await else { return };
    let by_default = page(&service, json!({})).await;
    assert_eq!((by_default.ids.as_slice(), by_default.has_next), (&all[..20], true));
    for (size, has_next) in [(1, true), (44, true), (45, false), (46, false), (100, false)] {
        let forward = page(&service, json!({ "first": size })).await;
        assert_eq!((forward.ids.len(), forward.has_next), (size.min(45), has_next), "first {size}");
        let backward = page(&service, json!({ "last": size })).await;
        assert_eq!((backward.ids.len(), backward.has_previous), (size.min(45), has_next), "last {size}");
    }
    let cursors = page(&service, json!({ "first": 45 })).await.cursors;
    let between = json!({ "first": 20, "after": cursors[9], "before": cursors[15] });
    assert_eq!(page(&service, between).await.ids, all[10..15], "between two cursors");
}

#[rstest]
#[tokio::test]
async fn a_filtered_list_has_pages_of_its_own(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((service, all)) = with_45_payments(backend).await else { return };
    // The first five milliseconds, with three payments each.
    let filter = json!({ "recordedBefore": noon_and(5).to_rfc3339() });
    let first = page(&service, json!({ "filter": filter, "first": 10 })).await;
    assert_eq!((first.ids.as_slice(), first.has_next), (&all[..10], true));
    let rest = page(&service, json!({ "filter": filter, "first": 10, "after": first.cursors[9] })).await;
    assert_eq!((rest.ids.as_slice(), rest.has_next), (&all[10..15], false));
}

#[rstest]
#[tokio::test]
async fn a_page_that_makes_no_sense_is_refused_by_name(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(service) = running(backend).await else { return };
    let refused = [
        (json!({ "first": 0 }), "first"),
        (json!({ "first": 101 }), "first"),
        (json!({ "last": -1 }), "last"),
        (json!({ "last": 101 }), "last"),
        (json!({ "first": 1, "last": 1 }), "first, last"),
        (json!({ "after": "nonsense" }), "after"),
        (json!({ "last": 1, "before": "" }), "before"),
    ];
    for (arguments, name) in refused {
        let (code, message) = service.client().error(PAGE, arguments).await;
        assert_eq!(code, "BAD_USER_INPUT", "{message}");
        assert!(message.starts_with(&format!("{name}: ")), "{message}");
    }
}
