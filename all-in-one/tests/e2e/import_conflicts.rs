//! Imports into databases that hold something of the same rows or patients already.

use rstest::rstest;
use serde_json::Value;
use testkit::Backend;
use uuid::Uuid;

use crate::{
    cluster::{Cluster, start},
    import::{END, START, consultation, import_consultation, import_finance},
    predecessor::Predecessor,
};

#[rstest]
#[tokio::test]
async fn what_is_here_with_other_content_is_named_and_stays(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    let from = Predecessor::empty(Backend::Sqlite).await.expect("a file");
    let finished = from.finished("200.00").await;
    from.pending(finished, "200.00", true).await;
    from.payment(finished, "200.00").await;
    assert_eq!(import_finance(&cluster, &from, &["--yes"]).1, Some(0));
    assert_eq!(import_consultation(&cluster, &from, &["--yes"]).1, Some(0));
    for table in
        ["consultation SET price = '300'", "pending_payment SET total_price = 300", "payment SET total_price = 300"]
    {
        from.execute(&format!("UPDATE {table}")).await;
    }
    for arguments in [&["--json"][..], &["--json", "--yes"]] {
        for (text, code) in
            [import_finance(&cluster, &from, arguments), import_consultation(&cluster, &from, arguments)]
        {
            let conflict: Value = text.lines().next().expect("a line").parse().expect("JSON");
            assert_eq!([&conflict["code"], &conflict["id"]], ["CONFLICT", &finished.to_string()], "{text}");
            assert!(text.contains("200.00") && text.contains("300.00") && text.contains("\"leftOut\":1"), "{text}");
            assert_eq!(code, Some(1));
        }
    }
    assert_eq!(consultation(&cluster, finished).await["price"], "200.00");
    assert_eq!(cluster.payments().await, [(finished.to_string(), "200.00".to_owned())]);
}

#[rstest]
#[tokio::test]
async fn a_patient_who_is_in_a_consultation_here_keeps_the_newer_one(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    let from = Predecessor::empty(Backend::Sqlite).await.expect("a file");
    let [patient, early] = [Uuid::new_v4(), Uuid::new_v4()];
    let here = start(&cluster.consultation.client, patient).await;
    let older = from.consultation(patient, START, None, None).await;
    let first = from.consultation(early, START, None, None).await;
    let (text, code) = import_consultation(&cluster, &from, &["--yes"]);
    assert!(
        text.contains(&format!("NEWER_IN_PROGRESS {older}: ")) && text.contains(&here) && code == Some(0),
        "{text}"
    );
    assert!(consultation(&cluster, older).await["endDate"].is_string());

    let (text, _) = import_consultation(&cluster, &from, &["--yes"]);
    assert!(text.contains(&format!("NEWER_IN_PROGRESS {older}: it became a cancelled one")), "{text}");

    // A second import, after the predecessor went on.
    let later = from.consultation(early, END, None, None).await;
    let (text, code) = import_consultation(&cluster, &from, &["--yes"]);
    assert!(text.contains(&format!("CONFLICT {first}: here it is in progress")), "{text}");
    assert!(text.contains(&format!("PATIENT_IN_CONSULTATION {later}: ")) && code == Some(1), "{text}");
    assert!(consultation(&cluster, first).await["endDate"].is_null() && consultation(&cluster, later).await.is_null());
}

#[rstest]
#[tokio::test]
async fn each_payment_that_cannot_be_imported_is_named_by_its_own_id(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(cluster) = Cluster::start(backend).await else { return };
    let from = Predecessor::empty(Backend::Sqlite).await.expect("a file");
    from.execute("DROP TABLE payment").await;
    from.execute("CREATE TABLE payment (id integer, appointment_id char(32), total_price decimal)").await;
    let [broken, ambiguous] = [Uuid::new_v4(), Uuid::new_v4()].map(|id| from.id(id));
    let rows = format!(
        "(1, NULL, '1.00'), (2, NULL, '2.00'), (3, NULL, '1.00'), (4, {broken}, '1.00'), (5, {broken}, '1.001'),
         (6, {ambiguous}, '1.00'), (7, {ambiguous}, '2.00')"
    );
    from.execute(&format!("INSERT INTO payment VALUES {rows}")).await;
    let (text, code) = import_finance(&cluster, &from, &["--yes"]);
    for (code, row, why) in [
        ("INVALID", 1, "payment.appointment_id is null"),
        ("INVALID", 2, "payment.appointment_id is null"),
        ("INVALID", 3, "payment.appointment_id is null"),
        ("INVALID", 4, "another payment of its appointment"),
        ("INVALID", 5, "payment.total_price is 1.001"),
        ("AMOUNTS_DIFFER", 6, "this one of 1.00"),
        ("AMOUNTS_DIFFER", 7, "this one of 2.00"),
    ] {
        let line = text.lines().find(|line| line.starts_with(&format!("{code} {row}: ")));
        assert!(line.is_some_and(|line| line.contains(why)), "{code} {row} in\n{text}");
    }
    assert!(text.contains("7 rows of the source are left out") && code == Some(1), "{text}");
}
