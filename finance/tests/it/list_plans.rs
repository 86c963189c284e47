//! The cost of the list: each page is a range of an index, in its order, also in the middle of a history.

use chassis::database::paging;
use chrono::TimeDelta;
use entity::{
    Money,
    payment::{ActiveModel, Column, Entity as Payments},
};
use finance::lists::Conditions;
use graphql_http::connection::{Key, List, Page};
use migration::finance::Migrator;
use rstest::rstest;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use testkit::{Backend, TestDatabase, plan};
use uuid::Uuid;

use crate::history::noon_and;

/// Enough that a planner does not read the whole table because it is tiny.
const PAYMENTS: i64 = 2_000;

async fn history(backend: Backend) -> Option<TestDatabase> {
    let db = TestDatabase::empty(backend).await?;
    db.database.migrate::<Migrator>().await.expect("migrated");
    let rows = (0..PAYMENTS).map(|number| ActiveModel {
        id: Set(Uuid::new_v4()),
        appointment_id: Set(Uuid::new_v4()),
        total_price_cents: Set(Money::MAX),
        recorded_at: Set(noon_and(number)),
        recorded_by: Set(None),
    });
    let database = &db.database.write;
    Payments::insert_many(rows).exec(database).await.expect("inserted");
    database.execute_unprepared("ANALYZE").await.expect("analysed");
    Some(db)
}

fn within_a_second() -> Conditions {
    Conditions { recorded_from: Some(noon_and(500)), recorded_before: Some(noon_and(1_500)), ..Conditions::default() }
}

fn of_100_appointments() -> Conditions {
    Conditions { appointment_ids: Some((0..100).map(|_| Uuid::new_v4()).collect()), ..within_a_second() }
}

#[rstest]
#[case::all(Conditions::default(), ["payment_recorded"; 2], false)]
#[case::within_a_second(within_a_second(), ["payment_recorded"; 2], false)]
#[case::of_appointments(of_100_appointments(), ["payment_appointment_id_key", "sqlite_autoindex_payment_2"], true)]
#[tokio::test]
async fn each_list_of_payments_reads_a_range_of_its_index_in_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] conditions: Conditions,
    #[case] index: [&str; 2],
    #[case] sorts: bool,
) {
    let Some(db) = history(backend).await else { return };
    let database = &db.database.read;
    let backend = database.get_database_backend();
    let (rows, time, _) = conditions.rows(backend);
    for (descending, last) in [(false, None), (true, None), (false, Some(20))] {
        let ordered = List { field: "payments", ordered_by: "RECORDED_AT", descending };
        let middle = Key { time: noon_and(0) + TimeDelta::seconds(1), id: Uuid::nil() };
        for after in [None, Some(middle)] {
            let mut page = Page::new(ordered, None, None, last, None).expect("a page");
            page.after = after;
            let query = paging::select(&page, rows.clone(), (time.clone(), Column::Id), backend);
            let plan = plan(database, &query).await;
            assert!(index.iter().any(|index| plan.contains(index)), "{page:?}: {plan}");
            assert!(sorts || !(plan.contains("Sort") || plan.contains("TEMP B-TREE")), "{page:?}: {plan}");
        }
    }
}
