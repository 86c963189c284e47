//! The callers of a batch: each row keeps its own.

use super::*;

#[rstest]
#[tokio::test]
async fn each_row_of_a_batch_keeps_its_own_caller(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let Some((db, starts, finishes)) = writers(backend).await else { return };
    let names = ["ana", "bruno", "https://issuer.example#8f2c", "débora"];
    let rows = names.map(|name| Start { started_by: name.into(), ..a_start() });
    written(starts.write(&rows).await);
    let finish = |row, name: &str| Finish { finished_by: name.into(), ..a_finish(row) };
    let mut ends: Vec<_> = rows.iter().zip(names.iter().rev()).map(|(row, name)| finish(row, name)).collect();
    ends.push(finish(&rows[0], "who came later"));
    let answers = written(finishes.write(&ends).await);
    let payments = pending_payment::Entity::find().all(&db.database.read).await.expect("rows");
    assert!(payments.len() == 4 && payments.iter().all(|row| row.trace_parent.is_none()), "traces are off");
    for (number, (row, answer)) in rows.iter().zip(answers).enumerate() {
        let stored = consultation::Entity::find_by_id(row.id).one(&db.database.read).await.expect("a row");
        let stored = stored.expect("started");
        let [started_by, finished_by] = [names[number], names[3 - number]].map(|name| Some(name.to_owned()));
        assert_eq!((&stored.started_by, &stored.finished_by), (&started_by, &finished_by));
        assert_eq!(answer, Ok(stored), "what was answered is what is stored");
    }
}
