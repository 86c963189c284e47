//! The cost of lists: each page is a range of an index, in its order, also in the middle of a history.

use chassis::database::paging;
use chrono::TimeDelta;
use consultation::{
    lists::{By, Conditions, Progress, Unordered, pending_payments},
    outbox::State,
};
use entity::{consultation as consultations, pending_payment};
use graphql_http::connection::{Key, List, Page};
use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Select, sea_query::SimpleExpr};
use testkit::{Backend, TestDatabase, plan};
use uuid::Uuid;

use crate::list_history::{history, noon};

/// A physician and a patient of the history.
const SOMEBODY: Uuid = Uuid::from_u128(3);

/// The plans of the first page and of one in the middle, in both directions. Each reads one of these indexes, and sorts only
/// the few rows of a patient or of ids.
async fn assert_reads<E: EntityTrait>(
    db: &TestDatabase,
    rows: &Select<E>,
    order: (SimpleExpr, E::Column),
    indexes: &str,
    sorts: bool,
) {
    let database = db.database.begin().await.expect("a transaction");
    if !sorts && database.get_database_backend() == DbBackend::Postgres {
        // It would sort the few rows of this history.
        database.execute_unprepared("SET LOCAL enable_sort = off").await.expect("set");
    }
    for (descending, last) in [(false, None), (true, None), (false, Some(20))] {
        let ordered = List { field: "rows", ordered_by: "TIME", descending };
        for after in [None, Some(Key { time: noon() + TimeDelta::hours(16), id: Uuid::nil() })] {
            let mut page = Page::new(ordered, None, None, last, None).expect("a page");
            page.after = after;
            let query = paging::select(&page, rows.clone(), order.clone(), database.get_database_backend());
            let plan = plan(&database, &query).await;
            let reads = |index: &str| plan.contains(&format!("{index} ")) || plan.ends_with(index);
            assert!(indexes.split(' ').any(reads), "{indexes}, {page:?}: {plan}");
            let is_sorted = plan.contains("Sort") || plan.contains("TEMP B-TREE");
            assert!(sorts || !is_sorted, "{indexes}, {page:?}: {plan}");
            assert!(
                !plan.contains("Seq Scan") && !plan.lines().any(|line| line.ends_with("SCAN consultation")),
                "{plan}"
            );
        }
    }
    database.rollback().await.expect("ended");
}

fn all() -> Conditions {
    Conditions::default()
}

fn of(progress: Progress) -> Conditions {
    Conditions { progress: Some(progress), ..all() }
}

fn of_physician(progress: Option<Progress>) -> Conditions {
    Conditions { physician_id: Some(SOMEBODY), progress, ..all() }
}

fn of_patient(progress: Option<Progress>) -> Conditions {
    Conditions { patient_id: Some(SOMEBODY), physician_id: Some(SOMEBODY), progress, ..all() }
}

fn in_period(conditions: Conditions) -> Conditions {
    let from = noon() + TimeDelta::hours(8);
    Conditions { started_from: Some(from), started_until: Some(from + TimeDelta::hours(16)), ..conditions }
}

fn with_ids() -> Conditions {
    let ids = (0..100).map(|number| Uuid::from_u128((1 << 64) + number)).collect();
    Conditions { ids: Some(ids), ..in_period(of_physician(Some(Progress::Cancelled))) }
}

const PRIMARY_KEY: &str = "consultation_pkey sqlite_autoindex_consultation_1";

#[rstest]
#[case::all(all(), By::Start, "consultation_start", false)]
#[case::finished(of(Progress::Finished), By::Start, "consultation_start", false)]
#[case::in_progress(of(Progress::InProgress), By::Start, "consultation_open", false)]
#[case::cancelled(of(Progress::Cancelled), By::Start, "consultation_cancelled_start", false)]
#[case::in_period(in_period(all()), By::Start, "consultation_start", false)]
#[case::finished_in_period(in_period(of(Progress::Finished)), By::Start, "consultation_start", false)]
#[case::in_progress_in_period(in_period(of(Progress::InProgress)), By::Start, "consultation_open", false)]
#[case::cancelled_in_period(in_period(of(Progress::Cancelled)), By::Start, "consultation_cancelled_start", false)]
#[case::of_a_physician(of_physician(None), By::Start, "consultation_physician_start", false)]
#[case::finished_of_a_physician(
    of_physician(Some(Progress::Finished)),
    By::Start,
    "consultation_physician_start",
    false
)]
#[case::in_progress_of_a_physician(
    of_physician(Some(Progress::InProgress)),
    By::Start,
    "consultation_physician_open",
    false
)]
#[case::cancelled_of_a_physician(
    of_physician(Some(Progress::Cancelled)),
    By::Start,
    "consultation_cancelled_physician_start",
    false
)]
#[case::of_a_physician_in_period(in_period(of_physician(None)), By::Start, "consultation_physician_start", false)]
#[case::of_a_patient(of_patient(None), By::Start, "consultation_patient_start", true)]
#[case::finished_of_a_patient(of_patient(Some(Progress::Finished)), By::Start, "consultation_patient_start", true)]
#[case::the_open_one_of_a_patient(
    of_patient(Some(Progress::InProgress)),
    By::Start,
    "consultation_in_progress_patient consultation_patient_start",
    true
)]
#[case::of_a_patient_in_period(in_period(of_patient(None)), By::Start, "consultation_patient_start", true)]
#[case::with_ids(with_ids(), By::Start, PRIMARY_KEY, true)]
#[case::ended(all(), By::End, "consultation_end", false)]
#[case::finished_by_end(of(Progress::Finished), By::End, "consultation_end", false)]
#[case::cancelled_by_end(of(Progress::Cancelled), By::End, "consultation_cancelled_end", false)]
#[case::ended_of_a_physician(of_physician(None), By::End, "consultation_physician_end", false)]
#[case::finished_of_a_physician_by_end(
    of_physician(Some(Progress::Finished)),
    By::End,
    "consultation_physician_end",
    false
)]
#[case::cancelled_of_a_physician_by_end(
    of_physician(Some(Progress::Cancelled)),
    By::End,
    "consultation_cancelled_physician_end",
    false
)]
#[case::ended_of_a_patient(of_patient(None), By::End, "consultation_patient_start", true)]
#[case::with_ids_by_end(Conditions { started_from: None, started_until: None, ..with_ids() }, By::End, PRIMARY_KEY, true)]
#[tokio::test]
async fn each_list_of_consultations_reads_a_range_of_its_index_in_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] conditions: Conditions,
    #[case] by: By,
    #[case] index: &str,
    #[case] sorts: bool,
) {
    for is_analysed in [false, true] {
        // Without statistics PostgreSQL takes the table for an empty one; it makes them by itself.
        if !is_analysed && backend == Backend::Postgres {
            continue;
        }
        let Some(db) = history(backend, is_analysed).await else { return };
        let backend = db.database.read.get_database_backend();
        let rows = conditions.rows(by, backend).expect("an order");
        assert_reads(&db, &rows, (conditions.time(by, backend), consultations::Column::Id), index, sorts).await;
    }
}

#[rstest]
#[case::all(None, "pending_payment_created")]
#[case::delivered(Some(State::Finished), "pending_payment_created")]
#[case::pending(Some(State::Pending), "pending_payment_undelivered_created")]
#[case::processing(Some(State::Processing), "pending_payment_undelivered_created")]
#[case::parked(Some(State::Parked), "pending_payment_undelivered_created")]
#[tokio::test]
async fn each_list_of_pending_payments_reads_a_range_of_its_index_in_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[case] state: Option<State>,
    #[case] index: &str,
) {
    use pending_payment::Column::Id;
    let Some(db) = history(backend, true).await else { return };
    let backend = db.database.read.get_database_backend();
    let (rows, time, _) = pending_payments(state, None, backend);
    assert_reads(&db, &rows, (time, Id), index, false).await;
    let ids = (0..100).map(|number| Uuid::from_u128((1 << 64) + number)).collect();
    let (rows, time, _) = pending_payments(state, Some(ids), backend);
    let indexes =
        "pending_payment_appointment_id_key sqlite_autoindex_pending_payment_2 pending_payment_undelivered_created";
    assert_reads(&db, &rows, (time, Id), indexes, true).await;
}

#[test]
fn what_has_no_index_in_the_order_of_ends_is_refused() {
    let rows = |conditions: Conditions| conditions.rows(By::End, DbBackend::Postgres).map(drop);
    assert_eq!(rows(of(Progress::InProgress)), Err(Unordered::InProgress));
    let from = Conditions { started_from: Some(noon()), ..all() };
    let until = Conditions { started_until: Some(noon()), ..of_patient(None) };
    assert_eq!([rows(from), rows(until)], [Err(Unordered::Period); 2]);
    assert_eq!(rows(of(Progress::Cancelled)), Ok(()));
}
