//! Reading the database of another program.

use chassis::{
    database::source::{Query, Source},
    import::Batches,
};
use rstest::rstest;
use sea_orm::ConnectionTrait;
use testkit::{Backend, TestDatabase};

async fn with_rows(backend: Backend, last: u32) -> Option<TestDatabase> {
    let db = TestDatabase::empty(backend).await?;
    insert(&db, "CREATE TABLE item (id integer NOT NULL, part integer, label text)").await;
    let rows = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
         INSERT INTO item (id, part) SELECT n, n FROM numbers"
    );
    insert(&db, &rows).await;
    Some(db)
}

async fn insert(db: &TestDatabase, sql: &str) {
    db.database.write.execute_unprepared(sql).await.expect("a statement");
}

#[rstest]
#[tokio::test]
async fn the_database_of_another_program_is_read_as_one_snapshot_and_never_written(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(db) = with_rows(backend, 3).await else { return };
    let mut source = Source::open(&db.url).await.expect("opened");
    assert_eq!(source.count("item").await.expect("a count"), 3);
    insert(&db, "INSERT INTO item (id) VALUES (4)").await;
    assert_eq!(source.count("item").await.expect("a count"), 3, "the snapshot is from before");
    assert_eq!(Source::open(&db.url).await.expect("opened").count("item").await.expect("a count"), 4);

    let writes = if backend == Backend::Sqlite {
        // A write in disguise: the only one in a query.
        Query { columns: &["1"], rest: "UNION SELECT 1; DELETE FROM item" }
    } else {
        Query { columns: &["nextval('numbers')"], rest: "" }
    };
    if backend == Backend::Postgres {
        insert(&db, "CREATE SEQUENCE numbers").await;
    }
    let refused = Source::open(&db.url).await.expect("opened");
    let mut refused = refused;
    let mut batches = Batches::of(&mut refused, &writes);
    let error = batches.next().await.expect_err("it is read-only").to_string();
    assert!(error.contains("read-only") || error.contains("readonly"), "{error}");
}

#[rstest]
#[tokio::test]
async fn rows_come_in_batches_that_cut_no_group(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some(db) = with_rows(backend, 8_001).await else { return };
    // The last row of a batch, and that of the next one, have company.
    insert(&db, "INSERT INTO item (id, part, label) VALUES (4000, 9000, 'second'), (4001, 9000, NULL)").await;
    let items = Query { columns: &["item.id", "item.label"], rest: "FROM item ORDER BY item.id, item.part" };
    let mut source = Source::open(&db.url).await.expect("opened");
    let mut batches = Batches::of(&mut source, &items);
    let mut sizes = Vec::new();
    loop {
        let batch = batches.next().await.expect("a batch");
        if batch.is_empty() {
            break;
        }
        sizes.push((batch.len(), batch.iter().map(Vec::len).sum::<usize>()));
        if let Some(group) = batch.iter().find(|group| group[0].shown("item.id") == "4000") {
            let labels = [&group[0], &group[1]].map(|row| row.shown("item.label"));
            assert_eq!(labels, ["null", "second"]);
        }
    }
    assert_eq!(sizes, [(4_000, 4_001), (4_000, 4_001), (1, 1)]);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_a_value_that_cannot_be_parsed() {
    let db = with_rows(Backend::Sqlite, 2).await.expect("a file");
    insert(&db, "UPDATE item SET label = x'ff' WHERE id = 1").await;
    let items = Query { columns: &["id", "label"], rest: "FROM item ORDER BY id" };
    let mut source = Source::open(&db.url).await.expect("opened");
    let batch = Batches::of(&mut source, &items).next().await.expect("a batch");
    assert_eq!([&batch[0], &batch[1]].map(|group| group[0].shown("label")), ["\u{fffd}", "null"]);
}
